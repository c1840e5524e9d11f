/* Currents. IClamp: amp from delay on for duration, in the unit of the target's template: pA for nest:, nA for pynn: (and for
 * NEURON, whose artificial cells take none). BBP's modules are always in nA. On the grid a current is in force one step later than
 * it says, as NEST's devices are. */
#include "io/sonata_inputs.h"

#include <errno.h>

enum { MOST_STEPS = 1 << 20 };

/* Steps of current, or one of the engine's own kinds. */
typedef struct current {
    const sonata_input *in;
    double              scale;       /* of amplitudes: to what the template means; 0: by the template */
    double             *time, *amp;  /* [n] */
    int64_t             n;
    const char         *kind;        /* NULL: steps */
    rv_setting          setting[6];
    int                 n_settings;
    double              template_scale;
} current;

static rv_status need(const current *s, const char *key, double *x)
{
    TRY(sonata_number(s->in->entry, s->in->name, key, NAN, x, s->in->error));
    return isnan(*x) ? error_set(s->in->error, RV_WRONG_SHAPE, "%s: needs %s", s->in->name, key) : RV_OK;
}

static rv_status reserve(current *s, int64_t n)
{
    if (n > MOST_STEPS) return error_set(s->in->error, RV_OUT_OF_RANGE, "%s: %lld steps of current, allowed up to %d", s->in->name, (long long)n, MOST_STEPS);
    s->time = malloc(((size_t)n + 1) * sizeof *s->time), s->amp = malloc(((size_t)n + 1) * sizeof *s->amp);
    return s->time && s->amp ? RV_OK : error_memory(s->in->error, s->in->name, (double)n * 16);
}

/* A step; one at the same time as the last takes its place. */
static void add_step(current *s, double ms, double amp)
{
    if (s->n > 0 && s->time[s->n - 1] >= ms) s->n--;
    s->time[s->n] = ms, s->amp[s->n++] = amp;
}

/* ---- IClamp ------------------------------------------------------------------------------------------------------ */

/* The k-th of a list; a single number is a list of one. */
static rv_status element(const current *s, const char *key, size_t k, size_t n, double *x)
{
    const json_t *value = json_object_get(s->in->entry, key);
    size_t        there = json_is_array(value) ? json_array_size(value) : 1;
    if (!json_is_array(value)) TRY(need(s, key, x));
    if (there != n) return error_set(s->in->error, RV_WRONG_SHAPE, "%s: %zu values of %s and %zu of amp, allowed are equal numbers", s->in->name, there, key, n);
    const json_t *one = json_is_array(value) ? json_array_get(value, k) : NULL;
    if (one && !json_is_number(one)) return error_set(s->in->error, RV_OUT_OF_RANGE, "%s: %s[%zu] is not a number", s->in->name, key, k);
    if (one) *x = json_number_value(one);
    return RV_OK;
}

static rv_status read_clamp(current *s)
{
    const json_t *amps = json_object_get(s->in->entry, "amp");
    size_t        n = json_is_array(amps) ? json_array_size(amps) : 1;
    double        end = 0;
    TRY(reserve(s, 2 * (int64_t)n));
    for (size_t k = 0; k < n; k++) {
        double amp, delay, duration;
        TRY(element(s, "amp", k, n, &amp));
        TRY(element(s, "delay", k, n, &delay));
        TRY(element(s, "duration", k, n, &duration));
        if (delay < 0 || duration < 0) return error_set(s->in->error, RV_OUT_OF_RANGE, "%s: delay %g ms and duration %g ms, allowed are 0 or more", s->in->name, delay, duration);
        if (k > 0 && delay < end) return error_set(s->in->error, RV_CONFLICT, "%s: amp[%zu] begins at %g ms, before the one before ends at %g ms", s->in->name, k, delay, end);
        end = delay + duration;
        add_step(s, delay, amp);
        add_step(s, end, 0);
    }
    return RV_OK;
}

/* ---- csv --------------------------------------------------------------------------------------------------------- */

static int column_of(char *head, const char *separators, const char *name)
{
    char *rest = head;
    int   k = 0;
    for (char *cell; (cell = strtok_r(NULL, separators, &rest)); k++)
        if (strcmp(cell, name) == 0) return k;
    return -1;
}

static rv_status read_rows(current *s, FILE *file, const char *path)
{
    const sonata_input *in = s->in;
    const char         *separator = sonata_text(in->entry, "separator"), *times = sonata_text(in->entry, "timestamps_column"), *amps = sonata_text(in->entry, "amplitudes_column");
    char                separators[16], *line = NULL;
    size_t              room = 0;
    rv_status           status = reserve(s, MOST_STEPS);
    int                 column[2] = { -1, -1 }, number = 0;
    snprintf(separators, sizeof separators, " \t\r\n%.8s", separator ? separator : "");
    while (status == RV_OK && getline(&line, &room, file) >= 0) {
        double x[2] = { NAN, NAN };
        char  *rest = line;
        if (number++ == 0) {
            char *copy = strdup(line);
            column[0] = copy ? column_of(line, separators, times ? times : "timestamps") : -1;
            column[1] = copy ? column_of(copy, separators, amps ? amps : "amps") : -1;
            free(copy);
            if (column[0] < 0 || column[1] < 0) status = error_set(in->error, RV_FILE_ERROR, "%s: \"%.200s\" has no columns %s and %s", in->name, path, times ? times : "timestamps", amps ? amps : "amps");
            continue;
        }
        int k = 0;
        for (char *cell; (cell = strtok_r(NULL, separators, &rest)); k++)
            for (int c = 0; c < 2; c++)
                if (k == column[c]) x[c] = strtod(cell, NULL);
        if (k == 0) continue;
        if (!isfinite(x[0]) || !isfinite(x[1]) || x[0] < 0 || (s->n && x[0] <= s->time[s->n - 1]) || s->n >= MOST_STEPS)
            status = error_set(in->error, RV_FILE_ERROR, "%s: \"%.200s\", line %d: no time after the one before it with an amplitude", in->name, path, number);
        else add_step(s, x[0], x[1]);
    }
    free(line);
    return status;
}

static rv_status read_csv(current *s)
{
    const char *path = sonata_text(s->in->entry, "file");
    if (!path) path = sonata_text(s->in->entry, "input_file");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!path) return error_set(s->in->error, RV_WRONG_SHAPE, "%s: has no file", s->in->name);
    if (!file) return error_set(s->in->error, RV_FILE_ERROR, "%s: cannot read \"%.250s\": %s", s->in->name, path, strerror(errno));
    rv_status status = read_rows(s, file, path);
    fclose(file);
    return status;
}

static rv_status refuse_sweep(const current *s)
{
    const char *path = sonata_text(s->in->entry, "file");
    FILE       *file = path ? fopen(path, "r") : NULL;
    if (!file) return error_set(s->in->error, RV_FILE_ERROR, "%s: cannot read \"%.250s\": %s", s->in->name, path ? path : "", strerror(path ? errno : ENOENT));
    fclose(file);
    return error_set(s->in->error, RV_CONFLICT, "%s: currents from sweeps of NWB files are not read; input_type csv takes a table of times and amplitudes", s->in->name);
}

/* ---- modules of BBP, in nA --------------------------------------------------------------------------------------- */

static rv_status begin_and_end(const current *s, double *begin, double *end)
{
    TRY(need(s, "delay", begin));
    TRY(need(s, "duration", end));
    *end += *begin;
    return *begin >= 0 && *end >= *begin ? RV_OK : error_set(s->in->error, RV_OUT_OF_RANGE, "%s: delay %g ms and duration %g ms, allowed are 0 or more", s->in->name, *begin, *end - *begin);
}

static rv_status read_linear(current *s)
{
    double begin, end, from, to, h = rv_resolution(s->in->c->net);
    TRY(begin_and_end(s, &begin, &end));
    TRY(need(s, "amp_start", &from));
    TRY(sonata_number(s->in->entry, s->in->name, "amp_end", from, &to, s->in->error));
    int64_t n = to == from ? 1 : (int64_t)fmin(ceil((end - begin) / h), MOST_STEPS / 2);
    TRY(reserve(s, n + 1));
    for (int64_t k = 0; k < n; k++) add_step(s, begin + (end - begin) * (double)k / (double)n, from + (to - from) * ((double)k + (n > 1) * 0.5) / (double)n);
    add_step(s, end, 0);
    return RV_OK;
}

static rv_status read_pulse(current *s)
{
    double begin, end, amp, frequency, width;
    TRY(begin_and_end(s, &begin, &end));
    TRY(need(s, "amp_start", &amp));
    TRY(need(s, "frequency", &frequency));
    TRY(need(s, "width", &width));
    if (!(frequency > 0) || !(width > 0)) return error_set(s->in->error, RV_OUT_OF_RANGE, "%s: frequency %g Hz and width %g ms, allowed are more than 0", s->in->name, frequency, width);
    double n = ceil((end - begin) * frequency * 1e-3);
    TRY(reserve(s, 2 * (int64_t)fmin(n, MOST_STEPS)));
    for (int64_t k = 0; k < (int64_t)n; k++) {
        double at = begin + (double)k * 1e3 / frequency;
        add_step(s, at, amp);
        add_step(s, fmin(at + width, end), 0);
    }
    return RV_OK;
}

static void set(current *s, const char *name, double x) { s->setting[s->n_settings++] = (rv_setting){ name, rv_number(x) }; }

static rv_status read_sinusoidal(current *s)
{
    double begin, end, amp, frequency;
    TRY(begin_and_end(s, &begin, &end));
    TRY(need(s, "amp_start", &amp));
    TRY(need(s, "frequency", &frequency));
    s->kind = "sine";
    set(s, "amplitude", amp), set(s, "frequency", frequency), set(s, "start", begin), set(s, "stop", end);
    set(s, "phase", -fmod(360 * frequency * begin * 1e-3, 360)); /* it begins with sin 0 */
    return RV_OK;
}

static rv_status read_noise(current *s)
{
    double begin, end, mean, variance, dt;
    TRY(begin_and_end(s, &begin, &end));
    TRY(need(s, "mean", &mean));
    TRY(need(s, "variance", &variance));
    TRY(sonata_number(s->in->entry, s->in->name, "dt", 0.5, &dt, s->in->error));
    if (variance < 0) return error_set(s->in->error, RV_OUT_OF_RANGE, "%s: variance = %g, allowed 0 or more", s->in->name, variance);
    s->kind = "noise";
    set(s, "mean", mean), set(s, "std", sqrt(variance)), set(s, "start", begin), set(s, "stop", end), set(s, "dt", dt);
    return RV_OK;
}

static rv_status read_module(current *s)
{
    static const struct {
        const char *name;
        rv_status (*read)(current *);
        double scale;
    } modules[] = { { "IClamp", read_clamp, 0 }, { "linear", read_linear, 1e3 }, { "pulse", read_pulse, 1e3 }, { "sinusoidal", read_sinusoidal, 1e3 }, { "noise", read_noise, 1e3 } };
    const char *type = sonata_text(s->in->entry, "input_type"), *module = sonata_text(s->in->entry, "module");
    if (strcmp(type, "csv") == 0 || strcmp(type, "file") == 0) return read_csv(s);
    if (strcmp(type, "nwb") == 0 || strcmp(type, "allen") == 0) return refuse_sweep(s);
    const char *names[COUNT(modules)];
    for (int k = 0; k < COUNT(modules); k++) {
        names[k] = modules[k].name;
        if (!module || strcmp(module, names[k]) != 0) continue;
        s->scale = modules[k].scale;
        return modules[k].read(s);
    }
    return error_unknown(s->in->error, s->in->name, "module of a current", module, names, COUNT(modules));
}

/* ---- giving it --------------------------------------------------------------------------------------------------- */

static bool is_current(const char *name) { return strcmp(name, "amplitude") == 0 || strcmp(name, "mean") == 0 || strcmp(name, "std") == 0; }
static bool is_time(const char *name) { return strcmp(name, "start") == 0 || strcmp(name, "stop") == 0; }

static rv_status give(void *user, rv_slice slice)
{
    current   *s = user;
    rv_net    *net = s->in->c->net;
    double     late = rv_net_timing(net) == RV_GRID ? rv_resolution(net) : 0, scale = s->scale > 0 ? s->scale : s->template_scale, *list = malloc(((size_t)s->n * 2 + 1) * sizeof *list);
    rv_setting setting[6];
    if (!list) return error_memory(s->in->error, s->in->name, (double)s->n * 16);
    memcpy(setting, s->setting, sizeof setting);
    for (int k = 0; k < s->n_settings; k++) setting[k].value.a = setting[k].value.a * (is_current(setting[k].name) ? scale : 1) + (is_time(setting[k].name) ? late : 0);
    for (int64_t k = 0; k < s->n; k++) list[k] = s->time[k] + late, list[s->n + k] = s->amp[k] * scale;
    if (!s->kind) setting[0] = (rv_setting){ "times", rv_list(list, s->n) }, setting[1] = (rv_setting){ "amplitudes", rv_list(list + s->n, s->n) };
    rv_status status = rv_input_new(net, slice, s->kind ? s->kind : "step", setting, s->kind ? s->n_settings : 2, NULL);
    free(list);
    return status == RV_OK ? RV_OK : sonata_net_failed(s->in->c, s->in->error);
}

static rv_status give_all(current *s)
{
    const sonata_circuit *c = s->in->c;
    for (int p = 0; p < c->n_nodes; p++) {
        const sonata_nodes *nodes = &c->nodes[p];
        if (!memchr(s->in->selected[p], 1, (size_t)nodes->n)) continue;
        for (int k = 0; k < nodes->n_parts; k++) {
            if (nodes->part[k].is_virtual) continue;
            s->template_scale = sonata_model_current_scale(nodes->part[k].kind);
            TRY(sonata_stretches(nodes, s->in->selected[p], k, give, s));
        }
    }
    return RV_OK;
}

rv_status sonata_current_give(const sonata_input *in)
{
    current   s = { .in = in };
    rv_status status = read_module(&s);
    if (status == RV_OK && (s.kind || s.n > 0)) status = give_all(&s);
    free(s.time), free(s.amp);
    return status;
}
