/* A film of a running network, without a screen: the live view drawn at set moments into numbered pictures. */
#ifndef RV_VIZ_FILM_H
#define RV_VIZ_FILM_H

#include "viz/feed.h"

typedef struct film film;

/** @param folder is made if need be; the pictures are frame-00001.png and so on, 1280 x 800 pixels
 *  @return RV_OK, RV_OUT_OF_MEMORY, or RV_FILE_ERROR with a sentence */
rv_status film_open(feed *f, const char *folder, film **result, rv_error *error);

/** Draws what there is up to t_ms. Called on the thread that runs the network. */
rv_status film_shoot(film *m, double t_ms, rv_error *error);

void film_close(film *m);

#endif
