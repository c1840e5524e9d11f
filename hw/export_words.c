#include "hw/export_words.h"

#include <stdlib.h>
#include <string.h>

#include "sim/error.h"

enum { WORD = 64 };

rv_status export_words_reserve(export_words *w, int64_t bits, rv_error *error)
{
    int64_t need = w->n_bits + bits + WORD, room = w->room * 2;
    if (need <= w->room) return RV_OK;
    if (room < need) room = (need + WORD - 1) / WORD * WORD;
    uint64_t *word = realloc(w->word, (size_t)(room / WORD) * sizeof *word);
    if (!word) return error_memory(error, "synaptic memory", (double)room / 8);
    memset(word + w->room / WORD, 0, (size_t)((room - w->room) / WORD) * sizeof *word);
    w->word = word, w->room = room;
    return RV_OK;
}

static uint64_t lowest(int bits) { return ((uint64_t)1 << bits) - 1; }

void export_words_put(export_words *w, uint64_t value, int bits)
{
    int64_t at = w->n_bits / WORD;
    int     shift = (int)(w->n_bits % WORD);
    value &= lowest(bits);
    w->word[at] |= value << shift;
    if (shift + bits > WORD) w->word[at + 1] |= value >> (WORD - shift);
    w->n_bits += bits;
}

void export_words_align(export_words *w, int64_t word) { w->n_bits = (w->n_bits + word - 1) / word * word; }

uint64_t export_words_get(const export_words *w, int64_t at, int bits)
{
    int shift = (int)(at % WORD);
    if (bits == 0 || at < 0 || at + bits > w->n_bits) return 0;
    uint64_t value = w->word[at / WORD] >> shift;
    if (shift + bits > WORD) value |= w->word[at / WORD + 1] << (WORD - shift);
    return value & lowest(bits);
}

bool export_encode(double x, int bits, int sign, uint64_t *code)
{
    int64_t whole = (int64_t)x, high = (int64_t)1 << (sign ? bits : bits - 1);
    *code = (uint64_t)(sign < 0 ? -whole : whole);
    if (sign) return sign * whole >= 0 && sign * whole < high;
    return whole >= -high && whole < high;
}

double export_decode(uint64_t code, int bits, int sign)
{
    if (sign) return sign * (double)code;
    bool negative = bits > 0 && code >> (bits - 1) & 1;
    return (double)code - (negative ? (double)lowest(bits) + 1 : 0);
}
