/* What quantising did to the network, in numbers and as text. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/graph.h"
#include "hw/quantise_internal.h"

/* ---- errors ----------------------------------------------------------------------------------------------------- */

typedef struct tally {
    double  sum, max;
    int64_t n;
} tally;

static void add_error(tally *t, double got, double wanted)
{
    if (wanted == 0 || !isfinite(wanted)) return;
    double e = fabs(got / wanted - 1);
    t->sum += e, t->max = larger(t->max, e), t->n++;
}

static hw_error error_of(const tally *t) { return t->n ? (hw_error){ t->sum / (double)t->n, t->max } : (hw_error){ NAN, NAN }; }

static double rate_of_decay(double keep) { return keep > 0 ? -log(keep) : INFINITY; }

/* ---- populations ------------------------------------------------------------------------------------------------ */

/* The mean weight of one side that ends at a population, in units of V, and what it became; 0 if there is none. */
static void mean_weight(const plan *q, int population, int side, double *y, double *integer)
{
    double n = 0, sum = 0, quantised = 0;
    for (int k = 0; k < q->n_projections; k++) {
        const projection_plan *j = &q->projection[k];
        if (quantise_target(j)->population != population) continue;
        double each = j->n_sample ? (j->def ? (double)j->n : (double)quantise_target(j)->count) / (double)j->n_sample : 0;
        for (int64_t i = 0; i < j->n_sample; i++) {
            if ((j->y[i] < 0) != (side == IN) || j->y[i] == 0) continue;
            n += each, sum += each * j->y[i], quantised += each * quantise_weight(j, q->population[population].scale, j->y[i], NULL);
        }
    }
    *y = n > 0 ? sum / n : 0, *integer = n > 0 ? rint(quantised / n) : 0;
}

/* The potential that the chip's integers make of it, from rest, beside the true one. */
static double psp_error(const plan *q, int population, int side)
{
    enum { STEPS = 20000 };
    const population_plan *p = &q->population[population];
    const lif_cell        *c = &p->cell[0];
    double                 y, integer, error = 0, square = 0, v = 0;
    mean_weight(q, population, side, &y, &integer);
    if (y == 0 || p->gain[side][0] == 0) return NAN;
    double true_u = y * c->jump[side] / p->gain[side][0], true_v = 0, u = integer * FIXED_SHIFT;
    for (int k = 0; k < STEPS && (fabs(u) + fabs(v) > 0 || true_v * true_v > 1e-9 * square); k++) {
        v = fixed_decay(v, p->keep_v[0]) + u, u = fixed_decay(u, p->keep_u[0]);
        true_v = c->keep_v * true_v + true_u, true_u *= c->keep_u[side];
        error += (v / p->scale - true_v) * (v / p->scale - true_v), square += true_v * true_v;
    }
    return sqrt(error / square);
}

static void compare_cells(const plan *q, const population_plan *p, hw_population_report *r)
{
    tally   tau_m = { 0 }, tau_syn = { 0 }, threshold = { 0 }, bias = { 0 };
    double  vth = 0;
    for (int64_t i = 0; i < p->def->n; i++) {
        const lif_cell *c = &p->cell[i];
        double          mantissa = quantise_threshold(p, i), b = quantise_bias(p, i);
        add_error(&tau_m, rate_of_decay(p->keep_v[i] / FIXED_ONE), rate_of_decay(c->keep_v));
        for (int side = EX; side <= IN; side++)
            if (p->used[side] && c->keep_u[side] > 0) add_error(&tau_syn, rate_of_decay(p->keep_u[i] / FIXED_ONE), rate_of_decay(c->keep_u[side]));
        add_error(&threshold, mantissa * FIXED_SHIFT, p->scale * c->theta);
        add_error(&bias, ldexp(rint(ldexp(b, -p->bias_exp)), p->bias_exp), b);
        vth += mantissa / (double)p->def->n;
        if (q->loihi1 || c->hold == 0) continue;
        r->lost_refractory++, r->refractory_ms = larger(r->refractory_ms, c->hold * q->h);
    }
    r->tau_m = error_of(&tau_m), r->tau_syn = error_of(&tau_syn), r->threshold = error_of(&threshold), r->bias = error_of(&bias), r->vth_mean = vth;
}

static int64_t merged_spikes(const plan *q, const population_def *def)
{
    int64_t merged = 0;
    for (int64_t i = 0; def->spike_times && i < def->n; i++)
        for (int64_t k = 1; k < def->n_spike_times[i]; k++) merged += rint(def->spike_times[i][k] / q->h) == rint(def->spike_times[i][k - 1] / q->h);
    return merged;
}

static void report_population(const plan *q, int population, hw_population_report *r)
{
    const population_plan *p = &q->population[population];
    *r = (hw_population_report){ .from = p->def->model->table.name, .n = p->def->n, .tau_m = { NAN, NAN }, .tau_syn = { NAN, NAN }, .threshold = { NAN, NAN },
                                 .bias = { NAN, NAN }, .psp = { NAN, NAN }, .rate = { p->rate, NAN }, .highest_u = NAN };
    snprintf(r->name, sizeof r->name, "%s", p->def->name);
    r->to = p->cell ? q->loihi1 ? "loihi1_lif" : "loihi_lif" : r->from;
    r->merged = merged_spikes(q, p->def);
    if (!p->cell || p->def->n == 0) return;
    r->scale = p->scale;
    compare_cells(q, p, r);
    for (int side = EX; side <= IN; side++) r->psp[side] = psp_error(q, population, side);
}

/* ---- projections ------------------------------------------------------------------------------------------------ */

static double memory_of(const plan *q, const projection_plan *j, double longest)
{
    hw_format   format = { .weight_bits = j->bits, .delay_bits = longest > 1 ? (int)ceil(log2(longest)) : 0 };
    hw_encoding e = hw_encoding_of(&q->chip, &format);
    return (double)j->n * (double)e.each;
}

/* What became of one synapse, or of all that are alike. */
static void add_weight(const plan *q, const projection_plan *j, int64_t k, int64_t target, int64_t count, hw_projection_report *r, tally *t, double sums[2])
{
    const population_plan *p = &q->population[quantise_target(j)->population];
    bool                   saturated;
    double                 y = j->weight[k] * p->gain[j->weight[k] < 0 ? IN : EX][target];
    double                 got = quantise_weight(j, p->scale, y, &saturated) * FIXED_SHIFT / p->scale;
    r->saturated += saturated ? count : 0, r->zeroed += y != 0 && got == 0 ? count : 0;
    sums[0] += got * (double)count, sums[1] += y * (double)count;
    add_error(t, got, y);
}

static void compare_weights(const plan *q, const projection_plan *j, hw_projection_report *r)
{
    tally  t = { 0 };
    double sums[2] = { 0 };
    if (j->again && quantise_target(j)->count > 0) add_weight(q, j, 0, quantise_target(j)->first, j->def ? j->n : 1, r, &t, sums);
    for (int64_t k = 0; k < j->n && !j->again; k++) add_weight(q, j, k, j->target[k], 1, r, &t, sums);
    r->weight = error_of(&t), r->drive = sums[1] != 0 ? sums[0] / sums[1] - 1 : 0;
    r->weight_exp = j->exponent, r->bits = j->bits, r->sign = fixed_sign_names[j->sign];
}

static void compare_delays(const plan *q, const projection_plan *j, hw_projection_report *r)
{
    double longest = 0;
    for (int64_t k = 0; k < (j->again ? 1 : j->n); k++) {
        double steps = quantise_delay(q, j, j->delay[k]), change = fabs((steps - q->population[j->def->target.population].late) * q->h - j->delay[k]);
        longest = larger(longest, steps);
        if (change <= 1e-9 * q->h) continue;
        r->delays_changed += j->again ? j->n : 1, r->delay_change = larger(r->delay_change, change);
    }
    r->memory_bits = memory_of(q, j, longest);
}

static rv_status report_learning(const plan *q, const projection_plan *j, hw_learning_report *r)
{
    const learning_plan *l = j->learning;
    double               mean = l->n_products ? l->error_sum / l->n_products : NAN;
    *r = (hw_learning_report){ .rule = j->def->plasticity->table.name, .t_epoch = l->e.t_epoch, .scale = { mean, l->n_products ? l->error_max : NAN }, .low = l->low, .high = l->high,
                               .unit = l->unit[SYMBOL_W], .lag = l->lag, .lost = l->lost / l->unit[SYMBOL_W] };
    r->chip_high = j->sign == FIXED_INHIBITORY ? 0 : 255 / r->unit;
    r->chip_low = j->sign == FIXED_EXCITATORY ? 0 : -(j->sign == FIXED_MIXED ? 256 : 255) / r->unit;
    memcpy(r->impulse, l->e.impulse, sizeof r->impulse), memcpy(r->tau, l->e.tau, sizeof r->tau), memcpy(r->chip_impulse, l->impulse, sizeof r->chip_impulse);
    for (int v = 0; v < N_EPOCH_VARIABLES; v++)
        if (l->text[v] && !(r->text[v] = strdup(l->text[v]))) return error_memory(q->error, "the report", 0);
    return RV_OK;
}

static rv_status report_projection(const plan *q, const projection_plan *j, hw_projection_report *r)
{
    *r = (hw_projection_report){ .chip = j->integers, .n_synapses = j->n, .pruned = j->pruned, .sign = "", .weight = { NAN, NAN } };
    if (j->def) definition_projection_label(q->d, j->def, r->label);
    else snprintf(r->label, sizeof r->label, "poisson input to \"%.100s\"", q->d->population[j->input->target.population].name);
    if (j->integers) compare_weights(q, j, r);
    if (j->def) compare_delays(q, j, r);
    return j->learning ? report_learning(q, j, &r->learning) : RV_OK;
}

rv_status quantise_report(const plan *q, hw_quantise_report *r)
{
    *r = (hw_quantise_report){ .bits = q->options.bits, .step_ms = q->h, .measure_ms = q->options.measure_ms, .n_populations = q->d->n_populations,
                               .n_projections = q->n_projections };
    snprintf(r->chip, sizeof r->chip, "%s", q->chip.name);
    r->population = calloc((size_t)r->n_populations + 1, sizeof *r->population), r->projection = calloc((size_t)r->n_projections + 1, sizeof *r->projection);
    if (!r->population || !r->projection) return error_memory(q->error, "the report", 0);
    for (int p = 0; p < r->n_populations; p++) report_population(q, p, &r->population[p]);
    for (int k = 0; k < r->n_projections; k++) {
        hw_projection_report *one = &r->projection[k];
        TRY(report_projection(q, &q->projection[k], one));
        if (!q->projection[k].def) continue;
        r->n_synapses += one->n_synapses, r->pruned += one->pruned, r->saturated += one->saturated, r->zeroed += one->zeroed;
        r->delays_changed += one->delays_changed, r->memory_bits += one->memory_bits;
    }
    return RV_OK;
}

void hw_quantise_report_free(hw_quantise_report *r)
{
    for (int k = 0; r->projection && k < r->n_projections; k++)
        for (int v = 0; v < N_EPOCH_VARIABLES; v++) free(r->projection[k].learning.text[v]);
    free(r->population), free(r->projection);
    *r = (hw_quantise_report){ 0 };
}

/* ---- as text ---------------------------------------------------------------------------------------------------- */

static void print_error(FILE *out, const char *name, hw_error e)
{
    if (isnan(e.mean)) return;
    if (e.max - e.mean <= 1e-9 + 1e-6 * e.max) fprintf(out, "    %-16s %8.3g %%\n", name, 100 * e.mean);
    else fprintf(out, "    %-16s %8.3g %% mean, %.3g %% at most\n", name, 100 * e.mean, 100 * e.max);
}

static void print_rates(FILE *out, const hw_population_report *r)
{
    if (isnan(r->rate[1])) return;
    fprintf(out, "    %-16s %8.3f Hz given, %.3f Hz quantised", "rate", r->rate[0], r->rate[1]);
    if (r->rate[0] > 0) fprintf(out, ": %+.2f %%", 100 * (r->rate[1] / r->rate[0] - 1));
    fputc('\n', out);
    if (!isnan(r->highest_u)) fprintf(out, "    %-16s %8.3g %% of where it wraps\n", "largest current", 100 * r->highest_u);
    if (r->highest_u > 0.9) fputs("    WARNING: the current comes near to where it wraps; a shorter measure_ms or stronger input would show less or more\n", out);
}

static void print_population(FILE *out, const hw_population_report *r)
{
    fprintf(out, "\n  population \"%s\": %lld %s", r->name, (long long)r->n, r->from);
    if (strcmp(r->from, r->to) == 0) fputs(", as they are", out);
    else fprintf(out, " -> %s, scale %.6g, vth %.6g", r->to, r->scale, r->vth_mean);
    fputc('\n', out);
    print_error(out, "1/tau_m", r->tau_m), print_error(out, "1/tau_syn", r->tau_syn);
    print_error(out, "threshold", r->threshold), print_error(out, "bias", r->bias);
    print_error(out, "PSP, excitatory", (hw_error){ r->psp[EX], r->psp[EX] }), print_error(out, "PSP, inhibitory", (hw_error){ r->psp[IN], r->psp[IN] });
    if (r->lost_refractory)
        fprintf(out, "    the refractory period of %lld neurons, up to %g ms, is lost: Lava's integer neuron has none (loihi1's has)\n", (long long)r->lost_refractory, r->refractory_ms);
    if (r->merged) fprintf(out, "    %lld spikes share a step with another of the same neuron: they arrive together here, as one on the chip\n", (long long)r->merged);
    print_rates(out, r);
}

static void print_learning(FILE *out, const hw_learning_report *r)
{
    static const char *const variables[] = { "dw", "dt", "dd" }, *const traces[] = { "x1", "x2", "y1", "y2", "y3" };
    fprintf(out, "    learns by \"%s\", in epochs of %d step%s:\n", r->rule, r->t_epoch, r->t_epoch == 1 ? "" : "s");
    for (int v = 0; v < N_EPOCH_VARIABLES; v++)
        if (r->text[v]) fprintf(out, "      %s = %s\n", variables[v], r->text[v]);
    for (int k = 0; k < N_EPOCH_TRACES; k++)
        if (r->impulse[k] > 0) fprintf(out, "      %s: impulse %g -> %g of 127, tau %.6g steps\n", traces[k], r->impulse[k], r->chip_impulse[k], r->tau[k]);
    print_error(out, "scales", r->scale);
    fprintf(out, "    %-16s %8.4g to %.4g, on the chip %.4g to %.4g in steps of %.3g\n", "range", r->low, r->high, r->chip_low, r->chip_high, 1 / r->unit);
    if (r->lost > 0)
        fprintf(out, "    products of many factors lose bits: dw is too low by up to %.2g (%.2g of an integer) on average whenever one counts; larger values of what is set from outside help\n", r->lost,
                r->lost * r->unit);
    if (r->lag != 0) fprintf(out, "    the chip sees no delay: pairs whose %s spikes up to %.4g ms earlier count on the other side\n", r->lag > 0 ? "target" : "source", fabs(r->lag));
}

static void print_projection(FILE *out, const hw_projection_report *r)
{
    fprintf(out, "\n  %s", r->label);
    if (strncmp(r->label, "poisson", 7) != 0) fprintf(out, ": %lld synapses", (long long)r->n_synapses);
    if (r->pruned) fprintf(out, ", %lld left out", (long long)r->pruned);
    if (r->chip) fprintf(out, ", %s, %d bits, exponent %d", r->sign, r->bits, r->weight_exp);
    fputc('\n', out);
    print_error(out, "weights", r->weight);
    if (r->chip && fabs(r->drive) > 1e-12) fprintf(out, "    %-16s %+8.3g %%\n", "their sum", 100 * r->drive);
    if (r->saturated) fprintf(out, "    %lld weights saturate\n", (long long)r->saturated);
    if (r->zeroed) fprintf(out, "    %lld weights become 0\n", (long long)r->zeroed);
    if (r->learning.rule) print_learning(out, &r->learning);
    if (r->delays_changed) fprintf(out, "    %lld delays change, by up to %.4g ms\n", (long long)r->delays_changed, r->delay_change);
}

rv_status hw_quantise_text(const hw_quantise_report *r, char **text)
{
    size_t length;
    FILE  *out = open_memstream(text, &length);
    if (!out) return RV_OUT_OF_MEMORY;
    fprintf(out, "quantised for %s: weights of %d bit%s, steps of %g ms; relative errors\n", r->chip, r->bits, r->bits == 1 ? "" : "s", r->step_ms);
    for (int p = 0; p < r->n_populations; p++) print_population(out, &r->population[p]);
    for (int k = 0; k < r->n_projections; k++) print_projection(out, &r->projection[k]);
    fprintf(out, "\n  %lld synapses", (long long)r->n_synapses);
    if (r->pruned) fprintf(out, ", %lld pruned (%.3g %%)", (long long)r->pruned, 100 * (double)r->pruned / (double)(r->pruned + r->n_synapses));
    fprintf(out, "; about %.4g KiB for weights, delays and indices\n", r->memory_bits / 8192);
    return fclose(out) == 0 ? RV_OK : RV_OUT_OF_MEMORY;
}
