/* Colours between colours, for images: what canvas_patch() is given. */
#ifndef RV_VIZ_COLOURS_H
#define RV_VIZ_COLOURS_H

#include "sim/ranvier.h"

/** The colour on the way from one to another. @param part 0: from, 1: to */
uint32_t colours_mix(uint32_t from, uint32_t to, double part);

/** A colour of a scale for numbers. Lightness rises or falls all along it, so that it is read without colour vision too,
 *  and its weak end is near the page.
 *  @param two_signs blue below the middle, brown above it, and the middle is near the page; else green-blue from weak to
 *                   strong  @param dark the page is  @param x 0..1 */
uint32_t colours_scale(bool two_signs, bool dark, double x);

/** Is this the colour of a dark page? */
bool colours_is_dark(uint32_t rgb);

#endif
