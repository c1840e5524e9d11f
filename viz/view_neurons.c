/* What is done to neurons: traced, poked, given a current, looked up, selected. On the screen they are counted from 1,
 * as in scripts. */
#include "viz/view_actions.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double READABLE_PITCH = 5; /* points from neuron to neuron where one was looked for */

static const char *population_name(const feed *f, view_neuron n) { return f->population[n.population].name; }

static bool same(view_neuron a, view_neuron b) { return a.population == b.population && a.neuron == b.neuron; }

/* Recordings cannot be touched. */
static bool can_touch(view *v, const feed *f, view_neuron n, const char *what)
{
    v->last_clicked = n;
    if (!f->live)
        view_note(v, "%s %lld: this is a recording, %s", population_name(f, n), (long long)n.neuron + 1, what);
    return f->live;
}

static void send(view *v, feed *f, feed_command command)
{
    if (!feed_send(f, command)) view_note(v, "the simulation is busy and did not take that");
}

/* ---- traces ---------------------------------------------------------------------------------------------------- */

void view_set_trace(view *v, feed *f, int slot, view_neuron n)
{
    feed_command_kind kind = n.population >= 0 ? FEED_TRACE_ON : FEED_TRACE_OFF;
    int64_t           newest = 0;
    for (int k = 0; k < FEED_TRACES; k++)
        if (v->traced_since[k] > newest) newest = v->traced_since[k];
    v->traced[slot] = n;
    v->traced_since[slot] = newest + 1;
    send(v, f, (feed_command){ .kind = kind, .index = slot, .population = n.population, .neuron = n.neuron });
}

/* A free slot, else that of the oldest trace. */
static int slot_for(const view *v)
{
    int oldest = 0;
    for (int k = 0; k < FEED_TRACES; k++) {
        if (v->traced[k].population < 0) return k;
        if (v->traced_since[k] < v->traced_since[oldest]) oldest = k;
    }
    return oldest;
}

static int slot_of(const view *v, view_neuron n)
{
    for (int k = 0; k < FEED_TRACES; k++)
        if (same(v->traced[k], n)) return k;
    return -1;
}

void view_toggle_trace(view *v, feed *f, view_neuron n)
{
    int slot = slot_of(v, n);
    v->undo_slot = -1;
    v->last_clicked = n;
    if (!f->population[n.population].variable[0]) {
        view_note(v, f->live ? "\"%s\" has no membrane potential to show" : "of \"%s\" no states were recorded", population_name(f, n));
        return;
    }
    v->undo_slot = slot >= 0 ? slot : slot_for(v);
    v->undo_neuron = v->traced[v->undo_slot];
    view_set_trace(v, f, v->undo_slot, slot >= 0 ? (view_neuron){ .population = -1 } : n);
}

/* ---- touching -------------------------------------------------------------------------------------------------- */

void view_poke(view *v, feed *f, view_neuron n)
{
    if (!can_touch(v, f, n, "its neurons cannot be poked")) return;
    view_note(v, "%s %lld: one spike", population_name(f, n), (long long)n.neuron + 1);
    send(v, f, (feed_command){ .kind = FEED_POKE, .population = n.population, .neuron = n.neuron });
}

void view_inject(view *v, feed *f, view_neuron n)
{
    if (!can_touch(v, f, n, "no current can be injected")) return;
    view_note(v, "%s %lld: %g pA for %g ms", population_name(f, n), (long long)n.neuron + 1, v->inject_pA,
              FEED_INJECT_MS);
    send(v, f,
         (feed_command){ .kind = FEED_INJECT, .population = n.population, .neuron = n.neuron, .value = v->inject_pA });
}

/* ---- looking up ------------------------------------------------------------------------------------------------ */

/* Reads the number a text ends with. @return the length of what stands before it, without spaces and colon; -1: none */
static int split(const char *text, int64_t *number)
{
    size_t end = strlen(text);
    while (end > 0 && isspace((unsigned char)text[end - 1])) end--;
    size_t digits = end;
    while (digits > 0 && isdigit((unsigned char)text[digits - 1])) digits--;
    if (digits == end || (digits > 0 && !strchr(" \t:", text[digits - 1]))) return -1;
    *number = strtoll(text + digits, NULL, 10);
    while (digits > 0 && strchr(" \t:", text[digits - 1])) digits--;
    return (int)digits;
}

static int population_called(const feed *f, const char *name, int length)
{
    for (int p = 0; p < f->n_populations; p++)
        if ((int)strlen(f->population[p].name) == length && !strncmp(f->population[p].name, name, (size_t)length))
            return p;
    return -1;
}

/* @return false with a notice that says what is wrong */
static bool read_neuron(view *v, const feed *f, const char *text, view_neuron *n)
{
    int64_t number;
    while (isspace((unsigned char)*text)) text++;
    int length = split(text, &number), chosen = v->last_clicked.population >= 0 ? v->last_clicked.population : 0;
    if (length < 0 || f->n_populations == 0) {
        view_note(v, "\"%s\": expected a neuron, such as 123 or %s 123", text,
                  f->n_populations > 0 ? f->population[0].name : "E");
        return false;
    }
    n->population = length > 0 ? population_called(f, text, length) : chosen;
    n->neuron = number - 1;
    if (n->population < 0) view_note(v, "no population \"%.*s\"", length, text);
    else if (n->neuron < 0 || n->neuron >= f->population[n->population].size)
        view_note(v, "\"%s\" has the neurons 1 to %lld", population_name(f, *n),
                  (long long)f->population[n->population].size);
    else return true;
    return false;
}

/* Moves and zooms the stack such that the neuron's line is seen, with its neighbours told apart. */
static void bring_into_view(view *v, const feed *f, view_neuron n)
{
    layout l;
    v->visible[n.population] = true;
    if (layout_make(v, f, &l) == RV_OK) {
        int64_t size = f->population[n.population].size;
        double  pitch = l.bands[n.population].height / (double)size, span = v->high - v->low;
        double  at = layout_stack_at(&l, v, raster_neuron_y(l.bands[n.population], size, (double)n.neuron));
        if (pitch < READABLE_PITCH) span *= pitch / READABLE_PITCH;
        if (pitch < READABLE_PITCH || at < v->low || at > v->high) v->low = at - span / 2, v->high = at + span / 2;
    }
    layout_free(&l);
    view_limit(v, f);
}

void view_find(view *v, feed *f, const char *text)
{
    view_neuron n;
    if (!read_neuron(v, f, text, &n)) return;
    if (f->live && f->population[n.population].variable[0] && slot_of(v, n) < 0) view_set_trace(v, f, slot_for(v), n);
    v->last_clicked = n;
    bring_into_view(v, f, n);
    view_note(v, "%s %lld", population_name(f, n), (long long)n.neuron + 1);
}

/* ---- selecting ------------------------------------------------------------------------------------------------- */

/* Adds the neurons of a band between two heights. */
static void add_rows(view_selection *s, const feed_population *population, raster_band band, double top, double bottom)
{
    double size = (double)population->size, lower = fmax(top, band.y), upper = fmin(bottom, band.y + band.height);
    if (!(band.height > 0 && size > 0 && lower < upper)) return;
    double  first = floor((1 - (upper - band.y) / band.height) * size);
    double  last = ceil((1 - (lower - band.y) / band.height) * size) - 1;
    int64_t first_row = population->first_row + (int64_t)fmin(fmax(first, 0), size - 1);
    int64_t last_row = population->first_row + (int64_t)fmin(fmax(last, 0), size - 1);
    if (!s->there || first_row < s->first_row) s->first_row = first_row;
    if (!s->there || last_row > s->last_row) s->last_row = last_row;
    s->there = true;
}

void view_select(view *v, const feed *f, const layout *l, layout_kind panel, double x0, double y0, double x1, double y1)
{
    double         from = layout_ms_at(l, fmin(x0, x1)), to = layout_ms_at(l, fmax(x0, x1)), first, last;
    view_selection s = { .there = false };
    bool           neurons = panel == LAYOUT_RASTER;
    view_extent(f, &first, &last);
    s.from_ms = fmax(fmax(from, v->from_ms), first);
    s.to_ms = fmin(fmin(to, v->to_ms), v->now_ms);
    for (int p = 0; p < f->n_populations; p++)
        add_rows(&s, &f->population[p], l->bands[p], neurons ? fmin(y0, y1) : -INFINITY,
                 neurons ? fmax(y0, y1) : INFINITY);
    if (!s.there || !(s.from_ms < s.to_ms)) return;
    v->selection = s;
    v->panels |= VIEW_SELECTION;
}

void view_zoom_into_selection(view *v, feed *f)
{
    layout l;
    double low = INFINITY, high = -INFINITY;
    if (!v->selection.there) {
        view_note(v, "nothing is selected: drag with the right button");
        return;
    }
    rv_status status = layout_make(v, f, &l);
    for (int p = 0; status == RV_OK && p < f->n_populations; p++) {
        const feed_population *population = &f->population[p];
        double first = fmax((double)(v->selection.first_row - population->first_row), 0);
        double last = fmin((double)(v->selection.last_row - population->first_row), (double)population->size - 1);
        if (!v->visible[p] || first > last) continue;
        low = fmin(low, layout_stack_at(&l, v, raster_neuron_y(l.bands[p], population->size, first - 0.5)));
        high = fmax(high, layout_stack_at(&l, v, raster_neuron_y(l.bands[p], population->size, last + 0.5)));
    }
    layout_free(&l);
    if (low < high) v->low = low, v->high = high;
    view_show(v, f, v->selection.from_ms, v->selection.to_ms);
}
