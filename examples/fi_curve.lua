-- How fast a neuron fires when a constant current I flows into it, on a grid and at exact times.
-- L. Lapicque, J Physiol Pathol Gen 9:620-635, 1907; exact times in a simulation with steps: A. Morrison, S. Straube,
-- H. E. Plesser & M. Diesmann, Neural Comput 19:47-79, 2007, doi:10.1162/neco.2007.19.1.47
--
-- On a grid a neuron can only fire at the end of a step, so its intervals are whole steps and the f-I curve becomes a
-- staircase; here the steps are 1 ms to make it visible. With timing = "exact" the threshold crossing is found inside
-- the step, and the length of the steps does not matter.
--
-- Expected, with V_inf = E_L + I tau_m/C_m:  interval = t_ref + tau_m ln((V_inf - V_reset) / (V_inf - V_th)),
-- within 1e-9 ms at exact times, rounded up to a step on the grid.
--
--   ranvier run fi_curve.lua [time=500] [check=1] [figure=fi.png]
local rv = require "ranvier"
local lif = { tau_m = 10, C_m = 250, E_L = -70, V_m = -70, V_th = -55, V_reset = -70, t_ref = 2, I_e = {} }
local interval, n = {}, 40
for i = 1, n do
  lif.I_e[i] = 380 + 30 * i -- pA; 375 pA reach the threshold
  local V_inf = lif.E_L + lif.I_e[i] * lif.tau_m / lif.C_m
  interval[i] = lif.t_ref + lif.tau_m * math.log((V_inf - lif.V_reset) / (V_inf - lif.V_th))
end

-- The first interval of every neuron
local function measure(timing)
  local net = rv.network { resolution = rv.arg.resolution or 1, timing = timing }
  local neurons = net:population(timing, n, "iaf_psc_exp", lif)
  net:record(neurons, "spikes")
  net:run(rv.arg.time or 500)
  local intervals = {}
  for i = 1, n do intervals[i] = neurons:slice(i, i):isi()[1] or 0 / 0 end
  return intervals, net.resolution
end
local exact = measure("exact")
local grid, resolution = measure("grid")

local worst_exact, worst_grid = 0, 0
for i = 1, n do
  worst_exact = math.max(worst_exact, math.abs(exact[i] - interval[i]))
  worst_grid = math.max(worst_grid, math.abs(grid[i] - interval[i]))
  if rv.arg.check == 1 then
    rv.check(math.abs(exact[i] - interval[i]) < 1e-9,
             string.format("I = %g pA: interval %.12g ms, expected %.12g ms", lif.I_e[i], exact[i], interval[i]))
    rv.check(grid[i] > interval[i] - 1e-9 and grid[i] < interval[i] + resolution,
             string.format("I = %g pA: interval %g ms on the grid, expected %.12g ms rounded up", lif.I_e[i], grid[i], interval[i]))
  end
end
print(string.format("intervals of %.1f to %.1f ms, deviation from the closed form:", interval[n], interval[1]))
print(string.format("  exact timing      %.1e ms", worst_exact))
print(string.format("  grid of %g ms      %.1e ms", resolution, worst_grid))

if rv.arg.figure then
  local function curve(label, intervals, points)
    local rate = {}
    for i, x in ipairs(intervals) do rate[i] = 1e3 / x end
    return { label = label, points = points, x = lif.I_e, y = rate, x_label = "I_e (pA)", y_label = "rate (spikes/s)" }
  end
  rv.plot(rv.arg.figure, { title = "f-I curve", curves = {
    curve("closed form", interval),
    curve(string.format("steps of %g ms", resolution), grid, true),
    curve("exact times", exact, true) } })
end
