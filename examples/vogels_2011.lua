-- T. P. Vogels, H. Sprekeler, F. Zenke, C. Clopath & W. Gerstner: Inhibitory plasticity balances excitation and inhibition in
-- sensory pathways and memory networks. Science 334:1569-1573, 2011, doi:10.1126/science.1211095
--
-- The recurrent network of Fig. 4, as its authors published it with the paper (ModelDB 143751) and for Brian: neurons with
-- conductances and a constant current, 2 % of all pairs connected. The inhibitory synapses onto excitatory neurons are nothing
-- at first, and the neurons fire fast and regularly. These synapses learn: every pair of spikes strengthens them, every
-- inhibitory spike weakens them. They grow until each neuron fires at the rate that the rule wants, whatever its excitation:
-- inhibition balances excitation neuron by neuron, and the network becomes asynchronous and irregular.
--
-- Expected: every excitatory neuron comes near to the target rate rho = alpha / (2 tau) = 3 Hz (their spread becomes small), its
-- intervals to those of random firing (CV near 1). The rate stays some tenths of a Hz above rho: just after an inhibitory spike
-- its targets are silent, and these pairs are missing.
--
-- A tenth of the paper's neurons unless scale is given, with as many connections of each, and ten times the program's rate of
-- learning (eta=0.01): it comes to the same weights in a tenth of the time.
--
--   ranvier run vogels_2011.lua [time=40000] [scale=0.1] [eta=0.1] [rho=3] [seed=1] [check=1] [figure=vogels_2011.png]
local rv = require "ranvier"
local time, scale, rho = rv.arg.time or 40000, rv.arg.scale or 0.1, rv.arg.rho or 3 -- ms, 1, Hz
local N_E, N_I = math.floor(8000 * scale + 0.5), math.floor(2000 * scale + 0.5)
local p = math.min(1, 0.02 / scale)
local tau, first, from = 20, math.min(100, time / 4), 0.75 * time -- ms; first and last part, which are compared

local net = rv.network { resolution = 0.1, seed = rv.arg.seed or 1 }
local neuron = { C_m = 200, g_L = 10, E_L = -60, V_th = -50, V_reset = -60, t_ref = 5, E_ex = 0, E_in = -80, tau_syn_ex = 5, tau_syn_in = 10, I_e = 200, V_m = rv.uniform(-60, -50) }
local E = net:population("E", N_E, "iaf_cond_exp", neuron)
local I = net:population("I", N_I, "iaf_cond_exp", neuron)
local random = { rule = "pairwise_bernoulli", p = p, allow_autapses = false }
local w_E, w_I, delay = 0.3, 3, 0.8 -- nS, nS, ms
net:connect(E, E, random, { weight = w_E, delay = delay })
net:connect(E, I, random, { weight = w_E, delay = delay })
net:connect(I, I, random, { weight = -w_I, delay = delay })
local learning = { weight = -1e-10, delay = delay, plasticity = "stdp_inhibitory", tau = tau, eta = rv.arg.eta or 0.1, alpha = 2 * tau * rho / 1000, Wmax = -100 }
local IE = net:connect(I, E, random, learning)

net:record({ E, I }, "spikes")
local activity = net:record(E, "rate", { bin = 10 })
local weights = net:record(IE, "weights", { interval = math.max(1, time // 20), histogram = { -15, 0, 60 } })
net:run(time)

-- Measured against published
local rates, early, w = E:rates(from, time), E:rates(0, first), IE:weights()
local cv, synchrony = E:cv(from), E:synchrony(5, from)
local function row(name, at_first, last, published)
  print(string.format("  %-46s%12s%12s%12s", name, at_first, last, published))
end
local function show(x) return string.format("%.2f", x) end
print(string.format("Vogels et al. 2011, %d neurons, %d inhibitory synapses that learn", N_E + N_I, #w))
row("", "at first", "at last", "published")
row("rate of excitatory neurons (Hz)", show(rv.stats.mean(early)), show(rv.stats.mean(rates)), string.format("to %g", rho))
row("  its standard deviation among them (Hz)", "", show(rv.stats.sd(rates)), "small")
row("intervals: CV", "", show(cv), "to 1")
row("variance of the network's counts / their mean", "", show(synchrony), "")
row("inhibitory weights, mean (nS)", "0", show(-rv.stats.mean(w)), "")

if rv.arg.check == 1 then
  rv.check(time >= 10000, "check=1 needs time=10000 or more")
  rv.check(math.abs(rv.stats.mean(rates) / rho - 1) < 0.3, string.format("rate %.2f Hz, expected %g Hz +- 30 %%", rv.stats.mean(rates), rho))
  rv.check(rv.stats.sd(rates) < 0.5 * rho, string.format("the rates spread by %.2f Hz, expected less than %.2f Hz", rv.stats.sd(rates), 0.5 * rho))
  rv.check(cv > 0.7, string.format("CV %.2f, expected more than 0.7", cv))
end
if rv.arg.figure then
  local t, y, wanted, total = {}, {}, {}, activity:values(1)
  for i = 1, #total // 10 do
    t[i], y[i], wanted[i] = i / 10, 0, rho
    for k = 1, 10 do y[i] = y[i] + total[10 * (i - 1) + k] / 10 end
  end
  local samples, edges, last = weights:values(), {}, {}
  for k = 1, 60 do edges[k], last[k] = 15 - (k - 0.5) / 4, 100 * samples[k][#samples[k]] / #w end
  local sorted = { table.unpack(rates) }
  table.sort(sorted)
  local rank = {}
  for i = 1, #sorted do rank[i] = 100 * i / #sorted end
  rv.plot(rv.arg.figure, { title = "Inhibition learns to balance excitation", curves = {
    { x = t, y = y, label = "excitatory neurons", x_label = "time (s)", y_label = "rate (Hz)" },
    { x = t, y = wanted, label = "wanted", x_label = "time (s)", y_label = "rate (Hz)" },
    { x = sorted, y = rank, label = "at the end", x_label = "rate of a neuron (Hz)", y_label = "neurons below (%)" },
    { x = edges, y = last, label = "inhibitory weights at the end", x_label = "|weight| (nS)", y_label = "synapses (%)" },
  } })
end
