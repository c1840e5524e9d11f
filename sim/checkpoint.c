#include <stdlib.h>

#include "sim/checkpoint_visit.h"
#include "sim/inputs.h"

enum { MOST_THREADS = 256 };

/* ---- the head ----------------------------------------------------------------------------------------------------- */

/* What a network is before anything is in it. */
typedef struct head {
    double   resolution;
    uint64_t seed;
    int      timing, advance, layout;
} head;

static rv_status visit_head(visitor *v, head *h)
{
    int version = CHECKPOINT_VERSION;
    TRY(visit_int(v, "version", &version, 1, INT32_MAX));
    if (version != CHECKPOINT_VERSION)
        return error_set(v->error, RV_FILE_ERROR, "it is a checkpoint of version %d, this version of Ranvier (" RV_VERSION ") reads version %d", version, CHECKPOINT_VERSION);
    TRY(visit_double(v, "definition/resolution", &h->resolution));
    TRY(visit_values(v, "definition/seed", CHECKPOINT_U64, &h->seed, 1));
    TRY(visit_int(v, "definition/timing", &h->timing, RV_GRID, RV_EXACT));
    TRY(visit_int(v, "definition/advance", &h->advance, RV_ADAPTIVE, RV_JUMP));
    return visit_int(v, "definition/layout", &h->layout, 1, MOST_THREADS);
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static rv_status write_all(visitor *v, rv_net *net)
{
    head h = { net->def.resolution, net->def.seed, (int)net->def.timing, (int)net->advance, net->net->layout };
    TRY(visit_head(v, &h));
    TRY(visit_definition(v, &net->def));
    TRY(visit_network(v, net->net));
    TRY(visit_state(v, net->state));
    TRY(visit_structure(v, net));
    return visit_recording(v, net);
}

rv_status checkpoint_write(rv_net *net, const checkpoint_port *port)
{
    visitor v = { .port = port, .error = &net->error };
    TRY(rv_compile(net));
    rv_status status = write_all(&v, net);
    free(v.buffer);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* A network with its definition alone. */
static rv_status read_definition(visitor *v, int threads, rv_net **net, int *layout)
{
    head       h = { 0 };
    definition d = { 0 };
    TRY(visit_head(v, &h));
    TRY(rv_net_new(&(rv_net_def){ .resolution = h.resolution, .seed = h.seed, .timing = (rv_timing)h.timing, .threads = threads, .advance = (rv_advance)h.advance }, net, v->error));
    d = (*net)->def;
    rv_status status = visit_definition(v, &d);
    size_t    n = (size_t)d.n_populations + 1;
    (*net)->spikes = calloc(n, sizeof *(*net)->spikes), (*net)->n_spikes = calloc(n, sizeof *(*net)->n_spikes);
    if (status == RV_OK && (!(*net)->spikes || !(*net)->n_spikes)) status = error_memory(v->error, "the network", 0);
    for (int p = 0; p < d.n_populations && status == RV_OK; p++) spool_open(&(*net)->spikes[p].spool, sizeof(spike_record));
    if (status == RV_OK) (*net)->def = d;
    else definition_free(&d);
    *layout = h.layout;
    return status;
}

static rv_status fill_network(network *net, void *user, rv_error *error)
{
    (void)error; /* the visitor's */
    return visit_network(user, net);
}

static rv_status read_state(visitor *v, rv_net *net)
{
    TRY(state_new(net->net, net->advance, net->threads, &net->state, v->error));
    for (int i = 0; i < net->def.n_inputs; i++) TRY(inputs_prepare(net->state, i, v->error));
    TRY(visit_state(v, net->state));
    TRY(visit_structure(v, net));
    return visit_recording(v, net);
}

static rv_status read_all(visitor *v, int threads, rv_net **net)
{
    int layout;
    TRY(read_definition(v, threads, net, &layout));
    TRY(network_restore(&(*net)->def, layout, fill_network, v, &(*net)->net, v->error));
    if ((*net)->threads > (*net)->net->n_tiles) (*net)->threads = (*net)->net->n_tiles; /* a tile is one thread's work */
    return read_state(v, *net);
}

rv_status checkpoint_read(const checkpoint_port *port, int threads, rv_net **net, rv_error *error)
{
    rv_error unread = { 0 };
    visitor  v = { .port = port, .loading = true, .error = error ? error : &unread };
    *net = NULL;
    rv_status status = read_all(&v, threads, net);
    free(v.buffer);
    if (status == RV_OK) return RV_OK;
    rv_net_free(*net);
    *net = NULL;
    return status;
}
