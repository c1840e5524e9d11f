/* Recordings of Lava's LearningDense (learn/): one projection, both sides' spikes imposed, played again step by step. */
#ifndef RV_TESTS_LEARNING_FIXTURE_H
#define RV_TESTS_LEARNING_FIXTURE_H

#include "tests/support/fixture.h"

/** Plays all recordings of an arithmetic ("floating_pt", "fixed_pt") and compares weights, tags and traces after every step.
 *  @param relative tolerance of every number; 0: bit for bit */
void learning_fixture_play_all(const char *arithmetic, double relative);

#endif
