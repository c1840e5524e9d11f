/* Input of a netx network: from HDF5 arrays, as Lava's users keep them, or from lines of text. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/netx.h"
#include "io/hdf5_file.h"
#include "sim/error.h"
#include "sim/memory.h"

void netx_input_free(netx_input *input)
{
    free(input->step), free(input->neuron), free(input->payload), free(input->bias);
    *input = (netx_input){ 0 };
}

/* ---- events ---------------------------------------------------------------------------------------------------- */

typedef struct events {
    netx_input *input;
    int64_t     capacity[3];
    const char *path;
    rv_error   *error;
} events;

static rv_status add_event(events *e, int64_t step, int64_t neuron, double payload)
{
    netx_input *in = e->input;
    int64_t     n = in->n_events + 1;
    if (!memory_reserve((void **)&in->step, &e->capacity[0], n, sizeof *in->step) || !memory_reserve((void **)&in->neuron, &e->capacity[1], n, sizeof *in->neuron) ||
        !memory_reserve((void **)&in->payload, &e->capacity[2], n, sizeof *in->payload))
        return error_memory(e->error, "input spikes", (double)n * 24);
    in->step[n - 1] = step, in->neuron[n - 1] = neuron, in->payload[n - 1] = payload, in->n_events = n;
    if (step > in->n_steps) in->n_steps = step;
    return RV_OK;
}

typedef struct event {
    int64_t step, neuron;
    double  payload;
} event;

static int by_neuron_and_step(const void *pa, const void *pb)
{
    const event *a = pa, *b = pb;
    if (a->neuron != b->neuron) return a->neuron < b->neuron ? -1 : 1;
    return a->step < b->step ? -1 : a->step > b->step;
}

static rv_status sort_events(netx_input *in, const char *path, rv_error *error)
{
    event *list = malloc(((size_t)in->n_events + 1) * sizeof *list);
    if (!list) return error_memory(error, "input spikes", (double)in->n_events * sizeof *list);
    for (int64_t k = 0; k < in->n_events; k++) list[k] = (event){ in->step[k], in->neuron[k], in->payload[k] };
    qsort(list, (size_t)in->n_events, sizeof *list, by_neuron_and_step);
    for (int64_t k = 0; k < in->n_events; k++) in->step[k] = list[k].step, in->neuron[k] = list[k].neuron, in->payload[k] = list[k].payload;
    free(list);
    for (int64_t k = 1; k < in->n_events; k++)
        if (in->neuron[k] == in->neuron[k - 1] && in->step[k] == in->step[k - 1])
            return error_set(error, RV_CONFLICT, "\"%s\": neuron %lld gets two numbers at step %lld, allowed is one", path, (long long)in->neuron[k], (long long)in->step[k]);
    return RV_OK;
}

/* ---- HDF5 ------------------------------------------------------------------------------------------------------ */

static rv_status check_count(const events *e, const char *dataset, int64_t count, int64_t n)
{
    if (count == n) return RV_OK;
    return error_set(e->error, RV_WRONG_SHAPE, "\"%s\", %s: %lld values in a step, the network takes %lld", e->path, dataset, (long long)count, (long long)n);
}

static rv_status check_payload(const events *e, int64_t step, int64_t neuron, double x)
{
    if (x >= INT32_MIN && x <= INT32_MAX && x == rint(x)) return RV_OK;
    return error_set(e->error, RV_OUT_OF_RANGE, "\"%s\": step %lld, neuron %lld: a spike that carries %.10g, allowed are whole numbers of 32 bits", e->path,
                     (long long)step, (long long)neuron, x);
}

static rv_status add_row(events *e, int64_t step, const double *row, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (row[i] == 0) continue;
        TRY(check_payload(e, step, i, row[i]));
        TRY(add_event(e, step, i, row[i]));
    }
    return RV_OK;
}

/* Row after row, so that long recordings need little memory. */
static rv_status read_rows(events *e, hdf5_file *file, const char *dataset, const netx *n)
{
    hdf5_shape shape;
    rv_status  status = hdf5_shape_of(file, dataset, &shape);
    if (status != RV_OK) return error_set(e->error, status, "%s", file->error.text);
    int64_t steps = shape.rank > 0 ? shape.n[0] : 0;
    TRY(check_count(e, dataset, steps ? shape.count / steps : 0, n->n_input));
    double *row = malloc(((size_t)n->n_input + 1) * sizeof *row);
    if (!row) return error_memory(e->error, "input spikes", (double)n->n_input * sizeof *row);
    for (int64_t t = 0; t < steps && status == RV_OK; t++) {
        status = hdf5_read_rows(file, dataset, HDF5_F64, t, 1, row);
        status = status == RV_OK ? add_row(e, t + 1, row, n->n_input) : error_set(e->error, status, "%s", file->error.text);
    }
    free(row);
    e->input->n_steps = steps;
    return status;
}

static rv_status read_bias(events *e, hdf5_file *file, const char *dataset, const netx *n)
{
    void      *values = NULL;
    hdf5_shape shape;
    rv_status  status = hdf5_load(file, dataset, HDF5_F64, &values, &shape);
    if (status != RV_OK) return error_set(e->error, status, "%s", file->error.text);
    e->input->bias = values;
    return check_count(e, dataset, shape.count, n->n_input);
}

static rv_status read_hdf5(events *e, const char *dataset, const netx *n)
{
    hdf5_file file = { 0 };
    rv_status status = hdf5_open(e->path, &file);
    if (status != RV_OK) status = error_set(e->error, status, "%s", file.error.text);
    bool biased = status == RV_OK && !n->input.id && hdf5_kind_of(&file, "/input_bias_mant") == HDF5_DATASET;
    if (biased) status = read_bias(e, &file, "/input_bias_mant", n);
    const char *rows = dataset ? dataset : "/input";
    if (status == RV_OK && (!biased || hdf5_kind_of(&file, rows) == HDF5_DATASET)) status = read_rows(e, &file, rows, n);
    hdf5_close(&file);
    return status;
}

/* ---- lines of text --------------------------------------------------------------------------------------------- */

static rv_status read_line(events *e, int line_number, const char *line, const netx *n)
{
    double step = 0, neuron = 0, payload = 1;
    int    given = sscanf(line, " %lf , %lf , %lf", &step, &neuron, &payload);
    if (given < 2 || !(step >= 1 && step <= 1e12) || step != rint(step) || neuron != rint(neuron))
        return error_set(e->error, RV_FILE_ERROR, "\"%s\", line %d: \"%.40s\" is not step,neuron,payload with steps from 1", e->path, line_number, line);
    if (!(neuron >= 0 && neuron < (double)n->n_input))
        return error_set(e->error, RV_OUT_OF_RANGE, "\"%s\", line %d: neuron %g, allowed 0 to %lld", e->path, line_number, neuron, (long long)n->n_input - 1);
    TRY(check_payload(e, (int64_t)step, (int64_t)neuron, payload));
    return payload == 0 ? RV_OK : add_event(e, (int64_t)step, (int64_t)neuron, payload);
}

static rv_status read_lines(events *e, const netx *n)
{
    char  line[256];
    FILE *file = fopen(e->path, "r");
    if (!file) return error_set(e->error, RV_FILE_ERROR, "cannot read \"%s\": %s", e->path, strerror(errno));
    rv_status status = RV_OK;
    for (int k = 1; status == RV_OK && fgets(line, sizeof line, file); k++) {
        line[strcspn(line, "\r\n")] = 0;
        bool names = k == 1 && strspn(line, " 0123456789.,+-eE") != strlen(line);
        if (line[0] && line[0] != '#' && !names) status = read_line(e, k, line, n);
    }
    fclose(file);
    e->input->ends_with_event = true;
    return status;
}

/* ---- both ------------------------------------------------------------------------------------------------------ */

static bool is_hdf5(const char *path)
{
    unsigned char begin[4] = { 0 };
    FILE         *file = fopen(path, "rb");
    size_t        n = file ? fread(begin, 1, sizeof begin, file) : 0;
    if (file) fclose(file);
    return n == sizeof begin && memcmp(begin, "\x89HDF", 4) == 0;
}

/* "file.h5:dataset"; a name with a colon that is a file is that file. */
static const char *split_dataset(char *path)
{
    FILE *file = fopen(path, "rb");
    char *colon = strrchr(path, ':');
    if (file) fclose(file);
    if (file || !colon) return NULL;
    *colon = 0;
    return colon + 1;
}

rv_status netx_input_read(const char *path, const netx *n, netx_input *input, rv_error *error)
{
    *input = (netx_input){ 0 };
    char *file = strdup(path);
    if (!file) return error_memory(error, "input", 0);
    const char *dataset = split_dataset(file);
    events      e = { .input = input, .path = file, .error = error };
    rv_status   status = is_hdf5(file) ? read_hdf5(&e, dataset, n) : read_lines(&e, n);
    if (status == RV_OK) status = sort_events(input, file, error);
    if (status != RV_OK) netx_input_free(input);
    free(file);
    return status;
}

/* ---- playing it ------------------------------------------------------------------------------------------------ */

static rv_status play_neuron(netx *n, const netx_input *in, int64_t first, int64_t count, double *times)
{
    double h = rv_resolution(n->net);
    bool   graded = false;
    for (int64_t k = 0; k < count; k++) times[k] = (double)in->step[first + k] * h, graded |= in->payload[first + k] != 1;
    TRY(rv_set_spike_times(n->net, n->input, in->neuron[first], times, count));
    return graded ? rv_set_payloads(n->net, n->input, in->neuron[first], in->payload + first, count) : RV_OK;
}

/* A layer without synapses takes numbers in the very step: a current that lasts as long. */
static rv_status inject_neuron(netx *n, rv_population layer, const netx_input *in, int64_t first, int64_t count, double *times, double *amplitudes)
{
    double  h = rv_resolution(n->net);
    int64_t m = 0;
    for (int64_t k = first; k < first + count; k++) {
        times[m] = (double)(in->step[k] - 1) * h, amplitudes[m++] = in->payload[k];
        if (k + 1 < first + count && in->step[k + 1] == in->step[k] + 1) continue;
        times[m] = (double)in->step[k] * h, amplitudes[m++] = 0;
    }
    rv_setting settings[] = { { "times", rv_list(times, m) }, { "amplitudes", rv_list(amplitudes, m) } };
    return rv_input_new(n->net, (rv_slice){ layer, in->neuron[first], 1, 1 }, "step", settings, 2, NULL);
}

static rv_population driven_layer(const netx *n)
{
    for (int k = 0; k < n->n_layers; k++)
        if (n->layer[k].neurons.id) return n->layer[k].neurons;
    return (rv_population){ 0 };
}

static rv_status play_all(netx *n, const netx_input *in)
{
    double   *times = malloc((2 * (size_t)in->n_events + 2) * sizeof *times), *amplitudes = malloc((2 * (size_t)in->n_events + 2) * sizeof *amplitudes);
    rv_status status = times && amplitudes ? RV_OK : RV_OUT_OF_MEMORY;
    for (int64_t k = 0, end; k < in->n_events && status == RV_OK; k = end) {
        for (end = k; end < in->n_events && in->neuron[end] == in->neuron[k];) end++;
        status = n->input.id ? play_neuron(n, in, k, end - k, times) : inject_neuron(n, driven_layer(n), in, k, end - k, times, amplitudes);
    }
    free(times), free(amplitudes);
    return status;
}

rv_status netx_play(netx *n, const netx_input *input, rv_error *error)
{
    rv_status status = input->bias ? rv_set(n->net, driven_layer(n), "bias_mant", rv_list(input->bias, n->n_input)) : RV_OK;
    if (status == RV_OK && input->n_events > 0) status = play_all(n, input);
    return status == RV_OK ? RV_OK : error_set(error, status, "%s", rv_net_error(n->net)->text);
}
