/* The header back from its text: every array of numbers is read by its name; a network is made from them, with a projection for every pair
 * of populations in sum 0, and one for every other sum. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_header.h"
#include "hw/export_net.h"
#include "hw/fixed_point.h"
#include "sim/error.h"

enum { NAME = 48, LONGEST_STRING = 1024 };

typedef struct array {
    char     name[NAME];
    int64_t  n, room;
    int64_t *x;
} array;

typedef struct population {
    char    name[LONGEST_STRING];
    int64_t first, n;
    bool    input;
} population;

typedef struct synapse {
    int64_t sum, source, target; /* what one projection has in common: the sum, the populations */
    int64_t from, to, weight, delay;
} synapse;

typedef struct reader {
    const char *path, *at;
    char       *text;
    array      *array;
    int         n_arrays, next; /* next: where to begin to look for a name */
    population *population;
    int         n_populations;
    int64_t     n_neurons;
    synapse    *synapse;
    int64_t     n_synapses;
    rv_error   *error;
} reader;

#define refuse(r, ...) error_in_file((r)->error, (r)->path, 0, __VA_ARGS__)

/* ---- the text ------------------------------------------------------------------------------------------------------ */

static rv_status load(reader *r)
{
    FILE *file = fopen(r->path, "rb");
    if (!file) return refuse(r, "cannot be opened: %s", strerror(errno));
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    r->text = length >= 0 ? malloc((size_t)length + 1) : NULL;
    rewind(file);
    size_t got = r->text ? fread(r->text, 1, (size_t)length, file) : 0;
    fclose(file);
    if (length < 0) return refuse(r, "cannot be read: %s", strerror(errno));
    if (!r->text) return error_memory(r->error, "the file", (double)length);
    r->text[got] = '\0', r->at = r->text;
    return got == (size_t)length ? RV_OK : refuse(r, "cannot be read to its end");
}

static void skip_blanks(reader *r)
{
    for (;;) {
        r->at += strspn(r->at, " \t\r\n");
        if (strncmp(r->at, "/*", 2) != 0) return;
        const char *end = strstr(r->at + 2, "*/");
        r->at = end ? end + 2 : r->at + strlen(r->at);
    }
}

static bool pass(reader *r, const char *word)
{
    skip_blanks(r);
    size_t n = strlen(word);
    if (strncmp(r->at, word, n) != 0) return false;
    r->at += n;
    return true;
}

static size_t word_length(const char *at) { return strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"); }

/* A string as hw/export_header.c writes it. */
static rv_status read_string(reader *r, char text[LONGEST_STRING])
{
    size_t n = 0;
    if (!pass(r, "\"")) return refuse(r, "a name of a population is missing");
    for (; *r->at && *r->at != '"'; r->at++) {
        char c = *r->at;
        if (c == '\\' && r->at[1] >= '0' && r->at[1] <= '3' && r->at[2] && r->at[3]) c = (char)((r->at[1] - '0') * 64 + (r->at[2] - '0') * 8 + (r->at[3] - '0')), r->at += 3;
        else if (c == '\\' && r->at[1]) c = *++r->at;
        if (n + 1 < LONGEST_STRING) text[n++] = c;
    }
    text[n] = '\0';
    return pass(r, "\"") ? RV_OK : refuse(r, "a name does not end");
}

static rv_status read_number(reader *r, int64_t *x)
{
    char *end;
    skip_blanks(r);
    errno = 0;
    long long value = strtoll(r->at, &end, 10);
    if (end == r->at || errno) return refuse(r, "a whole number is needed, not \"%.20s\"", r->at);
    r->at = end, *x = value;
    return RV_OK;
}

/* ---- arrays -------------------------------------------------------------------------------------------------------- */

static rv_status add_number(reader *r, array *a, int64_t x)
{
    if (a->n == a->room) {
        a->room = 2 * a->room + 64;
        int64_t *more = realloc(a->x, (size_t)a->room * sizeof *more);
        if (!more) return error_memory(r->error, "numbers", (double)a->room * sizeof *more);
        a->x = more;
    }
    a->x[a->n++] = x;
    return RV_OK;
}

static rv_status read_array(reader *r, const char *name, size_t length)
{
    array *more = r->n_arrays % 64 == 0 ? realloc(r->array, (size_t)(r->n_arrays + 64) * sizeof *more) : r->array;
    int64_t x = 0;
    if (!more) return error_memory(r->error, "arrays", (double)r->n_arrays * sizeof *more);
    r->array = more;
    array *a = &r->array[r->n_arrays++];
    *a = (array){ 0 };
    snprintf(a->name, NAME, "%.*s", (int)length, name);
    do {
        if (pass(r, "}")) return RV_OK; /* behind a last comma */
        TRY(read_number(r, &x));
        TRY(add_number(r, a, x));
    } while (pass(r, ","));
    return pass(r, "}") ? RV_OK : refuse(r, "array %s does not end", a->name);
}

static rv_status read_populations(reader *r)
{
    while (pass(r, "{")) {
        population *more = realloc(r->population, (size_t)(r->n_populations + 1) * sizeof *more);
        int64_t     input;
        if (!more) return error_memory(r->error, "populations", (double)r->n_populations * sizeof *more);
        r->population = more;
        population *p = &more[r->n_populations++];
        TRY(read_string(r, p->name));
        int64_t *const numbers[] = { &p->first, &p->n, &input };
        for (int k = 0; k < 3; k++) {
            if (!pass(r, ",")) return refuse(r, "population \"%.60s\" has not its three numbers", p->name);
            TRY(read_number(r, numbers[k]));
        }
        p->input = input != 0;
        if (p->first != r->n_neurons || p->n < 0 || p->n > MAX_NEURONS) return refuse(r, "population \"%.60s\" does not begin where the one before it ends", p->name);
        r->n_neurons += p->n;
        if (r->n_neurons > MAX_NEURONS || !pass(r, "}")) return refuse(r, "population \"%.60s\" does not end", p->name);
        pass(r, ",");
    }
    return r->n_populations ? RV_OK : refuse(r, "network_populations is empty");
}

/* What stands behind static const TYPE. */
static rv_status read_constant(reader *r)
{
    skip_blanks(r);
    r->at += word_length(r->at);
    skip_blanks(r);
    const char *name = r->at;
    size_t      length = word_length(r->at);
    r->at += length;
    r->at += strcspn(r->at, "{;");
    if (*r->at != '{') return RV_OK;
    r->at++;
    if (length == strlen("network_populations") && strncmp(name, "network_populations", length) == 0) return read_populations(r);
    if (length == strlen("network_cores") && strncmp(name, "network_cores", length) == 0) return RV_OK; /* names only: the arrays are read by theirs */
    return read_array(r, name, length);
}

static rv_status read_text(reader *r)
{
    for (;;) {
        skip_blanks(r);
        if (!*r->at) return RV_OK;
        if (pass(r, "static const")) TRY(read_constant(r));
        else if (*r->at == '#') r->at += strcspn(r->at, "\n");
        else r->at++;
    }
}

/* Names are asked for in about the order in which they were written. */
static const array *find_array(reader *r, int core, const char *name)
{
    char full[NAME];
    if (core >= 0) snprintf(full, NAME, "core%d_%s", core, name);
    else snprintf(full, NAME, "%s", name);
    for (int k = 0; k < r->n_arrays; k++, r->next++) {
        if (r->next >= r->n_arrays) r->next = 0;
        if (strcmp(r->array[r->next].name, full) == 0) return &r->array[r->next];
    }
    return NULL;
}

static rv_status get_array(reader *r, int core, const char *name, int64_t least, const array **a)
{
    *a = find_array(r, core, name);
    if (*a && (*a)->n >= least) return RV_OK;
    return refuse(r, *a ? "array core%d_%s has too few numbers" : "there is no array core%d_%s", core, name);
}

/* ---- neurons ------------------------------------------------------------------------------------------------------- */

enum { DU, DV, VTH, BIAS, U, V, N_VALUES };

/* Where every neuron's numbers go, [N_VALUES][n_neurons], and which have been seen. */
typedef struct neurons {
    double *x;
    bool   *seen;
} neurons;

static rv_status read_core_neurons(reader *r, int core, const array *number, neurons *n)
{
    static const char *const names[N_VALUES] = { "du", "dv", "vth", "bias", "u", "v" };
    for (int64_t k = 0; k < number->n; k++) {
        int64_t j = number->x[k];
        if (j < 0 || j >= r->n_neurons || n->seen[j]) return refuse(r, "core %d: neuron %lld is not one, or is on two cores", core, (long long)j);
        n->seen[j] = true;
    }
    for (int v = 0; v < N_VALUES; v++) {
        const array *a;
        TRY(get_array(r, core, names[v], number->n, &a));
        for (int64_t k = 0; k < number->n; k++) n->x[v * r->n_neurons + number->x[k]] = (double)a->x[k];
    }
    return RV_OK;
}

static int population_of(const reader *r, int64_t neuron)
{
    int p = 0;
    while (p + 1 < r->n_populations && r->population[p + 1].first <= neuron) p++;
    return p;
}

/* A bias as a mantissa and an exponent; the latter is one for each neuron. */
static void split_bias(double bias, double *mantissa, double *exponent)
{
    for (*mantissa = bias, *exponent = 0; *mantissa != 0 && *mantissa / 2 == rint(*mantissa / 2) && *exponent < 24;) *mantissa /= 2, ++*exponent;
}

static rv_status set_values(rv_net *net, rv_population p, const char *name, const double *x, int64_t n) { return rv_set(net, p, name, rv_list(x, n)); }

static rv_status add_neurons(const reader *r, rv_net *net, const population *p, const neurons *n)
{
    rv_population made = rv_population_new(net, p->name, p->n, p->input ? "spike_generator" : "loihi_lif");
    if (!made.id) return rv_net_error(net)->status;
    if (p->input || p->n == 0) return RV_OK;
    static const char *const names[N_VALUES] = { "du", "dv", "vth", "bias_mant", "u", "v" };
    double                  *x = malloc(2 * (size_t)p->n * sizeof *x), *exponent = x + p->n;
    rv_status                status = x ? RV_OK : rv_fail(net, RV_OUT_OF_MEMORY, "no memory for %lld neurons", (long long)p->n);
    for (int v = 0; v < N_VALUES && status == RV_OK; v++) {
        for (int64_t i = 0; i < p->n; i++) {
            double value = n->x[v * r->n_neurons + p->first + i];
            x[i] = v == VTH ? value / FIXED_SHIFT : value;
            if (v == BIAS) split_bias(value, &x[i], &exponent[i]);
        }
        status = set_values(net, made, names[v], x, p->n);
        if (v == BIAS && status == RV_OK) status = set_values(net, made, "bias_exp", exponent, p->n);
    }
    free(x);
    return status;
}

/* ---- synapses ------------------------------------------------------------------------------------------------------ */

static rv_status read_core_synapses(reader *r, int core, const array *number)
{
    static const char *const names[] = { "source", "first", "index", "weight", "delay", "sum" };
    const array             *a[6];
    int64_t                  shifts = find_array(r, -1, "network_sum_shift") ? find_array(r, -1, "network_sum_shift")->n : 0;
    for (int k = 0; k < 6; k++) TRY(get_array(r, core, names[k], 1, &a[k]));
    const array *source = a[0], *first = a[1], *index = a[2], *weight = a[3], *delay = a[4], *sum = a[5];
    int64_t      n_axons = first->n - 1, n = first->x[n_axons];
    if (n == 0) return RV_OK;
    if (n < 0 || n_axons > source->n || n > index->n || n > weight->n || n > delay->n || n > sum->n) return refuse(r, "core %d: its arrays of synapses are not equally long", core);
    synapse *more = realloc(r->synapse, (size_t)(r->n_synapses + n) * sizeof *more);
    if (!more) return error_memory(r->error, "synapses", (double)(r->n_synapses + n) * sizeof *more);
    r->synapse = more;
    for (int64_t axon = 0, k = 0; axon < n_axons; axon++) {
        if (first->x[axon] != k || first->x[axon + 1] < k || first->x[axon + 1] > n) return refuse(r, "core %d: axon %lld begins or ends at the wrong synapse", core, (long long)axon);
        int64_t from = source->x[axon];
        if (from < 0 || from >= r->n_neurons) return refuse(r, "core %d: axon %lld comes from neuron %lld, which there is not", core, (long long)axon, (long long)from);
        for (; k < first->x[axon + 1]; k++) {
            if (index->x[k] < 0 || index->x[k] >= number->n || delay->x[k] < 1 || sum->x[k] < 0 || sum->x[k] >= shifts)
                return refuse(r, "core %d: synapse %lld has a neuron, a delay or a sum that there is not", core, (long long)k);
            int64_t to = number->x[index->x[k]];
            int     p = population_of(r, from), q = population_of(r, to);
            r->synapse[r->n_synapses++] = (synapse){ sum->x[k], p, q, from - r->population[p].first, to - r->population[q].first, weight->x[k], delay->x[k] };
        }
    }
    return RV_OK;
}

static int together(const synapse *x, const synapse *y)
{
    if (x->sum != y->sum) return x->sum < y->sum ? -1 : 1;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return (x->target > y->target) - (x->target < y->target);
}

static int by_projection(const void *a, const void *b)
{
    const synapse *x = a, *y = b;
    int            order = together(x, y);
    return order ? order : (x->from > y->from) - (x->from < y->from);
}

/* A sum that is shifted loses bits: synapses of Loihi, of 9 bits of which none is lost before. */
static rv_status connect_run(reader *r, rv_net *net, const synapse *s, int64_t n)
{
    size_t    bytes = (size_t)n * sizeof(int64_t);
    int64_t  *from = malloc(bytes), *to = malloc(bytes);
    double   *weight = malloc(bytes), *delay = malloc(bytes), h = rv_resolution(net);
    rv_status status = from && to && weight && delay ? RV_OK : rv_fail(net, RV_OUT_OF_MEMORY, "no memory for %lld synapses", (long long)n);
    for (int64_t k = 0; k < n && status == RV_OK; k++) from[k] = s[k].from, to[k] = s[k].to, weight[k] = (double)s[k].weight, delay[k] = (double)s[k].delay * h;
    rv_setting     settings[] = { { "weight_exp", rv_number(0) }, { "num_weight_bits", rv_number(9) }, { "sign_mode", rv_number(FIXED_MIXED) } };
    rv_connect_def def = { .source = rv_all((rv_population){ (int)s->source + 1 }), .target = rv_all((rv_population){ (int)s->target + 1 }), .rule = "list", .sources = from, .targets = to,
                           .n_list = n, .weight = rv_list(weight, n), .delay = rv_list(delay, n) };
    if (s->sum > 0) {
        settings[0].value = rv_number(-(double)find_array(r, -1, "network_sum_shift")->x[s->sum]);
        def.synapse = "loihi", def.settings = settings, def.n_settings = 3;
    }
    if (status == RV_OK) status = rv_connect(net, &def, NULL);
    free(from), free(to), free(weight), free(delay);
    return status;
}

static rv_status connect_all(reader *r, rv_net *net)
{
    if (r->n_synapses) qsort(r->synapse, (size_t)r->n_synapses, sizeof *r->synapse, by_projection);
    for (int64_t k = 0, n; k < r->n_synapses; k += n) {
        for (n = 1; k + n < r->n_synapses && together(&r->synapse[k], &r->synapse[k + n]) == 0;) n++;
        TRY(connect_run(r, net, &r->synapse[k], n));
    }
    return RV_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

static rv_status read_cores(reader *r, neurons *n)
{
    n->x = calloc((size_t)(N_VALUES * r->n_neurons) + 1, sizeof *n->x), n->seen = calloc((size_t)r->n_neurons + 1, sizeof *n->seen);
    if (!n->x || !n->seen) return error_memory(r->error, "neurons", (double)(N_VALUES * r->n_neurons) * sizeof *n->x);
    for (int core = 0;; core++) {
        const array *number = find_array(r, core, "neuron");
        if (!number) break;
        TRY(read_core_neurons(r, core, number, n));
        TRY(read_core_synapses(r, core, number));
    }
    for (int p = 0; p < r->n_populations; p++)
        for (int64_t i = 0; i < r->population[p].n; i++)
            if (n->seen[r->population[p].first + i] == r->population[p].input) return refuse(r, "neuron %lld of \"%.60s\" is on no core, or an input is on one", (long long)i, r->population[p].name);
    return RV_OK;
}

static rv_status build(reader *r, const rv_net_def *def, const neurons *n, rv_net **net)
{
    rv_net_def with_steps = *def;
    if (with_steps.resolution == 0) with_steps.resolution = 1;
    TRY(rv_net_new(&with_steps, net, r->error));
    rv_status status = RV_OK;
    for (int p = 0; p < r->n_populations && status == RV_OK; p++) status = add_neurons(r, *net, &r->population[p], n);
    if (status == RV_OK) status = connect_all(r, *net);
    if (status == RV_OK) return RV_OK;
    refuse(r, "%.400s", rv_net_error(*net)->text);
    rv_net_free(*net);
    *net = NULL;
    return status;
}

rv_status hw_header_read(const char *path, const rv_net_def *def, rv_net **net, rv_error *error)
{
    reader  r = { .path = path, .error = error };
    neurons n = { 0 };
    *net = NULL;
    rv_status status = load(&r);
    if (status == RV_OK) status = read_text(&r);
    if (status == RV_OK && r.n_populations == 0) status = refuse(&r, "has no network_populations: it is not a header that Ranvier wrote");
    if (status == RV_OK) status = read_cores(&r, &n);
    if (status == RV_OK) status = build(&r, def, &n, net);
    for (int k = 0; k < r.n_arrays; k++) free(r.array[k].x);
    free(r.text), free(r.array), free(r.population), free(r.synapse), free(n.x), free(n.seen);
    return status;
}
