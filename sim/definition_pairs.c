/* The pairs of rule list that come in blocks, from a file for example: counted, then placed by source, so that the lists of the
 * definition are the only copy there ever is. */
#include <stdlib.h>

#include "sim/definition.h"
#include "sim/error.h"

typedef struct placer {
    const rv_connect_def *def;
    projection_def       *p;
    const char           *object;
    rv_error             *error;
    int64_t              *next;   /* [source.count + 1] counts, then the next free place of each source */
    int64_t               n;      /* pairs so far */
    double               *weight, *delay;
    bool                  weights, delays;
} placer;

static rv_status check_number(const placer *w, const char *field, int64_t k, int64_t number, int64_t count)
{
    if (number >= 0 && number < count) return RV_OK;
    return error_set(w->error, RV_OUT_OF_RANGE, "%s: %s[%lld] = %lld, allowed 0 to %lld", w->object, field, (long long)(w->n + k), (long long)number, (long long)count - 1);
}

static rv_status count_block(placer *w, const rv_pairs *b)
{
    if (w->n == 0) w->weights = b->weights, w->delays = b->delays;
    for (int64_t k = 0; k < b->n; k++) {
        TRY(check_number(w, "sources", k, b->sources[k], w->p->source.count));
        TRY(check_number(w, "targets", k, b->targets[k], w->p->target.count));
        w->next[b->sources[k]]++;
    }
    return RV_OK;
}

static rv_status place_block(placer *w, const rv_pairs *b)
{
    projection_def *p = w->p;
    for (int64_t k = 0; k < b->n; k++) {
        TRY(check_number(w, "sources", k, b->sources[k], p->source.count));
        TRY(check_number(w, "targets", k, b->targets[k], p->target.count));
        int64_t at = w->next[b->sources[k]]++;
        if (at >= p->n_list || p->sources[at] != b->sources[k]) return error_set(w->error, RV_CONFLICT, "%s: the pairs are others the second time", w->object);
        p->targets[at] = (int32_t)b->targets[k];
        if (w->weight) w->weight[at] = b->weights[k];
        if (w->delay) w->delay[at] = b->delays[k];
    }
    return RV_OK;
}

static rv_status run(placer *w, rv_status (*take)(placer *, const rv_pairs *))
{
    rv_pairs block = { 0 };
    w->n = 0;
    for (bool first = true;; first = false) {
        rv_status status = w->def->pairs(w->def->pairs_user, first, &block);
        if (status != RV_OK) return error_set(w->error, status, "%s: its list of pairs could not be read", w->object);
        if (block.n <= 0) return RV_OK;
        if (w->n > 0 && (!block.weights != !w->weights || !block.delays != !w->delays)) return error_set(w->error, RV_CONFLICT, "%s: only some blocks of pairs have weights or delays", w->object);
        TRY(take(w, &block));
        w->n += block.n;
    }
}

/* Turns the counts into the first place of each source, which its pairs then have in the list. */
static rv_status allocate(placer *w)
{
    projection_def *p = w->p;
    size_t          n = (size_t)w->n + 1;
    p->n_list = w->n;
    p->sources = malloc(n * sizeof *p->sources), p->targets = malloc(n * sizeof *p->targets);
    if (w->weights) w->weight = malloc(n * sizeof *w->weight), p->weight = rv_list(w->weight, p->n_list);
    if (w->delays) w->delay = malloc(n * sizeof *w->delay), p->delay = rv_list(w->delay, p->n_list);
    if (!p->sources || !p->targets || (w->weights && !w->weight) || (w->delays && !w->delay)) return error_memory(w->error, w->object, (double)n * 24);
    int64_t sum = 0;
    for (int64_t i = 0; i < p->source.count; i++) {
        int64_t count = w->next[i];
        w->next[i] = sum;
        for (; count > 0; count--) p->sources[sum++] = (int32_t)i;
    }
    return RV_OK;
}

rv_status definition_take_pairs(const rv_connect_def *def, projection_def *p, const char *object, rv_error *error)
{
    placer w = { .def = def, .p = p, .object = object, .error = error };
    w.next = calloc((size_t)p->source.count + 1, sizeof *w.next);
    if (!w.next) return error_memory(error, object, (double)p->source.count * 8);
    rv_status status = run(&w, count_block);
    int64_t   n = w.n;
    if (status == RV_OK) status = allocate(&w);
    if (status == RV_OK) status = run(&w, place_block);
    if (status == RV_OK && w.n != n) status = error_set(error, RV_CONFLICT, "%s: the pairs are others the second time", object);
    free(w.next);
    return status;
}

rv_status definition_next_pairs(void *user, bool first, rv_pairs *pairs)
{
    definition_pairs *d = user;
    if (first) d->next = 0;
    int64_t n = d->of->n_list - d->next < PAIRS_AT_ONCE ? d->of->n_list - d->next : PAIRS_AT_ONCE;
    for (int64_t k = 0; k < n; k++) d->source[k] = d->of->sources[d->next + k], d->target[k] = d->of->targets[d->next + k];
    d->next += n;
    *pairs = (rv_pairs){ .n = n, .sources = d->source, .targets = d->target };
    return RV_OK;
}
