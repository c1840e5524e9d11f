/* The public calls that compile and run a network, and call back on the way. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"
#include "sim/net.h"

/* ---- compiling ---------------------------------------------------------------------------------------------- */

rv_status rv_compile(rv_net *net)
{
    if (net->state) return RV_OK;
    double start = clock_seconds();
    TRY(network_compile(&net->def, net->threads, &net->net, &net->error));
    rv_status status = state_new(net->net, net->advance, net->threads, &net->state, &net->error);
    if (status == RV_OK) status = run_start(net->state, &net->error);
    for (int k = 0; k < net->n_probes && status == RV_OK; k++)
        if (net->probe[k]->kind == RV_PROBE_STATE) status = probe_open(net->probe[k], net->state, &net->error);
    for (int k = 0; k < net->n_watched && status == RV_OK; k++) status = probe_open(net->watched[k], net->state, &net->error);
    if (status != RV_OK) {
        state_free(net->state);
        network_free(net->net);
        net->state = NULL, net->net = NULL;
    }
    net->compile_seconds += clock_seconds() - start;
    return status;
}

/* ---- who is called back ------------------------------------------------------------------------------------- */

static rv_status add_timer(rv_net *net, int64_t next, int64_t interval, rv_timer_fn f, void *user)
{
    timer *t = net_append(net, &net->timer, net->n_timers, sizeof *t);
    if (!t) return RV_OUT_OF_MEMORY;
    *t = (timer){ next, interval, f, user };
    net->n_timers++;
    return RV_OK;
}

static int64_t present(const rv_net *net) { return net->state ? net->state->step : 0; }

rv_status rv_at(rv_net *net, double t_ms, rv_timer_fn f, void *user)
{
    int64_t step;
    TRY(net_steps(net, t_ms, "the time of a call", 0, &step));
    if (step < present(net) || (step == present(net) && net->running))
        return rv_fail(net, RV_OUT_OF_RANGE, "the time of a call = %.10g ms has passed: it is %.10g ms", t_ms, rv_time(net));
    return add_timer(net, step, 0, f, user);
}

rv_status rv_every(rv_net *net, double dt_ms, rv_timer_fn f, void *user)
{
    int64_t interval;
    TRY(net_steps(net, dt_ms, "the interval of a call", 1, &interval));
    return add_timer(net, (present(net) / interval + 1) * interval, interval, f, user);
}

rv_status rv_on_spike(rv_net *net, rv_population population, rv_spike_fn f, void *user)
{
    int p = net_population(net, population);
    if (p < 0) return rv_fail(net, RV_UNKNOWN_NAME, "this is not a population of this network");
    spike_listener *l = net_append(net, &net->spike_listener, net->n_spike_listeners, sizeof *l);
    if (!l) return RV_OUT_OF_MEMORY;
    *l = (spike_listener){ p, f, user };
    net->n_spike_listeners++;
    return RV_OK;
}

rv_status rv_on_wall_clock(rv_net *net, double interval_seconds, rv_timer_fn f, void *user)
{
    if (!(interval_seconds >= 0 && interval_seconds < 1e6))
        return rv_fail(net, RV_OUT_OF_RANGE, "the interval of a call = %g s of wall time, allowed 0 to 1e6 s", interval_seconds);
    clock_listener *l = net_append(net, &net->clock_listener, net->n_clock_listeners, sizeof *l);
    if (!l) return RV_OUT_OF_MEMORY;
    *l = (clock_listener){ interval_seconds, clock_seconds() + interval_seconds, f, user };
    net->n_clock_listeners++;
    return RV_OK;
}

void rv_off_wall_clock(rv_net *net, rv_timer_fn f, void *user)
{
    int kept = 0;
    for (int k = 0; k < net->n_clock_listeners; k++)
        if (net->clock_listener[k].f != f || net->clock_listener[k].user != user) net->clock_listener[kept++] = net->clock_listener[k];
    net->n_clock_listeners = kept;
}

void rv_stop(rv_net *net) { net->stop = 1; }

/* What a callback returned; it may have left its own sentence. */
static rv_status called(rv_net *net, rv_status status)
{
    if (status != RV_OK && net->error.status != status) rv_fail(net, status, "a callback ended the run at %.10g ms", rv_time(net));
    return status;
}

/* Timers due now, in the order in which they were set. Callbacks may set more. */
static rv_status call_timers(rv_net *net)
{
    int n = net->n_timers;
    for (int k = 0; k < n; k++) {
        timer t = net->timer[k];
        if (t.next != present(net)) continue;
        net->timer[k].next = t.interval ? t.next + t.interval : -1;
        TRY(called(net, t.f(net, rv_time(net), t.user)));
    }
    int kept = 0;
    for (int k = 0; k < net->n_timers; k++)
        if (net->timer[k].next >= 0) net->timer[kept++] = net->timer[k];
    net->n_timers = kept;
    return RV_OK;
}

static rv_status call_spike_listeners(rv_net *net, const run_watch *w)
{
    for (int64_t k = 0; k < w->n_heard; k++)
        for (int l = 0; l < net->n_spike_listeners; l++) {
            spike_listener        listener = net->spike_listener[l];
            const population_def *p = &net->def.population[listener.population];
            int64_t               neuron = (int64_t)w->heard[k].neuron - p->first_id;
            if (neuron < 0 || neuron >= p->n) continue;
            for (uint32_t m = spike_count(p, &w->heard[k]); m > 0; m--)
                TRY(called(net, listener.f(net, (rv_population){ listener.population + 1 }, neuron, w->heard[k].time * net->def.resolution, listener.user)));
        }
    return RV_OK;
}

static rv_status call_clock_listeners(rv_net *net, bool all)
{
    for (int k = 0; k < net->n_clock_listeners; k++) {
        clock_listener l = net->clock_listener[k];
        if (!all && clock_seconds() < l.next) continue;
        rv_status status = called(net, l.f(net, rv_time(net), l.user));
        net->clock_listener[k].next = clock_seconds() + l.interval;
        TRY(status);
    }
    return RV_OK;
}

static rv_status sample_synapses(rv_net *net)
{
    for (int k = 0; k < net->n_probes; k++)
        if (net->probe[k]->projection >= 0 && net->probe[k]->first == present(net)) TRY(net_sample_synapses(net, net->probe[k]));
    return RV_OK;
}

/* ---- running ------------------------------------------------------------------------------------------------ */

/* The next step at which something outside the engine is due. */
static int64_t next_stop(const rv_net *net, int64_t end)
{
    for (int k = 0; k < net->n_timers; k++)
        if (net->timer[k].next > present(net) && net->timer[k].next < end) end = net->timer[k].next;
    for (int k = 0; k < net->n_probes; k++)
        if (net->probe[k]->projection >= 0 && net->probe[k]->first < end) end = net->probe[k]->first;
    for (int k = 0; k < net->n_tasks; k++)
        if (net->task[k].next < end) end = net->task[k].next;
    return end;
}

static double next_wall_call(const rv_net *net)
{
    double next = INFINITY;
    for (int k = 0; k < net->n_clock_listeners; k++) next = fmin(next, net->clock_listener[k].next);
    return next;
}

/* The probes that tiles sample themselves; there may be new ones since the last stretch. */
static rv_status link_probes(rv_net *net)
{
    probe **list = realloc(net->state->probe, ((size_t)(net->n_probes + net->n_watched) + 1) * sizeof *list);
    if (!list) return error_memory(&net->error, "probes", 0);
    net->state->probe = list, net->state->n_probes = 0;
    for (int k = 0; k < net->n_probes; k++)
        if (net->probe[k]->kind == RV_PROBE_STATE) list[net->state->n_probes++] = net->probe[k];
    for (int k = 0; k < net->n_watched; k++) list[net->state->n_probes++] = net->watched[k];
    return RV_OK;
}

static rv_status run_stretch(rv_net *net, run_watch *w, int64_t end)
{
    TRY(link_probes(net));
    w->probe = net->probe, w->n_probes = net->n_probes;
    w->watched = net->watched, w->n_watched = net->n_watched;
    w->watch = net->watch, w->watch_user = net->watch_user;
    w->task = net->task, w->n_tasks = net->n_tasks;
    w->one_window = net->n_spike_listeners > 0;
    w->come_up_at = next_wall_call(net);
    TRY(run_until(net->state, next_stop(net, end), w, &net->error));
    TRY(structure_run_due(net));
    TRY(call_spike_listeners(net, w));
    TRY(sample_synapses(net));
    TRY(call_timers(net));
    TRY(call_clock_listeners(net, false));
    return net->stop ? RV_STOPPED : RV_OK;
}

/* Threads meet after every window: one with less than a microsecond of work would mostly wait. */
static int useful_threads(const rv_net *net)
{
    enum { LEAST_UPDATES = 500 }; /* neurons times steps, for each thread */
    double updates = (double)net->net->window * (double)net->def.n_neurons;
    return updates >= (double)LEAST_UPDATES * net->threads ? net->threads : updates >= 2 * LEAST_UPDATES ? (int)(updates / LEAST_UPDATES) : 1;
}

static rv_status run_to(rv_net *net, int64_t end)
{
    run_watch w = { .threads = useful_threads(net), .spikes = net->spikes, .n_spikes = net->n_spikes, .stop = &net->stop };
    rv_status status = call_timers(net); /* those of the very beginning */
    while (status == RV_OK && present(net) < end) status = run_stretch(net, &w, end);
    free(w.heard);
    rv_status last = call_clock_listeners(net, true);
    return status == RV_OK ? last : status;
}

rv_status rv_run(rv_net *net, double duration_ms)
{
    int64_t steps;
    if (net->running) return rv_fail(net, RV_CONFLICT, "network: a callback may not run the network that called it");
    TRY(net_steps(net, duration_ms, "the duration of a run", 0, &steps));
    TRY(rv_compile(net));
    net->error = (rv_error){ 0 };
    net->state->profiling = net->profiling;
    net->running = true;
    double    start = clock_seconds();
    rv_status status = run_to(net, present(net) + steps);
    net->run_seconds += clock_seconds() - start;
    net->running = false;
    if (status == RV_STOPPED && net->error.status != RV_STOPPED) rv_fail(net, RV_STOPPED, "stopped at %.10g ms", rv_time(net));
    if (net->stop) net->stop = 0;
    return status;
}

/* ---- the profile -------------------------------------------------------------------------------------------- */

void rv_profile_enable(rv_net *net, bool on) { net->profiling = on; }

/* The time of a stage is that of the tiles of the slowest thread. */
static double stage_seconds(const rv_net *net, stage stage)
{
    double slowest = 0;
    int    threads = useful_threads(net);
    for (int thread = 0; thread < threads; thread++) {
        double sum = 0;
        for (int t = thread; t < net->net->n_tiles; t += threads) sum += net->state->tile[t].seconds[stage];
        slowest = fmax(slowest, sum);
    }
    return slowest;
}

rv_profile rv_profile_get(const rv_net *net)
{
    rv_profile profile = { .compile_seconds = net->compile_seconds, .run_seconds = net->run_seconds, .simulated_ms = rv_time(net),
                           .n_neurons = net->def.n_neurons };
    for (int p = 0; p < net->def.n_populations; p++) profile.spikes += net->n_spikes[p];
    if (!net->state) return profile;
    profile.n_synapses = net->net->n_synapses, profile.bytes_synapses = net->net->bytes, profile.bytes_states = net->state->bytes;
    for (int t = 0; t < net->net->n_tiles; t++) {
        const tile_state *tile = &net->state->tile[t];
        profile.synaptic_events += tile->n_events, profile.neuron_updates += tile->n_updates;
        profile.pending_events += tile->queue.pending;
        profile.bytes_queue += (int64_t)(tile->queue.capacity * sizeof *tile->queue.chunk) + tile->queue.n_buckets * (int64_t)sizeof *tile->queue.bucket;
    }
    profile.deliver_seconds = stage_seconds(net, STAGE_DELIVER), profile.advance_seconds = stage_seconds(net, STAGE_ADVANCE);
    profile.input_seconds = stage_seconds(net, STAGE_INPUT), profile.exchange_seconds = stage_seconds(net, STAGE_EXCHANGE);
    profile.record_seconds = stage_seconds(net, STAGE_RECORD);
    return profile;
}
