/* ranvier compare: two recordings of the same populations, spike by spike. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/results.h"
#include "io/script_command.h"
#include "sim/distance.h"
#include "viz/overlay.h"

enum { SENTENCE = 256 };

/* A population that both recordings have. */
typedef struct pair {
    const results_spikes *a, *b;
    rv_trains             in_a, in_b;
    rv_comparison         comparison;
} pair;

typedef struct comparing {
    const char *path[2];
    results    *r[2]; /* A and B */
    double      from_ms, to_ms;
    rv_nearness near;
    pair       *pairs;
    int         n_pairs, n_single; /* populations in both, and in one only */
} comparing;

/* ---- what is compared ------------------------------------------------------------------------------------------- */

static const results_spikes *find_population(const results *r, const char *name)
{
    for (int i = 0; i < results_spikes_count(r); i++)
        if (strcmp(results_spikes_at(r, i)->name, name) == 0) return results_spikes_at(r, i);
    return NULL;
}

/* How long the recording says it is; NAN if it does not. */
static double stated_ms(const results *r)
{
    const char *text = results_attribute(r, "simulated_ms");
    return text ? atof(text) : NAN;
}

/* The time that both recordings cover, as far as they say; else up to the last spike. A spike at 0 or before, which a
 * window from 0 on would leave out, is in it. */
static void choose_window(comparing *c)
{
    double from = 0, last = -INFINITY, stated = fmin(stated_ms(c->r[0]), stated_ms(c->r[1])); /* the one that is a number */
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < results_spikes_count(c->r[k]); i++) {
            const results_spikes *s = results_spikes_at(c->r[k], i);
            if (s->n == 0) continue;
            if (s->times_ms[0] <= from) from = nextafter(s->times_ms[0], -INFINITY);
            last = fmax(last, s->times_ms[s->n - 1]);
        }
    if (isnan(c->from_ms)) c->from_ms = from;
    if (isnan(c->to_ms)) c->to_ms = isnan(stated) ? last : stated;
}

static bool compare_pair(const comparing *c, const results_spikes *a, const results_spikes *b, pair *p)
{
    *p = (pair){ .a = a, .b = b };
    rv_status status = rv_trains_new(a->times_ms, a->neurons, a->n, a->size, c->from_ms, c->to_ms, &p->in_a);
    if (status == RV_OK)
        status = rv_trains_new(b->times_ms, b->neurons, b->n, b->size, c->from_ms, c->to_ms, &p->in_b);
    if (status == RV_OK) status = rv_compare(&p->in_a, &p->in_b, &c->near, &p->comparison);
    return status == RV_OK;
}

static int compare_populations(comparing *c)
{
    int n_a = results_spikes_count(c->r[0]), n_b = results_spikes_count(c->r[1]);
    c->pairs = calloc((size_t)n_a + 1, sizeof *c->pairs);
    for (int i = 0; c->pairs && i < n_a; i++) {
        const results_spikes *a = results_spikes_at(c->r[0], i), *b = find_population(c->r[1], a->name);
        if (b && !compare_pair(c, a, b, &c->pairs[c->n_pairs++]))
            return command_fail(1, "population \"%s\" needs too much memory", a->name);
    }
    c->n_single = n_a + n_b - 2 * c->n_pairs;
    return c->pairs ? 0 : command_fail(1, "no memory left");
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

/* All but one of a million are not all. */
static double short_of_one(double fraction) { return fraction < 1 ? fmin(fraction, 0.9999) : fraction; }

/* "t = 12.3 ms: B lacks a spike of E 17", with neurons numbered as in scripts. */
static void write_divergence(const pair *p, char text[SENTENCE])
{
    const rv_divergence *first = &p->comparison.first;
    snprintf(text, SENTENCE, "t = %.10g ms: %s lacks a spike of %s %" PRId64, first->t_ms, first->in_a ? "B" : "A",
             p->a->name, first->neuron + 1);
    if (isnan(first->t_ms)) snprintf(text, SENTENCE, "none");
}

static void print_head(const comparing *c)
{
    double from_ms = fabs(c->from_ms) < RV_SAME_MS ? 0 : c->from_ms; /* just before a spike at 0 */
    printf("A  %s\nB  %s\n", c->path[0], c->path[1]);
    printf("%.10g to %.10g ms; tau = %g ms, cost = %g per ms, coincident: at most %g ms apart\n\n", from_ms, c->to_ms,
           c->near.tau_ms, c->near.cost_per_ms, c->near.within_ms);
    if (c->n_pairs == 0) return;
    printf("%-14s %9s %21s %19s %17s %17s\n", "", "", "spikes       ", "rate (Hz)    ", "van Rossum   ", "Victor-Purpura ");
    printf("%-14s %9s %10s %10s %9s %9s %8s %8s %8s %8s %10s  %s\n", "population", "neurons", "A", "B", "A", "B", "mean",
           "largest", "mean", "largest", "coincident", "first divergence");
}

static void print_pair(const pair *p)
{
    const rv_comparison *c = &p->comparison;
    char                 divergence[SENTENCE];
    write_divergence(p, divergence);
    printf("%-14s %9" PRId64 " %10" PRId64 " %10" PRId64, p->a->name, c->n_neurons, p->in_a.begin[p->in_a.n_neurons],
           p->in_b.begin[p->in_b.n_neurons]);
    command_print(rv_mean_rate(&p->in_a), 9, "%.3f");
    command_print(rv_mean_rate(&p->in_b), 9, "%.3f");
    command_print(c->van_rossum.mean, 8, "%.3g");
    command_print(c->van_rossum.largest, 8, "%.3g");
    command_print(c->victor_purpura.mean, 8, "%.3g");
    command_print(c->victor_purpura.largest, 8, "%.3g");
    command_print(short_of_one(c->coincident), 10, "%.4f");
    printf("  %s\n", divergence);
}

/* What a reader of the row has to know. */
static void print_notes_on(const comparing *c, const pair *p)
{
    const rv_comparison *found = &p->comparison;
    if (p->a->size != p->b->size)
        printf("%s: %" PRId64 " neurons in A, %" PRId64 " in B\n", p->a->name, p->a->size, p->b->size);
    if (found->every > 1)
        printf("%s: distances are of 1 in %" PRId64 " neurons, drawn evenly\n", p->a->name, found->every);
    if (found->victor_purpura.n < found->van_rossum.n)
        printf("%s: Victor-Purpura without %" PRId64 " neurons of too many spikes within %g ms of each other\n", p->a->name,
               found->van_rossum.n - found->victor_purpura.n, 2 / c->near.cost_per_ms);
}

static void print_notes(const comparing *c)
{
    for (int i = 0; i < c->n_pairs; i++) print_notes_on(c, &c->pairs[i]);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < results_spikes_count(c->r[k]); i++) {
            const results_spikes *s = results_spikes_at(c->r[k], i);
            if (!find_population(c->r[1 - k], s->name))
                printf("%s: only in %c, %" PRId64 " neurons, %" PRId64 " spikes\n", s->name, 'A' + k, s->size, s->n);
        }
        if (stated_ms(c->r[k]) > c->to_ms && stated_ms(c->r[1 - k]) == c->to_ms)
            printf("%c goes on to %.10g ms\n", 'A' + k, stated_ms(c->r[k]));
    }
}

static const pair *first_to_differ(const comparing *c)
{
    const pair *first = NULL;
    for (int i = 0; i < c->n_pairs; i++) {
        double t = c->pairs[i].comparison.first.t_ms;
        if (!isnan(t) && (!first || t < first->comparison.first.t_ms)) first = &c->pairs[i];
    }
    return first;
}

static void print_verdict(const comparing *c)
{
    const pair *first = first_to_differ(c);
    double      matched = 0, spikes = 0, shift = 0;
    char        text[SENTENCE];
    for (int i = 0; i < c->n_pairs; i++) {
        const pair *p = &c->pairs[i];
        matched += 2 * (double)p->comparison.n_matched;
        spikes += (double)(p->in_a.begin[p->in_a.n_neurons] + p->in_b.begin[p->in_b.n_neurons]);
        shift = fmax(shift, p->comparison.first.largest_shift_ms);
    }
    if (first) {
        write_divergence(first, text);
        printf("%s; %.2f %% of the spikes coincide\n", text, 100 * short_of_one(matched / spikes));
    } else if (c->n_pairs == 0) puts("no population is in both");
    else if (shift > 0) printf("the same spikes, at times that differ by up to %.1g ms\n", shift);
    else puts(c->n_single ? "the same spikes in the populations that are in both" : "the same spikes");
}

/* ---- the figure ------------------------------------------------------------------------------------------------- */

/* The last parts of a path. */
static const char *tail(const char *path, int parts)
{
    const char *from = path + strlen(path);
    while (from > path && (from[-1] != '/' || --parts > 0)) from--;
    return from;
}

/* Names without folders; with one where they are the same otherwise. */
static void name_recordings(const comparing *c, overlay *o)
{
    int parts = strcmp(tail(c->path[0], 1), tail(c->path[1], 1)) == 0 ? 2 : 1;
    o->name_a = tail(c->path[0], parts), o->name_b = tail(c->path[1], parts);
}

static int draw(const comparing *c, const char *path)
{
    rv_error            error = { 0 };
    overlay_population *populations = calloc((size_t)c->n_pairs + 1, sizeof *populations);
    overlay             o = { .populations = populations, .n_populations = c->n_pairs, .within_ms = c->near.within_ms };
    if (!populations) return command_fail(1, "no memory left");
    name_recordings(c, &o);
    for (int i = 0; i < c->n_pairs; i++) {
        const pair *p = &c->pairs[i];
        populations[i] =
            (overlay_population){ p->a->name, p->a->inhibitory || p->b->inhibitory, &p->in_a, &p->in_b, &p->comparison };
    }
    rv_status status = overlay_save(&o, path, &error);
    free(populations);
    return status == RV_OK ? 0 : command_fail(1, "%s", error.text);
}

/* ---- the verb --------------------------------------------------------------------------------------------------- */

static int open_both(comparing *c)
{
    for (int k = 0; k < 2; k++) {
        rv_error error = { 0 };
        if (results_read(c->path[k], &c->r[k], &error) != RV_OK) return command_fail(1, "%s", error.text);
        if (results_spikes_count(c->r[k]) == 0)
            return command_fail(1, "\"%s\" holds no spikes to compare", c->path[k]);
    }
    choose_window(c);
    if (c->to_ms > c->from_ms) return 0;
    return command_fail(1, "nothing to compare from %.10g to %.10g ms", c->from_ms, c->to_ms);
}

static int compare(comparing *c, const char *out, bool same)
{
    int status = open_both(c);
    if (status == 0) status = compare_populations(c);
    if (status != 0) return status;
    print_head(c);
    for (int i = 0; i < c->n_pairs; i++) print_pair(&c->pairs[i]);
    print_notes(c);
    if (c->n_pairs) putchar('\n');
    print_verdict(c);
    if (out && c->n_pairs == 0) status = command_fail(1, "no population is in both recordings; nothing to draw");
    else if (out) status = draw(c, out);
    return status == 0 && same && (c->n_single || first_to_differ(c)) ? 1 : status;
}

static void close_both(comparing *c)
{
    for (int i = 0; i < c->n_pairs; i++) {
        rv_trains_free(&c->pairs[i].in_a);
        rv_trains_free(&c->pairs[i].in_b);
        rv_comparison_free(&c->pairs[i].comparison);
    }
    free(c->pairs);
    results_free(c->r[0]);
    results_free(c->r[1]);
}

int command_compare(const command *given)
{
    bool                 same = false;
    comparing            c = { .from_ms = NAN, .to_ms = NAN, .near = { .tau_ms = 10, .cost_per_ms = 0.1, .within_ms = 2 } };
    const char          *out = NULL, *tau = NULL, *cost = NULL, *within = NULL, *from = NULL, *to = NULL;
    const command_option options[] = {
        { "-o", "FIG", "a figure: a file ending in .png, .svg or .pdf", &out, NULL },
        { "--tau", "MS", "time constant of van Rossum's distance (10)", &tau, NULL },
        { "--cost", "PER_MS", "of shifting a spike, Victor and Purpura's distance (0.1)", &cost, NULL },
        { "--within", "MS", "coincident spikes are at most this far apart (2)", &within, NULL },
        { "--from", "MS", "leave out spikes up to this time", &from, NULL },
        { "--to", "MS", "leave out spikes after this time", &to, NULL },
        { "--same", NULL, "exit with status 1 unless the spikes are the same", NULL, &same },
    };
    const command_usage usage = {
        "compare", "A.h5 B.h5 [-o FIG] [options]",
        "Compares two recordings of the same populations, neuron by neuron: rates, distances, coincident\n"
        "spikes, and where they part first. The distance of a neuron that spikes goes from 0 (the same) to 1\n"
        "(no spike is near one of the other): van Rossum's D / sqrt((nA + nB)/2), which exceeds 1 where only\n"
        "one has bursts, and Victor and Purpura's D / (nA + nB). Reads whatever ranvier view reads.",
        options, 7, 2, 2
    };
    int n, status = command_read(given, &usage, c.path, &n);
    if (status >= 0) return status;
    if (!command_number("--tau", tau, 1e-9, 1e15, &c.near.tau_ms) ||
        !command_number("--cost", cost, 0, 1e15, &c.near.cost_per_ms) ||
        !command_number("--within", within, 0, 1e15, &c.near.within_ms) ||
        !command_number("--from", from, -1e15, 1e15, &c.from_ms) || !command_number("--to", to, -1e15, 1e15, &c.to_ms))
        return 2;
    status = compare(&c, out, same);
    close_both(&c);
    return status;
}
