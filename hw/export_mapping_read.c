/* Reads mapping files. The network is made from what the cores hold, not from a second copy of it: every synapse comes out of the words
 * of a core's memory, every target out of its list of neurons. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_net.h"
#include "hw/export_words.h"
#include "hw/mapping_file.h"
#include "hw/place.h"
#include "io/hdf5_file.h"
#include "sim/error.h"

/* ---- what is being read ------------------------------------------------------------------------------------------- */

typedef struct format {
    int64_t           weight_bits, delay_bits, index_bits, weight_shift, sign, dense, mapper, rule;
    double            factor;
    const rv_synapse *kind;
    double            param[RV_MAX_SYNAPSE_PARAMS];
} format;

typedef struct list {
    int64_t  n;
    int64_t *x;
} list;

typedef struct reader {
    const char  *path;
    hdf5_file    file;
    rv_error    *error;
    hw_mapping  *m;
    hw_chip      chip;
    int          n_groups, n_formats, n_rules;
    hw_group    *group;  /* [n_groups]  */
    export_rule *rule;   /* [n_rules] their texts are owned */
    format      *format; /* [n_formats] */
    int64_t      n_neurons;
    list         source, target, projection_format;                        /* of projections */
    list         core_of, compartment, profile, threshold, setting;                 /* of neurons     */
    list         core_chip, core_place, first_neuron, neuron, first_axon, first_word, bits;
    list         axon_source, first_block, block_format, block_n, block_compartment, block_bit;
    uint64_t    *memory; /* [n_words] */
    int64_t      n_words;
    export_synapses *synapses; /* [projections] */
} reader;

#define refuse(r, ...) error_in_file((r)->error, (r)->path, 0, __VA_ARGS__)

static rv_status from_file(const reader *r, rv_status status) { return status == RV_OK ? RV_OK : error_set(r->error, status, "%s", r->file.error.text); }
static rv_status from_net(const reader *r, rv_status status) { return status == RV_OK ? RV_OK : refuse(r, "%s", rv_net_error(r->m->net)->text); }

/* ---- lists of whole numbers ----------------------------------------------------------------------------------------- */

/* @param n how many there must be, -1: any number */
static rv_status load(reader *r, const char *dataset, int64_t n, int64_t low, int64_t high, list *l)
{
    void      *values = NULL;
    hdf5_shape shape;
    if (hdf5_kind_of(&r->file, dataset) != HDF5_DATASET) return refuse(r, "has no dataset %s", dataset);
    TRY(from_file(r, hdf5_load(&r->file, dataset, HDF5_I64, &values, &shape)));
    l->x = values, l->n = shape.count;
    if (n >= 0 && l->n != n) return refuse(r, "%s has %lld values, allowed are %lld", dataset, (long long)l->n, (long long)n);
    for (int64_t k = 0; k < l->n; k++)
        if (l->x[k] < low || l->x[k] > high) return refuse(r, "%s has the value %lld, allowed %lld to %lld", dataset, (long long)l->x[k], (long long)low, (long long)high);
    return RV_OK;
}

/* Where lists begin: ascending from 0 to n. */
static rv_status load_firsts(reader *r, const char *dataset, int64_t n_lists, int64_t n, list *l)
{
    TRY(load(r, dataset, n_lists + 1, 0, n, l));
    for (int64_t k = 0; k < n_lists; k++)
        if (l->x[k] > l->x[k + 1]) return refuse(r, "%s does not ascend at %lld", dataset, (long long)k);
    if (l->x[0] == 0 && l->x[n_lists] == n) return RV_OK;
    return refuse(r, "%s goes from %lld to %lld, allowed is 0 to %lld", dataset, (long long)l->x[0], (long long)l->x[n_lists], (long long)n);
}

static rv_status load_memory(reader *r)
{
    void      *values = NULL;
    hdf5_shape shape;
    TRY(from_file(r, hdf5_load(&r->file, "/memory", HDF5_U64, &values, &shape)));
    r->memory = values, r->n_words = shape.count;
    return RV_OK;
}

static rv_status load_doubles(reader *r, const char *dataset, double **x, int64_t *n)
{
    void      *values = NULL;
    hdf5_shape shape;
    TRY(from_file(r, hdf5_load(&r->file, dataset, HDF5_F64, &values, &shape)));
    *x = values, *n = shape.count;
    return RV_OK;
}

static hdf5_path place(const char *group, int number, const char *name)
{
    hdf5_path p;
    snprintf(p.path, sizeof p.path, *name ? "/%s/%d/%s" : "/%s/%d%s", group, number, name);
    return p;
}

static rv_status attribute(reader *r, const char *object, const char *name, int64_t low, int64_t high, int64_t *value)
{
    TRY(from_file(r, hdf5_get_int(&r->file, object, name, value)));
    if (*value >= low && *value <= high) return RV_OK;
    return refuse(r, "%s has %s = %lld, allowed %lld to %lld", object, name, (long long)*value, (long long)low, (long long)high);
}

/* ---- head, chip ------------------------------------------------------------------------------------------------------ */

static rv_status read_head(reader *r)
{
    char    content[64];
    int64_t version, seed;
    double  resolution;
    if (hdf5_get_text(&r->file, "/", "content", content, sizeof content) != RV_OK || strcmp(content, "ranvier mapping") != 0) return refuse(r, "is no mapping file of Ranvier");
    TRY(attribute(r, "/", "version", 1, 1, &version));
    TRY(attribute(r, "/", "seed", INT64_MIN, INT64_MAX, &seed));
    TRY(from_file(r, hdf5_get_double(&r->file, "/", "resolution", &resolution)));
    return rv_net_new(&(rv_net_def){ .resolution = resolution, .seed = (uint64_t)seed }, &r->m->net, r->error);
}

static rv_status read_quantity(reader *r, hw_quantity q)
{
    char      name[80];
    int64_t   trust;
    hw_entry *e = &r->chip.entry[q];
    TRY(from_file(r, hdf5_get_double(&r->file, "/chip", hw_quantities[q].name, &e->value)));
    snprintf(name, sizeof name, "%s.trust", hw_quantities[q].name);
    TRY(attribute(r, "/chip", name, HW_NOT_STATED, HW_UNSURE, &trust));
    e->trust = (hw_trust)trust;
    snprintf(name, sizeof name, "%s.source", hw_quantities[q].name);
    TRY(from_file(r, hdf5_get_text(&r->file, "/chip", name, e->source, sizeof e->source)));
    if (isnan(e->value) || (e->value >= hw_quantities[q].low && e->value <= hw_quantities[q].high) || e->value == hw_quantities[q].standard) return RV_OK;
    return refuse(r, "/chip has %s = %g, allowed %g to %g", hw_quantities[q].name, e->value, hw_quantities[q].low, hw_quantities[q].high);
}

static rv_status read_chip(reader *r)
{
    TRY(from_file(r, hdf5_get_text(&r->file, "/chip", "name", r->chip.name, sizeof r->chip.name)));
    TRY(from_file(r, hdf5_get_text(&r->file, "/chip", "title", r->chip.title, sizeof r->chip.title)));
    for (int q = 0; q < HW_N_QUANTITIES; q++) TRY(read_quantity(r, (hw_quantity)q));
    return RV_OK;
}

/* ---- groups ---------------------------------------------------------------------------------------------------------- */

static rv_status set_values(reader *r, int k, const char *folder, const rv_field *fields, int n_fields, int64_t n)
{
    for (int i = 0; i < n_fields; i++) {
        char    name[80];
        double *x = NULL;
        int64_t count;
        snprintf(name, sizeof name, "%s/%s", folder, fields[i].name);
        TRY(load_doubles(r, place("groups", k, name).path, &x, &count));
        rv_status status = count == 1 || count == n ? from_net(r, rv_set(r->m->net, (rv_population){ k + 1 }, fields[i].name, count == n ? rv_list(x, n) : rv_number(x[0])))
                                                    : refuse(r, "%s has %lld values, allowed are 1 and %lld", place("groups", k, name).path, (long long)count, (long long)n);
        free(x);
        TRY(status);
    }
    return RV_OK;
}

/* Hands the spikes over neuron by neuron; the lists are by neuron. */
static rv_status play(reader *r, int k, const list *neuron, const double *time, const double *payload)
{
    rv_population p = { k + 1 };
    for (int64_t first = 0, n; first < neuron->n; first += n) {
        for (n = 1; first + n < neuron->n && neuron->x[first + n] == neuron->x[first];) n++;
        TRY(from_net(r, rv_set_spike_times(r->m->net, p, neuron->x[first], time + first, n)));
        if (payload) TRY(from_net(r, rv_set_payloads(r->m->net, p, neuron->x[first], payload + first, n)));
    }
    return RV_OK;
}

static rv_status read_spikes(reader *r, int k, int64_t n)
{
    list    neuron = { 0 };
    double *time = NULL, *payload = NULL;
    int64_t n_times = 0, n_payloads = 0;
    if (hdf5_kind_of(&r->file, place("groups", k, "spikes/neuron").path) != HDF5_DATASET) return RV_OK;
    rv_status status = load(r, place("groups", k, "spikes/neuron").path, -1, 0, n - 1, &neuron);
    if (status == RV_OK) status = load_doubles(r, place("groups", k, "spikes/time_ms").path, &time, &n_times);
    if (status == RV_OK && hdf5_kind_of(&r->file, place("groups", k, "spikes/payload").path) == HDF5_DATASET)
        status = load_doubles(r, place("groups", k, "spikes/payload").path, &payload, &n_payloads);
    if (status == RV_OK && (n_times != neuron.n || (payload && n_payloads != neuron.n))) status = refuse(r, "/groups/%d/spikes has lists of different length", k);
    if (status == RV_OK) status = play(r, k, &neuron, time, payload);
    free(neuron.x), free(time), free(payload);
    return status;
}

static rv_status read_group(reader *r, int k)
{
    char      at[40], name[256], model[64];
    int64_t   n, first, input;
    rv_table  table;
    snprintf(at, sizeof at, "/groups/%d", k);
    TRY(from_file(r, hdf5_get_text(&r->file, at, "name", name, sizeof name)));
    TRY(from_file(r, hdf5_get_text(&r->file, at, "model", model, sizeof model)));
    TRY(attribute(r, at, "n", 1, INT32_MAX - r->n_neurons, &n));
    TRY(attribute(r, at, "first", r->n_neurons, r->n_neurons, &first));
    TRY(attribute(r, at, "input", 0, 1, &input));
    r->group[k] = (hw_group){ .first = first, .n = n, .input = input };
    snprintf(r->group[k].name, sizeof r->group[k].name, "%.*s", HW_GROUP_TEXT - 1, name);
    r->n_neurons += n;
    if (!rv_population_new(r->m->net, name, n, model).id) return from_net(r, RV_UNKNOWN_NAME);
    rv_table_find(RV_NEURONS, model, &table);
    TRY(set_values(r, k, "param", table.params, table.n_params, n));
    TRY(set_values(r, k, "state", table.states, table.n_states, n));
    return read_spikes(r, k, n);
}

static rv_status count_members(reader *r, const char *group, int most, int *n)
{
    hdf5_names names = { 0 };
    *n = 0;
    if (hdf5_kind_of(&r->file, group) != HDF5_GROUP) return RV_OK;
    TRY(from_file(r, hdf5_list(&r->file, group, &names)));
    *n = names.n;
    hdf5_names_free(&names);
    return *n <= most ? RV_OK : refuse(r, "%s has %d members, allowed are %d", group, *n, most);
}

static rv_status read_groups(reader *r)
{
    TRY(count_members(r, "/groups", 1000000, &r->n_groups));
    r->group = calloc((size_t)r->n_groups + 1, sizeof *r->group);
    if (!r->group) return error_memory(r->error, "groups", 0);
    for (int k = 0; k < r->n_groups; k++) TRY(read_group(r, k));
    return RV_OK;
}

/* ---- learning rules --------------------------------------------------------------------------------------------------- */

static rv_status read_rule(reader *r, int k)
{
    char         at[40], name[64], text[RULE_TEXT];
    export_rule *rule = &r->rule[k];
    snprintf(at, sizeof at, "/rules/%d", k);
    TRY(from_file(r, hdf5_get_text(&r->file, at, "name", name, sizeof name)));
    rule->rule = rv_rule_find(name);
    if (!rule->rule || !rule->rule->epochs) return refuse(r, "%s: there is no learning rule of epochs of the name \"%.40s\"", at, name);
    const rv_table *table = &rule->rule->table;
    for (int i = 0; i < table->n_params; i++) TRY(from_file(r, hdf5_get_double(&r->file, at, table->params[i].name, &rule->param[i])));
    for (int i = 0; i < table->n_texts; i++) {
        TRY(from_file(r, hdf5_get_text(&r->file, at, table->texts[i].name, text, sizeof text)));
        if (*text && !(rule->text[i] = strdup(text))) return error_memory(r->error, "learning rules", 0);
    }
    return RV_OK;
}

static rv_status read_rules(reader *r)
{
    TRY(count_members(r, "/rules", 65535, &r->n_rules));
    r->rule = calloc((size_t)r->n_rules + 1, sizeof *r->rule);
    if (!r->rule) return error_memory(r->error, "learning rules", 0);
    for (int k = 0; k < r->n_rules; k++) TRY(read_rule(r, k));
    return RV_OK;
}

/* ---- formats --------------------------------------------------------------------------------------------------------- */

static rv_status read_kind(reader *r, const char *at, format *f)
{
    char name[64];
    TRY(from_file(r, hdf5_get_text(&r->file, at, "synapse", name, sizeof name)));
    if (!*name) return RV_OK;
    if (!(f->kind = rv_synapse_find(name))) return refuse(r, "%s: there are no synapses of the kind \"%.40s\"", at, name);
    for (int k = 0; k < f->kind->table.n_params; k++) {
        const rv_field *field = &f->kind->table.params[k];
        TRY(from_file(r, hdf5_get_double(&r->file, at, field->name, &f->param[k])));
        if (!(f->param[k] >= field->low && f->param[k] <= field->high)) return refuse(r, "%s has %s = %g, allowed %g to %g", at, field->name, f->param[k], field->low, field->high);
    }
    return RV_OK;
}

static rv_status read_format(reader *r, int k)
{
    char    at[40];
    format *f = &r->format[k];
    snprintf(at, sizeof at, "/formats/%d", k);
    const struct { const char *name; int64_t low, high, *value; } fields[] = {
        { "weight_bits", 1, 40, &f->weight_bits }, { "delay_bits", 0, 16, &f->delay_bits }, { "index_bits", 0, 62, &f->index_bits }, { "weight_shift", 0, 40, &f->weight_shift },
        { "sign", -1, 1, &f->sign },               { "dense", 0, 1, &f->dense },            { "mapper_format", 0, HW_MAX_FORMATS - 1, &f->mapper },
        { "rule", -1, r->n_rules - 1, &f->rule },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) TRY(attribute(r, at, fields[i].name, fields[i].low, fields[i].high, fields[i].value));
    TRY(from_file(r, hdf5_get_double(&r->file, at, "factor", &f->factor)));
    if (!(f->factor > 0 && f->factor < 0x1p40)) return refuse(r, "%s has factor = %g, allowed are powers of two", at, f->factor);
    return read_kind(r, at, f);
}

static rv_status read_formats(reader *r)
{
    int64_t most = INT32_MAX;
    TRY(read_rules(r));
    TRY(count_members(r, "/formats", 65535, &r->n_formats));
    r->format = calloc((size_t)r->n_formats + 1, sizeof *r->format);
    if (!r->format) return error_memory(r->error, "formats", 0);
    for (int k = 0; k < r->n_formats; k++) TRY(read_format(r, k));
    TRY(load(r, "/projections/source", -1, 0, r->n_groups - 1, &r->source));
    if (r->source.n > most) return refuse(r, "/projections/source has %lld values", (long long)r->source.n);
    TRY(load(r, "/projections/target", r->source.n, 0, r->n_groups - 1, &r->target));
    return load(r, "/projections/format", r->source.n, 0, r->n_formats - 1, &r->projection_format);
}

/* ---- cores ------------------------------------------------------------------------------------------------------------ */

static rv_status read_neurons(reader *r)
{
    int64_t n = r->n_neurons;
    TRY(load(r, "/neurons/core", n, 0, r->core_chip.n - 1, &r->core_of));
    TRY(load(r, "/neurons/compartment", n, -1, n - 1, &r->compartment));
    TRY(load(r, "/neurons/profile", n, 0, n, &r->profile));
    TRY(load(r, "/neurons/threshold", n, 0, n, &r->threshold));
    TRY(load(r, "/neurons/setting", n, 0, n, &r->setting));
    for (int64_t j = 0; j < n; j++) {
        int64_t core = r->core_of.x[j], at = r->first_neuron.x[core] + r->compartment.x[j];
        if (r->compartment.x[j] >= 0 && (at >= r->first_neuron.x[core + 1] || r->neuron.x[at] != j))
            return refuse(r, "neuron %lld is on core %lld as compartment %lld, but the core's list says otherwise", (long long)j, (long long)core, (long long)r->compartment.x[j]);
    }
    return RV_OK;
}

static rv_status read_cores(reader *r)
{
    mesh m = mesh_of(&r->chip, 1);
    TRY(load(r, "/cores/chip", -1, 0, hw_limit(&r->chip, HW_CHIPS) - 1, &r->core_chip));
    int64_t n = r->core_chip.n;
    TRY(load(r, "/cores/place", n, 0, mesh_places(&m) - 1, &r->core_place));
    TRY(load(r, "/cores/neuron", -1, 0, r->n_neurons - 1, &r->neuron));
    TRY(load_firsts(r, "/cores/first_neuron", n, r->neuron.n, &r->first_neuron));
    TRY(load(r, "/axons/source", -1, 0, r->n_neurons - 1, &r->axon_source));
    TRY(load_firsts(r, "/cores/first_axon", n, r->axon_source.n, &r->first_axon));
    TRY(load_memory(r));
    TRY(load_firsts(r, "/cores/first_word", n, r->n_words, &r->first_word));
    TRY(load(r, "/cores/bits", n, 0, INT64_MAX, &r->bits));
    for (int64_t c = 0; c < n; c++)
        if (r->bits.x[c] > 64 * (r->first_word.x[c + 1] - r->first_word.x[c])) return refuse(r, "/cores/bits says %lld for core %lld, which has fewer", (long long)r->bits.x[c], (long long)c);
    return read_neurons(r);
}

static rv_status read_blocks(reader *r)
{
    TRY(load(r, "/blocks/format", -1, 0, r->n_formats - 1, &r->block_format));
    int64_t n = r->block_format.n;
    TRY(load_firsts(r, "/axons/first_block", r->axon_source.n, n, &r->first_block));
    TRY(load(r, "/blocks/n", n, 1, INT32_MAX, &r->block_n));
    TRY(load(r, "/blocks/compartment", n, 0, r->n_neurons, &r->block_compartment));
    return load(r, "/blocks/bit", n, 0, INT64_MAX / 2, &r->block_bit);
}

/* ---- synapses, out of the memory --------------------------------------------------------------------------------------- */

typedef struct found {
    int64_t source, target, delay;
    double  weight;
    int     projection;
} found;

typedef void (*found_fn)(reader *r, void *sink, const found *synapse);

static int group_of(const reader *r, int64_t neuron)
{
    int k = 0;
    while (k + 1 < r->n_groups && r->group[k + 1].first <= neuron) k++;
    return k;
}

static int projection_of(const reader *r, int source, int target, int64_t format)
{
    for (int64_t p = 0; p < r->source.n; p++)
        if (r->source.x[p] == source && r->target.x[p] == target && r->projection_format.x[p] == format) return (int)p;
    return -1;
}

/* One core being read. */
typedef struct core_reading {
    export_words words;
    int64_t      core, first, n; /* its neurons in r->neuron */
    int64_t      header;
} core_reading;

static core_reading open_core(const reader *r, int64_t core)
{
    return (core_reading){ .words = { r->memory + r->first_word.x[core], r->bits.x[core], 0 }, .core = core, .first = r->first_neuron.x[core],
                           .n = r->first_neuron.x[core + 1] - r->first_neuron.x[core], .header = (int64_t)hw_value(&r->chip, HW_BLOCK_HEADER) };
}

static rv_status visit_block(reader *r, const core_reading *c, int64_t source, int64_t b, found_fn f, void *sink)
{
    const format *format = &r->format[r->block_format.x[b]];
    int64_t       each = format->weight_bits + format->delay_bits + format->index_bits, at = r->block_bit.x[b] + c->header, compartment = r->block_compartment.x[b];
    bool          differences = format->index_bits < 31 && ((int64_t)1 << format->index_bits) < c->n;
    int           from = group_of(r, source);
    if (r->block_n.x[b] > (c->words.n_bits - at) / each) return refuse(r, "block %lld reaches beyond the memory of core %lld", (long long)b, (long long)c->core);
    for (int64_t k = 0; k < r->block_n.x[b]; k++, at += each) {
        double  field = export_decode(export_words_get(&c->words, at, (int)format->weight_bits), (int)format->weight_bits, (int)format->sign);
        int64_t delay = (int64_t)export_words_get(&c->words, at + format->weight_bits, (int)format->delay_bits) + 1;
        int64_t index = (int64_t)export_words_get(&c->words, at + format->weight_bits + format->delay_bits, (int)format->index_bits);
        compartment = format->dense ? r->block_compartment.x[b] + k : differences ? compartment + index : index;
        if (compartment >= c->n) return refuse(r, "block %lld: a synapse at compartment %lld of core %lld, which has %lld", (long long)b, (long long)compartment, (long long)c->core, (long long)c->n);
        found x = { source, r->neuron.x[c->first + compartment], delay, ldexp(field, (int)format->weight_shift), 0 };
        x.projection = projection_of(r, from, group_of(r, x.target), r->block_format.x[b]);
        if (x.projection < 0) return refuse(r, "block %lld has format %lld, which no projection from \"%s\" to \"%s\" has", (long long)b, (long long)r->block_format.x[b],
                                            r->group[from].name, r->group[group_of(r, x.target)].name);
        f(r, sink, &x);
    }
    return RV_OK;
}

static rv_status visit_synapses(reader *r, found_fn f, void *sink)
{
    for (int64_t core = 0; core < r->core_chip.n; core++) {
        core_reading c = open_core(r, core);
        for (int64_t a = r->first_axon.x[core]; a < r->first_axon.x[core + 1]; a++)
            for (int64_t b = r->first_block.x[a]; b < r->first_block.x[a + 1]; b++) TRY(visit_block(r, &c, r->axon_source.x[a], b, f, sink));
    }
    return RV_OK;
}

static void count(reader *r, void *sink, const found *x) { (void)sink, r->synapses[x->projection].n++; }

static void keep(reader *r, void *sink, const found *x)
{
    (void)sink;
    export_synapses *s = &r->synapses[x->projection];
    s->from[s->n] = x->source - r->group[s->source].first, s->to[s->n] = x->target - r->group[s->target].first;
    s->weight[s->n] = x->weight, s->delay[s->n] = x->delay;
    s->n++;
}

static rv_status make_room(reader *r)
{
    for (int64_t p = 0; p < r->source.n; p++) {
        export_synapses *s = &r->synapses[p];
        const format    *f = &r->format[r->projection_format.x[p]];
        size_t           n = (size_t)s->n + 1;
        s->source = (int)r->source.x[p], s->target = (int)r->target.x[p], s->kind = f->kind, s->learning = f->rule < 0 ? NULL : &r->rule[f->rule];
        memcpy(s->param, f->param, sizeof s->param);
        s->from = malloc(n * sizeof *s->from), s->to = malloc(n * sizeof *s->to), s->weight = malloc(n * sizeof *s->weight), s->delay = malloc(n * sizeof *s->delay);
        if (!s->from || !s->to || !s->weight || !s->delay) return error_memory(r->error, "synapses", (double)n * 32);
        s->n = 0;
    }
    return RV_OK;
}

static rv_status connect_all(reader *r)
{
    r->synapses = calloc((size_t)r->source.n + 1, sizeof *r->synapses);
    if (!r->synapses) return error_memory(r->error, "projections", 0);
    TRY(visit_synapses(r, count, NULL));
    TRY(make_room(r));
    TRY(visit_synapses(r, keep, NULL));
    for (int64_t p = 0; p < r->source.n; p++) TRY(from_net(r, export_connect(r->m->net, &r->synapses[p], NULL)));
    return RV_OK;
}

/* ---- graph and map -------------------------------------------------------------------------------------------------------- */

typedef struct passing {
    hw_synapse_fn take;
    void         *sink;
} passing;

static void pass_on(reader *r, void *user, const found *x)
{
    const passing *p = user;
    const format  *f = &r->format[r->projection_format.x[x->projection]];
    hw_synapse     synapse = { x->source, x->target, x->weight * f->factor, x->delay, (int)f->mapper };
    p->take(p->sink, &synapse);
}

static rv_status visit_for_graph(void *user, hw_synapse_fn take, void *sink)
{
    passing p = { take, sink };
    return visit_synapses(user, pass_on, &p);
}

static rv_status read_mapper_formats(reader *r, hw_format *formats, int *n)
{
    enum { COLUMNS = 7 };
    static const char *const names[COLUMNS] = { "weight_bits", "delay_bits", "weight_exp", "sign", "dense", "learning", "trace" };
    list                     l[COLUMNS] = { { 0 } };
    rv_status                status = RV_OK;
    for (int k = 0; k < COLUMNS && status == RV_OK; k++) status = load(r, hdf5_at("/mapper_formats", names[k]).path, k ? l[0].n : -1, -64, k == COLUMNS - 1 ? INT32_MAX : 64, &l[k]);
    if (status == RV_OK && l[0].n > HW_MAX_FORMATS) status = refuse(r, "/mapper_formats has %lld formats, allowed are %d", (long long)l[0].n, HW_MAX_FORMATS);
    *n = (int)l[0].n;
    for (int f = 0; f < *n && status == RV_OK; f++)
        formats[f] = (hw_format){ (int)l[0].x[f], (int)l[1].x[f], (int)l[2].x[f], (int)l[3].x[f], l[4].x[f] != 0, l[5].x[f] != 0, (int)l[6].x[f] };
    for (int k = 0; k < COLUMNS; k++) free(l[k].x);
    for (int f = 0; f < r->n_formats && status == RV_OK; f++)
        if (r->format[f].mapper >= *n) status = refuse(r, "/formats/%d has mapper_format = %lld, allowed 0 to %d", f, (long long)r->format[f].mapper, *n - 1);
    return status;
}

static rv_status make_graph(reader *r)
{
    hw_format formats[HW_MAX_FORMATS];
    int       n;
    double   *rate = NULL;
    int64_t   n_rates;
    TRY(read_mapper_formats(r, formats, &n));
    TRY(hw_graph_new(r->group, r->n_groups, formats, n, &r->m->graph, r->error));
    TRY(hw_graph_fill(r->m->graph, visit_for_graph, r, r->error));
    rv_status status = load_doubles(r, "/neurons/rate", &rate, &n_rates);
    if (status == RV_OK && n_rates != r->n_neurons) status = refuse(r, "/neurons/rate has %lld values, allowed are %lld", (long long)n_rates, (long long)r->n_neurons);
    for (int64_t j = 0; j < r->n_neurons && status == RV_OK; j++) {
        r->m->graph->rate[j] = rate[j];
        r->m->graph->profile[j] = (int32_t)r->profile.x[j], r->m->graph->threshold[j] = (int32_t)r->threshold.x[j], r->m->graph->setting[j] = (int32_t)r->setting.x[j];
    }
    free(rate);
    return status;
}

static rv_status make_map(reader *r)
{
    mesh     m = mesh_of(&r->chip, 1);
    int32_t *at = malloc((size_t)(r->n_neurons + 1) * sizeof *at);
    if (!at) return error_memory(r->error, "the map", 0);
    for (int64_t j = 0; j < r->n_neurons; j++) at[j] = (int32_t)(r->core_chip.x[r->core_of.x[j]] * mesh_places(&m) + r->core_place.x[r->core_of.x[j]]);
    rv_status status = hw_map_given(&r->chip, r->m->graph, at, &r->m->map, r->error);
    free(at);
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------------- */

static rv_status read_everything(reader *r)
{
    TRY(from_file(r, hdf5_open(r->path, &r->file)));
    TRY(read_head(r));
    TRY(read_chip(r));
    TRY(read_groups(r));
    TRY(read_formats(r));
    TRY(read_cores(r));
    TRY(read_blocks(r));
    TRY(connect_all(r));
    TRY(make_graph(r));
    return make_map(r);
}

static void close_reader(reader *r)
{
    const list lists[] = { r->source, r->target, r->projection_format, r->core_of, r->compartment, r->profile, r->threshold, r->setting, r->core_chip, r->core_place, r->first_neuron, r->neuron,
                           r->first_axon, r->first_word, r->bits, r->axon_source, r->first_block, r->block_format, r->block_n, r->block_compartment, r->block_bit };
    for (int64_t p = 0; r->synapses && p < r->source.n; p++) free(r->synapses[p].from), free(r->synapses[p].to), free(r->synapses[p].weight), free(r->synapses[p].delay);
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) free(lists[k].x);
    for (int k = 0; r->rule && k < r->n_rules; k++)
        for (int i = 0; i < RV_MAX_TEXTS; i++) free(r->rule[k].text[i]);
    free(r->rule), free(r->synapses), free(r->group), free(r->format), free(r->memory);
    hdf5_close(&r->file);
}

rv_status hw_mapping_read(const char *path, hw_mapping *m, rv_error *error)
{
    reader r = { .path = path, .m = m, .error = error };
    *m = (hw_mapping){ 0 };
    rv_status status = read_everything(&r);
    close_reader(&r);
    if (status != RV_OK) hw_mapping_free(m);
    return status;
}

void hw_mapping_free(hw_mapping *m)
{
    hw_map_free(m->map);
    hw_graph_free(m->graph);
    rv_net_free(m->net);
    *m = (hw_mapping){ 0 };
}
