#include "viz/colours.h"

#include <math.h>

uint32_t colours_mix(uint32_t from, uint32_t to, double part)
{
    uint32_t mixed = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        double a = from >> shift & 255, b = to >> shift & 255;
        mixed |= (uint32_t)lround(a + part * (b - a)) << shift;
    }
    return mixed;
}

/* The weights of ITU-R BT.709 for red, green and blue. */
bool colours_is_dark(uint32_t rgb)
{
    return 0.2126 * (rgb >> 16 & 255) + 0.7152 * (rgb >> 8 & 255) + 0.0722 * (rgb & 255) < 128;
}

/* A scale of n anchors at equal distances. */
static uint32_t between(const uint32_t *anchors, int n, double x)
{
    double at = fmin(fmax(x, 0), 1) * (n - 1);
    int    k = at < n - 1 ? (int)at : n - 2;
    return colours_mix(anchors[k], anchors[k + 1], at - k);
}

uint32_t colours_scale(bool two_signs, bool dark, double x)
{
    /* in the manner of mako (Waskom 2021, doi:10.21105/joss.03021) */
    static const uint32_t one_light[] = { 0xe4f5e6, 0x9fdcb7, 0x45b7ad, 0x348fa7, 0x37659e, 0x413d7b, 0x2a1c38 };
    static const uint32_t one_dark[] = { 0x221c30, 0x3a3568, 0x37599c, 0x3580a4, 0x38a6ac, 0x78cfae, 0xe4f5e6 };
    /* in the manner of vik and berlin (Crameri 2018, doi:10.5281/zenodo.1243862) */
    static const uint32_t two_light[] = { 0x083272, 0x1e6f9d, 0x71a8c4, 0xc3dae5, 0xf1ece9, 0xe8c7b4, 0xd1926e, 0xb35a29,
                                          0x6d1a04 };
    static const uint32_t two_dark[] = { 0xa8bfff, 0x5f9fdb, 0x3579a0, 0x224c60, 0x252a30, 0x66392a, 0x9c5740, 0xd0806e,
                                         0xffb3ac };
    if (two_signs) return between(dark ? two_dark : two_light, 9, x);
    return between(dark ? one_dark : one_light, 7, x);
}
