/* Runs a script given as text, for the tests of scripts. Header only, so that each suite stays one program. */
#ifndef RV_TESTS_SCRIPT_RUN_H
#define RV_TESTS_SCRIPT_RUN_H

#include <stdio.h>
#include <string.h>

#include "io/script.h"

typedef struct script_outcome {
    rv_status status;
    int       exit_status;
    char      message[1024];
} script_outcome;

/** @param options its text is replaced; may be NULL */
static inline script_outcome script_run_text(const char *text, size_t length, const script_options *options)
{
    script_options o = options ? *options : (script_options){ .quiet = true };
    script_outcome outcome = { 0 };
    script        *s;
    if (!o.path) o.path = "model.lua";
    o.text = text, o.text_length = length;
    outcome.status = script_open(&o, &s);
    if (outcome.status == RV_OK) outcome.status = script_run(s);
    snprintf(outcome.message, sizeof outcome.message, "%s", script_message(s));
    outcome.exit_status = script_exit_status(s);
    script_close(s);
    return outcome;
}

#endif
