-- T. C. Potjans & M. Diesmann: The cell-type specific cortical microcircuit: relating structure and activity in a full-scale
-- spiking network model. Cerebral Cortex 24:785-806, 2014, doi:10.1093/cercor/bhs358
--
-- One square millimetre of early sensory cortex: four layers, 77 169 neurons, 0.3 billion synapses, every neuron with its own
-- Poisson background. At full scale it needs 2.1 GB of memory; scale=0.2 is for a first look.
--
--   scale=1     fraction of the neurons
--   k_scale     fraction of the synapses per neuron, as scale if nothing is said; weights are then scaled by 1/sqrt(k_scale) and
--               a constant current makes up for the mean input that is lost (van Albada, Helias & Diesmann 2015)
--
-- Expected. Mean rates, published and in NEST: 0.9 2.9 4.4 5.9 7.5 8.6 1.1 7.8 Hz, from layer 2/3 excitatory to layer 6
-- inhibitory. At scale=0.2 NEST gives 0.6 2.5 4.3 5.5 7.3 8.3 1.0 7.5 Hz.
--
--   ranvier run potjans_diesmann_2014.lua [scale=0.2] [time=1000] [check=1] [figure=column.png]
--   ranvier run potjans_diesmann_2014.lua scale=0.2 time=60000 --live
local rv = require "ranvier"

local scale = rv.arg.scale or 1
local k_scale = rv.arg.k_scale or scale
local time = rv.arg.time or 1000       -- ms
local warm_up = math.min(100, time / 5) -- ms, not counted

-- Table 5 of the paper, and the probabilities of a connection (to, from) in the same order
local names  = { "L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I" }
local sizes  = { 20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948 }
local K_ext  = { 1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100 } -- background synapses, each of 8 Hz
local p = {
  { 0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0,      0.0076, 0 },
  { 0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0,      0.0042, 0 },
  { 0.0077, 0.0059, 0.0497, 0.135,  0.0067, 0.0003, 0.0453, 0 },
  { 0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0,      0.1057, 0 },
  { 0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0 },
  { 0.0548, 0.0269, 0.0257, 0.0022, 0.06,   0.3158, 0.0086, 0 },
  { 0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252 },
  { 0.0364, 0.001,  0.0034, 0.0005, 0.0277, 0.008,  0.0658, 0.1443 },
}
local full_rates = { 0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829 } -- Hz, of the full network
local V_mean = { -68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43 } -- mV, where the network would settle
local V_sd   = { 5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48 }

local C_m, tau_m, tau_syn, g, background = 250, 10, 0.5, rv.arg.g or -4, 8 -- pF, ms, ms, 1, Hz
-- the current (pA) whose response peaks at 0.15 mV
local ratio = tau_m / tau_syn
local J = 0.15 * C_m * (1 / tau_syn - 1 / tau_m) / (ratio ^ (-tau_syn / (tau_m - tau_syn)) - ratio ^ (-tau_m / (tau_m - tau_syn)))

local function is_excitatory(i) return i % 2 == 1 end
local function weight(to, from) return (is_excitatory(from) and J or g * J) * (to == 1 and from == 3 and 2 or 1) end
local function synapses(to, from) -- multapses included: the number at which the probability of at least one is p
  return math.log(1 - p[to][from]) / math.log(1 - 1 / (sizes[to] * sizes[from]))
end

-- The mean current (pA) that missing synapses would have brought
local function lost_current(to)
  local sum = J * K_ext[to] * background
  for from = 1, 8 do sum = sum + weight(to, from) * synapses(to, from) / sizes[to] * full_rates[from] end
  return 1e-3 * tau_syn * (1 - math.sqrt(k_scale)) * sum
end

local net = rv.network { resolution = 0.1, seed = 55 }
local layers, inputs = {}, {}
for i = 1, 8 do
  layers[i] = net:population(names[i], math.floor(sizes[i] * scale + 0.5), "iaf_psc_exp", {
    C_m = C_m, tau_m = tau_m, E_L = -65, V_th = -50, V_reset = -65, t_ref = 2, tau_syn_ex = tau_syn, tau_syn_in = tau_syn,
    V_m = rv.normal(V_mean[i], V_sd[i]), I_e = lost_current(i),
  })
  inputs[i] = net:poisson(layers[i], { rate = background * K_ext[i] * k_scale, weight = J / math.sqrt(k_scale) })
end

net:knob("background (Hz per synapse)", 0, 2 * background, background, function(rate) -- with --live
  for i = 1, 8 do inputs[i]:set("rate", rate * K_ext[i] * k_scale) end
end)

for to = 1, 8 do
  for from = 1, 8 do
    if p[to][from] > 0 then
      local w, delay = weight(to, from) / math.sqrt(k_scale), is_excitatory(from) and 1.5 or 0.75 -- pA, ms
      local sign_kept = w > 0 and { min = 0, redraw = true } or { max = 0, redraw = true }
      net:connect(layers[from], layers[to],
        { rule = "fixed_total_number", n = math.floor(synapses(to, from) * scale * k_scale + 0.5) },
        { weight = rv.normal(w, 0.1 * math.abs(w), sign_kept), delay = rv.normal(delay, delay / 2, { min = 0.1, redraw = true }) })
    end
  end
end

net:record(layers, "spikes")
net:run(time)

local expected = scale == 0.2 and k_scale == 0.2 and { 0.625, 2.547, 4.335, 5.536, 7.287, 8.3, 1.007, 7.524 } or full_rates
print "        rate (Hz)   expected   CV of intervals"
for i, layer in ipairs(layers) do
  local rate = layer:rate(warm_up)
  print(string.format("%-6s %9.2f %10.2f %14.2f", names[i], rate, expected[i], layer:cv(warm_up)))
  if rv.arg.check == 1 then -- over one second rates vary by a few per cent from seed to seed, in small populations by more
    local tolerance = 0.1 * expected[i] + 0.1
    rv.check(math.abs(rate - expected[i]) < tolerance, string.format("%s: %.2f Hz, expected %.2f +- %.2f Hz", names[i], rate, expected[i], tolerance))
  end
end
if rv.arg.figure then
  net:plot(rv.arg.figure, { from = math.max(0, time - 200), to = time, title = "Potjans & Diesmann 2014" })
end
