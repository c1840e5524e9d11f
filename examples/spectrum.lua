-- The power spectrum of a population's activity and its highest peak, for brunel_2000.lua and izhikevich_2003.lua.
--
-- Welch 1967, doi:10.1109/TAU.1967.1161901: the activity x is cut into half-overlapping windows, each of them is
-- weighted with a Hann window h, and their power is averaged:  P(f) = < |sum_k h_k (x_k - mean) exp(-2 pi i f t_k)|^2 >
local spectrum = {}

-- Power at frequency f (Hz) of the samples x, one every dt ms, in windows of `window` ms.
function spectrum.power(x, dt, f, window)
  local length = math.min(window // dt, #x)
  local step = 2e-3 * math.pi * f * dt -- phase per sample
  local total, windows = 0, 0
  for start = 1, #x - length + 1, math.max(1, length // 2) do
    local mean, re, im = 0, 0, 0
    for k = start, start + length - 1 do mean = mean + x[k] / length end
    for k = 0, length - 1 do
      local y = (0.5 - 0.5 * math.cos(2 * math.pi * k / length)) * (x[start + k] - mean)
      re, im = re + y * math.cos(k * step), im + y * math.sin(k * step)
    end
    total, windows = total + re * re + im * im, windows + 1
  end
  return total / windows
end

-- The frequency (Hz) with the most power among low, low + step, ... high, and that power.
-- range = { low =, high =, step = (Hz), window = (ms) }
function spectrum.peak(x, dt, range)
  local best_f, best = range.low, -1
  for f = range.low, range.high, range.step do
    local power = spectrum.power(x, dt, f, range.window)
    if power > best then best_f, best = f, power end
  end
  return best_f, best
end

return spectrum
