/* Numbered PNG files. While recording, pictures are copied into a few slots that two threads empty: a PNG of a window
 * takes about 70 ms, a copy less than one. */
#include "viz/frames.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SLOTS = 8, WRITERS = 2, MOST_FILMS = 9999 };

typedef enum slot_state { SLOT_EMPTY, SLOT_FILLING, SLOT_FULL, SLOT_WRITING } slot_state;

typedef struct slot {
    slot_state state;
    uint32_t  *pixels; /* [height][width] */
    size_t     room;   /* pixels          */
    int        width, height;
    int64_t    number;
} slot;

struct frames {
    char   *folder;
    int64_t added, left_out;
    /* the lock is over all below; only recordings have threads */
    pthread_mutex_t lock;
    pthread_cond_t  filled;
    pthread_t       writer[WRITERS];
    int             n_writers;
    slot            slot[SLOTS];
    bool            over;
    rv_error        error; /* the first; status RV_OK: none */
};

/* ---------------------------------------------------------------------------------------------- writing --- */

static rv_status write_picture(const frames *f, int64_t number, const uint32_t *pixels, int width, int height,
                               rv_error *error)
{
    size_t    room = strlen(f->folder) + 40;
    char     *path = malloc(room);
    canvas   *page = NULL;
    rv_status status = RV_OUT_OF_MEMORY;
    if (!path) return canvas_fail(error, status, "frames: no memory");
    snprintf(path, room, "%s/frame-%05lld.png", f->folder, (long long)number);
    status = canvas_open(path, width, height, 72, &page, error); /* a point is a pixel */
    if (status == RV_OK) {
        canvas_patch(page, 0, 0, width, height, pixels, width, height);
        status = canvas_close(page, error);
    }
    free(path);
    return status;
}

static void keep_error(frames *f, const rv_error *error)
{
    pthread_mutex_lock(&f->lock);
    if (f->error.status == RV_OK) f->error = *error;
    pthread_mutex_unlock(&f->lock);
}

/* The full slot that comes first in the film, NULL if all are empty. */
static slot *next_full(frames *f)
{
    slot *first = NULL;
    for (int k = 0; k < SLOTS; k++)
        if (f->slot[k].state == SLOT_FULL && (!first || f->slot[k].number < first->number)) first = &f->slot[k];
    return first;
}

/* Runs in the writing threads until the film is over and all slots are empty. */
static void *write_slots(void *argument)
{
    frames *f = argument;
    pthread_mutex_lock(&f->lock);
    for (;;) {
        slot *s;
        while (!(s = next_full(f)) && !f->over) pthread_cond_wait(&f->filled, &f->lock);
        if (!s) break;
        s->state = SLOT_WRITING;
        rv_error error = f->error;
        pthread_mutex_unlock(&f->lock);
        if (error.status == RV_OK) write_picture(f, s->number, s->pixels, s->width, s->height, &error);
        keep_error(f, &error);
        pthread_mutex_lock(&f->lock);
        s->state = SLOT_EMPTY;
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---------------------------------------------------------------------------------- opening and closing --- */

static rv_status make_film(const char *folder, frames **f)
{
    *f = calloc(1, sizeof **f);
    if (!*f) return RV_OUT_OF_MEMORY;
    pthread_mutex_init(&(*f)->lock, NULL);
    pthread_cond_init(&(*f)->filled, NULL);
    (*f)->folder = strdup(folder);
    return (*f)->folder ? RV_OK : RV_OUT_OF_MEMORY;
}

static bool has_frames(const char *folder)
{
    DIR *entries = opendir(folder);
    bool found = false;
    for (struct dirent *entry; entries && !found && (entry = readdir(entries));)
        found = !strncmp(entry->d_name, "frame-", 6);
    if (entries) closedir(entries);
    return found;
}

static rv_status make_folder(const char *folder, rv_error *error)
{
    if (!mkdir(folder, 0777)) return RV_OK;
    if (errno != EEXIST)
        return canvas_fail(error, RV_FILE_ERROR, "frames: folder \"%s\" cannot be made: %s", folder, strerror(errno));
    if (!has_frames(folder)) return RV_OK;
    return canvas_fail(error, RV_FILE_ERROR,
                       "frames: folder \"%s\" holds the frames of another film; remove them or choose another folder",
                       folder);
}

rv_status frames_open(const char *folder, frames **f, rv_error *error)
{
    *f = NULL;
    rv_status status = make_folder(folder, error);
    if (status == RV_OK && make_film(folder, f) != RV_OK)
        status = canvas_fail(error, RV_OUT_OF_MEMORY, "frames: no memory");
    if (status == RV_OK) return RV_OK;
    frames_close(*f, NULL);
    *f = NULL;
    return status;
}

/* Makes the first folder frames-N that is not there yet. @param folder result, long enough */
static rv_status make_numbered_folder(const char *where, char *folder, size_t room, rv_error *error)
{
    for (int n = 1; n <= MOST_FILMS; n++) {
        snprintf(folder, room, "%s/frames-%04d", where, n);
        if (!mkdir(folder, 0777)) return RV_OK;
        if (errno != EEXIST) break;
    }
    return canvas_fail(error, RV_FILE_ERROR, "frames: folder \"%s\" cannot be made: %s", folder, strerror(errno));
}

rv_status frames_record(const char *where, frames **f, rv_error *error)
{
    size_t room = strlen(where) + 40;
    char  *folder = malloc(room);
    *f = NULL;
    rv_status status = folder ? make_numbered_folder(where, folder, room, error)
                              : canvas_fail(error, RV_OUT_OF_MEMORY, "frames: no memory");
    if (status == RV_OK) status = frames_open(folder, f, error);
    while (status == RV_OK && (*f)->n_writers < WRITERS &&
           !pthread_create(&(*f)->writer[(*f)->n_writers], NULL, write_slots, *f))
        (*f)->n_writers++;
    free(folder);
    return status;
}

rv_status frames_close(frames *f, rv_error *error)
{
    if (!f) return RV_OK;
    pthread_mutex_lock(&f->lock);
    f->over = true;
    pthread_cond_broadcast(&f->filled);
    pthread_mutex_unlock(&f->lock);
    for (int k = 0; k < f->n_writers; k++) pthread_join(f->writer[k], NULL);
    rv_status status = f->error.status;
    if (status != RV_OK && error) *error = f->error;
    for (int k = 0; k < SLOTS; k++) free(f->slot[k].pixels);
    pthread_cond_destroy(&f->filled);
    pthread_mutex_destroy(&f->lock);
    free(f->folder);
    free(f);
    return status;
}

/* ----------------------------------------------------------------------------------------------- adding --- */

static slot *take_empty_slot(frames *f)
{
    slot *s = NULL;
    pthread_mutex_lock(&f->lock);
    for (int k = 0; k < SLOTS && !s; k++)
        if (f->slot[k].state == SLOT_EMPTY) s = &f->slot[k];
    if (s) s->state = SLOT_FILLING;
    pthread_mutex_unlock(&f->lock);
    return s;
}

static void put_back(frames *f, slot *s, slot_state state)
{
    pthread_mutex_lock(&f->lock);
    s->state = state;
    pthread_cond_signal(&f->filled);
    pthread_mutex_unlock(&f->lock);
}

static rv_status fill(slot *s, canvas *picture, rv_error *error)
{
    int             stride;
    const uint32_t *pixels = canvas_pixels(picture, &s->width, &s->height, &stride);
    size_t          width = (size_t)s->width, n = width * (size_t)s->height;
    if (s->room < n) {
        free(s->pixels);
        s->pixels = malloc(n * sizeof *pixels);
        s->room = s->pixels ? n : 0;
    }
    if (!s->pixels)
        return canvas_fail(error, RV_OUT_OF_MEMORY, "frames: no memory for a picture of %d x %d", s->width, s->height);
    for (int row = 0; row < s->height; row++)
        memcpy(s->pixels + (size_t)row * width, pixels + (ptrdiff_t)row * stride, width * sizeof *pixels);
    return RV_OK;
}

/* What went wrong before, in this thread or in one that writes. */
static rv_status status_of(frames *f, rv_error *error)
{
    pthread_mutex_lock(&f->lock);
    rv_status status = f->error.status;
    if (status != RV_OK && error) *error = f->error;
    pthread_mutex_unlock(&f->lock);
    return status;
}

rv_status frames_add(frames *f, canvas *picture, rv_error *error)
{
    rv_status status = status_of(f, error);
    slot     *s = status == RV_OK ? take_empty_slot(f) : NULL;
    if (status == RV_OK && !s) f->left_out++;
    if (!s) return status;
    rv_error own = { 0 };
    bool     filled = fill(s, picture, &own) == RV_OK;
    if (filled) s->number = ++f->added;
    if (filled && f->n_writers == 0) write_picture(f, s->number, s->pixels, s->width, s->height, &own);
    keep_error(f, &own);
    put_back(f, s, filled && f->n_writers > 0 ? SLOT_FULL : SLOT_EMPTY);
    return status_of(f, error);
}

const char *frames_folder(const frames *f) { return f->folder; }
int64_t     frames_added(const frames *f) { return f->added; }
int64_t     frames_left_out(const frames *f) { return f->left_out; }
