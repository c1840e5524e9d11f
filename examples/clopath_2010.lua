-- Voltage and spike timing: pairs of spikes 10 ms apart, repeated at 5 to 50 Hz, under the rule of
-- C. Clopath, L. Büsing, E. Vasilaki & W. Gerstner: Connectivity reflects coding: a model of voltage-based STDP with
-- homeostasis. Nat Neurosci 13:344-352, 2010, doi:10.1038/nn.2479 (Fig. 2: the protocol of P. J. Sjöström, G. G. Turrigiano &
-- S. B. Nelson, Neuron 32:1149-1164, 2001, doi:10.1016/S0896-6273(01)00542-6).
--
-- A neuron is made to fire by 80 mV, 10 ms before or after its other input spikes, 5 times (pre before post there is one spike more, at
-- which the weight is read); weights are shown as the paper does: after 75 pairs, in per cent.
--
-- Expected: at low rates only post-before-pre changes the weight, downwards; above 30 Hz both orders strengthen it. At 10, 30 and
-- 50 Hz the numbers of clopath_synapse in NEST (its own test):
--   post before pre   57.8  72.2  149.4 %      pre before post  103.3  124.0  157.0 %
--
--   ranvier run clopath_2010.lua [time=1500] [check=1] [figure=clopath.png]
local rv = require "ranvier"
local net = rv.network { resolution = 0.1 }
local rates = { 5, 10, 15, 20, 25, 30, 35, 40, 45, 50 }
local lag, w0 = 10, 0.5 -- ms, weight

-- Neuron i < = #rates: post before pre at rates[i]; the others pre before post.
local pre_times, post_times = {}, {}
local function tenth(t) return math.floor(10 * t + 0.5) / 10 end
for order = 0, 1 do
  for i, rate in ipairs(rates) do
    local pre, post = {}, {}
    for k = 0, 4 + order do
      local t = 29 + 1000 / rate * (k + order)
      pre[k + 1], post[k + 1] = tenth(t) + 0.1, tenth(t + (order == 0 and -lag or lag))
    end
    pre_times[#pre_times + 1], post_times[#post_times + 1] = pre, post
  end
end

local n = 2 * #rates
local pre = net:population("pre", n, "spike_generator", { spike_times = pre_times })
local told = net:population("stimulus", n, "spike_generator", { spike_times = post_times })
local post = net:population("post", n, "aeif_psc_delta_clopath", { V_m = -70.6, b = 0.0805, V_reset = -49.6 })
net:connect(told, post, "one_to_one", { weight = 80, delay = 0.1 })
local synapses = net:connect(pre, post, "one_to_one", {
  weight = w0, delay = 0.1, plasticity = "stdp_voltage",
  A_LTP = 8e-5, A_LTD = 14e-5, theta_plus = -45.3, theta_minus = -70.6, -- of the visual cortex, Table 1
  tau_u_bar_plus = 7, tau_u_bar_minus = 10, tau_x = 15, delay_u_bars = 4,
})
net:record(post, "spikes")
local V_m = net:record(post:slice(#rates, #rates), "V_m")

-- Each weight is read when its last presynaptic spike has arrived.
local change = {}
for i = 1, n do
  change[i] = 0 / 0 -- not yet
  net:at(pre_times[i][#pre_times[i]] + 0.1, function() change[i] = 100 * 15 * (synapses:weights()[i] - w0) / w0 + 100 end)
end
net:run(rv.arg.time or 1500)

local nest = { [10] = { 57.82638722, 103.30408341 }, [30] = { 72.16730112, 124.03640668 }, [50] = { 149.43359357, 157.02882555 } }
local worst = 0
print("rate     post before pre       pre before post")
for i, rate in ipairs(rates) do
  local a, b, of = change[i], change[#rates + i], nest[rate]
  print(string.format("%2d Hz   %6.1f %%%s   %6.1f %%%s", rate, a, of and string.format(" (%5.1f)", of[1]) or "        ", b, of and string.format(" (%5.1f)", of[2]) or ""))
  if of then worst = math.max(worst, math.abs(a - of[1]), math.abs(b - of[2])) end
end
print("in brackets: NEST")

if rv.arg.check == 1 then
  rv.check(worst < 0.5, string.format("the weights deviate by up to %.2f %% from NEST's", worst))
  rv.check(change[2] < 90 and math.abs(change[#rates + 2] - 100) < 10, "at 10 Hz only post before pre should change the weight")
  rv.check(change[#rates] > 110 and change[2 * #rates] > 110, "at 50 Hz both orders should strengthen the weight")
  rv.check(post:count() == 11 * #rates, post:count() .. " spikes, expected " .. 11 * #rates)
end
if rv.arg.figure then
  local function curve(first, label)
    local y = {}
    for i = 1, #rates do y[i] = change[first + i] end
    return { x = rates, y = y, label = label, x_label = "rate of the pairs (Hz)", y_label = "weight after 75 pairs (%)" }
  end
  local marks = { x = { 10, 30, 50, 10, 30, 50 }, y = {}, points = true, label = "NEST", x_label = "rate of the pairs (Hz)", y_label = "weight after 75 pairs (%)" }
  for k, rate in ipairs { 10, 30, 50 } do marks.y[k], marks.y[k + 3] = nest[rate][1], nest[rate][2] end
  rv.plot(rv.arg.figure, { curves = { curve(#rates, "pre before post"), curve(0, "post before pre"), marks }, title = "Frequency of pairing, Clopath et al. 2010" })
end
