-- Spike-timing dependent plasticity: how a weight changes when a postsynaptic spike follows a presynaptic one after dt.
-- Measured by G. Bi & M. Poo, J Neurosci 18:10464-10472, 1998, doi:10.1523/JNEUROSCI.18-24-10464.1998; this form of it:
-- S. Song, K. D. Miller & L. F. Abbott: Competitive Hebbian learning through spike-timing-dependent synaptic
-- plasticity. Nat Neurosci 3:919-926, 2000, doi:10.1038/78829 (Fig. 1b).
--
-- 41 synapses, each with one presynaptic and one postsynaptic spike, dt = -100 ... 100 ms.
--
-- Expected, the closed form of one pair (weights in units of the largest one), to rounding:
--   dt > 0:  dw =  A_plus  exp(-dt / tau_plus)      A_plus  = 0.005         tau_plus  = 20 ms
--   dt < 0:  dw = -A_minus exp( dt / tau_minus)     A_minus = 1.05 A_plus   tau_minus = 20 ms
-- and nothing for two spikes at the same time.
--
--   ranvier run stdp_window.lua [time=300] [check=1] [figure=stdp.png]
local rv = require "ranvier"
local A_plus, A_minus = 0.005, 0.005 * 1.05
local tau_plus, tau_minus = rv.arg.tau_plus or 20, 20 -- ms
local pairing, delay = 150, 1                         -- ms; when the postsynaptic neurons fire, from where dt counts

-- The pairs. dt is what the synapse sees: it stands at the postsynaptic cell's end of the delay.
local lag, pre_times, post_times = {}, {}, {}
for i = 1, 41 do
  lag[i] = -100 + 5 * (i - 1)
  pre_times[i] = { pairing - lag[i] - delay }
  post_times[i] = { pairing - 1 } -- the stimulus arrives 1 ms later and makes the neuron fire at once
end

local net = rv.network { resolution = 0.1 }
local n = #lag
local pre = net:population("pre", n, "spike_generator", { spike_times = pre_times })
local stimulus = net:population("stimulus", n, "spike_generator", { spike_times = post_times })
local post = net:population("post", n, "iaf_psc_delta", { E_L = 0, V_m = 0, V_th = 20, V_reset = 0 })

net:connect(stimulus, post, "one_to_one", { weight = 100, delay = 1 })
local synapses = net:connect(pre, post, "one_to_one", {
  weight = 0.5, delay = delay, dendritic_fraction = 0, -- the delay is the axon's
  plasticity = "stdp", Wmax = 1, mu_plus = 0, mu_minus = 0, -- additive
  lambda = A_plus, alpha = A_minus / A_plus, tau_plus = tau_plus, tau_minus = tau_minus,
})
net:record(post, "spikes")
net:run(rv.arg.time or 300)

local function window(dt) -- without dendritic delay coincident spikes count as pre before post
  return dt >= 0 and A_plus * math.exp(-dt / 20) or -A_minus * math.exp(dt / 20)
end
local dw, worst = {}, 0
for i, w in ipairs(synapses:weights()) do
  dw[i] = w - 0.5
  worst = math.max(worst, math.abs(dw[i] - window(lag[i])))
end
for _, i in ipairs { 19, 23 } do
  print(string.format("dt = %3g ms: dw = %9.6f, expected %9.6f", lag[i], dw[i], window(lag[i])))
end
print(string.format("largest deviation from the closed form: %.1e", worst))

if rv.arg.check == 1 then
  rv.check(post:count() == n, post:count() .. " postsynaptic spikes, expected " .. n)
  rv.check(worst < 1e-12, string.format("dw deviates by %.1e from the closed form", worst))
end
if rv.arg.figure then
  local theory, measured = { x = {}, y = {} }, { x = lag, y = {}, points = true }
  for t = -100, 100, 0.5 do
    table.insert(theory.x, t)
    table.insert(theory.y, t == 0 and 0 / 0 or 100 * window(t)) -- not a number: the line breaks here
  end
  for i, x in ipairs(dw) do measured.y[i] = 100 * x end
  theory.label, measured.label = "closed form", "measured"
  for _, curve in ipairs { theory, measured } do
    curve.x_label, curve.y_label = "t_post - t_pre (ms)", "weight change (%)"
  end
  rv.plot(rv.arg.figure, { curves = { theory, measured }, title = "One pair of spikes" })
end
