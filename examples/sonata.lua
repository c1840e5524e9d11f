-- A network that other simulators can read: excitation, inhibition and twenty recorded inputs, saved as a SONATA circuit
-- (Dai et al. 2020, doi:10.1371/journal.pcbi.1007696), which bmtk, NEST and libsonata know. The folder sonata/ beside this script
-- was written by it; run the circuit with
--
--   ranvier run examples/sonata/config.json output_dir=/tmp/sonata
--   ranvier info examples/sonata/config.json
--
-- Expected. In 500 ms the script and the circuit give the same spikes: 1083 of E and 259 of I.
--
--   ranvier run sonata.lua [time=500] [check=1] [folder=FOLDER] [figure=sonata.png]
local rv = require "ranvier"
local time = rv.arg.time or 500 -- ms
local net = rv.network { resolution = 0.1, seed = 1 }

local lif = { tau_m = 15, C_m = 250, E_L = -70, V_th = -55, V_reset = -65, t_ref = 2, tau_syn_ex = 3, tau_syn_in = 6 }
local E = net:population("E", 80, "iaf_psc_exp", lif)
local I = net:population("I", 20, "iaf_psc_exp", lif)
E:set("V_m", rv.uniform(-70, -56))
I:set("V_m", rv.uniform(-70, -56))

-- twenty fibres at 20 Hz, each with its own list of spikes
local trains = {}
for fibre = 1, 20 do
  local train, t = {}, 0
  while true do
    t = t - 50 * math.log(1 - math.random())
    if t >= 500 then break end
    train[#train + 1] = t
  end
  trains[fibre] = train
end
local input = net:population("input", 20, "spike_generator", { spike_times = trains })

net:connect(input, { E, I }, { rule = "fixed_indegree", indegree = 10 }, { weight = rv.normal(400, 40), delay = 1.5 })
net:connect(E, { E, I }, { rule = "pairwise_bernoulli", p = 0.1 }, { weight = 60, delay = rv.uniform(1, 3) })
net:connect(I, { E, I }, { rule = "pairwise_bernoulli", p = 0.1 }, { weight = -180, delay = 1 })
if rv.arg.folder then net:save_sonata(rv.arg.folder, { time = time }) end

net:record({ E, I }, "spikes")
net:run(time)
print(string.format("E %d spikes, I %d spikes", E:count(), I:count()))
if rv.arg.check == 1 then
  rv.check(E:count() == 1083 and I:count() == 259, "1083 and 259 spikes are expected")
end
if rv.arg.figure then net:plot(rv.arg.figure) end
