/* One source, several instruction sets: the marked function is compiled for each and chosen at load time. All clones
 * compute the same bits: no contraction, no reassociation (see the Makefile), so the choice shows in the clock only. */
#ifndef RV_SIM_VECTOR_H
#define RV_SIM_VECTOR_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RV_VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RV_VECTORISED
#endif

/** The larger and the smaller of two numbers, neither NaN: fmax() and fmin() are calls, these are instructions. */
static inline double larger(double a, double b) { return a > b ? a : b; }
static inline double smaller(double a, double b) { return a < b ? a : b; }

#endif
