/* exp() and pow() for loops over neurons and synapses: no branch, no table and no call, so that the loops are vectorised, and
 * the same bits on every instruction set (the C library chooses by the processor, and its results differ in the last place).
 *
 * exponential(x): within 1.1 ulp from -708.39 to 709.78 (tests/sim/test_exp.c); subnormal results below that, 0 below
 * -745.14, infinity above 709.79; NaN stays NaN.
 *
 *   x = n ln 2 + r,  |r| <= ln(2) / 2;   exp(x) = 2^n (1 + r + r^2 q(r)),  q the polynomial of degree 9 through the
 *   Chebyshev nodes of (exp(r) - 1 - r) / r^2: off by 1.3e-17
 *
 * power(x, mu), x and mu not negative and finite: within 4e-16 of x^mu, relative, for mu up to 1; within 1e-15 for mu up to 10.
 *
 *   x = 2^k m,  m from sqrt(1/2) to sqrt(2);   x^mu = 2^round(mu k) exp(ln(2) (mu k - round(mu k)) + mu ln(m))
 *
 * mu k is formed without loss from the two halves of mu. ln(m) = 2 artanh(s), s = f / (2 + f), f = m - 1, in the form of
 * fdlibm's log(), which keeps the rounding of s out of the leading term; its polynomial of degree 6 goes through the Chebyshev
 * nodes: off by 1.6e-18 */
#ifndef RV_SIM_EXP_H
#define RV_SIM_EXP_H

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

/* exp(x) = 2^n times what is returned, n whole; |x| < 2^50 */
static inline __attribute__((always_inline)) double exp_significand(double x, double *n)
{
    *n = (x * 0x1.71547652b82fep+0 + EXP_ROUNDER) - EXP_ROUNDER;
    double r = (x - *n * 0x1.62e42feep-1) - *n * 0x1.a39ef35793c76p-33; /* the first product is exact */
    double r2 = r * r, r4 = r2 * r2;
    double q01 = 0x1.0000000000001p-1 + r * 0x1.5555555555556p-3, q23 = 0x1.5555555553d67p-5 + r * 0x1.11111111109b5p-7,
           q45 = 0x1.6c16c1788a201p-10 + r * 0x1.a01a01a7c30e0p-13, q67 = 0x1.a019b913dbf29p-16 + r * 0x1.71de0db2819d0p-19,
           q89 = 0x1.28917d6bfd692p-22 + r * 0x1.af389fe6457c2p-26;
    double q = (q01 + r2 * q23) + r4 * ((q45 + r2 * q67) + r4 * q89);
    return 1 + (r + r2 * q);
}

/* 2^n y, |n| < 2046; in two factors, so that subnormal results come out */
static inline __attribute__((always_inline)) double exp_scaled(double y, double n)
{
    double half = n * 0.5 + EXP_ROUNDER;
    return y * exp_power_of_two(half) * exp_power_of_two((n - (half - EXP_ROUNDER)) + EXP_ROUNDER);
}

static inline __attribute__((always_inline)) double exponential(double x)
{
    double n;
    x = x > 710 ? 710 : x; /* NaN passes both */
    x = x < -746 ? -746 : x;
    double y = exp_significand(x, &n);
    return exp_scaled(y, n);
}

/** x^mu; 1 for mu = 0, 0 for x = 0 and mu > 0, infinity where it is too large. */
static inline __attribute__((always_inline)) double power(double x, double mu)
{
    const uint64_t one = 0x3ff0000000000000u, root_half = 0x3fe6a09e667f3bcdu, exponent_bits = 0xfff0000000000000u;
    double         scaled = x < 0x1p-1022 ? x * 0x1p54 : x, shift = x < 0x1p-1022 ? 54 : 0, k, m, mu_high;
    uint64_t       bits, up;
    memcpy(&bits, &scaled, sizeof bits);
    up = bits + (one - root_half); /* its exponent is k + 1023 */
    uint64_t k_bits = up >> 52 | 0x4330000000000000u, m_bits = bits - (up & exponent_bits) + one;
    memcpy(&k, &k_bits, sizeof k);
    memcpy(&m, &m_bits, sizeof m);
    k = k - (0x1p52 + 1023) - shift;
    double f = m - 1, s = f / (2 + f), z = s * s, z2 = z * z, half_square = 0.5 * f * f;
    double q = ((0x1.5555555555558p-1 + z * 0x1.99999999952e2p-2) + z2 * (0x1.2492492df148dp-2 + z * 0x1.c71c62e5800a1p-3)) +
               z2 * z2 * ((0x1.7462b4ab2ef6bp-3 + z * 0x1.39fe606542ddep-3) + z2 * 0x1.2b584aae78a57p-3);
    double log_m = f - (half_square - s * (half_square + z * q));
    memcpy(&bits, &mu, sizeof bits);
    bits &= 0xfffffffff8000000u;
    memcpy(&mu_high, &bits, sizeof mu_high);
    double whole = (mu_high * k + EXP_ROUNDER) - EXP_ROUNDER, part = (mu_high * k - whole) + (mu - mu_high) * k;
    double n, y = exp_significand(part * 0x1.62e42fefa39efp-1 + mu * log_m, &n);
    n += whole;
    n = n > 2000 ? 2000 : n < -2000 ? -2000 : n;
    y = exp_scaled(y, n);
    return x > 0 || mu == 0 ? y : 0;
}

#endif
