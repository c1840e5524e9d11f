/* Learning rules for the chip. Loihi's learning engine computes sums of products in integers: weights of -256..255, traces of
 * 0..127, scales m 2^e with m = -8..7 and e = -7..8 (hw/loihi_learning.c). A rule that is a sum of products in the model's units
 * becomes one on the chip when each symbol is given a unit: with w' = a w, x1' = b x1
 *
 *   dw  = s x0 (w + c) x1     ->     dw' = a s / (a b) x0 (w' + a c) x1'
 *
 * and the scale is what is rounded. The units of traces are free: their impulses, whole numbers, are chosen so that impulse
 * times scale comes nearest to what it should be. Pair-based STDP without powers of the weight is such a sum (x1, y1: traces
 * that grow by 1 at a spike of the source, the target; all pairs):
 *
 *   additive        dw = lambda Wmax y0 x1 - alpha lambda Wmax x0 y1
 *   multiplicative  dw = lambda (Wmax - w) y0 x1 - alpha lambda w x0 y1
 *
 * The chip compares spikes as they are emitted. Where the model lets a part of the delay come between, the lag of all pairs is
 * longer by some constant; for all pairs but those of less than that lag, a factor of the scale does the same. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/loihi_learning.h"
#include "hw/quantise_internal.h"
#include "sim/tables.h"

#define HIGHEST_WEIGHT   255.0
#define HIGHEST_TRACE    127.0
#define UNKNOWN_RATE     50.0 /* Hz, of neurons that were not measured, for how high a trace rises                */
#define LEAST_RATE       10.0 /* Hz, for those that were measured                                                 */
#define HEADROOM         4.0  /* of weights without bounds: how far they may grow                                 */
#define TAG_OF_ONE_EVENT 96.0 /* of 255: there is room for some events more                                       */
#define FREEZE           "; or the option freeze, which takes the weights as they are now"

/* ---- what the rule is ------------------------------------------------------------------------------------------- */

static const char *label(const plan *q, const projection_plan *j, char text[OBJECT_TEXT]) { return definition_projection_label(q->d, j->def, text); }

static double param(const projection_plan *j, const char *name) { return j->def->param[table_param(&j->def->plasticity->table, name)]; }

static rv_status refuse(const plan *q, const projection_plan *j, const char *why)
{
    char text[OBJECT_TEXT];
    return error_set(q->error, RV_CONFLICT, "%s: plasticity \"%s\" on %s: %s" FREEZE, label(q, j, text), j->def->plasticity->table.name, q->chip.name, why);
}

static rv_status refuse_power(const plan *q, const projection_plan *j, const char *name)
{
    char   text[OBJECT_TEXT];
    double mu = param(j, name);
    return error_set(q->error, RV_CONFLICT,
                     "%s: plasticity \"%s\" with %s = %g: the chip's rules are sums of products, without powers; allowed are 0 (additive) and 1 (multiplicative), the nearer is %d" FREEZE,
                     label(q, j, text), j->def->plasticity->table.name, name, mu, mu > 0.5);
}

static rv_status add_product(const plan *q, rule_products *sum, rule_product p)
{
    rule_product *more = realloc(sum->product, (size_t)(sum->n + 1) * sizeof *more);
    if (!more) return error_memory(q->error, "a learning rule", 0);
    sum->product = more, more[sum->n++] = p;
    return RV_OK;
}

/* The part of a delay that comes between a pair: all of it at the target's side makes the lag longer. */
static double mean_lag(const projection_plan *j)
{
    double delay = 0;
    for (int64_t k = 0; k < j->n; k++) delay += j->delay[k] / (double)j->n;
    return (2 * param(j, "dendritic_fraction") - 1) * delay;
}

static rv_status read_stdp(const plan *q, projection_plan *j)
{
    learning_plan *l = j->learning;
    double         plus = param(j, "mu_plus"), minus = param(j, "mu_minus"), lambda = param(j, "lambda"), highest = param(j, "Wmax");
    if (plus != 0 && plus != 1) return refuse_power(q, j, "mu_plus");
    if (minus != 0 && minus != 1) return refuse_power(q, j, "mu_minus");
    l->lag = mean_lag(j), l->e.t_epoch = 1;
    l->e.impulse[EPOCH_X1] = l->e.impulse[EPOCH_Y1] = 1;
    l->e.tau[EPOCH_X1] = param(j, "tau_plus") / q->h, l->e.tau[EPOCH_Y1] = param(j, "tau_minus") / q->h;
    rule_product up = { .when = WHEN_Y0, .mantissa = lambda * exp(-l->lag / param(j, "tau_plus")), .n_factors = 1, .factor = { { .symbol = SYMBOL_X1 } } };
    rule_product down = { .when = WHEN_X0, .mantissa = -param(j, "alpha") * lambda * exp(l->lag / param(j, "tau_minus")), .n_factors = 1, .factor = { { .symbol = SYMBOL_Y1 } } };
    if (plus == 0) up.mantissa *= highest;
    else up.mantissa *= -1, up.factor[up.n_factors++] = (rule_factor){ .symbol = SYMBOL_W, .constant = -highest };
    if (minus == 0) down.mantissa *= highest;
    else down.factor[down.n_factors++] = (rule_factor){ .symbol = SYMBOL_W };
    if (up.mantissa != 0) TRY(add_product(q, &l->sum[EPOCH_W], up));
    return down.mantissa != 0 ? add_product(q, &l->sum[EPOCH_W], down) : RV_OK;
}

static rv_status read_epochs(const plan *q, projection_plan *j)
{
    static const char *const names[] = { "dw", "dt", "dd" };
    learning_plan           *l = j->learning;
    char                     text[OBJECT_TEXT], what[OBJECT_TEXT + 8];
    double                   h = rv_resolution(q->net);
    if (fabs(q->h / h - 1) > 1e-9)
        return error_set(q->error, RV_CONFLICT, "%s: plasticity \"%s\" is defined in steps, here of %g ms; allowed is step = %g, not %g" FREEZE, label(q, j, text),
                         j->def->plasticity->table.name, h, h, q->h);
    j->def->plasticity->epochs(j->def->param, j->def->text, &l->e);
    if (l->e.graded) return refuse(q, j, "adds numbers that spikes carry to x1 (graded_spike_cfg), and neurons of the chip that are quantised send none");
    for (int v = 0; v < N_EPOCH_VARIABLES; v++) {
        snprintf(what, sizeof what, "%s: %s", label(q, j, text), names[v]);
        if (l->e.text[v] && *l->e.text[v]) TRY(products_parse(l->e.text[v], what, &l->sum[v], q->error));
    }
    return RV_OK;
}

/* The signs that weights may have follow from their bounds; all bits learn. */
static void read_bounds(projection_plan *j)
{
    learning_plan *l = j->learning;
    double         p_low = -INFINITY, p_high = INFINITY;
    j->def->plasticity->bounds(j->def->param, &p_low, &p_high);
    l->low = p_low, l->high = p_high;
    j->sign = l->low >= 0 ? FIXED_EXCITATORY : l->high <= 0 ? FIXED_INHIBITORY : FIXED_MIXED;
    j->bits = j->sign == FIXED_MIXED ? 9 : 8;
}

rv_status quantise_read_rule(const plan *q, projection_plan *j)
{
    const rv_rule *rule = j->def->plasticity;
    if (q->loihi1) return refuse(q, j, "how it learns is known here for loihi2 only; allowed are static synapses, or chip = loihi2");
    if (q->options.netx) return refuse(q, j, "netx files hold no learning; allowed are static synapses");
    if (!j->integers) return refuse(q, j, "its target is no neuron of the chip; allowed are leaky integrate-and-fire neurons");
    if (!rule->epochs && strcmp(rule->table.name, "stdp") != 0)
        return refuse(q, j, "it is no sum of products of traces and the weight; the nearest are stdp with mu_plus and mu_minus of 0 or 1, and loihi_rule");
    if (!(j->learning = calloc(1, sizeof *j->learning))) return error_memory(q->error, "a learning rule", 0);
    read_bounds(j);
    return rule->epochs ? read_epochs(q, j) : read_stdp(q, j);
}

void quantise_free_rule(learning_plan *l)
{
    for (int v = 0; l && v < N_EPOCH_VARIABLES; v++) products_free(&l->sum[v]), free(l->text[v]);
    free(l);
}

double quantise_highest(const projection_plan *j, double now)
{
    const learning_plan *l = j->learning;
    double               bound = 0;
    if (!l) return now;
    if (isfinite(l->low)) bound = fabs(l->low);
    if (isfinite(l->high)) bound = larger(bound, fabs(l->high));
    return j->sign == FIXED_MIXED && !(isfinite(l->low) && isfinite(l->high)) ? larger(bound, HEADROOM * now) : bound > 0 ? bound : HEADROOM * now;
}

/* ---- units ------------------------------------------------------------------------------------------------------ */

static const rule_symbol trace_symbols[N_EPOCH_TRACES] = { SYMBOL_X1, SYMBOL_X2, SYMBOL_Y1, SYMBOL_Y2, SYMBOL_Y3 };

/* One rule for all synapses: the same weight must be the same integer at all targets, whatever its sign. */
static rv_status unit_of_weight(const plan *q, projection_plan *j)
{
    const population_plan *p = &q->population[j->def->target.population];
    int                    side = j->sign == FIXED_INHIBITORY ? IN : EX;
    double                 gain = p->gain[side][j->def->target.first];
    for (int64_t i = 0; i < j->def->target.count; i++) {
        int64_t neuron = range_neuron(&j->def->target, i);
        if (p->gain[side][neuron] == gain && (j->sign != FIXED_MIXED || p->gain[IN][neuron] == gain)) continue;
        return refuse(q, j, "weights of the same size are different integers, since its targets differ in tau_m, tau_syn or C_m (or in those of excitation and inhibition, for weights of "
                            "both signs), and one rule cannot learn them alike; allowed are equal ones");
    }
    j->learning->unit[SYMBOL_W] = p->scale / FIXED_SHIFT * gain / ldexp(1, j->exponent);
    return RV_OK;
}

/* The scale of a product in the units chosen, before it is rounded; and the constants of its factors. */
static double scale_of(const learning_plan *l, int v, const rule_product *p)
{
    double scale = ldexp(p->mantissa, p->exponent) * l->unit[SYMBOL_W + v] * ldexp(1, loihi_product_shift(p));
    for (int k = 0; k < p->n_factors; k++)
        if (!p->factor[k].sign) scale /= l->unit[p->factor[k].symbol];
    return scale;
}

/* The nearest scale the chip has; with the largest mantissa, since low bits of products are lost otherwise. @return relative error */
static double round_scale(double scale, int *mantissa, int *exponent)
{
    for (*exponent = -7; *exponent <= 8; ++*exponent) {
        double m = rint(ldexp(scale, -*exponent));
        if (m < -8 || m > 7) continue;
        *mantissa = (int)m;
        return scale == 0 ? 0 : fabs(ldexp(m, *exponent) / scale - 1);
    }
    *mantissa = 0;
    return INFINITY;
}

/* Tags and delay variables count in powers of two of the model's, so that one event fills a part of their range. */
static void choose_tag(learning_plan *l, int v)
{
    double peak = 0;
    l->unit[SYMBOL_W + v] = 1;
    for (int i = 0; i < l->sum[v].n; i++) {
        const rule_product *p = &l->sum[v].product[i];
        double              change = scale_of(l, v, p) / ldexp(1, loihi_product_shift(p));
        for (int k = 0; k < p->n_factors; k++) {
            const rule_factor *f = &p->factor[k];
            if (f->symbol == (rule_symbol)(SYMBOL_W + v)) change = 0; /* it changes with the unit, as the sum does */
            else if (f->symbol == SYMBOL_W) change *= HIGHEST_WEIGHT;
            for (int t = 0; t < N_EPOCH_TRACES && !f->sign; t++)
                if (f->symbol == trace_symbols[t]) change *= larger(l->impulse[t], 1);
        }
        peak = larger(peak, fabs(change));
    }
    if (peak > 0) l->unit[SYMBOL_W + v] = exp2(floor(log2(TAG_OF_ONE_EVENT / peak)));
}

/* How far the scales are from what they should be, with these impulses; small impulses make coarse traces. */
static double cost_of(learning_plan *l)
{
    double cost = 0;
    l->error_sum = l->error_max = 0, l->n_products = 0;
    for (int t = 0; t < N_EPOCH_TRACES; t++) {
        bool counts = l->e.impulse[t] > 0;
        l->unit[trace_symbols[t]] = counts ? l->impulse[t] / l->e.impulse[t] : 1; /* what is set from outside stays as it is */
        if (counts) cost += 0.01 / (l->impulse[t] * l->impulse[t]);
    }
    choose_tag(l, EPOCH_T), choose_tag(l, EPOCH_D);
    for (int v = 0; v < N_EPOCH_VARIABLES; v++)
        for (int i = 0; i < l->sum[v].n; i++) {
            int    mantissa, exponent;
            double e = smaller(round_scale(scale_of(l, v, &l->sum[v].product[i]), &mantissa, &exponent), 1e9);
            cost += e * e, l->error_sum += e, l->error_max = larger(l->error_max, e), l->n_products++;
        }
    return cost;
}

/* The impulse with which a trace seldom reaches its limit: spikes that come at a high rate add to what is left of those before. */
static double highest_impulse(const plan *q, const projection_plan *j, int trace)
{
    int    population = trace < N_EPOCH_X ? j->def->source.population : j->def->target.population;
    double rate = q->population[population].rate, high = isnan(rate) ? UNKNOWN_RATE : larger(3 * rate, LEAST_RATE);
    double load = high * j->learning->e.tau[trace] * q->h * 1e-3;
    return larger(floor(HIGHEST_TRACE / (1 + load + 2 * sqrt(load / 2))), 1);
}

/* One trace after the other, until nothing becomes better. */
static void choose_impulses(const plan *q, projection_plan *j)
{
    learning_plan *l = j->learning;
    double         most[N_EPOCH_TRACES];
    for (int t = 0; t < N_EPOCH_TRACES; t++) l->impulse[t] = most[t] = l->e.impulse[t] > 0 ? highest_impulse(q, j, t) : 0;
    for (double before = INFINITY, cost = cost_of(l); cost < before;) {
        before = cost;
        for (int t = 0; t < N_EPOCH_TRACES; t++) {
            double best = l->impulse[t];
            for (double x = most[t]; x >= 1; x--) {
                l->impulse[t] = x;
                double c = cost_of(l);
                if (c < cost) cost = c, best = x;
            }
            l->impulse[t] = best;
        }
    }
    cost_of(l);
}

/* ---- in the chip's words ---------------------------------------------------------------------------------------- */

static rv_status write_factor(const plan *q, const projection_plan *j, const rule_factor *f, FILE *out)
{
    static const char *const names[] = { "x0", "y0", "x1", "x2", "y1", "y2", "y3", "w", "t", "d" };
    double                   c = rint(f->constant * j->learning->unit[f->symbol]);
    if (fabs(c) > loihi_factor_limit(f->symbol)) return refuse(q, j, "a constant beside a trace or a weight is larger than the chip's range of it");
    fprintf(out, f->sign ? "*sgn(%s" : c != 0 ? "*(%s" : "*%s", names[f->symbol]);
    if (c != 0) fprintf(out, " %c %.0f", c < 0 ? '-' : '+', fabs(c));
    if (f->sign || c != 0) fputc(')', out);
    return RV_OK;
}

static rv_status write_product(const plan *q, const projection_plan *j, int v, const rule_product *p, FILE *out)
{
    static const char *const variables[] = { "dw", "dt", "dd" };
    int                      mantissa, exponent;
    char                     text[OBJECT_TEXT];
    double                   scale = scale_of(j->learning, v, p), error = round_scale(scale, &mantissa, &exponent);
    if (scale != 0 && (mantissa == 0 || !isfinite(error)))
        return error_set(q->error, RV_OUT_OF_RANGE,
                         "%s: plasticity \"%s\": product %d of %s would need a scale of %.3g on %s, allowed 2^-7 to 7 2^8; a %s learning rate would do" FREEZE, label(q, j, text),
                         j->def->plasticity->table.name, (int)(p - j->learning->sum[v].product) + 1, variables[v], scale, q->chip.name, mantissa == 0 && isfinite(error) ? "higher" : "lower");
    if (v == EPOCH_W && loihi_product_shift(p) > 0) j->learning->lost = larger(j->learning->lost, 0.5 * ldexp(1, exponent)); /* shifted right, rounded down */
    fprintf(out, "(%d)*2^%d", mantissa, exponent);
    if (p->when == WHEN_U) fprintf(out, "*u%d", p->k);
    else fputs(p->when == WHEN_X0 ? "*x0" : "*y0", out);
    for (int k = 0; k < p->n_factors; k++) TRY(write_factor(q, j, &p->factor[k], out));
    return RV_OK;
}

static rv_status write_sum(const plan *q, projection_plan *j, int v)
{
    learning_plan       *l = j->learning;
    const rule_products *sum = &l->sum[v];
    size_t               length;
    rv_status            status = RV_OK;
    FILE                *out = open_memstream(&l->text[v], &length);
    if (!out) return error_memory(q->error, "a learning rule", 0);
    for (int i = 0; i < sum->n && status == RV_OK; i++) {
        if (i > 0) fputs(" + ", out);
        status = write_product(q, j, v, &sum->product[i], out);
    }
    return fclose(out) == 0 || status != RV_OK ? status : error_memory(q->error, "a learning rule", 0);
}

rv_status quantise_rule(const plan *q, projection_plan *j)
{
    learning_plan *l = j->learning;
    for (int s = 0; s < N_RULE_SYMBOLS; s++) l->unit[s] = 1;
    if (j->def->target.count > 0) TRY(unit_of_weight(q, j));
    choose_impulses(q, j);
    for (int v = 0; v < N_EPOCH_VARIABLES; v++)
        if (l->sum[v].n > 0) TRY(write_sum(q, j, v));
    return RV_OK;
}
