#include "io/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/checkpoint_seal.h"
#include "io/hdf5_file.h"
#include "sim/checkpoint.h"
#include "sim/error.h"

/* ---- the door as a port ------------------------------------------------------------------------------------------- */

static const hdf5_type types[N_CHECKPOINT_TYPES] = {
    [CHECKPOINT_U8] = HDF5_U8,   [CHECKPOINT_U16] = HDF5_U16, [CHECKPOINT_I32] = HDF5_I32, [CHECKPOINT_U32] = HDF5_U32,
    [CHECKPOINT_I64] = HDF5_I64, [CHECKPOINT_U64] = HDF5_U64, [CHECKPOINT_F32] = HDF5_F32, [CHECKPOINT_F64] = HDF5_F64,
};

static rv_status said(hdf5_file *file, rv_status status, rv_error *error)
{
    return status == RV_OK ? RV_OK : error_set(error, status, "%s", file->error.text);
}

static rv_status write_values(void *user, const char *path, checkpoint_type type, int64_t total, int64_t first, int64_t n, const void *values, rv_error *error)
{
    hdf5_file *file = user;
    if (first == 0) TRY(said(file, hdf5_make_list(file, path, types[type], total), error));
    return said(file, n > 0 ? hdf5_write_rows(file, path, types[type], first, n, values) : RV_OK, error);
}

static rv_status read_values(void *user, const char *path, checkpoint_type type, int64_t first, int64_t n, void *values, rv_error *error)
{
    return said(user, hdf5_read_rows(user, path, types[type], first, n, values), error);
}

static rv_status count_values(void *user, const char *path, int64_t *n, rv_error *error)
{
    hdf5_shape shape;
    *n = -1;
    if (hdf5_kind_of(user, path) != HDF5_DATASET) return RV_OK;
    TRY(said(user, hdf5_shape_of(user, path, &shape), error));
    if (shape.rank != 1) return error_set(error, RV_FILE_ERROR, "%s has %d axes, 1 is needed", path, shape.rank);
    *n = shape.count;
    return RV_OK;
}

static rv_status write_text(void *user, const char *path, const char *text, rv_error *error) { return said(user, hdf5_write_text(user, path, text), error); }
static rv_status read_text(void *user, const char *path, char **text, rv_error *error) { return said(user, hdf5_load_text(user, path, text), error); }

static checkpoint_port port_of(hdf5_file *file)
{
    return (checkpoint_port){ .user = file, .write = write_values, .read = read_values, .count = count_values, .write_text = write_text, .read_text = read_text };
}

/* ---- notes -------------------------------------------------------------------------------------------------------- */

enum { NOTE_NUMBERS = 6 };

static rv_status write_note_text(hdf5_file *file, const char *path, const char *text) { return text ? hdf5_write_text(file, path, text) : RV_OK; }

static rv_status write_notes(hdf5_file *file, const checkpoint_notes *notes)
{
    TRY(write_note_text(file, "notes/command_line", notes->command_line));
    TRY(write_note_text(file, "notes/script_path", notes->script_path));
    TRY(write_note_text(file, "notes/script", notes->script));
    TRY(write_note_text(file, "notes/left_out", notes->left_out));
    for (int p = 0; notes->population && p < notes->n_populations; p++) {
        const checkpoint_note *note = &notes->population[p];
        char                   path[64];
        double number[NOTE_NUMBERS] = { note->record_start_ms, note->inhibitory, note->outgoing, note->shape.columns, note->shape.rows, note->shape.polarities };
        snprintf(path, sizeof path, "notes/populations/%d", p);
        TRY(hdf5_write(file, path, HDF5_F64, number, NOTE_NUMBERS));
    }
    return RV_OK;
}

static rv_status read_note_text(hdf5_file *file, const char *path, char **text)
{
    return hdf5_kind_of(file, path) == HDF5_DATASET ? hdf5_load_text(file, path, text) : RV_OK;
}

static int whole(double x, int least, int most) { return x >= least && x <= most ? (int)x : least; }

static rv_status read_notes(hdf5_file *file, int n_populations, checkpoint_notes *notes)
{
    TRY(read_note_text(file, "notes/command_line", &notes->command_line));
    TRY(read_note_text(file, "notes/script_path", &notes->script_path));
    TRY(read_note_text(file, "notes/script", &notes->script));
    TRY(read_note_text(file, "notes/left_out", &notes->left_out));
    notes->population = calloc((size_t)n_populations + 1, sizeof *notes->population);
    if (!notes->population) return RV_OUT_OF_MEMORY;
    notes->n_populations = n_populations;
    for (int p = 0; p < n_populations; p++) {
        double     x[NOTE_NUMBERS] = { NAN, -1 };
        hdf5_shape shape;
        char       path[64];
        snprintf(path, sizeof path, "notes/populations/%d", p);
        if (hdf5_kind_of(file, path) == HDF5_DATASET) {
            TRY(hdf5_shape_of(file, path, &shape));
            if (shape.count == NOTE_NUMBERS) TRY(hdf5_read_rows(file, path, HDF5_F64, 0, NOTE_NUMBERS, x));
        }
        notes->population[p] = (checkpoint_note){ x[0], whole(x[1], -1, 1), isnan(x[2]) ? 0 : x[2], { whole(x[3], 0, 32768), whole(x[4], 0, 32768), whole(x[5], 0, 2) } };
    }
    return RV_OK;
}

void checkpoint_notes_free(checkpoint_notes *notes)
{
    free(notes->command_line), free(notes->script_path), free(notes->script), free(notes->left_out), free(notes->population);
    *notes = (checkpoint_notes){ 0 };
}

/* ---- saving ------------------------------------------------------------------------------------------------------- */

static rv_status write_file(rv_net *net, hdf5_file *file, const checkpoint_notes *notes)
{
    checkpoint_port port = port_of(file);
    TRY(hdf5_set_text(file, "/", "format", "ranvier checkpoint"));
    TRY(hdf5_set_text(file, "/", "ranvier_version", RV_VERSION));
    rv_status status = checkpoint_write(net, &port);
    if (status != RV_OK) return error_set(&file->error, status, "%s", rv_net_error(net)->text);
    TRY(hdf5_set_double(file, "/", "time_ms", rv_time(net)));
    return notes ? write_notes(file, notes) : RV_OK;
}

/* Everything that can fail before the old file is touched. */
static rv_status write_beside(rv_net *net, const char *path, const checkpoint_notes *notes, rv_error *error)
{
    hdf5_file file = { 0 };
    rv_status status = hdf5_create(path, &file);
    if (status == RV_OK) status = write_file(net, &file, notes);
    rv_error  why = file.error;
    rv_status closed = hdf5_close(&file);
    if (status == RV_OK && closed != RV_OK) status = closed, why = file.error;
    if (status != RV_OK) return error_set(error, status, "%s", why.text);
    int system = checkpoint_seal(path);
    return system ? error_set(error, RV_FILE_ERROR, "file \"%s\": cannot be written: %s", path, strerror(system)) : RV_OK;
}

rv_status checkpoint_save(rv_net *net, const char *path, const checkpoint_notes *notes)
{
    rv_error error = { 0 };
    size_t   size = strlen(path) + sizeof ".part";
    char    *beside = malloc(size);
    TRY(rv_compile(net));
    if (!beside) return rv_fail(net, RV_OUT_OF_MEMORY, "checkpoint: no memory left");
    snprintf(beside, size, "%s.part", path);
    rv_status status = write_beside(net, beside, notes, &error);
    if (status == RV_OK) {
        int system = checkpoint_replace(beside, path);
        if (system) status = error_set(&error, RV_FILE_ERROR, "file \"%s\": cannot be written: %s", path, strerror(system));
    }
    if (status != RV_OK) unlink(beside);
    free(beside);
    return status == RV_OK ? RV_OK : rv_fail(net, status, "%s", error.text);
}

/* ---- loading ------------------------------------------------------------------------------------------------------ */

static rv_status read_file(hdf5_file *file, int threads, rv_net **net, checkpoint_notes *notes, rv_error *error)
{
    char            format[32];
    checkpoint_port port = port_of(file);
    rv_error        why = { 0 };
    if (hdf5_get_text(file, "/", "format", format, sizeof format) != RV_OK || strcmp(format, "ranvier checkpoint") != 0)
        return error_set(error, RV_FILE_ERROR, "\"%s\" is not a checkpoint", file->path);
    rv_status status = checkpoint_read(&port, threads, net, &why);
    if (status != RV_OK) return error_set(error, status, "checkpoint \"%.150s\": %s", file->path, why.text);
    return notes ? said(file, read_notes(file, rv_population_count(*net), notes), error) : RV_OK;
}

rv_status checkpoint_load(const char *path, int threads, rv_net **net, checkpoint_notes *notes, rv_error *error)
{
    hdf5_file file = { 0 };
    *net = NULL;
    if (notes) *notes = (checkpoint_notes){ 0 };
    TRY(checkpoint_check_seal(path, error));
    rv_status status = hdf5_open(path, &file);
    status = status == RV_OK ? read_file(&file, threads, net, notes, error) : said(&file, status, error);
    hdf5_close(&file);
    if (status == RV_OK) return RV_OK;
    if (notes) checkpoint_notes_free(notes);
    rv_net_free(*net);
    *net = NULL;
    return status;
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

const char *checkpoint_name(const char *path, char *text, size_t size)
{
    static const char ending[] = ".checkpoint.h5";
    size_t            n = strlen(path), tail = sizeof ending - 1;
    const char       *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    if (n > tail && strcmp(path + n - tail, ending) == 0) snprintf(text, size, "%s", path);
    else snprintf(text, size, "%.*s%s", dot && (!slash || dot > slash) && dot > path ? (int)(dot - path) : (int)n, path, ending);
    return text;
}

/* ---- what is in it ------------------------------------------------------------------------------------------------ */

static int64_t number_at(hdf5_file *file, const char *path)
{
    int64_t    x = 0;
    hdf5_shape shape;
    return hdf5_kind_of(file, path) == HDF5_DATASET && hdf5_shape_of(file, path, &shape) == RV_OK && shape.rank == 1 && shape.count == 1 &&
                   hdf5_read_rows(file, path, HDF5_I64, 0, 1, &x) == RV_OK
               ? x
               : 0;
}

/* "" if there is none; the caller's to free. */
static char *text_at(hdf5_file *file, const char *path)
{
    char *text = NULL;
    if (hdf5_kind_of(file, path) == HDF5_DATASET) hdf5_load_text(file, path, &text);
    return text ? text : strdup("");
}

static void print_text(FILE *out, hdf5_file *file, const char *name, const char *path)
{
    char *text = text_at(file, path);
    if (text && *text) fprintf(out, "%-14s %s\n", name, text);
    free(text);
}

static void print_population(FILE *out, hdf5_file *file, int64_t p)
{
    char       path[100];
    hdf5_shape recorded = { 0 };
    snprintf(path, sizeof path, "definition/populations/%lld/name", (long long)p);
    char *name = text_at(file, path);
    snprintf(path, sizeof path, "definition/populations/%lld/model", (long long)p);
    char *model = text_at(file, path);
    snprintf(path, sizeof path, "definition/populations/%lld/n", (long long)p);
    int64_t n = number_at(file, path);
    fprintf(out, "%-14s %s: %lld neurons (%s)", "population", name ? name : "", (long long)n, model ? model : "");
    snprintf(path, sizeof path, "populations/%lld/recorded/times", (long long)p);
    if (hdf5_kind_of(file, path) == HDF5_DATASET && hdf5_shape_of(file, path, &recorded) == RV_OK && recorded.count > 0)
        fprintf(out, ", %lld spikes recorded", (long long)recorded.count);
    fputc('\n', out);
    free(name), free(model);
}

/* Name of the population at one end of a projection. */
static char *end_of(hdf5_file *file, int64_t projection, const char *end)
{
    int64_t    range[4] = { 0 };
    hdf5_shape shape;
    char       path[100];
    snprintf(path, sizeof path, "definition/projections/%lld/%s", (long long)projection, end);
    if (hdf5_shape_of(file, path, &shape) == RV_OK && shape.rank == 1 && shape.count == 4) hdf5_read_rows(file, path, HDF5_I64, 0, 4, range);
    snprintf(path, sizeof path, "definition/populations/%lld/name", (long long)range[0]);
    return text_at(file, path);
}

static void print_projection(FILE *out, hdf5_file *file, int64_t k)
{
    static const char *const fields[] = { "rule", "plasticity", "synapse" };
    char                    *source = end_of(file, k, "source"), *target = end_of(file, k, "target");
    fprintf(out, "%-14s %s -> %s", "projection", source ? source : "", target ? target : "");
    for (int i = 0; i < 3; i++) {
        char path[100];
        snprintf(path, sizeof path, "definition/projections/%lld/%s", (long long)k, fields[i]);
        char *text = text_at(file, path);
        if (text && *text) fprintf(out, ", %s", text);
        free(text);
    }
    fputc('\n', out);
    free(source), free(target);
}

static int64_t count_synapses(hdf5_file *file)
{
    int64_t sum = 0, n = number_at(file, "n_bundles");
    for (int64_t b = 0; b < n; b++) {
        char       path[100];
        hdf5_shape shape;
        snprintf(path, sizeof path, "bundles/%lld/target", (long long)b);
        if (hdf5_kind_of(file, path) == HDF5_DATASET && hdf5_shape_of(file, path, &shape) == RV_OK) sum += shape.count;
    }
    return sum;
}

static void print_all(FILE *out, hdf5_file *file)
{
    char    version[32] = "";
    double  time_ms = 0, resolution = 0;
    int64_t n_populations = number_at(file, "definition/n_populations"), n_projections = number_at(file, "definition/n_projections");
    hdf5_get_text(file, "/", "ranvier_version", version, sizeof version);
    hdf5_get_double(file, "/", "time_ms", &time_ms);
    if (hdf5_kind_of(file, "definition/resolution") == HDF5_DATASET) hdf5_read_rows(file, "definition/resolution", HDF5_F64, 0, 1, &resolution);
    fprintf(out, "%-14s of Ranvier %s, form %lld\n%-14s %.10g ms\n%-14s %.10g ms, %s\n", "checkpoint", version, (long long)number_at(file, "version"), "time", time_ms, "resolution",
            resolution, number_at(file, "definition/timing") ? "exact timing" : "grid timing");
    print_text(out, file, "command_line", "notes/command_line");
    print_text(out, file, "script_path", "notes/script_path");
    print_text(out, file, "left out", "notes/left_out");
    for (int64_t p = 0; p < n_populations; p++) print_population(out, file, p);
    for (int64_t k = 0; k < n_projections; k++) print_projection(out, file, k);
    fprintf(out, "%-14s %lld\n%-14s %lld\n%-14s %lld\n", "synapses", (long long)count_synapses(file), "inputs", (long long)number_at(file, "definition/n_inputs"), "probes",
            (long long)number_at(file, "n_probes"));
}

static void print_size(FILE *out, const char *path)
{
    struct stat about;
    if (stat(path, &about) == 0) fprintf(out, "%-14s %.6g MB\n", "size", (double)about.st_size * 1e-6);
}

rv_status checkpoint_describe(const char *path, bool script, char **text, rv_error *error)
{
    hdf5_file file = { 0 };
    size_t    size;
    *text = NULL;
    TRY(checkpoint_check_seal(path, error));
    TRY(said(&file, hdf5_open(path, &file), error));
    if (script) read_note_text(&file, "notes/script", text);
    else {
        FILE *out = open_memstream(text, &size);
        if (out) print_all(out, &file), print_size(out, path), fclose(out);
    }
    hdf5_close(&file);
    return script || *text ? RV_OK : error_memory(error, "the description of a checkpoint", 0);
}
