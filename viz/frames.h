/* Pictures for a film: frame-00001.png, frame-00002.png, ... in a folder, without gaps. For example
 *
 *   ffmpeg -framerate 30 -i frames/frame-%05d.png -pix_fmt yuv420p film.mp4
 *
 * Either every picture is wanted and adding one takes as long as writing it, or nobody may wait and pictures that come
 * faster than they can be written are left out. */
#ifndef RV_VIZ_FRAMES_H
#define RV_VIZ_FRAMES_H

#include "viz/canvas.h"

typedef struct frames frames;

/** Every picture is written, in frames_add().
 *  @param folder made if it is not there; there must be no frames of another film in it
 *  @return RV_OK, RV_FILE_ERROR or RV_OUT_OF_MEMORY */
rv_status frames_open(const char *folder, frames **f, rv_error *error);

/** Threads write; frames_add() never waits for them. The folder is new: frames-0001 in `where`, or the next number. */
rv_status frames_record(const char *where, frames **f, rv_error *error);

/** @param picture from canvas_new()
 *  @return RV_OK, also for a picture that was left out; RV_FILE_ERROR or RV_OUT_OF_MEMORY, of this or an earlier one:
 *  then nothing more is written */
rv_status frames_add(frames *f, canvas *picture, rv_error *error);

const char *frames_folder(const frames *f);
int64_t     frames_added(const frames *f);
int64_t     frames_left_out(const frames *f);

/** Waits until all pictures are written, and frees. NULL is allowed. @return as frames_add() */
rv_status frames_close(frames *f, rv_error *error);

#endif
