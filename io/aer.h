/* Recordings of event cameras: a pixel that grew brighter (ON) or darker (OFF) sends an address event, a time and its
 * place. Read are, told apart by what is in the file, never by its name:
 *
 *   AEDAT 2.0       jAER: DVS128, DAVIS128, 208, 240, 346, 640
 *   AEDAT 3.1       cAER, and the DVS128 Gesture data set; polarity events
 *   AEDAT 4.0       DV, dv-processing and newer jAER; polarity events, plain or compressed with LZ4 or ZSTD
 *   Event Stream    version 2, of DVS and ATIS cameras (.es)
 *   N-MNIST         and N-Caltech101: events of 40 bits (.bin)
 *
 * Frames, inertial samples, triggers and exposure measurements beside the events are passed over.
 *
 *   aer_events *events;
 *   aer_options options = { .polarity = AER_ON, .to_ms = 500, .block = 2 };
 *   if (aer_read("bar.aedat4", &options, &events, &error) == RV_OK) puts(events->summary);
 *   aer_free(events);
 *
 * Whatever the file holds, reading ends with events or with one sentence: where in the file, what was wrong, what is
 * allowed. Memory follows the file's length, never a number in the file. */
#ifndef RV_IO_AER_H
#define RV_IO_AER_H

#include "sim/ranvier.h"

/* ---- events ------------------------------------------------------------------------------------------------- */

/** A recording, ascending in time. Column x = 0 is at the left, row y = 0 on top, as on a screen; formats that count
 *  rows from below or columns from the right are turned. */
typedef struct aer_events {
    char      format[64];    /* "AEDAT 2.0, DAVIS346"                                                              */
    char      summary[160];  /* the whole recording: "AEDAT 3.1, 346 x 260, 123 456 events, 4.2 s"                 */
    char      warning[512];  /* what was not as it should be and was put up with, joined by "; "; "" if nothing  */
    int       width, height; /* of the grid of x and y, pixels: after cropping and downsampling                    */
    int64_t   begin_us;      /* time of the recording's first event, selected or not; 0 if there is none           */
    int64_t   n;
    int64_t  *t_us;          /* [n]  as in the file: since some start of the camera, or Unix time (AEDAT 4.0)       */
    uint16_t *x, *y;         /* [n]  column and row, < width, < height                                             */
    uint8_t  *polarity;      /* [n]  1 ON, 0 OFF                                                                   */
} aer_events;

void aer_free(aer_events *events);

/* ---- reading ------------------------------------------------------------------------------------------------ */

typedef enum aer_polarity {
    AER_BOTH,
    AER_ON,     /* ON events only                                      */
    AER_OFF,    /* OFF events only                                     */
    AER_MERGED, /* all events, as one kind: polarity 1 for every event */
} aer_polarity;

/** What of a recording is wanted; {0} is all of it. Applied in this order: polarity, time, crop, downsampling,
 *  thinning, maximum.
 *
 *  Downsampling puts block x block pixels together: the pixel (x, y) of the crop becomes (x / block, y / block), and
 *  the grid has ceil(width / block) columns, so that a block at the right or lower edge may be incomplete. All events
 *  of a block stay, each at its own time; `every` then thins them: of the events of a pixel of the new grid the
 *  every-th, 2 every-th, ... is kept, ON and OFF counted apart, as by a neuron that spikes at every n-th input.
 *  Without it a block of 2 x 2 pixels has four times the rate of a pixel; with every = block x block the rate stays. */
typedef struct aer_options {
    aer_polarity polarity;
    double       from_ms, to_ms; /* events with from <= t - begin_us < to; to = 0: to the end                        */
    int          crop_x, crop_y, crop_width, crop_height; /* pixels of the camera; width, height 0: all there is     */
    int          block;          /* pixels, 1 to 1024; 0 is 1                                                        */
    int          columns, rows;  /* instead of block: the crop is put on such a grid, its pixel (x, y) becomes
                                    (x columns / width, y rows / height); 0: as block says                           */
    int          every;          /* >= 1; 0 is 1; above 1 the grid may have up to 16 777 216 pixels                  */
    int64_t      max_events;     /* the first so many of what is left; 0: all                                        */
} aer_options;

/** Reads a recording. Times that go back are sorted, events of equal time stay in the order of the file; events outside
 *  the camera's pixels are left out; of a file that was cut off, what is whole is read. All this is said in `warning`.
 *  Of several cameras in one file the first is read: the smallest number of a stream (AEDAT 4.0), the source of the
 *  first polarity events (AEDAT 3.1).
 *  @param options NULL: everything
 *  @param events  result, to be freed by aer_free(); NULL after an error
 *  @param error   may be NULL
 *  @return RV_OK; RV_FILE_ERROR if the file cannot be read, is of no known format, or is damaged; RV_OUT_OF_RANGE if an
 *          option is not possible; RV_OUT_OF_MEMORY */
rv_status aer_read(const char *path, const aer_options *options, aer_events **events, rv_error *error);

/* ---- writing ------------------------------------------------------------------------------------------------ */

typedef enum aer_format {
    AER_AEDAT_2,      /* of a camera with 128 x 128, 208 x 192, 240 x 180, 346 x 260 or 640 x 480 pixels */
    AER_AEDAT_3,      /* 3.1 */
    AER_AEDAT_4,      /* not compressed */
    AER_AEDAT_4_LZ4,
    AER_AEDAT_4_ZSTD,
    AER_EVENT_STREAM, /* DVS */
    AER_N_MNIST,      /* up to 256 x 240 pixels and 8.388607 s, one event or more; the grid's size is not kept */
} aer_format;

/** Writes events, which must ascend in time and lie on their grid, so that aer_read() returns the same. Times are kept
 *  where the format can hold them; where not, they are written from begin_us on (Event Stream, N-MNIST: always; AEDAT
 *  2.0: above 2^31 us; AEDAT 3.1: above 2^53 us; both if negative). An existing file is replaced when all is written.
 *  @param error may be NULL
 *  @return RV_OK, RV_FILE_ERROR, RV_OUT_OF_RANGE if the format cannot hold the events, RV_OUT_OF_MEMORY */
rv_status aer_write(const char *path, aer_format format, const aer_events *events, rv_error *error);

#endif
