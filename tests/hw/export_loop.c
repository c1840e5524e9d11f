/* Runs a network from the header that Ranvier writes: a plain loop, as firmware would have it. Lines "step input" on standard input, in the
 * order of steps, say which inputs spike; lines "step neuron" come out. Compiled by tests/hw/test_export_header.c with -DNETWORK and -DSTEPS. */
#include <stdbool.h>
#include <stdio.h>

#include NETWORK

enum { SLOTS = NETWORK_LONGEST_DELAY + 1 };

static int64_t sum[NETWORK_CORES][NETWORK_SUMS][SLOTS][NETWORK_MOST_NEURONS];
static int32_t u[NETWORK_CORES][NETWORK_MOST_NEURONS], v[NETWORK_CORES][NETWORK_MOST_NEURONS];
static bool    spikes[NETWORK_NEURONS];

static int64_t floor_shift(int64_t x, int bits) { return x >= 0 ? x >> bits : -((-x + ((int64_t)1 << bits) - 1) >> bits); }

static int64_t limited(int64_t x, int64_t most) { return x > most ? most : x < -most ? -most : x; }

static int64_t take_input(int core, int i, int slot)
{
    int64_t input = 0;
    for (int k = 0; k < NETWORK_SUMS; k++) {
        input += floor_shift(sum[core][k][slot][i], network_sum_shift[k]);
        sum[core][k][slot][i] = 0;
    }
    return input;
}

static bool step_neuron(int core, int i, int slot)
{
    const network_core *c = &network_cores[core];
    int64_t             current = (int64_t)u[core][i] * (4095 - c->du[i]) / 4096 + take_input(core, i, slot) * 64;
    if (current > 8388608) current -= 16777216;
    else if (current <= -8388608) current += 16777216;
    int64_t voltage = limited((int64_t)v[core][i] * (4096 - c->dv[i]) / 4096 + current + c->bias[i], 8388607);
    bool    fired = voltage > c->vth[i];
    u[core][i] = (int32_t)current, v[core][i] = fired ? 0 : (int32_t)voltage;
    return fired;
}

static void deliver(int core, int step)
{
    const network_core *c = &network_cores[core];
    for (int a = 0; a < c->n_axons; a++)
        for (int s = c->first[a]; spikes[c->source[a]] && s < c->first[a + 1]; s++)
            sum[core][c->sum[s]][(step + c->delay[s]) % SLOTS][c->index[s]] += c->weight[s];
}

static void begin(void)
{
    for (int core = 0; core < NETWORK_CORES; core++)
        for (int i = 0; i < network_cores[core].n_neurons; i++) u[core][i] = network_cores[core].u[i], v[core][i] = network_cores[core].v[i];
}

int main(void)
{
    int  next_step, next_input;
    bool more = scanf("%d %d", &next_step, &next_input) == 2;
    begin();
    for (int step = 1; step <= STEPS; step++) {
        for (int j = 0; j < NETWORK_NEURONS; j++) spikes[j] = false;
        for (; more && next_step == step; more = scanf("%d %d", &next_step, &next_input) == 2) spikes[next_input] = true;
        for (int core = 0; core < NETWORK_CORES; core++)
            for (int i = 0; i < network_cores[core].n_neurons; i++) spikes[network_cores[core].neuron[i]] = step_neuron(core, i, step % SLOTS);
        for (int j = 0; j < NETWORK_NEURONS; j++)
            if (spikes[j]) printf("%d %d\n", step, j);
        for (int core = 0; core < NETWORK_CORES; core++) deliver(core, step);
    }
    return network_populations[0].n == 0;
}
