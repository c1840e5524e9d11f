/* ranvier view FILE: the window on a recording. */
#include <stdio.h>
#include <string.h>

#include "io/script_command.h"
#include "io/script_play.h"
#include "io/script_window.h"

typedef struct viewing {
    player *player;
} viewing;

static void play(void *user, window_stage *stage)
{
    viewing *v = user;
    window_stage_show(stage, player_feed(v->player));
    player_serve(v->player);
}

static int view_results(results *r, const char *path, bool follow)
{
    viewing     v;
    rv_error    error = { 0 };
    const char *slash = strrchr(path, '/');
    if (player_open(r, slash ? slash + 1 : path, follow, &v.player, &error) != RV_OK) return command_fail(1, "%s", error.text);
    rv_status status = window_stage_run(play, &v, false, &error);
    player_close(v.player);
    return status == RV_OK ? 0 : command_fail(1, "%s", error.text);
}

int command_view(const command *c)
{
    bool                 follow = false;
    const char          *path[1];
    const command_option options[] = { { "--follow", NULL, "go on with a file that another process is writing", NULL, &follow } };
    const command_usage  usage = { "view", "FILE [--follow]",
                                   "Shows a recording in a window: results (.h5), or an event camera's (AEDAT 2.0 to 4.0,\n"
                                   "Event Stream .es, N-MNIST .bin). The ? key lists what keys and mouse do.",
                                   options, 1, 1, 1 };
    rv_error error = { 0 };
    results *r;
    int      n, status = command_read(c, &usage, path, &n);
    if (status >= 0) return status;
    if (results_read(path[0], &r, &error) != RV_OK) return command_fail(1, "%s", error.text);
    if (results_spikes_count(r) > 0) return view_results(r, path[0], follow);
    results_free(r);
    return command_fail(1, "\"%s\" holds no spikes to show", path[0]);
}
