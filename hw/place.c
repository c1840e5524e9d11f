#include "hw/place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/metis_divide.h"
#include "sim/error.h"

enum { MOST_PASSES = 20 };

/* ---- the mesh --------------------------------------------------------------------------------------------------- */

mesh mesh_of(const hw_chip *chip, int32_t n_chips)
{
    return (mesh){ .n_chips = n_chips, .chips_x = (int32_t)ceil(sqrt(n_chips)), .x = (int32_t)hw_value(chip, HW_MESH_X),
                   .y = (int32_t)hw_value(chip, HW_MESH_Y), .tile_cores = (int32_t)hw_value(chip, HW_TILE_CORES),
                   .cores = (int32_t)hw_value(chip, HW_CORES) };
}

void mesh_position(const mesh *m, int32_t place, int32_t *x, int32_t *y)
{
    int32_t chip = place / mesh_places(m), tile = place % mesh_places(m) / m->tile_cores;
    *x = chip % m->chips_x * m->x + tile / m->y;
    *y = chip / m->chips_x * m->y + tile % m->y;
}

/* ---- a Hilbert curve over any rectangle ------------------------------------------------------------------------- */

/* The tiles in the order of the curve. The rectangle that begins at (x, y) and extends by the vectors a and b, the
 * longer first, is cut into parts that are as square as can be (J. Cerveny's generalised Hilbert curve). */
typedef struct curve {
    int32_t *tile; /* result */
    int32_t  n, height;
} curve;

typedef struct vector {
    int x, y;
} vector;

static int    sign(int x) { return (x > 0) - (x < 0); }
static int    half(int x) { return x >= 0 ? x / 2 : -((1 - x) / 2); } /* rounded down */
static int    length(vector v) { return abs(v.x + v.y); }
static vector plus(vector a, vector b) { return (vector){ a.x + b.x, a.y + b.y }; }
static vector minus(vector a, vector b) { return (vector){ a.x - b.x, a.y - b.y }; }
static vector unit(vector v) { return (vector){ sign(v.x), sign(v.y) }; }

static void follow(curve *c, vector at, vector a, vector b)
{
    vector step = length(b) == 1 ? unit(a) : unit(b);
    int    n = length(b) == 1 ? length(a) : length(b);
    if (length(a) == 1 || length(b) == 1) {
        for (int k = 0; k < n; k++, at = plus(at, step)) c->tile[c->n++] = at.x * c->height + at.y;
        return;
    }
    vector a2 = { half(a.x), half(a.y) }, b2 = { half(b.x), half(b.y) };
    if (2 * length(a) > 3 * length(b)) {
        if (length(a2) % 2 && length(a) > 2) a2 = plus(a2, unit(a));
        follow(c, at, a2, b);
        follow(c, plus(at, a2), minus(a, a2), b);
        return;
    }
    if (length(b2) % 2 && length(b) > 2) b2 = plus(b2, unit(b));
    follow(c, at, b2, a2);
    follow(c, plus(at, b2), a, minus(b, b2));
    vector back = plus(minus(a, unit(a)), minus(b2, unit(b)));
    follow(c, plus(at, back), (vector){ -b2.x, -b2.y }, minus(a2, a));
}

static void follow_mesh(curve *c, const mesh *m)
{
    c->height = m->y;
    if (m->x >= m->y) follow(c, (vector){ 0, 0 }, (vector){ m->x, 0 }, (vector){ 0, m->y });
    else follow(c, (vector){ 0, 0 }, (vector){ 0, m->y }, (vector){ m->x, 0 });
}

/* ---- the order of the cores ------------------------------------------------------------------------------------- */

typedef struct placing {
    const core_traffic *traffic;
    const mesh         *m;
    const int32_t      *chip_of;
    int32_t            *place;   /* [n]                                       */
    int32_t            *at;      /* [all places] the core there, -1: none     */
    int32_t            *px, *py; /* [all places] coordinates                  */
} placing;

/* One chip's cores and their traffic as METIS wants it. */
typedef struct chip_graph {
    idx_t n, *core, *number, *xadj, *adjncy, *weight, *part;
} chip_graph;

static void fill_chip_graph(chip_graph *g, const placing *w, double scale)
{
    idx_t to = 0;
    for (idx_t k = 0; k < g->n; k++) {
        g->xadj[k] = to;
        for (int64_t e = w->traffic->begin[g->core[k]]; e < w->traffic->begin[g->core[k] + 1]; e++) {
            if (g->number[w->traffic->other[e]] < 0) continue;
            g->adjncy[to] = g->number[w->traffic->other[e]];
            g->weight[to++] = 1 + (idx_t)(scale * w->traffic->rate[e]);
        }
    }
    g->xadj[g->n] = to;
}

static double total_traffic(const core_traffic *t)
{
    double sum = 0;
    for (int64_t e = 0; e < t->begin[t->n]; e++) sum += t->rate[e];
    return sum;
}

/* Numbers the leaves of a recursive bisection: cores of neighbouring leaves have much to say to each other. */
static rv_status bisect(chip_graph *g, const placing *w, uint64_t seed, rv_error *error)
{
    idx_t  n_parts = g->n < w->m->x * w->m->y ? g->n : w->m->x * w->m->y;
    double total = total_traffic(w->traffic);
    memset(g->part, 0, (size_t)g->n * sizeof *g->part);
    if (n_parts < 2) return RV_OK;
    fill_chip_graph(g, w, total > 0 ? 0x1p29 / total : 0);
    return metis_divide(&(metis_graph){ g->n, g->xadj, g->adjncy, NULL, g->weight }, n_parts, seed, g->part, error);
}

typedef struct ordered_core {
    idx_t part, core;
} ordered_core;

static int by_part(const void *a, const void *b)
{
    const ordered_core *x = a, *y = b;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return (x->core > y->core) - (x->core < y->core);
}

/* Fills the places of a chip along the curve. */
static void lay_out(const placing *w, const chip_graph *g, const curve *c, int32_t chip, ordered_core *order)
{
    for (idx_t k = 0; k < g->n; k++) order[k] = (ordered_core){ g->part[k], g->core[k] };
    qsort(order, (size_t)g->n, sizeof *order, by_part);
    for (idx_t k = 0; k < g->n; k++) {
        int32_t place = chip * mesh_places(w->m) + c->tile[k / w->m->tile_cores] * w->m->tile_cores + k % w->m->tile_cores;
        w->place[order[k].core] = place;
        w->at[place] = order[k].core;
    }
}

static rv_status order_chips(placing *w, uint64_t seed, rv_error *error)
{
    size_t        n = (size_t)w->traffic->n, edges = (size_t)w->traffic->begin[n];
    idx_t        *block = malloc((5 * n + 2 * edges + 8) * sizeof *block);
    ordered_core *order = malloc((n + 1) * sizeof *order);
    curve         c = { malloc((size_t)mesh_places(w->m) * sizeof(int32_t)), 0, 0 };
    rv_status     status = block && order && c.tile ? RV_OK : error_memory(error, "placing cores", (double)edges * 8);
    if (status == RV_OK) follow_mesh(&c, w->m);
    for (int32_t chip = 0; status == RV_OK && chip < w->m->n_chips; chip++) {
        chip_graph g = { 0, block, block + n, block + 2 * n, block + 4 * n + 2, block + 4 * n + 2 + edges, block + 3 * n + 1 };
        for (size_t k = 0; k < n; k++) {
            g.number[k] = w->chip_of[k] == chip ? g.n : -1;
            if (w->chip_of[k] == chip) g.core[g.n++] = (idx_t)k;
        }
        status = bisect(&g, w, seed, error);
        if (status == RV_OK) lay_out(w, &g, &c, chip, order);
    }
    free(block);
    free(order);
    free(c.tile);
    return status;
}

/* ---- changing places -------------------------------------------------------------------------------------------- */

/* Messages times hops of a core if it were at a place. */
static double hops_at(const placing *w, int32_t core, int32_t place, int32_t without)
{
    double sum = 0;
    for (int64_t e = w->traffic->begin[core]; e < w->traffic->begin[core + 1]; e++) {
        int32_t other = w->traffic->other[e];
        if (other == without) continue; /* their distance does not change */
        int32_t there = w->place[other];
        sum += w->traffic->rate[e] * (abs(w->px[place] - w->px[there]) + abs(w->py[place] - w->py[there]));
    }
    return sum;
}

/* Lets what is on two places of a chip change places if that saves hops. */
static bool try_exchange(placing *w, int32_t a, int32_t b)
{
    int32_t core_a = w->at[a], core_b = w->at[b];
    double  saved = 0;
    if (core_a < 0 && core_b < 0) return false;
    if (core_a >= 0) saved += hops_at(w, core_a, a, core_b) - hops_at(w, core_a, b, core_b);
    if (core_b >= 0) saved += hops_at(w, core_b, b, core_a) - hops_at(w, core_b, a, core_a);
    if (saved <= 1e-9) return false;
    w->at[a] = core_b, w->at[b] = core_a;
    if (core_a >= 0) w->place[core_a] = b;
    if (core_b >= 0) w->place[core_b] = a;
    return true;
}

/* All pairs of places of all chips. @return how many changed */
static int64_t exchange_all(placing *w)
{
    int64_t n = 0;
    int32_t places = mesh_places(w->m);
    for (int32_t chip = 0; chip < w->m->n_chips; chip++)
        for (int32_t a = chip * places; a < (chip + 1) * places; a++)
            for (int32_t b = a / w->m->tile_cores * w->m->tile_cores + w->m->tile_cores; b < (chip + 1) * places; b++) n += try_exchange(w, a, b);
    return n;
}

rv_status place_cores(const core_traffic *traffic, const mesh *m, const int32_t *chip_of, uint64_t seed, int32_t *place, rv_error *error)
{
    size_t  all = (size_t)m->n_chips * (size_t)mesh_places(m);
    placing w = { traffic, m, chip_of, place, malloc((all + 1) * sizeof(int32_t)), malloc((all + 1) * sizeof(int32_t)),
                  malloc((all + 1) * sizeof(int32_t)) };
    bool    have = w.at && w.px && w.py;
    for (size_t k = 0; have && k < all; k++) {
        w.at[k] = -1;
        mesh_position(m, (int32_t)k, &w.px[k], &w.py[k]);
    }
    rv_status status = have ? order_chips(&w, seed, error) : error_memory(error, "placing cores", (double)all * 12);
    for (int k = 0; status == RV_OK && k < MOST_PASSES; k++)
        if (exchange_all(&w) == 0) break;
    free(w.at), free(w.px), free(w.py);
    return status;
}
