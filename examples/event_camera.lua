-- An event camera looks at a turning bar, and a layer of neurons says where its edges are.
--
-- A pixel of such a camera sends an event whenever it grew brighter (ON) or darker (OFF) by a set amount: P. Lichtsteiner,
-- C. Posch & T. Delbruck: A 128 x 128 120 dB 15 us latency asynchronous temporal contrast vision sensor. IEEE J
-- Solid-State Circuits 43:566-576, 2008, doi:10.1109/JSSC.2007.914337. Here the scene is computed: a bright bar turning
-- about the middle, with soft edges, and a little noise; its logarithmic brightness is followed pixel by pixel.
--
-- Every neuron of the layer `edges` sees a patch of 4 x 4 pixels (ON and OFF alike) and fires when several of them speak
-- within a few ms: the moving edges pass, single events of noise do not.
--
-- Expected: the turning bar's edge passes every pixel within its radius twice per half turn, so that events come evenly in
-- time; nearly all spikes of the layer come from patches that the bar's edges touch.
--
--   ranvier run event_camera.lua --live          C shows the camera's image
--   ranvier run event_camera.lua [time=1000] [size=64] [check=1] [figure=camera.png] --out camera.h5
--   ranvier view camera.h5
--
-- With recording=FILE the layer looks at a recording of a real camera instead (AEDAT 2.0, 3.1, 4.0, Event Stream, N-MNIST), put on
-- size x size pixels; time and the middle of the picture are then the recording's:
--   ranvier run event_camera.lua recording=bar.aedat4 [from=0] [time=1000] --live
local rv = require "ranvier"
local size = rv.arg.size or 64       -- pixels, a multiple of 4
local duration = rv.arg.time or 1000 -- ms
local turn, frame = 500, 1           -- ms: one revolution; between two looks at the scene
local threshold = 0.25               -- change of log brightness per event
local noise_rate = 1                 -- Hz per pixel and polarity
local patch = 4
local half = size / 2
local length, width = 0.42 * size, 0.05 * size

local net = rv.network { resolution = 0.1, seed = rv.arg.seed or 1 }

local function log_brightness(x, y, t)
  local angle = 2 * math.pi * t / turn
  local along = math.abs(x * math.cos(angle) + y * math.sin(angle))
  local across = math.abs(-x * math.sin(angle) + y * math.cos(angle))
  local inside = math.min(1, math.max(0, width + 0.5 - across)) * math.min(1, math.max(0, length + 0.5 - along))
  return math.log(0.2 + 0.8 * inside)
end

local events, n_events, far = {}, 0, 0

if rv.arg.recording then
  local from = rv.arg.from or 0
  local seen = rv.read_events(rv.arg.recording, { from = from, to = from + duration, columns = size, rows = size })
  print(seen.summary)
  if seen.warning then print(seen.warning) end
  events, n_events = seen.times, seen.count
end

-- neuron = (polarity * size + row) * size + column + 1; ON first, row 0 on top
local function add(polarity, column, row, t)
  local list = events[(polarity * size + row) * size + column + 1]
  t = math.floor(10 * t + 0.5) / 10
  if t > 0 and t < duration and t ~= list[#list] then list[#list + 1], n_events = t, n_events + 1 end
end
for i = 1, rv.arg.recording and 0 or 2 * size * size do events[i] = {} end
for row = 0, rv.arg.recording and -1 or size - 1 do
  for column = 0, size - 1 do
    local x, y = column + 0.5 - half, row + 0.5 - half
    local level = log_brightness(x, y, 0)
    local reach = x * x + y * y < (length + width + 2) ^ 2 -- the bar never comes further
    for t = frame, reach and duration or 0, frame do
      local now = log_brightness(x, y, t)
      local polarity, step = 0, threshold
      if now < level then polarity, step = 1, -threshold end
      local n = (now - level) // step -- several events of one look are spread over it
      for k = 1, n do add(polarity, column, row, t - frame * (n - k) / n) end
      level = level + n * step
    end
  end
end
for i = 1, rv.arg.recording and 0 or 2 * size * size do -- noise, merged in
  local list = events[i]
  for _ = 1, noise_rate * duration / 1000 + math.random() do list[#list + 1], n_events = 0.1 * math.random(10 * duration - 1), n_events + 1 end
  table.sort(list)
  for k = #list, 2, -1 do
    if list[k] == list[k - 1] then table.remove(list, k) end
  end
end

local camera = net:population("camera", { size, size, 2 }, "spike_generator", { spike_times = events })
local side = size // patch
local edges = net:population("edges", { side, side }, "iaf_psc_exp", {
  C_m = 100, tau_m = 5, E_L = 0, V_th = 10, V_reset = 0, V_m = 0, t_ref = 2, tau_syn_ex = 1,
})
local sources, targets = {}, {}
for i = 0, 2 * size * size - 1 do
  local column, row = i % size, i // size % size
  sources[#sources + 1], targets[#targets + 1] = i + 1, row // patch * side + column // patch + 1
end
net:connect(camera, edges, { rule = "list", sources = sources, targets = targets }, { weight = 400, delay = 0.1 })
local inhibition = net:dc(edges, { amplitude = 0 })
net:knob("inhibition (pA)", 0, 500, 0, function(x) inhibition:set("amplitude", -x) end)

net:record({ camera, edges }, "spikes")
net:run(duration)

-- How many spikes of the layer come from patches the bar reaches?
local _, neurons = edges:spikes()
for _, i in ipairs(neurons) do
  local x, y = ((i - 1) % side + 0.5) * patch - half, ((i - 1) // side + 0.5) * patch - half
  if math.sqrt(x * x + y * y) > length + width + patch then far = far + 1 end
end
print(string.format("%d events, %.0f a second and pixel; %d spikes of edges", camera:count(), camera:count() / (size * size) / duration * 1000, edges:count()))
if not rv.arg.recording then print(string.format("%d of them out of the bar's reach", far)) end
if rv.arg.check == 1 and rv.arg.recording then
  rv.check(camera:count() == n_events, camera:count() .. " spikes of the camera, expected the " .. n_events .. " events of the recording")
elseif rv.arg.check == 1 then
  rv.check(edges:count() > 100, edges:count() .. " spikes of edges, expected more than 100")
  rv.check(far < 0.01 * edges:count(), far .. " spikes out of the bar's reach, expected less than 1 %")
end
if rv.arg.figure then net:plot(rv.arg.figure) end
