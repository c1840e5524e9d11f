/* Packets of spikes: the file is a row of datagrams, each behind its length in two bytes. */
#include "tests/fuzz/fuzz.h"

#include "io/file_bytes.h"
#include "io/udp.h"

static void fuzz_file(const char *path)
{
    uint8_t      *bytes;
    size_t        n;
    udp_packet    packet;
    udp_receiver *r = udp_receiver_new();
    if (file_bytes_load(path, &bytes, &n, NULL) != RV_OK || !r) abort();
    for (size_t at = 0, length; at + 2 <= n; at += 2 + length) {
        length = (size_t)(bytes[at] | bytes[at + 1] << 8) % (n - at - 1);
        if (udp_take(r, bytes + at + 2, length, &packet) && (packet.n < 0 || packet.n > UDP_MOST_EVENTS)) abort();
    }
    if (udp_received(r).lost < 0) abort();
    free(bytes);
    udp_receiver_free(r);
}
