#include "tests/support/reference.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- comparing -------------------------------------------------------------------------------------------------- */

void ensure_near(double got, double expected, double tolerance, const char *unit, const char *file, int line,
                 const char *format, ...)
{
    if (fabs(got - expected) <= tolerance || got == expected) return;
    char    what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    print_error("%s\n  expected %.17g %s\n       got %.17g %s\n deviation %.3g %s, allowed %.3g %s\n", what, expected,
                unit, got, unit, got - expected, unit, tolerance, unit);
    _fail(file, line);
}

const char *reference_text(const char *format, ...)
{
    static char text[4][256];
    static int  next;
    va_list     arguments;
    next = (next + 1) % 4;
    va_start(arguments, format);
    vsnprintf(text[next], sizeof text[next], format, arguments);
    va_end(arguments);
    return text[next];
}

double reference_worse(double worst, double got, double expected) { return fmax(worst, fabs(got - expected)); }

/* ---- reference data --------------------------------------------------------------------------------------------- */

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s cannot be read; tests run in the root of the project", path);
    fseek(file, 0, SEEK_END);
    long  size = ftell(file);
    char *text = malloc((size_t)size + 1);
    rewind(file);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    text[size] = 0;
    fclose(file);
    return text;
}

static void append(reference_list *list, double x)
{
    if ((list->n & (list->n - 1)) == 0)
        list->x = realloc(list->x, (size_t)(list->n ? 2 * list->n : 1) * sizeof *list->x);
    assert_non_null(list->x);
    list->x[list->n++] = x;
}

/* The numbers from `at` to the end of the line. */
static void append_line(reference_list *list, const char *at)
{
    for (char *end;; at = end) {
        while (*at == ' ' || *at == ',') at++;
        if (*at == '\n' || *at == '\r' || *at == 0) return;
        double x = strtod(at, &end);
        if (end == at) fail_msg("not a number: %.20s", at);
        append(list, x);
    }
}

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

reference_list reference_table(const char *path, int columns)
{
    reference_list list = { 0 };
    char          *text = read_text(path);
    for (const char *line = text; *line; line = next_line(line))
        if (*line != '#' && !isalpha((unsigned char)*line)) append_line(&list, line);
    free(text);
    if (list.n == 0 || list.n % columns)
        fail_msg("%s: %lld numbers, expected rows of %d", path, (long long)list.n, columns);
    return list;
}

reference_list reference_row(const char *path, const char *label)
{
    reference_list list = { 0 };
    char          *text = read_text(path);
    size_t         length = strlen(label);
    const char    *line = text;
    while (*line && !(strncmp(line, label, length) == 0 && line[length] == ':')) line = next_line(line);
    if (*line) append_line(&list, line + length + 1);
    free(text);
    if (list.n == 0) fail_msg("%s has no line \"%s:\"", path, label);
    return list;
}

bool reference_exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

void reference_list_free(reference_list *list)
{
    free(list->x);
    *list = (reference_list){ 0 };
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

rv_net *reference_net(rv_net_def def)
{
    rv_net  *net;
    rv_error error = { 0 };
    if (def.threads == 0) def.threads = 1;
    if (rv_net_new(&def, &net, &error) != RV_OK) fail_msg("%s", error.text);
    return net;
}

rv_population reference_population(rv_net *net, const char *name, int64_t n, const char *model)
{
    rv_population population = rv_population_new(net, name, n, model);
    if (!population.id) fail_msg("%s", rv_net_error(net)->text);
    return population;
}

void reference_set(rv_net *net, rv_population population, const char *name, double value)
{
    ENSURE_OK(net, rv_set(net, population, name, rv_number(value)));
}

void reference_set_all(rv_net *net, rv_population population, ...)
{
    va_list list;
    va_start(list, population);
    for (const char *name; (name = va_arg(list, const char *));)
        reference_set(net, population, name, va_arg(list, double));
    va_end(list);
}

rv_population reference_play(rv_net *net, const char *name, rv_population target, reference_list times, double weight,
                             double delay)
{
    rv_population source = reference_population(net, name, 1, "spike_generator");
    ENSURE_OK(net, rv_set_spike_times(net, source, 0, times.x, times.n));
    ENSURE_OK(net, rv_connect(net,
                              &(rv_connect_def){ .source = rv_all(source),
                                                 .target = rv_all(target),
                                                 .rule = "all_to_all",
                                                 .weight = rv_number(weight),
                                                 .delay = rv_number(delay) },
                              NULL));
    return source;
}

rv_input reference_input(rv_net *net, rv_population target, const char *kind, ...)
{
    rv_setting setting[8];
    rv_input   input;
    int        n = 0;
    va_list    list;
    va_start(list, kind);
    for (const char *name; (name = va_arg(list, const char *)); n++)
        setting[n] = (rv_setting){ name, rv_number(va_arg(list, double)) };
    va_end(list);
    ENSURE_OK(net, rv_input_new(net, rv_all(target), kind, setting, n, &input));
    return input;
}

rv_probe reference_record(rv_net *net, rv_population population, const char *variable, double interval_ms)
{
    rv_probe probe;
    ENSURE_OK(net, rv_record_state(net, rv_all(population), variable, interval_ms, &probe));
    return probe;
}

reference_list reference_samples(rv_net *net, rv_probe probe)
{
    rv_probe_info info;
    ENSURE_OK(net, rv_probe_describe(net, probe, &info));
    reference_list list = { info.n_samples * info.n_columns,
                            malloc((size_t)(info.n_samples * info.n_columns) * sizeof(double) + 1) };
    assert_non_null(list.x);
    ENSURE_OK(net, rv_probe_read(net, probe, 0, info.n_samples, NULL, list.x));
    return list;
}

reference_spikes reference_spikes_of(rv_net *net, rv_population population)
{
    int64_t          n = rv_spike_count(net, population);
    reference_spikes s = { n, malloc((size_t)n * sizeof(double) + 1), malloc((size_t)n * sizeof(int64_t) + 1) };
    assert_true(s.time_ms && s.neuron);
    ENSURE_OK(net, rv_spike_read(net, population, 0, n, s.time_ms, s.neuron));
    return s;
}

void reference_spikes_free(reference_spikes *spikes)
{
    free(spikes->time_ms);
    free(spikes->neuron);
    *spikes = (reference_spikes){ 0 };
}

void reference_copy_spikes(rv_net *from, rv_population recorded, rv_net *to, rv_population generator)
{
    reference_spikes s = reference_spikes_of(from, recorded);
    double          *times = malloc((size_t)(s.n + 1) * sizeof *times);
    for (int64_t i = 0; i < rv_population_size(to, generator); i++) {
        int64_t n = 0;
        for (int64_t k = 0; k < s.n; k++)
            if (s.neuron[k] == i) times[n++] = s.time_ms[k];
        ENSURE_OK(to, rv_set_spike_times(to, generator, i, times, n));
    }
    free(times), reference_spikes_free(&s);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static char written[] = "/tmp/ranvier_test_XXXXXX.yaml"; /* SANA-FE's readers look at the ending, no other does */

int reference_make_file(void **state)
{
    (void)state;
    int descriptor = mkstemps(written, 5);
    return descriptor < 0 ? -1 : close(descriptor);
}

int reference_remove_file(void **state)
{
    (void)state;
    return unlink(written);
}

const char *reference_file(void) { return written; }
