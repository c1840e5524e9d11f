-- N. Brunel: Dynamics of sparsely connected networks of excitatory and inhibitory spiking neurons.
-- J Comput Neurosci 8:183-208, 2000, doi:10.1023/A:1008925309027
--
-- 10 000 excitatory and 2 500 inhibitory integrate-and-fire neurons, each with 1 000 + 250 random inputs of 0.1 mV and
-- -g 0.1 mV, driven by Poisson spikes. What the network does depends on the inhibition g and on the drive nu_ext, given
-- relative to nu_thr, the one that suffices to reach threshold. The four examples of Fig. 8:
--
--   regime=SR      A  g = 3    nu_ext/nu_thr = 2    synchronous regular: nearly all neurons in step, at a high rate
--   regime=SIfast  B  g = 6    nu_ext/nu_thr = 4    synchronous irregular: fast global rhythm, neurons fire now and then
--   regime=AI      C  g = 5    nu_ext/nu_thr = 2    asynchronous irregular (this one if nothing is said)
--   regime=SIslow  D  g = 4.5  nu_ext/nu_thr = 0.9  synchronous irregular: slow rhythm, very low rates
--
-- Expected. Table 1 of the paper: rate of the neurons in its simulations 60.7, 37.7, 5.5 Hz (B, C, D), global frequency
-- 180 and 22 Hz (B, D); mean-field theory 55.8, 38.0, 6.5 Hz. The theory (its Eq. 21) is solved again below and gives
-- the paper's values; for A, which the table leaves out, it gives 327 Hz.
--
--   ranvier run brunel_2000.lua [regime=AI] [time=1000] [check=1] [figure=brunel.png]
--   ranvier run brunel_2000.lua time=60000 --live
local rv = require "ranvier"
local spectrum = require "spectrum"

local regimes = { -- rate and frequency (Hz) are those of the paper's simulations
  SR     = { name = "synchronous regular", g = 3, drive = 2, tolerance = 0.1 },
  SIfast = { name = "synchronous irregular, fast", g = 6, drive = 4, rate = 60.7, frequency = 180, tolerance = 0.1 },
  AI     = { name = "asynchronous irregular", g = 5, drive = 2, rate = 37.7, tolerance = 0.1 },
  SIslow = { name = "synchronous irregular, slow", g = 4.5, drive = 0.9, rate = 5.5, frequency = 22, tolerance = 0.3 },
}
local letter = rv.arg.regime or "AI"
local regime = regimes[letter] or error("regime=" .. letter .. ": there are SR, SIfast, AI and SIslow", 0)
local time = rv.arg.time or 1000        -- ms
local g, J = rv.arg.g or regime.g, 0.1  -- J in mV
local tau, theta, V_r, t_ref = 20, 20, 10, 2
local C_E, C_I = 1000, 250
local nu_ext = regime.drive * 1e3 * theta / (J * tau) -- Hz, all external synapses of a neuron together

-- The network
local net = rv.network { resolution = 0.1, seed = 1 }
local lif = { C_m = 1, tau_m = tau, E_L = 0, V_th = theta, V_reset = V_r, t_ref = t_ref, V_m = rv.uniform(0, theta) }
local E = net:population("E", 10 * C_E, "iaf_psc_delta", lif)
local I = net:population("I", 10 * C_I, "iaf_psc_delta", lif)

net:connect(E, { E, I }, { rule = "fixed_indegree", indegree = C_E }, { weight = J, delay = 1.5 })
net:connect(I, { E, I }, { rule = "fixed_indegree", indegree = C_I }, { weight = -g * J, delay = 1.5 })
local background = net:poisson({ E, I }, { rate = nu_ext, weight = J })
net:knob("background (Hz)", 0, 2 * nu_ext, nu_ext, function(rate) background:set("rate", rate) end) -- with --live

net:record({ E, I }, "spikes")
local activity = net:record(E, "rate", { bin = 0.5 }) -- the paper's global activity
net:run(time)

-- Mean-field theory: input of mean mu and standard deviation sigma makes a neuron fire at rate phi (Siegert 1951, in
-- the form of Brunel & Hakim 1999), and that rate nu, through the network, makes mu and sigma.
local function phi(mu, sigma)
  local sum, du = 0, 1e-3
  for k = 0, 8000 do
    local u = (k + 0.5) * du
    local above, below = 2 * u * (theta - mu) / sigma, 2 * u * (V_r - mu) / sigma
    sum = sum + math.exp(-u * u) * (math.exp(above) - math.exp(below)) / u * du
  end
  return 1e3 / (t_ref + tau * sum) -- Hz
end
local function theory()
  local low, high = 0, 1e3 / t_ref
  for _ = 1, 40 do
    local nu = (low + high) / 2
    local mu = 1e-3 * tau * J * (nu_ext + nu * (C_E - C_I * g))
    local sigma = math.sqrt(1e-3 * tau * J ^ 2 * (nu_ext + nu * (C_E + C_I * g ^ 2)))
    if phi(mu, sigma) > nu then low = nu else high = nu end
  end
  return low
end

-- Measured against published
local from = math.min(200, time / 5) -- ms; what comes before is forgotten
local rates = table.move(activity:values(1), 1 + from // 0.5, time // 0.5, 1, {})
local rate, cv, expected = E:rate(from), E:cv(from), theory()
local frequency = spectrum.peak(rates, 0.5, { low = 10, high = 900, step = 2, window = 400 })
local modulation = rv.stats.sd(rates) / rv.stats.mean(rates)
local synchronous, regular = modulation > 0.7, cv < 0.1

local function row(name, format, ...)
  local cells = ""
  for _, x in ipairs { ... } do cells = cells .. string.format("%12s", x and string.format(format, x) or "-") end
  print(string.format("  %-36s", name) .. cells)
end
print(string.format("Brunel 2000, Fig. 8: %s (g = %g, nu_ext/nu_thr = %g)", regime.name, g, regime.drive))
row("", "%s", "measured", "published", "theory")
row("rate of a neuron (Hz)", "%.1f", rate, regime.rate or false, expected)
row("frequency of the global rhythm (Hz)", "%.0f", synchronous and frequency, regime.frequency or false)
row("global activity: sd/mean", "%.2f", modulation)
row("intervals of a neuron: CV", "%.2f", cv)

if rv.arg.check == 1 then
  -- Tolerances: the paper shows one network each. From seed to seed ours vary by 1 % in rate, by 7 % in the slow regime
  -- (whose waves are rare), and by 4 Hz in frequency.
  rv.check(time >= 400, "check=1 needs time=400 or more")
  local published = regime.rate or expected
  rv.check(math.abs(rate / published - 1) < regime.tolerance,
           string.format("rate %.1f Hz, expected %.1f Hz +- %g %%", rate, published, 100 * regime.tolerance))
  rv.check(synchronous == (letter ~= "AI"), string.format("sd/mean of the activity is %.2f, more than 0.7 is synchronous", modulation))
  rv.check(regular == (letter == "SR"), string.format("CV of the intervals is %.2f, less than 0.1 is regular", cv))
  if regime.frequency then
    rv.check(math.abs(frequency - regime.frequency) <= 12,
             string.format("global frequency %.0f Hz, expected %.0f +- 12 Hz", frequency, regime.frequency))
  end
end
if rv.arg.figure then
  net:plot(rv.arg.figure, { from = math.max(0, time - 200), to = time, bin = 0.5, title = "Brunel 2000: " .. regime.name })
end
