/* Learning rules as sums of products, as the learning engine of Loihi takes them (Davies et al. 2018,
 * doi:10.1109/MM.2018.112130359) and Lava writes them:
 *
 *   dw = "2^-2*x1*y0 - 2^-2*y1*x0 + u3*sgn(w - 4)*(y2 + 3)"
 *
 * A product has one dependency, which says when it counts:
 *   x0   the source has spiked in this epoch        y0   the target has        u3   in every 2^3rd epoch
 * and factors:
 *   x1 x2         traces of the source              y1 y2 y3    traces of the target
 *   w t d         weight, tag and delay of the synapse
 *   x0 y0         again, behind the dependency: 1 if there was a spike, else 0
 *   (y2 + 3)      any of them plus a constant       sgn(w - 4)  the sign of w, t or d, plus a constant
 *   3  0.25  2^-4 numbers, which together are the scale of the product */
#ifndef RV_SIM_PRODUCTS_H
#define RV_SIM_PRODUCTS_H

#include "sim/ranvier.h"

enum { MAX_FACTORS = 5 }; /* of a product, dependency and numbers apart: 5 of 9 bits are exact in a double */

typedef enum rule_symbol {
    SYMBOL_X0, SYMBOL_Y0, SYMBOL_X1, SYMBOL_X2, SYMBOL_Y1, SYMBOL_Y2, SYMBOL_Y3, SYMBOL_W, SYMBOL_T, SYMBOL_D,
    N_RULE_SYMBOLS
} rule_symbol;

typedef enum rule_dependency { WHEN_X0, WHEN_Y0, WHEN_U } rule_dependency;

typedef struct rule_factor {
    rule_symbol symbol;
    double      constant; /* added to it                    */
    bool        sign;     /* and of the sum the sign: -1..1 */
} rule_factor;

typedef struct rule_product {
    rule_dependency when;
    int             k;        /* of u                                         */
    double          mantissa; /* the scale is mantissa 2^exponent; as written */
    int             exponent;
    int             n_factors;
    rule_factor     factor[MAX_FACTORS];
    int             position; /* of its first character, from 1               */
} rule_product;

typedef struct rule_products {
    int           n;
    rule_product *product; /* [n] */
} rule_products;

/** Reads a rule. @param what begins the sentence, as in: projection "a" -> "b": dw
 *  @param p result, to be freed by products_free(), also after an error */
rv_status products_parse(const char *text, const char *what, rule_products *p, rv_error *error);
void      products_free(rule_products *p);

#endif
