-- Polychronisation: a thousand neurons with delays of 1 to 20 ms and spike-timing dependent plasticity organise themselves into
-- groups that fire in time-locked patterns, and their rhythm wanders from delta to gamma.
-- E. M. Izhikevich: Polychronization: computation with spikes. Neural Comput 18:245-282, 2006, doi:10.1162/089976606775093882
--
-- 800 regular spiking neurons, 200 fast spiking ones, a hundred synapses from each; delays 1 to 20 ms (inhibitory: 1 ms), five
-- synapses of each delay. Weights begin at 6 (inhibitory: -5) and stay within 0 to 10 mV. As in the paper
-- pairs of spikes (nearest neighbours) change the derivative of a weight: every second s' <- 0.9 s' and s <- s + 0.01 + s'. Here a second
-- projection counts the pairs. Thalamic input: random neurons get 20 mV, each once a second.
--
-- Expected. At first a rhythm of 2 to 4 Hz; within the first minutes it gives way to irregular firing at a few Hz, and gamma
-- rhythms of 30 to 70 Hz come up. Polychronous groups: some thousand in the whole network, once the weights are at their bounds.
-- Here those that begin with some of the neurons are counted: three strong synapses (above 9.5 mV) of a neuron whose spikes arrive at
-- once; who gets two strong spikes within 2 ms fires, too; a group is a chain of 7 or more.
--
--   ranvier run izhikevich_2006.lua [time=60000] [seed=1] [mothers=10] [check=1] [figure=izhikevich_2006.png]
--   time=1200000 is the paper's 20 minutes; 24 hours are possible
local rv = require "ranvier"
local spectrum = require "spectrum"
local duration = rv.arg.time or 60000
local n_exc, n_inh, fan_out, max_delay, strongest = 800, 200, 100, 20, 10

local net = rv.network { resolution = 1, seed = rv.arg.seed or 1 }
local E = net:population("E", n_exc, "izhikevich", { a = 0.02, d = 8, consistent_integration = 0 })
local I = net:population("I", n_inh, "izhikevich", { a = 0.1, d = 2, consistent_integration = 0 })

-- A hundred different targets of every neuron, none of them itself; five synapses of each delay.
local sources, targets, delays = { { }, { } }, { { }, { } }, { { }, { } }
for j = 1, n_exc do
  local taken = { [j] = true }
  for k = 1, fan_out do
    local i
    repeat i = math.random(n_exc + n_inh) until not taken[i]
    taken[i] = true
    local to = i <= n_exc and 1 or 2
    table.insert(sources[to], j)
    table.insert(targets[to], i <= n_exc and i or i - n_exc)
    table.insert(delays[to], 1 + (k - 1) * max_delay // fan_out)
  end
end
local excitatory, pairs_of = {}, {}
local unit = 1e-9 -- mV: weights that count pairs are too small to matter
for to, target in ipairs { E, I } do
  local list = { rule = "list", sources = sources[to], targets = targets[to] }
  excitatory[to] = net:connect(E, target, list, { weight = rv.uniform(6, 6), delay = delays[to] })
  pairs_of[to] = net:connect(E, target, list, {
    weight = 1000 * unit, delay = delays[to], dendritic_fraction = 0, -- delays are axonal
    plasticity = "stdp", pairing = "nn_symm", Wmax = 2000 * unit, mu_plus = 0, mu_minus = 0,
    lambda = 0.1 / 2000, alpha = 1.2, tau_plus = 20, tau_minus = 20,
  })
end
net:connect(I, E, { rule = "fixed_outdegree", outdegree = fan_out, allow_multapses = false }, { weight = -5, delay = 1 })
net:poisson({ E, I }, { rate = 1, weight = 20 }) -- thalamic input


local derivative = { {}, {} } -- s', in the order of the synapses, which is the same in both projections
for to = 1, 2 do
  for k = 1, #sources[to] do derivative[to][k] = 0 end
end
net:every(1000, function()
  for to = 1, 2 do
    local s, d, w = excitatory[to]:weights(), derivative[to], pairs_of[to]:weights()
    for k = 1, #s do
      d[k] = 0.9 * (d[k] + w[k] / unit - 1000)
      s[k] = math.min(strongest, math.max(0, s[k] + 0.01 + d[k]))
    end
    excitatory[to]:set_weights(s)
    pairs_of[to]:set_weights(1000 * unit)
  end
end)

net:record({ E, I }, "spikes")
local activity = net:record(E, "rate", { bin = 1 })
net:run(duration)

-- ---- rhythms -------------------------------------------------------------------------------------------------------
local rates = activity:values(1)
local second = math.min(10000, duration // 2) -- ms at the beginning and at the end that are looked at
local function part(from)
  local x = table.move(rates, from + 1, from + second, 1, {})
  local delta, delta_power = spectrum.peak(x, 1, { low = 1, high = 10, step = 1, window = 1000 })
  local gamma, gamma_power = spectrum.peak(x, 1, { low = 25, high = 75, step = 1, window = 1000 })
  local mean = 0
  for _, rate in ipairs(x) do mean = mean + rate / #x end
  return { rate = mean, delta = delta, gamma = gamma, ratio = gamma_power / delta_power }
end
local first, last = part(0), part(duration - second)
print "Izhikevich 2006"
for k, p in ipairs { first, last } do
  print(string.format("  %s %2g s: %4.1f Hz, slow rhythm %d Hz, fast rhythm %d Hz, with %.2f of its power", k == 1 and "first" or " last", second / 1000, p.rate, p.delta, p.gamma, p.ratio))
end

-- ---- polychronous groups -------------------------------------------------------------------------------------------
local out, strong = {}, {} -- of neuron j: strong synapses { target, delay }; of neuron i: { source, delay }
local n_strong, n_weak = 0, 0
for to = 1, 2 do
  local s, t, w, d = excitatory[to]:synapses()
  for k = 1, #w do
    local i = to == 1 and t[k] or t[k] + n_exc
    n_strong, n_weak = n_strong + (w[k] > 9.5 and 1 or 0), n_weak + (w[k] < 0.5 and 1 or 0)
    if w[k] > 9.5 then
      out[s[k]], strong[i] = out[s[k]] or {}, strong[i] or {}
      table.insert(out[s[k]], { i, math.floor(d[k] + 0.5) })
      table.insert(strong[i], { s[k], math.floor(d[k] + 0.5) })
    end
  end
end

-- Who fires, and how long the chain of causes is, when three neurons fire so that their spikes meet in a fourth.
local function longest_chain(three)
  local fired, arrivals, chain = {}, {}, 0
  local function fire(i, t, depth)
    fired[i] = true
    chain = math.max(chain, depth)
    for _, synapse in ipairs(out[i] or {}) do
      local due = t + synapse[2]
      arrivals[due] = arrivals[due] or {}
      table.insert(arrivals[due], { synapse[1], depth })
    end
  end
  for _, synapse in ipairs(three) do fire(synapse[1], max_delay - synapse[2], 1) end
  local before, earlier = {}, {} -- how many spikes arrived a step ago, and two
  for t = 0, 200 do
    local now, count, depth = {}, {}, {}
    for _, a in ipairs(arrivals[t] or {}) do
      now[a[1]] = (now[a[1]] or 0) + 1
      depth[a[1]] = math.max(depth[a[1]] or 0, a[2])
    end
    for i, n in pairs(now) do
      if not fired[i] and n + (before[i] or 0) + (earlier[i] or 0) >= 2 then fire(i, t + 1, depth[i] + 1) end
    end
    before, earlier = now, before
  end
  return chain
end
local groups, triplets, longest = 0, 0, 0
local mothers = math.min(rv.arg.mothers or 10, n_exc)
for i = 1, mothers do
  local s = strong[i] or {}
  for a = 1, #s do
    for b = a + 1, #s do
      for c = b + 1, #s do
        local chain = longest_chain { s[a], s[b], s[c] }
        triplets, longest = triplets + 1, math.max(longest, chain)
        if chain >= 7 then groups = groups + 1 end
      end
    end
  end
end
print(string.format("  weights: %.0f %% below 0.5 mV, %.0f %% above 9.5 mV", 100 * n_weak / (n_exc * fan_out), 100 * n_strong / (n_exc * fan_out)))
print(string.format("  polychronous groups: %d begin with %d of %d neurons (%d triplets), the longest chain has %d neurons", groups, mothers, n_exc, triplets, longest))

if rv.arg.check == 1 then
  rv.check(duration >= 60000, "check=1 needs time=60000 or more")
  rv.check(first.delta >= 1 and first.delta <= 5 and first.ratio < 0.2, string.format("at first the rhythm is %d Hz, expected 2 to 4 Hz", first.delta))
  rv.check(last.ratio > 2 * first.ratio, "gamma has not come up")
  rv.check(last.rate > 1 and last.rate < 12, string.format("neurons fire at %.1f Hz, expected a few", last.rate))
  rv.check(groups > 0, "no polychronous group")
end
if rv.arg.figure then net:plot(rv.arg.figure, { from = duration - 500, to = duration, title = "Izhikevich 2006", panels = { "raster", "rate" }, bin = 5 }) end
