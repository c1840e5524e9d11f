/* ranvier models [NAME]: what there is, read from the tables of models, rules, inputs and synapses. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/script_command.h"

enum { MOST_NAMES = 256 };

static const char *const titles[] = {
    [RV_NEURONS] = "Neuron models", [RV_LEARNING] = "Learning rules", [RV_INPUTS] = "Inputs",
    [RV_SYNAPSES] = "Synapses of chips"
};
static const char *const uses[] = { [RV_NEURONS] = "net:population(name, n, \"%s\", { ... })",
                                    [RV_LEARNING] =
                                        "net:connect(source, target, { ... }, { plasticity = \"%s\", ... })",
                                    [RV_INPUTS] = "net:%s(targets, { ... })",
                                    [RV_SYNAPSES] = "net:connect(source, target, { ... }, { synapse = \"%s\", ... })" };

/* Connection rules have no parameters beyond these, so they are not tables of the engine. */
static const struct connection_rule {
    const char *name, *options, *meaning;
} connection_rules[] = {
    { "all_to_all", "", "every source to every target" },
    { "one_to_one", "", "source i to target i; both have the same size" },
    { "fixed_indegree", "indegree", "so many random sources for every target" },
    { "fixed_outdegree", "outdegree", "so many random targets for every source" },
    { "fixed_total_number", "n", "so many random pairs" },
    { "pairwise_bernoulli", "p", "every pair with probability p, a number or a function of distance" },
    { "pairwise_poisson", "p", "every pair has a Poisson number of synapses with mean p" },
    { "list", "sources, targets", "the given pairs, numbered from 1" },
};
enum { N_CONNECTION_RULES = sizeof connection_rules / sizeof *connection_rules };

/* ---- the list ------------------------------------------------------------------------------------------------- */

static void list_all(void)
{
    rv_table table;
    for (rv_table_kind kind = RV_NEURONS; kind <= RV_SYNAPSES; kind++) {
        printf("%s\n", titles[kind]);
        for (int i = 0; rv_table_at(kind, i, &table); i++) printf("  %-20s %s\n", table.name, table.summary);
        putchar('\n');
    }
    puts("Connection rules");
    for (int i = 0; i < N_CONNECTION_RULES; i++)
        printf("  %-20s %s\n", connection_rules[i].name, connection_rules[i].meaning);
    puts("\nranvier models NAME prints equations, parameters and states.");
}

/* ---- one entry ------------------------------------------------------------------------------------------------ */

static const char *unit_of(const rv_field *field) { return strcmp(field->unit, "1") == 0 ? "" : field->unit; }

static void print_allowed(const rv_field *field, char *text, size_t room)
{
    bool low = field->low > -1e11, high = field->high < 1e11; /* beyond, a bound only says "finite" */
    if (low && high) snprintf(text, room, "%g to %g", field->low, field->high);
    else if (low) snprintf(text, room, "from %g", field->low);
    else if (high) snprintf(text, room, "up to %g", field->high);
    else snprintf(text, room, "any");
}

static void print_fields(const char *title, const rv_field *fields, int n, bool ranges)
{
    if (n == 0) return;
    printf("\n%-16s %-8s %10s   %-16s %s\n", title, "unit", "default", ranges ? "allowed" : "", "meaning");
    for (int i = 0; i < n; i++) {
        char allowed[48] = "";
        if (ranges) print_allowed(&fields[i], allowed, sizeof allowed);
        printf("  %-14s %-8s %10g   %-16s %s\n", fields[i].name, unit_of(&fields[i]), fields[i].standard, allowed,
               fields[i].meaning);
    }
}

static void print_texts(const rv_table *table)
{
    if (table->n_texts > 0) printf("\n%-16s %s\n", "text", "meaning");
    for (int i = 0; i < table->n_texts; i++) printf("  %-14s %s\n", table->texts[i].name, table->texts[i].meaning);
}

static void print_indented(const char *text)
{
    while (text && *text) {
        size_t length = strcspn(text, "\n");
        printf("  %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_table(const rv_table *table)
{
    printf("%s: %s\n\n  ", table->name, table->summary);
    printf(uses[table->kind], table->name);
    puts("\n");
    print_indented(table->equations);
    print_texts(table);
    print_fields("parameter", table->params, table->n_params, true);
    print_fields("state", table->states, table->n_states, true);
    if (table->reference) printf("\nReference\n"), print_indented(table->reference);
}

static void print_rule(const struct connection_rule *rule)
{
    printf("%s: %s\n\n", rule->name, rule->meaning);
    printf("  net:connect(source, target, { rule = \"%s\"%s%s }, { weight =, delay = })\n", rule->name,
           rule->options[0] ? ", " : "", rule->options);
    puts("  allow_autapses, allow_multapses: true or false");
}

static int explain(const char *name)
{
    const char *names[MOST_NAMES];
    rv_table    table;
    int         n = 0;
    for (rv_table_kind kind = RV_NEURONS; kind <= RV_SYNAPSES; kind++) {
        if (rv_table_find(kind, name, &table)) return print_table(&table), 0;
        for (int i = 0; rv_table_at(kind, i, &table) && n < MOST_NAMES - N_CONNECTION_RULES; i++)
            names[n++] = table.name;
    }
    for (int i = 0; i < N_CONNECTION_RULES; i++) {
        if (strcmp(connection_rules[i].name, name) == 0) return print_rule(&connection_rules[i]), 0;
        names[n++] = connection_rules[i].name;
    }
    command_unknown("model, rule, input or synapse", name, names, n);
    return 1;
}

int command_models(const command *c)
{
    const command_usage usage = {
        "models", "[NAME]", "Lists neuron models, learning rules, inputs, synapses and connection rules, or explains one.",
        NULL,     0,        0,
        1
    };
    const char *name[1];
    int         n, status = command_read(c, &usage, name, &n);
    if (status >= 0) return status;
    if (n == 1) return explain(name[0]);
    list_all();
    return 0;
}
