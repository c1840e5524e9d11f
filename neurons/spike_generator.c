#include "sim/model.h"

enum { NEXT, PAYLOAD, N_STATES };
static const rv_field states[] = {
    [NEXT] = { "next", "1", 0, 0, 9e15, "number of the next spike of its list" },
    [PAYLOAD] = { "payload", "1", 1, -2147483648.0, 2147483647.0, "what the spike before it carries" },
};

static double emit(const double *c, double *s, rv_emission *emission)
{
    (void)c;
    int64_t next = (int64_t)s[NEXT];
    if (emission->restart)
        for (next = 0; next < emission->n && emission->times[next] <= emission->after;) next++;
    s[NEXT] = (double)(next + 1);
    if (next >= emission->n) return INFINITY;
    if (emission->payloads) s[PAYLOAD] = emission->payloads[next];
    return emission->times[next];
}

const rv_model rv_model_spike_generator = {
    .table = { .kind = RV_NEURONS, .name = "spike_generator", .summary = "emits spikes at given times",
               .equations = "spike_times: a list of times (ms) for every neuron; in grid timing each is moved up to the next step's end\n"
                            "payloads: lists of whole numbers that the spikes carry, for synapses that multiply with them",
              
               .reference = "the model of this name in NEST", .states = states, .n_states = N_STATES },
    .carries = 1 + PAYLOAD, .emit = emit,
};
