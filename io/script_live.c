/* The live view of a script's network: knobs, and what users do to a network while it runs.
 *
 * What a user does (a touch) is done between two windows, at a simulated time, and kept with that time. So a run that was
 * touched can be had again: ranvier run model.lua --replay results.h5 does the same at the same times, and the spikes are
 * the same. */
#include "io/script_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/film.h"
#include "viz/live.h"

_Static_assert((int)SCRIPT_MOST_KNOBS == (int)FEED_KNOBS, "every knob has its slider");

/* ---- knobs ---------------------------------------------------------------------------------------------------- */

static void check_knob(lua_State *L, const script_net *net, const script_knob *k)
{
    if (net->begun) script_fail(L, "net:knob: knob \"%s\" comes after the first net:run; knobs are declared before it", k->label);
    if (net->n_knobs == SCRIPT_MOST_KNOBS) script_fail(L, "net:knob: a network has %d knobs at most", SCRIPT_MOST_KNOBS);
    if (!(isfinite(k->low) && isfinite(k->high) && k->low < k->high))
        script_fail(L, "knob \"%s\": from %g to %g; finite numbers are needed, the lower one first", k->label, k->low, k->high);
    if (!(k->value >= k->low && k->value <= k->high))
        script_fail(L, "knob \"%s\": begins at %g, allowed are %g to %g", k->label, k->value, k->low, k->high);
    for (int i = 0; i < net->n_knobs; i++)
        if (strcmp(net->knobs[i].label, k->label) == 0) script_fail(L, "net:knob: there is a knob \"%s\" already", k->label);
}

/* net:knob(label, low, high, value, f): a slider; f(value) is called now, and whenever it is moved */
int network_knob(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    script_knob k = { .low = script_number(L, 3, "net:knob: the lowest value (second argument)"),
                      .high = script_number(L, 4, "net:knob: the highest value (third argument)"),
                      .value = script_number(L, 5, "net:knob: the value it begins with (fourth argument)") };
    snprintf(k.label, sizeof k.label, "%s", script_text(L, 2, "net:knob: the label (first argument)"));
    for (char *c = k.label; *c; c++)
        if (*c == '\n') *c = ' '; /* files have a line for each */
    check_knob(L, net, &k);
    if (!lua_isfunction(L, 6)) script_fail(L, "net:knob: the fifth argument is %s; a function is needed", script_describe(L, 6));
    k.function = script_callback_new(L, net, 6)->function;
    net->knobs[net->n_knobs++] = k;
    lua_pushvalue(L, 6);
    lua_pushnumber(L, k.value);
    lua_call(L, 1, 0);
    return 0;
}

void script_knob_labels(const script_net *net, char *text, size_t room)
{
    size_t n = 0;
    text[0] = 0;
    for (int k = 0; k < net->n_knobs && n < room; k++) n += (size_t)snprintf(text + n, room - n, "%s%s", k ? "\n" : "", net->knobs[k].label);
}

/* ---- touches -------------------------------------------------------------------------------------------------- */

const results_touch *script_touches(void *user, int64_t *n)
{
    const script_net *net = user;
    *n = net->n_touches;
    return net->touches;
}

static void note_touch(script_net *net, const results_touch *touch)
{
    if (net->n_touches == net->touches_room) {
        int64_t        room = net->touches_room ? 2 * net->touches_room : 64;
        results_touch *grown = realloc(net->touches, (size_t)room * sizeof *grown);
        if (!grown) return;
        net->touches = grown, net->touches_room = room;
    }
    net->touches[net->n_touches++] = *touch;
}

static rv_status turn_knob(script_net *net, const results_touch *touch)
{
    lua_State *L = net->L;
    if (touch->index < 0 || touch->index >= net->n_knobs) return RV_OUT_OF_RANGE;
    script_knob *knob = &net->knobs[touch->index];
    knob->value = fmin(fmax(touch->value, knob->low), knob->high);
    script_push_anchor(L, net, knob->function);
    lua_pushnumber(L, knob->value);
    return script_callback_call(L, net, 1, 0);
}

static rv_status inject(rv_net *net, const results_touch *touch)
{
    const rv_setting settings[] = { { "amplitude", rv_number(touch->value) },
                                    { "start", rv_number(touch->t_ms) },
                                    { "stop", rv_number(touch->t_ms + FEED_INJECT_MS) } };
    return rv_input_new(net, (rv_slice){ { (int32_t)touch->index + 1 }, touch->neuron, 1, 1 }, "dc", settings, 3, NULL);
}

static rv_status do_touch(script_net *net, const results_touch *touch)
{
    switch (touch->kind) {
    case RESULTS_KNOB: return turn_knob(net, touch);
    case RESULTS_POKE: return rv_poke(net->net, (rv_population){ (int32_t)touch->index + 1 }, touch->neuron);
    case RESULTS_INJECT: return inject(net->net, touch);
    }
    return RV_OK;
}

/* Does it now and keeps it. What the network refuses (a generator cannot be poked) is as if it had not been tried; but an
 * error in a function of the script ends the run. */
static rv_status touch_now(script_net *net, results_touch touch)
{
    touch.t_ms = rv_time(net->net);
    rv_status status = do_touch(net, &touch);
    if (status == RV_OK) note_touch(net, &touch);
    return touch.kind == RESULTS_KNOB ? status : RV_OK;
}

/* ---- replay --------------------------------------------------------------------------------------------------- */

static rv_status replay_next(script_net *net);

static rv_status on_replay(rv_net *rv, double t_ms, void *user)
{
    script_net          *net = user;
    int64_t              n;
    const results_touch *touch = results_touches(net->owner->replay, &n);
    double               half = rv_resolution(rv) / 2;
    while (net->n_touches < n && touch[net->n_touches].t_ms < t_ms + half) {
        int64_t   before = net->n_touches;
        rv_status status = touch_now(net, touch[before]);
        if (status != RV_OK) return status;
        if (net->n_touches == before)
            return rv_fail(rv, RV_CONFLICT, "replay: number %lld of what the user did, at %g ms, is not possible in this network", (long long)before + 1, t_ms);
    }
    return replay_next(net);
}

static rv_status replay_next(script_net *net)
{
    int64_t              n;
    const results_touch *touch = results_touches(net->owner->replay, &n);
    return net->n_touches < n ? rv_at(net->net, touch[net->n_touches].t_ms, on_replay, net) : RV_OK;
}

static rv_status open_replay(script_net *net)
{
    script  *s = net->owner;
    rv_error error = { 0 };
    char     labels[SCRIPT_MOST_KNOBS * 65];
    if (results_read(s->options.replay, &s->replay, &error) != RV_OK) return rv_fail(net->net, error.status, "replay: %s", error.text);
    const char *recorded = results_attribute(s->replay, "knobs");
    script_knob_labels(net, labels, sizeof labels);
    if (!recorded && net->links) return RV_OK; /* what it received is all that happened to it */
    if (!recorded) return rv_fail(net->net, RV_FILE_ERROR, "replay: \"%s\" does not say what a user did: its run had no knobs and no window", s->options.replay);
    if (strcmp(recorded, labels) != 0) return rv_fail(net->net, RV_CONFLICT, "replay: \"%s\" has other knobs than this network", s->options.replay);
    return replay_next(net);
}

/* ---- the view ------------------------------------------------------------------------------------------------- */

static rv_status on_touch(void *user, const feed_command *c)
{
    static const results_touch_kind kinds[] = { [FEED_KNOB] = RESULTS_KNOB, [FEED_POKE] = RESULTS_POKE, [FEED_INJECT] = RESULTS_INJECT };
    return touch_now(user, (results_touch){ .kind = kinds[c->kind], .index = c->kind == FEED_KNOB ? c->index : c->population,
                                            .neuron = c->neuron, .value = c->value });
}

static bool is_inhibitory(void *user, rv_population population) { return script_is_inhibitory(user, population); }
static bool is_leaving(void *user) { return ((script_net *)user)->owner->leaving != SCRIPT_GOING; }

static live_shape shape_of(void *user, rv_population population)
{
    const script_population *p = script_population_of(user, population);
    return p && p->shape.polarities <= 2 ? (live_shape){ p->shape.columns, p->shape.rows, p->shape.polarities } : (live_shape){ 0 };
}

static rv_status shoot(rv_net *net, double t_ms, void *user)
{
    script  *s = user;
    rv_error error = { 0 };
    rv_status status = film_shoot(s->film, t_ms, &error);
    return status == RV_OK ? RV_OK : rv_fail(net, status, "%s", error.text);
}

static rv_status begin_film(script_net *net)
{
    script   *s = net->owner;
    rv_error  error = { 0 };
    rv_status status = film_open(live_feed(s->live), s->options.frames, &s->film, &error);
    if (status != RV_OK) return rv_fail(net->net, status, "%s", error.text);
    return rv_every(net->net, s->options.frame_ms, shoot, s);
}

static rv_status open_view(script_net *net)
{
    script      *s = net->owner;
    live_knob    knobs[SCRIPT_MOST_KNOBS];
    const char  *slash = strrchr(s->options.path, '/');
    live_options options = { .title = slash ? slash + 1 : s->options.path, .inhibitory = is_inhibitory, .shape = shape_of, .touch = on_touch,
                             .leaving = is_leaving, .knobs = knobs, .n_knobs = net->n_knobs, .paused = s->options.paused, .user = net };
    for (int k = 0; k < net->n_knobs; k++)
        knobs[k] = (live_knob){ net->knobs[k].label, net->knobs[k].low, net->knobs[k].high, net->knobs[k].value };
    rv_status status = live_open(net->net, &options, &s->live);
    if (status != RV_OK) return status;
    s->live_net = net;
    if (s->options.frames) return begin_film(net);
    s->options.show(s->options.show_user, live_feed(s->live));
    return RV_OK;
}

rv_status script_live_begin(script_net *net)
{
    script *s = net->owner;
    if (!net->begun) {
        net->begun = true;
        rv_status status = RV_OK;
        if (s->options.replay && !s->replay) status = open_replay(net);
        if (status == RV_OK && !s->live && (s->options.show || s->options.frames)) status = open_view(net);
        if (status != RV_OK) return status;
    }
    if (s->live_net == net) live_expect(s->live, net->run_end_ms);
    return RV_OK;
}

void script_linger(script *s)
{
    if (s->live && s->options.show && s->leaving != SCRIPT_INTERRUPTED) live_linger(s->live, s->message[0] ? s->message : NULL);
}

void script_live_forget(script_net *net)
{
    script *s = net->owner;
    if (s->live_net != net) return;
    live_close(s->live);
    s->live_net = NULL;
}

void script_live_free(script *s)
{
    film_close(s->film);
    live_free(s->live);
    results_free(s->replay);
}
