/* Decays, gains, scale and exponents: the numbers of the chip that come nearest. */
#include <math.h>
#include <stdlib.h>

#include "hw/quantise_internal.h"

enum { PSP_STEPS = 20000, N_SCALES = 512 };
#define HIGH_RATE     100.0 /* Hz, at which sources that were not measured are expected to fire at most */
#define SURPRISE      10.0  /* standard deviations of a current beyond its mean                         */
#define STANDARD_RATE 10.0  /* Hz, of sources that were not measured                                    */

/* ---- postsynaptic potentials ------------------------------------------------------------------------------------ */

/* Products of the true potential p and the one with rounded decays q, summed over its course. */
typedef struct overlap {
    double pp, pq, qq;
} overlap;

static overlap overlap_of(double keep_u, double keep_v, double rounded_u, double rounded_v)
{
    overlap o = { 0 };
    double  up = 1, vp = 0, uq = 1, vq = 0, peak = 0;
    for (int k = 0; k < PSP_STEPS; k++) {
        vp = keep_v * vp + up, vq = rounded_v * vq + uq;
        up *= keep_u, uq *= rounded_u;
        o.pp += vp * vp, o.pq += vp * vq, o.qq += vq * vq;
        peak = larger(peak, vp);
        if (vp + vq < 1e-6 * peak) break;
    }
    return o;
}

/* What is left of the potential after the best fit, relative to its square. */
static double misfit(const lif_cell *c, int side, double rounded_u, double rounded_v)
{
    overlap o = overlap_of(c->keep_u[side], c->keep_v, rounded_u, rounded_v);
    return 1 - o.pq * o.pq / (o.pp * o.qq);
}

static double both_misfits(const lif_cell *c, double keep, double keep_v)
{
    return misfit(c, EX, keep / FIXED_ONE, keep_v / FIXED_ONE) + misfit(c, IN, keep / FIXED_ONE, keep_v / FIXED_ONE);
}

/* ---- decays ----------------------------------------------------------------------------------------------------- */

/* The chip's u keeps 4096 - 1 - du of 4096, its v 4096 - dv; both have 12 bits, but dv = 4096 stands for no memory. */
static double rounded_keep_u(double keep) { return fixed_clip(rint(keep * FIXED_ONE), 0, FIXED_ONE - 1); }
static double rounded_keep_v(double keep) { return fixed_clip(rint(keep * FIXED_ONE), 0, FIXED_ONE); }

/* One decay for two currents: the misfit has one minimum between the two. */
static double shared_keep(const lif_cell *c, double keep_v)
{
    double a = rounded_keep_u(c->keep_u[EX]), b = rounded_keep_u(c->keep_u[IN]), low = smaller(a, b), high = larger(a, b);
    while (high - low > 1) {
        double middle = floor((low + high) / 2);
        if (both_misfits(c, middle, keep_v) < both_misfits(c, middle + 1, keep_v)) high = middle;
        else low = middle + 1;
    }
    return both_misfits(c, low, keep_v) <= both_misfits(c, high, keep_v) ? low : high;
}

static rv_status refuse_two_currents(const plan *q, const population_plan *p, int64_t i)
{
    const lif_cell *c = &p->cell[i];
    return error_set(q->error, RV_CONFLICT,
                     "population \"%s\", neuron %lld: tau_syn_ex = %.4g ms and tau_syn_in = %.4g ms, a chip's neuron has one current; allowed are "
                     "equal ones, or the option shared_tau, which takes %.4g ms for both and fits the weights to it",
                     p->def->name, (long long)i, -q->h / log(c->keep_u[EX]), -q->h / log(c->keep_u[IN]),
                     -q->h / log(shared_keep(c, rounded_keep_v(c->keep_v)) / FIXED_ONE));
}

static double best_fit(const lif_cell *c, int side, double keep_u, double keep_v)
{
    overlap o = overlap_of(c->keep_u[side], c->keep_v, keep_u / FIXED_ONE, keep_v / FIXED_ONE);
    return o.pq / o.qq;
}

/* Where the course of the potential cannot be had, charge matters more to rates than the least squares. */
static double same_charge(const lif_cell *c, int side, double keep_u) { return (1 - keep_u / FIXED_ONE) / (1 - c->keep_u[side]); }

static rv_status choose_decays(const plan *q, population_plan *p, int64_t i)
{
    const lif_cell *c = &p->cell[i];
    bool            two = p->used[EX] && p->used[IN] && rounded_keep_u(c->keep_u[EX]) != rounded_keep_u(c->keep_u[IN]);
    if (two && !q->options.shared_tau) return refuse_two_currents(q, p, i);
    p->keep_v[i] = rounded_keep_v(c->keep_v);
    p->keep_u[i] = two ? shared_keep(c, p->keep_v[i]) : rounded_keep_u(c->keep_u[p->used[EX] || !p->used[IN] ? EX : IN]);
    for (int side = EX; side <= IN; side++) p->gain[side][i] = c->jump[side] * (two ? same_charge(c, side, p->keep_u[i]) : best_fit(c, side, p->keep_u[i], p->keep_v[i]));
    return RV_OK;
}

static void copy_decays(population_plan *p, int64_t i)
{
    p->keep_u[i] = p->keep_u[i - 1], p->keep_v[i] = p->keep_v[i - 1];
    p->gain[EX][i] = p->gain[EX][i - 1], p->gain[IN][i] = p->gain[IN][i - 1];
}

rv_status quantise_decays(const plan *q, population_plan *p)
{
    size_t   n = (size_t)p->def->n + 1;
    double **arrays[] = { &p->keep_u, &p->keep_v, &p->gain[EX], &p->gain[IN], &p->bound, &p->bound_step };
    for (int k = 0; k < 6; k++)
        if (!(*arrays[k] = calloc(n, sizeof(double)))) return error_memory(q->error, "neurons", (double)n * sizeof(double));
    for (int64_t i = 0; i < p->def->n; i++) {
        if (i > 0 && quantise_same_dynamics(&p->cell[i], &p->cell[i - 1])) copy_decays(p, i);
        else TRY(choose_decays(q, p, i));
    }
    return RV_OK;
}

double quantise_bias(const population_plan *p, int64_t i)
{
    const lif_cell *c = &p->cell[i];
    double          leak = 1 - p->keep_v[i] / FIXED_ONE;
    return p->scale * c->drive * (c->keep_v < 1 ? leak / (1 - c->keep_v) : 1); /* the same steady state */
}

double quantise_threshold(const population_plan *p, int64_t i)
{
    double theta = p->cell[i].theta;
    return isfinite(theta) ? rint(p->scale * theta / FIXED_SHIFT) : 131072;
}

/* ---- how large a current may become ----------------------------------------------------------------------------- */

/* Sums over the synapses of a neuron on one side. */
typedef struct load {
    double all, mean, square; /* sum |y|; and with the arrivals of a step */
} load;

static void add_load(load *l, double y, double n, double arrivals)
{
    l->all += n * fabs(y), l->mean += n * arrivals * fabs(y), l->square += n * arrivals * y * y;
}

/* What all sources together could bring at once is more than ever comes of many, and all there is of few: so the bound lies
 * between what is probable at high rates and twice the threshold. */
static double bound_of(const load *l, double keep, double theta)
{
    double mean = l->mean / (1 - keep), sd = sqrt(l->square / (1 - keep * keep));
    return smaller(l->all + mean, larger(mean + SURPRISE * sd, 2 * theta));
}

static void load_synapses(const plan *q, const projection_plan *j, const population_plan *p, load *l)
{
    double arrivals = larger(HIGH_RATE, 5 * j->rate) * q->h * 1e-3;
    if (j->again) { /* the number of synapses differs from neuron to neuron, as a Poisson number at most */
        const neuron_range *to = quantise_target(j);
        double              degree = to->count ? (double)j->n / (double)to->count : 0;
        int                 side = j->weight[0] < 0 ? IN : EX;
        for (int64_t i = 0; i < to->count; i++) {
            int64_t neuron = range_neuron(to, i);
            add_load(&l[2 * neuron + side], j->weight[0] * p->gain[side][neuron], degree + 4 * sqrt(degree), arrivals);
        }
        return;
    }
    for (int64_t k = 0; k < j->n; k++) {
        int    side = j->weight[k] < 0 || j->sign == FIXED_INHIBITORY ? IN : EX;
        double y = fabs(j->weight[k] * p->gain[side][j->target[k]]);
        add_load(&l[2 * j->target[k] + side], j->learning ? larger(y, j->biggest / 2) : y, 1, arrivals);
    }
}

/* Poisson input has no sources that could fire together: its mean and its fluctuations are known. */
static void bound_input(const plan *q, const projection_plan *j, population_plan *p)
{
    const neuron_range *to = quantise_target(j);
    int                 side = j->weight[0] < 0 ? IN : EX;
    double              arrivals = j->rate * q->h * 1e-3;
    for (int64_t i = 0; i < to->count; i++) {
        int64_t neuron = range_neuron(to, i);
        double  y = fabs(j->weight[0]) * p->gain[side][neuron], keep = p->keep_u[neuron] / FIXED_ONE;
        p->bound[neuron] += y * (arrivals / (1 - keep) + SURPRISE * sqrt(arrivals / (1 - keep * keep)));
        p->bound_step[neuron] += y * (arrivals + SURPRISE * sqrt(arrivals));
    }
}

static rv_status bound_currents(const plan *q, int population)
{
    population_plan *p = &q->population[population];
    load            *l = calloc(2 * (size_t)p->def->n + 2, sizeof *l);
    if (!l) return error_memory(q->error, "neurons", 2.0 * (double)p->def->n * sizeof *l);
    for (int k = 0; k < q->n_projections; k++) {
        const projection_plan *j = &q->projection[k];
        if (quantise_target(j)->population != population) continue;
        if (j->def) load_synapses(q, j, p, l);
        else bound_input(q, j, p);
    }
    for (int64_t i = 0; i < 2 * p->def->n; i++) {
        p->bound[i / 2] += bound_of(&l[i], p->keep_u[i / 2] / FIXED_ONE, p->cell[i / 2].theta);
        p->bound_step[i / 2] += bound_of(&l[i], 0, p->cell[i / 2].theta);
    }
    free(l);
    return RV_OK;
}

/* ---- exponents -------------------------------------------------------------------------------------------------- */

int quantise_dropped(fixed_sign sign, int bits)
{
    int dropped = fixed_dropped_bits(sign, bits);
    return dropped > 0 ? dropped : 0;
}

/* Weights are multiples of a unit of at least 1, so that no sum has a fraction to be rounded. */
static double unit_of(fixed_sign sign, int bits, int exponent) { return ldexp(1, quantise_dropped(sign, bits) + exponent); }

static double most_units(fixed_sign sign, int bits, bool negative)
{
    int    dropped = quantise_dropped(sign, bits);
    double most = ldexp(1, 8 - dropped);
    return sign == FIXED_MIXED && negative ? most : most - 1;
}

static double integer_of(fixed_sign sign, int bits, int exponent, double x, bool *saturated)
{
    double unit = unit_of(sign, bits, exponent), wanted = rint(x / unit);
    double k = fixed_clip(wanted, -most_units(sign, bits, true), most_units(sign, bits, false));
    if (saturated) *saturated = k != wanted;
    return k * unit + 0.0;
}

double quantise_weight(const projection_plan *j, double scale, double y, bool *saturated)
{
    return integer_of(j->sign, j->bits, j->exponent, scale / FIXED_SHIFT * y, saturated);
}

/* How far the sample is from what it becomes: mean square error, and error of the mean, both relative. */
typedef struct fit {
    double square, mean;
} fit;

static fit fit_of(const projection_plan *j, int exponent, double scale)
{
    double error = 0, square = 0, sum = 0, whole = 0;
    for (int64_t k = 0; k < j->n_sample; k++) {
        double x = scale / FIXED_SHIFT * j->y[k], e = integer_of(j->sign, j->bits, exponent, x, NULL) - x;
        error += e * e, square += x * x, sum += e, whole += fabs(x);
    }
    return (fit){ square > 0 ? error / square : 0, whole > 0 ? sum / whole : 0 };
}

/* The bound of weights that learn is the chip's: the highest integer. */
static double bound_error(const projection_plan *j, int exponent, double scale)
{
    double e = log(most_units(j->sign, j->bits, false) * unit_of(j->sign, j->bits, exponent) * FIXED_SHIFT / (scale * j->biggest));
    return e * e;
}

static fit best_exponent(const plan *q, projection_plan *j, double scale)
{
    double lowest = hw_value(&q->chip, HW_WEIGHT_EXP_MIN);
    int    low = (int)(j->learning ? lowest : larger(lowest, -quantise_dropped(j->sign, j->bits))); /* what is learnt has all bits, what is delivered may lose some */
    fit    best = { INFINITY, 0 };
    for (int e = low; e <= (q->options.netx ? 0 : (int)hw_value(&q->chip, HW_WEIGHT_EXP_MAX)); e++) {
        fit f = fit_of(j, e, scale);
        if (j->learning && j->biggest > 0) f.square += bound_error(j, e, scale);
        if (f.square < best.square) best = f, j->exponent = e;
    }
    return best;
}

/* ---- scale ------------------------------------------------------------------------------------------------------ */

/* The largest S for which x, in units of V, stays below a limit of the chip. */
static void limit_scale(double *scale, double limit, double x)
{
    if (x > 0 && isfinite(x)) *scale = smaller(*scale, limit / x);
}

static double largest_scale(const plan *q, int population)
{
    population_plan *p = &q->population[population];
    const hw_chip   *chip = &q->chip;
    double           scale = INFINITY, bias = (ldexp(1, (int)hw_value(chip, HW_BIAS_BITS)) - 1) * ldexp(1, (int)hw_value(chip, HW_BIAS_EXP_MAX));
    p->scale = 1;
    for (int64_t i = 0; i < p->def->n; i++) {
        limit_scale(&scale, (ldexp(1, (int)hw_value(chip, HW_THRESHOLD_BITS)) - 1) * FIXED_SHIFT, p->cell[i].theta);
        limit_scale(&scale, bias, fabs(quantise_bias(p, i)));
        limit_scale(&scale, FIXED_STATE - 1, p->bound[i]);
        if (!isfinite(p->cell[i].theta)) limit_scale(&scale, FIXED_STATE - 1, p->bound[i] / (1 - p->keep_v[i] / FIXED_ONE)); /* v is read */
        if (q->loihi1) limit_scale(&scale, FIXED_STATE / 4 - FIXED_SHIFT, p->bound_step[i]); /* its input has 21 bits */
    }
    for (int k = 0; k < q->n_projections; k++) {
        const projection_plan *j = &q->projection[k];
        if (quantise_target(j)->population != population) continue;
        int    exponent = q->options.netx ? 0 : (int)hw_value(chip, HW_WEIGHT_EXP_MAX);
        double most = most_units(j->sign, j->bits, false) * unit_of(j->sign, j->bits, exponent);
        limit_scale(&scale, most * FIXED_SHIFT, j->biggest);
    }
    return isfinite(scale) ? scale : FIXED_SHIFT; /* neurons without input or threshold */
}

/* The error of weights and thresholds at a scale, each projection weighed by the input it brings; chooses the exponents. */
static double cost_of(plan *q, int population, double scale)
{
    double cost = 0, weight = 0, theta = q->population[population].cell[0].theta;
    for (int k = 0; k < q->n_projections; k++) {
        projection_plan *j = &q->projection[k];
        if (quantise_target(j)->population != population || j->n_sample == 0) continue;
        fit    f = best_exponent(q, j, scale);
        double share = j->total * (j->rate > 0 ? j->rate : STANDARD_RATE);
        cost += share * (f.square + f.mean * f.mean), weight += share;
    }
    double rounded = isfinite(theta) ? rint(scale * theta / FIXED_SHIFT) * FIXED_SHIFT / (scale * theta) - 1 : 0;
    return (weight > 0 ? cost / weight : 0) + rounded * rounded;
}

static rv_status check_scale(const plan *q, const population_plan *p, double scale)
{
    for (int64_t i = 0; i < p->def->n; i++)
        if (scale * p->cell[i].theta < FIXED_SHIFT)
            return error_set(q->error, RV_OUT_OF_RANGE,
                             "population \"%s\", neuron %lld: its input is so large beside the threshold that nothing is left of the latter: at most %.3g of the chip's "
                             "units, at least 1 is needed; smaller weights or biases, or shorter steps would do",
                             p->def->name, (long long)i, scale * p->cell[i].theta / FIXED_SHIFT);
    return RV_OK;
}

static int bias_exponent(const plan *q, const population_plan *p)
{
    double highest = 0, most = ldexp(1, (int)hw_value(&q->chip, HW_BIAS_BITS)) - 1;
    for (int64_t i = 0; i < p->def->n; i++) highest = larger(highest, fabs(quantise_bias(p, i)));
    int least = q->options.netx ? 6 : 0;
    return highest > ldexp(most, least) ? (int)ceil(log2(highest / most)) : least;
}

rv_status quantise_scale(plan *q, int population)
{
    population_plan *p = &q->population[population];
    if (!p->cell || p->def->n == 0) return RV_OK;
    TRY(bound_currents(q, population));
    double top = largest_scale(q, population), best = INFINITY;
    for (int k = 0; k < N_SCALES; k++) {
        double scale = top * exp2(-(double)k / N_SCALES), cost = cost_of(q, population, scale);
        if (cost < best) best = cost, p->scale = scale;
    }
    cost_of(q, population, p->scale); /* the exponents that belong to it */
    p->bias_exp = bias_exponent(q, p);
    return check_scale(q, p, p->scale);
}
