-- A small network whose files the fuzzers begin with: two populations, spikes, a state, a rate.
local rv = require "ranvier"
local net = rv.network { seed = 1, threads = 1 }
local input = net:population("input", 4, "spike_generator", { spike_times = { { 1, 3 }, { 2 }, { 2, 4 }, { 5 } } })
local layer = net:population("layer", 3, "iaf_psc_delta", { tau_m = 10, C_m = 10, E_L = 0, V_th = 1, V_reset = 0, V_m = 0, t_ref = 0 })
net:connect(input, layer, { rule = "all_to_all" }, { weight = 0.7, delay = 0.1 })
net:record({ input, layer }, "spikes")
net:record(layer, "V_m", { interval = 1 })
net:record(layer, "rate", { bin = 1 })
net:run(rv.arg.time or 6)
