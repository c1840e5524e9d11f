/* Writes mapping files; hw/export_mapping_read.c reads them. */
#include "hw/mapping_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_rows.h"
#include "hw/export_words.h"
#include "hw/mapping_rule.h"
#include "io/hdf5_file.h"
#include "sim/error.h"

/* ---- what is being written --------------------------------------------------------------------------------------- */

/* A format of the file: that of the mapper, and how weights are meant. */
typedef struct format {
    int mapper, weight_shift, rule; /* rule: -1: none */
    int projection; /* the first that has it: it has the kind of synapse */
} format;

/* Synapses that are stored together. */
typedef struct block {
    int32_t format, n, compartment;
    int64_t bit;
} block;

/* A synapse of an axon. */
typedef struct item {
    int32_t  format, compartment;
    uint64_t weight, delay;
} item;

typedef struct writer {
    const char     *path;
    export_net      e;
    export_rows     rows;
    const hw_map   *map;
    const hw_graph *g;
    format         *format;    /* [n_formats] */
    int             n_formats;
    int            *format_of; /* [n_projections] */
    int            *rule_of;   /* [n_projections] the first that learns alike; -1: it does not learn */
    int            *rule;      /* [n_rules] a projection that has it */
    int             n_rules;
    hdf5_file       file;
    rv_error       *error;

    int64_t  n_axons, n_blocks, room_blocks;
    int32_t *source;           /* [n_axons] by core      */
    int64_t *first_block;      /* [n_axons + 1]          */
    int64_t *first_axon;       /* [n_cores + 1]          */
    int32_t *axon_on_core;     /* [axons of the map]     */
    block   *block;            /* [n_blocks]             */
    uint64_t *memory;          /* [n_words]              */
    int64_t  n_words;
    int64_t *first_word, *bits; /* [n_cores + 1], [n_cores] */
    int32_t *core_format;      /* [n_core_formats]       */
    int64_t *first_format;     /* [n_cores + 1]          */
    int64_t  n_core_formats;
} writer;

/* ---- formats ------------------------------------------------------------------------------------------------------ */

/* How many zeros all weights of a projection end with. */
static rv_status common_shift(const writer *w, const export_synapses *s, int *shift)
{
    uint64_t bits = 0;
    for (int64_t k = 0; k < s->n; k++) {
        if (s->weight[k] != rint(s->weight[k]) || fabs(s->weight[k]) > 0x1p31)
            return error_set(w->error, RV_CONFLICT, "%s has a weight of %g, but a chip's synapses hold whole numbers: quantise the network first", export_projection_name(&w->e, s), s->weight[k]);
        bits |= (uint64_t)fabs(s->weight[k]);
    }
    for (*shift = 0; bits && !(bits >> *shift & 1);) ++*shift;
    return RV_OK;
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static bool same_rule(const export_rule *a, const export_rule *b)
{
    bool same = a->rule == b->rule && memcmp(a->param, b->param, sizeof a->param) == 0;
    for (int k = 0; k < a->rule->table.n_texts; k++) same = same && same_text(a->text[k], b->text[k]);
    return same;
}

static rv_status number_rules(writer *w)
{
    w->rule_of = calloc((size_t)w->e.n_projections + 1, sizeof *w->rule_of), w->rule = calloc((size_t)w->e.n_projections + 1, sizeof *w->rule);
    if (!w->rule_of || !w->rule) return error_memory(w->error, "learning rules", 0);
    for (int p = 0; p < w->e.n_projections; p++) {
        const export_rule *mine = w->e.projection[p].learning;
        int                r = mine ? 0 : -1;
        while (mine && r < w->n_rules && !same_rule(mine, w->e.projection[w->rule[r]].learning)) r++;
        if (r == w->n_rules) w->rule[w->n_rules++] = p;
        w->rule_of[p] = r;
    }
    return RV_OK;
}

static bool same_kind(const writer *w, const format *a, int mapper, int shift, int projection)
{
    const export_synapses *x = &w->e.projection[a->projection], *y = &w->e.projection[projection];
    return a->mapper == mapper && a->weight_shift == shift && a->rule == w->rule_of[projection] && x->kind == y->kind && x->factor == y->factor && memcmp(x->param, y->param, sizeof x->param) == 0;
}

/* Whether another projection between the same groups has it. */
static bool is_taken(const writer *w, int f, int projection)
{
    const export_synapses *s = &w->e.projection[projection];
    for (int k = 0; k < projection; k++)
        if (w->format_of[k] == f && w->e.projection[k].source == s->source && w->e.projection[k].target == s->target) return true;
    return false;
}

static rv_status choose_formats(writer *w)
{
    w->format = calloc((size_t)w->e.n_projections + 1, sizeof *w->format);
    w->format_of = calloc((size_t)w->e.n_projections + 1, sizeof *w->format_of);
    if (!w->format || !w->format_of) return error_memory(w->error, "formats", 0);
    TRY(number_rules(w));
    for (int p = 0; p < w->e.n_projections; p++) {
        int f = 0, shift = 0, mapper = w->rows.format[p] < 0 ? 0 : w->rows.format[p];
        TRY(common_shift(w, &w->e.projection[p], &shift));
        while (f < w->n_formats && !(same_kind(w, &w->format[f], mapper, shift, p) && !is_taken(w, f, p))) f++;
        if (f == w->n_formats) w->format[w->n_formats++] = (format){ mapper, shift, w->rule_of[p], p };
        w->format_of[p] = f;
    }
    return RV_OK;
}

/* ---- the memory of a core ------------------------------------------------------------------------------------------ */

static int by_place(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->format != y->format) return x->format < y->format ? -1 : 1;
    if (x->compartment != y->compartment) return x->compartment < y->compartment ? -1 : 1;
    if (x->delay != y->delay) return x->delay < y->delay ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

static rv_status encode_synapse(const writer *w, int64_t k, item *x)
{
    int              p = w->rows.projection[k];
    const format    *f = &w->format[w->format_of[p]];
    const hw_format *stored = &w->g->format[f->mapper];
    double           weight = export_rows_weight(&w->e, w->g, &w->rows, k);
    *x = (item){ .format = w->format_of[p], .compartment = w->map->compartment[w->g->target[k]], .delay = (uint64_t)w->g->delay[k] - 1 };
    if (export_encode(ldexp(weight, -f->weight_shift), stored->weight_bits, stored->sign, &x->weight) && x->delay >> stored->delay_bits == 0) return RV_OK;
    return error_set(w->error, RV_CONFLICT, "%s: a weight of %g with a delay of %d steps does not fit into the %d and %d bits that the mapping gives it: map the network again",
                     export_projection_name(&w->e, &w->e.projection[p]), weight, w->g->delay[k], stored->weight_bits, stored->delay_bits);
}

/* Whether compartments are stored as differences: the field cannot hold all of the core. */
static bool in_differences(const hw_map *map, int32_t core, int64_t index_bits) { return index_bits < 31 && ((int64_t)1 << index_bits) < map->core[core].n_neurons; }

/* How many synapses from `first` go into one block. */
static int32_t block_length(const writer *w, int32_t core, const item *x, int32_t first, int32_t n, const hw_encoding *e)
{
    bool    dense = w->g->format[w->format[x[first].format].mapper].dense;
    int64_t index_bits = (int64_t)hw_value(&w->map->chip, HW_INDEX_BITS);
    int32_t k = first + 1;
    for (; k < n && k - first < e->block && x[k].format == x[first].format; k++) {
        int32_t step = x[k].compartment - x[k - 1].compartment;
        if (dense && step != 1) break;
        if (!dense && in_differences(w->map, core, index_bits) && (int64_t)step >> index_bits) break;
    }
    return k - first;
}

static int count_bits(const hw_encoding *e)
{
    int bits = 0;
    while (e->block < INT64_MAX && e->block > (int64_t)1 << bits) bits++;
    return bits < e->header ? bits : (int)e->header;
}

/* The place of a format in the table of the core, which is the last of the tables. */
static int local_format(writer *w, int32_t core, int32_t f)
{
    int64_t k = w->first_format[core];
    while (k < w->n_core_formats && w->core_format[k] != f) k++;
    if (k == w->n_core_formats) w->core_format[w->n_core_formats++] = f;
    return (int)(k - w->first_format[core]);
}

static void put_synapses(const writer *w, int32_t core, const item *x, int32_t n, export_words *words)
{
    const hw_format *stored = &w->g->format[w->format[x->format].mapper];
    int              index_bits = (int)hw_value(&w->map->chip, HW_INDEX_BITS);
    bool             differences = in_differences(w->map, core, index_bits);
    for (int32_t k = 0; k < n; k++) {
        export_words_put(words, x[k].weight, stored->weight_bits);
        export_words_put(words, x[k].delay, stored->delay_bits);
        int32_t before = differences ? x[k > 0 ? k - 1 : 0].compartment : 0;
        if (!stored->dense) export_words_put(words, (uint64_t)(x[k].compartment - before), index_bits);
    }
}

static rv_status put_block(writer *w, int32_t core, const item *x, int32_t n, const hw_encoding *e, export_words *words)
{
    int bits = count_bits(e), place = local_format(w, core, x->format);
    if (place >> (e->header - bits) && e->header > bits)
        return error_set(w->error, RV_CONFLICT, "core %d has more than %d synapse formats, for which its memory's headers of %d bits have no room", core, 1 << (e->header - bits), (int)e->header);
    TRY(export_words_reserve(words, e->header + n * e->each + e->word, w->error));
    w->block[w->n_blocks++] = (block){ x->format, n, x->compartment, words->n_bits };
    export_words_put(words, (uint64_t)n - 1, bits);
    export_words_put(words, (uint64_t)place, (int)e->header - bits);
    put_synapses(w, core, x, n, words);
    export_words_align(words, e->word);
    return RV_OK;
}

static rv_status reserve_blocks(writer *w, int64_t n)
{
    if (w->n_blocks + n <= w->room_blocks) return RV_OK;
    int64_t room = 2 * w->room_blocks + n;
    block  *b = realloc(w->block, (size_t)room * sizeof *b);
    if (!b) return error_memory(w->error, "synaptic memory", (double)room * sizeof *b);
    w->block = b, w->room_blocks = room;
    return RV_OK;
}

static rv_status put_axon(writer *w, int64_t neuron, const hw_axon *axon, item *x, export_words *words)
{
    for (int32_t k = 0; k < axon->n; k++) TRY(encode_synapse(w, w->g->row[neuron] + w->map->synapse[axon->first + k], &x[k]));
    qsort(x, (size_t)axon->n, sizeof *x, by_place);
    TRY(reserve_blocks(w, axon->n));
    for (int32_t k = 0, n; k < axon->n; k += n) {
        hw_encoding e = hw_encoding_of(&w->map->chip, &w->g->format[w->format[x[k].format].mapper]);
        n = block_length(w, axon->core, x, k, axon->n, &e);
        TRY(put_block(w, axon->core, x + k, n, &e, words));
    }
    return RV_OK;
}

/* Projections that mapping takes for one format may need two, and with them more room than it counted. */
static rv_status check_memory(const writer *w, int32_t core, int64_t bits)
{
    int64_t limit = hw_limit(&w->map->chip, HW_MEMORY);
    if (bits <= limit || bits <= w->map->core[core].use[HW_USE_MEMORY]) return RV_OK;
    return error_set(w->error, RV_CONFLICT, "core %d needs %lld bits of synaptic memory, allowed are %lld: mapping counted %lld, but exponents or gaps between targets split its blocks; map onto a "
                                            "chip with less memory_per_core, to leave some room",
                     core, (long long)bits, (long long)limit, (long long)w->map->core[core].use[HW_USE_MEMORY]);
}

static rv_status append_memory(writer *w, int32_t core, const export_words *words)
{
    int64_t   n = (words->n_bits + 63) / 64;
    uint64_t *memory = realloc(w->memory, (size_t)(w->n_words + n + 1) * sizeof *memory);
    if (!memory) return error_memory(w->error, "synaptic memory", (double)n * 8);
    if (n) memcpy(memory + w->n_words, words->word, (size_t)n * sizeof *memory);
    w->memory = memory, w->first_word[core] = w->n_words, w->bits[core] = words->n_bits;
    w->n_words += n;
    return check_memory(w, core, words->n_bits);
}

/* ---- axons by core -------------------------------------------------------------------------------------------------- */

typedef struct incoming {
    int64_t neuron, axon; /* axon: of the map */
} incoming;

/* Axons of the map are by source; here they are dealt out by core. @param list result [axons], freed by the caller */
static rv_status sort_axons(writer *w, incoming **list)
{
    const hw_map *map = w->map;
    w->n_axons = map->axon_begin[w->g->n_neurons];
    *list = malloc((size_t)(w->n_axons + 1) * sizeof **list);
    int64_t *next = calloc((size_t)map->n_cores + 1, sizeof *next);
    if (!*list || !next) return free(next), error_memory(w->error, "axons", (double)w->n_axons * sizeof **list);
    for (int64_t a = 0; a < w->n_axons; a++) w->first_axon[map->axon[a].core + 1]++;
    for (int32_t c = 0; c < map->n_cores; c++) w->first_axon[c + 1] += w->first_axon[c], next[c] = w->first_axon[c];
    for (int64_t j = 0; j < w->g->n_neurons; j++)
        for (int64_t a = map->axon_begin[j]; a < map->axon_begin[j + 1]; a++) {
            int32_t core = map->axon[a].core;
            w->axon_on_core[a] = (int32_t)(next[core] - w->first_axon[core]);
            w->source[next[core]] = (int32_t)j;
            (*list)[next[core]++] = (incoming){ j, a };
        }
    free(next);
    return RV_OK;
}

static rv_status fill_core(writer *w, int32_t core, const incoming *list, item *x)
{
    export_words words = { 0 };
    rv_status    status = RV_OK;
    w->first_format[core] = w->n_core_formats;
    int32_t *formats = realloc(w->core_format, (size_t)(w->n_core_formats + w->n_formats + 1) * sizeof *formats);
    if (!formats) return error_memory(w->error, "formats", 0);
    w->core_format = formats;
    for (int64_t a = w->first_axon[core]; a < w->first_axon[core + 1] && status == RV_OK; a++) {
        w->first_block[a] = w->n_blocks;
        status = put_axon(w, list[a].neuron, &w->map->axon[list[a].axon], x, &words);
    }
    if (status == RV_OK) status = append_memory(w, core, &words);
    free(words.word);
    return status;
}

static rv_status allocate(writer *w)
{
    size_t n_axons = (size_t)w->map->axon_begin[w->g->n_neurons] + 2, n_cores = (size_t)w->map->n_cores + 2;
    w->source = malloc(n_axons * sizeof *w->source), w->axon_on_core = malloc(n_axons * sizeof *w->axon_on_core);
    w->first_block = malloc(n_axons * sizeof *w->first_block), w->first_axon = calloc(n_cores, sizeof *w->first_axon);
    w->first_word = calloc(n_cores, sizeof *w->first_word), w->bits = calloc(n_cores, sizeof *w->bits);
    w->first_format = calloc(n_cores, sizeof *w->first_format);
    bool have = w->source && w->axon_on_core && w->first_block && w->first_axon && w->first_word && w->bits && w->first_format;
    return have ? RV_OK : error_memory(w->error, "axons", (double)n_axons * 16);
}

static rv_status fill_cores(writer *w)
{
    incoming *list = NULL;
    int32_t   longest = 1;
    TRY(allocate(w));
    rv_status status = sort_axons(w, &list);
    for (int64_t a = 0; a < w->n_axons; a++)
        if (w->map->axon[a].n > longest) longest = w->map->axon[a].n;
    item *x = malloc((size_t)longest * sizeof *x);
    if (!x) status = error_memory(w->error, "axons", (double)longest * sizeof *x);
    for (int32_t c = 0; c < w->map->n_cores && status == RV_OK; c++) status = fill_core(w, c, list, x);
    w->first_block[w->n_axons] = w->n_blocks, w->first_word[w->map->n_cores] = w->n_words, w->first_format[w->map->n_cores] = w->n_core_formats;
    free(list), free(x);
    return status;
}

/* ---- the file ------------------------------------------------------------------------------------------------------- */

static rv_status write_head(hdf5_file *f, const rv_net *net)
{
    TRY(hdf5_set_text(f, "/", "content", "ranvier mapping"));
    TRY(hdf5_set_int(f, "/", "version", 1));
    TRY(hdf5_set_text(f, "/", "made_by", "Ranvier " RV_VERSION));
    TRY(hdf5_set_double(f, "/", "resolution", rv_resolution(net)));
    return hdf5_set_int(f, "/", "seed", (int64_t)rv_seed(net));
}

static rv_status write_chip(hdf5_file *f, const hw_chip *chip)
{
    TRY(hdf5_make_group(f, "/chip"));
    TRY(hdf5_set_text(f, "/chip", "name", chip->name));
    TRY(hdf5_set_text(f, "/chip", "title", chip->title));
    for (int q = 0; q < HW_N_QUANTITIES; q++) {
        char name[80];
        TRY(hdf5_set_double(f, "/chip", hw_quantities[q].name, chip->entry[q].value));
        snprintf(name, sizeof name, "%s.trust", hw_quantities[q].name);
        TRY(hdf5_set_int(f, "/chip", name, chip->entry[q].trust));
        snprintf(name, sizeof name, "%s.source", hw_quantities[q].name);
        TRY(hdf5_set_text(f, "/chip", name, chip->entry[q].source));
    }
    return RV_OK;
}

static hdf5_path place(const char *group, int number, const char *name)
{
    hdf5_path p;
    snprintf(p.path, sizeof p.path, *name ? "/%s/%d/%s" : "/%s/%d%s", group, number, name);
    return p;
}

static rv_status write_values(hdf5_file *f, int k, const char *folder, const rv_field *fields, const neuron_values *values, int n_fields, int64_t n)
{
    for (int i = 0; i < n_fields; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s/%s", folder, fields[i].name);
        TRY(hdf5_write(f, place("groups", k, name).path, HDF5_F64, values[i].list ? values[i].list : &values[i].value, values[i].list ? n : 1));
    }
    return RV_OK;
}

/* One list after the other. */
static rv_status write_spikes(hdf5_file *f, int k, const population_def *p)
{
    int64_t n = 0, at = 0;
    for (int64_t i = 0; p->spike_times && i < p->n; i++) n += p->n_spike_times[i];
    if (n == 0) return RV_OK;
    double  *time = malloc((size_t)n * sizeof *time), *payload = malloc((size_t)n * sizeof *payload);
    int64_t *neuron = malloc((size_t)n * sizeof *neuron);
    bool     have = time && payload && neuron;
    for (int64_t i = 0; i < p->n && have; i++)
        for (int64_t s = 0; s < p->n_spike_times[i]; s++, at++) {
            time[at] = p->spike_times[i][s], neuron[at] = i;
            payload[at] = p->payloads && p->payloads[i] ? p->payloads[i][s] : 1;
        }
    rv_status status = have ? hdf5_write(f, place("groups", k, "spikes/neuron").path, HDF5_I64, neuron, n) : error_memory(&f->error, "spikes", (double)n * 24);
    if (status == RV_OK) status = hdf5_write(f, place("groups", k, "spikes/time_ms").path, HDF5_F64, time, n);
    if (status == RV_OK && p->payloads) status = hdf5_write(f, place("groups", k, "spikes/payload").path, HDF5_F64, payload, n);
    free(time), free(payload), free(neuron);
    return status;
}

static rv_status write_group(writer *w, int k)
{
    const population_def *p = export_population(&w->e, k);
    hdf5_file            *f = &w->file;
    TRY(hdf5_make_group(f, place("groups", k, "").path));
    TRY(hdf5_set_text(f, place("groups", k, "").path, "name", p->name));
    TRY(hdf5_set_text(f, place("groups", k, "").path, "model", p->model->table.name));
    TRY(hdf5_set_int(f, place("groups", k, "").path, "n", p->n));
    TRY(hdf5_set_int(f, place("groups", k, "").path, "first", w->g->group[k].first));
    TRY(hdf5_set_int(f, place("groups", k, "").path, "input", w->g->group[k].input));
    TRY(write_values(f, k, "param", p->model->table.params, p->param, p->model->table.n_params, p->n));
    TRY(write_values(f, k, "state", p->model->table.states, p->initial, p->model->table.n_states, p->n));
    return write_spikes(f, k, p);
}

static rv_status write_format(writer *w, int k)
{
    const format          *x = &w->format[k];
    const hw_format       *stored = &w->g->format[x->mapper];
    const export_synapses *s = &w->e.projection[x->projection];
    hdf5_path              at = place("formats", k, "");
    const struct { const char *name; int64_t value; } fields[] = {
        { "weight_bits", stored->weight_bits }, { "delay_bits", stored->delay_bits }, { "index_bits", stored->dense ? 0 : (int64_t)hw_value(&w->map->chip, HW_INDEX_BITS) },
        { "weight_shift", x->weight_shift },    { "sign", stored->sign },             { "dense", stored->dense },
        { "mapper_format", x->mapper },         { "rule", x->rule },
    };
    TRY(hdf5_make_group(&w->file, at.path));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) TRY(hdf5_set_int(&w->file, at.path, fields[i].name, fields[i].value));
    TRY(hdf5_set_double(&w->file, at.path, "factor", s->factor));
    TRY(hdf5_set_text(&w->file, at.path, "synapse", s->kind ? s->kind->table.name : ""));
    for (int i = 0; s->kind && i < s->kind->table.n_params; i++) TRY(hdf5_set_double(&w->file, at.path, s->kind->table.params[i].name, s->param[i]));
    return RV_OK;
}

/* A list of numbers that are picked one by one. */
typedef int64_t (*pick_fn)(const writer *w, int64_t k);

/* @param type HDF5_I32, or HDF5_I64 where numbers may be larger */
static rv_status write_picked_as(writer *w, const char *dataset, hdf5_type type, pick_fn pick, int64_t n)
{
    void *x = malloc((size_t)(n + 1) * sizeof(int64_t));
    if (!x) return error_memory(&w->file.error, dataset, (double)n * sizeof(int64_t));
    for (int64_t k = 0; k < n; k++)
        if (type == HDF5_I64) ((int64_t *)x)[k] = pick(w, k);
        else ((int32_t *)x)[k] = (int32_t)pick(w, k);
    rv_status status = hdf5_write(&w->file, dataset, type, x, n);
    free(x);
    return status;
}

static rv_status write_picked(writer *w, const char *dataset, pick_fn pick, int64_t n) { return write_picked_as(w, dataset, HDF5_I32, pick, n); }

#define PICK(name, expression) \
    static int64_t name(const writer *w, int64_t k) { return (int64_t)(expression); }
PICK(mapper_weight_bits, w->g->format[k].weight_bits)
PICK(mapper_delay_bits, w->g->format[k].delay_bits)
PICK(mapper_weight_exp, w->g->format[k].weight_exp)
PICK(mapper_sign, w->g->format[k].sign)
PICK(mapper_dense, w->g->format[k].dense)
PICK(mapper_learning, w->g->format[k].learning)
PICK(mapper_trace, w->g->format[k].trace)
PICK(projection_source, w->e.projection[k].source)
PICK(projection_target, w->e.projection[k].target)
PICK(projection_format, w->format_of[k])
PICK(core_chip, w->map->core[k].chip)
PICK(core_place, w->map->core[k].place)
PICK(core_x, w->map->core[k].x)
PICK(core_y, w->map->core[k].y)
PICK(core_first_neuron, k < w->map->n_cores ? w->map->core[k].first_neuron : k > 0 ? w->map->core[k - 1].first_neuron + w->map->core[k - 1].n_neurons : 0)
PICK(core_use, w->map->core[k / HW_N_RESOURCES].use[k % HW_N_RESOURCES])
PICK(block_format, w->block[k].format)
PICK(block_n, w->block[k].n)
PICK(block_compartment, w->block[k].compartment)
PICK(block_bit, w->block[k].bit)
PICK(route_core, w->map->axon[k].core)

static rv_status write_formats(writer *w)
{
    for (int r = 0; r < w->n_rules; r++) TRY(mapping_write_rule(&w->file, r, &w->e, w->rule[r]));
    for (int k = 0; k < w->n_formats; k++) TRY(write_format(w, k));
    TRY(write_picked(w, "/mapper_formats/weight_bits", mapper_weight_bits, w->g->n_formats));
    TRY(write_picked(w, "/mapper_formats/delay_bits", mapper_delay_bits, w->g->n_formats));
    TRY(write_picked(w, "/mapper_formats/weight_exp", mapper_weight_exp, w->g->n_formats));
    TRY(write_picked(w, "/mapper_formats/sign", mapper_sign, w->g->n_formats));
    TRY(write_picked(w, "/mapper_formats/dense", mapper_dense, w->g->n_formats));
    TRY(write_picked(w, "/mapper_formats/learning", mapper_learning, w->g->n_formats));
    TRY(write_picked(w, "/mapper_formats/trace", mapper_trace, w->g->n_formats));
    TRY(write_picked(w, "/projections/source", projection_source, w->e.n_projections));
    TRY(write_picked(w, "/projections/target", projection_target, w->e.n_projections));
    return write_picked(w, "/projections/format", projection_format, w->e.n_projections);
}

static rv_status write_neurons(writer *w)
{
    int64_t n = w->g->n_neurons;
    TRY(hdf5_write(&w->file, "/neurons/core", HDF5_I32, w->map->core_of, n));
    TRY(hdf5_write(&w->file, "/neurons/compartment", HDF5_I32, w->map->compartment, n));
    TRY(hdf5_write(&w->file, "/neurons/profile", HDF5_I32, w->g->profile, n));
    TRY(hdf5_write(&w->file, "/neurons/threshold", HDF5_I32, w->g->threshold, n));
    TRY(hdf5_write(&w->file, "/neurons/setting", HDF5_I32, w->g->setting, n));
    return hdf5_write(&w->file, "/neurons/rate", HDF5_F64, w->g->rate, n);
}

static rv_status write_use(writer *w)
{
    char    names[400] = "";
    double  limits[HW_N_RESOURCES];
    int64_t n = (int64_t)w->map->n_cores * HW_N_RESOURCES;
    for (int r = 0; r < HW_N_RESOURCES; r++) {
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", r ? ", " : "", hw_resource_name[r]);
        limits[r] = hw_value(&w->map->chip, hw_resource_limit[r]);
    }
    int64_t *use = malloc((size_t)(n + 1) * sizeof *use);
    if (!use) return error_memory(&w->file.error, "cores", (double)n * sizeof *use);
    for (int64_t k = 0; k < n; k++) use[k] = core_use(w, k);
    rv_status status = hdf5_write_array(&w->file, "/cores/use", HDF5_I64, use, 2, (const int64_t[]){ w->map->n_cores, HW_N_RESOURCES });
    free(use);
    if (status == RV_OK) status = hdf5_set_text(&w->file, "/cores/use", "resources", names);
    return status == RV_OK ? hdf5_set_numbers(&w->file, "/cores/use", "limits", HDF5_F64, limits, HW_N_RESOURCES) : status;
}

static rv_status write_cores(writer *w)
{
    int64_t n = w->map->n_cores;
    TRY(write_picked(w, "/cores/chip", core_chip, n));
    TRY(write_picked(w, "/cores/place", core_place, n));
    TRY(write_picked(w, "/cores/x", core_x, n));
    TRY(write_picked(w, "/cores/y", core_y, n));
    TRY(write_picked(w, "/cores/first_neuron", core_first_neuron, n + 1));
    TRY(hdf5_write(&w->file, "/cores/neuron", HDF5_I32, w->map->neuron, core_first_neuron(w, n)));
    TRY(hdf5_write(&w->file, "/cores/first_axon", HDF5_I64, w->first_axon, n + 1));
    TRY(hdf5_write(&w->file, "/cores/first_format", HDF5_I64, w->first_format, n + 1));
    TRY(hdf5_write(&w->file, "/cores/format", HDF5_I32, w->core_format, w->n_core_formats));
    TRY(hdf5_write(&w->file, "/cores/first_word", HDF5_I64, w->first_word, n + 1));
    TRY(hdf5_write(&w->file, "/cores/bits", HDF5_I64, w->bits, n));
    return write_use(w);
}

static rv_status write_memory(writer *w)
{
    TRY(hdf5_write(&w->file, "/axons/source", HDF5_I32, w->source, w->n_axons));
    TRY(hdf5_write(&w->file, "/axons/first_block", HDF5_I64, w->first_block, w->n_axons + 1));
    TRY(write_picked(w, "/blocks/format", block_format, w->n_blocks));
    TRY(write_picked(w, "/blocks/n", block_n, w->n_blocks));
    TRY(write_picked(w, "/blocks/compartment", block_compartment, w->n_blocks));
    TRY(write_picked_as(w, "/blocks/bit", HDF5_I64, block_bit, w->n_blocks));
    return hdf5_write(&w->file, "/memory", HDF5_U64, w->memory, w->n_words);
}

static rv_status write_hops(writer *w)
{
    const hw_map *map = w->map;
    int32_t      *x = malloc((size_t)(2 * w->n_axons + 1) * sizeof *x);
    if (!x) return error_memory(&w->file.error, "routes", (double)w->n_axons * 8);
    for (int64_t j = 0; j < w->g->n_neurons; j++)
        for (int64_t a = map->axon_begin[j]; a < map->axon_begin[j + 1]; a++) {
            const hw_core *from = &map->core[map->core_of[j]], *to = &map->core[map->axon[a].core];
            x[a] = abs(from->x - to->x), x[w->n_axons + a] = abs(from->y - to->y);
        }
    rv_status status = hdf5_write(&w->file, "/routes/hops_x", HDF5_I32, x, w->n_axons);
    if (status == RV_OK) status = hdf5_write(&w->file, "/routes/hops_y", HDF5_I32, x + w->n_axons, w->n_axons);
    free(x);
    return status;
}

static rv_status write_routes(writer *w)
{
    TRY(hdf5_write(&w->file, "/routes/row", HDF5_I64, w->map->axon_begin, w->g->n_neurons + 1));
    TRY(write_picked(w, "/routes/core", route_core, w->n_axons));
    TRY(hdf5_write(&w->file, "/routes/axon", HDF5_I32, w->axon_on_core, w->n_axons));
    return write_hops(w);
}

static rv_status write_estimate(writer *w)
{
    TRY(hdf5_make_group(&w->file, "/estimate"));
    TRY(hdf5_set_double(&w->file, "/estimate", "messages", w->map->messages));
    TRY(hdf5_set_double(&w->file, "/estimate", "hops", w->map->hops));
    TRY(hdf5_set_double(&w->file, "/estimate", "events", w->map->events));
    return hdf5_set_double(&w->file, "/estimate", "between_chips", w->map->between_chips);
}

static rv_status write_everything(writer *w)
{
    TRY(hdf5_create(w->path, &w->file));
    TRY(write_head(&w->file, w->e.net));
    TRY(write_chip(&w->file, &w->map->chip));
    for (int k = 0; k < w->g->n_groups; k++) TRY(write_group(w, k));
    TRY(write_formats(w));
    TRY(write_neurons(w));
    TRY(write_cores(w));
    TRY(write_memory(w));
    TRY(write_routes(w));
    return write_estimate(w);
}

static rv_status write_file(writer *w)
{
    rv_status status = write_everything(w), closed = hdf5_close(&w->file);
    if (status == RV_OK) status = closed;
    return status == RV_OK ? RV_OK : error_set(w->error, status, "%s", w->file.error.text);
}

static void close_writer(writer *w)
{
    export_rows_close(&w->rows);
    export_net_close(&w->e);
    free(w->format), free(w->format_of), free(w->rule_of), free(w->rule), free(w->source), free(w->first_block), free(w->first_axon), free(w->axon_on_core);
    free(w->block), free(w->memory), free(w->first_word), free(w->bits), free(w->core_format), free(w->first_format);
}

rv_status hw_mapping_write(const char *path, rv_net *net, const hw_map *map, rv_error *error)
{
    writer w = { .path = path, .map = map, .g = map->graph, .error = error };
    TRY(export_net_open_learning(net, "mapping", &w.e, error));
    rv_status status = export_rows_open(&w.e, w.g, &w.rows, error);
    if (status == RV_OK) status = choose_formats(&w);
    if (status == RV_OK) status = fill_cores(&w);
    if (status == RV_OK) status = write_file(&w);
    close_writer(&w);
    return status;
}
