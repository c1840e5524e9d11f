/* Quantising: from a network of leaky integrate-and-fire neurons to the same network in a chip's integers, which runs in the
 * same engine and does, spike for spike, what the chip would do.
 *
 *   rv_net            *chip_net;
 *   hw_quantise_report report;
 *   hw_quantise(net, &(hw_quantise_options){ .chip = "loihi2", .bits = 8, .measure_ms = 500 }, &chip_net, &report, &error);
 *   hw_quantise_text(&report, &text);            the errors, in words and numbers
 *   hw_quantise_report_free(&report);
 *
 * Populations, their names, sizes and places, projections, generators and the seed stay as they are. Read is the definition as it
 * stands: parameters as set last, initial states, and weights as they are now.
 *
 * What becomes of what. The potential is counted from V_reset up, since the chip resets v to 0; S is its scale, one for a population:
 *
 *     v   = S (V - V_reset)      vth  = S (V_th - V_reset) / 64       dv = 4096 (1 - exp(-h / tau_m))
 *     u   : synaptic current     bias = S (V_inf - V_reset) dv/4096   du = 4096 (1 - exp(-h / tau_syn)) - 1
 *     a weight's integer         w = S f J / 64;  J: by how much a weight of the model lifts V in the step in which it first acts
 *
 * f is chosen so that with the rounded decays the postsynaptic potential is nearest to the true one (least squares; the same
 * charge where excitation and inhibition share a time constant they do not have). S is as
 * large as threshold, bias, largest weight and the expected current allow, and within a factor of 2 below that where the rounded
 * weights of all projections that share it are best. Each projection then has the exponent that fits its weights best. dc inputs
 * that never change become biases. Poisson inputs stay inputs of the engine, with the weight that a synapse of the chip would
 * have; on the chip their spikes come from outside. Times of spike_generators go to the nearest step.
 *
 * Delays. In iaf_psc_exp a current that arrives moves V one step later than on the chip, so its delays get one step more; a drawn
 * delay goes to the nearest step.
 *
 * Learning. Rules that are sums of products (loihi_rule and its kin, and stdp with exponents of 0 or 1) become sums of products in the
 * chip's integers (hw/quantise_learning.c): what a weight becomes is known, so their scales are, and impulses of traces become
 * whole numbers of up to 127. The scale S is such that the highest integer is the bound of the weight. Tags and traces begin at 0. */
#ifndef RV_HW_QUANTISE_H
#define RV_HW_QUANTISE_H

#include "hw/chip.h"

typedef struct hw_quantise_options {
    const char *chip;        /* "loihi2", "loihi1" or a profile of one's own with their arithmetic; NULL: loihi2            */
    int         bits;        /* of a weight, 1 to 9 (Loihi 1: 8); 0: 8                                                      */
    double      step_ms;     /* that a step of the chip stands for; 0: the resolution                                       */
    double      prune;       /* part of the synapses of every projection that is left out, the weakest first                */
    double      prune_below; /* weights nearer to 0 than this are left out                                                  */
    double      measure_ms;  /* copies of both networks run so long: rates for the report, activity for the scale; 0: none  */
    bool        shared_tau;  /* one time constant for excitation and inhibition where the model has two: the chip has one   */
    bool        freeze;      /* weights that learn are taken as they are now, and learn no more                             */
    bool        netx;        /* within what netx files hold: weights of up to 255 with their exponent, biases in units of 64, */
                             /* and all states 0 at the beginning                                                            */
} hw_quantise_options;

/** Relative errors, over neurons or synapses. */
typedef struct hw_error {
    double mean, max; /* of the magnitudes; NAN: there is nothing to compare */
} hw_error;

enum { HW_LABEL_TEXT = 240 };

typedef struct hw_population_report {
    char        name[HW_NAME_TEXT];
    const char *from, *to;        /* models; the same if it passes as it is                                       */
    int64_t     n;
    double      scale;            /* S: units of v for one unit of the model's potential; 0 if it passes          */
    hw_error    tau_m, tau_syn, threshold, bias; /* decays compared as 1/tau                                      */
    double      psp[2];           /* rms error of the mean postsynaptic potential in integers, of its rms: excitatory, inhibitory */
    double      vth_mean;         /* mantissa                                                                     */
    int64_t     lost_refractory;  /* neurons whose refractory period the chip's model lacks ...                   */
    double      refractory_ms;    /* ... and the longest of them                                                  */
    int64_t     merged;           /* spikes of a generator that share a step with another of the same neuron      */
    double      rate[2];          /* Hz: given, quantised; NAN: not measured                                      */
    double      highest_u;        /* largest |u| seen, of 2^23, where it wraps; NAN: not measured                 */
} hw_population_report;

/** What became of a learning rule. Weights, impulses and bounds in the model's units and in the chip's. */
typedef struct hw_learning_report {
    const char *rule;         /* as given; NULL: the projection does not learn                                   */
    char       *text[3];      /* dw, dt, dd on the chip; NULL: nothing. Freed with the report                    */
    int         t_epoch;      /* steps                                                                           */
    double      impulse[5], chip_impulse[5], tau[5]; /* of x1 x2 y1 y2 y3; steps                                 */
    hw_error    scale;        /* of the products, together with the impulses                                     */
    double      low, high;    /* bounds of the weight as given; infinite: none                                   */
    double      chip_low, chip_high; /* and on the chip, in the model's units                                    */
    double      unit;         /* integers for a weight of 1                                                      */
    double      lost;         /* by which dw is too low on average where a product has many factors, at each of its events */
    double      lag;          /* ms that the model adds to the lag of a pair; folded into the scales, so that pairs */
                              /* of a smaller lag count on the other side                                        */
} hw_learning_report;

typedef struct hw_projection_report {
    char     label[HW_LABEL_TEXT]; /* `projection "E" -> "I"` or `poisson input to "E"`  */
    bool     chip;                 /* has weights of the chip; else it passes as it is   */
    int64_t  n_synapses, pruned;   /* left; left out                                     */
    int      weight_exp, bits;
    const char *sign;              /* "mixed", "excitatory", "inhibitory"                */
    hw_error weight;               /* of weights that are not 0                          */
    double   drive;                /* relative error of their sum                        */
    int64_t  saturated, zeroed;
    int64_t  delays_changed;
    double   delay_change;         /* ms, the largest                                    */
    double   memory_bits;          /* of weights, delays and indices; headers come on top */
    hw_learning_report learning;
} hw_projection_report;

typedef struct hw_quantise_report {
    char                  chip[HW_NAME_TEXT];
    int                   bits;
    double                step_ms, measure_ms;
    hw_population_report *population; /* [n_populations] */
    hw_projection_report *projection; /* [n_projections] projections, then Poisson inputs */
    int                   n_populations, n_projections;
    int64_t               n_synapses, pruned, saturated, zeroed, delays_changed; /* of projections */
    double                memory_bits;
} hw_quantise_report;

/** @param net compiled if need be, else untouched @param quantised to be freed by rv_net_free() @param report may be NULL
 *  @return RV_OK, or a status with a sentence that names what the chip cannot do and what comes nearest */
rv_status hw_quantise(rv_net *net, const hw_quantise_options *options, rv_net **quantised, hw_quantise_report *report, rv_error *error);
void      hw_quantise_report_free(hw_quantise_report *report);

/** The report as text. @param text result, to be freed by free() @return RV_OK or RV_OUT_OF_MEMORY */
rv_status hw_quantise_text(const hw_quantise_report *report, char **text);

/** Whether the network is in integers of a chip already: populations of its neurons, generators and parrots. */
bool hw_is_quantised(const rv_net *net);

#endif
