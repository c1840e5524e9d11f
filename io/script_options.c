/* Reading the command line: one table of options per verb serves parsing, suggestions and --help. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file_bytes.h"
#include "io/script_command.h"
#include "sim/plugin.h"

enum { MOST_OPTIONS = 32 };

int command_fail(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("ranvier: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return status;
}

int command_unknown(const char *kind, const char *name, const char *const *names, int n)
{
    const char *near = rv_suggest(name, names, n);
    if (near) return command_fail(2, "no %s \"%s\"; did you mean %s?", kind, name, near);
    fflush(stdout);
    fprintf(stderr, "ranvier: no %s \"%s\"; there are", kind, name);
    for (int i = 0; i < n; i++) fprintf(stderr, "%s %s", i ? "," : "", names[i]);
    fputc('\n', stderr);
    return 2;
}

static void print_help(const command_usage *usage)
{
    printf("Usage: ranvier %s %s\n\n%s\n\n", usage->verb, usage->arguments, usage->summary);
    for (int i = 0; i < usage->n_options; i++) {
        const command_option *option = &usage->options[i];
        char                  left[40];
        snprintf(left, sizeof left, "%s %s", option->name, option->value ? option->value : "");
        printf("  %-20s %s\n", left, option->meaning);
    }
    printf("  %-20s %s\n", "--plugin FILE.so", "neuron models and learning rules of your own; may be given several times");
    printf("  %-20s %s\n", "--help", "this text");
}

/* Every verb has it: what a plug-in brings is there before anything is looked up. */
static const command_option plugin = { .name = "--plugin", .value = "FILE.so" };

/* The option that argument names; *value is what stands behind "=", if anything does. */
static const command_option *find_option(const command_usage *usage, const char *argument, const char **value)
{
    size_t length = strcspn(argument, "=");
    *value = argument[length] == '=' ? argument + length + 1 : NULL;
    for (int i = 0; i <= usage->n_options; i++) {
        const command_option *option = i < usage->n_options ? &usage->options[i] : &plugin;
        if (strlen(option->name) == length && strncmp(option->name, argument, length) == 0) return option;
    }
    return NULL;
}

static int refuse_option(const command_usage *usage, const char *argument)
{
    const char *names[MOST_OPTIONS + 2];
    char        name[64], kind[48];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument, "="), argument);
    for (int i = 0; i < usage->n_options; i++) names[i] = usage->options[i].name;
    names[usage->n_options] = "--help", names[usage->n_options + 1] = "--plugin";
    snprintf(kind, sizeof kind, "option of %s", usage->verb);
    return command_unknown(kind, name, names, usage->n_options + 2);
}

static int load_plugin(const char *path)
{
    rv_error error;
    return rv_plugin_load(path, &error) == RV_OK ? -1 : command_fail(1, "%s", error.text);
}

/* Reads the option at argv[*i], stepping over its value. @return -1 or an exit status */
static int read_option(const command *c, const command_usage *usage, int *i)
{
    const char           *value, *argument = c->argv[*i];
    const command_option *option = find_option(usage, argument, &value);
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) return print_help(usage), 0;
    if (!option) return refuse_option(usage, argument);
    if (!option->value) {
        if (value) return command_fail(2, "%s takes no value, got \"%s\"", option->name, value);
        *option->flag = true;
        return -1;
    }
    if (!value && *i + 1 < c->argc) value = c->argv[++*i];
    if (!value || !*value) return command_fail(2, "%s needs a value: %s %s", option->name, option->name, option->value);
    if (option == &plugin) return load_plugin(value);
    *option->text = value;
    return -1;
}

int command_read(const command *c, const command_usage *usage, const char **arguments, int *n_arguments)
{
    bool options_end = false;
    *n_arguments = 0;
    for (int i = 0; i < c->argc; i++) {
        const char *argument = c->argv[i];
        if (!options_end && strcmp(argument, "--") == 0) {
            options_end = true;
        } else if (!options_end && argument[0] == '-' && argument[1]) {
            int status = read_option(c, usage, &i);
            if (status >= 0) return status;
        } else if (*n_arguments == usage->most) {
            return command_fail(2, "%s: \"%s\" is too much; it is: ranvier %s %s", usage->verb, argument, usage->verb,
                                usage->arguments);
        } else {
            arguments[(*n_arguments)++] = argument;
        }
    }
    if (*n_arguments < usage->least)
        return command_fail(2, "%s needs more: ranvier %s %s", usage->verb, usage->verb, usage->arguments);
    return -1;
}

bool command_number(const char *option, const char *text, double low, double high, double *number)
{
    char *end;
    if (!text) return true;
    *number = strtod(text, &end);
    if (end == text || *end || isnan(*number)) command_fail(2, "%s is \"%s\"; a number is needed", option, text);
    else if (*number < low || *number > high) command_fail(2, "%s = %s, allowed %g to %g", option, text, low, high);
    else return true;
    return false;
}

bool command_seed(const char *option, const char *text, uint64_t *seed)
{
    char *end;
    if (!text) return true;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    if (strspn(text, "0123456789") == strlen(text) && end > text && !errno) return true;
    return command_fail(2, "%s is \"%s\"; a whole number from 0 to %" PRIu64 " is needed", option, text, UINT64_MAX), false;
}

void command_print(double x, int width, const char *format)
{
    char text[32];
    snprintf(text, sizeof text, format, x);
    printf(" %*s", width, isnan(x) ? "-" : text);
}

static bool is_name(const char *text, size_t length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return length > 0 && length < COMMAND_NAME && strspn(text, letters) >= length && !(text[0] >= '0' && text[0] <= '9');
}

bool command_argument(const char *text, char name[COMMAND_NAME], script_argument *argument)
{
    size_t length = strcspn(text, "=");
    if (text[length] != '=' || !is_name(text, length)) {
        command_fail(2, "\"%s\" is neither an option nor name=value", text);
        return false;
    }
    memcpy(name, text, length);
    name[length] = 0;
    *argument = (script_argument){ name, text + length + 1 };
    return true;
}

bool command_ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), n = strlen(ending);
    return length > n && strcmp(path + length - n, ending) == 0;
}

bool command_is_hdf5(const char *path)
{
    uint8_t begin[8];
    return file_bytes_begin(path, begin, sizeof begin) == sizeof begin && memcmp(begin, "\211HDF\r\n\032\n", sizeof begin) == 0;
}

results *command_results(const char *path)
{
    results *r;
    rv_error error = { 0 };
    if (results_read(path, &r, &error) == RV_OK) return r;
    command_fail(1, "%s", error.text);
    return NULL;
}
