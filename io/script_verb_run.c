/* ranvier run FILE [name=value ...] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/checkpoint_seal.h"
#include "io/script_command.h"
#include "io/script_window.h"

enum { MOST_ARGUMENTS = 256, MOST_CONFIGS = 4 };

/* ---- what kind of file it is ---------------------------------------------------------------------------------- */

/* Other kinds of file have their verb, or their version. */
static int refuse_kind(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return command_fail(1, "cannot read \"%s\": %s", path, strerror(errno));
    fclose(file);
    return command_fail(
        1, "\"%s\" is not a kind of file that can be run; this version runs Lua scripts, ending in .lua, SONATA configs, ending in .json, netx networks, ending in .net, and NIR graphs, ending in .nir", path);
}

/* ---- the command line ----------------------------------------------------------------------------------------- */

/* Everything read from the command line lives here until the script is closed. */
typedef struct run_line {
    const char     *path, *configs[MOST_CONFIGS]; /* more SONATA configs follow the first */
    int             n_configs;
    const char     *out, *time, *threads, *seed, *timing, *replay, *frames, *frame_ms, *keep;
    bool            quiet, unsafe, network, profile, live, paused;
    script_argument arguments[MOST_ARGUMENTS + 1];
    char            names[MOST_ARGUMENTS][COMMAND_NAME];
    int             n_arguments;
    uint64_t        seed_number;
    rv_timing       timing_kind;
    double          threads_number, frame_ms_number, keep_seconds, keep_ms;
} run_line;

static bool read_timing(run_line *line)
{
    static const char *const words[] = { "grid", "exact" };
    if (!line->timing) return true;
    line->timing_kind = strcmp(line->timing, "exact") == 0 ? RV_EXACT : RV_GRID;
    if (strcmp(line->timing, words[line->timing_kind]) == 0) return true;
    command_unknown("timing", line->timing, words, 2);
    return false;
}

static bool read_threads(run_line *line)
{
    if (!command_number("--threads", line->threads, 1, 4096, &line->threads_number)) return false;
    if (line->threads_number == (int)line->threads_number) return true;
    command_fail(2, "--threads is \"%s\"; a whole number is needed", line->threads);
    return false;
}

/* 60s, 10min, 2h: wall time; 1000ms: simulated. */
static bool read_keep(run_line *line)
{
    static const struct {
        const char *unit;
        double      seconds, ms;
    } units[] = { { "s", 1, 0 }, { "min", 60, 0 }, { "h", 3600, 0 }, { "ms", 0, 1 } };
    char  *unit;
    double x = line->keep ? strtod(line->keep, &unit) : 0;
    if (!line->keep) return true;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (unit == line->keep || strcmp(unit, units[i].unit) != 0 || !(x > 0 && x <= 1e9)) continue;
        line->keep_seconds = x * units[i].seconds, line->keep_ms = x * units[i].ms;
        return true;
    }
    command_fail(2, "--checkpoint-every is \"%s\"; allowed are times of the clock, as 60s, 10min or 2h, and simulated ones, as 1000ms", line->keep);
    return false;
}

/* --time MS is the argument time=MS, and --out has the ending that programs know HDF5 files by. */
static bool read_values(run_line *line)
{
    double time;
    if (!command_number("--time", line->time, 0, 1e15, &time)) return false;
    line->frame_ms_number = 10;
    if (!command_number("--frame-ms", line->frame_ms, 1e-6, 1e9, &line->frame_ms_number)) return false;
    if (line->live && line->frames) {
        command_fail(2, "--live and --frames: pictures are for runs without a window; in a window, V records");
        return false;
    }
    if (line->time) line->arguments[line->n_arguments++] = (script_argument){ "time", line->time };
    if (line->out && !command_ends_with(line->out, ".h5") && !command_ends_with(line->out, ".hdf5")) {
        command_fail(2, "--out is \"%s\"; a file name ending in .h5 is needed", line->out);
        return false;
    }
    return command_seed("--seed", line->seed, &line->seed_number) && read_timing(line) && read_threads(line) && read_keep(line);
}

/* @return -1 to go on, or the exit status */
static int read_line(const command *c, run_line *line)
{
    const command_option options[] = {
        { "--out", "FILE.h5", "results file of the (first) network", &line->out, NULL },
        { "--time", "MS", "the same as time=MS: how long to simulate, for scripts that read rv.arg.time", &line->time,
          NULL },
        { "--threads", "N", "threads, all cores by default; results do not depend on it", &line->threads, NULL },
        { "--seed", "S", "of all random numbers, instead of the script's", &line->seed, NULL },
        { "--timing", "grid|exact", "instead of the script's", &line->timing, NULL },
        { "--checkpoint-every", "T", "save the (first) network every 60s (min, h) of the clock, or 1000ms simulated: OUT.checkpoint.h5", &line->keep, NULL },
        { "--quiet", NULL, "no progress bar, summary or warnings", NULL, &line->quiet },
        { "--live", NULL, "open a window and watch it run", NULL, &line->live },
        { "--paused", NULL, "with --live: begin paused", NULL, &line->paused },
        { "--frames", "FOLDER", "without a window: draw the live view into numbered pictures", &line->frames, NULL },
        { "--frame-ms", "MS", "simulated time between two of them, 10 by default", &line->frame_ms, NULL },
        { "--replay", "FILE.h5", "do to this run what a user did to that one: knobs, pokes, currents", &line->replay, NULL },
        { "--profile", NULL, "print where the time went", NULL, &line->profile },
        { "--network", NULL, "let net:listen and net:send of the script reach other machines", NULL, &line->network },
        { "--unsafe", NULL, "let the script use files, processes and modules, without a limit on memory", NULL,
          &line->unsafe },
    };
    const command_usage usage = {
        "run",         "FILE.lua [name=value ...] [options]",
        "Runs a script, which reads name=value as rv.arg.name; or goes on with a checkpoint for --time MS (FILE.h5: --out holds what comes from there on);\n"
        "or a lava-dl network (FILE.net input=FILE) on the emulated chip, or a NIR graph (FILE.nir input=FILE);\n"
        "or a SONATA simulation (CONFIG.json [CONFIG.json] [time=MS dt=MS output_dir=FOLDER]).",
        options,       sizeof options / sizeof *options,      1,
        MOST_ARGUMENTS
    };
    const char *words[MOST_ARGUMENTS];
    int         n, status = command_read(c, &usage, words, &n);
    if (status >= 0) return status;
    line->path = words[0];
    bool sonata = command_ends_with(words[0], ".json");
    line->configs[line->n_configs++] = words[0];
    int first = 1;
    while (sonata && first < n && line->n_configs < MOST_CONFIGS && command_ends_with(words[first], ".json") && !strchr(words[first], '=')) line->configs[line->n_configs++] = words[first++];
    for (int i = first; i < n; i++, line->n_arguments++)
        if (!command_argument(words[i], line->names[line->n_arguments], &line->arguments[line->n_arguments])) return 2;
    return read_values(line) ? -1 : 2;
}

/* ---- running -------------------------------------------------------------------------------------------------- */

/* The command line as one could type it again; kept with the results. */
static void join(const command *c, char *text, size_t room)
{
    size_t n = (size_t)snprintf(text, room, "ranvier run");
    for (int i = 0; i < c->argc && n < room; i++) {
        bool plain = strpbrk(c->argv[i], " \t\n'\"\\$&|;<>()*?") == NULL && c->argv[i][0];
        n += (size_t)snprintf(text + n, room - n, plain ? " %s" : " '%s'", c->argv[i]);
    }
}

/* Runs the script to its end and prints what there is to say. */
static script *run_script(const command *c, const script_options *options)
{
    script   *s;
    rv_status status = script_open(options, &s);
    if (!s) return NULL;
    if (c->watch) c->watch(script_interrupt, s);
    if (status == RV_OK) script_run(s);
    if (script_message(s)[0]) fprintf(stderr, "%s\n", script_message(s));
    script_linger(s);
    if (c->watch) c->watch(NULL, NULL);
    return s;
}

static int close_script(script *s)
{
    if (!s) return command_fail(1, "no memory left");
    int exit_status = script_exit_status(s);
    script_close(s);
    return exit_status;
}

/* The script in the thread beside the window. */
typedef struct live_run {
    const command *command;
    script_options options;
    script        *script;
} live_run;

static void run_beside(void *user, window_stage *stage)
{
    live_run *r = user;
    r->options.show = window_stage_show, r->options.show_user = stage;
    r->script = run_script(r->command, &r->options);
}

/* The script is closed after the window, which looks at its feed. */
static int run_live(const command *c, const script_options *options)
{
    live_run r = { c, *options, NULL };
    rv_error error = { 0 };
    bool     busy = options->threads ? options->threads >= sysconf(_SC_NPROCESSORS_ONLN) : window_stage_threads() == 0;
    if (window_stage_run(run_beside, &r, busy, &error) != RV_OK) return command_fail(1, "%s", error.text);
    return close_script(r.script);
}

static script_options options_of(const run_line *line, const char *command_line)
{
    return (script_options){
        .path = line->path,
        .arguments = line->arguments,
        .n_arguments = line->n_arguments,
        .command_line = command_line,
        .out = line->out,
        .seed = line->seed ? &line->seed_number : NULL,
        .timing = line->timing ? &line->timing_kind : NULL,
        .threads = (int)line->threads_number,
        .keep_seconds = line->keep_seconds,
        .keep_ms = line->keep_ms,
        .quiet = line->quiet,
        .unsafe = line->unsafe,
        .network = line->network,
        .profile = line->profile,
        .replay = line->replay,
        .frames = line->frames,
        .frame_ms = line->frame_ms_number,
        .paused = line->paused,
    };
}

/* A checkpoint is run by the script that one would write for it, so that every option works. */
static int run_checkpoint(const command *c, const run_line *line, const script_options *options)
{
    static const char text[] = "local rv = require \"ranvier\"\nrv.load(rv.arg.checkpoint):run(rv.arg.time)\n";
    script_argument   arguments[MOST_ARGUMENTS + 2];
    script_options    o = *options;
    rv_error          error = { 0 };
    if (line->seed || line->timing)
        return command_fail(2, "--%s: a checkpoint goes on with the %s it has", line->seed ? "seed" : "timing", line->seed ? "random numbers" : "timing");
    if (checkpoint_check_seal(line->path, &error) != RV_OK) return command_fail(1, "%s; ranvier view, info, stats and plot read results", error.text);
    if (!line->time) return command_fail(2, "\"%s\" is a checkpoint: --time MS says for how long it goes on", line->path);
    memcpy(arguments, o.arguments, (size_t)o.n_arguments * sizeof *arguments);
    arguments[o.n_arguments] = (script_argument){ "checkpoint", line->path };
    o.arguments = arguments, o.n_arguments++, o.text = text, o.text_length = sizeof text - 1;
    return line->live ? run_live(c, &o) : close_script(run_script(c, &o));
}

int command_run(const command *c)
{
    run_line *line = calloc(1, sizeof *line);
    if (!line) return command_fail(1, "no memory left");
    char command_line[4096];
    int  status = read_line(c, line);
    join(c, command_line, sizeof command_line);
    const script_options options = options_of(line, command_line);
    if (status < 0 && command_ends_with(line->path, ".lua")) status = line->live ? run_live(c, &options) : close_script(run_script(c, &options));
    else if (status < 0 && command_ends_with(line->path, ".net")) status = command_run_netx(c, &options, line->live);
    else if (status < 0 && command_ends_with(line->path, ".json")) status = command_run_sonata(c, &options, line->configs, line->n_configs, line->live);
    else if (status < 0 && command_ends_with(line->path, ".nir")) status = command_run_nir(c, &options, line->live);
    else if (status < 0 && command_is_hdf5(line->path)) status = run_checkpoint(c, line, &options);
    else if (status < 0) status = refuse_kind(line->path);
    free(line);
    return status;
}
