/* SANA-FE's networks: neurons with their core written beside them, in its YAML and in its netlists (.net), and its architecture files. It is
 * the open tool that states energy and time of Loihi (Boyle et al. 2025, doi:10.1109/TCAD.2025.3537971), and so an independent judge of a
 * mapping.
 *
 *   sanafe_net s;
 *   sanafe_from_net(net, map, 100, &s, &error);          a mapped network of loihi_lif, with the spikes of its generators for 100 steps
 *   sanafe_write(&s, "net.yaml", &error);                or "net.net"
 *   sanafe_write_architecture(map, "arch.yaml", &error);
 *   sanafe_free(&s);
 *
 * and then: sim arch.yaml net.yaml 100, or sim -n arch.yaml net.net 100.
 *
 * What differs. SANA-FE computes in real numbers, in units of 64 of the chip's, and cuts v to whole units of the chip, but not u; it knows
 * neither the rounding of sums nor the ends of registers. So spikes are the same as the chip's if u has no memory or no decay (du = 4095 or
 * -1), no exponent loses bits and no delay is longer than a step (in its release 2.2.1 the dendrite that delays moves on only when a spike
 * arrives): sanafe_exact() says whether they are. Where they are not, messages and energy are nearly the same. */
#ifndef RV_HW_SANAFE_H
#define RV_HW_SANAFE_H

#include "hw/map.h"

enum { SANAFE_NAME = 64, SANAFE_LONGEST_DELAY = 5 };

typedef struct sanafe_group {
    char    name[SANAFE_NAME];
    int64_t first, n; /* neurons */
} sanafe_group;

typedef struct sanafe_neuron {
    bool    input;
    double  threshold, reset, leak_decay, input_decay, bias; /* threshold, bias, weights: a 64th of the chip's units */
    int32_t tile, core;                                      /* core: of the tile        */
    int64_t first_spike, n_spikes;                           /* of an input, in spike    */
} sanafe_neuron;

typedef struct sanafe_edge {
    int32_t source, target, delay; /* delay: steps beyond the one that every spike takes */
    double  weight;
} sanafe_edge;

typedef struct sanafe_net {
    int            n_groups;
    sanafe_group  *group;  /* [n_groups]                    */
    int64_t        n_neurons, n_edges, n_spikes;
    sanafe_neuron *neuron; /* [n_neurons] group after group */
    sanafe_edge   *edge;   /* [n_edges] by source           */
    int64_t       *spike;  /* [n_spikes] steps, from 1      */
    int64_t        n_steps;
} sanafe_net;

/** @param steps how long inputs are listed */
rv_status sanafe_from_net(rv_net *net, const hw_map *map, int64_t steps, sanafe_net *s, rv_error *error);
void      sanafe_free(sanafe_net *s);

/** Brings the edges into order: by source, target, delay and weight. */
void sanafe_sort_edges(sanafe_net *s);

/** Whether SANA-FE's arithmetic gives the chip's spikes. @param why result, may be NULL: a sentence if not */
bool sanafe_exact(rv_net *net, rv_error *why);

/** The ending of the path says in which format: .net is a netlist, all else YAML. */
rv_status sanafe_write(const sanafe_net *s, const char *path, rv_error *error);
rv_status sanafe_read(const char *path, sanafe_net *s, rv_error *error);

/** The chip of a map as an architecture file. Refused if the profile lacks a cost. */
rv_status sanafe_write_architecture(const hw_map *map, const char *path, rv_error *error);

/** The graph and the map of a file, to compute costs from it. @param n_chips over which the mesh of tiles extends */
rv_status sanafe_map(const sanafe_net *s, const hw_chip *chip, int n_chips, hw_graph **graph, hw_map **map, rv_error *error);

/** What SANA-FE computes, step by step. @param fired, updated [n_neurons] of this step, as hw_cost_of_step() takes them */
typedef void (*sanafe_step_fn)(void *user, int64_t step, const bool *fired, const bool *updated);
rv_status sanafe_run(const sanafe_net *s, int64_t steps, sanafe_step_fn f, void *user, rv_error *error);

#endif
