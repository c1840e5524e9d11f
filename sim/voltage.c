#include "sim/voltage.h"

#include <math.h>
#include <string.h>

#include "sim/memory.h"

static size_t filtered_bytes(const voltage *v) { return (size_t)(v->delay + 1) * RV_MAX_FILTERED * (size_t)v->n * sizeof(double); }
static size_t ltd_bytes(const voltage *v) { return (size_t)v->n_steps * (size_t)v->n * sizeof(double); }

bool voltage_open(voltage *v, const rv_rule *rule, const double *c, double h, int n, int64_t n_steps)
{
    *v = (voltage){ .step = -1, .n = n, .delay = (int64_t)rint(rule->voltage_delay(c) / h), .n_steps = n_steps };
    v->V_m = memory_new((size_t)n * sizeof(double)), v->ltp = memory_new((size_t)n * sizeof(double));
    v->filtered = memory_new(filtered_bytes(v)), v->ltd = memory_new(ltd_bytes(v));
    return v->V_m && v->ltp && v->filtered && v->ltd;
}

void voltage_close(voltage *v)
{
    memory_free(v->V_m, (size_t)v->n * sizeof(double)), memory_free(v->ltp, (size_t)v->n * sizeof(double));
    memory_free(v->filtered, filtered_bytes(v)), memory_free(v->ltd, ltd_bytes(v));
    *v = (voltage){ 0 };
}

bool voltage_reserve(voltage *v, int64_t n_steps)
{
    voltage grown = *v;
    if (n_steps <= v->n_steps) return true;
    grown.n_steps = n_steps;
    if (!(grown.ltd = memory_new(ltd_bytes(&grown)))) return false;
    for (int64_t step = v->step; step > 0 && step > v->step - v->n_steps; step--)
        memcpy(grown.ltd + step % n_steps * v->n, v->ltd + step % v->n_steps * v->n, (size_t)v->n * sizeof(double));
    memory_free(v->ltd, ltd_bytes(v));
    *v = grown;
    return true;
}

static void row_of(const voltage *v, int64_t step, double *row[RV_MAX_FILTERED])
{
    double *all = v->filtered + step % (v->delay + 1) * RV_MAX_FILTERED * v->n;
    for (int k = 0; k < RV_MAX_FILTERED; k++) row[k] = all + (int64_t)k * v->n;
}

/* As if V_m had been what it is for ever. */
static void begin(voltage *v, const rv_rule *rule, const double *c, const double *V_m, int64_t step)
{
    double *row[RV_MAX_FILTERED];
    for (int64_t at = step; at <= step + v->delay; at++) {
        row_of(v, at, row);
        rule->voltage_begin(c, v->n, V_m, row);
    }
    memcpy(v->V_m, V_m, (size_t)v->n * sizeof *V_m);
}

const double *voltage_step(voltage *v, const rv_rule *rule, const double *c, double h, const double *V_m, int64_t step)
{
    double *before[RV_MAX_FILTERED], *now[RV_MAX_FILTERED], *late[RV_MAX_FILTERED];
    if (v->step < 0) begin(v, rule, c, V_m, step - 1);
    row_of(v, step - 1, before), row_of(v, step, now), row_of(v, step + 1, late); /* delay steps ago: the oldest row */
    for (int k = 0; k < RV_MAX_FILTERED && v->delay > 0; k++) memcpy(now[k], before[k], (size_t)v->n * sizeof(double));
    rule->voltage_filter(c, h, v->n, v->V_m, now);
    if (v->delay == 0) memcpy(late, now, sizeof late);
    rule->voltage_change(c, h, v->n, V_m, now, late, v->ltp, v->ltd + step % v->n_steps * v->n);
    memcpy(v->V_m, V_m, (size_t)v->n * sizeof *V_m);
    v->step = step;
    return v->ltp;
}

double voltage_depression(const voltage *v, int neuron, double step)
{
    int64_t at = (int64_t)rint(fmin(step, (double)v->step));
    return at <= 0 || at <= v->step - v->n_steps ? 0 : v->ltd[at % v->n_steps * v->n + neuron];
}
