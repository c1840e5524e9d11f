#include "viz/coverage.h"

static const double FULL_QUANTILE = 0.99; /* of the covered pixels have less than full colour */
static const double ABOVE_MEAN = 2.5;     /* headroom for bursts where most pixels hold several spikes */

coverage_mark coverage_choose_mark(double pitch, double width, double height, double per_neuron, double n_all)
{
    if (pitch >= 3)
        return (coverage_mark){ .width = fmin(fmax(0.4 * width / fmax(per_neuron, 1), 0.3), 0.8),
                                .height = fmin(0.8 * pitch, 9),
                                .stroke = true };
    double diameter = fmin(fmax(sqrt(width * height / 4 / fmax(n_all, 1)), 0.2), 1.8);
    return (coverage_mark){ .width = diameter, .height = diameter };
}

void coverage_box(coverage_mark mark, double scale, double *width, double *height)
{
    *width = fmax(mark.width * (mark.stroke ? 1 : sqrt(acos(-1) / 4)) * scale, 1);
    *height = fmax(mark.stroke ? mark.height * scale : *width, 1);
}

float coverage_most(const float *covered, size_t n, float most)
{
    for (size_t i = 0; i < n; i++) most = covered[i] > most ? covered[i] : most;
    return most;
}

void coverage_count(coverage_census *census, const float *covered, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (covered[i] < 0.5f) continue;
        float part = covered[i] / census->most;
        census->counts[(int)((part < 1 ? part : 1) * (COVERAGE_LEVELS - 1))]++;
        census->holding++;
        census->sum += covered[i];
    }
}

double coverage_full(const coverage_census *census)
{
    double holding = (double)census->holding, mean = census->sum / fmax(holding, 1);
    double least = fmax(1 + ABOVE_MEAN * (mean - 1), 1);
    size_t below = 0;
    for (int level = 0; level < COVERAGE_LEVELS; level++) {
        below += (size_t)census->counts[level];
        if ((double)below >= FULL_QUANTILE * holding)
            return fmax((level + 1.0) / COVERAGE_LEVELS * census->most, least);
    }
    return census->most;
}

static uint32_t mix(uint32_t background, uint32_t colour, double part)
{
    uint32_t mixed = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        double from = background >> shift & 255, to = colour >> shift & 255;
        mixed |= (uint32_t)lround(from - part * (from - to)) << shift;
    }
    return mixed;
}

/* Linear up to one spike's coverage, so that an edge of a dot is antialiased; logarithmic above. */
static double darkness(double covered, double full)
{
    double one = 1 / (1 + 0.6 * log(full));
    if (covered <= 1) return covered * one;
    return fmin(one + (1 - one) * log(covered) / log(full), 1);
}

void coverage_make_shades(coverage_shades *s, uint32_t colour, uint32_t background, double full)
{
    s->full = full;
    for (int i = 0; i <= COVERAGE_SHADES; i++)
        s->rgb[i] =
            mix(background, colour, darkness(full * i / COVERAGE_SHADES * i / COVERAGE_SHADES, full * (1 + 1e-9)));
}
