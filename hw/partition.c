/* The state of a partition, and how it changes when one vertex moves. */
#include "hw/partition.h"

#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/memory.h"

enum { AHEAD = 6 }; /* nets whose entries, which lie anywhere, are fetched before they are needed */

/* ---- the hypergraph by vertex ----------------------------------------------------------------------------------- */

static int64_t n_pins(const hypergraph *h) { return h->row[h->n_nets]; }

static void transpose_pins(hypergraph *h, int64_t *next)
{
    for (int64_t k = 0; k < n_pins(h); k++) h->begin[h->pin[k] + 1]++;
    for (int32_t v = 0; v < h->n_vertices; v++) h->begin[v + 1] += h->begin[v];
    memcpy(next, h->begin, (size_t)h->n_vertices * sizeof *next);
    for (int32_t j = 0; j < h->n_nets; j++)
        for (int64_t k = h->row[j]; k < h->row[j + 1]; k++) {
            int64_t at = next[h->pin[k]]++;
            h->net[at] = j;
            if (h->format) h->net_format[at] = h->format[k];
        }
}

static void transpose_sources(hypergraph *h, int64_t *next)
{
    for (int32_t j = 0; j < h->n_nets; j++)
        if (h->source[j] >= 0) h->sends[h->source[j] + 1]++;
    for (int32_t v = 0; v < h->n_vertices; v++) h->sends[v + 1] += h->sends[v];
    memcpy(next, h->sends, (size_t)h->n_vertices * sizeof *next);
    for (int32_t j = 0; j < h->n_nets; j++)
        if (h->source[j] >= 0) h->sent[next[h->source[j]]++] = j;
}

rv_status hypergraph_transpose(hypergraph *h, rv_error *error)
{
    size_t   n = (size_t)h->n_vertices, m = (size_t)n_pins(h);
    int64_t *next = malloc((n + 1) * sizeof *next);
    h->begin = calloc(n + 2, sizeof *h->begin);
    h->sends = calloc(n + 2, sizeof *h->sends);
    h->sent = calloc((size_t)h->n_nets + 1, sizeof *h->sent);
    h->net = memory_new(m * sizeof *h->net);
    if (h->format) h->net_format = memory_new(m);
    bool have = next && h->begin && h->sends && h->sent && h->net && (!h->format || h->net_format);
    if (have) transpose_pins(h, next), transpose_sources(h, next);
    free(next);
    return have ? RV_OK : error_memory(error, "the synapses by target", (double)m * 5);
}

void hypergraph_free(hypergraph *h)
{
    size_t m = h->row ? (size_t)n_pins(h) : 0;
    memory_free(h->net, m * sizeof *h->net);
    memory_free(h->net_format, m);
    free(h->begin), free(h->sends), free(h->sent);
    h->net = NULL, h->net_format = NULL, h->begin = h->sends = NULL, h->sent = NULL;
}

/* ---- tallies ---------------------------------------------------------------------------------------------------- */

/* The first entry whose key is not below. */
static int32_t lower_bound(const tally *t, int32_t key)
{
    int32_t low = 0, high = t->n;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (t->key[middle] < key) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool tally_grow(tally *t)
{
    int32_t  capacity = t->capacity ? 2 * t->capacity : 4;
    int32_t *grown = realloc(t->key, 2 * (size_t)capacity * sizeof *grown);
    if (!grown) return false;
    memmove(grown + capacity, grown + t->capacity, (size_t)t->n * sizeof *grown);
    t->key = grown, t->capacity = capacity;
    return true;
}

/* Moves the entries from `at` on by one place: up if by = 1, down if -1. */
static void tally_shift(tally *t, int32_t at, int by)
{
    size_t bytes = (size_t)(t->n - at) * sizeof *t->key;
    memmove(t->key + at + by, t->key + at, bytes);
    memmove(tally_counts(t) + at + by, tally_counts(t) + at, bytes);
    t->n += by;
}

/* Adds n (which may be negative) to a key. @return the count then, -1 without memory */
static int32_t tally_add(tally *t, int32_t key, int32_t n)
{
    int32_t at = lower_bound(t, key);
    if (at < t->n && t->key[at] == key) {
        int32_t count = tally_counts(t)[at] += n;
        if (count == 0) tally_shift(t, at + 1, -1);
        return count;
    }
    if (t->n == t->capacity && !tally_grow(t)) return -1;
    tally_shift(t, at, 1);
    t->key[at] = key, tally_counts(t)[at] = n;
    return n;
}

static int32_t key_of(int32_t part, int format) { return part << PARTITION_FORMAT_BITS | format; }
static int32_t part_of(int32_t key) { return key >> PARTITION_FORMAT_BITS; }

/* Whether a net has pins in a part, of whatever format. */
static bool touches(const tally *net, int32_t part)
{
    int32_t at = lower_bound(net, key_of(part, 0));
    return at < net->n && part_of(net->key[at]) == part;
}

/* ---- use and excess --------------------------------------------------------------------------------------------- */

/* How far above a limit, in thousandths of it, and at least 1. */
static int64_t over(int64_t use, int64_t most) { return use <= most ? 0 : 1 + (int64_t)(1000 * (double)(use - most) / (double)most); }

static void add_use(partition *p, int32_t part, hw_resource r, int64_t n)
{
    int64_t *use = &p->state[part].use[r], most = p->limits->most[r];
    p->excess += over(*use + n, most) - over(*use, most);
    *use += n;
}

static void count_user(partition *p, int32_t part, hw_resource r, tally *users, int32_t key, int32_t n)
{
    int32_t before = users->n;
    if (tally_add(users, key, n) < 0) p->failed = true;
    if (users->n != before) add_use(p, part, r, users->n - before);
}

static int64_t bits(const partition *p, int format, int64_t n)
{
    return p->limits->encoding ? hw_synapse_bits(&p->limits->encoding[format], n) : 0;
}

/* A net begins (n = 1) or ceases (n = -1) to reach a part. */
static void reach(partition *p, int32_t net, int32_t part, int n)
{
    int32_t source = p->h->source[net], home = source >= 0 ? p->part[source] : -1;
    p->excess += over(p->fan_out[net] + n, p->limits->fan_out) - over(p->fan_out[net], p->limits->fan_out);
    p->fan_out[net] += n;
    if (!(p->limits->own_part_is_free && home == part)) p->cost += n * p->h->weight[net];
    add_use(p, part, HW_USE_INPUT_AXONS, n);
    if (home >= 0) add_use(p, home, HW_USE_OUTPUT_AXONS, n);
}

/* n synapses (negative: fewer) of a net in a part. */
static void add_pins(partition *p, int32_t net, int32_t part, int format, int32_t n)
{
    tally  *t = &p->net[net];
    int32_t before_n = t->n, after = tally_add(t, key_of(part, format), n), before = after - n;
    if (after < 0) {
        p->failed = true;
        return;
    }
    add_use(p, part, HW_USE_MEMORY, bits(p, format, after) - bits(p, format, before));
    if (t->n == before_n) return;
    int sign = n > 0 ? 1 : -1;
    count_user(p, part, HW_USE_FORMATS, &p->state[part].format, format, sign);
    if (p->limits->formats && p->limits->formats[format].learning) {
        add_use(p, part, HW_USE_INPUT_AXONS, sign * (p->limits->learning_axons - 1));
        count_user(p, part, HW_USE_TRACES, &p->state[part].trace, p->limits->formats[format].trace, sign);
    }
    /* the entry came or went: was, or is, it the only one of this part? */
    int32_t at = lower_bound(t, key_of(part, 0)), others = 0;
    while (at < t->n && part_of(t->key[at]) == part) at++, others++;
    if (others == (n > 0)) reach(p, net, part, sign);
}

/* ---- moving ----------------------------------------------------------------------------------------------------- */

static void join(partition *p, int32_t v, int32_t part)
{
    part_state *s = &p->state[part];
    if (s->n_members == s->capacity) {
        int32_t  capacity = s->capacity ? 2 * s->capacity : 16;
        int32_t *grown = realloc(s->member, (size_t)capacity * sizeof *grown);
        if (!grown) {
            p->failed = true;
            return;
        }
        s->member = grown, s->capacity = capacity;
    }
    p->part[v] = part, p->place[v] = s->n_members;
    s->member[s->n_members++] = v;
}

static void leave(partition *p, int32_t v)
{
    part_state *s = &p->state[p->part[v]];
    int32_t     last = s->member[--s->n_members];
    s->member[p->place[v]] = last, p->place[last] = p->place[v];
    p->part[v] = -1;
}

/* What the vertex itself takes of a part, n = 1, or gives back, n = -1: for that its nets have to be complete. */
static void count_vertex(partition *p, int32_t v, int32_t part, int n)
{
    const hypergraph *h = p->h;
    add_use(p, part, HW_USE_NEURONS, n);
    add_use(p, part, HW_USE_MEMORY, n * p->limits->vertex_memory);
    if (h->profile) count_user(p, part, HW_USE_PROFILES, &p->state[part].profile, h->profile[v], n);
    if (h->threshold) count_user(p, part, HW_USE_THRESHOLDS, &p->state[part].threshold, h->threshold[v], n);
    if (h->setting) count_user(p, part, HW_USE_SETTINGS, &p->state[part].setting, h->setting[v], n);
    for (int64_t k = h->sends[v]; k < h->sends[v + 1]; k++) {
        int32_t net = h->sent[k];
        add_use(p, part, HW_USE_OUTPUT_AXONS, n * p->fan_out[net]);
        if (p->limits->own_part_is_free && touches(&p->net[net], part)) p->cost -= n * h->weight[net];
    }
}

/* The pins of a vertex that belong to one net and format: its synapses from there. @return where they end */
static int64_t run_end(const hypergraph *h, int32_t v, int64_t k)
{
    int64_t end = k + 1;
    while (end < h->begin[v + 1] && h->net[end] == h->net[k] && (!h->net_format || h->net_format[end] == h->net_format[k])) end++;
    return end;
}

void partition_move(partition *p, int32_t v, int32_t to)
{
    const hypergraph *h = p->h;
    int32_t           from = p->part[v];
    if (from == to) return;
    if (from >= 0) count_vertex(p, v, from, -1), leave(p, v);
    for (int64_t k = h->begin[v], end; k < h->begin[v + 1]; k = end) {
        end = run_end(h, v, k);
        int format = h->net_format ? h->net_format[k] : 0;
        if (end + AHEAD < h->begin[v + 1]) __builtin_prefetch(p->net[h->net[end + AHEAD]].key);
        if (from >= 0) add_pins(p, h->net[k], from, format, -(int32_t)(end - k));
        if (to >= 0) add_pins(p, h->net[k], to, format, (int32_t)(end - k));
    }
    if (to >= 0) join(p, v, to), count_vertex(p, v, to, 1);
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

int32_t partition_add(partition *p)
{
    if (p->n_parts == p->capacity) {
        int32_t     capacity = p->capacity ? 2 * p->capacity : 16;
        part_state *grown = realloc(p->state, (size_t)capacity * sizeof *grown);
        if (!grown || capacity > PARTITION_MOST_PARTS) {
            p->failed = true;
            return 0;
        }
        p->state = grown, p->capacity = capacity;
    }
    p->state[p->n_parts] = (part_state){ 0 };
    return p->n_parts++;
}

/* Counting a net at once is much quicker than pin by pin: its parts are gathered, sorted and entered. */
typedef struct gathering {
    int32_t *count;   /* [n_parts << PARTITION_FORMAT_BITS] zero between nets */
    int32_t *key;     /* [n_keys]                                              */
    int32_t  n_keys;
} gathering;

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void gather(const partition *p, gathering *g, int32_t net, const int32_t *part)
{
    const hypergraph *h = p->h;
    g->n_keys = 0;
    for (int64_t k = h->row[net]; k < h->row[net + 1]; k++) {
        if (part[h->pin[k]] < 0) continue;
        int32_t key = key_of(part[h->pin[k]], h->format ? h->format[k] : 0);
        if (g->count[key]++ == 0) g->key[g->n_keys++] = key;
    }
    qsort(g->key, (size_t)g->n_keys, sizeof *g->key, ascending);
}

static void enter_net(partition *p, gathering *g, int32_t net)
{
    for (int32_t k = 0; k < g->n_keys; k++) {
        add_pins(p, net, part_of(g->key[k]), g->key[k] & ((1 << PARTITION_FORMAT_BITS) - 1), g->count[g->key[k]]);
        g->count[g->key[k]] = 0;
    }
}

static rv_status enter_all(partition *p, const int32_t *part, rv_error *error)
{
    const hypergraph *h = p->h;
    gathering         g = { calloc((size_t)p->n_parts + 1, (1 << PARTITION_FORMAT_BITS) * sizeof *g.count), NULL, 0 };
    int64_t           longest = 0;
    for (int32_t j = 0; j < h->n_nets; j++)
        if (h->row[j + 1] - h->row[j] > longest) longest = h->row[j + 1] - h->row[j];
    g.key = malloc((size_t)(longest + 1) * sizeof *g.key);
    bool have = g.count && g.key;
    for (int32_t j = 0; have && j < h->n_nets; j++) gather(p, &g, j, part), enter_net(p, &g, j);
    for (int32_t v = 0; have && v < h->n_vertices; v++)
        if (part[v] >= 0) join(p, v, part[v]), count_vertex(p, v, part[v], 1);
    free(g.count);
    free(g.key);
    return have && !p->failed ? RV_OK : error_memory(error, "the partition", (double)h->n_nets * 64);
}

rv_status partition_open(partition *p, const hypergraph *h, const part_limits *limits, const int32_t *part, int32_t n_parts,
                         rv_error *error)
{
    *p = (partition){ .h = h, .limits = limits };
    p->part = malloc((size_t)(h->n_vertices + 1) * sizeof *p->part);
    p->place = malloc((size_t)(h->n_vertices + 1) * sizeof *p->place);
    p->net = calloc((size_t)h->n_nets + 1, sizeof *p->net);
    p->fan_out = calloc((size_t)h->n_nets + 1, sizeof *p->fan_out);
    if (!p->part || !p->place || !p->net || !p->fan_out) return error_memory(error, "the partition", (double)h->n_nets * 64);
    for (int32_t v = 0; v < h->n_vertices; v++) p->part[v] = -1;
    for (int32_t k = 0; k < n_parts && !p->failed; k++) partition_add(p);
    if (p->failed) return error_memory(error, "the partition", (double)n_parts * sizeof(part_state));
    return enter_all(p, part, error);
}

void partition_close(partition *p)
{
    for (int32_t k = 0; k < p->n_parts; k++) {
        part_state *s = &p->state[k];
        free(s->profile.key), free(s->threshold.key), free(s->setting.key), free(s->format.key), free(s->trace.key);
        free(p->state[k].member);
    }
    for (int32_t j = 0; p->net && j < p->h->n_nets; j++) free(p->net[j].key);
    free(p->state), free(p->part), free(p->place), free(p->net), free(p->fan_out);
    *p = (partition){ 0 };
}

/* ---- gains ------------------------------------------------------------------------------------------------------ */

rv_status partition_gain_open(partition_gain *g, const partition *p, rv_error *error)
{
    *g = (partition_gain){ .pull = calloc((size_t)p->capacity + 1, sizeof *g->pull),
                           .touched = calloc((size_t)p->capacity + 1, sizeof *g->touched) };
    return g->pull && g->touched ? RV_OK : error_memory(error, "the partition", (double)p->capacity * 16);
}

void partition_gain_close(partition_gain *g)
{
    free(g->pull), free(g->touched);
    *g = (partition_gain){ 0 };
}

static inline void pull_to(partition_gain *g, int32_t part, int64_t weight, int n_nets)
{
    partition_pull *pull = &g->pull[part];
    if (pull->weight == 0) g->touched[g->n_touched++] = part;
    pull->weight += weight;
    pull->n_nets += n_nets;
}

/* One net that ends at the vertex with `own` of its synapses. */
static void gain_of_net(partition_gain *g, const partition *p, int32_t net, int32_t own, int32_t from)
{
    const int64_t weight = p->h->weight[net];
    const int32_t source = p->h->source[net], home = p->limits->own_part_is_free && source >= 0 ? p->part[source] : -1;
    const tally   t = p->net[net];
    int32_t       last = -1, n_here = 0;
    for (int32_t k = 0; k < t.n; k++) {
        int32_t part = part_of(t.key[k]);
        if (part == from) n_here += tally_counts(&t)[k];
        if (part != last) pull_to(g, part, weight, 1);
        last = part;
    }
    if (home >= 0 && !touches(&t, home)) pull_to(g, home, weight, 0);
    g->base += weight;
    if (n_here == own && from != home) g->base -= weight; /* the net would no longer reach the part that is left */
    g->n_vertex_nets++;
}

/* Where the nets go that the vertex itself sends: there they would be at home. */
static void gain_of_home(partition_gain *g, const partition *p, int32_t net, int32_t from)
{
    const tally *t = &p->net[net];
    int32_t      last = -1;
    for (int32_t k = 0; k < t->n; k++) {
        int32_t part = part_of(t->key[k]);
        if (part == last) continue;
        if (part == from) g->base += p->h->weight[net];
        pull_to(g, part, p->h->weight[net], 0);
        last = part;
    }
}

static void forget(partition_gain *g)
{
    for (int32_t k = 0; k < g->n_touched; k++) g->pull[g->touched[k]] = (partition_pull){ 0 };
    g->n_touched = g->n_vertex_nets = 0, g->base = 0;
}

static void scale(partition_gain *g, int stride)
{
    for (int32_t k = 0; k < g->n_touched; k++) g->pull[g->touched[k]].weight *= stride, g->pull[g->touched[k]].n_nets *= stride;
    g->base *= stride, g->n_vertex_nets *= stride;
}

void partition_gain_of(partition_gain *g, const partition *p, int32_t v, int stride, int first)
{
    const hypergraph *h = p->h;
    int               turn = stride - first;
    forget(g);
    g->memory = p->limits->vertex_memory;
    for (int64_t k = h->begin[v], end; k < h->begin[v + 1]; k = end) {
        for (end = k + 1; end < h->begin[v + 1] && h->net[end] == h->net[k];) end++;
        for (int64_t s = k; p->limits->encoding && s < end; s++) g->memory += p->limits->encoding[h->net_format ? h->net_format[s] : 0].each;
        if (turn++ % stride) continue;
        if (end + AHEAD * stride < h->begin[v + 1]) __builtin_prefetch(p->net[h->net[end + AHEAD * stride]].key);
        gain_of_net(g, p, h->net[k], (int32_t)(end - k), p->part[v]);
    }
    if (p->limits->own_part_is_free)
        for (int64_t k = h->sends[v]; k < h->sends[v + 1]; k++)
            if (turn++ % stride == 0) gain_of_home(g, p, h->sent[k], p->part[v]);
    if (stride > 1) scale(g, stride);
}

/* ---- tidying ---------------------------------------------------------------------------------------------------- */

static void renumber(partition *p, const int32_t *new_number)
{
    for (int32_t v = 0; v < p->h->n_vertices; v++)
        if (p->part[v] >= 0) p->part[v] = new_number[p->part[v]];
}

void partition_compact(partition *p)
{
    int32_t *new_number = malloc((size_t)(p->n_parts + 1) * sizeof *new_number), n = 0;
    if (!new_number) {
        p->failed = true;
        return;
    }
    for (int32_t k = 0; k < p->n_parts; k++) new_number[k] = -1;
    for (int32_t v = 0; v < p->h->n_vertices; v++)
        if (p->part[v] >= 0 && new_number[p->part[v]] < 0) new_number[p->part[v]] = n++;
    renumber(p, new_number);
    free(new_number);
    int32_t          *part = p->part;
    const hypergraph *h = p->h;
    partition         fresh;
    p->part = NULL;
    bool failed = partition_open(&fresh, h, p->limits, part, n, NULL) != RV_OK;
    partition_close(p);
    *p = fresh;
    p->failed = failed;
    free(part);
}
