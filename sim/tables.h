/* Looking things up in the tables of models, rules and kinds of input. */
#ifndef RV_SIM_TABLES_H
#define RV_SIM_TABLES_H

#include "sim/ranvier.h"

/** The index of a parameter, a state variable or a parameter that is a text, -1 if the table has none of that name. */
int table_param(const rv_table *table, const char *name);
int table_state(const rv_table *table, const char *name);
int table_text(const rv_table *table, const char *name);

/** `<object>: no parameter "tau_M" of iaf_psc_delta; did you mean "tau_m"?` */
rv_status table_unknown_param(const rv_table *table, const char *object, const char *name, rv_error *error);

/** `<object>: no parameter or state "v" of iaf_psc_delta; ...`, for what can be set or read either way. */
rv_status table_unknown_field(const rv_table *table, const char *object, const char *name, rv_error *error);

/** `<object>: no neuron model "iaf_psc_delt"; did you mean "iaf_psc_delta"?` @param object may be NULL */
rv_status table_unknown(rv_table_kind kind, const char *object, const char *name, rv_error *error);

#endif
