-- Oriented edges: an event camera looks at a disc that grows and shrinks, and eight maps of neurons say which way its rim runs.
--
-- The maps are what D. H. Hubel & T. N. Wiesel called simple and complex cells: Receptive fields, binocular interaction and
-- functional architecture in the cat's visual cortex. J Physiol 160:106-154, 1962, doi:10.1113/jphysiol.1962.sp006837. A
-- simple cell has a bar as its receptive field, the same at every place: a convolution of the camera's two sheets (ON and OFF)
-- with eight kernels. Cells of one place and different orientations inhibit each other: a convolution of 1 x 1 with a weight for
-- every pair of maps. A complex cell pools 4 x 4 simple ones of its map: a convolution with groups, stride 4 and one weight. Of the
-- 5.2 million synapses only the 1 488 weights of the kernels are kept.
--
-- Expected: the rim at an angle of a degrees from the middle runs across a; so the map that fires there is the one whose
-- preferred angle is nearest to a, at most 11.25 degrees off; by chance it would be 45 on average.
--
--   ranvier run edges.lua [time=600] [size=64] [check=1] [figure=edges.png]
--   ranvier run edges.lua --live
local rv = require "ranvier"
local size, duration = rv.arg.size or 64, rv.arg.time or 600 -- pixels; ms
local orientations, width, pool = 8, 9, 4
local half = size / 2
local net = rv.network { resolution = 0.5, seed = rv.arg.seed or 1 }

-- ---- the camera: a pixel sends an event when the rim passes, ON on the way out, OFF on the way in ----

local smallest, largest = 0.1 * size, 0.45 * size
local events = {}
for polarity = 0, 1 do
  for row = 0, size - 1 do
    for column = 0, size - 1 do
      local x, y = column + 0.5 - half, row + 0.5 - half
      local way = (math.sqrt(x * x + y * y) - smallest) / (largest - smallest) -- 0 to 1: part of the way out
      local passes = polarity == 0 and way or 2 - way
      local t = math.floor(2 * (passes * duration / 2 + math.random()) + 0.5) / 2 -- and up to 1 ms late
      events[#events + 1] = way > 0 and way < 1 and t > 0 and t < duration and { t } or {}
    end
  end
end
local camera = net:population("camera", { size, size, 2 }, "spike_generator", { spike_times = events })

-- ---- three layers of convolutions ----

-- Across the bar a Gaussian with flanks that make its sum zero, along it a longer one; the same for ON and OFF.
local function bar(angle)
  local kernel, sum, total = {}, 0, 0
  for y = width // 2, -(width // 2), -1 do -- rows run from the top down
    for x = -(width // 2), width // 2 do
      local across, along = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
      local w = (1 - across * across / 2.25) * math.exp(-across * across / 4.5 - along * along / 18)
      kernel[#kernel + 1], sum, total = w, sum + w, total + math.abs(w)
    end
  end
  for k, w in ipairs(kernel) do kernel[k] = (w - sum / #kernel) * 8000 / total end
  return kernel
end

local kernels, among = {}, {}
for o = 0, orientations - 1 do
  local kernel = bar(math.pi * o / orientations)
  for _ = 1, 2 do table.move(kernel, 1, #kernel, #kernels + 1, kernels) end
  for other = 0, orientations - 1 do among[#among + 1] = other == o and 0 or -500 end
end

local cell = { C_m = 100, tau_m = 10, E_L = 0, V_th = 10, V_reset = 0, V_m = 0, t_ref = 2, tau_syn_ex = 2, tau_syn_in = 2 }
local side = size // pool
local simple = net:population("simple", orientations * size * size, "iaf_psc_exp", cell)
local complex = net:population("complex", orientations * side * side, "iaf_psc_exp", cell)

net:connect(camera, simple, { rule = "convolution", shape = { 2, size, size }, kernel = { orientations, 2, width, width }, padding = width // 2 },
  { weight = kernels, delay = 0.5 })
net:connect(simple, simple, { rule = "convolution", shape = { orientations, size, size }, kernel = { orientations, orientations, 1, 1 } },
  { weight = among, delay = 0.5 })
net:connect(simple, complex, { rule = "convolution", shape = { orientations, size, size }, kernel = { orientations, 1, pool, pool }, stride = pool,
  groups = orientations }, { weight = 250, delay = 0.5 })

net:record({ simple, complex }, "spikes")
net:run(duration)

-- ---- which map fired where ----

local function difference(a, b) -- of two orientations, in degrees: 0 to 90
  local d = math.abs(a - b) % 180
  return math.min(d, 180 - d)
end

local found, sum, right = {}, 0, 0
for o = 0, orientations - 1 do found[o] = { x = {}, y = {} } end
local _, neurons = complex:spikes()
for _, i in ipairs(neurons) do
  local o, row, column = (i - 1) // (side * side), (i - 1) // side % side, (i - 1) % side
  local x, y = (column + 0.5) * pool - half, half - (row + 0.5) * pool
  local off = difference(math.deg(math.atan(y, x)), 180 * o / orientations)
  sum, right = sum + off, right + (off < 180 / orientations and 1 or 0)
  table.insert(found[o].x, x + math.random() * pool - pool / 2) -- anywhere in what the cell sees, so that dots do not hide each other
  table.insert(found[o].y, y + math.random() * pool - pool / 2)
end
local n = math.max(1, #neurons)
local off, part = sum / n, right / n
print(string.format("%d spikes of simple, %d of complex cells; their orientation is %.1f degrees off on average, %.0f %% within %.1f degrees", simple:count(), #neurons,
  off, 100 * part, 180 / orientations))
if rv.arg.check == 1 then
  rv.check(#neurons > 200, #neurons .. " spikes of complex cells, expected more than 200")
  rv.check(off < 11.25, string.format("the orientation is %.1f degrees off, expected less than 11.25", off))
end
if rv.arg.figure then
  local curves = {}
  for o = 0, orientations - 1, 2 do -- every other map
    curves[#curves + 1] = { x = found[o].x, y = found[o].y, points = true, label = string.format("%g degrees", 180 * o / orientations),
                            x_label = "x (pixels)", y_label = "y (pixels)" }
  end
  rv.plot(rv.arg.figure, { curves = curves, title = "Where four of the maps fired" })
end
