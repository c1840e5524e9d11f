/* Reading a profile from a text file; the format is in hw/chip.h. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/chip.h"
#include "sim/error.h"
#include "sim/value.h"

enum { LONGEST_LINE = 512 };

typedef struct reader {
    const char *path;
    int         line;
    hw_chip    *chip;
    int         seen[HW_N_QUANTITIES]; /* the line that set it; 0: none */
    bool        any;                   /* whether anything came so far  */
    rv_error   *error;
} reader;

/* A line cut into its parts; texts are trimmed and may be empty. */
typedef struct assignment {
    char *name, *value, *comment;
} assignment;

static char *trimmed(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) end--;
    *end = 0;
    return text;
}

/* Cuts at the first `mark`. @return what is behind it, NULL if there is none */
static char *cut(char *text, char mark)
{
    char *at = strchr(text, mark);
    if (at) *at++ = 0;
    return at;
}

static rv_status refuse(const reader *r, rv_status status, const char *sentence)
{
    return error_set(r->error, status, "%s:%d: %s", r->path, r->line, sentence);
}

static rv_status set_like(reader *r, const assignment *a)
{
    char     name[HW_NAME_TEXT];
    rv_error why = { 0 };
    if (r->any) return refuse(r, RV_CONFLICT, "\"like\" must be the first line");
    snprintf(name, sizeof name, "%s", r->chip->name);
    rv_status status = hw_chip_find(a->value, r->chip, &why);
    if (status != RV_OK) return refuse(r, status, why.text);
    snprintf(r->chip->name, sizeof r->chip->name, "%s", name);
    return RV_OK;
}

static rv_status find_quantity(const reader *r, const char *name, hw_quantity *q)
{
    const char *names[HW_N_QUANTITIES];
    rv_error    why = { 0 };
    for (int k = 0; k < HW_N_QUANTITIES; k++) {
        names[k] = hw_quantities[k].name;
        if (strcmp(names[k], name) == 0) return *q = (hw_quantity)k, RV_OK;
    }
    error_unknown(&why, NULL, "quantity of a chip", name, names, HW_N_QUANTITIES);
    return refuse(r, RV_UNKNOWN_NAME, why.text);
}

static bool is_count(const rv_field *field) { return strcmp(field->unit, "1") == 0; }

static rv_status check_unit(const reader *r, const rv_field *field, const char *unit)
{
    if (*unit == 0 || strcmp(unit, field->unit) == 0) return RV_OK;
    if (is_count(field))
        return error_set(r->error, RV_CONFLICT, "%s:%d: %s is a count and has no unit, not \"%s\"", r->path, r->line, field->name, unit);
    return error_set(r->error, RV_CONFLICT, "%s:%d: %s is in %s, not in \"%s\"", r->path, r->line, field->name, field->unit, unit);
}

static rv_status check_value(const reader *r, const rv_field *field, double value)
{
    bool whole = is_count(field) || strcmp(field->unit, "bit") == 0 || strcmp(field->unit, "steps") == 0;
    char what[LONGEST_LINE];
    snprintf(what, sizeof what, "%.200s:%d: %s", r->path, r->line, field->name);
    if (!(value >= field->low && value <= field->high))
        return value_out_of_range(what, value, is_count(field) ? "" : field->unit, field->low, field->high, r->error);
    if (whole && value != floor(value)) return error_set(r->error, RV_OUT_OF_RANGE, "%s = %g, must be a whole number", what, value);
    return RV_OK;
}

static rv_status set_quantity(reader *r, const assignment *a)
{
    hw_quantity q = HW_CORES;
    TRY(find_quantity(r, a->name, &q));
    const rv_field *field = &hw_quantities[q];
    char           *end;
    double          value = strtod(a->value, &end);
    if (end == a->value)
        return error_set(r->error, RV_OUT_OF_RANGE, "%s:%d: %s = \"%s\" is not a number", r->path, r->line, a->name, a->value);
    TRY(check_unit(r, field, trimmed(end)));
    TRY(check_value(r, field, value));
    if (r->seen[q])
        return error_set(r->error, RV_CONFLICT, "%s:%d: %s was already given in line %d", r->path, r->line, a->name, r->seen[q]);
    r->seen[q] = r->line;
    hw_entry *entry = &r->chip->entry[q];
    entry->value = value, entry->trust = HW_STATED;
    if (*a->comment) snprintf(entry->source, sizeof entry->source, "%s", a->comment);
    else snprintf(entry->source, sizeof entry->source, "%.120s:%d", r->path, r->line);
    return RV_OK;
}

static rv_status read_line(reader *r, char *text)
{
    char      *comment = cut(text, '#'), *value = cut(text, '=');
    assignment a = { trimmed(text), value ? trimmed(value) : "", comment ? trimmed(comment) : "" };
    if (*a.name == 0 && !value) return RV_OK;
    if (*a.name == 0 || *a.value == 0) return refuse(r, RV_FILE_ERROR, "expected: name = value unit  # source");
    rv_status status = RV_OK;
    if (strcmp(a.name, "like") == 0) status = set_like(r, &a);
    else if (strcmp(a.name, "title") == 0) snprintf(r->chip->title, sizeof r->chip->title, "%s", a.value);
    else status = set_quantity(r, &a);
    r->any = true;
    return status;
}

/* "boards/mine.chip" names the chip "mine". */
static void name_after(const char *path, hw_chip *chip)
{
    const char *slash = strrchr(path, '/'), *begin = slash ? slash + 1 : path;
    const char *dot = strrchr(begin, '.');
    int         length = (int)(dot && dot > begin ? (size_t)(dot - begin) : strlen(begin));
    memset(chip, 0, sizeof *chip);
    snprintf(chip->name, sizeof chip->name, "%.*s", length, begin);
    snprintf(chip->title, sizeof chip->title, "from %.140s", path);
    for (int q = 0; q < HW_N_QUANTITIES; q++) chip->entry[q].value = hw_quantities[q].standard;
}

static rv_status check_together(const hw_chip *chip, const char *path, rv_error *error)
{
    double places = hw_value(chip, HW_MESH_X) * hw_value(chip, HW_MESH_Y) * hw_value(chip, HW_TILE_CORES);
    if (hw_value(chip, HW_CORES) > places)
        return error_set(error, RV_CONFLICT, "%s: cores = %g, but mesh_x * mesh_y * tile_cores have %g places", path,
                         hw_value(chip, HW_CORES), places);
    return RV_OK;
}

rv_status hw_chip_read(const char *path, hw_chip *chip, rv_error *error)
{
    FILE *file = fopen(path, "r");
    if (!file) return error_set(error, RV_FILE_ERROR, "chip file \"%s\" cannot be read", path);
    char      text[LONGEST_LINE];
    reader    r = { .path = path, .chip = chip, .error = error };
    rv_status status = RV_OK;
    name_after(path, chip);
    while (status == RV_OK && fgets(text, sizeof text, file)) {
        r.line++;
        if (strlen(text) + 1 == sizeof text) status = refuse(&r, RV_FILE_ERROR, "the line is longer than 500 characters");
        else status = read_line(&r, text);
    }
    fclose(file);
    return status == RV_OK ? check_together(chip, path, error) : status;
}
