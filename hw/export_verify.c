#include "hw/export_verify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_header.h"
#include "hw/export_net.h"
#include "hw/mapping_file.h"
#include "hw/sanafe.h"
#include "hw/tennlab.h"
#include "sim/error.h"
#include "sim/net.h"
#include "sim/random.h"

static rv_status net_failed(const verify *v, rv_net *net) { return error_set(v->error, rv_net_error(net)->status, "\"%s\", read back: %.400s", v->path, rv_net_error(net)->text); }

static const population_def *definition_of(const verify *v, int id) { return &v->net->def.population[id - 1]; }

/* ---- spikes ----------------------------------------------------------------------------------------------------- */

/* Spikes of a population in steps, by time, then neuron. */
typedef struct train {
    int64_t  n;
    int64_t *step, *neuron;
} train;

static void free_train(train *t) { free(t->step), free(t->neuron), *t = (train){ 0 }; }

static rv_status new_train(const verify *v, int64_t n, train *t)
{
    *t = (train){ .n = n, .step = malloc(((size_t)n + 1) * sizeof *t->step), .neuron = malloc(((size_t)n + 1) * sizeof *t->neuron) };
    if (t->step && t->neuron) return RV_OK;
    free_train(t);
    return error_memory(v->error, "spikes", 16.0 * (double)n);
}

static rv_status read_train(const verify *v, rv_net *net, rv_population population, train *t)
{
    TRY(new_train(v, rv_spike_count(net, population), t));
    double   *times = malloc(((size_t)t->n + 1) * sizeof *times);
    rv_status status = times ? RV_OK : error_memory(v->error, "spikes", 8.0 * (double)t->n);
    if (status == RV_OK && rv_spike_read(net, population, 0, t->n, times, t->neuron) != RV_OK) status = net_failed(v, net);
    for (int64_t k = 0; k < t->n && status == RV_OK; k++) t->step[k] = (int64_t)rint(times[k] / rv_resolution(net));
    free(times);
    if (status != RV_OK) free_train(t);
    return status;
}

static rv_status differ(const verify *v, const char *name, const train *a, const train *b, int64_t k)
{
    char want[80] = "none", got[80] = "none";
    if (k < a->n) snprintf(want, sizeof want, "of neuron %lld at step %lld", (long long)a->neuron[k], (long long)a->step[k]);
    if (k < b->n) snprintf(got, sizeof got, "of neuron %lld at step %lld", (long long)b->neuron[k], (long long)b->step[k]);
    return error_set(v->error, RV_CONFLICT, "\"%s\", read back and run, gives other spikes: spike %lld of \"%s\" should be %s, and is %s", v->path, (long long)k, name, want, got);
}

static rv_status compare_trains(const verify *v, const char *name, const train *a, const train *b)
{
    int64_t k = 0;
    while (k < a->n && k < b->n && a->step[k] == b->step[k] && a->neuron[k] == b->neuron[k]) k++;
    return k < a->n || k < b->n ? differ(v, name, a, b, k) : RV_OK;
}

rv_status verify_compare(const verify *v, rv_population ours, rv_net *net, rv_population theirs)
{
    train     given, got;
    rv_status status = read_train(v, v->net, ours, &given);
    if (status != RV_OK) return status;
    status = read_train(v, net, theirs, &got);
    if (status == RV_OK) status = compare_trains(v, rv_population_name(v->net, ours), &given, &got), free_train(&got);
    free_train(&given);
    return status;
}

/* The spikes of one population out of those of all, neurons numbered through. */
static rv_status part_of(const verify *v, const train *all, int64_t first, int64_t n, train *t)
{
    TRY(new_train(v, all->n, t));
    t->n = 0;
    for (int64_t k = 0; k < all->n; k++)
        if (all->neuron[k] >= first && all->neuron[k] < first + n) t->step[t->n] = all->step[k], t->neuron[t->n++] = all->neuron[k] - first;
    return RV_OK;
}

static rv_status compare_part(const verify *v, int id, const train *all, int64_t first)
{
    train     given = { 0 }, got = { 0 };
    rv_status status = read_train(v, v->net, (rv_population){ id }, &given);
    if (status == RV_OK) status = part_of(v, all, first, definition_of(v, id)->n, &got);
    if (status == RV_OK) status = compare_trains(v, definition_of(v, id)->name, &given, &got);
    free_train(&given), free_train(&got);
    return status;
}

rv_status verify_run(const verify *v, rv_net *net)
{
    for (int id = 1; id <= rv_population_count(net); id++)
        if (rv_record_spikes(net, (rv_population){ id }) != RV_OK) return net_failed(v, net);
    return rv_run(net, (double)v->steps * rv_resolution(net)) == RV_OK ? RV_OK : net_failed(v, net);
}

static int64_t all_spikes(rv_net *net)
{
    int64_t n = 0;
    for (int id = 1; id <= rv_population_count(net); id++) n += rv_spike_count(net, (rv_population){ id });
    return n;
}

void verify_note_equal(const verify *v)
{
    if (v->note) snprintf(v->note, VERIFY_NOTE, "\"%s\" was read back and run for %lld steps: the same %lld spikes", v->path, (long long)v->steps, (long long)all_spikes(v->net));
}

/* One neuron of a generator is given the spikes of one of ours. @param times room */
static rv_status play_neuron(const verify *v, const train *given, int64_t ours, rv_net *net, rv_population generator, int64_t theirs, double *times)
{
    int64_t n = 0;
    for (int64_t k = 0; k < given->n; k++)
        if (given->neuron[k] == ours) times[n++] = (double)given->step[k] * rv_resolution(net);
    return rv_set_spike_times(net, generator, theirs, times, n) == RV_OK ? RV_OK : net_failed(v, net);
}

rv_status verify_play(const verify *v, rv_population from, rv_net *net, rv_population generator)
{
    train     given;
    rv_status status = RV_OK;
    TRY(read_train(v, v->net, from, &given));
    double *times = malloc(((size_t)given.n + 1) * sizeof *times);
    if (!times) status = error_memory(v->error, "spikes", 8.0 * (double)given.n);
    for (int64_t i = 0; i < rv_population_size(net, generator) && status == RV_OK; i++) status = play_neuron(v, &given, i, net, generator, i, times);
    free(times), free_train(&given);
    return status;
}

/* ---- Ranvier's mapping file and the C header: the same populations ------------------------------------------------- */

static rv_status play_all(const verify *v, rv_net *net)
{
    for (int id = 1; id <= rv_population_count(v->net); id++)
        if (strcmp(rv_population_model(net, (rv_population){ id }), "spike_generator") == 0) TRY(verify_play(v, (rv_population){ id }, net, (rv_population){ id }));
    return RV_OK;
}

static rv_status compare_all(const verify *v, rv_net *net)
{
    TRY(verify_run(v, net));
    for (int id = 1; id <= rv_population_count(v->net); id++) TRY(verify_compare(v, (rv_population){ id }, net, (rv_population){ id }));
    verify_note_equal(v);
    return RV_OK;
}

/* What was learnt must be the same, too. */
static rv_status compare_weights(const verify *v, rv_net *net, int id)
{
    rv_projection p = { id };
    int64_t       n = 0, m = 0;
    if (!v->net->def.projection[id - 1].plasticity) return RV_OK;
    if (rv_synapse_count(v->net, p, &n) != RV_OK || rv_synapse_count(net, p, &m) != RV_OK) return net_failed(v, net);
    double   *ours = malloc(((size_t)n + 1) * sizeof *ours), *theirs = malloc(((size_t)m + 1) * sizeof *theirs);
    rv_status status = ours && theirs ? RV_OK : error_memory(v->error, "weights", 16.0 * (double)n);
    if (status == RV_OK && (rv_synapses(v->net, p, NULL, NULL, ours, NULL) != RV_OK || rv_synapses(net, p, NULL, NULL, theirs, NULL) != RV_OK)) status = net_failed(v, net);
    for (int64_t k = 0; status == RV_OK && k < (n > m ? n : m); k++)
        if (k >= n || k >= m || ours[k] != theirs[k])
            status = error_set(v->error, RV_CONFLICT, "\"%s\", read back and run, learns other weights: synapse %lld of projection %d should have %g, and has %g", v->path, (long long)k, id,
                               k < n ? ours[k] : NAN, k < m ? theirs[k] : NAN);
    free(ours), free(theirs);
    return status;
}

static rv_status compare_learning(const verify *v, rv_net *net)
{
    if (!export_learns(v->net)) return RV_OK;
    for (int id = 1; id <= rv_projection_count(v->net); id++) TRY(compare_weights(v, net, id));
    if (v->note) snprintf(v->note + strlen(v->note), VERIFY_NOTE - strlen(v->note), " and the same weights learnt");
    return RV_OK;
}

static rv_status check_populations(const verify *v, rv_net *net)
{
    for (int id = 1; id <= rv_population_count(v->net); id++)
        if (id > rv_population_count(net) || rv_population_size(net, (rv_population){ id }) != definition_of(v, id)->n)
            return error_set(v->error, RV_CONFLICT, "\"%s\", read back, has no \"%s\" of %lld neurons", v->path, definition_of(v, id)->name, (long long)definition_of(v, id)->n);
    return RV_OK;
}

static rv_status verify_mapping(const verify *v)
{
    hw_mapping m;
    TRY(hw_mapping_read(v->path, &m, v->error));
    rv_status status = check_populations(v, m.net);
    if (status == RV_OK && v->play) status = play_all(v, m.net);
    if (status == RV_OK) status = compare_all(v, m.net);
    if (status == RV_OK) status = compare_learning(v, m.net);
    hw_mapping_free(&m);
    return status;
}

static rv_status verify_header(const verify *v)
{
    rv_net *net;
    TRY(hw_header_read(v->path, &(rv_net_def){ .resolution = rv_resolution(v->net) }, &net, v->error));
    rv_status status = check_populations(v, net);
    if (status == RV_OK) status = play_all(v, net); /* spikes of inputs do not stand in it */
    if (status == RV_OK) status = compare_all(v, net);
    rv_net_free(net);
    return status;
}

/* ---- netx ------------------------------------------------------------------------------------------------------- */

/* The population that hears another but not itself: writing made sure that there is one at most. */
static rv_population next_of(rv_net *net, rv_population p)
{
    for (int id = 1; id <= rv_projection_count(net); id++) {
        rv_population source = rv_projection_source(net, (rv_projection){ id }), target = rv_projection_target(net, (rv_projection){ id });
        if (source.id == p.id && target.id != p.id) return target;
    }
    return (rv_population){ 0 };
}

static rv_population first_of(rv_net *net)
{
    for (int id = 1; id <= rv_population_count(net); id++) {
        bool heard = false;
        for (int k = 1; k <= rv_projection_count(net); k++) {
            rv_population source = rv_projection_source(net, (rv_projection){ k }), target = rv_projection_target(net, (rv_projection){ k });
            heard |= target.id == id && source.id != id;
        }
        if (!heard) return (rv_population){ id };
    }
    return (rv_population){ 0 };
}

static int by_neuron(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    if (x[0] != y[0]) return x[0] < y[0] ? -1 : 1;
    return (x[1] > y[1]) - (x[1] < y[1]);
}

static int by_step(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    if (x[1] != y[1]) return x[1] < y[1] ? -1 : 1;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* The spikes of a population with its neurons numbered as in the file, where a layer of rank 3 has an order of its own. */
static rv_status read_renumbered(const verify *v, rv_population p, int rank, train *t)
{
    const netx_shape *shape = NULL;
    for (int k = 0; k < v->n_shapes; k++)
        if (v->shapes[k].population.id == p.id && v->shapes[k].channels_first && rank == 3) shape = &v->shapes[k];
    TRY(read_train(v, v->net, p, t));
    if (!shape) return RV_OK;
    int64_t(*pair)[2] = malloc(((size_t)t->n + 1) * sizeof *pair);
    if (!pair) return free_train(t), error_memory(v->error, "spikes", 16.0 * (double)t->n);
    for (int64_t k = 0; k < t->n; k++) pair[k][0] = netx_neuron(shape, t->neuron[k]), pair[k][1] = t->step[k];
    qsort(pair, (size_t)t->n, sizeof *pair, by_step);
    for (int64_t k = 0; k < t->n; k++) t->neuron[k] = pair[k][0], t->step[k] = pair[k][1];
    free(pair);
    return RV_OK;
}

static rv_status compare_layer(const verify *v, rv_population ours, const netx *n, const netx_layer *layer)
{
    train     given, got = { 0 };
    rv_status status = read_renumbered(v, ours, layer->rank, &given);
    if (status != RV_OK) return status;
    status = read_train(v, n->net, layer->neurons, &got);
    if (status == RV_OK) status = compare_trains(v, rv_population_name(v->net, ours), &given, &got);
    free_train(&given), free_train(&got);
    return status;
}

/* What the generator gave goes in. */
static rv_status play_netx(const verify *v, rv_population from, netx *n)
{
    train given;
    TRY(read_renumbered(v, from, n->n_layers > 0 && n->layer[0].kind == NETX_INPUT ? n->layer[0].rank : 1, &given));
    int64_t  (*pair)[2] = malloc(((size_t)given.n + 1) * sizeof *pair);
    double    *payload = malloc(((size_t)given.n + 1) * sizeof *payload);
    rv_status  status = pair && payload ? RV_OK : error_memory(v->error, "spikes", 24.0 * (double)given.n);
    for (int64_t k = 0; k < given.n && status == RV_OK; k++) pair[k][0] = given.neuron[k], pair[k][1] = given.step[k], payload[k] = 1;
    if (status == RV_OK) qsort(pair, (size_t)given.n, sizeof *pair, by_neuron);
    for (int64_t k = 0; k < given.n && status == RV_OK; k++) given.neuron[k] = pair[k][0], given.step[k] = pair[k][1];
    netx_input input = { .n_steps = v->steps, .n_events = given.n, .step = given.step, .neuron = given.neuron, .payload = payload };
    if (status == RV_OK) status = netx_play(n, &input, v->error);
    free(pair), free(payload), free_train(&given);
    return status;
}

static rv_status compare_layers(const verify *v, netx *n)
{
    rv_population p = first_of(v->net);
    if (n->input.id) p = next_of(v->net, p);
    for (int k = 0; k < n->n_layers; k++) {
        if (!n->layer[k].neurons.id) continue;
        if (!p.id) return error_set(v->error, RV_CONFLICT, "\"%s\", read back, has more layers than the network", v->path);
        TRY(compare_layer(v, p, n, &n->layer[k]));
        p = next_of(v->net, p);
    }
    return RV_OK;
}

static rv_status verify_netx(const verify *v)
{
    netx n;
    TRY(netx_read(v->path, &(rv_net_def){ 0 }, &v->netx, &n, v->error));
    rv_status status = n.input.id ? play_netx(v, first_of(v->net), &n) : RV_OK;
    if (status == RV_OK) status = verify_run(v, n.net);
    if (status == RV_OK) status = compare_layers(v, &n);
    netx_free(&n);
    if (status == RV_OK) verify_note_equal(v);
    return status;
}

/* ---- SANA-FE ---------------------------------------------------------------------------------------------------- */

/* What SANA-FE's arithmetic makes of the file. */
typedef struct heard {
    int64_t n_neurons, room;
    train   spikes; /* of all populations, numbered through */
    bool    failed;
} heard;

static bool make_room(heard *h)
{
    if (h->spikes.n < h->room) return true;
    h->room = 2 * h->room + 1024;
    int64_t *steps = realloc(h->spikes.step, (size_t)h->room * sizeof *steps), *neurons = NULL;
    if (steps) h->spikes.step = steps, neurons = realloc(h->spikes.neuron, (size_t)h->room * sizeof *neurons);
    if (neurons) h->spikes.neuron = neurons;
    return neurons != NULL;
}

static void hear(void *user, int64_t step, const bool *fired, const bool *updated)
{
    heard *h = user;
    (void)updated;
    for (int64_t i = 0; i < h->n_neurons && !h->failed; i++) {
        if (!fired[i]) continue;
        h->failed = !make_room(h);
        if (!h->failed) h->spikes.step[h->spikes.n] = step, h->spikes.neuron[h->spikes.n++] = i;
    }
}

static rv_status compare_heard(const verify *v, const train *spikes)
{
    int64_t first = 0;
    for (int id = 1; id <= rv_population_count(v->net); first += definition_of(v, id)->n, id++) TRY(compare_part(v, id, spikes, first));
    return RV_OK;
}

/* The inputs of the file with the spikes of our generators. */
static rv_status play_sanafe(const verify *v, sanafe_net *s)
{
    int64_t *spike = malloc(((size_t)all_spikes(v->net) + 1) * sizeof *spike), n = 0, first = 0;
    if (!spike) return error_memory(v->error, "spikes", 8.0 * (double)all_spikes(v->net));
    for (int id = 1; id <= rv_population_count(v->net); first += definition_of(v, id)->n, id++) {
        train given;
        if (!export_is_input(definition_of(v, id))) continue;
        rv_status status = read_train(v, v->net, (rv_population){ id }, &given);
        if (status != RV_OK) return free(spike), status;
        for (int64_t i = 0; i < definition_of(v, id)->n && first + i < s->n_neurons; i++) {
            s->neuron[first + i].first_spike = n;
            for (int64_t k = 0; k < given.n; k++)
                if (given.neuron[k] == i) spike[n++] = given.step[k];
            s->neuron[first + i].n_spikes = n - s->neuron[first + i].first_spike;
        }
        free_train(&given);
    }
    free(s->spike);
    s->spike = spike, s->n_spikes = n, s->n_steps = v->steps;
    return RV_OK;
}

static rv_status verify_sanafe(const verify *v)
{
    sanafe_net s;
    rv_error   why = { 0 };
    bool       exact = sanafe_exact(v->net, &why);
    TRY(sanafe_read(v->path, &s, v->error));
    heard     h = { .n_neurons = s.n_neurons };
    rv_status status = v->play ? play_sanafe(v, &s) : RV_OK;
    if (status == RV_OK) status = sanafe_run(&s, v->steps, hear, &h, v->error);
    if (status == RV_OK && h.failed) status = error_memory(v->error, "spikes", 16.0 * (double)h.spikes.n);
    if (status == RV_OK && exact) status = compare_heard(v, &h.spikes);
    if (status == RV_OK && exact) verify_note_equal(v);
    else if (status == RV_OK && v->note)
        snprintf(v->note, VERIFY_NOTE, "\"%s\" was read back and run for %lld steps: %lld spikes in SANA-FE's arithmetic, %lld on the chip, because %.200s", v->path, (long long)v->steps,
                 (long long)h.spikes.n, (long long)all_spikes(v->net), why.text);
    free_train(&h.spikes);
    sanafe_free(&s);
    return status;
}

/* ---- TENNLab ---------------------------------------------------------------------------------------------------- */

/* Inputs are written as tennlab_from_net() meets their synapses: projection after projection, generator after generator. */
static rv_status play_tennlab(const verify *v, const export_net *e, rv_net *net)
{
    rv_population inputs = rv_population_find(net, "inputs");
    double       *times = malloc(((size_t)all_spikes(v->net) + 1) * sizeof *times);
    rv_status     status = times ? RV_OK : error_memory(v->error, "spikes", 8.0 * (double)all_spikes(v->net));
    int64_t       input = 0;
    for (int k = 0; k < e->n_projections && status == RV_OK; k++) {
        const export_synapses *s = &e->projection[k];
        train                  given;
        if (!export_is_input(export_population(e, s->source))) continue;
        status = read_train(v, v->net, (rv_population){ s->source + 1 }, &given);
        for (int64_t i = 0; i < s->n && status == RV_OK; i++) status = play_neuron(v, &given, s->from[i], net, inputs, input++, times);
        free_train(&given);
    }
    free(times);
    return status;
}

/* Populations one after the other, without the generators. */
static rv_status compare_nodes(const verify *v, rv_net *net)
{
    train all;
    TRY(read_train(v, net, rv_population_find(net, "neurons"), &all));
    int64_t   first = 0;
    rv_status status = RV_OK;
    for (int id = 1; id <= rv_population_count(v->net) && status == RV_OK; id++) {
        if (export_is_input(definition_of(v, id))) continue;
        status = compare_part(v, id, &all, first);
        first += definition_of(v, id)->n;
    }
    free_train(&all);
    return status;
}

static rv_status verify_tennlab(const verify *v)
{
    tennlab_net t;
    export_net  e;
    rv_net     *net = NULL;
    TRY(tennlab_read(v->path, &t, v->error));
    rv_status status = tennlab_build(&t, &(rv_net_def){ .resolution = rv_resolution(v->net) }, &net, v->error);
    if (status == RV_OK && (status = export_net_open(v->net, "TENNLab", &e, v->error)) == RV_OK) {
        status = play_tennlab(v, &e, net);
        export_net_close(&e);
    }
    if (status == RV_OK) status = verify_run(v, net);
    if (status == RV_OK) status = compare_nodes(v, net);
    if (status == RV_OK) verify_note_equal(v);
    rv_net_free(net);
    tennlab_free(&t);
    return status;
}

/* ---- all formats, random input ------------------------------------------------------------------------------------- */

static const verify_kind kinds[] = {
    { "netx", verify_netx }, { "ranvier", verify_mapping }, { "sanafe", verify_sanafe }, { "header", verify_header }, { "tennlab", verify_tennlab },
};
enum { N_KINDS = sizeof kinds / sizeof *kinds, STANDARD_STEPS = 100 };

const verify_kind *verify_format(const char *format)
{
    for (int k = 0; k < N_KINDS; k++)
        if (strcmp(kinds[k].format, format) == 0) return &kinds[k];
    return NULL;
}

static rv_status random_spikes(const verify *v, const hw_verify_options *o, int id)
{
    double   *times = malloc(((size_t)v->steps + 1) * sizeof *times), rate = o->rate > 0 ? o->rate : 0.1;
    rv_status status = times ? RV_OK : error_memory(v->error, "spikes", 8.0 * (double)v->steps);
    for (int64_t i = 0; i < definition_of(v, id)->n && status == RV_OK; i++) {
        rv_random r = random_stream(o->seed, RANDOM_USER, (uint32_t)id, (uint64_t)i);
        int64_t   n = 0;
        for (int64_t step = 1; step <= v->steps; step++)
            if (random_uniform(&r) < rate) times[n++] = (double)step * rv_resolution(v->net);
        if (rv_set_spike_times(v->net, (rv_population){ id }, i, times, n) != RV_OK) status = net_failed(v, v->net);
    }
    free(times);
    return status;
}

static rv_status run_on_random_input(const verify *v, const hw_verify_options *o)
{
    for (int id = 1; id <= rv_population_count(v->net); id++)
        if (strcmp(rv_population_model(v->net, (rv_population){ id }), "spike_generator") == 0) TRY(random_spikes(v, o, id));
    return verify_run(v, v->net);
}

rv_status hw_export_verify(const char *format, const char *path, rv_net *net, const hw_verify_options *options, char *note, rv_error *error)
{
    const char              *names[N_KINDS];
    const verify_kind       *kind = verify_format(format);
    const hw_verify_options *o = options ? options : &(hw_verify_options){ 0 };
    verify                   v = { .path = path, .steps = o->steps > 0 ? o->steps : STANDARD_STEPS, .play = true, .netx = o->netx, .shapes = o->shapes, .n_shapes = o->n_shapes, .note = note, .error = error };
    export_net               e;
    for (int k = 0; k < N_KINDS; k++) names[k] = kinds[k].format;
    if (!kind) return error_unknown(error, NULL, "format", format, names, N_KINDS);
    if (!(o->rate >= 0 && o->rate <= 1)) return error_set(error, RV_OUT_OF_RANGE, "hw_export_verify: rate = %g, allowed 0 to 1", o->rate);
    TRY(strcmp(format, "ranvier") == 0 ? export_net_open_learning(net, format, &e, error) : export_net_open(net, format, &e, error));
    rv_status status = export_net_copy(&e, &v.net, error);
    export_net_close(&e);
    if (status == RV_OK) status = run_on_random_input(&v, o);
    if (status == RV_OK) status = kind->verify(&v);
    if (status == RV_OK && note) snprintf(note + strlen(note), VERIFY_NOTE - strlen(note), ", on random input");
    rv_net_free(v.net);
    return status;
}
