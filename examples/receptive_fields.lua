-- Receptive fields: 20 cells look at a retina of 8 x 8 pixels on which bars flash up, and learn them by spike-timing
-- dependent plasticity. Lateral inhibition lets one cell answer a flash, so that different cells come to stand for
-- different bars. The task is that of
-- P. Földiák: Forming sparse representations by local anti-Hebbian learning. Biol Cybern 64:165-170, 1990,
-- doi:10.1007/BF02331346; spikes and competition solve it as in
-- T. Masquelier, R. Guyonneau & S. J. Thorpe: Competitive STDP-based spike pattern learning. Neural Comput 21:1259-1276,
-- 2009, doi:10.1162/neco.2008.06-08-804.
--
-- Expected: after two minutes every one of the 16 bars has a cell of its own, whose weights from the bar's pixels are
-- near the largest allowed, and those from the pixels of any other bar clearly below.
--
--   ranvier run receptive_fields.lua --live      W shows the fields as they grow; + and - set the pace
--   ranvier run receptive_fields.lua [time=120000] [seed=1] [check=1] [figure=fields.png]
local rv = require "ranvier"
local side, n_cells = 8, 20
local n_bars = 2 * side      -- 1..8 are rows, 9..16 columns
local every, flash = 50, 6   -- ms: a bar every 50 ms; its pixels spike within the 6 ms after it appears
local duration = rv.arg.time or 120000
local wmax = 160             -- pA

local net = rv.network { resolution = 0.1, seed = rv.arg.seed or 1 }

-- The pixels of bar 1..16, numbered as the retina's neurons.
local function pixels(bar)
  local list = {}
  for k = 1, side do
    local column, row = k, bar
    if bar > side then column, row = bar - side, k end
    list[k] = (row - 1) * side + column
  end
  return list
end
local spike_times = {}
for i = 1, side * side do spike_times[i] = {} end
for t = every, duration - every, every do
  for _, i in ipairs(pixels(math.random(n_bars))) do table.insert(spike_times[i], t + 0.1 * math.random(0, 10 * flash)) end
end

local retina = net:population("retina", { side, side }, "spike_generator", { spike_times = spike_times })
local cells = net:population("cells", n_cells, "iaf_psc_exp", {
  C_m = 100, tau_m = 10, E_L = -70, V_th = -55, V_reset = -70, V_m = -70, t_ref = 5, tau_syn_ex = 3, tau_syn_in = 15,
}, { inhibitory = false }) -- the colour of excitatory cells
local fields = net:connect(retina, cells, "all_to_all", {
  weight = rv.uniform(0.55 * wmax, 0.95 * wmax), delay = 1, dendritic_fraction = 0,
  plasticity = "stdp", Wmax = wmax, mu_plus = 0, mu_minus = 0, -- additive
  lambda = 0.03, alpha = 4, tau_plus = 10, tau_minus = 60,     -- what did not help to fire is forgotten
})
net:connect(cells, cells, { rule = "all_to_all", allow_autapses = false }, { weight = -1500, delay = 0.1 })

local noise = net:poisson(cells, { rate = 0, weight = 50 })
net:knob("noise (Hz)", 0, 1000, 0, function(rate) noise:set("rate", rate) end)

net:record({ retina, cells }, "spikes")
net:record(fields, "weights", { interval = math.max(1, duration // 100) })
net:run(duration)

-- How well a cell's weights fit a bar: their mean over its pixels, of the largest.
local w = fields:weights() -- by source, then target
local function fit(cell, bar)
  local sum = 0
  for _, i in ipairs(pixels(bar)) do sum = sum + w[(i - 1) * n_cells + cell] end
  return sum / side / wmax
end
local has_cell, clear = {}, 0
for cell = 1, n_cells do
  local best, second, which = 0, 0, nil
  for bar = 1, n_bars do
    local f = fit(cell, bar)
    if f > best then best, second, which = f, best, bar elseif f > second then second = f end
  end
  if best - second > 0.2 then has_cell[which], clear = true, clear + 1 end
end
local learnt = 0
for _ in pairs(has_cell) do learnt = learnt + 1 end
print(string.format("%d of %d bars have a cell of their own; %d of %d cells stand for one bar", learnt, n_bars, clear, n_cells))

if rv.arg.check == 1 then
  rv.check(learnt == n_bars, learnt .. " bars have a cell of their own, expected " .. n_bars)
end
if rv.arg.figure then net:plot(rv.arg.figure, { from = duration - 2000, to = duration }) end
