/* Reading results and SONATA's spikes and reports, and what was added to the file since. */
#include "tests/fuzz/fuzz.h"

#include "io/results.h"

static void fuzz_file(const char *path)
{
    results *r;
    rv_error error = { 0 };
    bool     grown;
    fuzz_refused(results_read(path, &r, &error), &error);
    if (r && results_spikes_count(r) > 0 && results_attribute(r, "recording") == NULL) results_follow(r, &grown, &error);
    results_free(r);
}
