/* Templates: what "nest:iaf_psc_alpha", "nrn:IntFire1" or "pynn:IF_cond_exp" is here, and how its parameters are called.
 *
 *   nest:  the model of this name, as it is; units are those of the network. The names of the GLIF2NEST module are glif_psc with
 *          the mechanisms switched on that the name says
 *   nrn:   the artificial cell IntFire1; its parameters are in seconds
 *   pynn:  the standard cells; nA, nF and uS become pA, pF and nS (PyNN's own translation to NEST, pyNN/nest/standardmodels) */
#include "io/sonata_internal.h"

#include "sim/tables.h"

#define TAU_M_OF_G "tau_m of g_L" /* no parameter here: with C_m it gives g_L */

/* A parameter of the template, and what it is here. */
typedef struct translation {
    const char *from, *to;
    double      scale, standard; /* NAN: that of the model here */
} translation;

struct sonata_model {
    const char        *schema, *name, *native;
    double             weight_scale, current_scale;
    bool               event_driven, rests; /* rests: V_m begins at E_L */
    const translation *names; /* [n_names] */
    int                n_names;
};

static const translation intfire1[] = { { "tau", "tau", 1e3, NAN }, { "refrac", "refrac", 1e3, NAN }, { "m", "m", 1, NAN } };

#define PYNN_MEMBRANE                                                                                                          \
    { "cm", "C_m", 1e3, 1 }, { "tau_refrac", "t_ref", 1, 0.1 }, { "v_rest", "E_L", 1, -65 }, { "v_reset", "V_reset", 1, -65 }, \
    { "v_thresh", "V_th", 1, -50 }, { "i_offset", "I_e", 1e3, 0 }, { "v", "V_m", 1, NAN }
#define PYNN_SYNAPSES(ex, in) { "tau_syn_E", "tau_syn_ex", 1, ex }, { "tau_syn_I", "tau_syn_in", 1, in }
#define PYNN_REVERSAL(ex, in) { "e_rev_E", "E_ex", 1, ex }, { "e_rev_I", "E_in", 1, in }
#define PYNN_AEIF                                                                                                              \
    { "cm", "C_m", 1e3, 0.281 }, { "tau_refrac", "t_ref", 1, 0.1 }, { "v_spike", "V_peak", 1, -40 }, { "v_reset", "V_reset", 1, -70.6 }, \
    { "v_rest", "E_L", 1, -70.6 }, { "tau_m", TAU_M_OF_G, 1, 9.3667 }, { "i_offset", "I_e", 1e3, 0 }, { "a", "a", 1, 4 }, { "b", "b", 1e3, 0.0805 }, \
    { "delta_T", "Delta_T", 1, 2 }, { "tau_w", "tau_w", 1, 144 }, { "v_thresh", "V_th", 1, -50.4 }, { "v", "V_m", 1, NAN }, { "w", "w", 1e3, NAN }
static const translation if_curr_exp[] = { PYNN_MEMBRANE, { "tau_m", "tau_m", 1, 20 }, PYNN_SYNAPSES(5, 5) };
static const translation if_curr_alpha[] = { PYNN_MEMBRANE, { "tau_m", "tau_m", 1, 20 }, PYNN_SYNAPSES(0.5, 0.5) };
static const translation if_curr_delta[] = { PYNN_MEMBRANE, { "tau_m", "tau_m", 1, 20 } };
static const translation if_cond_exp[] = { PYNN_MEMBRANE, { "tau_m", TAU_M_OF_G, 1, 20 }, PYNN_SYNAPSES(5, 5), PYNN_REVERSAL(0, -70) };
static const translation if_cond_alpha[] = { PYNN_MEMBRANE, { "tau_m", TAU_M_OF_G, 1, 20 }, PYNN_SYNAPSES(0.3, 0.5), PYNN_REVERSAL(0, -70) };
static const translation izhikevich[] = { { "a", "a", 1, 0.02 }, { "b", "b", 1, 0.2 }, { "c", "c", 1, -65 }, { "d", "d", 1, 2 }, { "i_offset", "I_e", 1e3, 0 }, { "v", "V_m", 1, -70 }, { "u", "U_m", 1, -14 } };
static const translation eif_cond[] = { PYNN_AEIF, PYNN_SYNAPSES(5, 5), PYNN_REVERSAL(0, -80) };
static const translation hh_cond[] = { { "cm", "C_m", 1e3, 0.2 }, { "gbar_Na", "g_Na", 1e3, 20 }, { "gbar_K", "g_K", 1e3, 6 }, { "g_leak", "g_L", 1e3, 0.01 }, { "v_offset", "V_T", 1, -63 },
                                       { "e_rev_Na", "E_Na", 1, 50 }, { "e_rev_K", "E_K", 1, -90 }, { "e_rev_leak", "E_L", 1, -65 }, { "i_offset", "I_e", 1e3, 0 }, { "v", "V_m", 1, NAN },
                                       PYNN_REVERSAL(0, -80), { "tau_syn_E", "tau_syn_ex", 1, 0.2 }, { "tau_syn_I", "tau_syn_in", 1, 2 } };

#define NAMES(list) .names = list, .n_names = COUNT(list)
#define PYNN .schema = "pynn", .current_scale = 1e3, .rests = true
static const sonata_model models[] = {
    { .schema = "nrn", .name = "IntFire1", .native = "intfire1", .weight_scale = 1, .current_scale = 0, .event_driven = true, NAMES(intfire1) },
    { PYNN, .name = "IF_curr_exp", .native = "iaf_psc_exp", .weight_scale = 1e3, NAMES(if_curr_exp) },
    { PYNN, .name = "IF_curr_alpha", .native = "iaf_psc_alpha", .weight_scale = 1e3, NAMES(if_curr_alpha) },
    { PYNN, .name = "IF_curr_delta", .native = "iaf_psc_delta", .weight_scale = 1, NAMES(if_curr_delta) },
    { PYNN, .name = "IF_cond_exp", .native = "iaf_cond_exp", .weight_scale = 1e3, NAMES(if_cond_exp) },
    { PYNN, .name = "IF_cond_alpha", .native = "iaf_cond_alpha", .weight_scale = 1e3, NAMES(if_cond_alpha) },
    { PYNN, .name = "EIF_cond_exp_isfa_ista", .native = "aeif_cond_exp", .weight_scale = 1e3, NAMES(eif_cond) },
    { PYNN, .name = "EIF_cond_alpha_isfa_ista", .native = "aeif_cond_alpha", .weight_scale = 1e3, NAMES(eif_cond) },
    { PYNN, .name = "HH_cond_exp", .native = "hh_cond_exp_traub", .weight_scale = 1e3, NAMES(hh_cond) },
    { .schema = "pynn", .name = "Izhikevich", .native = "izhikevich", .weight_scale = 1e3, .current_scale = 1e3, NAMES(izhikevich) },
};
static const translation nest_names[] = { { "asc_init_1", "ASCurrents_1", 1, NAN }, { "asc_init_2", "ASCurrents_2", 1, NAN } };
static const sonata_model nest = { .schema = "nest", .weight_scale = 1, .current_scale = 1, NAMES(nest_names) };

/* Mechanisms by the names of the GLIF2NEST module, Teeter et al. 2018, doi:10.1038/s41467-017-02717-4: GLIF 1 to 5. */
static const translation glif_r[] = { { "spike_dependent_threshold", "spike_dependent_threshold", 1, 1 } };
static const translation glif_asc[] = { { "after_spike_currents", "after_spike_currents", 1, 1 } };
static const translation glif_r_asc[] = { { "spike_dependent_threshold", "spike_dependent_threshold", 1, 1 }, { "after_spike_currents", "after_spike_currents", 1, 1 } };
static const translation glif_r_asc_a[] = { { "spike_dependent_threshold", "spike_dependent_threshold", 1, 1 }, { "after_spike_currents", "after_spike_currents", 1, 1 }, { "adapting_threshold", "adapting_threshold", 1, 1 } };
#define GLIF(n) .schema = "nest", .name = n, .native = "glif_psc", .weight_scale = 1, .current_scale = 1
static const sonata_model glifs[] = {
    { GLIF("glif_lif") }, { GLIF("glif_lif_psc") }, { GLIF("glif_lif_r"), NAMES(glif_r) }, { GLIF("glif_lif_r_psc"), NAMES(glif_r) },
    { GLIF("glif_lif_asc"), NAMES(glif_asc) }, { GLIF("glif_lif_asc_psc"), NAMES(glif_asc) }, { GLIF("glif_lif_r_asc"), NAMES(glif_r_asc) }, { GLIF("glif_lif_r_asc_psc"), NAMES(glif_r_asc) },
    { GLIF("glif_lif_r_asc_a"), NAMES(glif_r_asc_a) }, { GLIF("glif_lif_r_asc_a_psc"), NAMES(glif_r_asc_a) },
};

/* ---- templates --------------------------------------------------------------------------------------------------- */

static const sonata_model *find_in(const sonata_model *list, int n, const char *schema, size_t length, const char *name)
{
    for (int k = 0; k < n; k++)
        if (strlen(list[k].schema) == length && strncmp(list[k].schema, schema, length) == 0 && strcmp(list[k].name, name) == 0) return &list[k];
    return NULL;
}

static rv_status unknown(const char *template, rv_error *error)
{
    const char *names[COUNT(models)];
    for (int k = 0; k < COUNT(models); k++) names[k] = models[k].name;
    return error_unknown(error, template, "cell", strchr(template, ':') + 1, names, COUNT(names));
}

rv_status sonata_model_find(const char *template, const sonata_model **model, const char **native, rv_error *error)
{
    const char *colon = strchr(template, ':'), *name = colon ? colon + 1 : template, *schema = colon ? template : "nest";
    size_t      length = colon ? (size_t)(colon - template) : strlen(schema);
    bool        is_nest = length == 4 && strncmp(schema, "nest", 4) == 0;
    rv_table    table;
    *model = find_in(models, COUNT(models), schema, length, name);
    if (!*model) *model = find_in(glifs, COUNT(glifs), schema, length, name);
    if (!*model && is_nest) *model = &nest;
    if (!*model && ((length == 4 && strncmp(schema, "pynn", 4) == 0) || (length == 3 && strncmp(schema, "nrn", 3) == 0))) return unknown(template, error);
    if (!*model) return error_set(error, RV_UNKNOWN_NAME, "template \"%.100s\": of the schemas nest:, pynn: and nrn:, not of %.*s:", template, (int)(length < 40 ? length : 40), schema);
    const char *wanted = (*model)->native ? (*model)->native : name;
    if (!rv_table_find(RV_NEURONS, wanted, &table)) return table_unknown(RV_NEURONS, template, wanted, error);
    *native = table.name;
    return RV_OK;
}

double sonata_model_weight_scale(const sonata_model *m) { return m->weight_scale; }
double sonata_model_current_scale(const sonata_model *m) { return m->current_scale; }
bool   sonata_model_is_event_driven(const sonata_model *m) { return m->event_driven; }

/* ---- parameters -------------------------------------------------------------------------------------------------- */

static bool set_native(sonata_values *v, const char *name, double x)
{
    if (strcmp(name, TAU_M_OF_G) == 0) return v->tau_m = x, true;
    int k = table_param(&v->table, name), state = k < 0 ? table_state(&v->table, name) : -1;
    if (state >= 0) k = v->table.n_params + state;
    if (k < 0 || k >= COUNT(v->x)) return false;
    return v->x[k] = x, true;
}

void sonata_model_defaults(const sonata_model *m, const char *native, sonata_values *v)
{
    rv_table_find(RV_NEURONS, native, &v->table);
    v->tau_m = NAN;
    for (int k = 0; k < COUNT(v->x); k++) v->x[k] = NAN;
    for (int k = 0; k < m->n_names; k++)
        if (!isnan(m->names[k].standard)) set_native(v, m->names[k].to, m->names[k].scale * m->names[k].standard);
}

bool sonata_model_set(const sonata_model *m, sonata_values *v, const char *name, double x)
{
    for (int k = 0; k < m->n_names; k++)
        if (strcmp(m->names[k].from, name) == 0) return set_native(v, m->names[k].to, m->names[k].scale * x);
    if (strcmp(m->schema, "nest") != 0) return false;
    return m == &nest ? set_native(v, name, x) : sonata_model_set(&nest, v, name, x);
}

bool sonata_model_is_param(const sonata_model *m, const sonata_values *v, const char *name)
{
    for (int k = 0; k < m->n_names; k++)
        if (strcmp(m->names[k].from, name) == 0) return strcmp(m->names[k].to, TAU_M_OF_G) == 0 || table_param(&v->table, m->names[k].to) >= 0;
    return strcmp(m->schema, "nest") == 0 && (table_param(&v->table, name) >= 0 || (strcmp(name, "V_m") == 0 && table_state(&v->table, name) >= 0));
}

static double get_native(const sonata_values *v, const char *name)
{
    int k = table_param(&v->table, name);
    return k >= 0 ? v->x[k] : NAN;
}

void sonata_model_finish(const sonata_model *m, sonata_values *v)
{
    int V_m = table_state(&v->table, "V_m");
    if (!isnan(v->tau_m)) set_native(v, "g_L", get_native(v, "C_m") / v->tau_m); /* pF / ms = nS */
    if (m->rests && V_m >= 0 && isnan(v->x[v->table.n_params + V_m])) v->x[v->table.n_params + V_m] = get_native(v, "E_L");
}
