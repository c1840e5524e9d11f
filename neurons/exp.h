/* exp() for sweeps: no branch, no table and no call, so that loops over neurons are vectorised, and the same bits on every
 * instruction set. Within 1.1 ulp from -708.39 to 709.78 (tests/neurons/test_exp.c); subnormal results below that, 0 below
 * -745.14, infinity above 709.79; NaN stays NaN.
 *
 *   x = n ln 2 + r,  |r| <= ln(2) / 2;   exp(x) = 2^n (1 + r + r^2 q(r)),  q the polynomial of degree 9 through the
 *   Chebyshev nodes of (exp(r) - 1 - r) / r^2: off by 1.3e-17 */
#ifndef RV_NEURONS_EXP_H
#define RV_NEURONS_EXP_H

#include <stdint.h>
#include <string.h>

/* Added to a number below 2^51 it rounds it to a whole one, which then stands in the low bits. */
#define EXP_ROUNDER 0x1.8p52

/* 2^n from n + EXP_ROUNDER, for -1023 < n < 1024 */
static inline double exp_power_of_two(double n_and_rounder)
{
    uint64_t bits;
    memcpy(&bits, &n_and_rounder, sizeof bits);
    bits = (bits + 1023) << 52;
    memcpy(&n_and_rounder, &bits, sizeof bits);
    return n_and_rounder;
}

static inline __attribute__((always_inline)) double exponential(double x)
{
    x = x > 710 ? 710 : x; /* NaN passes both */
    x = x < -746 ? -746 : x;
    double n = (x * 0x1.71547652b82fep+0 + EXP_ROUNDER) - EXP_ROUNDER;
    double r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33; /* the first product is exact */
    double r2 = r * r, r4 = r2 * r2;
    double q01 = 0x1.0000000000001p-1 + r * 0x1.5555555555556p-3, q23 = 0x1.5555555553d67p-5 + r * 0x1.11111111109b5p-7,
           q45 = 0x1.6c16c1788a201p-10 + r * 0x1.a01a01a7c30e0p-13, q67 = 0x1.a019b913dbf29p-16 + r * 0x1.71de0db2819d0p-19,
           q89 = 0x1.28917d6bfd692p-22 + r * 0x1.af389fe6457c2p-26;
    double q = (q01 + r2 * q23) + r4 * ((q45 + r2 * q67) + r4 * q89);
    double half = (n * 0.5 + EXP_ROUNDER); /* in two factors, so that subnormal results come out */
    return (1 + (r + r2 * q)) * exp_power_of_two(half) * exp_power_of_two((n - (half - EXP_ROUNDER)) + EXP_ROUNDER);
}

#endif
