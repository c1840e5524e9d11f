#include "tests/support/told.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/random.h"

/* ---- the network ------------------------------------------------------------------------------------------------ */

static rv_population add_post(rv_net *net, const trains *t)
{
    rv_population post = reference_population(net, "post", t->n_post, "iaf_psc_delta");
    rv_population drive = reference_population(net, "drive", t->n_post, "spike_generator");
    reference_set_all(net, post, "E_L", 0.0, "V_m", 0.0, "V_reset", 0.0, "V_th", 5000.0, "t_ref", 0.0, "tau_m", 0.001, NULL);
    for (int i = 0; i < t->n_post; i++) {
        reference_list at = { t->post[i].n, malloc((size_t)t->post[i].n * sizeof(double) + 1) };
        for (int64_t k = 0; k < at.n; k++) at.x[k] = t->post[i].x[k] - t->h;
        ENSURE_OK(net, rv_set_spike_times(net, drive, i, at.x, at.n));
        reference_list_free(&at);
    }
    rv_connect_def drives = { .source = rv_all(drive), .target = rv_all(post), .rule = "one_to_one", .weight = rv_number(1e6), .delay = rv_number(t->h) };
    ENSURE_OK(net, rv_connect(net, &drives, NULL));
    return post;
}

told told_new(const trains *t, const synapse *s)
{
    rv_setting settings[24];
    int        n_settings = s->n_settings;
    told       n = { .net = reference_net((rv_net_def){ .resolution = t->h, .timing = t->timing, .threads = t->threads }) };
    n.pre = reference_population(n.net, "pre", t->n_pre, "spike_generator");
    for (int j = 0; j < t->n_pre; j++) ENSURE_OK(n.net, rv_set_spike_times(n.net, n.pre, j, t->pre[j].x, t->pre[j].n));
    n.post = add_post(n.net, t);
    memcpy(settings, s->settings, (size_t)n_settings * sizeof *settings);
    if (s->dendritic_fraction >= 0) settings[n_settings++] = (rv_setting){ "dendritic_fraction", rv_number(s->dendritic_fraction) };
    rv_connect_def def = { .source = rv_all(n.pre), .target = rv_all(n.post), .rule = "all_to_all", .weight = rv_number(s->w0), .delay = rv_number(s->delay),
                           .plasticity = s->rule, .settings = settings, .n_settings = n_settings };
    ENSURE_OK(n.net, rv_connect(n.net, &def, &n.projection));
    return n;
}

void told_weights_on_arrival(const trains *t, const synapse *s, double duration_ms, double *weights)
{
    told     n = told_new(t, s);
    rv_probe probe;
    ENSURE_OK(n.net, rv_record_weights(n.net, n.projection, t->h, &probe));
    ENSURE_OK(n.net, rv_run(n.net, duration_ms));
    reference_list samples = reference_samples(n.net, probe);
    for (int64_t k = 0; k < t->pre[0].n; k++) weights[k] = samples.x[(int64_t)rint((t->pre[0].x[k] + s->delay) / t->h) - 1];
    reference_list_free(&samples);
    rv_net_free(n.net);
}

/* ---- random trains ---------------------------------------------------------------------------------------------- */

static reference_list random_train(rv_random *random, double unit, bool twice)
{
    reference_list list = { 0, malloc(2 * TOLD_DURATION * sizeof(double)) };
    for (int ms = 1; ms < TOLD_DURATION - 1; ms++) {
        if (random_below(random, 6) != 0) continue;
        double offset = random_below(random, 2) ? unit * (double)random_below(random, (uint64_t)(1 / unit)) : 0;
        list.x[list.n++] = ms + offset;
        if (twice && random_below(random, 10) == 0) list.x[list.n] = list.x[list.n - 1], list.n++;
    }
    return list;
}

trains random_trains(rv_timing timing)
{
    trains    t = { .h = 0.125, .timing = timing, .n_pre = MAX_PRE, .n_post = MAX_POST };
    double    unit = timing == RV_GRID ? t.h : 1.0 / 1024;
    rv_random random = random_stream(7, RANDOM_USER, (uint32_t)timing, 0);
    for (int j = 0; j < MAX_PRE; j++) t.pre[j] = random_train(&random, unit, true);
    for (int i = 0; i < MAX_POST; i++) t.post[i] = random_train(&random, unit, false);
    return t;
}

void free_trains(trains *t)
{
    for (int j = 0; j < t->n_pre; j++) reference_list_free(&t->pre[j]);
    for (int i = 0; i < t->n_post; i++) reference_list_free(&t->post[i]);
}

/* ---- the twin --------------------------------------------------------------------------------------------------- */

double twin_pre(const twin_synapse *s, int64_t k) { return s->pre.x[k] + s->axonal; }
double twin_post(const twin_synapse *s, int64_t k) { return s->post.x[k] + s->dendritic; }

double twin_live(twin_synapse *s, double now, rv_timing timing)
{
    for (;;) {
        double pre = s->n_pre < s->pre.n ? twin_pre(s, s->n_pre) : INFINITY, post = s->n_post < s->post.n ? twin_post(s, s->n_post) : INFINITY;
        bool   end = post > now && (timing == RV_EXACT ? pre >= now : pre > now);
        if (s->until) s->until(s, fmin(now, fmin(pre, post)));
        if (end) return s->w;
        if (post < pre || (post == pre && s->dendritic > 0)) s->on_post(s, post), s->n_post++;
        else s->on_pre(s, pre), s->n_pre++;
    }
}

static twin_synapse twin_of(const twin_synapse *twin, const synapse *s, reference_list pre, reference_list post)
{
    twin_synapse own = *twin;
    own.dendritic = s->dendritic_fraction * s->delay, own.axonal = s->delay - own.dendritic;
    own.pre = pre, own.post = post, own.w = s->w0;
    return own;
}

/* A sample at t knows what has reached a synapse at t - dendritic. */
double told_compare(const trains *t, const synapse *s, const twin_synapse *twin, double tolerance, void (*prepare)(told *n), const char *name)
{
    told     n = told_new(t, s);
    rv_probe probe;
    double   final[MAX_PRE * MAX_POST], worst = 0;
    if (prepare) prepare(&n);
    ENSURE_OK(n.net, rv_record_weights(n.net, n.projection, 1, &probe));
    ENSURE_OK(n.net, rv_run(n.net, TOLD_DURATION));
    ENSURE_OK(n.net, rv_synapses(n.net, n.projection, NULL, NULL, final, NULL));
    reference_list samples = reference_samples(n.net, probe);
    int            columns = t->n_pre * t->n_post;
    for (int c = 0; c < columns; c++) {
        twin_synapse own = twin_of(twin, s, t->pre[c / t->n_post], t->post[c % t->n_post]);
        for (int64_t k = 0; k < samples.n / columns; k++) {
            double now = (double)(k + 1), expected = twin_live(&own, now - own.dendritic, t->timing);
            ENSURE_NEAR_IN(samples.x[k * columns + c], expected, tolerance, "(weight)", "%s, %s, delay %g ms, dendritic %g: synapse %d at %g ms", name,
                           t->timing == RV_GRID ? "grid" : "exact", s->delay, s->dendritic_fraction, c, now);
            worst = fmax(worst, fabs(samples.x[k * columns + c] - expected));
        }
        ENSURE_NEAR_IN(final[c], own.w, tolerance, "(weight)", "%s: synapse %d at the end", name, c);
    }
    reference_list_free(&samples);
    rv_net_free(n.net);
    return worst;
}

void told_compare_all(synapse s, const twin_synapse *twin, double tolerance, const char *name)
{
    static const struct {
        rv_timing timing;
        double    delay, fraction;
    } places[] = { { RV_GRID, 2, 0 },    { RV_GRID, 2, 0.5 },     { RV_GRID, 2, 1 },         { RV_GRID, 5, 0.1 },       { RV_GRID, 0.125, 0 },    { RV_GRID, 0.125, 1 },
                   { RV_EXACT, 2, 0.5 }, { RV_EXACT, 2, 1 },      { RV_EXACT, 0.3125, 1 },   { RV_EXACT, 2, 0.25 },      { RV_EXACT, 2, 0.03125 } };
    double worst = 0;
    for (int k = 0; k < (int)(sizeof places / sizeof *places); k++) {
        trains t = random_trains(places[k].timing);
        s.delay = places[k].delay, s.dendritic_fraction = places[k].fraction;
        for (t.threads = 1; t.threads <= 3; t.threads += 2) worst = fmax(worst, told_compare(&t, &s, twin, tolerance, NULL, name));
        free_trains(&t);
    }
    print_message("%-28s largest deviation from the twin %.2g, allowed %.2g\n", name, worst, tolerance);
}
