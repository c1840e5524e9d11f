/* What the files of the quantiser share: first every neuron becomes a recurrence in real numbers (quantise_neurons.c), then scales
 * and exponents are chosen (quantise_scale.c), learning rules are translated
 * (quantise_learning.c), then the network is made (quantise_net.c); quantise.c leads. */
#ifndef RV_HW_QUANTISE_INTERNAL_H
#define RV_HW_QUANTISE_INTERNAL_H

#include "hw/fixed_point.h"
#include "hw/quantise.h"
#include "sim/net.h"

enum { EX, IN };

/** A neuron as a recurrence over steps of the chip, potentials from the reset value up, in the model's unit:
 *    u = keep_u u + jump w;   V = keep_v V + u + drive;   V > theta: spike, V = 0 for `hold` steps */
typedef struct lif_cell {
    double keep_u[2], jump[2]; /* [EX, IN] */
    double keep_v, drive, theta;
    double floor;              /* lowest V, -INFINITY without */
    double v0, u0[2];          /* at the beginning            */
    double hold;
} lif_cell;

/** What is chosen for a population. One that passes as it is has no cells. */
typedef struct population_plan {
    const population_def *def;
    bool      late;         /* currents that arrive act a step later than on the chip      */
    lif_cell *cell;         /* [n] or NULL                                                 */
    double   *keep_u, *keep_v; /* [n] of 4096                                              */
    double   *gain[2];      /* [n] f jump: what a weight of 1 is in units of V             */
    bool      alike;        /* the same weight does the same to all neurons                */
    bool      used[2];      /* whether there is such input                                 */
    double   *bound, *bound_step; /* [n] largest current to expect, and its part of one step, units of V; while planning */
    double    scale;        /* S                                                           */
    int       bias_exp;
    double    rate;         /* Hz, measured in the given network; NAN                      */
} population_plan;

/** What is chosen for a projection that learns: the rule as a sum of products in the model's units, then in the chip's. */
typedef struct learning_plan {
    rv_epochs     e;                            /* time constants in steps of the chip                            */
    rule_products sum[N_EPOCH_VARIABLES];
    double        low, high;                    /* bounds of the weight; infinite: none                           */
    double        lag;                          /* ms that the model adds to the lag of a pair, and the chip does not */
    double        unit[N_RULE_SYMBOLS];         /* what 1 of the model is on the chip                             */
    double        impulse[N_EPOCH_TRACES];      /* whole, 0 to 127                                                */
    char         *text[N_EPOCH_VARIABLES];      /* for the chip; NULL: nothing                                    */
    double        error_sum, error_max;         /* relative, of the scales with the impulses that they multiply   */
    int           n_products;
    double        lost;                         /* by which dw is too low at most, on average over its products' events: integers */
} learning_plan;

/** What is chosen for a projection or a Poisson input that ends at a population with cells. */
typedef struct projection_plan {
    const projection_def *def;    /* NULL: an input            */
    const input_def      *input;
    int       index;              /* of the projection or input */
    bool      integers;           /* the target has cells       */
    bool      again;              /* the same rule draws the same pairs, all of one weight and delay: nothing is listed */
    int64_t   n, pruned;
    int64_t  *source, *target;    /* [n] neurons of the populations, or NULL */
    double   *weight, *delay;     /* [n], or [1] if again; ms                */
    double   *y;                  /* [n_sample] weights times gains, a sample: units of V */
    int64_t   n_sample;
    double    biggest;            /* |y|                                     */
    double    total;              /* sum of |y|                              */
    double    rate;               /* Hz, of the sources                      */
    fixed_sign sign;
    int       exponent, bits;
    learning_plan *learning;      /* NULL: weights stay             */
} projection_plan;

typedef struct plan {
    rv_net              *net;
    const definition    *d;
    hw_chip              chip;
    bool                 loihi1;   /* which arithmetic */
    hw_quantise_options  options;
    double               h;        /* ms */
    population_plan     *population; /* [d->n_populations]                               */
    projection_plan     *projection; /* [n_projections] those of d, then Poisson inputs  */
    int                  n_projections;
    bool                *changed;    /* [d->n_projections] weights were set since        */
    rv_error            *error;
} plan;

/** Every neuron of a population as a cell, or a sentence why not; sets late and alike. @param dc [n] constant currents, pA */
rv_status quantise_cells(const plan *q, population_plan *p, const double *dc);

/** Whether the same weight does the same to both. */
bool quantise_same_dynamics(const lif_cell *a, const lif_cell *b);

/** Decays and gains, when it is known which inputs there are. */
rv_status quantise_decays(const plan *q, population_plan *p);

/** S and the exponents of all that ends at a population. */
rv_status quantise_scale(plan *q, int population);

/** What integer, in units of 64 of v, a weight of y (in units of V) becomes. @param saturated may be NULL */
double quantise_weight(const projection_plan *j, double scale, double y, bool *saturated);

/** Bits a weight loses. */
int quantise_dropped(fixed_sign sign, int bits);

/** The target range of a projection or input. */
static inline const neuron_range *quantise_target(const projection_plan *j) { return j->def ? &j->def->target : &j->input->target; }

/** Steps that a delay in ms becomes. */
double quantise_delay(const plan *q, const projection_plan *j, double ms);

/** Mantissa of the threshold. One of 2^17 is never reached, v being what it is; so are those of neurons that never spike. */
double quantise_threshold(const population_plan *p, int64_t i);

/** The bias of a neuron, not yet rounded. */
double quantise_bias(const population_plan *p, int64_t i);

/** Reads the rule of a projection that learns, or says why the chip cannot; signs and bits of its weights follow from it. */
rv_status quantise_read_rule(const plan *q, projection_plan *j);

/** Scales and impulses of the chip, when the scale of weights is known. */
rv_status quantise_rule(const plan *q, projection_plan *j);
void      quantise_free_rule(learning_plan *l);

/** The largest weight there may be: of one that learns its bound, or more than there is now. */
double quantise_highest(const projection_plan *j, double now);

/** The network of integers, and a copy of the given one. */
rv_status quantise_build(const plan *q, rv_net **net);
rv_status quantise_copy(const plan *q, rv_net **net);

/** Fills in all but what is measured. */
rv_status quantise_report(const plan *q, hw_quantise_report *report);

#endif
