/* Which neurons can be a chip's, and as what recurrence. */
#include <math.h>
#include <string.h>

#include "hw/quantise_internal.h"
#include "sim/tables.h"

/* One neuron being read. */
typedef struct neuron {
    const plan           *q;
    const population_def *def;
    int64_t               i;
    double                dc; /* pA */
} neuron;

static double param(const neuron *n, const char *name) { return neuron_value(&n->def->param[table_param(&n->def->model->table, name)], n->i); }
static double initial(const neuron *n, const char *name) { return neuron_value(&n->def->initial[table_state(&n->def->model->table, name)], n->i); }

static rv_status refuse(const neuron *n, const char *why)
{
    return error_set(n->q->error, RV_CONFLICT, "population \"%s\", neuron %lld: %s", n->def->name, (long long)n->i, why);
}

/* ---- NEST's neurons --------------------------------------------------------------------------------------------- */

/* Leak, threshold, reset and refractory period, which all of them have. */
static void read_membrane(const neuron *n, lif_cell *c)
{
    double h = n->q->h, tau = param(n, "tau_m"), reset = param(n, "V_reset");
    c->keep_v = exp(-h / tau);
    c->drive = -expm1(-h / tau) * (param(n, "E_L") - reset + tau / param(n, "C_m") * (param(n, "I_e") + n->dc));
    c->theta = param(n, "V_th") - reset, c->v0 = initial(n, "V_m") - reset, c->hold = rint(param(n, "t_ref") / h);
    c->floor = -INFINITY;
}

static rv_status read_delta(const neuron *n, lif_cell *c)
{
    read_membrane(n, c);
    c->jump[EX] = c->jump[IN] = 1, c->floor = param(n, "V_min") - param(n, "V_reset");
    if (param(n, "refractory_input") == 0) return RV_OK;
    return refuse(n, "refractory_input = 1 keeps input during the refractory period, for which a chip has no place; allowed is 0");
}

/* What a current of 1 pA that decays with tau adds to V in one step (Rotter & Diesmann 1999). */
static double jump_of(const neuron *n, double tau)
{
    double h = n->q->h, tau_m = param(n, "tau_m"), x = h * (1 / tau_m - 1 / tau);
    return h / param(n, "C_m") * exp(-h / tau_m) * (fabs(x) > 1e-12 ? expm1(x) / x : 1);
}

static rv_status read_exp(const neuron *n, lif_cell *c)
{
    static const char *const tau[] = { "tau_syn_ex", "tau_syn_in" }, *const current[] = { "I_syn_ex", "I_syn_in" };
    read_membrane(n, c);
    for (int side = EX; side <= IN; side++) {
        c->keep_u[side] = exp(-n->q->h / param(n, tau[side]));
        c->jump[side] = jump_of(n, param(n, tau[side]));
        c->u0[side] = c->jump[side] * initial(n, current[side]) / c->keep_u[side];
    }
    return RV_OK;
}

/* ---- neurons that are defined in steps -------------------------------------------------------------------------- */

static rv_status check_step(const neuron *n)
{
    double h = rv_resolution(n->q->net);
    if (fabs(n->q->h / h - 1) < 1e-9) return RV_OK;
    return error_set(n->q->error, RV_CONFLICT, "population \"%s\": %s is defined in steps, here of %g ms; allowed is step = %g, not %g", n->def->name,
                     n->def->model->table.name, h, h, n->q->h);
}

static rv_status read_lava(const neuron *n, lif_cell *c)
{
    TRY(check_step(n));
    c->keep_u[EX] = c->keep_u[IN] = 1 - param(n, "du"), c->jump[EX] = c->jump[IN] = 1;
    c->keep_v = 1 - param(n, "dv"), c->theta = param(n, "vth"), c->hold = param(n, "refractory_period");
    c->drive = param(n, "bias") + (n->dc != 0 ? n->dc / param(n, "du") : 0);
    c->v0 = initial(n, "v"), c->u0[EX] = initial(n, "u"), c->floor = -INFINITY;
    return RV_OK;
}

/* How far a variable moves in a step toward where it is driven, and how far its input moves it; as in neurons/nir_lif.c. */
static void relax(double tau, double h, int discretisation, double *leak, double *gain)
{
    *leak = tau <= 0 ? 1 : discretisation == 0 ? h / tau : -expm1(-h / tau);
    *gain = tau > 0 && discretisation == 2 ? h / tau : *leak;
}

static rv_status read_nir(const neuron *n, lif_cell *c)
{
    double h = n->q->h, leak, gain, fade, gain_I, tau = param(n, "tau_mem"), tau_syn = param(n, "tau_syn"), reset = param(n, "v_reset");
    int    discretisation = (int)param(n, "discretisation");
    TRY(check_step(n));
    if (param(n, "reset") != 0) return refuse(n, "reset by subtracting the threshold; a chip's neuron resets to a value, reset = \"value\"");
    relax(tau_syn, h, discretisation, &fade, &gain_I);
    relax(tau, h, tau_syn > 0 && discretisation == 2 ? 1 : discretisation, &leak, &gain);
    if (tau <= 0) leak = 0;
    gain *= param(n, "r"), gain_I *= param(n, "w_in");
    c->keep_u[EX] = c->keep_u[IN] = 1 - fade, c->jump[EX] = c->jump[IN] = gain_I * gain, c->keep_v = 1 - leak;
    c->drive = leak * (param(n, "v_leak") - reset) + gain * gain_I * (param(n, "I_e") + n->dc) / fade;
    c->theta = param(n, "v_threshold") - reset, c->v0 = initial(n, "V_m") - reset, c->u0[EX] = gain * initial(n, "I_syn");
    c->floor = -INFINITY;
    return RV_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

typedef struct translation {
    const char *model;
    rv_status (*read)(const neuron *n, lif_cell *c); /* NULL: passes as it is, or is refused */
    bool        late;
    const char *why; /* refused */
} translation;

#define SECOND_ORDER "alpha-shaped currents are of second order, a chip's decay in one exponential; the nearest is iaf_psc_exp with twice the tau_syn and e/2 = 1.359 times the weights (equal charge and mean delay)"
#define QUADRATIC "its membrane is quadratic and has a recovery variable, a chip's is linear; the nearest is iaf_psc_exp or iaf_psc_delta, fitted to its rates"
#define ALREADY "is in the chip's integers already; a network is quantised as a whole, from floating-point neurons"

static const translation translations[] = {
    { "iaf_psc_exp", read_exp, true, NULL },
    { "iaf_psc_delta", read_delta, false, NULL },
    { "lava_lif", read_lava, false, NULL },
    { "nir_lif", read_nir, false, NULL },
    { "spike_generator", NULL, false, NULL },
    { "poisson_generator", NULL, false, NULL },
    { "parrot_neuron", NULL, false, NULL },
    { "iaf_psc_alpha", NULL, false, SECOND_ORDER },
    { "izhikevich", NULL, false, QUADRATIC },
    { "loihi_lif", NULL, false, ALREADY },
    { "loihi_ternary", NULL, false, ALREADY },
    { "loihi_graded", NULL, false, ALREADY },
    { "loihi1_lif", NULL, false, ALREADY },
};
enum { N_TRANSLATIONS = sizeof translations / sizeof *translations };

static const translation *translation_of(const char *model)
{
    for (int k = 0; k < N_TRANSLATIONS; k++)
        if (strcmp(translations[k].model, model) == 0) return &translations[k];
    return NULL;
}

bool hw_is_quantised(const rv_net *net)
{
    for (int p = 0; p < rv_population_count(net); p++) {
        const translation *t = translation_of(rv_population_model(net, (rv_population){ p + 1 }));
        if (!t || t->read || (t->why && strcmp(t->why, ALREADY) != 0)) return false;
    }
    return true;
}

static rv_status check_cell(const neuron *n, const lif_cell *c)
{
    const hw_chip *chip = &n->q->chip;
    double         most = hw_value(chip, HW_REFRACTORY_MAX);
    if (!isfinite(c->theta) && n->q->loihi1) return refuse(n, "a threshold that is never reached: Loihi 1 has none so high; loihi2 has");
    if (!(c->theta > 0)) return refuse(n, "the threshold must be above the reset value, to which a chip's v = 0 belongs");
    if (!(c->keep_v >= 0 && c->keep_u[EX] >= 0)) return refuse(n, "a decay of more than everything in one step alternates in sign; allowed are steps shorter than the time constants");
    if (c->floor > -INFINITY && !n->q->loihi1) return refuse(n, "V_min: Lava's neuron for Loihi 2 has no lowest potential; loihi1 has, or leave V_min out");
    if (!n->q->loihi1 || c->hold <= most) return RV_OK;
    return error_set(n->q->error, RV_OUT_OF_RANGE, "population \"%s\", neuron %lld: t_ref of %g steps, %s allows %g; steps of %.3g ms or more would do",
                     n->def->name, (long long)n->i, c->hold, chip->name, most, n->q->h * c->hold / most);
}

bool quantise_same_dynamics(const lif_cell *a, const lif_cell *b)
{
    return a->keep_v == b->keep_v && a->keep_u[EX] == b->keep_u[EX] && a->keep_u[IN] == b->keep_u[IN] && a->jump[EX] == b->jump[EX] && a->jump[IN] == b->jump[IN];
}

rv_status quantise_cells(const plan *q, population_plan *p, const double *dc)
{
    const rv_table    *model = &p->def->model->table;
    const translation *t = translation_of(model->name);
    if (!t || t->why)
        return error_set(q->error, RV_CONFLICT, "population \"%s\": %s cannot be quantised: %s", p->def->name, model->name,
                         t ? t->why : "it is no leaky integrate-and-fire neuron; the nearest are iaf_psc_exp and iaf_psc_delta");
    if (!t->read) return RV_OK;
    p->late = t->late, p->alike = true;
    p->cell = calloc((size_t)p->def->n + 1, sizeof *p->cell);
    if (!p->cell) return error_memory(q->error, "neurons", (double)p->def->n * sizeof *p->cell);
    for (int64_t i = 0; i < p->def->n; i++) {
        neuron n = { q, p->def, i, dc ? dc[i] : 0 };
        TRY(t->read(&n, &p->cell[i]));
        TRY(check_cell(&n, &p->cell[i]));
        p->alike &= quantise_same_dynamics(&p->cell[i], &p->cell[0]);
    }
    return RV_OK;
}
