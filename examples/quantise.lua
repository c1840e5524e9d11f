-- What a chip's few bits do to a network: three networks in Loihi's integers, with weights of 1 to 9 bits.
-- Arithmetic: M. Davies et al., Loihi, IEEE Micro 38:82-99, 2018, doi:10.1109/MM.2018.112130359, as Lava 0.10.0 and nengo-loihi 1.1.0
-- state it; how the integers are chosen: hw/quantise.h.
--
--   feed-forward  Poisson trains through drawn weights of both signs to 100 neurons
--   balanced      1 000 neurons in irregular activity (Vogels & Abbott 2005, smaller, tau_syn = 5 ms), drawn weights
--   chain         a volley that travels along 20 groups of 50 neurons, 5 ms apart
--
-- Expected: the error of the weights halves with every bit, and rates soon stop to change; those of the balanced network, whose
-- activity is chaotic, differ by some 5 % (500 ms) whatever is changed. Weights of both signs take 2 bits at least, and the 9th bit is
-- for them alone (Loihi 2): with 8 there are 7 and a sign.
--
--   ranvier run quantise.lua [time=500] [check=1] [figure=quantise.png]
local rv = require "ranvier"
local time = rv.arg.time or 500 -- ms, of each run

local function feed_forward()
  local net = rv.network { resolution = 1, seed = 1 }
  local input = net:population("input", 100, "poisson_generator", { rate = 40 })
  local layer = net:population("layer", 100, "iaf_psc_exp", { tau_syn_ex = 5, tau_syn_in = 5, tau_m = 20, t_ref = 0, I_e = 40 })
  net:connect(input, layer, { rule = "all_to_all" }, { weight = rv.normal(13, 6), delay = 1 })
  return net, "layer"
end

local function balanced()
  local net = rv.network { resolution = 0.5, seed = 1 }
  local lif = { C_m = 200, tau_m = 20, E_L = -49, V_th = -50, V_reset = -60, t_ref = 5, tau_syn_ex = 5, tau_syn_in = 5, V_m = rv.uniform(-60, -50) }
  local E, I = net:population("E", 800, "iaf_psc_exp", lif), net:population("I", 200, "iaf_psc_exp", lif)
  local random = { rule = "pairwise_bernoulli", p = 0.08 }
  net:connect(E, { E, I }, random, { weight = rv.normal(16.2, 4, { min = 1, max = 40 }), delay = 0.5 })
  net:connect(I, { E, I }, random, { weight = rv.normal(-160, 30, { min = -320, max = -20 }), delay = 0.5 })
  return net, "E"
end

local function chain()
  local net = rv.network { resolution = 1, seed = 1 }
  local first, group = {}, {}
  for i = 1, 50 do first[i] = { 10 + i % 3, 110 + i % 3, 210 + i % 3, 310 + i % 3, 410 + i % 3 } end
  group[0] = net:population("start", 50, "spike_generator", { spike_times = first })
  local all = net:population("chain", 1000, "iaf_psc_exp", { tau_syn_ex = 2, tau_m = 10, t_ref = 2 })
  for k = 1, 20 do
    group[k] = all:slice(50 * k - 49, 50 * k)
    net:connect(group[k - 1], group[k], { rule = "fixed_indegree", indegree = 30 }, { weight = rv.lognormal(math.log(140), 0.4), delay = 5 })
  end
  return net, "chain"
end

-- Mean error of the weights, and the change in rate, in %
local function measure(make, bits)
  local net, name = make()
  local _, report = net:quantize(bits == 9 and "loihi2" or "loihi1", { bits = bits, measure = time })
  local sum, n = 0, 0
  for _, p in ipairs(report.projections) do
    if p.weight then sum, n = sum + p.weight, n + 1 end
  end
  local population = report.populations[name]
  return 100 * sum / n, 100 * math.abs(population.rate / population.rate_given - 1), population.rate_given
end

local networks = { { "feed-forward", feed_forward, 2 }, { "balanced", balanced, 1 }, { "chain", chain, 1 } }
local curves, changes = {}, {}
for _, network in ipairs(networks) do
  local label, make, least = table.unpack(network)
  local x, error_of, y, change = {}, {}, {}, {}
  for bits = least, least == 2 and 9 or 8 do
    local e, c, rate = measure(make, bits)
    local k = #x + 1
    x[k], error_of[k], y[k], change[k] = bits, e, math.log(e / 100, 2), c
    print(string.format("%-13s %d bits   weights off by %6.3f %%   rate off by %6.2f %% of %.1f Hz", label, bits, e, c, rate))
    if rv.arg.check == 1 and k > 1 then
      rv.check(e < 0.85 * error_of[k - 1], label .. ": the error of the weights does not fall from " .. bits - 1 .. " to " .. bits .. " bits")
    end
    if rv.arg.check == 1 and bits >= 6 and time >= 500 then rv.check(c < (label == "balanced" and 12 or 2), string.format("%s: rate off by %.1f %% with %d bits", label, c, bits)) end
  end
  curves[#curves + 1] = { label = label, x = x, y = y, x_label = "bits of a weight", y_label = "log2 of the weights' mean error" }
  changes[#changes + 1] = { label = label, x = x, y = change, x_label = "bits of a weight", y_label = "rate off by (%)" }
end
curves[#curves + 1] = { label = "half with every bit", x = { 1, 9 }, y = { -1, -9 }, x_label = "bits of a weight", y_label = "log2 of the weights' mean error" }
table.move(changes, 1, #changes, #curves + 1, curves) -- a panel of its own
if rv.arg.figure then rv.plot(rv.arg.figure, { title = "Weights quantised for Loihi", curves = curves }) end
