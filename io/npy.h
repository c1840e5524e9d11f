/* NumPy's arrays (.npy, NEP 1): numbers and texts of one axis or none, versions 1 to 3, either order of bytes. */
#ifndef RV_IO_NPY_H
#define RV_IO_NPY_H

#include "sim/ranvier.h"

/** An array in memory, borrowed. */
typedef struct npy_array {
    char           kind;       /* as in NumPy: 'f', 'i', 'u', 'b', 'U' (UCS-4 texts), 'S' (bytes)       */
    int            item;       /* bytes of an element                                                   */
    bool           big_endian;
    int64_t        n;
    const uint8_t *data;       /* [n * item] */
} npy_array;

/** Reads the header. @return NULL, or why this is no array that is read here */
const char *npy_open(const uint8_t *bytes, uint64_t size, npy_array *a);

/** An element as a number: floats as they are, integers exactly up to 2^53. */
double npy_number(const npy_array *a, int64_t i);

/** An element that is an integer. @return false if it is none, or beyond 64 bits with sign */
bool npy_integer(const npy_array *a, int64_t i, int64_t *value);

/** An element that is a text, as UTF-8 cut to what fits. */
void npy_text(const npy_array *a, int64_t i, char *text, size_t size);

/** The header of an array of n elements of a type ("<f8"), padded to a multiple of 64 bytes as NumPy does.
 *  @return its length */
enum { NPY_HEADER = 128 };
size_t npy_header(uint8_t header[NPY_HEADER], const char *type, int64_t n);

#endif
