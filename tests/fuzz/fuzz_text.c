/* Reading spikes in columns of text. */
#include "tests/fuzz/fuzz.h"

#include "io/results.h"

static void fuzz_file(const char *path)
{
    results *r;
    rv_error error = { 0 };
    fuzz_refused(results_read(path, &r, &error), &error);
    results_free(r);
}
