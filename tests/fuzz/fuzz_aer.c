/* Reading recordings of event cameras, all five formats, whole and by parts. */
#include "tests/fuzz/fuzz.h"

#include "io/aer.h"

static void fuzz_file(const char *path)
{
    const aer_options part = { .polarity = AER_ON, .from_ms = 1, .to_ms = 100, .crop_x = 1, .crop_width = 20, .block = 3, .every = 2, .max_events = 50 };
    aer_events       *events;
    rv_error          error = { 0 };
    fuzz_refused(aer_read(path, NULL, &events, &error), &error);
    aer_free(events);
    fuzz_refused(aer_read(path, &part, &events, &error), &error);
    aer_free(events);
}
