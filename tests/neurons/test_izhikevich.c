/* Izhikevich's neuron has no closed form: exact timing against a Runge-Kutta integration in small steps, the
 * convergence of the grid's Euler steps to it, and the scheme of the paper (Izhikevich 2003,
 * doi:10.1109/TNN.2003.820440). */
#include "tests/support/reference.h"

#include <math.h>

/* Regular spiking, under an input of 10 mV/ms. */
typedef struct izhikevich {
    double V, U; /* mV, mV/ms */
} izhikevich;

static izhikevich slope(izhikevich s)
{
    return (izhikevich){ 0.04 * s.V * s.V + 5 * s.V + 140 - s.U + 10, 0.02 * (0.2 * s.V - s.U) };
}
static izhikevich along(izhikevich s, izhikevich d, double h) { return (izhikevich){ s.V + h * d.V, s.U + h * d.U }; }

static izhikevich runge_kutta(izhikevich s, double h)
{
    izhikevich a = slope(s), b = slope(along(s, a, h / 2)), c = slope(along(s, b, h / 2)), d = slope(along(s, c, h));
    return (izhikevich){ s.V + h / 6 * (a.V + 2 * b.V + 2 * c.V + d.V), s.U + h / 6 * (a.U + 2 * b.U + 2 * c.U + d.U) };
}

/* The first n spikes, by small steps of order four; the last step before a spike is bisected. */
static void reference_izhikevich_spikes(int n, double *times)
{
    const double h = ldexp(1, -12);
    izhikevich   s = { -65, -13 };
    double       t = 0;
    for (int k = 0; k < n; t += h) {
        izhikevich next = runge_kutta(s, h);
        if (next.V < 30) {
            s = next;
            continue;
        }
        double low = 0, high = h;
        for (int i = 0; i < 60; i++) *(runge_kutta(s, (low + high) / 2).V < 30 ? &low : &high) = (low + high) / 2;
        times[k++] = t + low;
        s = runge_kutta((izhikevich){ -65, runge_kutta(s, low).U + 8 }, h - low);
    }
}

static void izhikevich_spikes(rv_timing timing, double h, int n, double *times)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = h, .timing = timing });
    rv_population neuron = reference_population(net, "neuron", 1, "izhikevich");
    reference_set(net, neuron, "I_e", 10);
    ENSURE_OK(net, rv_record_spikes(net, neuron));
    ENSURE_OK(net, rv_run(net, 200));
    assert_true(rv_spike_count(net, neuron) >= n);
    ENSURE_OK(net, rv_spike_read(net, neuron, 0, n, times, NULL));
    rv_net_free(net);
}

static void test_izhikevich_in_exact_timing(void **state)
{
    (void)state;
    double expected[4], got[4], worst = 0;
    reference_izhikevich_spikes(4, expected);
    for (double h = 0.125; h <= 1; h *= 8) {
        izhikevich_spikes(RV_EXACT, h, 4, got);
        for (int k = 0; k < 4; k++) {
            ENSURE_NEAR_IN(got[k], expected[k], 1e-9, "ms", "spike %d in steps of %g ms", k, h);
            worst = reference_worse(worst, got[k], expected[k]);
        }
    }
    print_message("izhikevich, exact timing: largest deviation %.2g ms\n", worst);
}

/* Forward Euler: the error of V_m at 2 ms, before the first spike, halves with the step; spikes follow. */
static void test_izhikevich_converges_with_order_one(void **state)
{
    (void)state;
    izhikevich exact = { -65, -13 };
    for (int k = 0; k < 2 << 12; k++) exact = runge_kutta(exact, ldexp(1, -12));
    double spikes[3], got[3], V, last = NAN;
    reference_izhikevich_spikes(3, spikes);
    for (int k = 5; k <= 12; k++) {
        double        h = ldexp(1, -k);
        rv_net       *net = reference_net((rv_net_def){ .resolution = h });
        rv_population neuron = reference_population(net, "neuron", 1, "izhikevich");
        reference_set(net, neuron, "I_e", 10);
        ENSURE_OK(net, rv_run(net, 2));
        ENSURE_OK(net, rv_get(net, rv_all(neuron), "V_m", &V));
        rv_net_free(net);
        if (k > 5)
            ENSURE_NEAR_IN(last / (V - exact.V), 2, 0.1, "(ratio of errors)", "V_m at 2 ms, from 2^-%d to 2^-%d ms",
                           k - 1, k);
        last = V - exact.V;
        izhikevich_spikes(RV_GRID, h, 3, got);
        for (int i = 0; i < 3; i++)
            ENSURE_NEAR_IN(got[i], spikes[i], 20 * h, "ms", "spike %d in steps of 2^-%d ms", i, k);
    }
}

/* consistent_integration = 0: the scheme as published, two half steps of V_m and input as a current of one step of 1
 * ms. */
static void test_izhikevich_as_published(void **state)
{
    (void)state;
    double        spikes[] = { 10, 20, 30, 31, 32, 33, 50 }, V = -65, U = -13, worst = 0;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population neuron = reference_population(net, "neuron", 1, "izhikevich");
    reference_set_all(net, neuron, "consistent_integration", 0.0, "I_e", 4.0, NULL);
    reference_play(net, "source", neuron, (reference_list){ 7, spikes }, 5, 1.0);
    rv_probe probe = reference_record(net, neuron, "V_m", 1);
    ENSURE_OK(net, rv_run(net, 200));
    reference_list got = reference_samples(net, probe);
    for (int64_t k = 0; k < got.n; k++) {
        double I_in = 4;
        for (int i = 0; i < 7; i++) I_in += spikes[i] + 1 == (double)(k + 1) ? 5 : 0;
        V += 0.5 * (0.04 * V * V + 5 * V + 140 - U + I_in);
        V += 0.5 * (0.04 * V * V + 5 * V + 140 - U + I_in);
        U += 0.02 * (0.2 * V - U);
        if (V >= 30) V = -65, U += 8;
        ENSURE_NEAR_IN(got.x[k], V, 1e-9, "mV", "V_m at %d ms", (int)k + 1);
        worst = reference_worse(worst, got.x[k], V);
    }
    print_message("izhikevich as published: largest deviation %.2g mV\n", worst);
    reference_list_free(&got);
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_izhikevich_in_exact_timing),
        cmocka_unit_test(test_izhikevich_converges_with_order_one),
        cmocka_unit_test(test_izhikevich_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
