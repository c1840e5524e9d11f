#include "io/script_export.h"

#include <stdio.h>
#include <string.h>

#include "hw/export_header.h"
#include "hw/export_net.h"
#include "hw/export_verify.h"
#include "hw/mapping_file.h"
#include "hw/netx_write.h"
#include "hw/sanafe.h"
#include "hw/split.h"
#include "hw/tennlab.h"
#include "io/nir_build.h"
#include "sim/error.h"
#include "sim/net.h"

/* One network on its way into a file and back. */
typedef struct job {
    rv_net     *net;
    const char *chip, *path;
    int64_t     steps; /* recorded, 0: nothing to compare with */
    rv_net     *mapped; /* the network that is written: ours, or with neurons split */
    hw_map     *map;
    netx_options with;
    const netx_shape *shapes; /* [n_shapes] */
    int         n_shapes;
    char       *note;
    rv_error   *error;
} job;

/* ---- chips' formats ------------------------------------------------------------------------------------------------ */

static rv_status write_mapping(job *j) { return hw_mapping_write(j->path, j->mapped, j->map, j->error); }
static rv_status write_header(job *j) { return hw_header_write(j->path, j->mapped, j->map, j->error); }
static rv_status write_netx(job *j) { return netx_write(j->path, j->net, j->shapes, j->n_shapes, &j->with, j->error); }

static rv_status write_tennlab(job *j)
{
    tennlab_net t;
    TRY(tennlab_from_net(j->net, &t, j->error));
    rv_status status = tennlab_write(&t, j->path, j->error);
    tennlab_free(&t);
    return status;
}

/* ---- SANA-FE ---------------------------------------------------------------------------------------------------- */

/* net.yaml has its architecture beside it: net.arch.yaml. */
static void architecture_path(const char *path, char text[4096])
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    size_t      length = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    snprintf(text, 4096, "%.*s.arch.yaml", (int)length, path);
}

static rv_status write_sanafe(job *j)
{
    enum { STEPS_WITHOUT_RUN = 1000 };
    sanafe_net s;
    char       architecture[4096];
    TRY(sanafe_from_net(j->mapped, j->map, j->steps ? j->steps : STEPS_WITHOUT_RUN, &s, j->error));
    rv_status status = sanafe_write(&s, j->path, j->error);
    sanafe_free(&s);
    architecture_path(j->path, architecture);
    return status == RV_OK ? sanafe_write_architecture(j->map, architecture, j->error) : status;
}

/* ---- NIR -------------------------------------------------------------------------------------------------------- */

static rv_status write_nir(job *j)
{
    nir_graph graph;
    TRY(nir_from_net(j->net, NULL, &graph, j->error));
    rv_status status = nir_write(j->path, NULL, &graph, j->error);
    nir_free(&graph);
    return status;
}

static rv_status read_nir(const job *j, nir_net *n)
{
    nir_graph graph;
    TRY(nir_read(j->path, NULL, &graph, j->error));
    rv_status status = nir_complete(&graph, j->error);
    if (status == RV_OK) status = nir_build(&graph, &(rv_net_def){ .resolution = rv_resolution(j->net) }, NULL, n, j->error);
    nir_free(&graph);
    return status;
}

static bool is_generator(const job *j, int id) { return j->net->def.population[id - 1].model->emit != NULL; }

static rv_status lost_population(const job *j, int id)
{
    return error_set(j->error, RV_CONFLICT, "\"%s\", read back, has no \"%s\"", j->path, rv_population_name(j->net, (rv_population){ id }));
}

static rv_status compare_nir(const job *j, const verify *v, rv_net *net)
{
    for (int id = 1; id <= rv_population_count(j->net); id++) {
        rv_population p = rv_population_find(net, rv_population_name(j->net, (rv_population){ id }));
        if (!p.id) return lost_population(j, id);
        if (is_generator(j, id)) TRY(verify_play(v, (rv_population){ id }, net, p));
    }
    TRY(verify_run(v, net));
    for (int id = 1; id <= rv_population_count(j->net); id++)
        TRY(verify_compare(v, (rv_population){ id }, net, rv_population_find(net, rv_population_name(j->net, (rv_population){ id }))));
    verify_note_equal(v);
    return RV_OK;
}

static rv_status verify_nir(const job *j, const verify *v)
{
    nir_net n;
    TRY(read_nir(j, &n));
    rv_status status = compare_nir(j, v, n.net);
    nir_net_free(&n);
    return status;
}

/* ---- all formats ------------------------------------------------------------------------------------------------ */

typedef struct entry {
    export_format format;
    rv_status (*write)(job *j);
} entry;

static const entry entries[] = {
    { { "netx", ".net", "lava-dl's network file, for Loihi 2: a chain of layers", false, false, "loihi2" }, write_netx },
    { { "ranvier", ".h5", "Ranvier's own mapping file: cores, axons, synaptic memory, routes", true, false, "loihi2" }, write_mapping },
    { { "sanafe", ".yaml or .net", "SANA-FE's mapped network, and beside it the chip, NAME.arch.yaml", true, false, "loihi1" }, write_sanafe },
    { { "header", ".h", "constant arrays in C, core by core, for firmware", true, false, "loihi2" }, write_header },
    { { "tennlab", ".json", "TENNLab's network for its RISP processors, of neurons of the model risp", false, true, NULL }, write_tennlab },
    { { "nir", ".nir", "the Neuromorphic Intermediate Representation, of the network as it is, in real numbers", false, true, NULL }, write_nir },
};
enum { N_ENTRIES = sizeof entries / sizeof *entries };

const export_format *export_format_at(int index) { return index < N_ENTRIES ? &entries[index].format : NULL; }

rv_status export_format_find(const char *name, const export_format **format, rv_error *error)
{
    const char *names[N_ENTRIES];
    for (int k = 0; k < N_ENTRIES; k++) {
        names[k] = entries[k].format.name, *format = &entries[k].format;
        if (strcmp(names[k], name) == 0) return RV_OK;
    }
    return error_unknown(error, NULL, "format", name, names, N_ENTRIES);
}

static rv_status map_network(job *j, hw_placement *p)
{
    hw_chip chip;
    TRY(hw_chip_open(j->chip, &chip, j->error));
    TRY(hw_place(&chip, j->net, NULL, NULL, p, j->error));
    j->map = p->map;
    if (p->net) j->mapped = p->net;
    return RV_OK;
}

/* Whether there are generators, and none of them has spiked. */
static bool is_silent(const job *j)
{
    int64_t generators = 0, spikes = 0;
    for (int id = 1; id <= rv_population_count(j->net); id++)
        if (is_generator(j, id)) generators++, spikes += rv_spike_count(j->net, (rv_population){ id });
    return generators > 0 && spikes == 0;
}

/* A network that nothing was said to proves little: it gets random input. So does one that learns, because the file has the weights of now, and
 * what was recorded came from those of before. */
static rv_status prove(const job *j, const export_format *format)
{
    if (verify_format(format->name) && (is_silent(j) || export_learns(j->net)))
        return hw_export_verify(format->name, j->path, j->net, &(hw_verify_options){ .steps = j->steps, .seed = rv_seed(j->net), .netx = j->with, .shapes = j->shapes, .n_shapes = j->n_shapes }, j->note, j->error);
    verify v = { .path = j->path, .net = j->net, .steps = j->steps, .netx = j->with, .shapes = j->shapes, .n_shapes = j->n_shapes, .note = j->note, .error = j->error };
    return verify_format(format->name) ? verify_format(format->name)->verify(&v) : verify_nir(j, &v);
}

rv_status export_write(const export_format *format, rv_net *net, const char *chip, const char *path, int64_t steps, const netx_shape *shapes, int n_shapes,
                       char note[EXPORT_NOTE], rv_error *error)
{
    job          j = { .net = net, .mapped = net, .chip = chip, .path = path, .steps = steps, .shapes = shapes, .n_shapes = n_shapes, .note = note, .error = error };
    const entry *e = (const entry *)format; /* its first member */
    hw_placement p = { 0 };
    snprintf(note, EXPORT_NOTE, "\"%s\" was written, and not verified", path);
    rv_status status = format->mapped ? map_network(&j, &p) : RV_OK;
    if (status == RV_OK) status = e->write(&j);
    if (status == RV_OK && steps > 0) status = prove(&j, format);
    hw_placement_free(&p);
    return status;
}
