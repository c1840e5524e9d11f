#include "sim/touched.h"

static void insertion_sort(uint16_t *list, int32_t n)
{
    for (int32_t i = 1; i < n; i++) {
        uint16_t x = list[i];
        int32_t  k = i;
        for (; k > 0 && list[k - 1] > x; k--) list[k] = list[k - 1];
        list[k] = x;
    }
}

static void radix_pass(const uint16_t *from, uint16_t *to, int32_t n, int shift)
{
    uint32_t count[256] = { 0 }, sum = 0;
    for (int32_t i = 0; i < n; i++) count[from[i] >> shift & 255]++;
    for (int v = 0; v < 256; v++) {
        uint32_t c = count[v];
        count[v] = sum, sum += c;
    }
    for (int32_t i = 0; i < n; i++) to[count[from[i] >> shift & 255]++] = from[i];
}

void touched_sort(tile_state *tile)
{
    if (tile->n_list < 64) {
        insertion_sort(tile->list, tile->n_list);
        return;
    }
    radix_pass(tile->list, tile->list_scratch, tile->n_list, 0);
    radix_pass(tile->list_scratch, tile->list, tile->n_list, 8);
}
