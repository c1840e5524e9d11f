-- E. M. Izhikevich: Solving the distal reward problem through linkage of STDP and dopamine signaling.
-- Cereb Cortex 17:2443-2452, 2007, doi:10.1093/cercor/bhl152
--
-- The experiment of Fig. 1: 800 excitatory and 200 inhibitory neurons fire at random. Whenever the neuron `post` fires up to
-- 20 ms after the neuron `pre`, a reward (dopamine) is given, but only 1 to 3 s later, when both have fired many times more,
-- and so have all others. The synapse between them, 0 at first, keeps an eligibility for about a second after each such
-- pair, and the rewards find it there: in the end it is among the strongest few.
--
-- The synapses learn by dc/dt = -c / 1 s + STDP, dw/dt = (0.002 + d) c (per 10 ms, as the program published with the
-- paper has it: ModelDB 84167), a reward adds 0.5 to d, which decays in 200 ms. Here dopamine and its baseline are counted
-- per ms, and the noise is Gaussian with the standard deviation of the paper's uniform one.
--
-- Expected: the synapse comes from 0 to its maximum of 4 mV, which takes the paper an hour, while the mean of all stays low: less
-- than a third of that. A reward is twice the paper's unless it is given, and ten minutes are enough; the paper's experiment is
-- reward=0.5 time=3600000.
--
--   ranvier run izhikevich_2007.lua [time=600000] [reward=1] [seed=1] [check=1] [figure=izhikevich_2007.png]
local rv = require "ranvier"
local time, seed = rv.arg.time or 600000, rv.arg.seed or 1 -- ms
local strongest, coincidence, reward = 4, 20, rv.arg.reward or 1 -- mV, ms, per 10 ms

local net = rv.network { resolution = 1, seed = seed }
local E = net:population("E", 800, "izhikevich", { a = 0.02, b = 0.2, c = -65, d = 8, V_m = -65, U_m = -13, consistent_integration = 0 })
local I = net:population("I", 200, "izhikevich", { a = 0.1, b = 0.2, c = -65, d = 2, V_m = -65, U_m = -13, consistent_integration = 0 })
net:noise({ E, I }, { std = 13 / math.sqrt(12), dt = 1 })

local learning = {
  weight = 1, delay = 1, plasticity = "stdp_reward", A_plus = 0.1, A_minus = 0.15, tau_plus = 20, tau_minus = 20,
  tau_c = 1000, tau_n = 200, b = -0.002 / 10, Wmin = 0, Wmax = strongest,
}
local J = net:connect(E, { E, I }, { rule = "fixed_outdegree", outdegree = 80 }, learning)
net:connect(I, E, { rule = "fixed_outdegree", outdegree = 100 }, { weight = -1, delay = 1 })
E:set("V_m", rv.uniform(-75, -55))

-- The synapse that is to be found: the first of neuron 1
local sources, targets, weights = J[1]:synapses()
local pre, post = sources[1], targets[1]
weights[1] = 0
J[1]:set_weights(weights)
local weight = net:record(J[1], "weights", { interval = 1000, synapses = { 1 } })
local eligibility = net:record(J[1], "c", { interval = 1000, synapses = { 1 } })
net:record(E, "spikes")

-- Once a second we look for coincidences in it: a reward is never due earlier than 1 s later.
local rewards = {}
local function look_back(now)
  local before, after = E:slice(pre, pre):spikes(now - 1000 - coincidence, now), E:slice(post, post):spikes(now - 1000, now)
  for _, t in ipairs(after) do
    local last = -math.huge
    for _, s in ipairs(before) do if s < t then last = s end end
    if t - last < coincidence then
      local due = math.floor(t) + 1000 + math.random(2000)
      rewards[#rewards + 1] = due
      if due > now and due <= time then net:at(due, function() J:reward(reward / 10) end) end
    end
  end
end
net:every(1000, look_back)
net:run(time)

-- Measured against published
local final = J:weights()
local tagged, stronger = J[1]:weights()[1], 0
for _, w in ipairs(final) do if w >= tagged then stronger = stronger + 1 end end
stronger = stronger - 1 -- but for itself
local w = weight:values(1)
local reached = nil
for i, x in ipairs(w) do if x >= 0.9 * strongest then reached = reached or i end end
print "Izhikevich 2007, Fig. 1: a synapse is found by rewards that come 1 to 3 s late"
print(string.format("  %-48s%12s%12s", "", "measured", "published"))
print(string.format("  %-48s%12.2f%12s", "the synapse at the end (mV), at first 0", tagged, "4"))
print(string.format("  %-48s%12.2f%12s", "all synapses, mean (mV), at first 1", rv.stats.mean(final), "low"))
print(string.format("  %-48s%11.2f%%%12s", "synapses that are as strong", 100 * stronger / #final, "few"))
print(string.format("  %-48s%12s%12s", "above 3.6 mV for the first time after (min)", reached and string.format("%.0f", reached / 60) or "-", "< 60"))
print(string.format("  %-48s%12d", "rewards", #rewards))
print(string.format("  %-48s%12.1f", "rate of excitatory neurons (Hz)", E:rate(math.max(0, time - 10000))))

if rv.arg.check == 1 then
  rv.check(time >= 600000, "check=1 needs time=600000 or more")
  rv.check(reached ~= nil, string.format("the synapse has come to %.2f mV, expected %.1f mV within the time", rv.stats.mean(w), strongest))
  rv.check(rv.stats.mean(final) < strongest / 3, string.format("the mean weight is %.2f mV, expected less than %.1f mV", rv.stats.mean(final), strongest / 3))
  rv.check(stronger / #final < 0.1, string.format("%.1f %% of the synapses are as strong, expected less than 10 %%", 100 * stronger / #final))
end
if rv.arg.figure then
  local c, t, marks, bins = eligibility:values(1), {}, { x = {}, y = {} }, 40
  for i = 1, #w do t[i] = i / 60 end
  for i, due in ipairs(rewards) do marks.x[i], marks.y[i] = due / 60000, 0 end
  local counts, centre = rv.stats.histogram(final, 0, strongest, bins), {}
  for i = 1, bins do centre[i], counts[i] = (i - 0.5) * strongest / bins, math.log(1 + counts[i], 10) end
  rv.plot(rv.arg.figure, { title = "Rewards that come late", curves = {
    { x = t, y = w, label = "the synapse", x_label = "time (min)", y_label = "weight (mV)" },
    { x = marks.x, y = marks.y, label = "rewards", points = true, x_label = "time (min)", y_label = "weight (mV)" },
    { x = t, y = c, label = "its eligibility", x_label = "time (min)", y_label = "c" },
    { x = centre, y = counts, label = "all synapses at the end", x_label = "weight (mV)", y_label = "log10 (1 + synapses)" },
  } })
end
