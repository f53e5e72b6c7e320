/* SPDX-License-Identifier: MIT */
/* Both virtual modules under seeded random events: the invariants hold, and the streams get deep into sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/module_chaos.h"

#define N_RUNS	400
#define N_BYTES 3000

static void fill(uint8_t *data, size_t n, uint32_t seed)
{
	uint32_t x = seed * 2654435761u + 1;
	size_t i;

	for (i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		data[i] = (uint8_t)(x >> 11);
	}
}

static void run(void (*chaos)(const uint8_t *, size_t, struct module_chaos_result *), uint32_t states)
{
	static uint8_t data[N_BYTES];
	struct module_chaos_result result = {0};
	uint32_t seed;

	for (seed = 1; seed <= N_RUNS; seed++) {
		fill(data, sizeof(data), seed);
		chaos(data, 200 + seed * 7 % (N_BYTES - 200), &result);
	}
	print_message("%u runs, %llu frames, visited 0x%X\n", N_RUNS, (unsigned long long)result.n_frames,
		      (unsigned)result.visited);
	assert_int_equal(result.visited & states, states);
}

static void test_module_chaos_secc_keeps_its_invariants(void **state)
{
	(void)state;
	run(module_chaos_secc, 0x17FE);
}

static void test_module_chaos_evcc_keeps_its_invariants(void **state)
{
	(void)state;
	run(module_chaos_evcc, 0x7FE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_module_chaos_secc_keeps_its_invariants),
		cmocka_unit_test(test_module_chaos_evcc_keeps_its_invariants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
