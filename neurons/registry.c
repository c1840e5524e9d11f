/* All neuron models: a new one is a file in this folder (those of chips are in hw/) and a line here. */
#include "sim/model.h"

#define NEURON_MODELS(X)  \
    X(iaf_psc_delta)      \
    X(iaf_psc_exp)        \
    X(iaf_psc_alpha)      \
    X(iaf_cond_exp)       \
    X(iaf_cond_alpha)     \
    X(iaf_cond_beta)      \
    X(aeif_cond_exp)      \
    X(aeif_cond_alpha)    \
    X(aeif_psc_exp)       \
    X(aeif_psc_alpha)     \
    X(hh_psc_alpha)       \
    X(hh_cond_exp_traub)  \
    X(iaf_psc_exp_htum)   \
    X(iaf_psc_exp_adaptive) \
    X(mat2_psc_exp)       \
    X(glif_psc)           \
    X(gif_psc_exp)        \
    X(pp_psc_delta)       \
    X(ignore_and_fire)    \
    X(aeif_psc_delta_clopath) \
    X(izhikevich)         \
    X(intfire1)           \
    X(izhikevich_2007)    \
    X(poisson_generator)  \
    X(sinusoidal_poisson_generator) \
    X(gamma_generator)    \
    X(spike_generator)    \
    X(parrot_neuron)      \
    X(loihi_lif)          \
    X(loihi_ternary)      \
    X(loihi_graded)       \
    X(loihi1_lif)         \
    X(lava_lif)           \
    X(nir_lif)            \
    X(risp)

#define DECLARE(name) extern const rv_model rv_model_##name;
NEURON_MODELS(DECLARE)

#define ADDRESS(name) &rv_model_##name,
const rv_model *const rv_models[] = { NEURON_MODELS(ADDRESS) NULL };

const rv_model_alias rv_model_aliases[] = { { "lif", &rv_model_iaf_psc_exp }, { NULL, NULL } };
