/* Networks in the loop: net:listen() lets spikes come in over UDP while the network runs, net:send() lets them out (io/udp.h has the
 * format), net:pace() keeps simulated time in step with the clock.
 *
 * Between two steps a link takes what has arrived and returns at once; only pace() waits. What was received is recorded, as the
 * spikes of the listening population, so that the run can be repeated bit for bit: --replay FILE.h5 gives it to the network again
 * instead of listening. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/script_internal.h"
#include "io/udp.h"
#include "sim/clock.h"
#include "sim/error.h"
#include "sim/memory.h"

enum { MOST_PACKETS = 4096 };            /* taken at once, so that a flood does not hold the network up */
static const double horizon_ms = 60000;  /* what is stamped for later than so much from now is not kept */

struct script_link {
    script_net    *net;
    rv_population  population;
    udp_receiver  *receiver; /* one of these, or none of a replay */
    udp_sender    *sender;
    double         delay_ms; /* NAN: events count as of their arrival */
    int64_t        size;
    int64_t        late, outside, early, given;
    double         latest_ms; /* how late the latest one was */
    int64_t       *neurons;   /* [n] of the spikes that are given together */
    double        *times_ms;
    int64_t        n, room_neurons, room_times;
    bool           replayed;
    struct script_link *next;
};

typedef struct handle {
    script_link *link;
} handle;

#define TYPE_LINK "ranvier.link"

/* ---- in --------------------------------------------------------------------------------------------------------- */

static bool add(script_link *l, int64_t neuron, double t_ms)
{
    if (!memory_reserve((void **)&l->neurons, &l->room_neurons, l->n + 1, sizeof *l->neurons) || !memory_reserve((void **)&l->times_ms, &l->room_times, l->n + 1, sizeof *l->times_ms)) return false;
    l->neurons[l->n] = neuron, l->times_ms[l->n++] = t_ms;
    return true;
}

/* When an event is given: at the end of the next step, or delay_ms after its stamp. */
static bool take_event(script_link *l, const udp_event *e, double now_ms)
{
    double soon = now_ms + rv_resolution(l->net->net), t = isnan(l->delay_ms) ? soon : (double)e->t_us / 1000 + l->delay_ms;
    if (e->address >= l->size) return l->outside++, true;
    if (t > now_ms + horizon_ms) return l->early++, true;
    if (t <= now_ms) l->late++, l->latest_ms = fmax(l->latest_ms, now_ms - t), t = soon;
    return add(l, e->address, t);
}

static rv_status give(script_link *l, rv_net *net)
{
    rv_status status = l->n ? rv_add_spikes(net, l->population, l->neurons, l->times_ms, l->n) : RV_OK;
    l->given += l->n, l->n = 0;
    return status;
}

static rv_status on_receive(rv_net *net, double t_ms, void *user)
{
    script_link *l = user;
    udp_packet   packet;
    bool         memory = true;
    for (int k = 0; k < MOST_PACKETS && memory && udp_receive(l->receiver, &packet); k++)
        for (int i = 0; i < packet.n && memory; i++) memory = take_event(l, &packet.event[i], t_ms);
    return memory ? give(l, net) : rv_fail(net, RV_OUT_OF_MEMORY, "no memory for what arrives at port %d", udp_port(l->receiver));
}

/* What the population received in the run that is repeated. */
static void give_recorded(lua_State *L, script_link *l, const char *name)
{
    results   *r;
    rv_error   error = { 0 };
    const char *path = l->net->owner->options.replay;
    rv_status  status = results_read(path, &r, &error);
    if (status == RV_OK) status = results_select(r, name, &error);
    const results_spikes *s = status == RV_OK ? results_spikes_at(r, 0) : NULL;
    for (int64_t k = 0; s && k < s->n && status == RV_OK; k++)
        if (!add(l, s->neurons[k], s->times_ms[k])) status = error_memory(&error, "what was received", 16.0 * (double)s->n);
    if (status == RV_OK && give(l, l->net->net) != RV_OK) status = error.status = RV_CONFLICT, error = *rv_net_error(l->net->net);
    results_free(r);
    l->replayed = true;
    if (status != RV_OK) script_fail(L, "replay: %s", error.text);
}

/* ---- out -------------------------------------------------------------------------------------------------------- */

static rv_status on_spike(rv_net *net, rv_population population, int64_t neuron, double t_ms, void *user)
{
    script_link *l = user;
    (void)net, (void)population;
    udp_send(l->sender, (udp_event){ llround(1000 * t_ms), (uint32_t)neuron });
    return RV_OK;
}

static rv_status on_flush(rv_net *net, double t_ms, void *user)
{
    (void)net, (void)t_ms;
    udp_flush(((script_link *)user)->sender);
    return RV_OK;
}

/* ---- links ------------------------------------------------------------------------------------------------------ */

/* Pushes a new link of the network at stack index 1, which owns it. */
static script_link *push_link(lua_State *L, script_net *net, const script_slice *p)
{
    script_link *l = calloc(1, sizeof *l);
    if (!l) script_fail(L, "no memory left");
    *l = (script_link){ .net = net, .population = p->slice.population, .size = p->slice.count, .delay_ms = NAN, .next = net->links };
    net->links = l;
    handle *h = lua_newuserdatauv(L, sizeof *h, 1);
    h->link = l;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1); /* the network outlives what points into it */
    luaL_setmetatable(L, TYPE_LINK);
    return l;
}

static script_slice *whole_population(lua_State *L, script_net *net, const char *what)
{
    script_slice *p = luaL_testudata(L, 2, TYPE_POPULATION);
    if (!p || p->net != net) script_fail(L, "%s: the first argument is %s; a population of this network is needed", what, script_describe(L, 2));
    if (p->slice.count != rv_population_size(net->net, p->slice.population)) script_fail(L, "%s: %s is a part; a whole population is needed", what, luaL_tolstring(L, 2, NULL));
    return p;
}

/* How often: about every ms, a multiple of the resolution. */
static double read_interval(lua_State *L, script_net *net, const char *what)
{
    double h = rv_resolution(net->net), interval = option_number(L, 3, what, "interval", 0);
    return interval == 0 ? h * fmax(1, rint(1 / h)) : interval;
}

static int read_port(lua_State *L, const char *what, int least)
{
    int64_t port = option_integer(L, 3, what, "port", -1);
    if (port < least || port > 65535) script_fail(L, "%s: port is %s; a number from %d to 65535 is needed", what, port < 0 ? "missing" : "out of range", least);
    return (int)port;
}

/* A stranger's script sends nothing to other machines, and hears nothing of them. */
static const char *read_host(lua_State *L, script_net *net, const char *what)
{
    const script_options *o = &net->owner->options;
    const char           *host = option_text(L, 3, what, "host", "127.0.0.1");
    bool                  here = strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
    if (!here && !o->network && !o->unsafe) script_fail(L, "%s: host \"%s\" is beyond this machine; ranvier run --network allows it", what, host);
    return host;
}

/* net:listen(population, { port =[, host = "127.0.0.1", delay =, interval = 1] }) */
int network_listen(lua_State *L)
{
    static const char *const keys[] = { "port", "host", "delay", "interval" };
    script_net              *net = script_self(L, TYPE_NETWORK);
    const char              *what = "net:listen";
    rv_error                 error = { 0 };
    lua_settop(L, 3);
    script_defining(L, net, what);
    script_slice *p = whole_population(L, net, what);
    script_keys(L, 3, what, keys, COUNT(keys));
    const char *name = rv_population_name(net->net, p->slice.population), *host = read_host(L, net, what);
    if (strcmp(rv_population_model(net->net, p->slice.population), "spike_generator") != 0) script_fail(L, "net:listen: population \"%s\" is of the model %s; a spike_generator is needed", name, rv_population_model(net->net, p->slice.population));
    int          port = read_port(L, what, 0);
    double       interval = read_interval(L, net, what), delay = option_number(L, 3, what, "delay", NAN);
    script_link *l = push_link(L, net, p);
    l->delay_ms = delay;
    script_check(L, net, rv_record_spikes(net->net, l->population)); /* for a replay */
    script_population_of(net, l->population)->record_start_ms = rv_time(net->net);
    if (net->owner->options.replay) return give_recorded(L, l, name), 1;
    if (udp_listen(host, port, &l->receiver, &error) != RV_OK) script_fail(L, "net:listen: %s", error.text);
    script_check(L, net, rv_every(net->net, interval, on_receive, l));
    return 1;
}

/* net:send(population, { port =[, host = "127.0.0.1", interval = 1] }) */
int network_send(lua_State *L)
{
    static const char *const keys[] = { "port", "host", "interval" };
    script_net              *net = script_self(L, TYPE_NETWORK);
    const char              *what = "net:send";
    rv_error                 error = { 0 };
    lua_settop(L, 3);
    script_defining(L, net, what);
    script_slice *p = whole_population(L, net, what);
    script_keys(L, 3, what, keys, COUNT(keys));
    const char  *host = read_host(L, net, what);
    int          port = read_port(L, what, 1);
    double       interval = read_interval(L, net, what);
    script_link *l = push_link(L, net, p);
    if (udp_connect(host, port, &l->sender, &error) != RV_OK) script_fail(L, "net:send: %s", error.text);
    script_check(L, net, rv_on_spike(net->net, l->population, on_spike, l));
    script_check(L, net, rv_every(net->net, interval, on_flush, l));
    return 1;
}

static script_link *self(lua_State *L) { return ((handle *)script_self(L, TYPE_LINK))->link; }

static int link_port(lua_State *L)
{
    script_link *l = self(L);
    if (!l->receiver) script_fail(L, "link:port: this link does not listen");
    lua_pushinteger(L, udp_port(l->receiver));
    return 1;
}

/* link:counts() -> a table */
static int link_counts(lua_State *L)
{
    script_link *l = self(L);
    udp_counts   c = l->receiver ? udp_received(l->receiver) : l->sender ? udp_sent(l->sender) : (udp_counts){ 0 };
    const struct {
        const char *name;
        int64_t     n;
    } numbers[] = { { "packets", c.packets }, { "events", c.events }, { "lost", c.lost },     { "reordered", c.reordered }, { "duplicates", c.duplicates }, { "malformed", c.malformed },
                    { "unsent", c.unsent },   { "late", l->late },    { "early", l->early }, { "outside", l->outside },   { "spikes", l->given } };
    lua_newtable(L);
    for (int k = 0; k < COUNT(numbers); k++) lua_pushinteger(L, numbers[k].n), lua_setfield(L, -2, numbers[k].name);
    return 1;
}

static int link_tostring(lua_State *L)
{
    script_link *l = self(L);
    lua_pushfstring(L, "link of population \"%s\"", rv_population_name(l->net->net, l->population));
    return 1;
}

/* ---- in step with the clock ------------------------------------------------------------------------------------- */

/* Waits in short pieces, so that an interruption is heard. A network that is far behind does not hurry to catch up. */
static rv_status on_pace(rv_net *rv, double t_ms, void *user)
{
    enum { SLICE_NS = 5000000 };
    const double far_behind_s = 1;
    script_net  *net = user;
    double       now = clock_seconds(), due = net->pace_wall + 1e-3 * (t_ms - net->pace_ms) / net->pace;
    if (net->pace_wall == 0 || now - due > far_behind_s) {
        if (net->pace_wall > 0) net->pace_stalls++;
        net->pace_wall = now, net->pace_ms = t_ms;
        return RV_OK;
    }
    net->pace_behind = fmax(net->pace_behind, now - due);
    for (double left = due - now; left > 0; left = due - clock_seconds()) {
        if (net->owner->leaving) return rv_fail(rv, RV_STOPPED, "stopped");
        nanosleep(&(struct timespec){ 0, (long)fmin(SLICE_NS, 1e9 * left) }, NULL);
    }
    return RV_OK;
}

/* net:pace([speed]): simulated time goes at most so many times as fast as the clock */
int network_pace(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    double      h = rv_resolution(net->net), speed = script_number_or(L, 2, "net:pace: the speed", 1);
    if (!(speed > 0 && speed <= 1e6)) script_fail(L, "net:pace: the speed = %f, allowed is more than 0 to 1e6; 1 is real time", speed);
    bool first = net->pace == 0;
    net->pace = speed, net->pace_wall = 0;
    if (first) script_check(L, net, rv_every(net->net, h * fmax(1, rint(1 / h)), on_pace, net));
    return 0;
}

/* ---- for the network -------------------------------------------------------------------------------------------- */

static void print_received(const script_link *l, const char *name)
{
    udp_counts c = udp_received(l->receiver);
    printf("  %-12s received %lld packets, %lld events at port %d", name, (long long)c.packets, (long long)c.events, udp_port(l->receiver));
    const struct {
        int64_t     n;
        const char *what;
    } odd[] = { { c.lost, "packets lost" }, { c.reordered, "in another order" }, { c.duplicates, "double" }, { c.malformed, "malformed" }, { l->late, "events late" }, { l->early, "for too far in the future" }, { l->outside, "of no neuron" } };
    for (int k = 0; k < COUNT(odd); k++)
        if (odd[k].n) printf(", %lld %s", (long long)odd[k].n, odd[k].what);
    if (l->late) printf(" (by up to %.3g ms)", l->latest_ms);
    putchar('\n');
}

static void print_sent(const script_link *l, const char *name)
{
    udp_counts c = udp_sent(l->sender);
    printf("  %-12s sent %lld packets, %lld events", name, (long long)c.packets, (long long)c.events);
    if (c.unsent) printf(", %lld packets that the system did not take", (long long)c.unsent);
    putchar('\n');
}

void script_links_print(const script_net *net)
{
    for (const script_link *l = net->links; l; l = l->next) {
        const char *name = rv_population_name(net->net, l->population);
        if (l->receiver) print_received(l, name);
        if (l->sender) print_sent(l, name);
        if (l->replayed) printf("  %-12s repeated %lld events\n", name, (long long)l->given);
    }
    if (net->pace > 0) printf("  paced at %g: at most %.3g ms behind the clock", net->pace, 1e3 * net->pace_behind);
    if (net->pace_stalls) printf(", and %lld times by more than a second", (long long)net->pace_stalls);
    if (net->pace > 0) putchar('\n');
}

void script_links_end_run(script_net *net)
{
    net->pace_wall = 0;
    for (script_link *l = net->links; l; l = l->next)
        if (l->sender) udp_flush(l->sender);
}

void script_links_free(script_net *net)
{
    for (script_link *l = net->links, *next; l; l = next) {
        next = l->next;
        udp_receiver_free(l->receiver), udp_sender_free(l->sender);
        free(l->neurons), free(l->times_ms), free(l);
    }
    net->links = NULL;
}

void script_open_link(lua_State *L)
{
    static const luaL_Reg methods[] = { { "counts", link_counts }, { "port", link_port }, { "__tostring", link_tostring }, { NULL, NULL } }, fields[] = { { NULL, NULL } };
    script_type(L, TYPE_LINK, methods, fields);
}
