/* Traces of membrane potentials below the rates, one strip each, with the spikes of their neuron. */
#include "viz/curves.h"
#include "viz/screen_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCAN_BATCH = 4096,
    MOST_SCANNED = 1 << 18,         /* spikes per frame that are looked at */
};

/* ---- samples --------------------------------------------------------------------------------------------------- */

static void sum_up(const double *t, const double *value, int64_t n, double block_t[2], double block_value[2])
{
    int64_t low = 0, high = 0;
    for (int64_t k = 1; k < n; k++) {
        if (value[k] < value[low]) low = k;
        if (value[k] > value[high]) high = k;
    }
    int64_t one = low < high ? low : high, two = low < high ? high : low;
    block_t[0] = t[one], block_value[0] = value[one];
    block_t[1] = t[two], block_value[1] = value[two];
}

static void complete_blocks(screen_trace *trace, const history *samples)
{
    double  t[SCREEN_BLOCK], value[SCREEN_BLOCK];
    int64_t first, end;
    history_kept(samples, &first, &end);
    if (trace->blocks * SCREEN_BLOCK < first) trace->blocks = first / SCREEN_BLOCK;
    for (; (trace->blocks + 1) * SCREEN_BLOCK <= end; trace->blocks++) {
        int64_t from = trace->blocks * SCREEN_BLOCK, slot = trace->blocks % SCREEN_BLOCKS;
        int64_t n = history_read(samples, &from, (trace->blocks + 1) * SCREEN_BLOCK - from, t, value);
        if (n > 0) sum_up(t, value, n, trace->t_ms[slot], trace->value[slot]);
    }
}

/* Copies samples [from, end) one by one. @return how many */
static int64_t copy_samples(const history *samples, int64_t from, int64_t end, double *t, double *value)
{
    int64_t n = 0, got;
    while (from < end && (got = history_read(samples, &from, end - from, t + n, value + n)) > 0) from += got, n += got;
    return n;
}

/* What the screen shows of a trace: [2][*room] times and values. @return how many; -1 without memory */
static int64_t visible_samples(const screen_frame *s, int slot, double **t, double **value)
{
    const history *samples = s->feed->trace[slot].samples;
    screen_trace  *trace = &s->state->traces[slot];
    int64_t        first, end, from = history_find(samples, s->view->from_ms);
    int64_t        to = history_find(samples, nextafter(fmin(s->view->to_ms, s->view->now_ms), INFINITY)) + 1, n = 0;
    history_kept(samples, &first, &end);
    from = from > first ? from - 1 : first; /* the line comes in from the left */
    to = to < end ? to : end;
    if (to < from) to = from;
    int64_t block = (from + SCREEN_BLOCK - 1) / SCREEN_BLOCK, last = to / SCREEN_BLOCK;
    last = last < trace->blocks ? last : trace->blocks;
    double  pixels = s->layout->raster.width * canvas_scale(s->canvas);
    bool    single = (double)(to - from) <= SCREEN_BLOCK * pixels || last <= block;
    int64_t room = single ? to - from : 2 * (last - block) + 2 * SCREEN_BLOCK;
    *t = screen_scratch(s->state, room + 1), *value = *t + s->state->scratch_room;
    if (!s->state->scratch) return -1;
    if (single) return copy_samples(samples, from, to, *t, *value);
    n = copy_samples(samples, from, block * SCREEN_BLOCK, *t, *value);
    for (; block < last; block++)
        for (int k = 0; k < 2; k++, n++)
            (*t)[n] = trace->t_ms[block % SCREEN_BLOCKS][k], (*value)[n] = trace->value[block % SCREEN_BLOCKS][k];
    int64_t rest = last * SCREEN_BLOCK;
    if (to - rest > SCREEN_BLOCK) rest = to - SCREEN_BLOCK;
    return n + copy_samples(samples, rest, to, *t + n, *value + n);
}

/* ---- spikes ---------------------------------------------------------------------------------------------------- */

static rv_status keep_spike(screen_trace *trace, double t_ms)
{
    if (trace->n_spikes == trace->room) {
        int64_t room = trace->room > 0 ? 2 * trace->room : 256;
        double *more = realloc(trace->spikes_ms, (size_t)room * sizeof *more);
        if (!more) return RV_OUT_OF_MEMORY;
        trace->spikes_ms = more, trace->room = room;
    }
    trace->spikes_ms[trace->n_spikes++] = t_ms;
    return RV_OK;
}

/* Looks through all spikes that are kept, some of them per frame. */
static rv_status scan_spikes(screen_trace *trace, const feed *f, bool *complete)
{
    double  t[SCAN_BATCH], row[SCAN_BATCH], wanted;
    int64_t n = 0;
    wanted = (double)(f->population[trace->neuron.population].first_row + trace->neuron.neuron);
    for (int64_t done = 0; done < MOST_SCANNED; done += n) {
        n = history_read(f->spikes, &trace->scanned, SCAN_BATCH, t, row);
        if (n <= 0) return RV_OK;
        for (int64_t k = 0; k < n; k++)
            if (row[k] == wanted && keep_spike(trace, t[k]) != RV_OK) return RV_OUT_OF_MEMORY;
        trace->scanned += n;
    }
    *complete = false;
    return RV_OK;
}

static void begin_trace(screen_trace *trace, const feed *f, view_neuron neuron)
{
    int64_t end;
    trace->neuron = neuron;
    trace->blocks = trace->n_spikes = 0;
    trace->low = trace->high = NAN;
    history_kept(f->spikes, &trace->scanned, &end);
}

rv_status screen_traces_update(const screen_frame *s, bool *complete)
{
    rv_status status = RV_OK;
    *complete = true;
    for (int k = 0; k < FEED_TRACES && status == RV_OK; k++) {
        screen_trace *trace = &s->state->traces[k];
        view_neuron   neuron = s->view->traced[k];
        if (neuron.population != trace->neuron.population || neuron.neuron != trace->neuron.neuron)
            begin_trace(trace, s->feed, neuron);
        if (neuron.population < 0) continue;
        complete_blocks(trace, s->feed->trace[k].samples);
        status = scan_spikes(trace, s->feed, complete);
    }
    return status;
}

/* ---- drawing --------------------------------------------------------------------------------------------------- */

/* The axis of the samples that are seen; it grows at once and shrinks only if it is far too long, so that it does not
 * tremble while the line moves. */
static axis steady_axis(screen_trace *trace, const figure_trace *shown, axis time, axis_rect place)
{
    axis a = curves_trace_axis(shown, time.low, time.high);
    if (!(trace->low <= a.low && trace->high >= a.high && a.high - a.low > 0.6 * (trace->high - trace->low)))
        trace->low = a.low, trace->high = a.high;
    a.low = trace->low, a.high = trace->high;
    a.from = place.y + place.height, a.to = place.y;
    return a;
}

static int64_t spikes_until(const screen_trace *trace, double t_ms)
{
    int64_t low = 0, high = trace->n_spikes;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (trace->spikes_ms[middle] <= t_ms) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void name_trace(const screen_frame *s, const screen_trace *trace, axis_rect place, int64_t n_samples)
{
    const feed_population *population = &s->feed->population[trace->neuron.population];
    canvas_font            font = { .size = AXIS_DIGIT,
                                    .colour = view_colour(s->feed, trace->neuron.population),
                                    .longest = place.width };
    bool        unit = axis_has_unit(population->unit);
    screen_text(s, font, place.x + 3, place.y - 2.5, "%s %lld · %s%s%s%s", population->name,
                (long long)trace->neuron.neuron + 1, population->variable, unit ? " (" : "",
                unit ? population->unit : "", unit ? ")" : "");
    if (s->feed->live || n_samples > 0) return;
    font.colour = AXIS_FAINT;
    screen_text(s, font, place.x + 3, place.y + place.height / 2, "not recorded");
}

/* The line as an image; threshold and spikes come over it. Changes times and values to places. */
static rv_status paint_line(const screen_frame *s, const figure_trace *shown, const axis *y, axis_rect place)
{
    double   *px = s->state->scratch, *py = px + s->state->scratch_room;
    rv_status status = screen_lines_begin(s, place);
    if (status != RV_OK) return status;
    for (int64_t k = 0; k < shown->n; k++) {
        px[k] = axis_at(&s->layout->time, shown->times_ms[k]);
        py[k] = axis_at(y, shown->values[k]);
    }
    screen_lines_add(s, px, py, shown->n, 0.7, AXIS_INK);
    screen_lines_put(s);
    return RV_OK;
}

static rv_status draw_trace(const screen_frame *s, int slot, axis_rect place)
{
    screen_trace          *trace = &s->state->traces[slot];
    const feed_population *population = &s->feed->population[trace->neuron.population];
    double                *t, *value;
    int64_t                n = visible_samples(s, slot, &t, &value), first = spikes_until(trace, s->view->from_ms);
    if (n < 0) return RV_OUT_OF_MEMORY;
    figure_trace shown = { .n = n, .times_ms = t, .values = value, .threshold = s->feed->trace[slot].threshold,
                           .unit = population->unit, .spikes_ms = trace->spikes_ms + first,
                           .n_spikes = spikes_until(trace, s->view->now_ms) - first };
    axis y = steady_axis(trace, &shown, s->layout->time, place);
    y.name = axis_has_unit(population->unit) ? population->unit : NULL, y.unit_name = NULL;
    const axis_rect *labels = layout_find(s->layout, LAYOUT_NEURON_AXIS, 0);
    if (!s->view->paper) {
        if (paint_line(s, &shown, &y, place) != RV_OK) return RV_OUT_OF_MEMORY;
        shown.n = 0;
    }
    if (labels) axis_draw_y(s->canvas, &y, place.x, labels->x + 0.75 * AXIS_LABEL);
    name_trace(s, trace, place, n);
    return curves_draw_trace(s->canvas, &shown, &s->layout->time, &y);
}

rv_status screen_traces_draw(const screen_frame *s)
{
    rv_status status = RV_OK;
    for (int k = 0; k < FEED_TRACES && status == RV_OK; k++) {
        const axis_rect *place = layout_find(s->layout, LAYOUT_TRACE, k);
        if (place) status = draw_trace(s, k, *place);
    }
    return status;
}
