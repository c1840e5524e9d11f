/* Bits in a row: the synaptic memory of a core. The first bit is the lowest of the first 64-bit number. */
#ifndef RV_HW_EXPORT_WORDS_H
#define RV_HW_EXPORT_WORDS_H

#include "sim/ranvier.h"

typedef struct export_words {
    uint64_t *word;  /* [room / 64] bits behind n_bits are 0 */
    int64_t   n_bits, room;
} export_words;

/** Room for this many more bits. */
rv_status export_words_reserve(export_words *w, int64_t bits, rv_error *error);

/** Appends the lowest `bits` bits of a value, 0 to 63 of them; there must be room. */
void export_words_put(export_words *w, uint64_t value, int bits);

/** Goes on at the next multiple of `word` bits; there must be room. */
void export_words_align(export_words *w, int64_t word);

/** `bits` bits from a place in a memory of n_bits; 0 where it ends. */
uint64_t export_words_get(const export_words *w, int64_t at, int bits);

/** A whole number in so many bits: as it is, without its sign if all are of one sign, else in two's complement.
 *  @param sign 1: none is negative, -1: none is positive, 0: both @return whether it fits */
bool   export_encode(double x, int bits, int sign, uint64_t *code);
double export_decode(uint64_t code, int bits, int sign);

#endif
