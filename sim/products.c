#include "sim/products.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"

static const char *const names[N_RULE_SYMBOLS] = { "x0", "y0", "x1", "x2", "y1", "y2", "y3", "w", "t", "d" };

typedef struct reader {
    const char *text, *at, *what;
    rv_error   *error;
} reader;

/* ---- words ------------------------------------------------------------------------------------------------------- */

static char next_char(reader *r)
{
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n') r->at++;
    return *r->at;
}

static bool take(reader *r, char c)
{
    bool there = next_char(r) == c;
    r->at += there;
    return there;
}

/* The sentence for something at a place of the text. */
static __attribute__((format(printf, 3, 4))) rv_status wrong(const reader *r, const char *at, const char *format, ...)
{
    char    why[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    int rest = (int)strcspn(at, "\n");
    return error_set(r->error, RV_CONFLICT, "%s, character %d (\"%.*s%s\"): %s", r->what, (int)(at - r->text) + 1, rest < 16 ? rest : 16, at,
                     rest < 16 ? "" : "...", why);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/* Signs in front of something; each minus turns the mantissa. */
static void read_signs(reader *r, double *mantissa)
{
    for (;;)
        if (take(r, '-')) *mantissa = -*mantissa;
        else if (!take(r, '+')) return;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

static rv_status read_power(reader *r, const char *begin, double base, double *mantissa, int *exponent)
{
    double sign = 1;
    if (base != 2) return wrong(r, begin, "only 2 can be raised to a power");
    read_signs(r, &sign);
    size_t digits = strspn(r->at, "0123456789");
    if (digits < 1 || digits > 3) return wrong(r, begin, "the exponent is a whole number of up to three digits");
    *mantissa /= 2, *exponent += (int)sign * atoi(r->at);
    r->at += digits;
    return RV_OK;
}

/* 3, 0.25, 2^-4: multiplied into mantissa 2^exponent */
static rv_status read_number(reader *r, double *mantissa, int *exponent)
{
    const char *begin = r->at;
    char        digits[32] = "";
    size_t      n = strspn(begin, "0123456789.");
    if (n >= sizeof digits) return wrong(r, begin, "a number has fewer than %d digits", (int)sizeof digits);
    memcpy(digits, begin, n);
    char  *end;
    double x = strtod(digits, &end);
    if (*end || end == digits) return wrong(r, begin, "this is not a number");
    r->at += n;
    *mantissa *= x;
    if (take(r, '^')) return read_power(r, begin, x, mantissa, exponent);
    if (is_letter(*r->at)) return wrong(r, begin, "behind a number comes *, + or -");
    return RV_OK;
}

/* ---- symbols -------------------------------------------------------------------------------------------------------- */

static size_t name_length(const reader *r)
{
    size_t n = 0;
    while (is_letter(r->at[n]) || is_digit(r->at[n])) n++;
    return n;
}

/* @return N_RULE_SYMBOLS if the next word is none of them */
static rule_symbol find_symbol(const reader *r)
{
    size_t n = name_length(r);
    int    k = 0;
    while (k < N_RULE_SYMBOLS && (strlen(names[k]) != n || strncmp(names[k], r->at, n) != 0)) k++;
    return (rule_symbol)k;
}

static rv_status read_symbol(reader *r, rule_symbol *symbol)
{
    *symbol = find_symbol(r);
    if (*symbol == N_RULE_SYMBOLS) {
        if (!*r->at) return wrong(r, r->at, "something is missing at the end");
        return wrong(r, r->at, "allowed are x0, y0, u0 to u9, x1, x2, y1, y2, y3, w, t, d, numbers, brackets and sgn()");
    }
    r->at += name_length(r);
    return RV_OK;
}

static rv_status add_factor(const reader *r, const char *begin, rule_factor f, rule_product *p)
{
    if (p->n_factors == MAX_FACTORS) return wrong(r, begin, "a product has at most %d factors", MAX_FACTORS);
    p->factor[p->n_factors++] = f;
    return RV_OK;
}

/* u3 */
static rv_status read_epochs(reader *r, rule_product *p, bool *depends)
{
    const char *begin = r->at;
    if (name_length(r) != 2) return wrong(r, begin, "allowed are u0 to u9");
    if (*depends) return wrong(r, begin, "a product has one dependency: u cannot stand behind x0, y0 or u");
    p->when = WHEN_U, p->k = begin[1] - '0', *depends = true;
    r->at += 2;
    return RV_OK;
}

static rv_status read_plain(reader *r, rule_product *p, bool *depends)
{
    const char *begin = r->at;
    rule_symbol symbol;
    if (r->at[0] == 'u' && is_digit(r->at[1])) return read_epochs(r, p, depends);
    TRY(read_symbol(r, &symbol));
    bool spike = symbol == SYMBOL_X0 || symbol == SYMBOL_Y0;
    if (!spike || *depends) return add_factor(r, begin, (rule_factor){ symbol, 0, false }, p);
    p->when = symbol == SYMBOL_X0 ? WHEN_X0 : WHEN_Y0;
    *depends = true;
    return RV_OK;
}

/* ---- brackets ------------------------------------------------------------------------------------------------------- */

typedef struct bracket {
    rule_symbol symbol; /* N_RULE_SYMBOLS: none */
    double      side;   /* its sign             */
    double      constant;
} bracket;

/* A term of a bracket: a symbol, once; or numbers multiplied with each other. */
static rv_status read_term(reader *r, bracket *b)
{
    double mantissa = 1;
    int    exponent = 0;
    read_signs(r, &mantissa);
    if (!is_digit(next_char(r)) && *r->at != '.') {
        if (b->symbol != N_RULE_SYMBOLS) return wrong(r, r->at, "a bracket holds one variable and constants");
        b->side = mantissa;
        return read_symbol(r, &b->symbol);
    }
    do {
        next_char(r);
        TRY(read_number(r, &mantissa, &exponent));
    } while (take(r, '*'));
    b->constant += ldexp(mantissa, exponent);
    return RV_OK;
}

/* (v + c), (c), sgn(v + c): a minus in front of v is one in front of the bracket. */
static rv_status read_bracket(reader *r, bool sign, rule_product *p)
{
    const char *begin = r->at;
    bracket     b = { N_RULE_SYMBOLS, 1, 0 };
    do TRY(read_term(r, &b));
    while (next_char(r) == '+' || *r->at == '-');
    if (!take(r, ')')) return wrong(r, r->at, "the bracket is not closed by )");
    if (sign && b.symbol < SYMBOL_W) return wrong(r, begin, "sgn() is for w, t and d");
    if (b.symbol == N_RULE_SYMBOLS && sign) return wrong(r, begin, "sgn() needs w, t or d");
    p->mantissa *= b.symbol == N_RULE_SYMBOLS ? b.constant : b.side;
    if (b.symbol == N_RULE_SYMBOLS) return RV_OK;
    /* + 0: a constant is never -0 */
    return add_factor(r, begin, (rule_factor){ b.symbol, b.side * b.constant + 0.0, sign }, p);
}

/* ---- products ------------------------------------------------------------------------------------------------------- */

static rv_status read_factor(reader *r, rule_product *p, bool *depends)
{
    read_signs(r, &p->mantissa);
    if (is_digit(next_char(r)) || *r->at == '.') return read_number(r, &p->mantissa, &p->exponent);
    if (take(r, '(')) return read_bracket(r, false, p);
    if (strncmp(r->at, "sgn", 3) != 0 || name_length(r) != 3) return read_plain(r, p, depends);
    r->at += 3;
    if (!take(r, '(')) return wrong(r, r->at, "behind sgn comes (");
    return read_bracket(r, true, p);
}

static rv_status read_product(reader *r, rule_product *p)
{
    bool depends = false;
    next_char(r);
    const char *begin = r->at;
    *p = (rule_product){ .mantissa = 1, .position = (int)(begin - r->text) + 1 };
    do TRY(read_factor(r, p, &depends));
    while (take(r, '*'));
    if (!depends) return wrong(r, begin, "this product has no dependency: it needs x0, y0 or one of u0 to u9");
    if (!isfinite(p->mantissa) || abs(p->exponent) > 1000) return wrong(r, begin, "the numbers of this product are out of range");
    char end = next_char(r);
    if (end == 0 || end == '+' || end == '-') return RV_OK;
    return wrong(r, r->at, end == ')' ? "there is no ( before this )" : "expected is *, + or -");
}

rv_status products_parse(const char *text, const char *what, rule_products *p, rv_error *error)
{
    reader r = { text, text, what, error };
    *p = (rule_products){ 0 };
    do {
        rule_product *grown = realloc(p->product, (size_t)(p->n + 1) * sizeof *grown);
        if (!grown) return error_memory(error, "a learning rule", sizeof *grown);
        p->product = grown;
        TRY(read_product(&r, &p->product[p->n++]));
    } while (next_char(&r));
    return RV_OK;
}

void products_free(rule_products *p)
{
    free(p->product);
    *p = (rule_products){ 0 };
}
