/* Spikes over UDP: address-event packets, so that a robot, a camera or a second machine can be in the loop while a network runs.
 *
 * A packet, byte for byte; all numbers are little-endian:
 *
 *   0   4  magic      the letters RVEV
 *   4   1  version    1
 *   5   1  flags      0; a packet with others is refused
 *   6   2  n          events that follow, 0 to 120
 *   8   4  stream     a number the sender draws when it starts, so that a restart is not taken for lost packets
 *   12  4  sequence   of the packets of this stream: 0, 1, 2, ... and after 2^32 - 1 again 0
 *   16  12 n          events, each:
 *          0  8  time     us of the sender's clock, with sign; Ranvier sends simulated time
 *          8  4  address  the neuron in its population, from 0
 *
 * A packet is 16 + 12 n bytes, 1456 at most, so that none is fragmented on an Ethernet. Packets may be lost, doubled or arrive in
 * another order: the sequence numbers say so, and everything is counted. Nothing here ever blocks.
 *
 * Sending such packets from Python: sock.sendto(struct.pack("<4sBBHII", b"RVEV", 1, 0, n, stream, k) + b"".join(struct.pack("<qI",
 * t_us, neuron) for t_us, neuron in events), (host, port)). */
#ifndef RV_IO_UDP_H
#define RV_IO_UDP_H

#include "sim/ranvier.h"

enum { UDP_HEADER = 16, UDP_EVENT = 12, UDP_MOST_EVENTS = 120, UDP_MOST_BYTES = UDP_HEADER + UDP_MOST_EVENTS * UDP_EVENT };

typedef struct udp_event {
    int64_t  t_us;
    uint32_t address;
} udp_event;

/* ---- packets ------------------------------------------------------------------------------------------------- */

typedef struct udp_packet {
    uint32_t  stream, sequence;
    int       n;
    udp_event event[UDP_MOST_EVENTS];
} udp_packet;

/** @param bytes room for UDP_MOST_BYTES @return how many they are */
size_t udp_pack(const udp_packet *packet, uint8_t bytes[UDP_MOST_BYTES]);

/** @return whether the bytes are a packet */
bool udp_unpack(const uint8_t *bytes, size_t size, udp_packet *packet);

/* ---- receiving ----------------------------------------------------------------------------------------------- */

typedef struct udp_counts {
    int64_t packets, events; /* that were taken, or sent                                                         */
    int64_t lost;            /* packets whose number never came, so far                                          */
    int64_t reordered;       /* packets that came after a later one; they are taken, and not lost any more       */
    int64_t duplicates;      /* packets that had come before, or so late that nobody knows (64 packets)          */
    int64_t malformed;       /* not packets of this format                                                       */
    int64_t unsent;          /* packets that the system did not take                                             */
} udp_counts;

typedef struct udp_receiver udp_receiver;

/** Listens. @param host address of this machine, "127.0.0.1" for itself alone, "0.0.0.0" for all @param port 0: any that is free
 *  @return RV_OK, or RV_FILE_ERROR with a sentence: the port is in use, ... */
rv_status udp_listen(const char *host, int port, udp_receiver **r, rv_error *error);
int       udp_port(const udp_receiver *r);

/** The next packet that has arrived and is new. @return false if there is none for now */
bool udp_receive(udp_receiver *r, udp_packet *packet);

/** What udp_receive() does with the bytes of a datagram. @return whether it is a packet that is new */
bool udp_take(udp_receiver *r, const uint8_t *bytes, size_t size, udp_packet *packet);

udp_counts udp_received(const udp_receiver *r);
void       udp_receiver_free(udp_receiver *r);

/** One that listens to nothing, for udp_take(). NULL without memory */
udp_receiver *udp_receiver_new(void);

/* ---- sending ------------------------------------------------------------------------------------------------- */

typedef struct udp_sender udp_sender;

/** @return RV_OK, or RV_FILE_ERROR with a sentence: no such host, ... */
rv_status udp_connect(const char *host, int port, udp_sender **s, rv_error *error);

/** Adds an event to the packet, which goes out when it is full, or by udp_flush(). */
void       udp_send(udp_sender *s, udp_event event);
void       udp_flush(udp_sender *s);
udp_counts udp_sent(const udp_sender *s);
void       udp_sender_free(udp_sender *s); /* flushes */

#endif
