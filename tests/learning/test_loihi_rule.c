#include "tests/support/learning_fixture.h"
static void test_recordings(void **state) { (void)state; learning_fixture_play_all("floating_pt", 1e-12); }
int main(void) { const struct CMUnitTest tests[] = { cmocka_unit_test(test_recordings) }; return cmocka_run_group_tests(tests, NULL, NULL); }
