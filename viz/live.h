/* The simulation's side of the feed: a network that is watched. Its hooks run on the thread that runs the network, between
 * two windows; they hand spikes over, publish figures, and obey: wait while paused, slow down to the speed that is wanted,
 * pass on what the user does to the network. No result of a run depends on any of it but on the last.
 *
 *   live *l;
 *   live_open(net, &(live_options){ .title = "brunel.lua" }, &l);     the network is compiled by then
 *   ... another thread opens a window on live_feed(l) ...
 *   rv_run(net, 1000);
 *   live_linger(l);                                                   until the window is closed
 *   live_close(l); */
#ifndef RV_VIZ_LIVE_H
#define RV_VIZ_LIVE_H

#include "viz/feed.h"

typedef struct live live;

typedef struct live_shape {
    int columns, rows, polarities; /* columns 0: none */
} live_shape;

typedef struct live_knob {
    const char *label;
    double      low, high, value;
} live_knob;

/** What a live network wants to know beyond the engine; functions may be NULL. They are called on the running thread. */
typedef struct live_options {
    const char       *title;
    bool            (*inhibitory)(void *user, rv_population population);
    live_shape      (*shape)(void *user, rv_population population);
    rv_status       (*touch)(void *user, const feed_command *what); /* FEED_KNOB, FEED_POKE, FEED_INJECT: do it  */
    bool            (*leaving)(void *user);                         /* whether to stop waiting: the run is to end */
    const live_knob  *knobs; /* [n_knobs] */
    int               n_knobs;
    bool              paused; /* begins so */
    void             *user;
} live_options;

/** Compiles the network and attaches to it. The texts are copied.
 *  @return RV_OK, RV_OUT_OF_MEMORY, or what is wrong with the network, with a sentence in rv_net_error() */
rv_status live_open(rv_net *net, const live_options *options, live **l);

feed *live_feed(live *l);

/** Tells the window when the run that begins now will end. */
void live_expect(live *l, double end_ms);

/** After the last run: goes on answering the window until it is closed or options.leaving. @param failure what ended the
 *  run early, NULL if nothing did */
void live_linger(live *l, const char *failure);

/** Detaches from the network; the feed stays until live_free(), for the window may still look at it. */
void live_close(live *l);
void live_free(live *l);

#endif
