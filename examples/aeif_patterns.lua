-- R. Naud, N. Marcille, C. Clopath & W. Gerstner: Firing patterns in the adaptive exponential integrate-and-fire model.
-- Biol Cybern 99:335-347, 2008, doi:10.1007/s00422-008-0264-7; the neuron: R. Brette & W. Gerstner, J Neurophysiol
-- 94:3637-3642, 2005, doi:10.1152/jn.00686.2005
--
-- One neuron model, eight ways to answer a step of current: what adapts slowly (w, tau_w), how strongly it is coupled to
-- the potential (a) and to spikes (b), and whether a spike ends above or below the threshold (V_reset) decide which.
--
-- Expected, from the paper's Table 1 and its figures:
--   tonic               intervals all alike
--   adapting            intervals grow, little by little
--   initial burst       short intervals, then long ones, all alike
--   bursting            bursts of spikes and long pauses, all alike
--   accelerating        intervals shrink
--   late bursting       a late first spike, then bursts and pauses
--   transient           spikes at the onset, then none
--   irregular           no order in the intervals: none of four is like the one after them. (On the edge: with V_reset 0.5 mV
--                       lower two intervals alternate, 0.2 mV higher three.)
--
--   ranvier run aeif_patterns.lua [time=600] [check=1] [figure=aeif.png]      --timing exact for exact spike times
local rv = require "ranvier"
local time, onset = rv.arg.time or 600, 50 -- ms

--  name                 C_m g_L  E_L    a tau_w   b  V_reset  I (pF, nS, mV, nS, ms, pA, mV, pA); V_th = -50 mV, Delta_T = 2 mV
local patterns = {
  { "tonic",             200, 10, -70,   2,  30,   0, -58, 500 },
  { "adapting",          200, 12, -70,   2, 300,  60, -58, 500 },
  { "initial burst",     130, 18, -58,   4, 150, 120, -50, 400 },
  { "bursting",          200, 10, -58,   2, 120, 100, -46, 210 },
  { "accelerating",      200, 12, -70, -10, 300,   0, -58, 300 },
  { "late bursting",     100, 10, -65, -10,  90,  30, -47, 110 },
  { "transient",         100, 10, -65,  10,  90, 100, -47, 180 },
  { "irregular",         100, 12, -60, -11, 130,  30, -48, 160 },
}

local net = rv.network { resolution = 0.1 }
local neuron = {}
for i, p in ipairs(patterns) do
  local name, C_m, g_L, E_L, a, tau_w, b, V_reset, I = table.unpack(p)
  neuron[i] = net:population(name, 1, "aeif_psc_exp",
    { C_m = C_m, g_L = g_L, E_L = E_L, V_m = E_L, a = a, tau_w = tau_w, b = b, V_reset = V_reset, V_th = -50, Delta_T = 2 })
  net:step(neuron[i], { times = { onset }, amplitudes = { I * (rv.arg.scale or 1) } })
  net:record(neuron[i], "V_m")
  net:record(neuron[i], "spikes")
end
net:run(time)

-- What tells the patterns apart, of the intervals and the first spike after the onset
local function alike(isi, from, to)
  local low, high = math.huge, 0
  for k = from, to do low, high = math.min(low, isi[k]), math.max(high, isi[k]) end
  return to - from >= 3 and high < 1.04 * low
end
local function pauses(isi, factor) -- intervals that are longer than the shortest by a factor
  local long, shortest = {}, math.min(table.unpack(isi))
  for _, x in ipairs(isi) do if x > factor * shortest then long[#long + 1] = x end end
  return long
end
local function monotonic(isi, sign)
  for k = 2, #isi do if sign * (isi[k] - isi[k - 1]) < -0.11 then return false end end -- 0.1 ms: a step of the grid
  return #isi > 5
end
local function bursts(isi)
  local long = pauses(isi, 10)
  return #isi > 5 and #long > 2 and #isi - #long >= #long and math.max(table.unpack(long)) < 1.04 * math.min(table.unpack(long))
end
local function repeats(isi, period)
  local same = 0
  for k = #isi // 2, #isi - period do if math.abs(isi[k] / isi[k + period] - 1) < 0.05 then same = same + 1 end end
  return same > #isi / 8
end
local is = {
  ["tonic"] = function(isi) return alike(isi, 6, #isi) end,
  ["adapting"] = function(isi) return monotonic(isi, 1) and isi[2] < 2 * isi[1] and isi[#isi] > 4 * isi[1] end,
  ["initial burst"] = function(isi) return #isi > 5 and isi[3] > 5 * isi[2] and alike(isi, 4, #isi) end,
  ["bursting"] = function(isi, latency) return bursts(isi) and latency < 20 end,
  ["accelerating"] = function(isi) return monotonic(isi, -1) and isi[#isi] < 0.6 * isi[1] end,
  ["late bursting"] = function(isi, latency) return bursts(isi) and latency > 40 end,
  ["transient"] = function(isi, latency) return latency + (isi[1] or 0) < 100 and #isi < 5 end,
  ["irregular"] = function(isi)
    return #isi > 20 and not (repeats(isi, 1) or repeats(isi, 2) or repeats(isi, 3) or repeats(isi, 4))
  end,
}

print(string.format("%-18s %6s %10s   intervals (ms)", "Naud et al. 2008", "spikes", "first (ms)"))
for i, p in ipairs(patterns) do
  local isi, times, text = neuron[i]:isi(), neuron[i]:spikes(), {}
  local latency = (times[1] or math.huge) - onset
  for k = 1, math.min(8, #isi) do text[k] = string.format("%5.1f", isi[k]) end
  print(string.format("  %-16s %6d %10.1f   %s%s", p[1], #times, latency, table.concat(text, " "), #isi > 8 and " ..." or ""))
  if rv.arg.check == 1 then rv.check(is[p[1]](isi, latency), p[1] .. ": the intervals do not show it") end
end
if rv.arg.figure then net:plot(rv.arg.figure, { panels = "traces", title = "Naud et al. 2008", height = 1000 }) end
