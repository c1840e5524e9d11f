"""The networks of bench_networks.c in Brian 2 (C++ standalone), with the same parameters.

    python3 brian2_networks.py CASE THREADS FOLDER

prints the real-time factor of the measured stretch and the mean rate in Hz. The generated program is compiled in FOLDER.
"""
import sys

import numpy as np
from brian2 import (Hz, Network, NeuronGroup, PoissonInput, SpikeMonitor, Synapses, defaultclock, device, ms, prefs, second,
                    set_device)

RNG = np.random.default_rng(1)


def connect_in_degree(synapses, n_sources, n_targets, degree):
    """Each target gets `degree` sources, with repetition."""
    synapses.connect(i=RNG.integers(0, n_sources, n_targets * degree), j=np.repeat(np.arange(n_targets), degree))


def brunel():
    neurons = NeuronGroup(10000, "dv/dt = -v / (20*ms) : 1 (unless refractory)", threshold="v >= 20", reset="v = 10",
                          refractory=2 * ms, method="exact")
    neurons.v = RNG.uniform(0, 20, 10000)
    parts = [neurons, PoissonInput(neurons, "v", 1000, 20 * Hz, 0.1)]
    for source, degree, weight in ((neurons[:8000], 800, 0.1), (neurons[8000:], 200, -0.5)):
        synapses = Synapses(source, neurons, on_pre=f"v_post += {weight} * int(not_refractory_post)", delay=1.5 * ms)
        connect_in_degree(synapses, len(source), 10000, degree)
        parts.append(synapses)
    return parts, neurons, 0.5, 2


def cuba(n, p):
    neurons = NeuronGroup(n, """dv/dt = (-49 - v + 0.1 * (ge + gi)) / (20*ms) : 1 (unless refractory)
                                dge/dt = -ge / (5*ms) : 1
                                dgi/dt = -gi / (10*ms) : 1""",
                          threshold="v > -50", reset="v = -60", refractory=5 * ms, method="exact")
    neurons.v = RNG.uniform(-60, -50, n)
    excitatory, inhibitory = neurons[:n * 4 // 5], neurons[n * 4 // 5:]
    to_ge = Synapses(excitatory, neurons, on_pre="ge_post += 16.2", delay=0.1 * ms)
    to_gi = Synapses(inhibitory, neurons, on_pre="gi_post -= 90", delay=0.1 * ms)
    to_ge.connect(p=p)
    to_gi.connect(p=p)
    return [neurons, to_ge, to_gi], neurons, 0, 5 if n == 4000 else 2


def izhikevich():
    neurons = NeuronGroup(10000, """dv/dt = (0.04 * v**2 + 5 * v + 140 - u) / ms : 1
                                    du/dt = a * (0.2 * v - u) / ms : 1
                                    a : 1
                                    d : 1""", threshold="v >= 30", reset="v = -65; u += d", method="euler")
    neurons.v, neurons.u = -65, -13
    neurons.a = np.repeat([0.02, 0.1], [8000, 2000])
    neurons.d = np.repeat([8, 2], [8000, 2000])
    parts = [neurons, PoissonInput(neurons, "v", 1, 7 * Hz, 20)]
    for source, sign in ((neurons[:8000], 1), (neurons[8000:], -1)):
        synapses = Synapses(source, neurons, "w : 1", on_pre="v_post += w")
        n = 1000 * len(source)
        synapses.connect(i=np.repeat(np.arange(len(source)), 1000), j=RNG.integers(0, 10000, n))
        synapses.w = sign * RNG.uniform(0, 1, n)
        synapses.delay = (RNG.integers(1, 21, n) if sign > 0 else np.ones(n)) * ms
        parts.append(synapses)
    return parts, neurons, 0, 2


def sparse():
    n = 100000
    neurons = NeuronGroup(n, """dv/dt = (I - v) / (20*ms) : 1 (unless refractory)
                                I : 1""", threshold="v >= 20", reset="v = 10", refractory=2 * ms, method="exact")
    neurons.I = np.where(np.arange(n) % 100 == 0, 20 + 10 / (np.exp(4.9) - 1), 0)  # 10 Hz
    synapses = Synapses(neurons, neurons, on_pre="v_post += 0.01", delay=1.5 * ms)
    connect_in_degree(synapses, n, n, 100)
    return [neurons, synapses], neurons, 0.1, 2


CASES = {"Brunel": brunel, "CUBA 4000": lambda: cuba(4000, 0.02), "CUBA 40000": lambda: cuba(40000, 0.002),
         "Izhikevich 10000": izhikevich, "sparse 100000": sparse}


def main(case, threads, folder):
    set_device("cpp_standalone", build_on_run=False, directory=folder)
    prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
    defaultclock.dt = 0.1 * ms
    parts, neurons, warm_up, seconds = CASES[case]()
    net = Network(parts)
    if warm_up:
        net.run(warm_up * second)
    monitor = SpikeMonitor(neurons)
    net.add(monitor)
    net.run(seconds * second)
    device.build(directory=folder, compile=True, run=True, debug=False)
    print(f"{device._last_run_time / (warm_up + seconds):.4f} {monitor.num_spikes / seconds / len(neurons):.2f}")


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in CASES:
        sys.exit(f"usage: brian2_networks.py CASE THREADS FOLDER, CASE one of {', '.join(CASES)}")
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
