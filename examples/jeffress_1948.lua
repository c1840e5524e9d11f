-- Sound localisation: a map of coincidence detectors whose delay lines differ by microseconds reads the direction of a sound from
-- the difference of the times at which it reaches the two ears.
-- L. A. Jeffress: A place theory of sound localization. J Comp Physiol Psychol 41:35-39, 1948, doi:10.1037/h0061495;
-- as in the barn owl: W. Gerstner, R. Kempter, J. L. van Hemmen & H. Wagner: A neuronal learning rule for sub-millisecond temporal
-- coding. Nature 383:76-81, 1996, doi:10.1038/383076a0 (tone of 5 kHz, jitter of phase locking 40 us, membrane 0.1 ms).
--
-- Two ears hear a pure tone of 2 kHz. Of each, 60 fibres fire phase-locked, in every cycle with a probability of 0.3, with a jitter
-- of 40 us. They reach 41 detectors through delay lines: that of the left ear is longer the further right a detector stands, that
-- of the right ear the other way round, in steps of 10 us. A detector fires when the two volleys meet. The sound moves from -90 to 90
-- degrees in steps of 15; the ears are 6 cm apart (a barn owl's): the interaural time difference is 175 us sin(azimuth).
--
-- Expected: each direction has its place, where the difference of the delays is the interaural time difference: the most active
-- stretch of the map lies within 10 us of it (3 degrees, ahead); detectors on the other side fire less than a fifth as much. Delays
-- that differ by a tenth of a step need exact timing.
--
--   ranvier run jeffress_1948.lua [time=3900] [seed=1] [check=1] [figure=jeffress.png]
local rv = require "ranvier"
local n_map, n_fibres, spacing = 41, 60, 0.010     -- detectors; fibres of an ear; ms
local frequency, p_fire, jitter = 2, 0.3, 0.040    -- kHz; of a fibre in a cycle; ms
local widest = 0.06 / 343 * 1000                   -- ms: 6 cm at the speed of sound
local azimuths = {}
for a = -90, 90, 15 do table.insert(azimuths, a) end
local duration = rv.arg.time or 300 * #azimuths
local each = duration / #azimuths                  -- ms for every direction

local net = rv.network { resolution = 0.1, timing = "exact", seed = rv.arg.seed or 1 }

-- Phase-locked fibres: positive azimuths are on the right, and reach the left ear later.
local function normal() return math.sqrt(-2 * math.log(1 - math.random())) * math.cos(2 * math.pi * math.random()) end
local function fibres(side)
  local times = {}
  for k = 1, n_fibres do
    times[k] = {}
    for i, azimuth in ipairs(azimuths) do
      local late = side * 0.5 * widest * math.sin(math.rad(azimuth))
      for cycle = 1, math.floor((each - 2) * frequency) do
        if math.random() < p_fire then
          table.insert(times[k], (i - 1) * each + 1 + cycle / frequency + late + jitter * normal())
        end
      end
    end
    table.sort(times[k])
  end
  return times
end
local left = net:population("left ear", n_fibres, "spike_generator", { spike_times = fibres(1) })
local right = net:population("right ear", n_fibres, "spike_generator", { spike_times = fibres(-1) })

-- One volley has 18 spikes on average: two that coincide reach the threshold, one does not.
local map = net:population("map", n_map, "iaf_psc_delta", {
  C_m = 1, tau_m = 0.1, E_L = 0, V_m = 0, V_reset = 0, V_th = 25, t_ref = 0.2,
})
local middle = (n_map + 1) / 2
for i = 1, n_map do
  local shift = 0.5 * spacing * (i - middle) -- the left line is longer for detectors on the left: they wait for the right ear
  net:connect(left, map:slice(i, i), "all_to_all", { weight = 1, delay = 0.3 - shift })
  net:connect(right, map:slice(i, i), "all_to_all", { weight = 1, delay = 0.3 + shift })
end
net:record(map, "spikes")
net:run(duration)

-- ---- what the map says ---------------------------------------------------------------------------------------------
local counts = {}
for i = 1, #azimuths do
  counts[i] = {}
  for k = 1, n_map do counts[i][k] = 0 end
end
local times, neurons = map:spikes()
for k = 1, #times do
  local i = math.min(#azimuths, 1 + math.floor(times[k] / each))
  counts[i][neurons[k]] = counts[i][neurons[k]] + 1
end
local place_of, worst, contrast = {}, 0, math.huge
print "azimuth   interaural difference   place on the map      rate there"
for i, azimuth in ipairs(azimuths) do
  local itd, sum, weighted, most = 1000 * widest * math.sin(math.rad(azimuth)), 0, 0, 0
  for k = 1, n_map do most = math.max(most, counts[i][k]) end
  for k = 1, n_map do -- the centre of what is above half the highest rate
    local c = math.max(0, counts[i][k] - 0.5 * most)
    sum, weighted = sum + c, weighted + c * 1000 * spacing * (k - middle)
  end
  local place = sum > 0 and weighted / sum or 0 / 0
  local away = math.floor(middle - place / (1000 * spacing) + 0.5) -- as far from the middle on the other side
  if math.abs(itd) > 80 and most > 0 then contrast = math.min(contrast, most / math.max(1, counts[i][math.max(1, math.min(n_map, away))])) end
  place_of[i] = place
  worst = math.max(worst, math.abs(place - itd))
  if place ~= place then worst = math.huge end
  print(string.format("%5d     %7.1f us            %7.1f us         %6.0f Hz", azimuth, itd, place, 1000 * most / each))
end
print(string.format("largest error %.1f us; a detector of the other side fires at most a %.0fth as much", worst, contrast))

if rv.arg.check == 1 then
  rv.check(worst < 10, string.format("the map is wrong by %.1f us, allowed are 10", worst))
  rv.check(contrast > 5, string.format("detectors of the other side fire a %.1fth as much, expected less than a fifth", contrast))
end
if rv.arg.figure then
  local theory, found = { x = {}, y = {}, label = "interaural time difference" }, { x = azimuths, y = place_of, points = true, label = "most active place" }
  for a = -90, 90, 2 do
    table.insert(theory.x, a)
    table.insert(theory.y, 1000 * widest * math.sin(math.rad(a)))
  end
  local curves = { theory, found }
  for _, curve in ipairs(curves) do curve.x_label, curve.y_label = "azimuth (degrees)", "time difference (us)" end
  for _, i in ipairs { 3, 7, 11 } do -- tuning: what the map does for three directions
    local tuning = { x = {}, y = {}, label = azimuths[i] .. " degrees", x_label = "difference of the delays (us)", y_label = "rate (Hz)" }
    for k = 1, n_map do tuning.x[k], tuning.y[k] = 1000 * spacing * (k - middle), 1000 * counts[i][k] / each end
    table.insert(curves, tuning)
  end
  rv.plot(rv.arg.figure, { curves = curves, title = "Jeffress map" })
end
