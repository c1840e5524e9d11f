/* Spikes in columns of text: what spreadsheets, pandas, NEST, AllenSDK and Brian users write.
 *
 *   columns     of time, neuron and perhaps the name of the population, in any order, between commas, semicolons, tabs or blanks;
 *               other columns are passed over where the first line names them
 *   names       time, time_ms, t, times, timestamps, time_s, "time (s)" ... ; neuron, sender, gid, node_ids, id, i ... ; population
 *   no names    two columns: times are the one with fractions, else the one that ascends, else the second, as NEST has it
 *   comments    begin with # or %; empty lines are nothing
 *
 * Neurons keep the numbers of the file. Times are in ms unless their column's name says s or us. What was detected is said. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "io/results_internal.h"
#include "sim/memory.h"

enum { MOST_COLUMNS = 32, MOST_CELL = 128 };

typedef struct cell {
    const char *text;
    size_t      length;
} cell;

typedef struct reader {
    results      *r;
    const char   *at, *end; /* what is left of the text */
    int64_t       line;
    char          separator; /* ',', ';', or ' ' for blanks and tabs */
    int           time, neuron, population, n_columns; /* -1: there is none */
    double        unit_ms;
    char          what[160]; /* was detected */
    results_table table;
} reader;

static rv_status bad_line(reader *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static rv_status bad_line(reader *d, const char *format, ...)
{
    char    reason[200], object[40];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    snprintf(object, sizeof object, "line %lld", (long long)d->line);
    return results_damaged(d->r, object, "%s", reason);
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* The next line that says something, without its end. @return whether there is one */
static bool next_line(reader *d, const char **begin, const char **end)
{
    while (d->at < d->end) {
        const char *line = d->at, *stop = memchr(line, '\n', (size_t)(d->end - line));
        if (!stop) stop = d->end;
        d->at = stop < d->end ? stop + 1 : stop;
        d->line++;
        while (line < stop && isspace((unsigned char)*line)) line++;
        while (stop > line && isspace((unsigned char)stop[-1])) stop--;
        if (line == stop || *line == '#' || *line == '%') continue;
        *begin = line, *end = stop;
        return true;
    }
    return false;
}

/* A cell without blanks and quotes around it. */
static cell trimmed(const char *begin, const char *end)
{
    while (begin < end && isspace((unsigned char)*begin)) begin++;
    while (end > begin && isspace((unsigned char)end[-1])) end--;
    if (end - begin >= 2 && (*begin == '"' || *begin == '\'') && end[-1] == *begin) begin++, end--;
    return (cell){ begin, (size_t)(end - begin) };
}

/* @return how many cells the line has, at most MOST_COLUMNS + 1 */
static int split(const reader *d, const char *begin, const char *end, cell cells[MOST_COLUMNS])
{
    int n = 0;
    for (const char *at = begin; at <= end && n <= MOST_COLUMNS; n++) {
        const char *stop = at;
        char        quote = at < end && (*at == '"' || *at == '\'') ? *at : 0; /* separators within quotes are part of a name */
        if (quote) stop++;
        while (stop < end && (quote ? *stop != quote : d->separator == ' ' ? !isspace((unsigned char)*stop) : *stop != d->separator)) stop++;
        while (quote && stop < end && (d->separator == ' ' ? !isspace((unsigned char)*stop) : *stop != d->separator)) stop++;
        if (n < MOST_COLUMNS) cells[n] = trimmed(at, stop);
        at = stop + 1;
        while (d->separator == ' ' && at < end && isspace((unsigned char)*at)) at++;
        if (stop == end) return n + 1;
    }
    return n;
}

static bool number_in(cell c, double *x)
{
    char text[MOST_CELL], *end;
    if (c.length == 0 || c.length >= sizeof text) return false;
    memcpy(text, c.text, c.length), text[c.length] = 0;
    *x = strtod(text, &end);
    return *end == 0 && (isdigit((unsigned char)text[0]) || strchr("+-.", text[0]));
}

/* ---- what the columns are --------------------------------------------------------------------------------------- */

static bool is_one_of(cell c, const char *const *names)
{
    for (; *names; names++)
        if (strlen(*names) == c.length && strncasecmp(*names, c.text, c.length) == 0) return true;
    return false;
}

/* Times whose name ends with their unit: time_ms, t [s], "time (us)". @return ms of a unit, 0: they are no times */
static double unit_of(cell c)
{
    static const char *const times[] = { "time", "times", "t", "timestamp", "timestamps", "spike_time", "spike_times", "times_", "time_", "t_", "timestamps_", NULL };
    static const struct {
        const char *unit;
        double      ms;
    } units[] = { { "ms", 1 }, { "us", 1e-3 }, { "s", 1000 } };
    if (is_one_of(c, times)) return 1;
    for (size_t k = 0; k < 3; k++) {
        cell   name = c;
        size_t n = strlen(units[k].unit);
        bool   closed = name.length > 0 && strchr(")]", name.text[name.length - 1]);
        name.length -= closed;
        if (name.length <= n || strncmp(name.text + name.length - n, units[k].unit, n) != 0) continue;
        name.length -= n;
        if (closed ? !strchr("([", name.text[name.length - 1]) : name.text[name.length - 1] != '_') continue;
        name = trimmed(name.text, name.text + name.length - (closed ? 1 : 0));
        if (is_one_of(name, times)) return units[k].ms;
    }
    return 0;
}

static rv_status read_names(reader *d, const cell *cells, int n)
{
    static const char *const neurons[] = { "neuron", "neurons", "sender", "senders", "gid", "gids", "node_id", "node_ids", "neuron_id", "id", "ids", "i", "index", "address", NULL };
    static const char *const populations[] = { "population", "populations", "pop", NULL };
    static const char *const steps[] = { "time_step", "time_steps", NULL };
    for (int k = 0; k < n; k++) {
        double unit = unit_of(cells[k]);
        if (is_one_of(cells[k], steps)) return bad_line(d, "times in steps, of a length that the file does not say; write them in ms");
        if (unit > 0 && d->time < 0) d->time = k, d->unit_ms = unit;
        else if (is_one_of(cells[k], neurons) && d->neuron < 0) d->neuron = k;
        else if (is_one_of(cells[k], populations) && d->population < 0) d->population = k;
    }
    if (d->time < 0 || d->neuron < 0)
        return bad_line(d, "no column is named %s; a line of names, or two columns of numbers, neuron and time, are needed", d->time < 0 ? "time, time_ms, t ..." : "neuron, sender, gid, node_ids, id ...");
    snprintf(d->what, sizeof d->what, "columns of text, named: time (%s), neuron%s", d->unit_ms == 1 ? "ms" : d->unit_ms == 1000 ? "s" : "us", d->population >= 0 ? ", population" : "");
    return RV_OK;
}

/* Which of two columns without names has fractions, and which ascends. */
typedef struct column {
    bool   whole, ascends;
    double last;
} column;

static rv_status look_at_columns(reader *d)
{
    column      c[2] = { { true, true, -INFINITY }, { true, true, -INFINITY } };
    const char *begin, *end, *restart = d->at;
    int64_t     line = d->line;
    while (next_line(d, &begin, &end)) {
        cell   cells[MOST_COLUMNS];
        double x;
        int    n = split(d, begin, end, cells);
        for (int k = 0; k < 2 && n == 2; k++) {
            if (!number_in(cells[k], &x)) continue;
            c[k].whole &= x == rint(x) && !memchr(cells[k].text, '.', cells[k].length), c[k].ascends &= x >= c[k].last, c[k].last = x;
        }
    }
    d->at = restart, d->line = line;
    const char *why = "as NEST has them";
    d->time = 1;
    if (c[0].whole != c[1].whole) d->time = c[0].whole, why = "times have fractions";
    else if (c[0].ascends != c[1].ascends) d->time = c[1].ascends, why = "times ascend";
    d->neuron = 1 - d->time;
    snprintf(d->what, sizeof d->what, "two columns of text without names: %s (%s)", d->time ? "neuron, time (ms)" : "time (ms), neuron", why);
    return RV_OK;
}

/* The separator, and what the columns are, from the first line that says something. */
static rv_status detect(reader *d)
{
    const char *begin, *end, *start = d->at;
    int64_t     line = d->line;
    cell        cells[MOST_COLUMNS];
    double      x;
    if (!next_line(d, &begin, &end)) return results_damaged(d->r, "the text", "there is no line of spikes, nor of names of columns");
    size_t length = (size_t)(end - begin);
    d->separator = memchr(begin, ',', length) ? ',' : memchr(begin, ';', length) ? ';' : ' ';
    d->n_columns = split(d, begin, end, cells);
    if (d->n_columns > MOST_COLUMNS) return bad_line(d, "more than %d columns", MOST_COLUMNS);
    if (d->n_columns < 2) return bad_line(d, "one column; at least the neuron and the time are needed");
    if (!number_in(cells[0], &x) && !number_in(cells[1], &x)) return read_names(d, cells, d->n_columns);
    if (d->n_columns != 2) return bad_line(d, "%d columns without names; a first line has to name them (time_ms,neuron,population)", d->n_columns);
    d->at = start, d->line = line;
    return look_at_columns(d);
}

/* ---- spikes ----------------------------------------------------------------------------------------------------- */

static rv_status add_spike(reader *d, const cell *cells)
{
    results_table *t = &d->table;
    double         time, neuron;
    int            population = 0;
    const cell    *c = &cells[d->time], *i = &cells[d->neuron];
    if (!number_in(*c, &time) || !isfinite(time)) return bad_line(d, "the time is \"%.*s\"; a number is needed", (int)(c->length < 40 ? c->length : 40), c->text);
    if (!number_in(*i, &neuron) || neuron != rint(neuron) || neuron < 0 || neuron > (double)RESULTS_MOST_NEURONS)
        return bad_line(d, "the neuron is \"%.*s\"; a whole number from 0 on is needed", (int)(i->length < 40 ? i->length : 40), i->text);
    if (d->population >= 0) population = results_table_name(t, cells[d->population].text, cells[d->population].length);
    if (population < 0) return bad_line(d, "the name of the population is too long, or there are more than %d", RESULTS_MOST_POPULATIONS);
    int64_t room = t->room_neurons;
    if (!memory_reserve((void **)&t->times_ms, &t->room_times, t->n + 1, sizeof *t->times_ms) || !memory_reserve((void **)&t->neurons, &t->room_neurons, t->n + 1, sizeof *t->neurons))
        return results_no_memory(d->r, (double)t->n * 16);
    if (room != t->room_neurons) {
        int32_t *longer = realloc(t->population, (size_t)t->room_neurons * sizeof *longer);
        if (!longer) return results_no_memory(d->r, (double)t->n * 4);
        t->population = longer;
    }
    t->times_ms[t->n] = time * d->unit_ms, t->neurons[t->n] = (int64_t)neuron, t->population[t->n++] = population;
    return RV_OK;
}

static rv_status read_lines(reader *d)
{
    const char *begin, *end;
    cell        cells[MOST_COLUMNS];
    TRY(detect(d));
    if (d->population < 0) results_table_name(&d->table, "spikes", 6);
    while (next_line(d, &begin, &end)) {
        int n = split(d, begin, end, cells);
        if (n != d->n_columns) return bad_line(d, "%d columns, there were %d before", n, d->n_columns);
        TRY(add_spike(d, cells));
    }
    TRY(results_take_table(d->r, &d->table));
    return results_note_text(d->r, "recording", d->what);
}

rv_status results_read_text(results *r, const char *text, size_t n)
{
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3, n -= 3; /* as spreadsheets begin */
    reader    d = { .r = r, .at = text, .end = text + n, .time = -1, .neuron = -1, .population = -1, .unit_ms = 1 };
    rv_status status = read_lines(&d);
    results_table_free(&d.table);
    return status;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* As few digits as tell the number from every other. */
static void put_number(FILE *file, double x)
{
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    fputs(text, file);
}

/* In quotes if need be. */
static void put_name(FILE *file, const char *name)
{
    bool quoted = strpbrk(name, ",;\" \t'#") != NULL || !name[0];
    fprintf(file, quoted ? "\"%s\"" : "%s", name);
}

const char *results_put_text(const results *r, FILE *file)
{
    for (int p = 0; p < r->n_spikes; p++)
        if (strpbrk(r->spikes[p].name, "\"\n\r")) return "the name of a population has a quotation mark or a line end in it";
    fputs("time_ms,neuron,population\n", file);
    for (int p = 0; p < r->n_spikes; p++) {
        const results_spikes *s = &r->spikes[p];
        for (int64_t k = 0; k < s->n; k++) {
            put_number(file, s->times_ms[k]);
            fprintf(file, ",%lld,", (long long)s->neurons[k]);
            put_name(file, s->name);
            fputc('\n', file);
        }
    }
    return NULL;
}

const char *results_put_columns(const results *r, FILE *file)
{
    if (r->n_spikes != 1) return "two columns hold the spikes of one population; --population NAME chooses it, .csv and .npz hold several";
    fputs("sender\ttime_ms\n", file);
    for (int64_t k = 0; k < r->spikes[0].n; k++) {
        fprintf(file, "%lld\t", (long long)r->spikes[0].neurons[k]);
        put_number(file, r->spikes[0].times_ms[k]);
        fputc('\n', file);
    }
    return NULL;
}
