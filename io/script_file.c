#include "io/script_file.h"

#include <stdio.h>
#include <string.h>

#include "io/results.h"
#include "io/script_window.h"
#include "viz/live.h"

struct script_file {
    const command        *command;
    const script_options *options;
    int                 (*body)(script_file *file, void *user);
    void                 *user;
    live                 *live; /* NULL: no window */
    window_stage         *stage;
    int                   status;
};

/* ---- the command line ------------------------------------------------------------------------------------------- */

enum { MOST_WORDS = 16 };

static bool read_number(const script_file_word *word, const char *text)
{
    if (!command_number(word->name, text, 0, word->highest, word->number)) return false;
    if (!word->whole || *word->number == (double)(int64_t)*word->number) return true;
    return command_fail(2, "%s is \"%s\"; a whole number is needed", word->name, text), false;
}

bool script_file_words(const script_options *options, const char *kind, const script_file_word *words, int n)
{
    const char *names[MOST_WORDS], *text;
    char        argument[64];
    for (int k = 0; k < n; k++) names[k] = words[k].name;
    for (int i = 0; i < options->n_arguments; i++) {
        int k = 0;
        while (k < n && strcmp(names[k], options->arguments[i].name) != 0) k++;
        snprintf(argument, sizeof argument, "argument of %s", kind);
        text = options->arguments[i].text;
        if (k == n) return command_unknown(argument, options->arguments[i].name, names, n), false;
        if (words[k].text) *words[k].text = text;
        else if (!read_number(&words[k], text)) return false;
    }
    return true;
}

rv_net_def script_file_def(const script_options *o)
{
    return (rv_net_def){ .seed = o->seed ? *o->seed : 0, .timing = o->timing ? *o->timing : RV_GRID, .threads = o->threads };
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

rv_status script_file_record(rv_net *net, rv_population population, const char *list)
{
    char name[32];
    for (const char *at = list; at && *at;) {
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), at);
        rv_status status = rv_record_state(net, rv_all(population), name, 0, NULL);
        if (status != RV_OK) return status;
        at += length + (at[length] == ',');
    }
    return RV_OK;
}

static void stop_net(void *net) { rv_stop(net); }

static rv_status open_view(script_file *f, rv_net *net, double end_ms)
{
    const char *slash = strrchr(f->options->path, '/');
    rv_status   status = live_open(net, &(live_options){ .title = slash ? slash + 1 : f->options->path, .paused = f->options->paused }, &f->live);
    if (status != RV_OK) return status;
    window_stage_show(f->stage, live_feed(f->live));
    live_expect(f->live, end_ms);
    return RV_OK;
}

static rv_status run_and_write(script_file *f, rv_net *net, double end_ms)
{
    const script_options *o = f->options;
    results_writer       *writer = NULL;
    results_provenance    from = { .command_line = o->command_line, .script_path = o->path };
    rv_status             status = o->out ? results_writer_open(net, o->out, &from, &writer) : RV_OK, closed;
    if (f->command->watch) f->command->watch(stop_net, net);
    if (status == RV_OK && f->stage) status = open_view(f, net, end_ms);
    if (status == RV_OK) status = rv_run(net, end_ms);
    if (f->command->watch) f->command->watch(NULL, NULL);
    closed = results_writer_close(writer);
    return status == RV_OK ? closed : status;
}

int script_file_simulate(script_file *f, rv_net *net, double end_ms)
{
    rv_status status = run_and_write(f, net, end_ms);
    int       exit_status = status == RV_OK ? 0 : command_fail(status == RV_STOPPED ? 130 : 1, "%s", rv_net_error(net)->text);
    if (f->live && exit_status != 130) live_linger(f->live, exit_status ? rv_net_error(net)->text : NULL);
    if (f->live) live_close(f->live);
    return exit_status;
}

static void run_beside(void *file, window_stage *stage)
{
    script_file *f = file;
    f->stage = stage;
    f->status = f->body(f, f->user);
}

int script_file_run(const command *c, const script_options *options, bool live, int (*body)(script_file *file, void *user), void *user)
{
    script_file f = { .command = c, .options = options, .body = body, .user = user };
    rv_error    error = { 0 };
    if (!live) run_beside(&f, NULL);
    else if (window_stage_run(run_beside, &f, true, &error) != RV_OK) return command_fail(1, "%s", error.text);
    live_free(f.live);
    return f.status;
}
