-- T. P. Vogels, H. Sprekeler, F. Zenke, C. Clopath & W. Gerstner: Inhibitory plasticity balances excitation and inhibition in
-- sensory pathways and memory networks. Science 334:1569-1573, 2011, doi:10.1126/science.1211095
--
-- The recurrent network of Fig. 4, as its authors published it with the paper (ModelDB 143751) and for Brian: neurons with
-- conductances and a constant current, 2 % of all pairs connected. The inhibitory synapses onto excitatory neurons are nothing
-- at first, and the neurons fire fast and in step. After 1 s these synapses begin to learn: every pair of spikes strengthens
-- them, every inhibitory spike weakens them. They grow until each neuron fires at the rate that the rule wants, whatever its
-- excitation: inhibition balances excitation neuron by neuron, and the network becomes asynchronous and irregular.
--
-- Expected: every excitatory neuron comes to the target rate rho = alpha / (2 tau) = 3 Hz (the neurons' spread becomes small), its
-- intervals to those of random firing (CV near 1), and the inhibitory weights of a neuron follow the excitation it gets: here
-- the neurons get 160 excitatory synapses by chance, more or less, and the correlation of the two is large.
--
-- A tenth of the paper's neurons unless scale is given; the connections are kept, ten times as dense.
--
--   ranvier run vogels_2011.lua [time=20000] [scale=0.1] [rho=3] [seed=1] [check=1] [figure=vogels_2011.png]
local rv = require "ranvier"
local time, scale, rho = rv.arg.time or 20000, rv.arg.scale or 0.1, rv.arg.rho or 3 -- ms, 1, Hz
local before = math.min(1000, time / 4)                                             -- ms without learning
local N_E, N_I = math.floor(8000 * scale + 0.5), math.floor(2000 * scale + 0.5)
local p = math.min(1, 0.02 / scale)
local tau, from = 20, before + (time - before) * 0.75

local net = rv.network { resolution = 0.1, seed = rv.arg.seed or 1 }
local neuron = { C_m = 200, g_L = 10, E_L = -60, V_th = -50, V_reset = -60, t_ref = 5, E_ex = 0, E_in = -80, tau_syn_ex = 5, tau_syn_in = 10, I_e = 200, V_m = rv.uniform(-60, -50) }
local E = net:population("E", N_E, "iaf_cond_exp", neuron)
local I = net:population("I", N_I, "iaf_cond_exp", neuron)
local random = { rule = "pairwise_bernoulli", p = p, allow_autapses = false }
local w_E, w_I, delay = 0.3, 3, 0.8 -- nS, nS, ms
local EE = net:connect(E, E, random, { weight = w_E, delay = delay })
net:connect(E, I, random, { weight = w_E, delay = delay })
net:connect(I, I, random, { weight = -w_I, delay = delay })
local learning = { weight = -1e-10, delay = delay, plasticity = "stdp_inhibitory", tau = tau, eta = 0.01, alpha = 2 * tau * rho / 1000, Wmax = -100 }
local IE = net:connect(I, E, random, learning)

net:record({ E, I }, "spikes")
local activity = net:record(E, "rate", { bin = 10 })
net:run(before)
local start = IE:weights() -- what was learnt before 1 s is taken back
for i in ipairs(start) do start[i] = -1e-10 end
IE:set_weights(start)
local weights = net:record(IE, "weights", { interval = (time - before) / 20, histogram = { -100, 0, 100 } })
net:run(time - before)

-- Inhibition and excitation of every excitatory neuron
local function sum_by_target(J)
  local _, targets, w = J:synapses()
  local sum = {}
  for i = 1, N_E do sum[i] = 0 end
  for k, t in ipairs(targets) do sum[t] = sum[t] + math.abs(w[k]) end
  return sum
end
local function correlation(x, y)
  local mx, my, xy = rv.stats.mean(x), rv.stats.mean(y), 0
  for i = 1, #x do xy = xy + (x[i] - mx) * (y[i] - my) end
  return xy / (#x - 1) / (rv.stats.sd(x) * rv.stats.sd(y))
end
local excitation, inhibition = sum_by_target(EE), sum_by_target(IE)
local balance = correlation(excitation, inhibition)

-- Measured against published
local rates, early = E:rates(from, time), E:rates(before / 2, before)
local cv, synchrony, at_first = E:cv(from), E:synchrony(5, from), E:synchrony(5, before / 2, before)
local function row(name, format, first, last, published)
  print(string.format("  %-46s%12s%12s%12s", name, string.format(format, first), string.format(format, last), published))
end
print(string.format("Vogels et al. 2011, %d neurons, %d inhibitory synapses that learn", N_E + N_I, #start))
row("", "%s", "before", "after", "published")
row("rate of excitatory neurons (Hz)", "%.2f", rv.stats.mean(early), rv.stats.mean(rates), string.format("to %g", rho))
row("  its standard deviation among them (Hz)", "%.2f", rv.stats.sd(early), rv.stats.sd(rates), "small")
row("intervals: CV", "%.2f", E:cv(before / 2, before), cv, "to 1")
row("synchrony (variance / mean of counts)", "%.1f", at_first, synchrony, "falls")
row("correlation of inhibition and excitation", "%.2f", 0, balance, "large")

if rv.arg.check == 1 then
  rv.check(time >= 10000, "check=1 needs time=10000 or more")
  rv.check(math.abs(rv.stats.mean(rates) / rho - 1) < 0.1, string.format("rate %.2f Hz, expected %g Hz +- 10 %%", rv.stats.mean(rates), rho))
  rv.check(rv.stats.sd(rates) < 0.5 * rho, string.format("the rates spread by %.2f Hz, expected less than %.2f Hz", rv.stats.sd(rates), 0.5 * rho))
  rv.check(cv > 0.7, string.format("CV %.2f, expected more than 0.7", cv))
  rv.check(synchrony < at_first, string.format("synchrony %.1f, before %.1f", synchrony, at_first))
  rv.check(balance > 0.7, string.format("correlation of inhibition and excitation %.2f, expected more than 0.7", balance))
end
if rv.arg.figure then
  local t, y, wanted, total = {}, {}, {}, activity:values(1)
  for i = 1, #total // 10 do
    t[i], y[i], wanted[i] = i / 10, 0, rho
    for k = 1, 10 do y[i] = y[i] + total[10 * (i - 1) + k] / 10 end
  end
  local samples, edges, last = weights:values(), {}, {}
  for k = 1, 100 do edges[k], last[k] = 100 - k + 0.5, 100 * samples[k][#samples[k]] / #start end
  local sorted = { table.unpack(rates) }
  table.sort(sorted)
  local rank = {}
  for i = 1, #sorted do rank[i] = 100 * i / #sorted end
  rv.plot(rv.arg.figure, { title = "Inhibition learns to balance excitation", curves = {
    { x = t, y = y, label = "excitatory neurons", x_label = "time (s)", y_label = "rate (Hz)" },
    { x = t, y = wanted, label = "wanted", x_label = "time (s)", y_label = "rate (Hz)" },
    { x = sorted, y = rank, label = "at the end", x_label = "rate of a neuron (Hz)", y_label = "neurons below (%)" },
    { x = edges, y = last, label = "inhibitory weights at the end", x_label = "|weight| (nS)", y_label = "synapses (%)" },
    { x = excitation, y = inhibition, points = true, label = "excitatory neurons", x_label = "excitation (nS)", y_label = "inhibition (nS)" },
  } })
end
