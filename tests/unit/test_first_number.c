/* SPDX-License-Identifier: MIT */
/* Where a process begins to number its reports: behind whoever asked before it, in the same boot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/core/lease_hold.h"
#include "lib/linux/first_number.h"

static uint32_t ahead(uint32_t number, uint32_t of)
{
	return (number - of) & LEASE_HOLD_NUMBER_MASK;
}

/* An hour is more than any machine stands still between two lines. */
#define SOON (4 * 3600u)

static void test_first_number_goes_on_from_call_to_call(void **state)
{
	uint32_t a = first_number_now(), b = first_number_now();

	(void)state;
	assert_true(a <= LEASE_HOLD_NUMBER_MASK);
	assert_true(ahead(b, a) < SOON);
}

static void test_first_number_goes_on_from_process_to_process(void **state)
{
	uint32_t before = first_number_now(), child = 0;
	int fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		child = first_number_now();
		_exit(write(fds[1], &child, sizeof(child)) == sizeof(child) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
	close(fds[0]);
	close(fds[1]);
	assert_true(ahead(child, before) < SOON);
	assert_true(ahead(first_number_now(), child) < SOON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_number_goes_on_from_call_to_call),
		cmocka_unit_test(test_first_number_goes_on_from_process_to_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
