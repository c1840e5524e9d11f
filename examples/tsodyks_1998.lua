-- M. Tsodyks, K. Pawelzik & H. Markram: Neural networks with dynamic synapses. Neural Comput 10:821-835, 1998,
-- doi:10.1162/089976698300017502; and M. Tsodyks & H. Markram: The neural code between neocortical pyramidal neurons
-- depends on neurotransmitter release probability. Proc Natl Acad Sci USA 94:719-723, 1997, doi:10.1073/pnas.94.2.719
--
-- Regular trains of different rates r through two synapses (Fig. 1 of 1998): a depressing one between pyramidal neurons
-- and a facilitating one onto an interneuron.
--
-- Expected, of the amplitude of the postsynaptic current when it has become stationary: the closed form A u x with
--   u = U / (1 - (1 - U) exp(-1 / (r tau_fac))),   x = (1 - exp(-1 / (r tau_rec))) / (1 - (1 - u) exp(-1 / (r tau_rec)))
-- and what the papers read from it: above the limiting frequency 1 / (U tau_rec) the depressing synapse transmits the same
-- current per second, A / tau_rec, whatever the rate; the facilitating one is strongest at 1 / sqrt(U tau_fac tau_rec).
--
--   ranvier run tsodyks_1998.lua [time=6000] [check=1] [figure=tsodyks.png] [U=0.5]
local rv = require "ranvier"
local time = rv.arg.time or 6000 -- ms
local delay, tau_syn = 1, 3

local synapses = {
  { name = "depressing", A = 250, U = rv.arg.U or 0.5, tau_rec = 800, tau_fac = 0, tau_m = 40, R = 0.1 },         -- pA, ms, GOhm
  { name = "facilitating", A = 1540, U = 0.03, tau_rec = 130, tau_fac = 530, tau_m = 60, R = 1 },
}
local rates = {}
for r = 2, 30, 2 do rates[#rates + 1] = r end
for r = 35, 100, 5 do rates[#rates + 1] = r end

-- The trains: the intervals in whole steps, so that the closed form is exact.
local interval, trains, last = {}, {}, {}
for i, r in ipairs(rates) do
  interval[i], trains[i] = math.floor(1e4 / r + 0.5) / 10, {}
  for t = 10, time - delay - 5, interval[i] do trains[i][#trains[i] + 1] = t end
  last[i] = (trains[i][#trains[i]] or 0) + delay
end

local net = rv.network { resolution = 0.1 }
local pre = net:population("pre", #rates, "spike_generator", { spike_times = trains })
for _, s in ipairs(synapses) do
  local neuron = { tau_m = s.tau_m, C_m = s.tau_m / s.R, E_L = 0, V_m = 0, V_reset = 0, V_th = 1e4, tau_syn_ex = tau_syn }
  s.post = net:population(s.name, #rates, "iaf_psc_exp", neuron)
  s.J = net:connect(pre, s.post, "one_to_one",
    { weight = s.A, delay = delay, plasticity = "tsodyks", U = s.U, tau_rec = s.tau_rec, tau_fac = s.tau_fac })
end
local probes, potentials, resources = {}, {}, {}
for k, s in ipairs(synapses) do
  probes[k] = net:record(s.post, "I_syn_ex", { interval = 0.1 })
  potentials[k] = net:record(s.post:slice(10, 10), "V_m", { interval = 1 }) -- at 20 Hz
  resources[k] = net:record(s.J, "x", { interval = 1, synapses = { 10 } })
end
net:run(time)

-- The last current of every train: what it adds to what is left of those before it
local amplitude, theory, worst = {}, {}, 0
for k, s in ipairs(synapses) do
  amplitude[k], theory[k] = {}, {}
  for i in ipairs(rates) do
    local I, at = probes[k]:values(i), math.floor(last[i] * 10 + 0.5)
    amplitude[k][i] = at > 1 and #I >= at and I[at] - I[at - 1] * math.exp(-0.1 / tau_syn) or 0
    local E, F = math.exp(-interval[i] / s.tau_rec), s.tau_fac > 0 and math.exp(-interval[i] / s.tau_fac) or 0
    local u = s.U / (1 - (1 - s.U) * F)
    theory[k][i] = s.A * u * (1 - E) / (1 - (1 - u) * E)
    worst = math.max(worst, math.abs(amplitude[k][i] / theory[k][i] - 1))
  end
end

-- Measured against published
local function largest(list)
  local best = 1
  for i, x in ipairs(list) do if x > list[best] then best = i end end
  return rates[best]
end
local limiting = 1e3 / (synapses[1].U * synapses[1].tau_rec)
local peak = 1e3 / math.sqrt(synapses[2].U * synapses[2].tau_fac * synapses[2].tau_rec)
local per_second = {} -- pA Hz; A / tau_rec far above the limiting frequency
for i, r in ipairs(rates) do per_second[i] = amplitude[1][i] * 1e3 / interval[i] / (1e3 * synapses[1].A / synapses[1].tau_rec) end
print "Tsodyks, Pawelzik & Markram 1998"
print(string.format("  %-58s%12s%12s", "", "measured", "published"))
print(string.format("  %-58s%12.3f%12s", string.format("depressing, above %.1f Hz: current r A u x / (A / tau_rec)", limiting), per_second[#rates], "1"))
print(string.format("  %-58s%12d%12.1f", "facilitating: strongest at (Hz)", largest(amplitude[2]), peak))
print(string.format("  largest deviation of a current from the closed form: %.1e", worst))

if rv.arg.check == 1 then
  rv.check(worst < 1e-4, string.format("a current deviates by %.1e from the closed form", worst))
  rv.check(per_second[#rates] > 0.97 and per_second[#rates] < 1.01, string.format("at 100 Hz %.3f of the limit A / tau_rec", per_second[#rates]))
  rv.check(math.abs(largest(amplitude[2]) - peak) <= 3, string.format("strongest at %d Hz, expected %.1f Hz", largest(amplitude[2]), peak))
end
if rv.arg.figure then
  local curves = {}
  local function show(probe, label, y_label) -- the first 1.2 s
    local shown = { x = {}, y = {}, label = label, x_label = "time (ms)", y_label = y_label }
    local t, y = probe:times(), probe:values(1)
    for i = 1, math.min(#t, 1200) do shown.x[i], shown.y[i] = t[i], y[i] end
    curves[#curves + 1] = shown
  end
  for k, s in ipairs(synapses) do show(potentials[k], s.name .. ", 20 Hz", "V_m (mV), " .. s.name) end
  for k, s in ipairs(synapses) do show(resources[k], s.name, "available x") end
  for k, s in ipairs(synapses) do
    curves[#curves + 1] = { x = rates, y = theory[k], label = s.name .. ", closed form", x_label = "rate (Hz)", y_label = "stationary current (pA)" }
    curves[#curves + 1] = { x = rates, y = amplitude[k], label = s.name, points = true, x_label = "rate (Hz)", y_label = "stationary current (pA)" }
  end
  rv.plot(rv.arg.figure, { curves = curves, title = "Depression and facilitation" })
end
