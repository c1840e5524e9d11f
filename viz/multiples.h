/* Small multiples: many little panels without axes, each with a title, curves above each other and a bar for the scale of x; as
 * figures of firing patterns have them. All arrays are borrowed. */
#ifndef RV_VIZ_MULTIPLES_H
#define RV_VIZ_MULTIPLES_H

#include "viz/figure.h"

/** The first curve takes most of the height and has the same scale of y in all panels; those that follow lie below it, thin and
 *  grey, each scaled to its own values. */
typedef struct multiple {
    const char         *title; /* NULL: none                                             */
    const figure_curve *curves; /* [n_curves] their labels are not drawn                  */
    int                 n_curves;
    double              bar;    /* length of the bar in units of x; 0: none               */
    const char         *bar_label;
} multiple;

typedef struct multiples {
    const char     *title, *note; /* above and below all panels; NULL: none  */
    const multiple *panel;        /* [n_panels] by rows                      */
    int             n_panels, columns; /* columns 0: 4                       */
    double          width, height, dpi; /* points; 0: chosen, 174 mm wide    */
} multiples;

/** As figure_save(). */
rv_status multiples_save(const multiples *m, const char *path, rv_error *error);

#endif
