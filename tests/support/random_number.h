/* Random numbers of a suite, the same in every run: splitmix64 (Steele et al. 2014, doi:10.1145/2660193.2660195). */
#ifndef RV_TESTS_RANDOM_NUMBER_H
#define RV_TESTS_RANDOM_NUMBER_H

#include <stdint.h>

static uint64_t random_state = 1;

/** Its finaliser: a number that depends on every bit of x. */
static inline uint64_t random_mixed(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static inline uint64_t random_bits(void) { return random_mixed(random_state += 0x9e3779b97f4a7c15); }
static inline double   random_number(void) { return (double)(random_bits() >> 11) * 0x1p-53; } /* 0 <= x < 1 */
static inline int      random_index(int n) { return (int)(random_number() * n); }

#endif
