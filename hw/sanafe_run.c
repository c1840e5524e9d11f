/* SANA-FE's neurons (src/models.cpp there, sanafe.md section 5): what is sent at step t arrives at t + 1 + delay.
 *
 *   but in the first step:  u = u input_decay;  v = v leak_decay
 *   v cut toward zero to a multiple of 1/64;  v += bias;  u += input;  v += u;  v > threshold: spike, v = reset */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/sanafe.h"
#include "sim/error.h"

enum { SLOTS = SANAFE_LONGEST_DELAY + 2 };

typedef struct running {
    const sanafe_net *s;
    int64_t          *row;                  /* [n_neurons + 1] first edge of each      */
    double           *u, *v;                /* [n_neurons]                             */
    double           *input;                /* [SLOTS][n_neurons] by step modulo SLOTS */
    bool             *arrived;              /* likewise: whether anything came         */
    int64_t          *next;                 /* [n_neurons] next spike of an input      */
    bool             *fired, *updated;      /* [n_neurons]                             */
} running;

static rv_status start(running *r, const sanafe_net *s, rv_error *error)
{
    size_t n = (size_t)s->n_neurons + 1;
    *r = (running){ s, calloc(n + 1, sizeof *r->row), calloc(n, sizeof *r->u), calloc(n, sizeof *r->v), calloc(SLOTS * n, sizeof *r->input),
                    calloc(SLOTS * n, sizeof *r->arrived), calloc(n, sizeof *r->next), calloc(n, sizeof *r->fired), calloc(n, sizeof *r->updated) };
    if (!r->row || !r->u || !r->v || !r->input || !r->arrived || !r->next || !r->fired || !r->updated) return error_memory(error, "neurons", (double)n * 140);
    for (int64_t k = 0; k < s->n_edges; k++) r->row[s->edge[k].source + 1]++;
    for (int64_t j = 0; j < s->n_neurons; j++) r->row[j + 1] += r->row[j];
    return RV_OK;
}

static void step_input(running *r, int64_t j, int64_t step)
{
    const sanafe_neuron *n = &r->s->neuron[j];
    r->fired[j] = r->updated[j] = r->next[j] < n->n_spikes && r->s->spike[n->first_spike + r->next[j]] == step;
    r->next[j] += r->fired[j];
}

static void step_neuron(running *r, int64_t j, int64_t step)
{
    const sanafe_neuron *n = &r->s->neuron[j];
    int64_t              at = step % SLOTS * r->s->n_neurons + j;
    r->updated[j] = r->v[j] != 0 || n->bias != 0 || r->arrived[at];
    if (step > 1) r->u[j] *= n->input_decay, r->v[j] *= n->leak_decay;
    r->v[j] = trunc(r->v[j] * 64) / 64 + n->bias;
    r->u[j] += r->input[at];
    r->v[j] += r->u[j];
    r->fired[j] = r->v[j] > n->threshold;
    if (r->fired[j]) r->v[j] = n->reset, r->updated[j] = true;
    r->input[at] = 0, r->arrived[at] = false;
}

static void send(running *r, int64_t j, int64_t step)
{
    for (int64_t k = r->row[j]; k < r->row[j + 1]; k++) {
        const sanafe_edge *e = &r->s->edge[k];
        int64_t            at = (step + 1 + e->delay) % SLOTS * r->s->n_neurons + e->target;
        r->input[at] += e->weight, r->arrived[at] = true;
    }
}

rv_status sanafe_run(const sanafe_net *s, int64_t steps, sanafe_step_fn f, void *user, rv_error *error)
{
    running   r;
    rv_status status = start(&r, s, error);
    for (int64_t step = 1; step <= steps && status == RV_OK; step++) {
        for (int64_t j = 0; j < s->n_neurons; j++)
            if (s->neuron[j].input) step_input(&r, j, step);
            else step_neuron(&r, j, step);
        for (int64_t j = 0; j < s->n_neurons; j++)
            if (r.fired[j]) send(&r, j, step);
        f(user, step, r.fired, r.updated);
    }
    free(r.row), free(r.u), free(r.v), free(r.input), free(r.arrived), free(r.next), free(r.fired), free(r.updated);
    return status;
}
