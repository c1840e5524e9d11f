-- One neuron, one step of current, its membrane potential: the smallest script.
--
-- Expected. The current would hold the membrane at E_L + I tau_m/C_m = -50 mV, 5 mV above threshold, so it fires every
-- t_ref + tau_m ln(20/5) = 2 + 13.86 ms; on the grid of 0.1 ms each interval is 15.9 ms.
--
--   ranvier run hello.lua [time=250] [check=1] [figure=hello.png]
local rv = require "ranvier"
local net = rv.network { resolution = 0.1 } -- ms

local lif = { tau_m = 10, C_m = 250, E_L = -70, V_th = -55, V_reset = -70, t_ref = 2 } -- ms, pF, mV, mV, mV, ms
local neuron = net:population("neuron", 1, "iaf_psc_exp", lif)
net:step(neuron, { times = { 50, 200 }, amplitudes = { rv.arg.current or 500, 0 } }) -- ms, pA
net:record(neuron, "V_m")
net:record(neuron, "spikes")
net:run(rv.arg.time or 250)

for i, t in ipairs(neuron:spikes()) do print(string.format("spike %d at %5.1f ms", i, t)) end
for _, isi in ipairs(neuron:isi()) do
  if rv.arg.check == 1 then rv.check(math.abs(isi - 15.9) < 1e-9, "an interval of " .. isi .. " ms, expected 15.9 ms") end
end
if rv.arg.check == 1 then rv.check(neuron:count() > 1, "no interval to check") end
if rv.arg.figure then net:plot(rv.arg.figure, { panels = "traces", title = "A step of 500 pA from 50 to 200 ms" }) end
