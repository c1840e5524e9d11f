/* Spikes in NumPy's .npz, written and read without Python:
 *
 *   times       [n] float64, ms, ascending within a population        also read: t, timestamps, spike_times
 *   senders     [n] int64, neurons numbered from 0 in their population  also read: node_ids, neurons, neuron, ids, gids, i
 *   population  [n] int32, place in names                             or a text for each spike, or one text for all; may be absent
 *   names       [populations] texts                                   may be absent
 *   sizes       [populations] int64, numbers of neurons               may be absent
 *
 * In Python: d = numpy.load("spikes.npz"); d["times"][d["population"] == 0]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/npy.h"
#include "io/results_internal.h"
#include "io/zip.h"

enum { TIMES, SENDERS, POPULATION, NAMES, SIZES, N_ARRAYS };

static const char *const known[N_ARRAYS][7] = {
    [TIMES] = { "times", "t", "timestamps", "spike_times" },
    [SENDERS] = { "senders", "node_ids", "neurons", "neuron", "ids", "gids", "i" },
    [POPULATION] = { "population", "populations" },
    [NAMES] = { "names", "population_names" },
    [SIZES] = { "sizes" },
};

typedef struct npz {
    results  *r;
    npy_array array[N_ARRAYS];
    uint8_t  *content[N_ARRAYS]; /* NULL: absent */
} npz;

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static int array_named(const char *entry)
{
    size_t length = strlen(entry);
    if (length > 4 && strcmp(entry + length - 4, ".npy") == 0) length -= 4;
    for (int k = 0; k < N_ARRAYS; k++)
        for (int i = 0; i < 7 && known[k][i]; i++)
            if (strlen(known[k][i]) == length && strncmp(known[k][i], entry, length) == 0) return k;
    return -1;
}

static rv_status load_arrays(npz *z, const uint8_t *bytes, size_t n)
{
    zip_archive archive;
    const char *reason = zip_open(bytes, n, &archive);
    for (zip_entry e; !reason;) {
        reason = zip_next(&archive, &e);
        if (reason || !e.name[0]) break;
        int k = array_named(e.name);
        if (k < 0) continue;
        if (z->content[k]) return results_damaged(z->r, e.name, "there are two arrays of %s", known[k][0]);
        reason = zip_load(&e, &z->content[k]);
        if (!reason) reason = npy_open(z->content[k], e.size, &z->array[k]);
        if (reason) return results_damaged(z->r, e.name, "%s", reason);
    }
    return reason ? results_damaged(z->r, "the archive", "%s", reason) : RV_OK;
}

static bool is_text(const npy_array *a) { return a->kind == 'U' || a->kind == 'S'; }

static rv_status check_arrays(npz *z)
{
    int64_t n = z->array[TIMES].n;
    for (int k = TIMES; k <= SENDERS; k++)
        if (!z->content[k] || is_text(&z->array[k])) return results_damaged(z->r, known[k][0], "there is no such array of numbers; spikes need times and senders");
    if (z->array[SENDERS].n != n) return results_damaged(z->r, "senders", "%lld neurons for %lld times", (long long)z->array[SENDERS].n, (long long)n);
    const npy_array *p = &z->array[POPULATION];
    if (z->content[POPULATION] && p->n != n && !(is_text(p) && p->n == 1)) return results_damaged(z->r, "population", "%lld entries for %lld spikes", (long long)p->n, (long long)n);
    if (z->content[NAMES] && !is_text(&z->array[NAMES])) return results_damaged(z->r, "names", "they are no texts");
    if (z->content[SIZES] && !z->content[NAMES]) return results_damaged(z->r, "sizes", "they need names");
    if (z->content[SIZES] && (is_text(&z->array[SIZES]) || z->array[SIZES].n != z->array[NAMES].n))
        return results_damaged(z->r, "sizes", "%lld numbers for %lld names", (long long)z->array[SIZES].n, (long long)z->array[NAMES].n);
    return RV_OK;
}

/* The populations that names says, or one for each number or text of population. */
static rv_status take_names(npz *z, results_table *t)
{
    char             name[128];
    const npy_array *names = &z->array[NAMES];
    for (int64_t i = 0; z->content[NAMES] && i < names->n; i++) {
        npy_text(names, i, name, sizeof name);
        if (results_table_name(t, name, strlen(name)) != i) return results_damaged(z->r, "names", "\"%s\" is there twice, or there are too many", name);
    }
    if (t->n_names == 0 && !z->content[POPULATION]) results_table_name(t, "spikes", 6);
    if (!z->content[SIZES]) return RV_OK;
    t->sizes = calloc((size_t)t->n_names + 1, sizeof *t->sizes);
    if (!t->sizes) return results_no_memory(z->r, (double)t->n_names * 8);
    for (int i = 0; i < t->n_names; i++)
        if (!npy_integer(&z->array[SIZES], i, &t->sizes[i])) return results_damaged(z->r, "sizes", "number %d is not whole", i);
    return RV_OK;
}

static rv_status population_of(npz *z, results_table *t, int64_t k, int32_t *found)
{
    const npy_array *p = &z->array[POPULATION];
    char             name[128];
    int64_t          place = 0;
    *found = 0;
    if (!z->content[POPULATION]) return RV_OK;
    if (is_text(p)) npy_text(p, p->n == 1 ? 0 : k, name, sizeof name);
    else if (!npy_integer(p, k, &place)) return results_damaged(z->r, "population", "entry %lld is neither a text nor a whole number", (long long)k);
    else if (z->content[NAMES]) snprintf(name, sizeof name, "%s", place >= 0 && place < t->n_names ? t->names[place] : "");
    else snprintf(name, sizeof name, "%lld", (long long)place);
    if (z->content[NAMES] && !is_text(p)) {
        if (place < 0 || place >= t->n_names) return results_damaged(z->r, "population", "entry %lld is %lld, there are %d names", (long long)k, (long long)place, t->n_names);
        return *found = (int32_t)place, RV_OK;
    }
    *found = results_table_name(t, name, strlen(name));
    if (*found < 0 || (t->sizes && *found >= z->array[NAMES].n)) return results_damaged(z->r, "population", "\"%s\" is not among the names, or there are too many", name);
    return RV_OK;
}

static rv_status take_spikes(npz *z, results_table *t)
{
    int64_t n = z->array[TIMES].n;
    t->times_ms = malloc(((size_t)n + 1) * sizeof *t->times_ms);
    t->neurons = malloc(((size_t)n + 1) * sizeof *t->neurons);
    t->population = malloc(((size_t)n + 1) * sizeof *t->population);
    if (!t->times_ms || !t->neurons || !t->population) return results_no_memory(z->r, (double)n * 20);
    for (t->n = 0; t->n < n; t->n++) {
        int64_t k = t->n;
        t->times_ms[k] = npy_number(&z->array[TIMES], k);
        if (!npy_integer(&z->array[SENDERS], k, &t->neurons[k])) return results_damaged(z->r, "senders", "entry %lld is not a whole number", (long long)k);
        TRY(population_of(z, t, k, &t->population[k]));
    }
    return results_take_table(z->r, t);
}

rv_status results_read_npz(results *r, const uint8_t *bytes, size_t n)
{
    npz           z = { .r = r };
    results_table t = { 0 };
    rv_status     status = load_arrays(&z, bytes, n);
    if (status == RV_OK) status = check_arrays(&z);
    if (status == RV_OK) status = take_names(&z, &t);
    if (status == RV_OK) status = take_spikes(&z, &t);
    if (status == RV_OK) status = results_note_text(r, "recording", "NumPy arrays (.npz): times in ms, senders");
    results_table_free(&t);
    for (int k = 0; k < N_ARRAYS; k++) free(z.content[k]);
    return status;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* An array of n elements of `item` bytes, element i put there by put(). */
static const char *add_array(zip_writer *w, const char *name, const char *type, int item, int64_t n, void (*put)(const results *r, uint8_t *data), const results *r)
{
    char     entry[64];
    uint8_t *bytes = calloc(1, NPY_HEADER + (size_t)n * (size_t)item);
    if (!bytes) return "no memory";
    put(r, bytes + npy_header(bytes, type, n));
    snprintf(entry, sizeof entry, "%s.npy", name);
    const char *reason = zip_add(w, entry, bytes, NPY_HEADER + (size_t)n * (size_t)item);
    free(bytes);
    return reason;
}

static uint8_t *put_bits(uint8_t *b, uint64_t x, int n)
{
    for (int k = 0; k < n; k++) b[k] = (uint8_t)(x >> 8 * k);
    return b + n;
}

static void put_times(const results *r, uint8_t *data)
{
    for (int p = 0; p < r->n_spikes; p++)
        for (int64_t k = 0; k < r->spikes[p].n; k++) {
            uint64_t bits;
            memcpy(&bits, &r->spikes[p].times_ms[k], sizeof bits);
            data = put_bits(data, bits, 8);
        }
}

static void put_senders(const results *r, uint8_t *data)
{
    for (int p = 0; p < r->n_spikes; p++)
        for (int64_t k = 0; k < r->spikes[p].n; k++) data = put_bits(data, (uint64_t)r->spikes[p].neurons[k], 8);
}

static void put_populations(const results *r, uint8_t *data)
{
    for (int p = 0; p < r->n_spikes; p++)
        for (int64_t k = 0; k < r->spikes[p].n; k++) data = put_bits(data, (uint64_t)p, 4);
}

static void put_sizes(const results *r, uint8_t *data)
{
    for (int p = 0; p < r->n_spikes; p++) data = put_bits(data, (uint64_t)r->spikes[p].size, 8);
}

enum { NAME_LETTERS = sizeof(((results_spikes *)0)->name) };

/* UTF-8 as UCS-4; what is no UTF-8 is taken as Latin-1. */
static void put_names(const results *r, uint8_t *data)
{
    for (int p = 0; p < r->n_spikes; p++, data += 4 * NAME_LETTERS) {
        const uint8_t *b = (const uint8_t *)r->spikes[p].name;
        uint8_t       *to = data;
        while (*b) {
            int      more = *b >= 0xf0 ? 3 : *b >= 0xe0 ? 2 : *b >= 0xc0 ? 1 : 0, k = 0;
            uint32_t c = more ? *b & (0x3f >> more) : *b;
            while (k < more && (b[k + 1] & 0xc0) == 0x80) c = c << 6 | (b[++k] & 0x3f);
            if (k < more) c = *b, k = 0;
            b += k + 1;
            to = put_bits(to, c, 4);
        }
    }
}

const char *results_put_npz(const results *r, FILE *file)
{
    char       type[16];
    int64_t    n = 0;
    zip_writer w = { .file = file };
    for (int p = 0; p < r->n_spikes; p++) n += r->spikes[p].n;
    snprintf(type, sizeof type, "<U%d", NAME_LETTERS);
    const char *reason = add_array(&w, "times", "<f8", 8, n, put_times, r);
    if (!reason) reason = add_array(&w, "senders", "<i8", 8, n, put_senders, r);
    if (!reason) reason = add_array(&w, "population", "<i4", 4, n, put_populations, r);
    if (!reason) reason = add_array(&w, "names", type, 4 * NAME_LETTERS, r->n_spikes, put_names, r);
    if (!reason) reason = add_array(&w, "sizes", "<i8", 8, r->n_spikes, put_sizes, r);
    zip_finish(&w);
    return reason;
}
