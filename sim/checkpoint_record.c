/* What is recorded, in a checkpoint: the probes, where they stand, and everything they have kept so far. */
#include <math.h>
#include <stdlib.h>

#include "sim/checkpoint_visit.h"

/* ---- what has been kept ------------------------------------------------------------------------------------------- */

enum { AT_ONCE_BYTES = 1 << 20 };

static rv_status lost(const visitor *v, const char *path) { return error_set(v->error, RV_OUT_OF_MEMORY, "%s: no memory and no disk space for what was recorded", path); }

/* Doubles of records that are nothing but doubles. */
static rv_status visit_spool(visitor *v, const char *path, spool *s)
{
    int64_t width = (int64_t)(s->width / sizeof(double)), total = v->loading ? -1 : s->n * width;
    int64_t block = AT_ONCE_BYTES / (int64_t)s->width + 1;
    TRY(visit_begin(v, path, CHECKPOINT_F64, &total));
    if (width == 0 || total % width) return width == 0 && total == 0 ? visit_end(v) : visit_damaged(v, path, "has %lld values in rows of %lld", (long long)total, (long long)width);
    double   *some = malloc((size_t)(block * width) * sizeof *some);
    rv_status status = some ? RV_OK : error_memory(v->error, path, AT_ONCE_BYTES);
    for (int64_t k = 0, n = total / width, m; k < n && status == RV_OK; k += m) {
        m = n - k < block ? n - k : block;
        if (!v->loading && !spool_read(s, k, m, some)) status = lost(v, path);
        if (status == RV_OK) status = visit_next(v, some, m * width);
        if (status == RV_OK && v->loading) spool_append(s, some, m);
    }
    free(some);
    if (s->failed) return lost(v, path);
    return status == RV_OK ? visit_end(v) : status;
}

/* Spikes lie in the file as two arrays. */
enum { SPIKES_AT_ONCE = 4096 };

static rv_status save_spikes(visitor *v, const char *path, spool *s, bool times)
{
    spike_record record[SPIKES_AT_ONCE];
    double       time[SPIKES_AT_ONCE];
    int64_t      neuron[SPIKES_AT_ONCE], total = s->n;
    TRY(visit_begin(v, path, times ? CHECKPOINT_F64 : CHECKPOINT_I64, &total));
    for (int64_t k = 0, m; k < s->n; k += m) {
        m = s->n - k < SPIKES_AT_ONCE ? s->n - k : SPIKES_AT_ONCE;
        if (!spool_read(s, k, m, record)) return lost(v, path);
        for (int64_t i = 0; i < m; i++) time[i] = record[i].time, neuron[i] = record[i].neuron;
        TRY(visit_next(v, times ? (void *)time : neuron, m));
    }
    return visit_end(v);
}

static rv_status load_spikes(visitor *v, const char *times, const char *neurons, const population_def *def, spool *s)
{
    double   *time = NULL, before = 0;
    int64_t  *neuron = NULL, n = 0, also = 0;
    rv_status status = visit_list(v, times, CHECKPOINT_F64, &time, &n, INT64_MAX / 16);
    if (status == RV_OK) status = visit_list(v, neurons, CHECKPOINT_I64, &neuron, &also, n);
    if (status == RV_OK && also != n) status = visit_damaged(v, neurons, "has %lld values for %lld times", (long long)also, (long long)n);
    for (int64_t k = 0; k < n && status == RV_OK; k++) {
        if (!(time[k] >= before && isfinite(time[k])) || neuron[k] < 0 || neuron[k] >= def->n)
            status = visit_damaged(v, neurons, "and times hold neuron %lld at step %g", (long long)neuron[k], time[k]);
        before = time[k];
        if (status == RV_OK) spool_append(s, &(spike_record){ time[k], neuron[k] }, 1);
    }
    free(time), free(neuron);
    return s->failed ? lost(v, times) : status;
}

static rv_status visit_spikes(visitor *v, rv_net *net, int p)
{
    spike_probe *probe = &net->spikes[p];
    visit_at     times = visit_path("populations/%d/recorded/times", p), neurons = visit_path("populations/%d/recorded/neurons", p);
    TRY(visit_bool(v, AT("populations/%d/recorded/spikes", p), &probe->on));
    if (v->loading) return load_spikes(v, times.path, neurons.path, &net->def.population[p], &probe->spool);
    TRY(save_spikes(v, times.path, &probe->spool, true));
    return save_spikes(v, neurons.path, &probe->spool, false);
}

/* ---- probes ------------------------------------------------------------------------------------------------------- */

/* What a probe is made of, as people ask for one. */
typedef struct asked {
    int      kind, projection;
    int64_t  range[4], interval, n_columns;
    double   low, high;  /* of a histogram             */
    bool     chosen;     /* these synapses, not all    */
    int64_t *synapses;   /* [n_columns]                */
    char    *variable;
} asked;

static rv_status visit_asked(visitor *v, int k, asked *a)
{
    TRY(visit_int(v, AT("probes/%d/kind", k), &a->kind, RV_PROBE_STATE, RV_PROBE_HISTOGRAM));
    TRY(visit_int(v, AT("probes/%d/projection", k), &a->projection, -1, INT32_MAX - 1));
    TRY(visit_values(v, AT("probes/%d/range", k), CHECKPOINT_I64, a->range, 4));
    TRY(visit_int64(v, AT("probes/%d/interval", k), &a->interval, 1, INT64_C(9000000000000000)));
    TRY(visit_text(v, AT("probes/%d/variable", k), &a->variable));
    if (a->kind == RV_PROBE_HISTOGRAM) {
        TRY(visit_int64(v, AT("probes/%d/n_bins", k), &a->n_columns, 1, INT32_MAX));
        TRY(visit_double(v, AT("probes/%d/low", k), &a->low));
        TRY(visit_double(v, AT("probes/%d/high", k), &a->high));
    }
    if (a->kind != RV_PROBE_WEIGHTS) return RV_OK;
    TRY(visit_bool(v, AT("probes/%d/chosen", k), &a->chosen));
    return a->chosen ? visit_list(v, AT("probes/%d/synapses", k), CHECKPOINT_I64, &a->synapses, &a->n_columns, INT64_MAX / 16) : RV_OK;
}

static rv_synapse_sample sample_of(const asked *a, double interval)
{
    bool histogram = a->kind == RV_PROBE_HISTOGRAM;
    return (rv_synapse_sample){ .variable = a->variable, .interval_ms = interval, .synapses = a->synapses, .n_synapses = a->chosen ? a->n_columns : 0,
                                .low = a->low, .high = a->high, .bins = histogram ? (int)a->n_columns : 0 };
}

static rv_status make_probe(rv_net *net, const asked *a)
{
    double   interval = (double)a->interval * net->def.resolution;
    rv_slice slice = { { a->range[0] >= 0 && a->range[0] < net->def.n_populations ? (int32_t)a->range[0] + 1 : 0 }, a->range[1], a->range[2], a->range[3] };
    if (a->kind == RV_PROBE_STATE) return rv_record_state(net, slice, a->variable, interval, NULL);
    if (a->kind == RV_PROBE_RATE) return rv_record_rate(net, slice.population, interval, NULL);
    rv_synapse_sample sample = sample_of(a, interval);
    return rv_record_synapses(net, (rv_projection){ a->projection + 1 }, &sample, NULL);
}

/* A probe just made stands at the present; columns have been sampled up to it. */
static rv_status visit_position(visitor *v, rv_net *net, int k)
{
    probe  *p = net->probe[k];
    int64_t step = net->state->step, far = step + p->interval;
    TRY(visit_int64(v, AT("probes/%d/first", k), &p->first, 0, far));
    TRY(visit_int64(v, AT("probes/%d/count", k), &p->count, 0, VISIT_MOST));
    TRY(visit_int64(v, AT("probes/%d/bin_end", k), &p->bin_end, 0, far));
    if (!v->loading) return RV_OK;
    if ((p->kind == RV_PROBE_STATE && p->first < 1) || (p->projection >= 0 && p->first < step) || (p->kind == RV_PROBE_RATE && p->bin_end < step))
        return visit_damaged(v, AT("probes/%d/first", k), "is %lld at step %lld", (long long)p->first, (long long)step);
    double next = (double)(step < p->first ? p->first : p->first + ((step - p->first) / p->interval + 1) * p->interval);
    for (int t = 0; p->column && t < net->net->n_tiles; t++)
        for (int64_t c = 0; c < p->n_column[t]; c++) p->column[t][c].next = next;
    return RV_OK;
}

static rv_status visit_samples(visitor *v, rv_net *net, int k)
{
    probe *p = net->probe[k];
    TRY(visit_spool(v, AT("probes/%d/times", k), &p->times));
    TRY(visit_spool(v, AT("probes/%d/values", k), &p->values));
    if (p->n_columns > 0 && p->times.n != p->values.n) return visit_damaged(v, AT("probes/%d/values", k), "has %lld rows for %lld times", (long long)p->values.n, (long long)p->times.n);
    p->values.n = p->times.n; /* of rows without columns nothing is in the file */
    return RV_OK;
}

static const char *name_of_variable(const rv_net *net, const probe *p)
{
    if (p->kind == RV_PROBE_STATE) return net->def.population[p->range.population].model->table.states[p->variable].name;
    if (p->projection >= 0) return p->variable < 0 ? "weight" : net->def.projection[p->projection].plasticity->table.states[p->variable].name;
    return "";
}

static rv_status visit_probe(visitor *v, rv_net *net, int k)
{
    asked a = { 0 };
    if (!v->loading) {
        const probe *p = net->probe[k];
        a = (asked){ p->kind, p->projection, { p->range.population, p->range.first, p->range.count, p->range.stride }, p->interval, p->n_columns,
                     p->low, p->high, p->synapses != NULL, p->synapses, (char *)name_of_variable(net, p) };
    }
    rv_status status = visit_asked(v, k, &a);
    if (v->loading && status == RV_OK && (status = make_probe(net, &a)) != RV_OK)
        status = visit_damaged(v, AT("probes/%d", k), "cannot be made: %s", net->error.text);
    if (v->loading) free(a.variable), free(a.synapses);
    TRY(status);
    TRY(visit_position(v, net, k));
    return visit_samples(v, net, k);
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

rv_status visit_recording(visitor *v, rv_net *net)
{
    int n_probes = net->n_probes;
    TRY(visit_counts(v, "n_spikes", net->n_spikes, net->def.n_populations));
    for (int p = 0; p < net->def.n_populations; p++) TRY(visit_spikes(v, net, p));
    TRY(visit_int(v, "n_probes", &n_probes, 0, INT32_MAX));
    for (int k = 0; k < n_probes; k++) TRY(visit_probe(v, net, k));
    return RV_OK;
}
