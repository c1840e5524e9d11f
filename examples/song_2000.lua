-- S. Song, K. D. Miller & L. F. Abbott: Competitive Hebbian learning through spike-timing-dependent synaptic
-- plasticity. Nat Neurosci 3:919-926, 2000, doi:10.1038/78829
--
-- One neuron with 1 000 excitatory inputs that fire at random with equal rates, and 200 inhibitory ones at 10 Hz. The excitatory
-- synapses compete for the timing of its spikes: in the end most of them are near 0 or near the maximum, the more near 0 the
-- higher the rate of the inputs (Fig. 2), and the neuron fires irregularly. Four neurons learn side by side, with inputs of
-- 10, 20, 30 and 40 Hz.
--
-- Expected. Fig. 2: two groups of weights in equilibrium, at both bounds, at all rates; fewer strong synapses, the faster the
-- inputs, so that the rate of the neuron grows far less than its inputs do. A rule with A_minus tau_minus > A_plus tau_plus
-- takes the neuron to where random coincidences cease to be decisive: irregular firing, a coefficient of variation near 1.
--
-- A_plus = 0.005 as in the paper; ten minutes bring the weights near to where they stay. learning=4 is four times as fast, and
-- makes the two groups a little wider.
--
--   ranvier run song_2000.lua [time=600000] [learning=1] [seed=1] [check=1] [figure=song_2000.png]
local rv = require "ranvier"
local time, faster = rv.arg.time or 600000, rv.arg.learning or 1 -- ms, 1
local rates = { 10, 20, 30, 40 }                                 -- Hz
local A_plus, g_max = 0.005 * faster, 0.015                      -- in g_max, in leak conductances
local A_minus = 1.05 * A_plus
local from = time - math.min(time / 2, 20000)                    -- ms; rates and intervals are those of the last 20 s

-- Conductances in units of the leak's: g_L = 1 nS, C_m = tau_m g_L.
local net = rv.network { resolution = rv.arg.resolution or 0.2, seed = rv.arg.seed or 1 }
local neuron = { g_L = 1, C_m = 20, E_L = -70, V_th = -54, V_reset = -60, t_ref = 0, E_ex = 0, E_in = -70, tau_syn_ex = 5, tau_syn_in = 5, V_m = -60 }
local posts, inputs, synapses, histograms = {}, {}, {}, {}
for k, r in ipairs(rates) do
  posts[k] = net:population("neuron, " .. r .. " Hz", 1, "iaf_cond_exp", neuron)
  inputs[k] = net:population("inputs, " .. r .. " Hz", 1000, "poisson_generator", { rate = r })
  synapses[k] = net:connect(inputs[k], posts[k], "all_to_all", {
    weight = rv.uniform(0, g_max), delay = net.resolution, plasticity = "stdp", Wmax = g_max, mu_plus = 0, mu_minus = 0,
    lambda = A_plus, alpha = A_minus / A_plus, tau_plus = 20, tau_minus = 20,
  })
  net:poisson(posts[k], { rate = 200 * 10, weight = -0.05 })
end
for k in ipairs(rates) do histograms[k] = net:record(synapses[k], "weights", { interval = math.max(1, time // 50), histogram = { 0, g_max, 20 } }) end
net:record(posts, "spikes")
net:run(time)

-- Measured against published
local function share(weights, low, high)
  local n = 0
  for _, w in ipairs(weights) do if w >= low * g_max and w <= high * g_max then n = n + 1 end end
  return n / #weights
end
print "Song, Miller & Abbott 2000, Fig. 2"
print "  inputs (Hz)     neuron (Hz)      CV    weights in the lowest, middle, highest fifth of 0..g_max"
local strong, out, cv, ends = {}, {}, {}, {}
for k, r in ipairs(rates) do
  local w = synapses[k]:weights()
  strong[k], out[k], cv[k], ends[k] = share(w, 0.5, 1), posts[k]:rate(from), posts[k]:cv(from), share(w, 0, 0.2) + share(w, 0.8, 1)
  print(string.format("  %8d %15.1f %11.2f %15.0f %% %10.0f %% %10.0f %%", r, out[k], cv[k], 100 * share(w, 0, 0.2),
                      100 * share(w, 0.4, 0.6), 100 * share(w, 0.8, 1)))
end
print "  published: most weights in the outer fifths, fewer strong ones the higher the rate; CV near 1"

if rv.arg.check == 1 then
  rv.check(time * faster >= 600000, "check=1 needs time=600000, or less with learning more than 1")
  for k, r in ipairs(rates) do
    rv.check(ends[k] > 0.55, string.format("inputs of %d Hz: %.0f %% of the weights in the outer fifths, expected more than 55 %%", r, 100 * ends[k]))
    rv.check(cv[k] > 0.6 and cv[k] < 1.3, string.format("inputs of %d Hz: CV %.2f, expected near 1", r, cv[k]))
    if k > 1 then rv.check(strong[k] < strong[k - 1], string.format("inputs of %d Hz: %.0f %% of the weights are strong, expected fewer than at %d Hz", r, 100 * strong[k], rates[k - 1])) end
  end
  rv.check(out[4] / out[1] < 3, string.format("the rate grows %.1f times with inputs 4 times as fast, expected less than 3 times", out[4] / out[1]))
end
if rv.arg.figure then
  local curves, centre = {}, {}
  for i = 1, 20 do centre[i] = (i - 0.5) / 20 end
  for k, r in ipairs(rates) do
    local samples, y = histograms[k]:values(), {}
    for i = 1, 20 do y[i] = samples[i][#samples[i]] / 10 end
    curves[k] = { x = centre, y = y, label = r .. " Hz", x_label = "weight / g_max", y_label = "synapses (%)" }
  end
  for k, r in ipairs(rates) do
    local samples, t, y = histograms[k]:values(), {}, {}
    for s = 1, #samples[1] do
      t[s], y[s] = histograms[k]:times()[s] / 1000, 0
      for i = 11, 20 do y[s] = y[s] + samples[i][s] / 10 end
    end
    curves[#curves + 1] = { x = t, y = y, label = r .. " Hz", x_label = "time (s)", y_label = "weights above g_max / 2 (%)" }
  end
  rv.plot(rv.arg.figure, { curves = curves, title = "Synapses compete for the timing of spikes" })
end
