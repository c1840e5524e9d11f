/* Time: what is shown of it, how it goes on, and that it stays within its limits. */
#include "viz/view_actions.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double START_SPAN_MS = 1000; /* of a run, if it is not shorter */
static const double SHORTEST_EXACT_MS = 0.01;
static const double LONGEST_OF_ALL = 1.1; /* of what there is */
static const double NOTICE_SECONDS = 3.5;
static const double MEASURED_SECONDS = 0.4;
static const double ASK_AGAIN_SECONDS = 2;

enum { BATCH = 1024 };

/* ---- what there is --------------------------------------------------------------------------------------------- */

static double number_or(double value, double otherwise) { return axis_usable(value) ? value : otherwise; }

static double resolution(const feed *f)
{
    return f->resolution_ms > 0 && axis_usable(f->resolution_ms) ? f->resolution_ms : 0.1;
}

static bool over(const feed *f) { return f->state == FEED_ENDED || f->state == FEED_FAILED; }

static double beginning(const feed *f) { return number_or(f->begin_ms, 0); }

static double latest(const feed *f)
{
    double t = number_or(f->live || f->state == FEED_GROWING ? f->t_ms : f->end_ms, 0);
    return fmax(t, beginning(f));
}

/* What is shown of a run at first, and at least counts as all of it. */
static double start_span(const feed *f)
{
    double length = number_or(f->end_ms, 0) - beginning(f);
    return length > 0 ? fmax(fmin(length, START_SPAN_MS), 10 * resolution(f)) : START_SPAN_MS;
}

void view_extent(const feed *f, double *from_ms, double *to_ms)
{
    *from_ms = beginning(f);
    *to_ms = fmax(latest(f), *from_ms + (f->live ? start_span(f) : 10 * resolution(f)));
}

void view_kept(const feed *f, double *from_ms, double *to_ms)
{
    int64_t first, end;
    view_extent(f, from_ms, to_ms);
    history_kept(f->spikes, &first, &end);
    if (first > 0 && end > first)
        *from_ms = fmin(fmax(number_or(history_oldest(f->spikes), *from_ms), *from_ms), *to_ms);
    *to_ms = fmax(*to_ms, *from_ms + 10 * resolution(f));
}

/* Of a run the spikes in memory, and what the screen shows of those that were fetched; a recording is fetched as
 * needed. */
void view_map_span(const view *v, const feed *f, double *from_ms, double *to_ms)
{
    double first, last;
    view_extent(f, &first, &last);
    view_kept(f, from_ms, to_ms);
    *from_ms = f->live ? fmin(fmax(v->from_ms, first), *from_ms) : first;
}

/* ---- limits ---------------------------------------------------------------------------------------------------- */

static void limit_time(view *v, const feed *f)
{
    double first, last;
    view_extent(f, &first, &last);
    double all = last - first, shortest = f->exact ? SHORTEST_EXACT_MS : 2 * resolution(f);
    shortest = fmax(shortest, 1e-11 * fmax(fabs(first), fabs(last))); /* else times could not be told apart */
    double span = fmin(fmax(number_or(v->to_ms - v->from_ms, all), shortest), fmax(LONGEST_OF_ALL * all, shortest));
    double air = (LONGEST_OF_ALL - 1) / 2 * all;
    v->now_ms = fmin(fmax(number_or(v->now_ms, last), first), fmax(latest(f), first));
    v->from_ms = fmin(fmax(number_or(v->from_ms, first), first - air), fmax(last + air - span, first - air));
    if (v->follow) v->from_ms = fmax(v->now_ms - span, first);
    v->to_ms = v->from_ms + span;
}

static void limit_stack(view *v, const feed *f)
{
    double neurons = 0;
    for (int p = 0; p < f->n_populations; p++) neurons += v->visible[p] ? (double)f->population[p].size : 0;
    double smallest = fmin(1, 4 / fmax(neurons, 1)); /* some four neurons fill the raster */
    double span = fmin(fmax(number_or(v->high - v->low, 1), smallest), 1);
    v->low = fmin(fmax(number_or(v->low, 0), 0), 1 - span);
    v->high = fmin(v->low + span, 1);
}

void view_limit(view *v, const feed *f)
{
    int sliders = layout_sliders(f);
    limit_time(v, f);
    limit_stack(v, f);
    v->scroll_populations = (int)fmax(0, fmin(v->scroll_populations, f->n_populations - 1));
    v->scroll_knobs = (int)fmax(0, fmin(v->scroll_knobs, sliders - 1));
    if (v->focus >= sliders + f->n_populations) v->focus = -1;
}

void view_show(view *v, const feed *f, double from_ms, double to_ms)
{
    v->follow = v->follow && to_ms >= v->now_ms && from_ms <= v->now_ms;
    v->from_ms = from_ms;
    v->to_ms = to_ms;
    view_limit(v, f);
}

/* While the picture moves there is nothing to hold on to but its right edge. */
void view_zoom_time(view *v, const feed *f, double at_ms, double factor)
{
    if (v->follow && !v->paused && !over(f)) {
        v->from_ms = v->to_ms - (v->to_ms - v->from_ms) * factor;
        view_limit(v, f);
    } else view_show(v, f, at_ms - (at_ms - v->from_ms) * factor, at_ms + (v->to_ms - at_ms) * factor);
}

void view_zoom_stack(view *v, const feed *f, double at, double factor)
{
    double low = at - (at - v->low) * factor, high = at + (v->high - at) * factor;
    v->low = low, v->high = high;
    limit_stack(v, f);
}

void view_fit(view *v, feed *f)
{
    double from, to;
    view_kept(f, &from, &to);
    v->low = 0, v->high = 1;
    view_show(v, f, from, to);
}

/* ---- open and close -------------------------------------------------------------------------------------------- */

rv_status view_open(view *v, const feed *f)
{
    *v = (view){ .width = 900, .height = 560, .high = 1, .dark = true, .focus = -1, .undo_slot = -1, .sought = -1 };
    v->visible = malloc((size_t)f->n_populations + 1);
    if (!v->visible) return RV_OUT_OF_MEMORY;
    memset(v->visible, true, (size_t)f->n_populations + 1);
    v->panels = VIEW_SIDEBAR | VIEW_RATE | VIEW_NEURON_RATES | VIEW_MAP;
    v->bin_ms = fmax(5, axis_nice_step(resolution(f), 1));
    v->follow = f->live || f->state == FEED_GROWING;
    v->paused = f->live ? f->paused : f->state != FEED_GROWING;
    v->speed = f->live ? f->speed : 1;
    v->inject_pA = number_or(f->inject_pA, 0);
    for (int k = 0; k < FEED_TRACES; k++) v->traced[k].population = -1;
    v->last_clicked.population = -1;
    for (int k = 0; k < f->n_knobs; k++) v->knob[k] = v->knob_start[k] = v->knob_sent[k] = f->knob[k].value;
    v->asked_from_ms = v->asked_to_ms = v->asked_seconds = INFINITY;
    view_extent(f, &v->from_ms, &v->to_ms);
    v->now_ms = v->drawn_ms = v->measured_ms = latest(f);
    if (f->live) v->from_ms = fmax(v->from_ms, v->to_ms - start_span(f));
    view_limit(v, f);
    return RV_OK;
}

void view_close(view *v)
{
    free(v->visible);
    v->visible = NULL;
}

void view_note(view *v, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(v->notice, sizeof v->notice, format, arguments);
    va_end(arguments);
    v->notice_seconds = NOTICE_SECONDS;
}

uint32_t view_colour(const feed *f, int population)
{
    figure_spikes alike[6]; /* colours repeat after six of a kind */
    int           before = 0;
    for (int p = 0; p < population; p++) before += f->population[p].inhibitory == f->population[population].inhibitory;
    for (int k = 0; k < 6; k++) alike[k] = (figure_spikes){ .inhibitory = f->population[population].inhibitory };
    return raster_colour(&(figure){ .spikes = alike, .n_spikes = 6 }, before % 6);
}

bool view_handle(view *v, feed *f, const view_event *e)
{
    bool changed = e->kind == VIEW_KEY    ? view_handle_key(v, f, e->key, e->modifiers)
                   : e->kind == VIEW_TEXT ? view_handle_text(v, e->text)
                                          : view_handle_mouse(v, f, e);
    view_limit(v, f);
    return changed;
}

/* ---- pause, step, next event ----------------------------------------------------------------------------------- */

static void stop_events(view *v) { v->events = false, v->sought = -1; }

static void pause_run(view *v, feed *f, bool paused)
{
    v->paused = paused;
    if (f->live) f->paused = paused;
}

/* A recording that was seen to its end is played once more, from the left edge of the screen. */
void view_toggle_pause(view *v, feed *f)
{
    stop_events(v);
    if (f->live && over(f)) {
        view_note(v, "the run is over");
        return;
    }
    pause_run(v, f, !v->paused);
    if (f->live || v->paused || v->now_ms < latest(f) || f->state == FEED_GROWING) return;
    v->now_ms = v->from_ms < v->now_ms ? fmax(v->from_ms, beginning(f)) : beginning(f);
}

void view_step(view *v, feed *f)
{
    stop_events(v);
    pause_run(v, f, true);
    if (f->live && over(f)) view_note(v, "the run is over");
    else if (f->live) f->steps += 1;
    else v->now_ms = fmin(v->now_ms + resolution(f), latest(f));
}

/* The first spike after a time of a population that is shown; NAN if the record has none. */
static double next_spike(const view *v, const feed *f, const history *spikes, double after_ms)
{
    double  t[BATCH], row[BATCH];
    int64_t first = history_find(spikes, nextafter(after_ms, INFINITY)), n;
    while ((n = history_read(spikes, &first, BATCH, t, row)) > 0) {
        for (int64_t k = 0; k < n; k++) {
            int64_t neuron;
            if (t[k] > after_ms && v->visible[feed_population_of(f, (int64_t)row[k], &neuron)]) return t[k];
        }
        first += n;
    }
    return NAN;
}

/* now_ms moves to the next spike. The playhead stays on the screen. @return false if there is none yet */
static bool go_to_next_spike(view *v, feed *f)
{
    double next = fmin(next_spike(v, f, f->older, v->now_ms), next_spike(v, f, f->spikes, v->now_ms));
    if (!(next <= latest(f))) return false;
    v->now_ms = next;
    if (!v->follow && (next < v->from_ms || next > v->to_ms))
        view_show(v, f, next - 0.75 * (v->to_ms - v->from_ms), next + 0.25 * (v->to_ms - v->from_ms));
    return true;
}

void view_next_event(view *v, feed *f)
{
    pause_run(v, f, true);
    v->events = true;
    v->sought = -1;
    if (go_to_next_spike(v, f)) return;
    if (f->live && !over(f)) v->sought = 0;
    else view_note(v, "no later spike");
}

/* Steps are asked for until a spike appears: one after the other, after a while several at once. */
static void seek_event(view *v, feed *f)
{
    if (v->sought < 0) return;
    if (go_to_next_spike(v, f) || over(f)) v->sought = -1;
    else if (f->steps <= 0) f->steps += 1 + v->sought++ / 30;
}

/* ---- time passes ----------------------------------------------------------------------------------------------- */

static void play_recording(view *v, feed *f, double seconds)
{
    double end = latest(f);
    if (v->paused || f->state == FEED_BUILDING || seconds == 0) return;
    v->now_ms = fmin(v->now_ms + v->speed * 1000 * seconds, end);
    if (v->now_ms >= end && f->state != FEED_GROWING) v->paused = true;
}

static void measure_speed(view *v, double seconds)
{
    v->measured_seconds += seconds;
    if (v->measured_seconds < MEASURED_SECONDS) return;
    v->measured_speed = (v->now_ms - v->measured_ms) / 1000 / v->measured_seconds;
    v->measured_ms = v->now_ms;
    v->measured_seconds = 0;
}

/* Spikes before those in memory, if some of these are shown: with as much again at both sides, so that small movements
 * need no further fetch. What was asked for is not asked for again before a while, then without the margin. */
static void fetch_older(view *v, feed *f, double seconds)
{
    int64_t first, end;
    double  oldest = history_oldest(f->spikes), begin = beginning(f);
    history_kept(f->spikes, &first, &end);
    if (!axis_usable(oldest) || (f->live && first == 0)) return;
    double from = fmax(v->from_ms, begin), to = fmin(v->to_ms, oldest), margin = v->to_ms - v->from_ms;
    if (!(from < to) || (from >= f->older_from_ms && to <= f->older_to_ms)) return;
    v->asked_seconds += seconds;
    bool asked = from >= v->asked_from_ms && to <= v->asked_to_ms;
    if (asked && v->asked_seconds < ASK_AGAIN_SECONDS) return;
    if (asked) margin = 0;
    v->asked_from_ms = fmax(from - margin, begin);
    v->asked_to_ms = fmin(to + margin, oldest);
    v->asked_seconds = 0;
    feed_send(f, (feed_command){ .kind = FEED_FETCH, .from_ms = v->asked_from_ms, .to_ms = v->asked_to_ms });
}

static bool fade_notice(view *v, double seconds)
{
    bool shown = v->notice_seconds > 0;
    v->notice_seconds = fmax(v->notice_seconds - seconds, 0);
    if (v->notice_seconds == 0) v->notice[0] = 0;
    return shown;
}

bool view_tick(view *v, feed *f, double seconds)
{
    double  from = v->from_ms, to = v->to_ms;
    int64_t spikes = f->n_spikes;
    seconds = fmax(number_or(seconds, 0), 0);
    if (!f->live) play_recording(v, f, seconds);
    else if (v->events) seek_event(v, f);
    else v->now_ms = f->t_ms;
    view_limit(v, f);
    view_send_knobs(v, f);
    fetch_older(v, f, seconds);
    measure_speed(v, seconds);
    bool changed = fade_notice(v, seconds) || v->now_ms != v->drawn_ms || spikes != v->drawn_spikes ||
                   from != v->from_ms || to != v->to_ms || v->drawn_state != f->state;
    v->drawn_ms = v->now_ms;
    v->drawn_spikes = spikes;
    v->drawn_state = f->state;
    return changed;
}
