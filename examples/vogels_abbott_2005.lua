-- T. P. Vogels & L. F. Abbott: Signal propagation and logic gating in networks of integrate-and-fire neurons.
-- J Neurosci 25:10786-10795, 2005, doi:10.1523/JNEUROSCI.3508-05.2005, in the form in which it became a benchmark:
-- R. Brette et al.: Simulation of networks of spiking neurons. J Comput Neurosci 23:349-398, 2007,
-- doi:10.1007/s10827-007-0038-6, appendix B.
--
-- 4 000 neurons, 80 % of them excitatory, 2 % connected: irregular activity that sustains itself.
--
--   benchmark=1   COBA: conductances that decay exponentially; fifty neurons are kicked for 50 ms to begin with
--   benchmark=2   CUBA: synaptic currents that decay exponentially (if nothing is said); resting potentials above threshold
--   benchmark=3   COBA with Hodgkin-Huxley neurons
--   benchmark=4   synapses that make the potential jump by 0.25 mV and -2.25 mV, spikes at their exact times: between
--                 two events each neuron has a closed form, so nothing is rounded to a grid
--   1 to 3 run on the grid of 0.1 ms.
--
-- Expected. Benchmark 1: 18.9 Hz, from a plain program (numpy, exponential Euler steps of 0.05 ms, 1 s) written apart from
-- Ranvier: 19.8, 19.4 and 17.6 Hz for three networks. Benchmark 2: 5.6 Hz in NEST 3.10 (two seeds, 5 s). Benchmark 3: 44 Hz from
-- such a program too (Rush & Larsen steps of 0.025 ms, 0.5 s): 45.6 and 43.3 Hz. Benchmark 4: 9.7 Hz, from a plain
-- event-driven program (a heap of spikes and predicted threshold crossings, 1 s) written apart from Ranvier: 9.4, 10.2 and
-- 9.3 Hz for three networks. Brette et al. print no rates. --timing grid runs benchmark 4 on a grid.
--
--   ranvier run vogels_abbott_2005.lua [benchmark=2] [time=1000] [check=1] [figure=cuba.png]
local rv = require "ranvier"

local lif = { C_m = 200, E_L = -49, V_th = -50, V_reset = -60, t_ref = 5, V_m = rv.uniform(-60, -50) }
local function neuron(more)
  local all = {}
  for name, value in pairs(lif) do all[name] = value end
  for name, value in pairs(more) do all[name] = value end
  return all
end
local coba = { E_ex = 0, E_in = -80, g_L = 10, tau_syn_ex = 5, tau_syn_in = 10, E_L = -60, V_m = -60 }
local kick = { rate = 300, start = 1, stop = 51, weight = 6 } -- Hz, ms, ms, nS

local benchmarks = { -- weights in nS, pA, nS, mV; rates in Hz
  { model = "iaf_cond_exp", neuron = neuron(coba), w_ex = 6, w_in = -67, timing = "grid", kick = kick, rate = 18.9, spread = 2.5 },
  { model = "iaf_psc_exp", neuron = neuron { tau_m = 20, tau_syn_ex = 5, tau_syn_in = 10 }, w_ex = 16.2, w_in = -90, timing = "grid",
    rate = 5.6, spread = 0.6 },
  { model = "hh_cond_exp_traub", neuron = { V_m = -60 }, w_ex = 6, w_in = -67, timing = "grid", kick = kick, rate = 44, spread = 6 },
  { model = "iaf_psc_delta", neuron = neuron { tau_m = 20 }, w_ex = 0.25, w_in = -2.25, timing = "exact", rate = 9.7, spread = 1.2 },
}
local number = rv.arg.benchmark or 2
local benchmark = benchmarks[number] or error("benchmark=" .. number .. ": there are 1 to 4", 0)
local time = rv.arg.time or 1000 -- ms

local net = rv.network { seed = 1, timing = benchmark.timing }
local E = net:population("E", 3200, benchmark.model, benchmark.neuron)
local I = net:population("I", 800, benchmark.model, benchmark.neuron)
if benchmark.kick then net:poisson(E:slice(1, 50), benchmark.kick) end

local random = { rule = "pairwise_bernoulli", p = 0.02 }
net:connect(E, { E, I }, random, { weight = benchmark.w_ex * (rv.arg.scale or 1), delay = 0.1 })
net:connect(I, { E, I }, random, { weight = benchmark.w_in, delay = 0.1 })
net:record({ E, I }, "spikes")
net:run(time)

local from = math.min(200, time / 5) -- ms; what comes before is forgotten
local rate = (E:rate(from) * #E + I:rate(from) * #I) / (#E + #I)
print(string.format("Brette et al. 2007, benchmark %d, %s timing", number, net.timing))
print(string.format("  rate   %5.2f Hz, expected %.1f Hz", rate, benchmark.rate))
print(string.format("  CV     %5.2f (1: a Poisson process)", E:cv(from)))

-- On a grid, spikes fall on multiples of the resolution; at their exact times, none does but by chance.
local times, on_grid = E:spikes(), 0
for _, t in ipairs(times) do
  if math.abs(t / net.resolution - math.floor(t / net.resolution + 0.5)) < 1e-6 then on_grid = on_grid + 1 end
end
print(string.format("  %d of %d spikes lie on the grid of %g ms", on_grid, #times, net.resolution))

if rv.arg.check == 1 then -- tolerances: two standard deviations from network to network
  rv.check(math.abs(rate - benchmark.rate) < benchmark.spread,
           string.format("rate %.2f Hz, expected %.1f +- %.1f Hz", rate, benchmark.rate, benchmark.spread))
  rv.check((on_grid == #times) == (net.timing == "grid"), on_grid .. " of " .. #times .. " spikes lie on the grid")
end
if rv.arg.figure then net:plot(rv.arg.figure, { title = "Brette et al. 2007, benchmark " .. number }) end
