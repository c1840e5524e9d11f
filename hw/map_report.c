/* The report of a map: what a user reads before any file is written. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "hw/cost.h"

enum { FULL_PERCENT = 95 };

/* "12.3 nJ": a quantity of small units with the prefix that fits. @param exponent of the unit, -12 for pJ */
static void print_scaled(FILE *out, double value, int exponent, const char *unit)
{
    static const char *const prefixes[] = { "p", "n", "u", "m", "", "k" };
    int                      k = (exponent + 12) / 3;
    while (value >= 1000 && k < 5) value /= 1000, k++;
    if (isnan(value)) fputs("not published", out);
    else fprintf(out, "%.4g %s%s", value, prefixes[k], unit);
}

/* ---- totals ----------------------------------------------------------------------------------------------------- */

static int64_t n_inputs(const hw_map *map)
{
    int64_t n = 0;
    for (int k = 0; k < map->graph->n_groups; k++) n += map->graph->group[k].input ? map->graph->group[k].n : 0;
    return n;
}

static void print_size(const hw_map *map, FILE *out)
{
    const hw_graph *g = map->graph;
    fprintf(out, "%s: %lld neurons and %lld synapses on %d cores of %d chip%s", map->chip.name, (long long)(g->n_neurons - n_inputs(map)),
            (long long)g->n_synapses, map->n_cores, map->n_chips, map->n_chips == 1 ? "" : "s");
    if (n_inputs(map)) fprintf(out, "; %lld inputs", (long long)n_inputs(map));
    fputs("\n\n", out);
}

static void print_traffic(const hw_map *map, FILE *out)
{
    double spikes = 0;
    for (int64_t j = 0; j < map->graph->n_neurons; j++) spikes += map->graph->rate[j];
    fprintf(out, "  spikes      %12.4g per step\n", spikes);
    fprintf(out, "  messages    %12.4g per step, %.3g for each spike\n", map->messages, spikes > 0 ? map->messages / spikes : 0);
    fprintf(out, "  hops        %12.4g per step, %.3g for each message\n", map->hops, map->messages > 0 ? map->hops / map->messages : 0);
    if (map->n_chips > 1) fprintf(out, "  off chip    %12.4g messages per step\n", map->between_chips);
    fprintf(out, "  events      %12.4g synaptic events per step\n", map->events);
}

static void print_cost(const hw_map *map, FILE *out)
{
    hw_cost cost;
    if (hw_cost_estimate(map, &cost) != RV_OK) return;
    fputs("  energy      ", out), print_scaled(out, cost.energy, -12, "J per step");
    if (!isnan(cost.energy))
        fprintf(out, ": %.0f %% neurons, %.0f %% synapses, %.0f %% messages and hops [%s]", 100 * cost.energy_neurons / cost.energy,
                100 * cost.energy_synapses / cost.energy, 100 * cost.energy_network / cost.energy, map->chip.entry[HW_ENERGY_MESSAGE].source);
    fputs("\n  time        ", out), print_scaled(out, cost.time, -9, "s per step");
    if (!isnan(cost.time)) fprintf(out, " at mean load [%s]", map->chip.entry[HW_TIME_MESSAGE_IN].source);
    fputs("\n\n", out);
}

/* ---- limits ----------------------------------------------------------------------------------------------------- */

typedef struct occupancy {
    double  mean, highest;
    int32_t fullest, n_full; /* the core with most, and how many are nearly full */
    int32_t n_tightest;      /* cores on which nothing else is fuller            */
} occupancy;

static occupancy occupancy_of(const hw_map *map, hw_resource r)
{
    occupancy o = { 0 };
    double    most = hw_value(&map->chip, hw_resource_limit[r]);
    for (int32_t c = 0; c < map->n_cores; c++) {
        hw_resource tightest;
        double      part = hw_part_used(r, map->core[c].use[r], most);
        hw_map_fullness(map, c, &tightest);
        o.mean += part / map->n_cores;
        if (part > o.highest) o.highest = part, o.fullest = c;
        o.n_full += 100 * part > FULL_PERCENT, o.n_tightest += tightest == r;
    }
    return o;
}

static void print_limits(const hw_map *map, FILE *out)
{
    hw_resource tightest = HW_USE_NEURONS;
    int32_t     most = 0;
    fprintf(out, "  %-24s %10s %7s %9s  %s\n", "of a core", "limit", "mean", "fullest", "");
    for (hw_resource r = 0; r < HW_N_RESOURCES; r++) {
        int64_t limit = hw_limit(&map->chip, hw_resource_limit[r]);
        if (limit == INT64_MAX) continue;
        occupancy o = occupancy_of(map, r);
        if (r == HW_USE_SETTINGS && o.highest == 0) continue;
        fprintf(out, "  %-24s %10lld %6.1f%% %8.1f%%  core %d\n", hw_resource_name[r], (long long)limit, 100 * o.mean, 100 * o.highest, o.fullest);
        if (o.n_tightest > most) most = o.n_tightest, tightest = r;
    }
    if (most == 0) return;
    occupancy o = occupancy_of(map, tightest);
    fprintf(out, "\nThe tightest limit: %s, on %d of %d cores; %d are more than %d %% full. What relieves it: %s.\n", hw_resource_name[tightest],
            o.n_tightest, map->n_cores, o.n_full, FULL_PERCENT, hw_map_advice(tightest));
}

/* ---- core by core ----------------------------------------------------------------------------------------------- */

static void print_groups(const hw_map *map, const hw_core *core, FILE *out)
{
    const int32_t *neuron = map->neuron + core->first_neuron;
    const char    *separator = "";
    for (int k = 0; k < map->graph->n_groups; k++) {
        const hw_group *group = &map->graph->group[k];
        int32_t         n = 0;
        for (int32_t i = 0; i < core->n_neurons; i++) n += neuron[i] >= group->first && neuron[i] < group->first + group->n;
        if (n == 0) continue;
        fprintf(out, "%s%s %d", separator, group->name, n);
        separator = ", ";
    }
}

static void print_core(const hw_map *map, int32_t c, FILE *out)
{
    const hw_core *core = &map->core[c];
    int32_t        tile_cores = (int32_t)hw_value(&map->chip, HW_TILE_CORES);
    hw_resource    tightest;
    double         full = hw_map_fullness(map, c, &tightest);
    fprintf(out, "  %5d %4d %5d.%-2d %7lld %8lld %8lld %9.1f%% %10.3g %10.3g  %4.0f%% %s: ", c, core->chip, core->place / tile_cores,
            core->place % tile_cores, (long long)core->use[HW_USE_NEURONS], (long long)core->use[HW_USE_INPUT_AXONS],
            (long long)core->use[HW_USE_OUTPUT_AXONS], 100 * (double)core->use[HW_USE_MEMORY] / hw_value(&map->chip, HW_MEMORY), core->sent,
            core->received, 100 * full, full > 0 ? hw_resource_name[tightest] : "");
    print_groups(map, core, out);
    fputc('\n', out);
}

static void print_cores(const hw_map *map, int most, FILE *out)
{
    fprintf(out, "\n  %5s %4s %8s %7s %8s %8s %10s %10s %10s  %s\n", "core", "chip", "tile", "neurons", "axons in", "out", "memory", "sent", "received",
            "fullest: what is on it");
    for (int32_t c = 0; c < map->n_cores && c < most; c++) print_core(map, c, out);
    if (map->n_cores > most) fprintf(out, "  and %d more\n", map->n_cores - most);
}

static void print_violations(const hw_map *map, FILE *out)
{
    char *text;
    if (hw_map_violations(map, &text) != RV_OK) return;
    if (*text) fprintf(out, "\nDoes not fit:\n%s", text);
    free(text);
}

rv_status hw_map_report(const hw_map *map, int most_cores, char **text)
{
    size_t size;
    FILE  *out = open_memstream(text, &size);
    if (!out) return RV_OUT_OF_MEMORY;
    print_size(map, out);
    if (map->graph->notes) fputs(map->graph->notes, out);
    print_traffic(map, out);
    print_cost(map, out);
    print_limits(map, out);
    print_violations(map, out);
    if (most_cores > 0) print_cores(map, most_cores, out);
    return fclose(out) == 0 ? RV_OK : RV_OUT_OF_MEMORY;
}
