/* What keys and mouse have in common: the actions of the view. For view*.c only. */
#ifndef RV_VIZ_VIEW_ACTIONS_H
#define RV_VIZ_VIEW_ACTIONS_H

#include "viz/layout.h"

/* ---- view.c: time ---------------------------------------------------------------------------------------------- */

/** From the beginning to the last moment that is known; to > from. */
void view_extent(const feed *f, double *from_ms, double *to_ms);

/** The part of it whose spikes are in memory. */
void view_kept(const feed *f, double *from_ms, double *to_ms);

/** Brings spans and numbers back into their limits; every action ends with it. */
void view_limit(view *v, const feed *f);

/** Shows from..to, and goes on following if the right edge is still now. */
void view_show(view *v, const feed *f, double from_ms, double to_ms);

/** Zooms so that what is at at_ms, or at a height of the stack, stays where it is. factor > 1: shows more. */
void view_zoom_time(view *v, const feed *f, double at_ms, double factor);
void view_zoom_stack(view *v, const feed *f, double at, double factor);

void view_fit(view *v, feed *f);
void view_toggle_pause(view *v, feed *f);
void view_step(view *v, feed *f);
void view_next_event(view *v, feed *f);

/* ---- view_neurons.c -------------------------------------------------------------------------------------------- */

/** Shows the membrane trace of a neuron, or ends it. */
void view_toggle_trace(view *v, feed *f, view_neuron n);
void view_set_trace(view *v, feed *f, int slot, view_neuron n);
void view_poke(view *v, feed *f, view_neuron n);
void view_inject(view *v, feed *f, view_neuron n);

/** "123", "E 123" or "E:123", neurons counted from 1. */
void view_find(view *v, feed *f, const char *text);

void view_zoom_into_selection(view *v, feed *f);

/** The selection under a rubber band from one point to another; over panels without neurons: of all of them. */
void view_select(view *v, const feed *f, const layout *l, layout_kind panel, double x0, double y0, double x1,
                 double y1);

/* ---- view_keys.c ----------------------------------------------------------------------------------------------- */

bool view_handle_key(view *v, feed *f, int key, unsigned modifiers);
bool view_handle_text(view *v, const char *text);
void view_open_search(view *v, bool open);
void view_set_speed(view *v, feed *f, double speed);
void view_show_weights(view *v, feed *f, int learning); /* -1: none */
void view_toggle_population(view *v, const feed *f, int population);

/** To a value, within its range; back to the start. */
void view_move_slider(view *v, feed *f, int slider, double value);
void view_reset_slider(view *v, feed *f, int slider);
void view_send_knobs(view *v, feed *f);

/* ---- view_mouse.c ---------------------------------------------------------------------------------------------- */

bool view_handle_mouse(view *v, feed *f, const view_event *event);

#endif
