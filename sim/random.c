#include "sim/random.h"

#include <math.h>
#include <string.h>
#include <Random123/philox.h>

#include "sim/vector.h"

static uint32_t purpose_and_object(random_purpose purpose, uint32_t object) { return (uint32_t)purpose << 24 | (object & 0xffffff); }

rv_random random_stream(uint64_t seed, random_purpose purpose, uint32_t object, uint64_t index)
{
    return (rv_random){ .key = { (uint32_t)seed, (uint32_t)(seed >> 32) },
                        .counter = { 0, (uint32_t)index, (uint32_t)(index >> 32), purpose_and_object(purpose, object) } };
}

void random_seek(rv_random *stream, uint32_t block)
{
    stream->counter[0] = block;
    stream->unused = 0;
}

static void next_block(rv_random *r)
{
    philox4x32_ctr_t counter = { { r->counter[0], r->counter[1], r->counter[2], r->counter[3] } };
    philox4x32_key_t key = { { r->key[0], r->key[1] } };
    philox4x32_ctr_t block = philox4x32(counter, key);
    memcpy(r->word, block.v, sizeof r->word);
    r->counter[0]++;
    r->unused = 4;
}

uint32_t random_u32(rv_random *r)
{
    if (r->unused == 0) next_block(r);
    return r->word[4 - r->unused--];
}

double random_uniform(rv_random *r)
{
    uint64_t high = random_u32(r), low = random_u32(r);
    return (double)((high << 32 | low) >> 12) * 0x1p-52 + 0x1p-53;
}

/* Lemire 2019, doi:10.1145/3230636, with the rejection that removes the bias. */
uint64_t random_below(rv_random *r, uint64_t n)
{
    if (n <= UINT32_MAX) {
        uint64_t product = (uint64_t)random_u32(r) * n;
        if ((uint32_t)product < n)
            for (uint32_t threshold = (uint32_t)-n % n; (uint32_t)product < threshold;) product = (uint64_t)random_u32(r) * n;
        return product >> 32;
    }
    uint64_t limit = UINT64_MAX - UINT64_MAX % n, draw;
    do draw = (uint64_t)random_u32(r) << 32 | random_u32(r);
    while (draw >= limit);
    return draw % n;
}

double random_exponential(rv_random *r) { return -log(random_uniform(r)); }

/* ---- as a GSL generator ------------------------------------------------------------------------------------- */

static void          gsl_set(void *state, unsigned long seed) { *(rv_random *)state = random_stream(seed, RANDOM_USER, 0, 0); }
static unsigned long gsl_get(void *state) { return random_u32(state); }
static double        gsl_get_double(void *state) { return random_u32(state) * 0x1p-32; }

static const gsl_rng_type type = { "ranvier_philox4x32", UINT32_MAX, 0, sizeof(rv_random), gsl_set, gsl_get, gsl_get_double };
const gsl_rng_type *const rv_gsl_rng_type = &type;

gsl_rng random_gsl(rv_random *stream) { return (gsl_rng){ &type, stream }; }

/* ---- vectorised --------------------------------------------------------------------------------------------- */

/* Philox4x32-10 with its own constants, a counter per lane: the loop over lanes is what compilers vectorise, with the
 * 32-bit numbers kept in 64-bit lanes, where the products are. Block after block has as many lanes, and its words lie
 * lane by lane: word 0 of all lanes, word 1 of all lanes ... */
typedef struct philox_input {
    uint32_t first, index0, index1, tag, key0, key1;
} philox_input;

static philox_input input_of(uint64_t seed, random_purpose purpose, uint32_t object, uint64_t step, int64_t first)
{
    return (philox_input){ (uint32_t)first, (uint32_t)step, (uint32_t)(step >> 32), purpose_and_object(purpose, object), (uint32_t)seed, (uint32_t)(seed >> 32) };
}

static inline __attribute__((always_inline)) void philox_blocks(const philox_input *in, const int lanes, int64_t n_blocks, uint32_t *restrict words)
{
    for (int64_t block = 0; block < n_blocks; block++) {
        uint32_t *restrict out = words + block * 4 * lanes;
        for (int lane = 0; lane < lanes; lane++) {
            uint64_t x0 = in->first + (uint32_t)(block * lanes + lane), x1 = in->index0, x2 = in->index1, x3 = in->tag;
            uint32_t k0 = in->key0, k1 = in->key1;
#pragma GCC unroll 10
            for (int round = 0; round < 10; round++) {
                uint64_t p0 = (x0 & UINT32_MAX) * 0xD2511F53u, p1 = (x2 & UINT32_MAX) * 0xCD9E8D57u;
                x0 = (p1 >> 32) ^ x1 ^ k0, x1 = p1;
                x2 = (p0 >> 32) ^ x3 ^ k1, x3 = p0;
                k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
            }
            out[lane] = (uint32_t)x0, out[lanes + lane] = (uint32_t)x1;
            out[2 * lanes + lane] = (uint32_t)x2, out[3 * lanes + lane] = (uint32_t)x3;
        }
    }
}

enum { BLOCK = 64 /* neurons */ };

RV_VECTORISED static void blocks_of_words(const philox_input *in, int64_t n_blocks, uint32_t *words) { philox_blocks(in, 16, n_blocks, words); }
RV_VECTORISED static void blocks_of_halves(const philox_input *in, int64_t n_blocks, uint32_t *words) { philox_blocks(in, 8, n_blocks, words); }

void random_words(uint64_t seed, random_purpose purpose, uint32_t object, uint64_t step, int64_t first, int64_t n,
                  uint32_t *words)
{
    philox_input in = input_of(seed, purpose, object, step, first / BLOCK * 16);
    blocks_of_words(&in, (n + BLOCK - 1) / BLOCK, words);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the halves of a word are taken as they lie in memory");

void random_halves(uint64_t seed, random_purpose purpose, uint32_t object, uint64_t step, int64_t first, int64_t n,
                   uint16_t *halves)
{
    philox_input in = input_of(seed, purpose, object, step, first / BLOCK * 8);
    blocks_of_halves(&in, (n + BLOCK - 1) / BLOCK, (uint32_t *)(void *)halves);
}
