-- E. M. Izhikevich: Simple model of spiking neurons. IEEE Trans Neural Netw 14:1569-1572, 2003,
-- doi:10.1109/TNN.2003.820440
--
-- The network of Fig. 3: 800 excitatory and 200 inhibitory neurons, everyone connected to everyone with random weights,
-- driven by noise ("thalamic input") that is drawn again every millisecond. A random number r makes each neuron a
-- little different: excitatory ones range from regular spiking (r = 0) to chattering (r = 1). Steps of 1 ms with two
-- half steps for V_m, as in the program printed in the paper (consistent_integration = 0).
--
-- Expected. The paper: mean rates around 8 Hz, and rhythms in the alpha and gamma range, "10 and 40 Hz". The program of
-- the paper, translated apart from Ranvier and run for 1 to 4 s with five seeds: excitatory neurons 7.2 to 7.9 Hz,
-- inhibitory ones 6.6 to 7.7 Hz, the highest peak of the spectrum at 8 Hz and a broad second one at 24 to 36 Hz.
--
--   ranvier run izhikevich_2003.lua [time=1000] [check=1] [figure=izhikevich.png]
local rv = require "ranvier"
local spectrum = require "spectrum"
local time = rv.arg.time or 1000 -- ms

local net = rv.network { resolution = 1, seed = 1 }

local excitatory = { a = 0.02, b = 0.2, c = {}, d = {}, V_m = -65, U_m = -13, consistent_integration = 0 }
for i = 1, 800 do
  local r = math.random()
  excitatory.c[i], excitatory.d[i] = -65 + 15 * r ^ 2, 8 - 6 * r ^ 2
end
local inhibitory = { a = {}, b = {}, c = -65, d = 2, V_m = -65, U_m = {}, consistent_integration = 0 }
for i = 1, 200 do
  local r = math.random()
  inhibitory.a[i], inhibitory.b[i] = 0.02 + 0.08 * r, 0.25 - 0.05 * r
  inhibitory.U_m[i] = -65 * inhibitory.b[i]
end
local E = net:population("E", 800, "izhikevich", excitatory)
local I = net:population("I", 200, "izhikevich", inhibitory)

local w = 0.5 * (rv.arg.scale or 1) -- mV/ms, the strongest excitatory synapse
net:connect(E, { E, I }, "all_to_all", { weight = rv.uniform(0, w), delay = 1 })
net:connect(I, { E, I }, "all_to_all", { weight = rv.uniform(-1, 0), delay = 1 })
net:noise(E, { std = 5, dt = 1 })
net:noise(I, { std = 2, dt = 1 })

net:record({ E, I }, "spikes")
local activity = net:record(E, "rate", { bin = 1 })
net:run(time)

-- The two rhythms
local rates = activity:values(1)
local alpha, alpha_power = spectrum.peak(rates, 1, { low = 4, high = 16, step = 1, window = 500 })
local gamma, gamma_power = spectrum.peak(rates, 1, { low = 20, high = 60, step = 1, window = 500 })
local fast = spectrum.power(rates, 1, 100, 500)
print "Izhikevich 2003, Fig. 3"
print(string.format("  excitatory neurons %5.2f Hz, inhibitory ones %5.2f Hz; expected about 8 Hz", E:rate(), I:rate()))
print(string.format("  alpha: %d Hz, expected about 10 Hz; power %.0f times that at 100 Hz", alpha, alpha_power / fast))
print(string.format("  gamma: %d Hz, expected about 40 Hz; power %.0f times that at 100 Hz", gamma, gamma_power / fast))

if rv.arg.check == 1 then
  rv.check(time >= 1000, "check=1 needs time=1000 or more")
  rv.check(math.abs(E:rate() - 7.5) < 1, string.format("excitatory rate %.2f Hz, expected 7.5 +- 1 Hz", E:rate()))
  rv.check(math.abs(I:rate() - 7.1) < 1, string.format("inhibitory rate %.2f Hz, expected 7.1 +- 1 Hz", I:rate()))
  rv.check(math.abs(alpha - 9) <= 4, "alpha rhythm at " .. alpha .. " Hz, expected 9 +- 4 Hz")
  rv.check(math.abs(gamma - 34) <= 14, "gamma rhythm at " .. gamma .. " Hz, expected 34 +- 14 Hz")
  rv.check(alpha_power > 10 * fast and gamma_power > 5 * fast, "the rhythms do not stand out of the spectrum")
end
if rv.arg.figure then net:plot(rv.arg.figure, { title = "Izhikevich 2003", panels = { "raster", "rate" }, bin = 5 }) end
