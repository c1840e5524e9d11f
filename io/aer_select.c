/* What of a recording is wanted: polarity, time, crop, downsampling, thinning, maximum, in this order. */
#include "io/aer_internal.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_BLOCK = 1024, MAX_COUNTED_PIXELS = 1 << 24 };

/* ---- checks ---------------------------------------------------------------------------------------------------- */

static rv_status refuse(rv_error *error, const char *option, double value, const char *unit, double low,
                        const char *high)
{
    return error_set(error, RV_OUT_OF_RANGE, "reading a recording: %s = %g%s, allowed %g to %s", option, value, unit,
                     low, high);
}

rv_status aer_check_options(const aer_options *o, rv_error *error)
{
    if ((unsigned)o->polarity > AER_MERGED)
        return refuse(error, "polarity", o->polarity, "", AER_BOTH, "3 (merged)");
    if (!(o->from_ms >= 0 && isfinite(o->from_ms)))
        return refuse(error, "the begin of the time window", o->from_ms, " ms", 0, "any time");
    if (isnan(o->to_ms) || (o->to_ms != 0 && !(o->to_ms > o->from_ms)))
        return refuse(error, "the end of the time window", o->to_ms, " ms", o->from_ms, "any later time, or 0: all");
    if (o->block < 0 || o->block > MAX_BLOCK) return refuse(error, "block", o->block, " pixels", 1, "1024 pixels");
    if (o->columns < 0 || o->rows < 0 || (o->columns == 0) != (o->rows == 0))
        return error_set(error, RV_OUT_OF_RANGE, "reading a recording: a grid of %d columns and %d rows, allowed are 1 to those of the crop, for both", o->columns, o->rows);
    if (o->columns > 0 && o->block > 1) return error_set(error, RV_CONFLICT, "reading a recording: block = %d and a grid of %d x %d pixels; one of them is needed", o->block, o->columns, o->rows);
    if (o->every < 0) return refuse(error, "every", o->every, "", 1, "any number");
    if (o->max_events < 0) return refuse(error, "max_events", (double)o->max_events, "", 1, "any number, or 0: all");
    return RV_OK;
}

/* The pixels [from, from + size) of an axis that has so many. */
static rv_status crop_axis(const char *axis, int from, int *size, int pixels, rv_error *error)
{
    if (from < 0 || from >= pixels)
        return error_set(error, RV_OUT_OF_RANGE, "crop of a recording: %s from pixel %d, allowed 0 to %d", axis, from,
                         pixels - 1);
    if (*size < 0 || *size > pixels - from)
        return error_set(error, RV_OUT_OF_RANGE, "crop of a recording: %s of %d pixels from pixel %d, allowed 1 to %d",
                         axis, *size, from, pixels - from);
    if (*size == 0) *size = pixels - from;
    return RV_OK;
}

/* ---- selection ------------------------------------------------------------------------------------------------- */

/* The options, in the numbers of the recording. */
typedef struct selection {
    aer_options o;            /* every option has its value: none is 0 for "all"     */
    double      from, to;     /* us since the first event                            */
    int         columns, rows;
    int        *counts;       /* [rows][columns][2] events so far; NULL: no thinning */
} selection;

static rv_status prepare(selection *s, const aer_events *e, const aer_options *options, rv_error *error)
{
    s->o = *options;
    TRY(crop_axis("columns", s->o.crop_x, &s->o.crop_width, e->width, error));
    TRY(crop_axis("rows", s->o.crop_y, &s->o.crop_height, e->height, error));
    if (s->o.block == 0) s->o.block = 1;
    if (s->o.max_events == 0) s->o.max_events = INT64_MAX;
    s->from = s->o.from_ms * 1e3;
    s->to = s->o.to_ms > 0 ? s->o.to_ms * 1e3 : INFINITY;
    s->columns = s->o.columns ? s->o.columns : (s->o.crop_width + s->o.block - 1) / s->o.block;
    s->rows = s->o.rows ? s->o.rows : (s->o.crop_height + s->o.block - 1) / s->o.block;
    if (s->columns > s->o.crop_width || s->rows > s->o.crop_height)
        return error_set(error, RV_OUT_OF_RANGE, "reading a recording: a grid of %d x %d pixels, allowed up to the %d x %d of the crop", s->columns, s->rows, s->o.crop_width, s->o.crop_height);
    if (s->o.every <= 1) return RV_OK;

    int64_t pixels = (int64_t)s->columns * s->rows;
    if (pixels > MAX_COUNTED_PIXELS)
        return error_set(error, RV_OUT_OF_RANGE, "thinning a recording of %d x %d pixels, allowed %d pixels together",
                         s->columns, s->rows, MAX_COUNTED_PIXELS);
    s->counts = calloc((size_t)pixels, 2 * sizeof *s->counts);
    return s->counts ? RV_OK : error_memory(error, "thinning a recording", 8.0 * (double)pixels);
}

/* True for the n-th, 2 n-th, ... event of a pixel and polarity. */
static bool its_turn(const selection *s, int x, int y, bool on)
{
    if (!s->counts) return true;
    int *count = &s->counts[2 * ((int64_t)y * s->columns + x) + on];
    if (++*count < s->o.every) return false;
    *count = 0;
    return true;
}

/* Whether event i stays; if so, its pixel and polarity become those of the new grid. */
static bool keep(const selection *s, aer_events *e, int64_t i)
{
    if (s->o.polarity == AER_ON && !e->polarity[i]) return false;
    if (s->o.polarity == AER_OFF && e->polarity[i]) return false;
    double t = (double)(e->t_us[i] - e->begin_us);
    int    x = e->x[i] - s->o.crop_x, y = e->y[i] - s->o.crop_y;
    if (t < s->from || t >= s->to) return false;
    if (x < 0 || y < 0 || x >= s->o.crop_width || y >= s->o.crop_height) return false;
    if (s->o.columns) x = (int)((int64_t)x * s->columns / s->o.crop_width), y = (int)((int64_t)y * s->rows / s->o.crop_height);
    else x /= s->o.block, y /= s->o.block;
    bool on = s->o.polarity == AER_MERGED || e->polarity[i];
    e->x[i] = (uint16_t)x, e->y[i] = (uint16_t)y, e->polarity[i] = on;
    return its_turn(s, x, y, on);
}

rv_status aer_select(aer_events *e, const aer_options *options, rv_error *error)
{
    selection s = { 0 };
    TRY(prepare(&s, e, options, error));
    int64_t kept = 0;
    for (int64_t i = 0; i < e->n && kept < s.o.max_events; i++) {
        if (!keep(&s, e, i)) continue;
        e->t_us[kept] = e->t_us[i], e->x[kept] = e->x[i], e->y[kept] = e->y[i], e->polarity[kept] = e->polarity[i];
        kept += 1;
    }
    e->n = kept, e->width = s.columns, e->height = s.rows;
    free(s.counts);
    return RV_OK;
}
