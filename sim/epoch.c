#include "sim/epoch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/memory.h"

/* ---- the rule ---------------------------------------------------------------------------------------------------- */

static const char *const text_names[N_EPOCH_VARIABLES] = { "dw", "dt", "dd" };

/* The chip has one counter of epochs for a rule. */
static rv_status take_k(epoch_rule *rule, const rule_product *p, const char *what, rv_error *error)
{
    if (p->when != WHEN_U) return RV_OK;
    if (rule->k >= 0 && rule->k != p->k)
        return error_set(error, RV_CONFLICT, "%s, character %d: u%d beside u%d: all products of a rule have the same", what, p->position, p->k, rule->k);
    rule->k = p->k;
    return RV_OK;
}

static rv_status read_text(epoch_rule *rule, int v, const char *text, const char *object, rv_error *error)
{
    char what[300];
    if (!text || !*text) return RV_OK;
    snprintf(what, sizeof what, "%.240s: %s", object, text_names[v]);
    TRY(products_parse(text, what, &rule->sum[v], error));
    for (int i = 0; i < rule->sum[v].n; i++) {
        const rule_product *p = &rule->sum[v].product[i];
        const char    *wrong = rule->arithmetic->check_product ? rule->arithmetic->check_product(p) : NULL;
        if (wrong) return error_set(error, RV_CONFLICT, "%s, product at character %d: %s", what, p->position, wrong);
        TRY(take_k(rule, p, what, error));
        rule->on_y0 |= p->when == WHEN_Y0;
    }
    return RV_OK;
}

static rv_status fill_rule(epoch_rule *rule, const projection_def *p, const char *object, rv_error *error)
{
    rv_epochs   e = { .t_epoch = 1, .w_min = -NO_WEIGHT_BOUND, .w_max = NO_WEIGHT_BOUND };
    p->plasticity->epochs(p->param, p->text, &e);
    const char *wrong = rule->arithmetic->check ? rule->arithmetic->check(&e) : NULL;
    if (wrong) return error_set(error, RV_CONFLICT, "%s: %s", object, wrong);
    rule->t_epoch = e.t_epoch, rule->k = -1, rule->graded = (rv_graded_mode)e.graded;
    int n = 0;
    for (int v = 0; v < N_EPOCH_VARIABLES; v++) {
        TRY(read_text(rule, v, e.text[v], object, error));
        n += rule->sum[v].n;
        rule->low[v] = rule->arithmetic->low[v], rule->high[v] = rule->arithmetic->high[v];
    }
    if (e.w_min > -NO_WEIGHT_BOUND) rule->low[EPOCH_W] = e.w_min;
    if (e.w_max < NO_WEIGHT_BOUND) rule->high[EPOCH_W] = e.w_max;
    for (int k = 0; k < N_EPOCH_TRACES; k++) rule->keep[k] = e.tau[k] > 0 ? exp(-1 / e.tau[k]) : 0, rule->impulse[k] = e.impulse[k];
    if (rule->graded) rule->impulse[EPOCH_X1] = 0;
    return n > 0 ? RV_OK : error_set(error, RV_CONFLICT, "%s: nothing is learnt: dw, dt or dd is needed", object);
}

rv_status epoch_rule_new(const projection_def *p, const char *object, epoch_rule **result, rv_error *error)
{
    epoch_rule *rule = *result = calloc(1, sizeof *rule);
    if (!rule) return error_memory(error, "a learning rule", sizeof *rule);
    rule->arithmetic = p->synapse ? p->synapse->arithmetic : p->plasticity->arithmetic;
    return fill_rule(rule, p, object, error);
}

void epoch_rule_free(epoch_rule *rule)
{
    for (int v = 0; rule && v < N_EPOCH_VARIABLES; v++) products_free(&rule->sum[v]);
    free(rule);
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

static bool uses(const epoch_rule *rule, rule_symbol symbol)
{
    for (int v = 0; v < N_EPOCH_VARIABLES; v++)
        for (int i = 0; i < rule->sum[v].n; i++)
            for (int k = 0; k < rule->sum[v].product[i].n_factors; k++)
                if (rule->sum[v].product[i].factor[k].symbol == symbol) return true;
    return false;
}

/* A tag or a delay that no product reads or writes is not kept. */
static bool has_variable(const epoch_rule *rule, int v) { return v == EPOCH_W || rule->sum[v].n > 0 || uses(rule, (rule_symbol)(SYMBOL_W + v)); }

static void *need(epoch *e, int64_t n, size_t item, bool *failed)
{
    size_t bytes = (size_t)(n + 1) * item;
    void  *memory = memory_new(bytes);
    e->bytes += (int64_t)bytes;
    *failed |= !memory;
    return memory;
}

static bool allocate(epoch *e)
{
    bool failed = false;
    for (int v = 0; v < N_EPOCH_VARIABLES; v++)
        if (has_variable(e->rule, v)) e->variable[v] = need(e, e->r->n_synapses, sizeof(double), &failed);
    for (int k = 0; k < N_EPOCH_X; k++) e->x[k] = need(e, e->n_sources, sizeof(double), &failed);
    for (int k = 0; k < N_EPOCH_Y; k++) e->y[k] = need(e, e->target->n, sizeof(double), &failed);
    e->x_step = need(e, e->n_sources, 1, &failed), e->y_step = need(e, e->target->n, 1, &failed);
    e->y_history = need(e, (int64_t)(e->rule->t_epoch + 1) * N_EPOCH_Y * e->target->n, sizeof(double), &failed);
    e->changed_row = need(e, e->n_sources, sizeof *e->changed_row, &failed);
    e->changed_synapse = need(e, e->most_changed, sizeof *e->changed_synapse, &failed);
    return !failed;
}

rv_status epoch_open(epoch *e, const network *net, int bundle_index, int tile, rv_error *error)
{
    const bundle *b = &net->bundle[bundle_index];
    int           population = net->def->projection[b->projection[0]].target.population;
    *e = (epoch){ .rule = b->epoch, .r = &b->rows[tile], .target = &net->tile[tile].part[population], .factor = b->factor,
                  .seed = net->def->seed, .object = (uint32_t)b->projection[0], .n_sources = net->def->population[b->source].n };
    e->most_changed = e->r->n_synapses / 8;
    if (!allocate(e)) return error_memory(error, "learning", (double)e->bytes);
    for (int64_t k = 0; k < e->r->n_synapses; k++) epoch_set_weight(e, k, e->r->weight_float ? (double)e->r->weight_float[k] : e->r->weight_double[k]);
    return RV_OK;
}

static void give_back(void *memory, int64_t n, size_t item) { memory_free(memory, (size_t)(n + 1) * item); }

void epoch_close(epoch *e)
{
    if (!e->rule) return;
    for (int v = 0; v < N_EPOCH_VARIABLES; v++) give_back(e->variable[v], e->r->n_synapses, sizeof(double));
    for (int k = 0; k < N_EPOCH_X; k++) give_back(e->x[k], e->n_sources, sizeof(double));
    for (int k = 0; k < N_EPOCH_Y; k++) give_back(e->y[k], e->target->n, sizeof(double));
    give_back(e->x_step, e->n_sources, 1), give_back(e->y_step, e->target->n, 1);
    give_back(e->y_history, (int64_t)(e->rule->t_epoch + 1) * N_EPOCH_Y * e->target->n, sizeof(double));
    give_back(e->changed_row, e->n_sources, sizeof *e->changed_row);
    give_back(e->changed_synapse, e->most_changed, sizeof *e->changed_synapse);
    *e = (epoch){ 0 };
}

void epoch_set_weight(epoch *e, int64_t synapse, double stored) { e->variable[EPOCH_W][synapse] = stored / e->factor; }

/* ---- random numbers ----------------------------------------------------------------------------------------------- */

enum { IMPULSE_DRAWS = 128 };

static epoch_draws draws_of(const epoch *e, int64_t step)
{
    if (e->rule->replay) return step <= e->rule->n_replay ? e->rule->replay[step - 1] : (epoch_draws){ 0 };
    rv_random r = random_stream(e->seed, RANDOM_LEARNING, e->object, (uint64_t)step);
    return (epoch_draws){ .x_decay = random_uniform(&r), .y_decay = random_uniform(&r), .round = random_uniform(&r),
                          .x_impulse = (double)random_below(&r, IMPULSE_DRAWS), .y_impulse = (double)random_below(&r, IMPULSE_DRAWS),
                          .y_impulse_repeat = (double)random_below(&r, IMPULSE_DRAWS) };
}

/* ---- spikes ------------------------------------------------------------------------------------------------------- */

static uint8_t step_of_epoch(const epoch *e, int64_t step) { return (uint8_t)((step - 1) % e->rule->t_epoch + 1); }

void epoch_source_spike(epoch *e, int64_t source, int64_t step, double payload)
{
    uint8_t now = step_of_epoch(e, step);
    bool    counts = true;
    if (e->x_step[source] == now) return;
    if (e->rule->graded) e->x[0][source] = e->rule->arithmetic->take_payload(e->rule->graded, payload, e->x[0][source], &counts);
    if (!counts) return;
    for (int k = e->rule->graded ? 1 : 0; k < N_EPOCH_X && e->x_step[source]; k++)
        e->x[k][source] = e->rule->arithmetic->add_impulse(e->rule->impulse[EPOCH_X1 + k], 0, e->x[k][source]);
    e->x_step[source] = now;
}

void epoch_target_spike(epoch *e, int neuron, int64_t step)
{
    uint8_t now = step_of_epoch(e, step);
    if (e->y_step[neuron] == now) return;
    double random = e->y_step[neuron] ? draws_of(e, step).y_impulse_repeat : 0;
    for (int k = 0; k < N_EPOCH_Y && e->y_step[neuron]; k++)
        if (!e->delivered[k]) e->y[k][neuron] = e->rule->arithmetic->add_impulse(e->rule->impulse[EPOCH_Y1 + k], random, e->y[k][neuron]);
    e->y_step[neuron] = now;
    e->any_y = true;
}

/* ---- traces over an epoch ----------------------------------------------------------------------------------------- */

/* Those of one source. @param history result, [N_EPOCH_X][t_epoch + 1] */
static void replay_source(const epoch *e, int64_t source, const epoch_draws *draws, double history[N_EPOCH_X][MAX_EPOCH + 1])
{
    const rv_arithmetic *a = e->rule->arithmetic;
    for (int k = 0; k < N_EPOCH_X; k++) {
        double x = history[k][0] = e->x[k][source];
        for (int step = 1; step <= e->rule->t_epoch; step++) {
            a->decay(e->rule->keep[EPOCH_X1 + k], draws->x_decay, &x, 1);
            if (e->x_step[source] == step) x = a->add_impulse(e->rule->impulse[EPOCH_X1 + k], draws->x_impulse, x);
            history[k][step] = x;
        }
    }
}

static double *y_at(const epoch *e, int step, int k) { return e->y_history + (step * N_EPOCH_Y + k) * (int64_t)e->target->n; }

/* Those of all targets, into their history. A delivered trace without a time constant stays as delivered. */
static void replay_targets(epoch *e, const epoch_draws *draws)
{
    const rv_arithmetic *a = e->rule->arithmetic;
    int                  n = e->target->n;
    for (int k = 0; k < N_EPOCH_Y; k++) {
        double keep = e->rule->keep[EPOCH_Y1 + k], impulse = e->rule->impulse[EPOCH_Y1 + k];
        memcpy(y_at(e, 0, k), e->y[k], (size_t)n * sizeof(double));
        for (int step = 1; step <= e->rule->t_epoch; step++) {
            double *y = y_at(e, step, k);
            memcpy(y, y_at(e, step - 1, k), (size_t)n * sizeof(double));
            if (keep > 0 || !e->delivered[k]) a->decay(keep, draws->y_decay, y, n);
            for (int i = 0; i < n && e->any_y; i++)
                if (e->y_step[i] == step) y[i] = a->add_impulse(impulse, draws->y_impulse, y[i]);
        }
    }
}

static void keep_targets(epoch *e)
{
    for (int k = 0; k < N_EPOCH_Y; k++)
        if (!e->delivered[k]) memcpy(e->y[k], y_at(e, e->rule->t_epoch, k), (size_t)e->target->n * sizeof(double));
    memset(e->y_step, 0, (size_t)e->target->n);
    e->any_y = false;
}

/* ---- sums of products --------------------------------------------------------------------------------------------- */

enum { STRIP = 256 };

/* Some synapses of one source that are worked on together: loops over them are short, and vectorised. */
typedef struct strip {
    int      n;
    bool     whole;           /* they lie side by side                               */
    uint32_t synapse[STRIP];
    int      target[STRIP];   /* of the part                                         */
    double   old[N_EPOCH_VARIABLES][STRIP];
    int      source_step;     /* 0: the source has not spiked in this epoch          */
    double (*x)[MAX_EPOCH + 1];
    bool     u;
} strip;

/* Traces of the target and of the source, at the moment that the dependency says. */
static void load_y(const epoch *e, const strip *s, rule_dependency when, int k, double *value)
{
    const double *y = y_at(e, when == WHEN_X0 ? s->source_step : e->rule->t_epoch, k);
    if (when == WHEN_Y0)
        for (int i = 0; i < s->n; i++) value[i] = y_at(e, e->y_step[s->target[i]], k)[s->target[i]];
    else
        for (int i = 0; i < s->n; i++) value[i] = y[s->target[i]];
}

static void load_x(const epoch *e, const strip *s, rule_dependency when, int k, double *value)
{
    int step = when == WHEN_X0 ? s->source_step : e->rule->t_epoch;
    for (int i = 0; i < s->n; i++) value[i] = s->x[k][when == WHEN_Y0 ? e->y_step[s->target[i]] : step];
}

static void load_spikes(const epoch *e, const strip *s, double *value)
{
    for (int i = 0; i < s->n; i++) value[i] = e->y_step[s->target[i]] > 0;
}

static void load_symbol(const epoch *e, const strip *s, rule_dependency when, rule_symbol symbol, double *value)
{
    if (symbol >= SYMBOL_W) memcpy(value, s->old[symbol - SYMBOL_W], (size_t)s->n * sizeof *value);
    else if (symbol >= SYMBOL_Y1) load_y(e, s, when, symbol - SYMBOL_Y1, value);
    else if (symbol >= SYMBOL_X1) load_x(e, s, when, symbol - SYMBOL_X1, value);
    else if (symbol == SYMBOL_Y0) load_spikes(e, s, value);
    else
        for (int i = 0; i < s->n; i++) value[i] = s->source_step > 0;
}

static void multiply_factor(const epoch *e, const strip *s, rule_dependency when, const rule_factor *f, double *product)
{
    double value[STRIP];
    load_symbol(e, s, when, f->symbol, value);
    for (int i = 0; i < s->n; i++) value[i] += f->constant;
    for (int i = 0; i < s->n && f->sign; i++) value[i] = (value[i] > 0) - (value[i] < 0);
    if (e->rule->arithmetic->limit_factor) e->rule->arithmetic->limit_factor(f->symbol, value, s->n);
    for (int i = 0; i < s->n; i++) product[i] *= value[i];
}

static bool counts(const epoch *e, const strip *s, rule_dependency when)
{
    return when == WHEN_X0 ? s->source_step > 0 : when == WHEN_Y0 ? e->any_y : s->u;
}

static void add_product(const epoch *e, const strip *s, const rule_product *p, double *sum)
{
    double value[STRIP];
    if (!counts(e, s, p->when)) return;
    if (p->when == WHEN_Y0) load_spikes(e, s, value);
    else
        for (int i = 0; i < s->n; i++) value[i] = 1;
    for (int k = 0; k < p->n_factors; k++) multiply_factor(e, s, p->when, &p->factor[k], value);
    e->rule->arithmetic->add_product(p, value, sum, s->n);
}

static void load_variable(const epoch *e, strip *s, int v)
{
    if (s->whole) memcpy(s->old[v], e->variable[v] + s->synapse[0], (size_t)s->n * sizeof(double));
    else
        for (int i = 0; i < s->n; i++) s->old[v][i] = e->variable[v][s->synapse[i]];
}

static void store_variable(epoch *e, const strip *s, int v, const double *value)
{
    if (s->whole) memcpy(e->variable[v] + s->synapse[0], value, (size_t)s->n * sizeof(double));
    else
        for (int i = 0; i < s->n; i++) e->variable[v][s->synapse[i]] = value[i];
}

/* All sums are made of the variables as they were before any of them changes. */
static void learn_strip(epoch *e, strip *s, double random)
{
    const epoch_rule *rule = e->rule;
    for (int v = 0; v < N_EPOCH_VARIABLES; v++)
        if (e->variable[v]) load_variable(e, s, v);
    for (int v = 0; v < N_EPOCH_VARIABLES; v++) {
        double sum[STRIP], value[STRIP];
        if (rule->sum[v].n == 0) continue;
        memcpy(value, s->old[v], (size_t)s->n * sizeof *value);
        rule->arithmetic->begin(value, sum, s->n);
        for (int k = 0; k < rule->sum[v].n; k++) add_product(e, s, &rule->sum[v].product[k], sum);
        rule->arithmetic->end(sum, rule->low[v], rule->high[v], random, value, s->n);
        store_variable(e, s, v, value);
    }
}

/* The next synapses of a row, or those of them whose target has spiked. @return where to go on */
static uint32_t fill_strip(const epoch *e, strip *s, bool all, uint32_t k, uint32_t end)
{
    const uint16_t *target = e->r->target;
    int             base = e->target->base;
    s->whole = all, s->n = 0;
    if (!all)
        for (; k < end && s->n < STRIP; k++) {
            if (e->y_step[target[k] - base] > 0) s->synapse[s->n] = k, s->target[s->n++] = target[k] - base;
        }
    for (; all && k < end && s->n < STRIP; k++, s->n++) s->synapse[s->n] = k, s->target[s->n] = target[k] - base;
    return k;
}

/* If neither the source has spiked nor u has come, only synapses whose target has spiked change. */
static void learn_row(epoch *e, int64_t source, double x[N_EPOCH_X][MAX_EPOCH + 1], bool u, double random)
{
    const rows *r = e->r;
    strip       s;
    bool        all = u || e->x_step[source] > 0, listed = !all;
    uint32_t    end = r->segment[r->row[source + 1]].first;
    s.source_step = e->x_step[source], s.x = x, s.u = u;
    for (uint32_t k = r->segment[r->row[source]].first; k < end;) {
        k = fill_strip(e, &s, all, k, end);
        if (s.n == 0) continue;
        learn_strip(e, &s, random);
        listed = listed && e->n_changed_synapses + s.n <= e->most_changed;
        if (!listed) continue;
        memcpy(e->changed_synapse + e->n_changed_synapses, s.synapse, (size_t)s.n * sizeof *s.synapse);
        e->n_changed_synapses += s.n;
    }
    if (!listed) e->changed_row[e->n_changed_rows++] = (int32_t)source;
}

/* ---- the end of a step -------------------------------------------------------------------------------------------- */

static void publish_synapses(const epoch *e, uint32_t first, uint32_t end)
{
    const double *w = e->variable[EPOCH_W];
    for (uint32_t k = first; k < end && e->r->weight_float; k++) e->r->weight_float[k] = (float)(e->factor * w[k]);
    for (uint32_t k = first; k < end && e->r->weight_double; k++) e->r->weight_double[k] = e->factor * w[k];
}

static void publish(epoch *e)
{
    const rows *r = e->r;
    for (int32_t i = 0; i < e->n_changed_rows; i++)
        publish_synapses(e, r->segment[r->row[e->changed_row[i]]].first, r->segment[r->row[e->changed_row[i] + 1]].first);
    for (int64_t i = 0; i < e->n_changed_synapses; i++) publish_synapses(e, e->changed_synapse[i], e->changed_synapse[i] + 1);
    e->n_changed_rows = 0, e->n_changed_synapses = 0;
}

static void learn_source(epoch *e, int64_t source, const epoch_draws *draws, bool u)
{
    double x[N_EPOCH_X][MAX_EPOCH + 1];
    bool   silent = !e->x_step[source] && e->x[0][source] == 0 && e->x[1][source] == 0;
    bool   learns = e->r->row[source] < e->r->row[source + 1] && (e->x_step[source] || u || (e->any_y && e->rule->on_y0));
    if (silent && !learns) return;
    replay_source(e, source, draws, x);
    if (learns) learn_row(e, source, x, u, draws->round);
    for (int k = 0; k < N_EPOCH_X; k++) e->x[k][source] = x[k][e->rule->t_epoch];
    e->x_step[source] = 0;
}

void epoch_end_step(epoch *e, int64_t step)
{
    if (!e->rule) return;
    publish(e);
    if (step % e->rule->t_epoch != 0) return;
    epoch_draws draws = draws_of(e, step);
    bool        u = e->rule->k >= 0 && step / e->rule->t_epoch % (1 << e->rule->k) == 0;
    replay_targets(e, &draws);
    for (int64_t source = 0; source < e->n_sources; source++) learn_source(e, source, &draws, u);
    keep_targets(e);
}
