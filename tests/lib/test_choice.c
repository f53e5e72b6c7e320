/* SPDX-License-Identifier: MIT */
/*
 * One test of a program alone: FORECOURT_TEST=NAME, with the wildcards * and ?. Linked into every test program;
 * tests/run.sh repeats a test that way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

__attribute__((constructor)) static void choose_test(void)
{
	const char *name = getenv("FORECOURT_TEST");

	if (name)
		cmocka_set_test_filter(name);
}
