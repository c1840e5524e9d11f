#include "sim/probes.h"

#include <math.h>
#include <stdlib.h>

#include "sim/error.h"
#include "sim/neuron.h"

/* ---- preparing ---------------------------------------------------------------------------------------------- */

static int64_t first_after(int64_t step, int64_t interval) { return (step / interval + 1) * interval; }

static rv_status add_column(probe *p, state *s, int64_t column)
{
    int64_t neuron = p->range.first + column * p->range.stride;
    int     population = p->range.population, local, t = network_locate(s->net, population, neuron, &local);
    int     i = local - s->net->tile[t].part[population].base;
    int64_t n = p->n_column[t];
    if ((n & (n - 1)) == 0) { /* grow at powers of two */
        probe_column *grown = realloc(p->column[t], (size_t)(n ? 2 * n : 1) * sizeof *grown);
        if (!grown) return RV_OUT_OF_MEMORY;
        p->column[t] = grown;
    }
    p->column[t][p->n_column[t]++] = (probe_column){ i, column, (double)p->first };
    part_state *ps = &s->tile[t].part[population];
    if (!ps->probed) ps->probed = calloc((size_t)ps->view.n + 1, 1);
    if (!ps->probed) return RV_OUT_OF_MEMORY;
    ps->probed[i] = 1;
    return RV_OK;
}

rv_status probe_open(probe *p, state *s, rv_error *error)
{
    size_t tiles = (unsigned)s->net->n_tiles;
    p->n_rows = s->net->longest_window / p->interval + 2; /* windows may grow again */
    p->column = calloc(tiles, sizeof *p->column);
    p->n_column = calloc(tiles, sizeof *p->n_column);
    for (int k = 0; k < 2; k++) p->rows[k] = malloc((size_t)(p->n_rows * p->n_columns) * sizeof(double) + 1);
    if (!p->column || !p->n_column || !p->rows[0] || !p->rows[1]) return error_memory(error, "a probe", (double)(p->n_rows * p->n_columns) * 16);
    p->first = first_after(s->step, p->interval);
    for (int64_t c = 0; c < p->n_columns; c++)
        if (add_column(p, s, c) != RV_OK) return error_memory(error, "a probe", 0);
    return RV_OK;
}

void probe_close(probe *p, int n_tiles)
{
    for (int t = 0; p->column && t < n_tiles; t++) free(p->column[t]);
    free(p->column);
    free(p->n_column);
    free(p->rows[0]);
    free(p->rows[1]);
    free(p->synapses);
    spool_close(&p->times);
    spool_close(&p->values);
}

/* Number of samples due up to a step. */
static int64_t samples_until(const probe *p, int64_t step) { return step < p->first ? 0 : (step - p->first) / p->interval + 1; }

/* ---- sampling ----------------------------------------------------------------------------------------------- */

/* The row of a sample among those of its window. */
static double *row_of(const probe *p, const tile_state *tile, int64_t step)
{
    int64_t row = samples_until(p, step) - samples_until(p, tile->window_begin) - 1;
    return p->rows[tile->parity] + row * p->n_columns;
}

static double value_at(const state *s, int t, int population, int i, int variable, double time)
{
    const part_state *ps = &s->tile[t].part[population];
    const rv_model   *m = model_of(s, population);
    bool              swept = s->net->def->timing == RV_GRID && !ps->jumping;
    if (swept || !m->carry || ps->last[i] >= time) return ps->view.state[variable][i];
    double states[RV_MAX_STATES], constants[RV_MAX_CONSTANTS];
    neuron_load(ps, m, i, states, constants);
    m->carry(constants, states, neuron_current(ps, i), time - ps->last[i]);
    return states[variable];
}

void probes_sample(state *s, int t, int64_t step)
{
    for (int k = 0; k < s->n_probes; k++) {
        probe *p = s->probe[k];
        if (step < p->first || (step - p->first) % p->interval != 0) continue;
        double *row = row_of(p, &s->tile[t], step);
        for (int64_t c = 0; c < p->n_column[t]; c++)
            row[p->column[t][c].column] = value_at(s, t, p->range.population, p->column[t][c].neuron, p->variable, (double)step);
    }
}

static void sample_column(state *s, int t, const probe *p, probe_column *c, double until)
{
    for (; c->next <= until; c->next += (double)p->interval)
        row_of(p, &s->tile[t], (int64_t)c->next)[c->column] = value_at(s, t, p->range.population, c->neuron, p->variable, c->next);
}

/* The columns of a tile are in the order of its neurons. */
void probes_sample_neuron(state *s, int t, int population, int i, double until)
{
    for (int k = 0; k < s->n_probes; k++) {
        probe *p = s->probe[k];
        if (p->range.population != population) continue;
        int64_t low = 0, high = p->n_column[t];
        while (low < high) {
            int64_t middle = (low + high) / 2;
            if (p->column[t][middle].neuron < i) low = middle + 1;
            else high = middle;
        }
        if (low < p->n_column[t] && p->column[t][low].neuron == i) sample_column(s, t, p, &p->column[t][low], until);
    }
}

void probes_sample_rest(state *s, int t, int level, int64_t to)
{
    for (int k = 0; k < s->n_probes; k++) {
        probe *p = s->probe[k];
        if (s->net->population[p->range.population].level != level) continue;
        for (int64_t c = 0; c < p->n_column[t]; c++) sample_column(s, t, p, &p->column[t][c], (double)to);
    }
}

/* ---- keeping ------------------------------------------------------------------------------------------------ */

void probe_keep(probe *p, state *s, int parity, int64_t from, int64_t to)
{
    int64_t before = samples_until(p, from), n = samples_until(p, to) - before;
    if (!p->watch) spool_append(&p->values, p->rows[parity], n);
    for (int64_t k = 0; k < n; k++) {
        double time = (double)(p->first + (before + k) * p->interval) * s->net->def->resolution;
        if (p->watch) p->watch(p->watch_user, time, p->rows[parity][k]);
        else spool_append(&p->times, &time, 1);
    }
}

/* A bin covers (begin, end] on the grid and [begin, end) in exact timing; its sample has the time of its end. */
static void close_bins(probe *p, const state *s, double time, bool inclusive)
{
    while (inclusive ? time >= (double)p->bin_end : time > (double)p->bin_end) {
        double h = s->net->def->resolution, n = (double)s->net->def->population[p->range.population].n;
        double end = (double)p->bin_end * h, rate = (double)p->count / (n * (double)p->interval * h) * 1000;
        spool_append(&p->times, &end, 1);
        spool_append(&p->values, &rate, 1);
        p->bin_end += p->interval;
        p->count = 0;
    }
}

void probe_count_spike(probe *p, const state *s, double time, uint32_t multiplicity)
{
    close_bins(p, s, time, s->net->def->timing == RV_EXACT);
    p->count += multiplicity;
}

void probe_keep_rates(probe *p, const state *s, int64_t to) { close_bins(p, s, (double)to, true); }

rv_status probe_keep_weights(probe *p, const double *weights, double time_ms)
{
    spool_append(&p->values, weights, 1);
    spool_append(&p->times, &time_ms, 1);
    return p->values.failed || p->times.failed ? RV_OUT_OF_MEMORY : RV_OK;
}
