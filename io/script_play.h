/* Playing a recording: the results' side of the feed that the window looks at, in the place of a simulation. */
#ifndef RV_IO_SCRIPT_PLAY_H
#define RV_IO_SCRIPT_PLAY_H

#include "io/results.h"
#include "viz/feed.h"

typedef struct player player;

/** Hands over what the recording holds. @param r taken over @param follow whether the file may grow
 *  @return RV_OK, or RV_OUT_OF_MEMORY with a sentence */
rv_status player_open(results *r, const char *title, bool follow, player **result, rv_error *error);

feed *player_feed(player *p);

/** Answers the window until it is closed, and takes up what is added to the file. */
void player_serve(player *p);

void player_close(player *p);

#endif
