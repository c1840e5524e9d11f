/* Statistics of the selected neurons: rate, CV of the inter-spike intervals and their histogram, Fano factor, pairwise
 * correlation; of the neurons and the time under the rubber band, or of the neuron clicked last over the time shown.
 *
 * The window calls at every frame, so the work is bounded: a call looks at some 200 000 spikes, many spikes take several
 * calls, and the numbers change when all of them are in. Of more than 1000 neurons, or neurons with more than some 260 000
 * spikes together, some are drawn evenly, and the panel says so. */
#ifndef RV_VIZ_SELECTION_H
#define RV_VIZ_SELECTION_H

#include "viz/canvas.h"
#include "viz/view.h"

typedef struct selection selection;

typedef struct selection_numbers {
    int64_t neurons;     /* selected                                                   */
    int64_t drawn;       /* of them looked at                                          */
    int64_t spikes;      /* of those, from_ms < t <= to_ms                             */
    double  from_ms, to_ms; /* what is known of the time selected                      */
    double  rate;        /* spikes/s per neuron                                        */
    double  cv;          /* mean CV of neurons with three spikes or more; NAN: none    */
    double  fano;        /* of counts in windows of fano_ms, mean over neurons; NAN    */
    double  fano_ms;
    double  correlation; /* mean over pairs, counts in bins of correlation_ms; NAN     */
    double  correlation_ms;
} selection_numbers;

/** @return NULL without memory */
selection *selection_new(const feed *f);
void       selection_free(selection *s);

/** Counts anew if the selection, the time shown or the spikes changed, at most three times a second.
 *  @param seconds since the last call  @return whether the numbers changed */
bool selection_update(selection *s, const view *v, double seconds);

/** Are the numbers not yet those of this view? Then there should be another frame soon, even if nothing moves. */
bool selection_is_late(const selection *s, const view *v);

/** The latest numbers; neurons is 0 if nothing is selected. */
selection_numbers selection_get(const selection *s);

/** What is selected, the numbers, and below them (beside them where it is wide) the histogram of the inter-spike intervals
 *  in the populations' colours.  @return RV_OK or RV_OUT_OF_MEMORY */
rv_status selection_draw(const selection *s, const view *v, canvas *c, axis_rect place);

#endif
