/* Results of any kind of file, told apart by what is in it: HDF5 (results_read.c), NumPy's .npz (results_npz.c), columns of text
 * (results_text.c), and recordings of event cameras (aer.h), which become one population, a sheet of pixels, its times from the
 * first event on. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/aer.h"
#include "io/file_bytes.h"
#include "io/results_internal.h"
#include "sim/memory.h"

/* ---- for the readers -------------------------------------------------------------------------------------------- */

rv_status results_damaged(results *r, const char *object, const char *format, ...)
{
    char    reason[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return error_set(&r->file.error, RV_FILE_ERROR, "file \"%.150s\", %.100s: %s", r->path, object, reason);
}

rv_status results_no_memory(results *r, double bytes) { return error_memory(&r->file.error, "the results", bytes); }

void *results_one_more(void *array, int *n, size_t size)
{
    char *longer = realloc(*(void **)array, (size_t)(*n + 1) * size);
    if (!longer) return NULL;
    *(void **)array = longer;
    return memset(longer + (size_t)(*n)++ * size, 0, size);
}

rv_status results_note_text(results *r, const char *name, const char *text)
{
    results_note *a = results_one_more(&r->attributes, &r->n_attributes, sizeof *a);
    if (!a) return results_no_memory(r, sizeof *a);
    a->name = strdup(name), a->text = strdup(text);
    return a->name && a->text ? RV_OK : results_no_memory(r, (double)strlen(text));
}

rv_status results_reserve(results *r, results_spikes *s, int64_t n)
{
    double  *times = realloc(s->times_ms, (size_t)(n + 1) * sizeof *times);
    if (times) s->times_ms = times;
    int64_t *neurons = realloc(s->neurons, (size_t)(n + 1) * sizeof *neurons);
    if (neurons) s->neurons = neurons;
    return times && neurons ? RV_OK : results_no_memory(r, (double)n * 16);
}

rv_status results_check(results *r, const char *object, results_spikes *s, int64_t first, double unit_ms)
{
    for (int64_t i = first; i < s->n; i++) {
        s->times_ms[i] *= unit_ms;
        if (!isfinite(s->times_ms[i])) return results_damaged(r, object, "the time of spike %lld is not a number", (long long)i);
        if (s->neurons[i] < 0 || s->neurons[i] > RESULTS_MOST_NEURONS)
            return results_damaged(r, object, "spike %lld is of neuron %lld", (long long)i, (long long)s->neurons[i]);
        if (s->neurons[i] >= s->size) s->size = s->neurons[i] + 1;
    }
    return RV_OK;
}

typedef struct spike {
    double  t;
    int64_t neuron;
} spike;

static void merge(const spike *from, int64_t begin, int64_t middle, int64_t end, spike *to)
{
    int64_t a = begin, b = middle;
    for (int64_t i = begin; i < end; i++) {
        bool first = a < middle && (b >= end || from[a].t <= from[b].t);
        to[i] = first ? from[a++] : from[b++];
    }
}

/* Sorts by time and keeps the file's order of equal times. @param other room for n @return where the sorted are */
static spike *sort_by_time(spike *spikes, spike *other, int64_t n)
{
    for (int64_t run = 1; run < n; run *= 2) {
        for (int64_t at = 0; at < n; at += 2 * run)
            merge(spikes, at, at + run < n ? at + run : n, at + 2 * run < n ? at + 2 * run : n, other);
        spike *swap = spikes;
        spikes = other, other = swap;
    }
    return spikes;
}

rv_status results_sort(results *r, results_spikes *s)
{
    bool sorted = true;
    for (int64_t i = 1; i < s->n; i++) sorted &= s->times_ms[i - 1] <= s->times_ms[i];
    if (sorted) return RV_OK;
    spike *room = malloc((size_t)s->n * 2 * sizeof *room);
    if (!room) return results_no_memory(r, (double)s->n * 2 * sizeof *room);
    for (int64_t i = 0; i < s->n; i++) room[i] = (spike){ s->times_ms[i], s->neurons[i] };
    const spike *in_order = sort_by_time(room, room + s->n, s->n);
    for (int64_t i = 0; i < s->n; i++) s->times_ms[i] = in_order[i].t, s->neurons[i] = in_order[i].neuron;
    free(room);
    return RV_OK;
}

/* ---- spikes in columns ------------------------------------------------------------------------------------------ */

int results_table_name(results_table *t, const char *name, size_t length)
{
    for (int i = 0; i < t->n_names; i++)
        if (strlen(t->names[i]) == length && strncmp(t->names[i], name, length) == 0) return i;
    if (t->n_names == RESULTS_MOST_POPULATIONS || length >= sizeof *t->names) return -1;
    if (!memory_reserve((void **)&t->names, &t->room_populations, t->n_names + 1, sizeof *t->names)) return -1;
    snprintf(t->names[t->n_names], sizeof *t->names, "%.*s", (int)length, name);
    return t->n_names++;
}

static rv_status add_populations(results *r, const results_table *t, int64_t *counts)
{
    for (int64_t k = 0; k < t->n; k++) counts[t->population ? t->population[k] : 0]++;
    for (int i = 0; i < t->n_names; i++) {
        results_spikes *s = results_one_more(&r->spikes, &r->n_spikes, sizeof *s);
        if (!s) return results_no_memory(r, sizeof *s);
        snprintf(s->name, sizeof s->name, "%s", t->names[i]);
        if (t->sizes && t->sizes[i] > 0 && t->sizes[i] <= RESULTS_MOST_NEURONS) s->size = t->sizes[i];
        TRY(results_reserve(r, s, counts[i]));
    }
    return RV_OK;
}

rv_status results_take_table(results *r, const results_table *t)
{
    int64_t  *counts = calloc((size_t)t->n_names + 1, sizeof *counts);
    rv_status status = counts ? add_populations(r, t, counts) : results_no_memory(r, (double)t->n_names * 8);
    for (int64_t k = 0; k < t->n && status == RV_OK; k++) {
        results_spikes *s = &r->spikes[t->population ? t->population[k] : 0];
        s->times_ms[s->n] = t->times_ms[k], s->neurons[s->n++] = t->neurons[k];
    }
    for (int i = 0; i < r->n_spikes && status == RV_OK; i++) {
        status = results_check(r, r->spikes[i].name, &r->spikes[i], 0, 1);
        if (status == RV_OK) status = results_sort(r, &r->spikes[i]);
    }
    free(counts);
    return status;
}

void results_table_free(results_table *t)
{
    free(t->times_ms), free(t->neurons), free(t->population), free(t->names), free(t->sizes);
    *t = (results_table){ 0 };
}

/* ---- event cameras ---------------------------------------------------------------------------------------------- */

static rv_status take_events(results *r, const aer_events *e)
{
    results_spikes *s = results_one_more(&r->spikes, &r->n_spikes, sizeof *s);
    if (!s) return results_no_memory(r, sizeof *s);
    snprintf(s->name, sizeof s->name, "camera");
    s->shape = (results_shape){ e->width, e->height, 2 };
    s->size = (int64_t)e->width * e->height * 2;
    TRY(results_reserve(r, s, e->n));
    s->n = e->n;
    for (int64_t i = 0; i < e->n; i++) {
        s->times_ms[i] = (double)(e->t_us[i] - e->begin_us) / 1000;
        s->neurons[i] = ((int64_t)!e->polarity[i] * e->height + e->y[i]) * e->width + e->x[i];
    }
    TRY(results_note_text(r, "recording", e->summary));
    return e->warning[0] ? results_note_text(r, "warning", e->warning) : RV_OK;
}

static rv_status read_events(results *r)
{
    aer_events *events;
    rv_status   status = aer_read(r->path, NULL, &events, &r->file.error);
    if (status == RV_OK) status = take_events(r, events);
    aer_free(events);
    return status;
}

/* ---- kinds of file ---------------------------------------------------------------------------------------------- */

typedef enum kind { IS_HDF5, IS_EVENTS, IS_NPZ, IS_TEXT } kind;

/* HDF5 begins with these bytes, or has them at 512, 1024, ... after a block of the user's. */
static bool has_hdf5(const uint8_t *begin, size_t n)
{
    static const char signature[8] = "\211HDF\r\n\032\n";
    for (size_t at = 0; at + sizeof signature <= n; at = at ? 2 * at : 512)
        if (memcmp(begin + at, signature, sizeof signature) == 0) return true;
    return false;
}

static bool is_text(const uint8_t *begin, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (begin[i] < 0x20 && !strchr("\t\n\v\f\r", begin[i] ? begin[i] : 1)) return false;
    return n > 0;
}

static bool ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), n = strlen(ending);
    return length > n && strcmp(path + length - n, ending) == 0;
}

static kind kind_of(const char *path)
{
    uint8_t begin[2100] = { 0 };
    size_t  n = file_bytes_begin(path, begin, sizeof begin);
    if (has_hdf5(begin, n) || n == 0 || ends_with(path, ".h5") || ends_with(path, ".hdf5")) return IS_HDF5;
    if (memcmp(begin, "#!AER-DAT", 9) == 0 || memcmp(begin, "Event Stream", 12) == 0 || ends_with(path, ".bin")) return IS_EVENTS;
    if (memcmp(begin, "PK\3\4", 4) == 0 || memcmp(begin, "PK\5\6", 4) == 0) return IS_NPZ;
    return is_text(begin, n) ? IS_TEXT : IS_HDF5;
}

static rv_status read_bytes(results *r, kind k)
{
    uint8_t  *bytes;
    size_t    n;
    rv_status status = file_bytes_load(r->path, &bytes, &n, &r->file.error);
    if (status == RV_OK) status = k == IS_NPZ ? results_read_npz(r, bytes, n) : results_read_text(r, (const char *)bytes, n);
    free(bytes);
    return status;
}

rv_status results_read(const char *path, results **r, rv_error *error)
{
    *r = calloc(1, sizeof **r);
    if (!*r) return error_memory(error, "the results", sizeof **r);
    (*r)->path = strdup(path);
    rv_status status = (*r)->path ? RV_OK : results_no_memory(*r, (double)strlen(path));
    kind      k = kind_of(path);
    if (status == RV_OK) status = k == IS_HDF5 ? results_read_hdf5(*r) : k == IS_EVENTS ? read_events(*r) : read_bytes(*r, k);
    if (status == RV_OK) return RV_OK;
    error_set(error, status, "%s", (*r)->file.error.text);
    results_free(*r);
    *r = NULL;
    return status;
}

/* ---- what was read ---------------------------------------------------------------------------------------------- */

const results_touch *results_touches(const results *r, int64_t *n)
{
    *n = r->n_touches;
    return r->touches;
}

void results_free(results *r)
{
    if (!r) return;
    for (int i = 0; i < r->n_spikes; i++) free(r->spikes[i].times_ms), free(r->spikes[i].neurons);
    for (int i = 0; i < r->n_reports; i++)
        free(r->reports[i].columns), free(r->reports[i].sources), free(r->reports[i].values);
    for (int i = 0; i < r->n_attributes; i++) free(r->attributes[i].name), free(r->attributes[i].text);
    free(r->spikes), free(r->reports), free(r->attributes), free(r->touches);
    free(r->spike_groups), free(r->report_groups), free(r->path);
    free(r);
}

int results_spikes_count(const results *r) { return r->n_spikes; }
int results_report_count(const results *r) { return r->n_reports; }

const results_spikes *results_spikes_at(const results *r, int index)
{
    return index >= 0 && index < r->n_spikes ? &r->spikes[index] : NULL;
}

const results_report *results_report_at(const results *r, int index)
{
    return index >= 0 && index < r->n_reports ? &r->reports[index] : NULL;
}

const char *results_attribute(const results *r, const char *name)
{
    for (int i = 0; i < r->n_attributes; i++)
        if (strcmp(r->attributes[i].name, name) == 0) return r->attributes[i].text;
    return NULL;
}
