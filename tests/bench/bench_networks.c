/* The networks of reference/peers.md through the public calls of sim/ranvier.h, each on 1 and on 2 threads, in a
 * process of its own: time of construction, real-time factor, time per synaptic event, memory, and where the time goes.
 * Beside them the rates of the reference and the real-time factors of the peers, which were measured elsewhere, on the
 * same kind of machine: the ratios to them are a guide, not a measurement.
 *
 * Differences from peers.md:
 *   Izhikevich    E has exactly 50 synapses for each delay of 1 to 20 ms (as in Izhikevich 2006), 40 of them onto E and
 * 10 onto I, instead of delays drawn for each synapse
 *   exact Brunel  50 ms of warm-up and 100 ms measured
 *   STDP          V_m begins normal(5.7, 7.2) mV; 100 ms of warm-up and 200 ms measured */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/ranvier.h"
#include "tests/bench/measure.h"

enum { MAX_REPEATS = 5, MAX_THREADS = 2 };

static double least_share = 1; /* of a processor that a run on one thread got */

/* ---- calls that end the process with the sentence of the network --------------------------------------------- */

static void must(rv_net *net, rv_status status)
{
    if (status == RV_OK) return;
    fprintf(stderr, "%s\n", rv_net_error(net)->text);
    exit(1);
}

static rv_population population(rv_net *net, const char *name, int64_t n, const char *model)
{
    rv_population p = rv_population_new(net, name, n, model);
    if (p.id == 0) must(net, RV_UNKNOWN_NAME);
    return p;
}

static void set(rv_net *net, rv_population p, const char *name, double x)
{
    must(net, rv_set(net, p, name, rv_number(x)));
}

static void connect(rv_net *net, rv_population source, rv_population target, const char *rule, int64_t degree,
                    rv_value weight, double delay)
{
    must(net, rv_connect(net,
                         &(rv_connect_def){ .source = rv_all(source),
                                            .target = rv_all(target),
                                            .rule = rule,
                                            .degree = degree,
                                            .weight = weight,
                                            .delay = rv_number(delay) },
                         NULL));
}

static void poisson(rv_net *net, rv_population target, double rate, double weight)
{
    rv_setting settings[] = { { "rate", rv_number(rate) }, { "weight", rv_number(weight) } };
    must(net, rv_input_new(net, rv_all(target), "poisson", settings, 2, NULL));
}

/* ---- the networks -------------------------------------------------------------------------------------------- */

static rv_population brunel_neurons(rv_net *net, const char *name, int64_t n)
{
    rv_population p = population(net, name, n, "iaf_psc_delta");
    set(net, p, "C_m", 1), set(net, p, "tau_m", 20), set(net, p, "E_L", 0), set(net, p, "V_th", 20);
    set(net, p, "V_reset", 10), set(net, p, "t_ref", 2);
    must(net, rv_set(net, p, "V_m", rv_uniform(0, 20)));
    return p;
}

static void brunel(rv_net *net)
{
    rv_population p[2] = { brunel_neurons(net, "E", 8000), brunel_neurons(net, "I", 2000) };
    for (int to = 0; to < 2; to++) {
        connect(net, p[0], p[to], "fixed_indegree", 800, rv_number(0.1), 1.5);
        connect(net, p[1], p[to], "fixed_indegree", 200, rv_number(-0.5), 1.5);
        poisson(net, p[to], 20000, 0.1);
    }
}

static rv_population cuba_neurons(rv_net *net, const char *name, int64_t n)
{
    rv_population p = population(net, name, n, "iaf_psc_exp");
    set(net, p, "C_m", 200), set(net, p, "tau_m", 20), set(net, p, "E_L", -49), set(net, p, "V_th", -50);
    set(net, p, "V_reset", -60), set(net, p, "t_ref", 5), set(net, p, "tau_syn_ex", 5), set(net, p, "tau_syn_in", 10);
    must(net, rv_set(net, p, "V_m", rv_uniform(-60, -50)));
    return p;
}

static void cuba(rv_net *net, int64_t n, double p_connect)
{
    rv_population p[2] = { cuba_neurons(net, "E", n * 4 / 5), cuba_neurons(net, "I", n / 5) };
    for (int from = 0; from < 2; from++)
        for (int to = 0; to < 2; to++)
            must(net, rv_connect(net,
                                 &(rv_connect_def){ .source = rv_all(p[from]),
                                                    .target = rv_all(p[to]),
                                                    .rule = "pairwise_bernoulli",
                                                    .p = rv_number(p_connect),
                                                    .weight = rv_number(from ? -90 : 16.2),
                                                    .delay = rv_number(0.1) },
                                 NULL));
}

static void cuba_4000(rv_net *net) { cuba(net, 4000, 0.02); }
static void cuba_40000(rv_net *net) { cuba(net, 40000, 0.002); }

static rv_population izhikevich_neurons(rv_net *net, const char *name, int64_t n, double a, double d)
{
    rv_population p = population(net, name, n, "izhikevich");
    set(net, p, "a", a), set(net, p, "b", 0.2), set(net, p, "c", -65), set(net, p, "d", d);
    set(net, p, "V_m", -65), set(net, p, "U_m", -13);
    poisson(net, p, 7, 20);
    return p;
}

static void izhikevich(rv_net *net)
{
    rv_population E = izhikevich_neurons(net, "E", 8000, 0.02, 8), I = izhikevich_neurons(net, "I", 2000, 0.1, 2);
    for (int delay = 1; delay <= 20; delay++) {
        connect(net, E, E, "fixed_outdegree", 40, rv_uniform(0, 1), delay);
        connect(net, E, I, "fixed_outdegree", 10, rv_uniform(0, 1), delay);
    }
    connect(net, I, E, "fixed_outdegree", 800, rv_uniform(-1, 0), 1);
    connect(net, I, I, "fixed_outdegree", 200, rv_uniform(-1, 0), 1);
}

/* The constant current that makes a Brunel neuron fire at 10 Hz: V_reset to V_th in 98 ms, then t_ref = 2 ms. */
static double current_for_10_Hz(void)
{
    double tau_m = 20, C_m = 1, V_th = 20, V_reset = 10, growth = exp(98 / tau_m);
    return (growth * V_th - V_reset) / (growth - 1) * C_m / tau_m;
}

static rv_population sparse_neurons(rv_net *net)
{
    rv_population p = brunel_neurons(net, "active", 100000);
    must(net, rv_set_slice(net, (rv_slice){ .population = p, .count = 1000, .stride = 100 }, "I_e",
                           rv_number(current_for_10_Hz())));
    connect(net, p, p, "fixed_indegree", 100, rv_number(0.01), 1.5);
    return p;
}

static void sparse(rv_net *net) { sparse_neurons(net); }

/* A million neurons more, that are connected to the others but never fire. */
static void sparse_and_silent(rv_net *net)
{
    rv_population active = sparse_neurons(net), silent = brunel_neurons(net, "silent", 1000000);
    set(net, silent, "V_m", 0);
    connect(net, silent, active, "fixed_outdegree", 10, rv_number(0.01), 1.5);
}

static rv_population morrison_neurons(rv_net *net, const char *name, int64_t n)
{
    rv_population p = population(net, name, n, "iaf_psc_alpha");
    set(net, p, "C_m", 250), set(net, p, "tau_m", 10), set(net, p, "E_L", 0), set(net, p, "V_th", 20),
        set(net, p, "V_reset", 0);
    set(net, p, "t_ref", 0.5), set(net, p, "tau_syn_ex", 0.326), set(net, p, "tau_syn_in", 0.326);
    must(net, rv_set(net, p, "V_m", rv_normal(5.7, 7.2)));
    poisson(net, p, 20856, 45.6);
    return p;
}

static void morrison(rv_net *net)
{
    double J = 45.6;
    rv_population E = morrison_neurons(net, "E", 1800), I = morrison_neurons(net, "I", 450);
    rv_setting    stdp[] = { { "lambda", rv_number(0.001) }, { "alpha", rv_number(0.0513) }, { "mu", rv_number(0.4) }, { "tau_plus", rv_number(15) },
                             { "tau_minus", rv_number(30) } };
    must(net, rv_connect(net,
                         &(rv_connect_def){ .source = rv_all(E),
                                            .target = rv_all(E),
                                            .rule = "fixed_indegree",
                                            .degree = 9000,
                                            .weight = rv_number(J),
                                            .delay = rv_number(1.5),
                                            .plasticity = "stdp_pl",
                                            .settings = stdp,
                                            .n_settings = sizeof stdp / sizeof *stdp },
                         NULL));
    connect(net, E, I, "fixed_indegree", 9000, rv_number(J), 1.5);
    connect(net, I, E, "fixed_indegree", 2250, rv_number(-5 * J), 1.5);
    connect(net, I, I, "fixed_indegree", 2250, rv_number(-5 * J), 1.5);
}

/* 20 million synapses, with one weight, with a weight each, and drawn pair by pair */
static void build_constant(rv_net *net)
{
    rv_population p = brunel_neurons(net, "neurons", 20000);
    connect(net, p, p, "fixed_indegree", 1000, rv_number(0.1), 1.5);
}

static void build_drawn(rv_net *net)
{
    rv_population p = brunel_neurons(net, "neurons", 20000);
    connect(net, p, p, "fixed_indegree", 1000, rv_normal(0.1, 0.01), 1.5);
}

static void build_bernoulli(rv_net *net)
{
    rv_population p = brunel_neurons(net, "neurons", 20000);
    must(net, rv_connect(net,
                         &(rv_connect_def){ .source = rv_all(p),
                                            .target = rv_all(p),
                                            .rule = "pairwise_bernoulli",
                                            .p = rv_number(0.05),
                                            .weight = rv_number(0.1),
                                            .delay = rv_number(1.5) },
                         NULL));
}

/* Potjans & Diesmann 2014, full scale, as in examples/potjans_diesmann_2014.lua */
static void microcircuit(rv_net *net)
{
    enum { N = 8 };
    static const char *const names[N] = { "L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I" };
    static const double      sizes[N] = { 20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948 };
    static const double      K_ext[N] = { 1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100 };
    static const double      V_mean[N] = { -68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43 };
    static const double      V_sd[N] = { 5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48 };
    static const double      p[N][N] = {
        { 0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0, 0.0076, 0 },       { 0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0, 0.0042, 0 },
        { 0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0 },   { 0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0, 0.1057, 0 },
        { 0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0 },  { 0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0 },
        { 0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252 }, { 0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443 },
    };
    const double  J = 87.8085; /* pA: 0.15 mV */
    rv_population layer[N];
    for (int i = 0; i < N; i++) {
        layer[i] = population(net, names[i], (int64_t)sizes[i], "iaf_psc_exp");
        set(net, layer[i], "C_m", 250), set(net, layer[i], "tau_m", 10), set(net, layer[i], "E_L", -65), set(net, layer[i], "V_th", -50);
        set(net, layer[i], "V_reset", -65), set(net, layer[i], "t_ref", 2);
        set(net, layer[i], "tau_syn_ex", 0.5), set(net, layer[i], "tau_syn_in", 0.5);
        must(net, rv_set(net, layer[i], "V_m", rv_normal(V_mean[i], V_sd[i])));
        poisson(net, layer[i], 8 * K_ext[i], J);
    }
    for (int to = 0; to < N; to++)
        for (int from = 0; from < N; from++) {
            if (p[to][from] == 0) continue;
            bool     ex = from % 2 == 0;
            double   w = (ex ? J : -4 * J) * (to == 0 && from == 2 ? 2 : 1), delay = ex ? 1.5 : 0.75;
            rv_value weight = rv_normal(w, 0.1 * fabs(w));
            must(net, rv_connect(net,
                                 &(rv_connect_def){ .source = rv_all(layer[from]),
                                                    .target = rv_all(layer[to]),
                                                    .rule = "fixed_total_number",
                                                    .total = (int64_t)(log(1 - p[to][from]) / log(1 - 1 / (sizes[to] * sizes[from])) + 0.5),
                                                    .weight = ex ? rv_redraw(weight, 0, INFINITY) : rv_redraw(weight, -INFINITY, 0),
                                                    .delay = rv_redraw(rv_normal(delay, delay / 2), 0.1, INFINITY) },
                                 NULL));
        }
}

/* ---- what is measured, and beside what ------------------------------------------------------------------------ */

typedef struct network_case {
    const char *name;
    void (*define)(rv_net *net);
    rv_timing timing;
    double    warm_up, measured; /* ms; measured 0: construction only                                        */
    int       repeats;
    int       weight_bytes; /* of a synapse on the way of most events: 0 (constant), 4 or 8               */
    double    rate;         /* Hz, all neurons: reference/data/nest, in grid timing                      */
    double    nest[MAX_THREADS], fastest[MAX_THREADS]; /* real-time factors of peers.md on up to that many cores,
                                                          the smallest given; 0: there is none                */
    double nest_goal, fastest_goal;                    /* ratios of design.md, section 9 */
} network_case;

static const network_case cases[] = {
    { "microcircuit", microcircuit, RV_GRID, 100, 1000, 1, 4, 3.24, { 0, 109 }, { 31, 31 }, 156, 44 },
    { "Brunel", brunel, RV_GRID, 500, 2000, 3, 0, 42.95, { 14.4, 7.0 }, { 3.5, 2.1 }, 20, 3 },
    { "CUBA 4000", cuba_4000, RV_GRID, 0, 5000, 3, 0, 5.63, { 0.71, 0.38 }, { 0.070, 0.038 }, 20, 3 },
    { "CUBA 40000", cuba_40000, RV_GRID, 0, 2000, 3, 0, 5.67, { 30, 5.2 }, { 0.82, 0.42 }, 20, 3 },
    { "Izhikevich 10000", izhikevich, RV_GRID, 0, 2000, 3, 4, 5.59, { 7.8, 3.9 }, { 0.9, 0.9 }, 20, 3 },
    { "sparse 100000", sparse, RV_GRID, 100, 2000, 3, 0, 0.1, { 7.8, 7.8 }, { 1.3, 1.3 }, 300, 30 },
    { "STDP scale 0.2", morrison, RV_GRID, 100, 200, 1, 8, 21.06, { 52, 18.2 }, { 0 }, 10, 0 },
    { "Brunel exact", brunel, RV_EXACT, 50, 100, 1, 0, 42.95, { 48, 23 }, { 0 }, 10, 0 },
    { "CUBA 4000 exact", cuba_4000, RV_EXACT, 0, 2000, 1, 0, 5.63, { 1.07, 0.67 }, { 0 }, 10, 0 },
    { "build 20 M", build_constant, RV_GRID, 0, 0, 1, 0, 0, { 0 }, { 0 }, 0, 0 },
    { "build 20 M drawn", build_drawn, RV_GRID, 0, 0, 1, 4, 0, { 0 }, { 0 }, 0, 0 },
    { "build 20 M pairs", build_bernoulli, RV_GRID, 0, 0, 1, 0, 0, { 0 }, { 0 }, 0, 0 },
};

enum { N_CASES = sizeof cases / sizeof *cases };

static const network_case silent_case = {
    "sparse + 1 M silent", sparse_and_silent, RV_GRID, 100, 2000, 1, 0, 0, { 0 }, { 0 }, 0, 0
};

enum { DELIVER, ADVANCE, INPUT, EXCHANGE, RECORD, N_STAGES };
static const char *const stage_name[] = { "deliver", "advance", "input", "exchange", "record" };

/* What one process reports. Times are wall seconds. */
typedef struct measurement {
    double build, run;               /* run: of `measured`, without the clocks of the profile   */
    double events, updates, spikes;  /* of that run                                             */
    double neurons, synapses, bytes; /* bytes: of all synapses                                  */
    double peak;                     /* bytes of the process; filled in by the parent           */
    double limit;                    /* ns per event of the bare scatter-add on as many threads */
    double cpu;                      /* seconds of processor time in that run, of all threads       */
    double profiled_run, profiled_events, stage[N_STAGES]; /* a further half as long, with the clocks */
} measurement;

/* ---- the limit: adding weights to scattered addresses, and nothing else --------------------------------------- */

typedef struct stream {
    int64_t   n;
    uint16_t *target; /* [n] rows of ascending targets       */
    float    *weight; /* [n] as wide as the network's weights: */
    double   *wide;   /* [n]   one of the two or none          */
    double   *input;  /* [65536]                             */
} stream;

/* As many addresses as a tile has neurons, rows as long as the network's; cut where more would change nothing. */
static stream new_stream(const measurement *m, int threads, int weight_bytes)
{
    int64_t most = 16 << 20, n = (int64_t)m->synapses / threads, neurons = (int64_t)m->neurons / threads;
    stream  s = { .n = n < most ? n : most };
    if (neurons > 65536) neurons = 65536;
    s.target = malloc((size_t)s.n * sizeof *s.target), s.input = calloc(65536, sizeof *s.input);
    if (weight_bytes == 4) s.weight = calloc((size_t)s.n, sizeof *s.weight);
    if (weight_bytes == 8) s.wide = calloc((size_t)s.n, sizeof *s.wide);
    if (!s.target || !s.input || (weight_bytes == 4 && !s.weight) || (weight_bytes == 8 && !s.wide)) exit(1);
    double   gap = m->neurons * m->neurons / m->synapses, at = 0;
    uint64_t random = 88172645463325252u; /* xorshift (Marsaglia 2003, doi:10.18637/jss.v008.i14) */
    for (int64_t k = 0; k < s.n; k++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        at += 2 * gap * (double)(random >> 11) * 0x1p-53;
        if (at >= (double)neurons) at = fmod(at, (double)neurons);
        s.target[k] = (uint16_t)at;
        if (s.weight) s.weight[k] = 1;
        if (s.wide) s.wide[k] = 1;
    }
    return s;
}

static void free_stream(stream *s) { free(s->target), free(s->weight), free(s->wide), free(s->input); }

static void scatter_add(const stream *s)
{
    double *restrict input = s->input;
    const uint16_t *restrict target = s->target;
    if (s->weight)
        for (int64_t k = 0; k < s->n; k++) input[target[k]] += (double)s->weight[k];
    else if (s->wide)
        for (int64_t k = 0; k < s->n; k++) input[target[k]] += s->wide[k];
    else
        for (int64_t k = 0; k < s->n; k++) input[target[k]] += 0.1;
}

/* ns per event, the best of some passes, on all threads at once */
static double scatter_limit(const measurement *m, int threads, int weight_bytes)
{
    double slowest = 0;
    if (m->synapses == 0) return 0;
#pragma omp parallel num_threads(threads) reduction(max : slowest)
    {
        stream s = new_stream(m, threads, weight_bytes);
        double best = INFINITY;
        int    passes = 5 + (int)(1000000 / s.n);
        for (int pass = 0; pass < passes; pass++) {
#pragma omp barrier
            double start = wall_seconds();
            scatter_add(&s);
            best = fmin(best, wall_seconds() - start);
        }
        slowest = 1e9 * best / (double)s.n;
        free_stream(&s);
    }
    return slowest;
}

/* ---- one process, one measurement ----------------------------------------------------------------------------- */

static double timed_run(rv_net *net, double duration)
{
    double start = wall_seconds();
    must(net, rv_run(net, duration));
    return wall_seconds() - start;
}

static void run_measured(rv_net *net, const network_case *c, measurement *m)
{
    must(net, rv_run(net, c->warm_up));
    rv_profile before = rv_profile_get(net);
    double     cpu = cpu_seconds();
    m->run = timed_run(net, c->measured);
    m->cpu = cpu_seconds() - cpu;
    rv_profile after = rv_profile_get(net);
    m->events = (double)(after.synaptic_events - before.synaptic_events);
    m->updates = (double)(after.neuron_updates - before.neuron_updates),
    m->spikes = (double)(after.spikes - before.spikes);
}

static void run_profiled(rv_net *net, const network_case *c, measurement *m)
{
    int64_t before = rv_profile_get(net).synaptic_events;
    rv_profile_enable(net, true);
    m->profiled_run = timed_run(net, c->measured / 2);
    rv_profile p = rv_profile_get(net);
    m->profiled_events = (double)(p.synaptic_events - before);
    m->stage[DELIVER] = p.deliver_seconds, m->stage[ADVANCE] = p.advance_seconds, m->stage[INPUT] = p.input_seconds;
    m->stage[EXCHANGE] = p.exchange_seconds, m->stage[RECORD] = p.record_seconds;
}

static measurement measure(const network_case *c, int threads)
{
    rv_net     *net;
    rv_error    error;
    measurement m = { 0 };
    if (rv_net_new(&(rv_net_def){ .resolution = 0.1, .seed = 1, .timing = c->timing, .threads = threads }, &net,
                   &error) != RV_OK) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    double start = wall_seconds();
    c->define(net);
    must(net, rv_compile(net));
    m.build = wall_seconds() - start;
    rv_profile p = rv_profile_get(net);
    m.neurons = (double)p.n_neurons, m.synapses = (double)p.n_synapses, m.bytes = (double)p.bytes_synapses;
    if (c->measured > 0) run_measured(net, c, &m), run_profiled(net, c, &m);
    rv_net_free(net);
    return m;
}

/* The limit is taken by the child, after its peak of memory. */
static void report_from_child(const network_case *c, int threads, int fd)
{
    struct rusage usage;
    measurement   m = measure(c, threads);
    getrusage(RUSAGE_SELF, &usage);
    m.peak = 1024.0 * (double)usage.ru_maxrss;
    if (c->measured > 0) m.limit = scatter_limit(&m, threads, c->weight_bytes);
    _exit(write(fd, &m, sizeof m) == sizeof m ? 0 : 1);
}

static bool measure_apart(const network_case *c, int threads, measurement *m)
{
    int fd[2], status;
    fflush(stdout);
    if (pipe(fd) != 0) return false;
    pid_t child = fork();
    if (child == 0) report_from_child(c, threads, fd[1]);
    close(fd[1]);
    bool whole = child > 0 && read(fd[0], m, sizeof *m) == sizeof *m;
    close(fd[0]);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 && whole;
}

/* On one thread nothing waits, so what is missing to a whole processor was taken by other work on the machine. */
static void note_share(const measurement *m, int threads)
{
    if (threads == 1 && m->run > 0.05) least_share = fmin(least_share, m->cpu / m->run);
}

/* The run of median length among the repeats. */
static bool measure_repeatedly(const network_case *c, int threads, measurement *m)
{
    measurement all[MAX_REPEATS];
    double      run[MAX_REPEATS];
    for (int k = 0; k < c->repeats; k++) {
        if (!measure_apart(c, threads, &all[k])) return false;
        run[k] = all[k].run;
        note_share(&all[k], threads);
    }
    double middle = median(run, c->repeats);
    for (int k = 0; k < c->repeats; k++)
        if (all[k].run == middle) *m = all[k];
    return true;
}

/* ---- the tables ----------------------------------------------------------------------------------------------- */

static double real_time_factor(const network_case *c, const measurement *m) { return 1e3 * m->run / c->measured; }
static double rate(const network_case *c, const measurement *m) { return 1e3 * m->spikes / c->measured / m->neurons; }
static double ns_per_event(const measurement *m, int threads)
{
    return m->events > 0 ? 1e9 * m->run * threads / m->events : 0;
}
static double delivery_ns(const measurement *m, int threads)
{
    return m->profiled_events > 0 ? 1e9 * m->stage[DELIVER] * threads / m->profiled_events : 0;
}

/* "24 (20)": the ratio of a peer's real-time factor to ours, and the goal */
static void print_ratio(double peer, double ours, double goal)
{
    char text[32] = "-";
    if (peer > 0 && ours > 0) snprintf(text, sizeof text, "%.*f (%.0f)", peer / ours < 10, peer / ours, goal);
    printf(" %11s", text);
}

static void print_heads(void)
{
    printf("%-19s %3s %7s %8s %9s %8s %6s %7s %13s %11s %11s\n", "", "thr", "build", "RTF", "events/s", "ns per",
           "bytes/", "peak", "rate (ref.)", "x NEST", "x fastest");
    printf("%-19s %3s %7s %8s %9s %8s %6s %7s %13s %11s %11s\n", "", "", "s", "s/s", "M / core", "event", "syn.", "MB",
           "Hz", "(goal)", "peer (goal)");
}

static void print_run(const network_case *c, int threads, const measurement *m)
{
    char   rates[32], reference[16] = "-";
    double rtf = real_time_factor(c, m), ns = ns_per_event(m, threads);
    if (c->rate > 0) snprintf(reference, sizeof reference, "%.4g", c->rate);
    snprintf(rates, sizeof rates, "%.4g (%s)", rate(c, m), reference);
    printf(" %8.4f %9.1f %8.2f %6.1f %7.0f %13s", rtf, 1e3 / ns, ns, m->bytes / m->synapses, m->peak * 1e-6, rates);
    print_ratio(c->nest[threads - 1], rtf, c->nest_goal);
    print_ratio(c->fastest[threads - 1], rtf, c->fastest_goal);
}

static void print_build(int threads, const measurement *m)
{
    printf(" %8s %9s %8s %6.1f %7.0f   %.1f M synapses/s and core (20)", "-", "-", "-", m->bytes / m->synapses,
           m->peak * 1e-6, 1e-6 * m->synapses / m->build / threads);
}

static void note_run(const network_case *c, int threads, const measurement *m)
{
    note("networks", c->name, threads, "rtf", "s/s", real_time_factor(c, m));
    note("networks", c->name, threads, "event", "ns core", ns_per_event(m, threads));
    note("networks", c->name, threads, "rate", "Hz", rate(c, m));
    note("networks", c->name, threads, "delivery", "ns core", delivery_ns(m, threads));
    note("networks", c->name, threads, "scatter limit", "ns core", m->limit);
    for (int k = 0; k < N_STAGES; k++)
        note("networks", c->name, threads, stage_name[k], "s/s", 2e3 * m->stage[k] / c->measured);
}

static void note_case(const network_case *c, int threads, const measurement *m)
{
    note("networks", c->name, threads, "build", "s", m->build);
    note("networks", c->name, threads, "synapse", "bytes", m->bytes / m->synapses);
    note("networks", c->name, threads, "peak memory", "MB", m->peak * 1e-6);
    if (c->measured > 0) note_run(c, threads, m);
}

static bool run_case(const network_case *c, int threads, measurement *m)
{
    printf("%-19s %3d", c->name, threads);
    if (!measure_repeatedly(c, threads, m)) {
        printf("  failed\n");
        return false;
    }
    printf(" %7.3f", m->build);
    if (c->measured > 0) print_run(c, threads, m);
    else print_build(threads, m);
    printf("\n");
    note_case(c, threads, m);
    return true;
}

/* Per cent of the wall time, from the profiled stretch; what no stage accounts for is waiting and the clocks. */
static void print_stages(const network_case *c, int threads, const measurement *m)
{
    double sum = 0, delivery = delivery_ns(m, threads);
    printf("%-19s %3d", c->name, threads);
    for (int k = 0; k < N_STAGES; k++) {
        printf(" %8.1f", 100 * m->stage[k] / m->profiled_run);
        sum += m->stage[k];
    }
    printf(" %8.1f %10.2f %8.2f %8.0f %%\n", 100 * (1 - sum / m->profiled_run), delivery, m->limit,
           100 * m->limit / delivery);
}

static void print_stage_table(measurement all[N_CASES][MAX_THREADS])
{
    printf(
        "\nWhere the time goes, %% of wall time; delivery per synaptic event and core beside a bare scatter-add\n\n");
    printf("%-19s %3s", "", "thr");
    for (int k = 0; k < N_STAGES; k++) printf(" %8s", stage_name[k]);
    printf(" %8s %10s %8s %10s\n", "rest", "deliver ns", "limit ns", "of limit");
    for (int k = 0; k < N_CASES; k++)
        for (int threads = 1; threads <= MAX_THREADS; threads++)
            if (all[k][threads - 1].profiled_run > 0) print_stages(&cases[k], threads, &all[k][threads - 1]);
}

static bool print_silent(measurement alone[MAX_THREADS])
{
    bool fine = true;
    printf("\nSparse activity costs events: a second of 100 000 neurons at 0.1 Hz, alone and beside a million silent "
           "ones\n\n");
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        measurement m = { 0 };
        double      before = real_time_factor(&silent_case, &alone[threads - 1]);
        bool        measured = alone[threads - 1].run > 0 && measure_repeatedly(&silent_case, threads, &m);
        fine &= measured;
        if (!measured) continue;
        double after = real_time_factor(&silent_case, &m);
        printf("%-19s %3d   alone %.4f s, with the silent %.4f s: %.2f times; events %.0f and %.0f, peak %.0f and %.0f "
               "MB\n",
               "", threads, before, after, after / before, alone[threads - 1].events, m.events,
               alone[threads - 1].peak * 1e-6, m.peak * 1e-6);
        note_case(&silent_case, threads, &m);
    }
    return fine;
}

int main(int argc, char **argv)
{
    static measurement all[N_CASES][MAX_THREADS];
    bool               fine = true;
    int                sparse_at = -1;
    printf("Networks of reference/peers.md; events are synaptic, per core. The peers were measured elsewhere, on the "
           "same kind of machine\n\n");
    print_heads();
    for (int k = 0; k < N_CASES; k++) {
        if (!is_wanted(cases[k].name, argc, argv)) continue;
        for (int threads = 1; threads <= MAX_THREADS; threads++)
            fine &= run_case(&cases[k], threads, &all[k][threads - 1]);
        if (cases[k].define == sparse) sparse_at = k;
    }
    print_stage_table(all);
    if (sparse_at >= 0) fine &= print_silent(all[sparse_at]);
    if (least_share < 0.97)
        printf("\nThe machine was busy: a run on one thread got %.0f %% of a processor. Measure again in quiet.\n",
               100 * least_share);
    note("networks", "least share of a processor", 1, "share", "1", least_share);
    return !fine;
}
