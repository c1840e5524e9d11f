/* A network in C: all that a script does, through sim/ranvier.h. A smaller relative of brunel_2000.lua.
 *
 * Build it in the source tree after `make`:
 *   cc -I. examples/hello.c -o hello -Lbuild -lranvier -Wl,-rpath,build
 * or anywhere after `make install`:
 *   cc hello.c -o hello $(pkg-config --cflags --libs ranvier)
 * and run it: ./hello [ms]
 *
 * 2 000 excitatory and 500 inhibitory neurons with 200 + 50 random inputs of 0.5 and -2.5 mV each.
 * Expected: 46 Hz; the mean-field theory of brunel_2000.lua, which is for many weak synapses, gives 49 Hz. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/ranvier.h"

/* Every call that can fail returns a status and leaves a sentence in rv_net_error(). */
#define TRY(call) do { rv_status status_ = (call); if (status_ != RV_OK) return status_; } while (0)

static rv_status connect(rv_net *net, rv_population from, rv_population to, int degree, double weight)
{
    return rv_connect(net, &(rv_connect_def){ .source = rv_all(from), .target = rv_all(to), .rule = "fixed_indegree", .degree = degree,
                                              .weight = rv_number(weight), .delay = rv_number(1.5) }, NULL);
}

static rv_status build(rv_net *net, rv_population *all)
{
    const char      *names[] = { "E", "I" };
    const int        sizes[] = { 2000, 500 };
    const rv_setting poisson[] = { { "rate", rv_number(4000) }, { "weight", rv_number(0.5) } }; /* Hz, mV */
    for (int k = 0; k < 2; k++) {
        all[k] = rv_population_new(net, names[k], sizes[k], "iaf_psc_delta");
        if (all[k].id == 0) return rv_net_error(net)->status;
        TRY(rv_set(net, all[k], "C_m", rv_number(1)));            /* pF */
        TRY(rv_set(net, all[k], "tau_m", rv_number(20)));         /* ms */
        TRY(rv_set(net, all[k], "E_L", rv_number(0)));            /* mV */
        TRY(rv_set(net, all[k], "V_th", rv_number(20)));          /* mV */
        TRY(rv_set(net, all[k], "V_reset", rv_number(10)));       /* mV */
        TRY(rv_set(net, all[k], "V_m", rv_uniform(0, 20)));       /* mV, drawn for every neuron */
        TRY(rv_input_new(net, rv_all(all[k]), "poisson", poisson, 2, NULL));
        TRY(rv_record_spikes(net, all[k]));
    }
    for (int k = 0; k < 2; k++) {
        TRY(connect(net, all[0], all[k], 200, 0.5));
        TRY(connect(net, all[1], all[k], 50, -2.5));
    }
    return RV_OK;
}

/* Called by the running network every 100 ms of simulated time. */
static rv_status report(rv_net *net, double t_ms, void *user)
{
    const rv_population *all = user;
    printf("%6.0f ms: %lld spikes\n", t_ms, (long long)(rv_spike_count(net, all[0]) + rv_spike_count(net, all[1])));
    return RV_OK;
}

static rv_status simulate(rv_net *net, double duration_ms)
{
    rv_population all[2];
    rv_probe      V_m;
    TRY(build(net, all));
    rv_slice first = { .population = all[0], .first = 0, .count = 1 };
    TRY(rv_record_state(net, first, "V_m", 1, &V_m)); /* of one neuron, every ms */
    TRY(rv_every(net, 100, report, all));
    TRY(rv_run(net, duration_ms));

    rv_probe_info info;
    double        last;
    TRY(rv_probe_describe(net, V_m, &info));
    TRY(rv_probe_read(net, V_m, info.n_samples - 1, 1, NULL, &last));
    printf("V_m of neuron 0 is %.2f %s\n", last, info.unit);
    for (int k = 0; k < 2; k++)
        printf("%s: %.2f Hz\n", rv_population_name(net, all[k]),
               1e3 * (double)rv_spike_count(net, all[k]) / (double)rv_population_size(net, all[k]) / rv_time(net));
    return RV_OK;
}

int main(int argc, char **argv)
{
    rv_net    *net;
    rv_error   error;
    rv_status  status = rv_net_new(&(rv_net_def){ .resolution = 0.1, .seed = 1 }, &net, &error);
    if (status == RV_OK) {
        status = simulate(net, argc > 1 ? atof(argv[1]) : 500);
        error = *rv_net_error(net);
        rv_net_free(net);
    }
    if (status != RV_OK) fprintf(stderr, "%s\n", error.text);
    return status != RV_OK;
}
