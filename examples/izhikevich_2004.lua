-- E. M. Izhikevich: Which model to use for cortical spiking neurons? IEEE Trans Neural Netw 15:1063-1070, 2004,
-- doi:10.1109/TNN.2004.832719
--
-- The twenty firing patterns of Fig. 1, all of one model with two variables: parameters, initial values, inputs and steps are those
-- of the program published with the paper (figure1.m), with four exceptions. That program computes U with the new V, so its
-- borderline cases lie elsewhere. (I) the pulse lasts 2.8 ms, as it does there by its inequalities; (P) the second pulse comes at 208
-- instead of 216 ms; (Q) b = 0.18 instead of 0.2; (T) d = 0, as in the program's table, instead of -2.
--
-- Three panels have equations of their own. (G) and (L): 0.04 V^2 + 4.1 V + 108 instead of 0.04 V^2 + 5 V + 140; (R): a recovery
-- variable without leak, dU/dt = a b (V + 65). They are izhikevich_2007, which is more general: 0.04 V^2 + 4.1 V + 108 is
-- 0.04 (V + 51.25)^2 + 2.9375, and the missing leak is one of 10^6 ms.
--
-- Expected: the feature that gives each panel its name, as a check on its spikes or its potential.
--
--   ranvier run izhikevich_2004.lua [time=400] [check=1] [figure=patterns.png]
local rv = require "ranvier"

-- ---- inputs: lists of { time, current from then on } ------------------------------------------------------------

local function from(t, I) return { { t, I } } end

-- Pulses { from, to, current } on a base
local function pulses(base, ...)
  local steps = { { 0, base } }
  for _, p in ipairs { ... } do
    steps[#steps + 1], steps[#steps + 2] = { p[1], p[3] }, { p[2], base }
  end
  return steps
end

-- A ramp in steps of 0.25 ms
local function ramp(steps, t1, t2, I1, I2)
  for t = t1, t2 - 0.25, 0.25 do steps[#steps + 1] = { t, I1 + (I2 - I1) * (t - t1) / (t2 - t1) } end
  return steps
end

local function accommodation()
  local steps = ramp({}, 0, 200, 0, 8)
  steps[#steps + 1] = { 200, 0 }
  ramp(steps, 300, 312.5, 0, 4)
  steps[#steps + 1] = { 312.5, 0 }
  return steps
end

-- ---- features: what is expected of the spikes (ms), of V_m, of the intervals --------- -----------------

local function between(spikes, t1, t2)
  local n = 0
  for _, t in ipairs(spikes) do n = n + ((t > t1 and t <= t2) and 1 or 0) end
  return n
end

local function intervals(spikes)
  local x = {}
  for i = 2, #spikes do x[i - 1] = spikes[i] - spikes[i - 1] end
  return x
end

-- Spikes less than 10 ms apart are one burst.
local function bursts(spikes)
  local sizes = {}
  for i, t in ipairs(spikes) do
    if i > 1 and t - spikes[i - 1] < 10 then sizes[#sizes] = sizes[#sizes] + 1 else sizes[#sizes + 1] = 1 end
  end
  return sizes
end

local function alike(x, tolerance) -- all but the first two
  for i = 3, #x do
    if math.abs(x[i] - x[#x]) > tolerance * x[#x] then return false end
  end
  return #x > 3
end

local function lengthen(x)
  for i = 2, #x do
    if x[i] < x[i - 1] - 0.5 then return false end
  end
  return true
end

-- Local maxima of V_m between two times
local function peaks(p, t1, t2)
  local n, V = 0, p.V_m
  for k = 2, #V - 1 do
    if p.t[k] > t1 and p.t[k] < t2 and V[k] > V[k - 1] and V[k] >= V[k + 1] then n = n + 1 end
  end
  return n
end

local function at(p, t) return p.V_m[math.floor(t / (p.step or 0.25) + 0.5)] end

-- ---- the twenty patterns -----------------------------------------------------------------------------------------

local patterns = {
  { "A", "tonic spiking", a = 0.02, b = 0.2, c = -65, d = 6, V = -70, time = 100, input = from(10, 14), bar = 20,
    feature = "equal intervals while the current flows",
    check = function(s) return s[1] > 10 and alike(intervals(s), 0.02) end },
  { "B", "phasic spiking", a = 0.02, b = 0.25, c = -65, d = 6, V = -64, time = 200, input = from(20, 0.5), bar = 20,
    feature = "one spike at the onset",
    check = function(s) return #s == 1 and s[1] > 20 and s[1] < 60 end },
  { "C", "tonic bursting", a = 0.02, b = 0.2, c = -50, d = 2, V = -70, time = 220, input = from(22, 15), bar = 20,
    feature = "bursts of several spikes, again and again",
    check = function(s) local b = bursts(s) return #b >= 3 and b[2] >= 3 and b[3] >= 3 end },
  { "D", "phasic bursting", step = 0.2, a = 0.02, b = 0.25, c = -55, d = 0.05, V = -64, time = 200, input = from(20, 0.6), bar = 20,
    feature = "one burst at the onset",
    check = function(s) local b = bursts(s) return #b == 1 and b[1] >= 3 end },
  { "E", "mixed mode", a = 0.02, b = 0.2, c = -55, d = 4, V = -70, time = 160, input = from(16, 10), bar = 20,
    feature = "a burst at the onset, then single spikes",
    check = function(s) local b = bursts(s) return b[1] >= 2 and #b >= 4 and b[3] == 1 and b[4] == 1 end },
  { "F", "spike frequency adaptation", a = 0.01, b = 0.2, c = -65, d = 8, V = -70, time = 85, input = from(8.5, 30), bar = 20,
    feature = "intervals that become longer",
    check = function(s) local x = intervals(s) return #x >= 5 and lengthen(x) and x[#x] > 1.5 * x[1] end },
  { "G", "class 1 excitable", a = 0.02, b = -0.1, c = -55, d = 6, V = -60, time = 300, input = ramp({}, 30, 300, 0, 20.25), bar = 50,
    class_1 = true, feature = "slow spikes at first, faster and faster with the current",
    check = function(s) local x = intervals(s) return #x >= 5 and x[1] > 20 and x[#x] < 0.6 * x[1] end },
  { "H", "class 2 excitable", a = 0.2, b = 0.26, c = -65, d = 0, V = -64, time = 300,
    input = ramp({ { 0, -0.5 } }, 30, 300, -0.5, 3.55), bar = 50,
    feature = "spikes of a high rate from the first on",
    check = function(s) local x = intervals(s) return #x >= 5 and s[1] > 60 and x[1] < 25 and x[1] < 2.5 * x[#x] end },
  { "I", "spike latency", step = 0.2, a = 0.02, b = 0.2, c = -65, d = 6, V = -70, time = 100, input = pulses(0, { 10.2, 13, 7.04 }), bar = 20,
    feature = "one spike long after the pulse",
    check = function(s) return #s == 1 and s[1] > 20 end },
  { "J", "subthreshold oscillations", a = 0.05, b = 0.26, c = -60, d = 0, V = -62, time = 200, input = pulses(0, { 20, 25, 2 }), bar = 20,
    feature = "one spike, then V_m swings",
    check = function(s, p) return #s == 1 and peaks(p, s[1] + 10, 190) >= 3 end },
  { "K", "resonator", a = 0.1, b = 0.26, c = -60, d = -1, V = -62, time = 400, bar = 20,
    input = pulses(0, { 40, 44, 0.65 }, { 60, 64, 0.65 }, { 280, 284, 0.65 }, { 320, 324, 0.65 }),
    feature = "a spike after pulses 40 ms apart, none after 20 ms",
    check = function(s) return between(s, 0, 280) == 0 and between(s, 320, 400) >= 1 end },
  { "L", "integrator", a = 0.02, b = -0.1, c = -55, d = 6, V = -60, time = 100, bar = 20, class_1 = true,
    input = pulses(0, { 100 / 11, 100 / 11 + 2, 9 }, { 100 / 11 + 5, 100 / 11 + 7, 9 }, { 70, 72, 9 }, { 80, 82, 9 }),
    feature = "a spike after pulses 5 ms apart, none after 10 ms",
    check = function(s) return between(s, 0, 70) == 1 and between(s, 70, 100) == 0 end },
  { "M", "rebound spike", step = 0.2, a = 0.03, b = 0.25, c = -60, d = 4, V = -64, time = 200, input = pulses(0, { 20, 25, -15 }), bar = 20,
    feature = "a spike after inhibition",
    check = function(s) return #s == 1 and s[1] > 25 end },
  { "N", "rebound burst", step = 0.2, a = 0.03, b = 0.25, c = -52, d = 0, V = -64, time = 200, input = pulses(0, { 20, 25, -15 }), bar = 20,
    feature = "a burst after inhibition",
    check = function(s) local b = bursts(s) return s[1] > 25 and b[1] >= 3 end },
  { "O", "threshold variability", a = 0.03, b = 0.25, c = -60, d = 4, V = -64, time = 100, bar = 20,
    input = pulses(0, { 10, 15, 1 }, { 70, 75, -6 }, { 80, 85, 1 }),
    feature = "the same pulse makes a spike only after inhibition",
    check = function(s) return between(s, 0, 70) == 0 and between(s, 80, 100) == 1 end },
  { "P", "bistability", a = 0.1, b = 0.26, c = -60, d = 0, V = -61, time = 300, bar = 50,
    input = pulses(0.24, { 37.5, 42.5, 1.24 }, { 208, 213, 1.24 }),
    feature = "one pulse starts tonic spikes, another one ends them",
    check = function(s) return between(s, 0, 37.5) == 0 and between(s, 37.5, 208) >= 5 and between(s, 220, 300) == 0 end },
  { "Q", "depolarising after-potential", step = 0.1, a = 1, b = 0.18, c = -60, d = -21, V = -70, time = 50, input = pulses(0, { 9, 11, 20 }), bar = 20,
    feature = "after a spike V_m is above rest for a while",
    check = function(s, p) return #s == 1 and at(p, s[1] + 3) > at(p, 8) + 3 and math.abs(at(p, 49) - at(p, 8)) < 2 end },
  { "R", "accommodation", step = 0.5, a = 0.02, b = 1, c = -55, d = 4, V = -65, U = -16, time = 400, input = accommodation(), bar = 50,
    no_leak = true, feature = "a slow ramp makes no spike, a steep one of half the height does",
    check = function(s) return between(s, 0, 300) == 0 and between(s, 300, 330) >= 1 end },
  { "S", "inhibition-induced spiking", step = 0.5, a = -0.02, b = -1, c = -60, d = 8, V = -63.8, time = 350,
    input = pulses(80, { 50, 250, 75 }), bar = 50,
    feature = "spikes while it is inhibited",
    check = function(s) return between(s, 0, 50) == 0 and between(s, 50, 260) >= 3 and between(s, 265, 350) == 0 end },
  { "T", "inhibition-induced bursting", step = 0.5, a = -0.026, b = -1, c = -45, d = 0, V = -63.8, time = 350,
    input = pulses(80, { 50, 250, 75 }), bar = 50,
    feature = "bursts while it is inhibited",
    check = function(s)
      local b = bursts(s)
      return between(s, 0, 50) == 0 and #b >= 2 and b[1] >= 2 and b[2] >= 2 and between(s, 275, 350) == 0
    end },
}

-- ---- running them: each in a network of its own, in the steps of the published program -----------------------------

local function run(p)
  local net = rv.network { resolution = p.step or 0.25 }
  local neuron
  if p.class_1 or p.no_leak then
    local general = { C_m = 1, k = 0.04, V_peak = 30, c = p.c, d = p.d, V_m = p.V, a = p.a, b = p.b }
    if p.class_1 then
      -- U here is the paper's less b V_r
      general.V_r, general.V_t, general.U_m, general.I_e = -51.25, -51.25, p.b * (p.V + 51.25), 2.9375 + 51.25 * p.b
    else
      general.V_r, general.V_t, general.U_m, general.I_e, general.a, general.b = -65, -60, p.U, -16, 1e-6, p.a * p.b / 1e-6
    end
    neuron = net:population(p[1], 1, "izhikevich_2007", general)
  else
    neuron = net:population(p[1], 1, "izhikevich", { a = p.a, b = p.b, c = p.c, d = p.d, V_m = p.V, U_m = p.b * p.V })
  end
  local times, amplitudes = {}, {}
  for i, step in ipairs(p.input) do times[i], amplitudes[i] = step[1], step[2] end
  net:step(neuron, { times = times, amplitudes = amplitudes })
  net:record(neuron, "spikes")
  local V_m = net:record(neuron, "V_m")
  net:run(math.min(p.time, rv.arg.time or 400))
  p.spikes, p.t, p.V_m = neuron:spikes(), V_m:times(), V_m:values(1)
end

print "Izhikevich 2004, Fig. 1"
for _, p in ipairs(patterns) do
  run(p)
  local whole = (rv.arg.time or 400) >= p.time
  local good = whole and p.check(p.spikes, p)
  print(string.format("  (%s) %-30s %2d spikes  %s: %s", p[1], p[2], #p.spikes, good and "yes" or "no ", p.feature))
  if rv.arg.check == 1 then
    rv.check(whole, "check=1 needs time=400 or more")
    rv.check(good, string.format("(%s) %s: expected %s", p[1], p[2], p.feature))
  end
end

if rv.arg.figure then
  local panels = {}
  for i, p in ipairs(patterns) do
    local first = p.input[1]
    local I = { x = { 0 }, y = { first[1] == 0 and first[2] or 0 } } -- the current, as a line with steps
    for _, step in ipairs(p.input) do
      I.x[#I.x + 1], I.y[#I.y + 1] = step[1], I.y[#I.y]
      I.x[#I.x + 1], I.y[#I.y + 1] = step[1], step[2]
    end
    I.x[#I.x + 1], I.y[#I.y + 1] = p.time, I.y[#I.y]
    local V, spike = { x = {}, y = {} }, 1 -- V_m, with the peaks that the reset cuts off, as in the paper
    for k, t in ipairs(p.t) do
      if p.spikes[spike] and p.spikes[spike] <= t then
        V.x[#V.x + 1], V.y[#V.y + 1], spike = t, 30, spike + 1
      end
      V.x[#V.x + 1], V.y[#V.y + 1] = t, p.V_m[k]
    end
    panels[i] = { title = string.format("(%s) %s", p[1], p[2]), bar = p.bar, bar_label = p.bar .. " ms",
                  curves = { V, I } }
  end
  rv.plot(rv.arg.figure, { panels = panels, columns = 4, title = "Izhikevich 2004: twenty firing patterns",
                           note = "Black: V_m, the same scale in all panels, up to the spikes' peaks at 30 mV. Grey: input current, each on its own scale." })
end
