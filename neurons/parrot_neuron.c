#include "sim/model.h"

/* A parrot has no state: `receive` says how often it repeats, in both timings. */
static int receive(const double *c, double *s, double ex, double in)
{
    (void)c, (void)s;
    return (int)lrint(ex + in);
}

const rv_model rv_model_parrot_neuron = {
    .table = { .kind = RV_NEURONS, .name = "parrot_neuron", .summary = "repeats every spike it receives, at the moment of its arrival",
               .equations = "one spike out for each spike in, whatever its weight",
               .reference = "the model of this name in NEST" },
    .counts_spikes = true, .receive = receive,
};
