#include "hw/floorplan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/place.h"
#include "sim/error.h"

enum { CORE = 14, GAP = 2, TILE_GAP = 4, CHIP_GAP = 24, MARGIN = 20, TITLE = 44, LEGEND = 56, LEGEND_WIDTH = 200 };

/* ---- colours ---------------------------------------------------------------------------------------------------- */

typedef struct colour {
    int r, g, b;
} colour;

/* Viridis at five places, straight between (van der Walt & Smith 2015). */
static const colour viridis[] = { { 68, 1, 84 }, { 59, 82, 139 }, { 33, 145, 140 }, { 94, 201, 98 }, { 253, 231, 37 } };
static const colour over_limit = { 214, 39, 40 };

static colour colour_of(double full)
{
    double at = fmin(fmax(full, 0), 1) * 4;
    int    k = at < 4 ? (int)at : 3;
    double f = at - k;
    if (full > 1) return over_limit;
    return (colour){ (int)lround(viridis[k].r + f * (viridis[k + 1].r - viridis[k].r)), (int)lround(viridis[k].g + f * (viridis[k + 1].g - viridis[k].g)),
                     (int)lround(viridis[k].b + f * (viridis[k + 1].b - viridis[k].b)) };
}

/* ---- where things are ------------------------------------------------------------------------------------------- */

typedef struct plan {
    FILE         *out;
    const hw_map *map;
    mesh          m;
    int           across, tile_width, tile_height, chip_width, chip_height; /* cores in a row of a tile; pixels */
} plan;

static plan plan_of(const hw_map *map, FILE *out)
{
    plan p = { .out = out, .map = map, .m = mesh_of(&map->chip, map->n_chips) };
    p.across = (int)ceil(sqrt(p.m.tile_cores));
    p.tile_width = p.across * (CORE + GAP) + TILE_GAP;
    p.tile_height = (p.m.tile_cores + p.across - 1) / p.across * (CORE + GAP) + TILE_GAP;
    p.chip_width = p.m.x * p.tile_width, p.chip_height = p.m.y * p.tile_height;
    return p;
}

static int chip_x(const plan *p, int chip) { return MARGIN + chip % p->m.chips_x * (p->chip_width + CHIP_GAP); }
static int chip_y(const plan *p, int chip) { return MARGIN + TITLE + chip / p->m.chips_x * (p->chip_height + CHIP_GAP); }

static void place_xy(const plan *p, int chip, int place, int *x, int *y)
{
    int tile = place / p->m.tile_cores, k = place % p->m.tile_cores;
    *x = chip_x(p, chip) + tile / p->m.y * p->tile_width + k % p->across * (CORE + GAP) + TILE_GAP / 2;
    *y = chip_y(p, chip) + tile % p->m.y * p->tile_height + k / p->across * (CORE + GAP) + TILE_GAP / 2;
}

/* ---- drawing ---------------------------------------------------------------------------------------------------- */

static void draw_text(const plan *p, int x, int y, const char *text)
{
    fprintf(p->out, "<text x=\"%d\" y=\"%d\">", x, y);
    for (; *text; text++)
        if (*text == '&') fputs("&amp;", p->out);
        else if (*text == '<') fputs("&lt;", p->out);
        else fputc(*text, p->out);
    fputs("</text>\n", p->out);
}

static void draw_chip(const plan *p, int chip)
{
    int x, y;
    fprintf(p->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#888\"/>\n", chip_x(p, chip) - 2, chip_y(p, chip) - 2,
            p->chip_width + 2, p->chip_height + 2);
    for (int k = 0; k < mesh_places(&p->m); k++) {
        place_xy(p, chip, k, &x, &y);
        fprintf(p->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#eee\"/>\n", x, y, CORE, CORE);
    }
}

static void draw_core(const plan *p, int32_t c)
{
    const hw_core *core = &p->map->core[c];
    hw_resource    tightest;
    double         full = hw_map_fullness(p->map, c, &tightest);
    colour         fill = colour_of(full);
    int            x, y;
    place_xy(p, core->chip, core->place, &x, &y);
    fprintf(p->out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#%02x%02x%02x\"><title>core %d: %d neurons, %.0f %% of the %s; %.3g messages sent, "
                    "%.3g received per step</title></rect>\n",
            x, y, CORE, CORE, fill.r, fill.g, fill.b, c, core->n_neurons, 100 * full, hw_resource_name[tightest], core->sent, core->received);
}

static void draw_legend(const plan *p, int y)
{
    for (int k = 0; k < LEGEND_WIDTH; k += 4) {
        colour c = colour_of((double)k / (LEGEND_WIDTH - 4));
        fprintf(p->out, "<rect x=\"%d\" y=\"%d\" width=\"4\" height=\"10\" fill=\"#%02x%02x%02x\"/>\n", MARGIN + k, y, c.r, c.g, c.b);
    }
    fprintf(p->out, "<rect x=\"%d\" y=\"%d\" width=\"10\" height=\"10\" fill=\"#%02x%02x%02x\"/>\n", MARGIN + LEGEND_WIDTH + 20, y, over_limit.r,
            over_limit.g, over_limit.b);
    draw_text(p, MARGIN, y + 24, "0 %");
    draw_text(p, MARGIN + LEGEND_WIDTH - 36, y + 24, "100 %");
    draw_text(p, MARGIN + LEGEND_WIDTH + 36, y + 9, "over a limit");
    draw_text(p, MARGIN + 60, y + 24, "of the fullest");
}

static void draw(const plan *p)
{
    int  rows = (p->m.n_chips + p->m.chips_x - 1) / p->m.chips_x;
    int  width = 2 * MARGIN + p->m.chips_x * (p->chip_width + CHIP_GAP), bottom = chip_y(p, 0) + rows * (p->chip_height + CHIP_GAP);
    char title[200];
    if (width < 2 * MARGIN + 360) width = 2 * MARGIN + 360;
    fprintf(p->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", width, bottom + LEGEND);
    fputs("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n", p->out);
    snprintf(title, sizeof title, "%s: %d cores on %d chip%s", p->map->chip.name, p->map->n_cores, p->map->n_chips, p->map->n_chips == 1 ? "" : "s");
    draw_text(p, MARGIN, MARGIN + 12, title);
    snprintf(title, sizeof title, "%.4g messages and %.4g hops per step", p->map->messages, p->map->hops);
    draw_text(p, MARGIN, MARGIN + 28, title);
    for (int chip = 0; chip < p->m.n_chips; chip++) draw_chip(p, chip);
    for (int32_t c = 0; c < p->map->n_cores; c++) draw_core(p, c);
    draw_legend(p, bottom);
    fputs("</svg>\n", p->out);
}

rv_status hw_floorplan_write(const hw_map *map, const char *path, rv_error *error)
{
    FILE *out = fopen(path, "w");
    if (!out) return error_set(error, RV_FILE_ERROR, "\"%s\" cannot be written: %s", path, strerror(errno));
    plan p = plan_of(map, out);
    draw(&p);
    bool written = !ferror(out);
    if (fclose(out) != 0 || !written) return error_set(error, RV_FILE_ERROR, "\"%s\" cannot be written: %s", path, strerror(errno));
    return RV_OK;
}
