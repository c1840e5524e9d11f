/* The rounding rules against tables that the tools made: Lava and netx (weights/), nengo-loihi (mapping/), Brian2Loihi (b2l/).
 * Integers are compared exactly. */
#include <string.h>

#include "hw/fixed_point.h"
#include "tests/support/fixture.h"

static fixed_sign sign_of(const char *text)
{
    return strcmp(text, "MIXED") == 0 ? FIXED_MIXED : strcmp(text, "EXCITATORY") == 0 ? FIXED_EXCITATORY : FIXED_INHIBITORY;
}

static void test_truncation(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("weights/weight_truncate.csv"));
    for (int r = 0; r < t.n_rows; r++) {
        double w = fixture_number(&t, r, "weight"), bits = fixture_number(&t, r, "num_weight_bits");
        double got = fixed_weight(w, sign_of(fixture_text(&t, r, "sign_mode")), (int)bits);
        ENSURE_NEAR_IN(got, fixture_number(&t, r, "effective"), 0, "", "%s, %g bits, weight %g", fixture_text(&t, r, "sign_mode"), bits, w);
    }
    print_message("%d weights\n", t.n_rows);
    fixture_close_table(&t);
}

static void test_formats(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("weights/weight_optimize.csv"));
    for (int r = 0; r < t.n_rows; r++) {
        reference_list in = fixture_list(fixture_text(&t, r, "weights_in")), out = fixture_list(fixture_text(&t, r, "weights_out"));
        fixed_sign     sign = sign_of(fixture_text(&t, r, "sign_mode"));
        fixed_format   got;
        rv_error       error = { 0 };
        bool           netx = strcmp(fixture_text(&t, r, "library"), "netx") == 0;
        rv_status      status = netx ? fixed_optimise_netx(in.x, in.n, &got, &error) : fixed_optimise_lava(in.x, in.n, sign, &got, &error);
        if (status != RV_OK) fail_msg("row %d: %s", r, error.text);
        assert_int_equal(got.sign, sign);
        assert_int_equal(got.weight_exp, fixture_number(&t, r, "weight_exp"));
        assert_int_equal(got.num_weight_bits, fixture_number(&t, r, "num_weight_bits"));
        for (int64_t k = 0; k < out.n; k++) ENSURE_NEAR_IN(fixed_shift(in.x[k], got.shift), out.x[k], 0, "", "row %d, weight %d", r, (int)k);
        reference_list_free(&in), reference_list_free(&out);
    }
    fixture_close_table(&t);
}

static void test_refused_formats(void **state)
{
    (void)state;
    fixed_format format;
    rv_error     error;
    assert_int_equal(fixed_optimise_netx((double[]){ 0, 0 }, 2, &format, &error), RV_OUT_OF_RANGE);
    assert_string_equal(error.text, "all 2 weights are 0, which netx cannot load: at least one must not be");
    assert_int_equal(fixed_optimise_lava((double[]){ 3, -1 }, 2, FIXED_EXCITATORY, &format, &error), RV_OUT_OF_RANGE);
    assert_string_equal(error.text, "weights from -1 to 3, allowed with sign_mode excitatory are 0 to 255");
    assert_int_equal(fixed_optimise_lava((double[]){ 0, 0 }, 2, FIXED_MIXED, &format, &error), RV_OK);
    assert_int_equal(format.weight_exp, 0);
}

static void test_wrap(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("mapping/overflow_signed.csv"));
    for (int r = 0; r < t.n_rows; r++) {
        double bits = fixture_number(&t, r, "bits"), x = fixture_number(&t, r, "x"), got = fixed_wrap(x, ldexp(1, (int)bits));
        ENSURE_NEAR_IN(got, fixture_number(&t, r, "y"), 0, "", "%g bits, %g", bits, x);
        assert_int_equal(got != x, fixture_number(&t, r, "overflowed"));
    }
    fixture_close_table(&t);
    const double cases[][2] = { { 0x1p23, 0x1p23 }, { 0x1p23 + 1, 1 - 0x1p23 }, { -0x1p23, 0x1p23 }, { 1 - 0x1p23, 1 - 0x1p23 }, { 0x1p25, 0x1p24 } };
    for (int k = 0; k < 5; k++) ENSURE_NEAR_IN(fixed_wrap_once(cases[k][0]), cases[k][1], 0, "", "Lava's wrap of %g", cases[k][0]);
}

static void test_nengo_weights(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("mapping/discretize_weights.csv"));
    for (int r = 0; r < t.n_rows; r++) {
        double             w = fixture_number(&t, r, "w_in");
        fixed_nengo_weight got = fixed_weight_nengo(w, (int)fixture_number(&t, r, "weight_bits_code"), (int)fixture_number(&t, r, "weight_exp"),
                                                    fixture_number(&t, r, "fanout_type") == 1);
        ENSURE_NEAR_IN(got.chip, fixture_number(&t, r, "w_chip_units"), 0, "", "row %d, weight %g", r, w);
        ENSURE_NEAR_IN(got.mantissa, fixture_number(&t, r, "w_mantissa"), 0, "", "row %d, mantissa of %g", r, w);
    }
    fixture_close_table(&t);
}

static void test_loihi1_weights(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("b2l/b2l_weights.csv"));
    for (int r = 0; r < t.n_rows; r++) {
        double w = fixture_number(&t, r, "w"), bits = fixture_number(&t, r, "num_weight_bits"), e = fixture_number(&t, r, "w_exp");
        double got = fixed_weight_loihi1(w, sign_of(fixture_text(&t, r, "sign_mode")), (int)bits, (int)e);
        ENSURE_NEAR_IN(got, fixture_number(&t, r, "w_act"), 0, "", "%s, %g bits, exponent %g, weight %g", fixture_text(&t, r, "sign_mode"), bits, e, w);
    }
    fixture_close_table(&t);
}

static void test_synapse_memory(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("mapping/synapse_bits.csv"));
    for (int r = 0; r < t.n_rows; r++) {
        fixed_synapse_layout layout = { (int)fixture_number(&t, r, "compression"), (int)fixture_number(&t, r, "idx_bits_code"),
                                        (int)fixture_number(&t, r, "weight_bits_code"), (int)fixture_number(&t, r, "delay_bits"),
                                        (int)fixture_number(&t, r, "tag_bits"), (int)fixture_number(&t, r, "n_synapses_field") };
        assert_int_equal(fixed_axon_bits(&layout, (int64_t)fixture_number(&t, r, "n_weights")), fixture_number(&t, r, "bits"));
    }
    fixture_close_table(&t);
}

/* The table does not say which of three lower bounds the voltage had; the integer it became does. */
static double min_voltage_of(double vmin, double v_scale)
{
    for (double v = -10; v < 0; v += 9)
        if (1 - ldexp(1, (int)rint(log2(1 - v * v_scale))) == vmin) return v;
    return 0;
}

static void compare_compartment(const fixture_table *t, int r)
{
    fixed_lif lif = { .tau_s = fixture_number(t, r, "tau_s"), .tau_rc = fixture_number(t, r, "tau_rc"), .tau_ref = fixture_number(t, r, "tau_ref"), .dt = 0.001,
                      .vth = fixture_number(t, r, "vth"), .bias = fixture_number(t, r, "bias"), .w_max = fixture_number(t, r, "w_max"),
                      .min_voltage = min_voltage_of(fixture_number(t, r, "vmin"), fixture_number(t, r, "v_scale")) };
    fixed_compartment c;
    rv_error          error = { 0 };
    rv_status         status = fixed_discretise(&lif, &c, &error);
    if (strcmp(fixture_text(t, r, "vth_int"), "ERROR") == 0) {
        assert_int_equal(status, RV_OUT_OF_RANGE);
        assert_true(strlen(error.text) > 20);
        return;
    }
    if (status != RV_OK) fail_msg("case %d: %s", r, error.text);
    const struct { const char *column; double got, relative; } fields[] = {
        { "decay_u", c.decay_u, 0 }, { "decay_v", c.decay_v, 0 }, { "refract_delay", c.refract_delay, 0 }, { "vth_int", c.vth, 0 }, { "bias_int", c.bias, 0 },
        { "vmin", c.vmin, 0 }, { "vmax", c.vmax, 0 }, { "w_exp", c.w_exp, 0 }, { "v_scale", c.v_scale, 1e-14 }, { "w_scale", c.w_scale, 1e-14 } };
    for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
        double expected = fixture_number(t, r, fields[k].column);
        ENSURE_NEAR_IN(fields[k].got, expected, fields[k].relative * fabs(expected), "", "case %d: %s", r, fields[k].column);
    }
}

static void test_compartments(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("mapping/discretize_compartment.csv"));
    for (int r = 0; r < t.n_rows; r++) compare_compartment(&t, r);
    fixture_close_table(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncation),    cmocka_unit_test(test_formats),        cmocka_unit_test(test_refused_formats), cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_nengo_weights), cmocka_unit_test(test_loihi1_weights), cmocka_unit_test(test_synapse_memory),  cmocka_unit_test(test_compartments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
