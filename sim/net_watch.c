/* The public calls of displays: to see spikes and states as they come, and to touch a neuron. */
#include <math.h>
#include <stdlib.h>

#include "sim/net.h"
#include "sim/tables.h"

void rv_watch_spikes(rv_net *net, rv_watch_fn f, void *user) { net->watch = f, net->watch_user = user; }

/* The probe of one neuron and one variable; without a spool, for nothing is kept. */
static rv_status watching_probe(rv_net *net, const neuron_range *range, int variable, rv_sample_fn f, void *user, probe **p)
{
    *p = calloc(1, sizeof **p);
    if (!*p) return error_memory(&net->error, "a watched neuron", sizeof **p);
    **p = (probe){ .kind = RV_PROBE_STATE, .range = *range, .projection = -1, .variable = variable, .interval = 1, .n_columns = 1,
                   .watch = f, .watch_user = user };
    return net->state ? probe_open(*p, net->state, &net->error) : RV_OK;
}

static void watching_end(const rv_net *net, probe *p)
{
    probe_close(p, net->net ? net->net->n_tiles : 0);
    free(p);
}

rv_status rv_watch_state(rv_net *net, rv_population population, int64_t neuron, const char *variable, rv_sample_fn f, void *user)
{
    neuron_range range;
    probe       *p;
    TRY(definition_range(&net->def, (rv_slice){ population, neuron, 1, 1 }, &range, &net->error));
    const rv_table *table = &net->def.population[range.population].model->table;
    int             k = table_state(table, variable);
    if (k < 0) return rv_fail(net, RV_UNKNOWN_NAME, "population \"%.100s\": no state variable \"%.60s\" to watch", net->def.population[range.population].name, variable);
    rv_status status = watching_probe(net, &range, k, f, user, &p);
    if (status == RV_OK && !net_append(net, &net->watched, net->n_watched, sizeof p)) status = RV_OUT_OF_MEMORY;
    if (status == RV_OK) net->watched[net->n_watched++] = p;
    else if (p) watching_end(net, p);
    return status;
}

void rv_unwatch_state(rv_net *net, rv_sample_fn f, void *user)
{
    int kept = 0;
    for (int k = 0; k < net->n_watched; k++) {
        probe *p = net->watched[k];
        if (p->watch == f && p->watch_user == user) watching_end(net, p);
        else net->watched[kept++] = p;
    }
    net->n_watched = kept;
}

/* ---- weights ------------------------------------------------------------------------------------------------- */

/* One tile, whose synapses learn at spikes or in epochs. */
static void visit_tile(const rv_net *net, int b, int t, const part *targets, rv_weight_fn f, void *user)
{
    const rows *r = &net->net->bundle[b].rows[t];
    int64_t     n_sources = net->def.population[net->net->bundle[b].source].n;
    for (int64_t source = 0; source < n_sources && r->n_synapses > 0; source++)
        for (uint32_t s = r->row[source]; s < r->row[source + 1]; s++)
            for (uint32_t k = r->segment[s].first; k < r->segment[s + 1].first; k++)
                f(user, source, targets->first + r->target[k] - targets->base, net_weight_of(net, b, &(synapse_ref){ .tile = t, .index = k, .segment = s }));
}

rv_status rv_visit_weights(rv_net *net, rv_projection projection, rv_weight_fn f, void *user)
{
    int p = net_projection(net, projection);
    if (p < 0) return RV_UNKNOWN_NAME;
    const projection_def *def = &net->def.projection[p];
    if (!def->plasticity) return rv_fail(net, RV_CONFLICT, "this projection does not learn; rv_synapses() has its weights");
    TRY(rv_compile(net));
    int b = network_bundle_of(net->net, p); /* what learns has a bundle of its own */
    net_catch_up(net, b);
    for (int t = 0; t < net->net->n_tiles; t++)
        visit_tile(net, b, t, &net->net->tile[t].part[def->target.population], f, user);
    return RV_OK;
}

/* ---- touching ------------------------------------------------------------------------------------------------ */

/* So far above the threshold that a step of the leak does not bring V_m below it. */
static double lifted(const definition *d, const population_def *p, int threshold, int64_t neuron)
{
    int    rest = table_param(&p->model->table, "E_L");
    double V_th = neuron_value(&p->param[threshold], neuron), E_L = rest < 0 ? 0 : neuron_value(&p->param[rest], neuron);
    return V_th + (10 + d->resolution) * (1 + fabs(V_th - E_L));
}

rv_status rv_poke(rv_net *net, rv_population population, int64_t neuron)
{
    neuron_range range;
    rv_slice     one = { population, neuron, 1, 1 };
    TRY(definition_range(&net->def, one, &range, &net->error));
    const population_def *p = &net->def.population[range.population];
    int                   threshold = table_param(&p->model->table, "V_peak");
    if (threshold < 0) threshold = table_param(&p->model->table, "V_th");
    if (threshold < 0 || table_state(&p->model->table, "V_m") < 0)
        return rv_fail(net, RV_CONFLICT, "population \"%.100s\": a %s has no membrane potential to lift", p->name, p->model->table.name);
    return rv_set_slice(net, one, "V_m", rv_number(lifted(&net->def, p, threshold, neuron)));
}
