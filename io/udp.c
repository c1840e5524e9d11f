#include "io/udp.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/error.h"

enum { VERSION = 1, MOST_STREAMS = 16, REMEMBERED = 64, BUFFER_BYTES = 4 << 20 };
static const char magic[4] = "RVEV";

/* ---- packets ---------------------------------------------------------------------------------------------------- */

static void put(uint8_t *b, uint64_t x, int n)
{
    for (int i = 0; i < n; i++) b[i] = (uint8_t)(x >> 8 * i);
}

static uint64_t get(const uint8_t *b, int n)
{
    uint64_t x = 0;
    for (int i = 0; i < n; i++) x |= (uint64_t)b[i] << 8 * i;
    return x;
}

size_t udp_pack(const udp_packet *p, uint8_t bytes[UDP_MOST_BYTES])
{
    memcpy(bytes, magic, sizeof magic);
    put(bytes + 4, VERSION, 1), put(bytes + 5, 0, 1), put(bytes + 6, (uint64_t)p->n, 2);
    put(bytes + 8, p->stream, 4), put(bytes + 12, p->sequence, 4);
    for (int k = 0; k < p->n; k++) {
        uint8_t *event = bytes + UDP_HEADER + k * UDP_EVENT;
        put(event, (uint64_t)p->event[k].t_us, 8), put(event + 8, p->event[k].address, 4);
    }
    return UDP_HEADER + (size_t)p->n * UDP_EVENT;
}

bool udp_unpack(const uint8_t *bytes, size_t size, udp_packet *p)
{
    if (size < UDP_HEADER || memcmp(bytes, magic, sizeof magic) != 0 || bytes[4] != VERSION || bytes[5] != 0) return false;
    p->n = (int)get(bytes + 6, 2), p->stream = (uint32_t)get(bytes + 8, 4), p->sequence = (uint32_t)get(bytes + 12, 4);
    if (p->n > UDP_MOST_EVENTS || size != UDP_HEADER + (size_t)p->n * UDP_EVENT) return false;
    for (int k = 0; k < p->n; k++) {
        const uint8_t *event = bytes + UDP_HEADER + k * UDP_EVENT;
        p->event[k] = (udp_event){ (int64_t)get(event, 8), (uint32_t)get(event + 8, 4) };
    }
    return true;
}

/* ---- receiving -------------------------------------------------------------------------------------------------- */

/* What is known of a sender: which of its last 64 packets came. */
typedef struct stream {
    bool     known;
    uint32_t number, first, newest;
    uint64_t seen; /* bit k: packet newest - k */
    int64_t  last; /* packet of the receiver: the stream that has been silent for longest gives way */
} stream;

struct udp_receiver {
    int        socket, port;
    stream     streams[MOST_STREAMS];
    int64_t    taken;
    udp_counts counts;
};

static stream *stream_of(udp_receiver *r, uint32_t number)
{
    stream *oldest = &r->streams[0];
    for (int k = 0; k < MOST_STREAMS; k++) {
        stream *s = &r->streams[k];
        if (s->known && s->number == number) return s;
        if (!s->known || (oldest->known && s->last < oldest->last)) oldest = s;
    }
    *oldest = (stream){ .number = number };
    return oldest;
}

/* Whether the packet was not there before; numbers go round. */
static bool is_new(udp_counts *c, stream *s, uint32_t sequence)
{
    int64_t ahead = (int32_t)(sequence - s->newest);
    if (!s->known) {
        s->known = true, s->first = s->newest = sequence, s->seen = 1;
        return true;
    }
    if (ahead > 0) {
        c->lost += ahead - 1;
        s->seen = ahead < REMEMBERED ? s->seen << ahead | 1 : 1, s->newest = sequence;
        return true;
    }
    if (ahead <= -REMEMBERED || s->seen >> -ahead & 1) return c->duplicates++, false;
    s->seen |= UINT64_C(1) << -ahead;
    c->reordered++;
    c->lost -= (int32_t)(sequence - s->first) > 0; /* what came before we listened was never missed */
    return true;
}

bool udp_take(udp_receiver *r, const uint8_t *bytes, size_t size, udp_packet *packet)
{
    if (!udp_unpack(bytes, size, packet)) return r->counts.malformed++, false;
    stream *s = stream_of(r, packet->stream);
    s->last = r->taken++;
    if (!is_new(&r->counts, s, packet->sequence)) return false;
    r->counts.packets++, r->counts.events += packet->n;
    return true;
}

bool udp_receive(udp_receiver *r, udp_packet *packet)
{
    uint8_t bytes[UDP_MOST_BYTES + 1];
    for (;;) {
        ssize_t n = recv(r->socket, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false; /* nothing is there, or nothing that could be waited for */
        if (n > UDP_MOST_BYTES) r->counts.malformed++;
        else if (udp_take(r, bytes, (size_t)n, packet)) return true;
    }
}

udp_receiver *udp_receiver_new(void)
{
    udp_receiver *r = calloc(1, sizeof *r);
    if (r) r->socket = -1;
    return r;
}

static rv_status find_address(const char *host, int port, int flags, struct addrinfo **found, rv_error *error)
{
    char            service[16];
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = flags };
    snprintf(service, sizeof service, "%d", port);
    if (strcmp(host, "localhost") == 0) host = "127.0.0.1"; /* is this machine whatever a name service says (RFC 6761) */
    int why = getaddrinfo(host, service, &hints, found);
    return why == 0 ? RV_OK : error_set(error, RV_FILE_ERROR, "host \"%.100s\", port %d: %s", host, port, gai_strerror(why));
}

static int port_of(int descriptor)
{
    char                    service[16] = "0";
    struct sockaddr_storage address;
    socklen_t               length = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return 0;
    getnameinfo((struct sockaddr *)&address, length, NULL, 0, service, sizeof service, NI_NUMERICSERV | NI_DGRAM);
    return atoi(service);
}

rv_status udp_listen(const char *host, int port, udp_receiver **result, rv_error *error)
{
    struct addrinfo *address = NULL;
    udp_receiver    *r = *result = udp_receiver_new();
    if (!r) return error_memory(error, "a port", sizeof *r);
    rv_status status = find_address(host, port, AI_PASSIVE, &address, error);
    if (status == RV_OK) r->socket = socket(address->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (status == RV_OK && (r->socket < 0 || bind(r->socket, address->ai_addr, address->ai_addrlen) != 0))
        status = error_set(error, RV_FILE_ERROR, "port %d of \"%.100s\" cannot be listened to: %s", port, host, errno == EADDRINUSE ? "it is in use" : strerror(errno));
    if (address) freeaddrinfo(address);
    if (status != RV_OK) return udp_receiver_free(r), *result = NULL, status;
    setsockopt(r->socket, SOL_SOCKET, SO_RCVBUF, &(int){ BUFFER_BYTES }, sizeof(int)); /* as far as the system allows */
    r->port = port_of(r->socket);
    return RV_OK;
}

int        udp_port(const udp_receiver *r) { return r->port; }
udp_counts udp_received(const udp_receiver *r) { return r->counts; }

void udp_receiver_free(udp_receiver *r)
{
    if (r && r->socket >= 0) close(r->socket);
    free(r);
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

struct udp_sender {
    int                     socket;
    struct sockaddr_storage to;
    socklen_t               length;
    udp_packet              packet;
    udp_counts              counts;
};

rv_status udp_connect(const char *host, int port, udp_sender **result, rv_error *error)
{
    struct addrinfo *address = NULL;
    udp_sender      *s = *result = calloc(1, sizeof *s);
    if (!s) return error_memory(error, "a port", sizeof *s);
    s->socket = -1;
    rv_status status = find_address(host, port, 0, &address, error);
    if (status == RV_OK) {
        memcpy(&s->to, address->ai_addr, address->ai_addrlen), s->length = address->ai_addrlen;
        s->socket = socket(address->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        freeaddrinfo(address);
        if (s->socket < 0) status = error_set(error, RV_FILE_ERROR, "host \"%.100s\", port %d: %s", host, port, strerror(errno));
    }
    if (status != RV_OK) return udp_sender_free(s), *result = NULL, status;
    if (getrandom(&s->packet.stream, sizeof s->packet.stream, GRND_NONBLOCK) < 0) s->packet.stream = (uint32_t)getpid();
    return RV_OK;
}

void udp_flush(udp_sender *s)
{
    uint8_t bytes[UDP_MOST_BYTES];
    if (s->packet.n == 0) return;
    size_t  n = udp_pack(&s->packet, bytes);
    ssize_t sent = sendto(s->socket, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&s->to, s->length);
    if (sent == (ssize_t)n) s->counts.packets++, s->counts.events += s->packet.n;
    else s->counts.unsent++; /* its number is missing at the other end, which so learns of it */
    s->packet.sequence++, s->packet.n = 0;
}

void udp_send(udp_sender *s, udp_event event)
{
    s->packet.event[s->packet.n++] = event;
    if (s->packet.n == UDP_MOST_EVENTS) udp_flush(s);
}

udp_counts udp_sent(const udp_sender *s) { return s->counts; }

void udp_sender_free(udp_sender *s)
{
    if (!s) return;
    if (s->socket >= 0) udp_flush(s), close(s->socket);
    free(s);
}
