#include "io/sonata_inputs.h"

static void check_keys(const sonata_input *in)
{
    static const char *const known[] = { "input_type", "module", "input_file", "spike_file", "node_set", "enabled", "trial", "amp", "delay", "duration", "file", "separator", "timestamps_column",
                                         "amplitudes_column", "source", "amp_start", "amp_end", "frequency", "width", "mean", "variance", "dt", "phase", "random_seed",
                                         "represents_physical_electrode", "section_name", "section_index", "section_dist", "time", "name", "sweep_id", "downsample", "parameters", NULL };
    sonata_known_keys(in->c, in->entry, in->name, known);
}

/* BBP's replay names the nodes that spike as its source; its node_set is where the spikes go. */
static rv_status choose_nodes(sonata_input *in)
{
    const char   *module = sonata_text(in->entry, "module");
    const json_t *source = module && strcmp(module, "synapse_replay") == 0 ? json_object_get(in->entry, "source") : NULL;
    char          what[SONATA_TEXT];
    snprintf(what, sizeof what, "%.200s: node_set", in->name);
    return sonata_select(in->c, source ? source : json_object_get(in->entry, "node_set"), what, &in->selected, in->error);
}

/* ---- inputs of saved networks: a kind of input of the engine, with its parameters ------------------------------------- */

enum { MOST_SETTINGS = 16 };

typedef struct own {
    const sonata_input *in;
    rv_setting          setting[MOST_SETTINGS];
    int                 n;
} own;

static rv_status give_stretch(void *user, rv_slice slice)
{
    own        *o = user;
    const char *kind = sonata_text(o->in->entry, "module");
    return rv_input_new(o->in->c->net, slice, kind, o->setting, o->n, NULL) == RV_OK ? RV_OK : sonata_net_failed(o->in->c, o->in->error);
}

static rv_status read_setting(own *o, const char *name, const json_t *value)
{
    double *list = NULL;
    size_t  n = json_array_size(value);
    if (o->n == MOST_SETTINGS || (!json_is_number(value) && !json_is_array(value))) return error_set(o->in->error, RV_WRONG_SHAPE, "%s: %.60s is neither a number nor a list", o->in->name, name);
    if (json_is_array(value) && !(list = malloc((n + 1) * sizeof *list))) return error_memory(o->in->error, o->in->name, 8.0 * (double)n);
    for (size_t k = 0; k < n; k++) list[k] = json_number_value(json_array_get(value, k));
    o->setting[o->n++] = (rv_setting){ name, list ? rv_list(list, (int64_t)n) : rv_number(json_number_value(value)) };
    return RV_OK;
}

static rv_status give_own(const sonata_input *in)
{
    own         o = { .in = in };
    const char *name;
    json_t     *value;
    rv_status   status = RV_OK;
    json_object_foreach(json_object_get(in->entry, "parameters"), name, value)
        if (status == RV_OK) status = read_setting(&o, name, value);
    for (int p = 0; p < in->c->n_nodes && status == RV_OK; p++)
        for (int k = 0; k < in->c->nodes[p].n_parts && status == RV_OK; k++) status = sonata_stretches(&in->c->nodes[p], in->selected[p], k, give_stretch, &o);
    for (int k = 0; k < o.n; k++) free((double *)o.setting[k].value.list);
    return status;
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static rv_status give(sonata_input *in, sonata_spikes *spikes)
{
    static const char *const currents[] = { "current_clamp", "csv", "file", "nwb", "allen", NULL }, *const others[] = { "voltage_clamp", "extracellular_stimulation", "extracellular", NULL };
    const char              *type = sonata_text(in->entry, "input_type");
    if (!type) return error_set(in->error, RV_WRONG_SHAPE, "%s: has no input_type", in->name);
    if (sonata_is_one_of(type, others)) return sonata_warn(in->c, "%s: input_type \"%s\" is not for point neurons, and left out", in->name, type), RV_OK;
    check_keys(in);
    bool is_spikes = strcmp(type, "spikes") == 0, is_own = strcmp(type, "ranvier") == 0;
    if (!is_spikes && !is_own && !sonata_is_one_of(type, currents)) return error_set(in->error, RV_UNKNOWN_NAME, "%s: input_type \"%.60s\", known are spikes and current_clamp", in->name, type);
    TRY(choose_nodes(in));
    return is_own ? give_own(in) : is_spikes ? sonata_spikes_read(in, spikes) : sonata_current_give(in);
}

rv_status sonata_give_inputs(sonata_circuit *c, rv_error *error)
{
    const char   *key;
    json_t       *entry;
    sonata_spikes spikes = { 0 };
    rv_status     status = RV_OK;
    json_object_foreach(json_object_get(c->config, "inputs"), key, entry)
    {
        char         name[SONATA_TEXT];
        sonata_input in = { .c = c, .name = name, .entry = entry, .error = error };
        snprintf(name, sizeof name, "input \"%.100s\"", key);
        if (status != RV_OK || !sonata_enabled(entry, "enabled")) continue;
        status = give(&in, &spikes);
        sonata_selection_free(c, in.selected);
    }
    if (status == RV_OK) status = sonata_spikes_play(c, &spikes, error);
    free(spikes.spike);
    return status;
}
