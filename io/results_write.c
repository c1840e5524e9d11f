/* Spikes written to a file of another kind: what ranvier convert does. While a network runs, io/results.c writes. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/results_internal.h"

/* ---- files that are written at once ----------------------------------------------------------------------------- */

static rv_status cannot(const char *path, int why, rv_error *error)
{
    return error_set(error, RV_FILE_ERROR, "file \"%.150s\" cannot be written: %s", path, strerror(why));
}

typedef const char *(*put_fn)(const results *r, FILE *file);

static rv_status put_file(const results *r, const char *part, put_fn put, rv_error *error)
{
    FILE *file = fopen(part, "wb");
    if (!file) return cannot(part, errno, error);
    const char *reason = put(r, file);
    int         why = fflush(file) != 0 || ferror(file) ? errno : 0;
    if (fclose(file) != 0 && !why) why = errno;
    if (reason) return error_set(error, RV_CONFLICT, "file \"%.*s\" cannot be written: %s", (int)strlen(part) - 5, part, reason);
    return why ? cannot(part, why, error) : RV_OK;
}

/* ---- SONATA ----------------------------------------------------------------------------------------------------- */

static rv_status put_population(hdf5_file *f, const results_spikes *s)
{
    static const char *const sortings[] = { "none", "by_id", "by_time" };
    const hdf5_path          group = hdf5_at("/spikes", s->name), times = hdf5_at(group.path, "timestamps"), ids = hdf5_at(group.path, "node_ids");
    const int32_t            shape[] = { s->shape.columns, s->shape.rows, s->shape.polarities };
    const uint8_t            inhibitory = s->inhibitory;
    TRY(hdf5_make_group(f, group.path));
    TRY(hdf5_set_text(f, group.path, "population", s->name));
    TRY(hdf5_set_enum(f, group.path, "sorting", sortings, 3, 2));
    TRY(hdf5_set_int(f, group.path, "size", s->size));
    if (s->inhibitory) TRY(hdf5_set_numbers(f, group.path, "inhibitory", HDF5_U8, &inhibitory, 0));
    if (s->shape.columns > 0) TRY(hdf5_set_numbers(f, group.path, "shape", HDF5_I32, shape, 3));
    TRY(hdf5_write(f, times.path, HDF5_F64, s->times_ms, s->n));
    TRY(hdf5_set_text(f, times.path, "units", "ms"));
    return hdf5_write(f, ids.path, HDF5_U64, s->neurons, s->n); /* none is negative */
}

static rv_status put_hdf5(const results *r, const char *part, rv_error *error)
{
    static const uint32_t magic = 0x0a7a, version[] = { 0, 1 }; /* SONATA's */
    hdf5_file             f = { 0 };
    rv_status             status = hdf5_create(part, &f);
    if (status == RV_OK) status = hdf5_set_numbers(&f, "/", "magic", HDF5_U32, &magic, 0);
    if (status == RV_OK) status = hdf5_set_numbers(&f, "/", "version", HDF5_U32, version, 2);
    if (status == RV_OK) status = hdf5_make_group(&f, "/spikes");
    for (int i = 0; i < r->n_spikes && status == RV_OK; i++) status = put_population(&f, &r->spikes[i]);
    rv_status closed = hdf5_close(&f);
    if (status == RV_OK) status = closed;
    return status == RV_OK ? RV_OK : error_set(error, status, "%s", f.error.text);
}

/* ---- by the ending ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *ending;
    put_fn      put; /* NULL: HDF5 */
} endings[] = {
    { ".h5", NULL }, { ".hdf5", NULL }, { ".npz", results_put_npz }, { ".csv", results_put_text }, { ".txt", results_put_text }, { ".dat", results_put_columns }, { ".gdf", results_put_columns },
};
enum { N_ENDINGS = sizeof endings / sizeof *endings };

static int ending_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (int k = 0; k < N_ENDINGS; k++)
        if (dot && strcmp(dot, endings[k].ending) == 0) return k;
    return -1;
}

rv_status results_write(const results *r, const char *path, rv_error *error)
{
    char part[PATH_MAX];
    int  k = ending_of(path);
    if (k < 0) return error_set(error, RV_UNKNOWN_NAME, "\"%.150s\": spikes are written to .h5, .npz, .csv, .txt, .dat and .gdf", path);
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) return cannot(path, ENAMETOOLONG, error);
    rv_status status = endings[k].put ? put_file(r, part, endings[k].put, error) : put_hdf5(r, part, error);
    if (status == RV_OK && rename(part, path) != 0) status = cannot(path, errno, error);
    if (status != RV_OK) unlink(part);
    return status;
}

rv_status results_select(results *r, const char *population, rv_error *error)
{
    char        names[256] = "";
    const char *comma = "";
    for (int i = 0; i < r->n_spikes; i++) {
        if (strcmp(r->spikes[i].name, population) == 0) {
            results_spikes keep = r->spikes[i];
            r->spikes[i] = r->spikes[0], r->spikes[0] = keep;
            for (int k = 1; k < r->n_spikes; k++) free(r->spikes[k].times_ms), free(r->spikes[k].neurons);
            r->n_spikes = 1;
            return RV_OK;
        }
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s%.60s", comma, r->spikes[i].name), comma = ", ";
    }
    return error_set(error, RV_UNKNOWN_NAME, "\"%.150s\" has no spikes of a population \"%.60s\"; it has %s", r->path, population, names[0] ? names : "none");
}
