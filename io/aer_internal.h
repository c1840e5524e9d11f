/* What the readers and writers of recordings share. A reader is given the whole file in memory and hands over one event
 * after the other; sorting, selection and the sentences about what was odd are the same for all (aer.c). */
#ifndef RV_IO_AER_INTERNAL_H
#define RV_IO_AER_INTERNAL_H

#include "io/aer.h"
#include "sim/error.h"

#include <stdio.h>

/** Times lie between its negative and it: 36 000 years, so that sums and differences of two are safe. */
#define AER_MAX_TIME_US ((int64_t)1 << 60)

/* ---- reading ------------------------------------------------------------------------------------------------ */

/** A file that is being read. */
typedef struct aer_file {
    const char    *path;
    const uint8_t *bytes;    /* [size] all of it                                                            */
    size_t         size;
    aer_events    *events;   /* what was found so far; width 0: the camera's size is not known              */
    int64_t        room;     /* of the arrays of events                                                     */
    int64_t        latest;   /* of all times so far; INT64_MIN before the first                             */
    int64_t        previous; /* time of the last event                                                      */
    int64_t        outside;  /* events left out: not on the camera's pixels                                 */
    int64_t        backward; /* events earlier than the one before them                                     */
    int            max_x, max_y;
    rv_error      *error;
} aer_file;

rv_status aer_read_aedat2(aer_file *f);
rv_status aer_read_aedat3(aer_file *f);
rv_status aer_read_aedat4(aer_file *f);
rv_status aer_read_event_stream(aer_file *f);
rv_status aer_read_n_mnist(aer_file *f);

/** N-MNIST has no magic number: whether the bytes can be such events, in places and times. */
bool aer_looks_like_n_mnist(const aer_file *f);

/** Adds an event found at byte `offset`; one outside the camera is counted and left out.
 *  @return RV_OK, RV_FILE_ERROR if the time is absurd, or RV_OUT_OF_MEMORY */
rv_status aer_add(aer_file *f, size_t offset, int64_t t_us, int x, int y, bool on);

/** RV_FILE_ERROR: `file "...", byte 123: ` and the reason. */
rv_status aer_damaged(aer_file *f, size_t offset, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Adds a sentence to the warnings. */
void aer_warn(aer_file *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The file ends inside of something: "... bytes of an event". */
void aer_warn_cut_off(aer_file *f, size_t left, const char *what);

/** Where the line of a header that begins at `at` ends, its line end included; `at` if there is no such line: it begins
 *  with '#', holds no control characters and ends with LF, before which there may be a CR. */
size_t aer_header_line(const aer_file *f, size_t at);

/** Whether the header line at `at` begins with this text. @param rest the bytes behind it, without the line end */
bool aer_header_says(const aer_file *f, size_t at, const char *text, const char **rest, int *length);

/** Whether the options are possible at all, and what they leave of a recording that is complete and sorted. */
rv_status aer_check_options(const aer_options *options, rv_error *error);
rv_status aer_select(aer_events *events, const aer_options *options, rv_error *error);

/* ---- cameras ------------------------------------------------------------------------------------------------ */

typedef struct aer_camera {
    const char *name, *alias; /* in class names of jAER and source lines of AEDAT 3.1; alias may be NULL */
    int         width, height;
} aer_camera;

/** The camera whose name, or alias, occurs in the text, in any capitals; NULL if none does. */
const aer_camera *aer_camera_named(const char *text, int length);

/** The camera with exactly these pixels that recordings are usually of; NULL if there is none. Larger ones follow it by
 *  ++, up to one with the name NULL. */
const aer_camera *aer_camera_of_size(int width, int height);

bool aer_is_dvs128(const aer_camera *camera);

/* ---- bytes -------------------------------------------------------------------------------------------------- */

static inline uint16_t aer_le16(const uint8_t *b) { return (uint16_t)(b[0] | b[1] << 8); }
static inline uint32_t aer_le32(const uint8_t *b) { return aer_le16(b) | (uint32_t)aer_le16(b + 2) << 16; }
static inline uint64_t aer_le64(const uint8_t *b) { return aer_le32(b) | (uint64_t)aer_le32(b + 4) << 32; }
static inline uint32_t aer_be32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline void aer_put_le(uint8_t *b, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) b[i] = (uint8_t)(value >> 8 * i);
}
static inline void aer_put_be32(uint8_t *b, uint32_t value)
{
    for (int i = 0; i < 4; i++) b[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* ---- compression -------------------------------------------------------------------------------------------- */

/** As AEDAT 4.0 numbers them; the HIGH ones are read like the others. */
typedef enum aer_compression {
    AER_PLAIN, AER_LZ4, AER_LZ4_HIGH, AER_ZSTD, AER_ZSTD_HIGH
} aer_compression;

/** A buffer that grows and is used again; {0} is empty. */
typedef struct aer_buffer {
    uint8_t *bytes; /* [size of room] */
    size_t   size, room;
} aer_buffer;

bool aer_buffer_reserve(aer_buffer *b, size_t room);

/** Undoes the compression of one frame. What would become more than AER_EXPANSION times as long is not believed.
 *  @return NULL, or why it cannot be read */
const char *aer_expand(aer_compression compression, const uint8_t *bytes, size_t size, aer_buffer *result);
enum { AER_EXPANSION = 1000 };

/** Compresses into one frame. @return NULL, or why not */
const char *aer_compress(aer_compression compression, const uint8_t *bytes, size_t size, aer_buffer *result);

/* ---- flatbuffers ---------------------------------------------------------------------------------------------- */

/** A table inside of a flatbuffer (google/flatbuffers, "Internals"): its fields are found through a table of offsets,
 *  the vtable; every position is checked against the buffer. A field that is absent has its default. */
typedef struct aer_table {
    const uint8_t *bytes;           /* [size] the buffer, without the length before it */
    size_t         size, at, length; /* of the table                                   */
    size_t         offsets;         /* where its vtable's offsets begin                */
    int            fields;
} aer_table;

/** The root of a flatbuffer that begins with its length and has this identifier. @return false if it is not sound */
bool aer_flat_root(const uint8_t *bytes, size_t size, const char identifier[4], aer_table *root);

/** A number of 1 to 8 bytes. @return false if the table is not sound */
bool aer_flat_integer(const aer_table *t, int field, int bytes, int64_t *value);

/** A vector of n elements of so many bytes each, at *elements; n = 0 if absent. Text is a vector of bytes.
 *  @return false if the table is not sound */
bool aer_flat_vector(const aer_table *t, int field, int bytes, const uint8_t **elements, size_t *n);

/** The table that element i of a vector of tables (of 4 bytes each) points to. @return false if it is not sound */
bool aer_flat_element(const aer_table *t, const uint8_t *elements, size_t i, aer_table *element);

/* ---- writing ------------------------------------------------------------------------------------------------ */

/** A writer writes everything to the file; whether that went well is asked afterwards (ferror). Only AEDAT 4.0 needs
 *  memory and can fail. */
rv_status aer_write_aedat4(FILE *file, const aer_events *e, aer_compression compression, rv_error *error);

#endif
