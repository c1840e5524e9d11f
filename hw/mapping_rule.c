/* Learning rules in mapping files: as they were given, for whoever makes the network again, and in the registers of the chip's learning
 * engine. The layout is described in hw/mapping_file.h. */
#include "hw/mapping_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/loihi_learning.h"
#include "sim/epoch.h"
#include "sim/net.h"

static hdf5_path place(int rule, const char *name)
{
    hdf5_path p;
    snprintf(p.path, sizeof p.path, *name ? "/rules/%d/%s" : "/rules/%d%s", rule, name);
    return p;
}

/* Products and their factors, number after number. */
typedef struct rule_rows {
    double *product, *factor; /* [n_products][PRODUCT_COLUMNS], [n_factors][FACTOR_COLUMNS] */
    int     n_products, n_factors;
} rule_rows;

enum { PRODUCT_COLUMNS = 7, FACTOR_COLUMNS = 3 };

static void list_products(const epoch_rule *rule, rule_rows *rows)
{
    for (int v = 0; v < N_EPOCH_VARIABLES; v++)
        for (int i = 0; i < rule->sum[v].n; i++) {
            const rule_product *p = &rule->sum[v].product[i];
            int                 mantissa = 0, exponent = 0;
            loihi_scale(p, &mantissa, &exponent);
            const double row[PRODUCT_COLUMNS] = { v, p->when, p->k, mantissa, exponent, loihi_product_shift(p), rows->n_factors };
            memcpy(rows->product + PRODUCT_COLUMNS * rows->n_products++, row, sizeof row);
            for (int f = 0; f < p->n_factors; f++) {
                const double factor[FACTOR_COLUMNS] = { p->factor[f].symbol, p->factor[f].constant, p->factor[f].sign };
                memcpy(rows->factor + FACTOR_COLUMNS * rows->n_factors++, factor, sizeof factor);
            }
        }
}

static rv_status write_products(hdf5_file *f, int k, const epoch_rule *rule)
{
    size_t    n = 1;
    for (int v = 0; v < N_EPOCH_VARIABLES; v++) n += (size_t)rule->sum[v].n;
    rule_rows rows = { .product = malloc(n * PRODUCT_COLUMNS * sizeof(double)), .factor = malloc(n * MAX_FACTORS * FACTOR_COLUMNS * sizeof(double)) };
    rv_status status = rows.product && rows.factor ? RV_OK : error_memory(&f->error, "learning rules", 0);
    if (status == RV_OK) list_products(rule, &rows);
    if (status == RV_OK) status = hdf5_write_array(f, place(k, "products").path, HDF5_F64, rows.product, 2, (const int64_t[]){ rows.n_products, PRODUCT_COLUMNS });
    if (status == RV_OK) status = hdf5_write_array(f, place(k, "factors").path, HDF5_F64, rows.factor, 2, (const int64_t[]){ rows.n_factors, FACTOR_COLUMNS });
    free(rows.product), free(rows.factor);
    return status;
}

static rv_status write_traces(hdf5_file *f, int k, const export_rule *rule)
{
    rv_epochs e = { .t_epoch = 1 };
    double    traces[N_EPOCH_TRACES][2];
    rule->rule->epochs(rule->param, rule->text, &e);
    for (int t = 0; t < N_EPOCH_TRACES; t++) traces[t][0] = e.impulse[t], traces[t][1] = e.tau[t];
    return hdf5_write_array(f, place(k, "traces").path, HDF5_F64, traces, 2, (const int64_t[]){ N_EPOCH_TRACES, 2 });
}

rv_status mapping_write_rule(hdf5_file *f, int k, const export_net *e, int projection)
{
    const export_rule *rule = e->projection[projection].learning;
    const network     *net = e->net->net;
    const epoch_rule  *engine = net->bundle[network_bundle_of(net, projection)].epoch;
    const rv_table    *table = &rule->rule->table;
    hdf5_path          at = place(k, "");
    TRY(hdf5_make_group(f, at.path));
    TRY(hdf5_set_text(f, at.path, "name", table->name));
    for (int i = 0; i < table->n_params; i++) TRY(hdf5_set_double(f, at.path, table->params[i].name, rule->param[i]));
    for (int i = 0; i < table->n_texts; i++) TRY(hdf5_set_text(f, at.path, table->texts[i].name, rule->text[i] ? rule->text[i] : ""));
    TRY(hdf5_set_numbers(f, at.path, "low", HDF5_F64, engine->low, N_EPOCH_VARIABLES));
    TRY(hdf5_set_numbers(f, at.path, "high", HDF5_F64, engine->high, N_EPOCH_VARIABLES));
    TRY(write_traces(f, k, rule));
    return write_products(f, k, engine);
}
