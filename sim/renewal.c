#include "sim/renewal.h"

#include <gsl/gsl_randist.h>

double renewal_interval(rv_random *random, double dead, double shape, bool first)
{
    gsl_rng rng = random_gsl(random);
    double  scale = (1 - dead) / shape;
    if (!first) return dead + gsl_ran_gamma(&rng, shape, scale);
    double part = random_uniform(random);
    bool   dead_counts = random_uniform(random) < dead;
    return part * (dead + gsl_ran_gamma(&rng, dead_counts ? shape : shape + 1, scale));
}
