/* SPDX-License-Identifier: MIT */
/*
 * Faults of the virtual bus: each kind, what it matches, and that the same seed gives the same run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "lib/can/can_bus_virtual.h"

static struct can_hub hub;
static struct can_bus *node[4];
static unsigned n_tapped;
static struct can_frame tapped;

static void tap(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	(void)ctx;
	(void)time_us;
	(void)sender;
	n_tapped++;
	tapped = *f;
}

static void start(uint64_t seed)
{
	const struct can_hub_cfg cfg = {.seed = seed};
	struct can_filter all = can_filter_all();
	unsigned i;

	can_hub_init(&hub, &cfg, 0);
	n_tapped = 0;
	can_hub_set_tap(&hub, tap, NULL);
	for (i = 0; i < 4; i++) {
		can_hub_add_node(&hub, &node[i]);
		can_bus_set_filters(node[i], &all, 1);
	}
}

static int add(struct can_fault f)
{
	int handle;

	if (f.probability_ppm == 0)
		f.probability_ppm = CAN_FAULT_ALWAYS;
	handle = can_hub_add_fault(&hub, &f);
	assert_true(handle >= 0);
	return handle;
}

static void send(unsigned from, canid_t id)
{
	struct can_frame f = {.can_id = id, .can_dlc = 8, .data = {(uint8_t)id, 2, 3, 4, 5, 6, 7, 8}};

	assert_int_equal(can_bus_send(node[from], &f), 0);
}

static bool take(unsigned n, struct can_frame *f, int64_t *time_us)
{
	struct can_rx_info info;

	if (can_bus_recv(node[n], f, &info) != 1)
		return false;
	*time_us = info.time_us;
	return true;
}

/* Identifiers waiting at a node as digits: "123" for 1, 2, 3. */
static const char *ids(unsigned n)
{
	static char text[16];
	struct can_frame f;
	int64_t t_us;
	size_t i = 0;

	while (i < sizeof(text) - 1 && take(n, &f, &t_us))
		text[i++] = (char)('0' + (f.can_id & 0xf));
	text[i] = '\0';
	return text;
}

static void test_fault_lose_hits_only_what_matches(void **state)
{
	int handle;

	(void)state;
	start(1);
	handle = add((struct can_fault){
		.kind = CAN_FAULT_LOSE, .id = 2, .mask = CAN_SFF_MASK | CAN_EFF_FLAG, .from = 1});
	send(0, 1);
	send(0, 2);
	send(1, 2);
	send(0, CAN_EFF_FLAG | 2);
	assert_string_equal(ids(2), "122");
	assert_int_equal(can_hub_fault_hits(&hub, handle), 1);
	assert_int_equal(n_tapped, 3); /* lost for all: it never was on the bus */
	can_hub_remove_fault(&hub, handle);
	send(0, 2);
	assert_string_equal(ids(2), "2");
}

static void test_fault_at_one_receiver_leaves_the_others_and_the_tap(void **state)
{
	(void)state;
	start(1);
	add((struct can_fault){.kind = CAN_FAULT_LOSE, .to = 1 << 2});
	send(0, 1);
	assert_string_equal(ids(1), "1");
	assert_string_equal(ids(2), "");
	assert_string_equal(ids(3), "1");
	assert_int_equal(n_tapped, 1);
}

static void test_fault_window_and_count_limit_it(void **state)
{
	int handle;

	(void)state;
	start(1);
	handle = add(
		(struct can_fault){.kind = CAN_FAULT_LOSE, .since_us = 100, .until_us = 200, .max_hits = 2});
	send(0, 1);
	can_hub_advance(&hub, 100);
	send(0, 2);
	send(0, 3);
	send(0, 4); /* third hit: used up */
	assert_string_equal(ids(1), "14");
	can_hub_remove_fault(&hub, handle);
	add((struct can_fault){.kind = CAN_FAULT_LOSE, .since_us = 100, .until_us = 200});
	can_hub_advance(&hub, 199);
	send(0, 5);
	can_hub_advance(&hub, 200);
	send(0, 6);
	assert_string_equal(ids(1), "6");
}

static void test_fault_delay_lets_later_frames_overtake(void **state)
{
	struct can_frame f;
	int64_t t_us = 0;

	(void)state;
	start(1);
	add((struct can_fault){
		.kind = CAN_FAULT_DELAY, .id = 1, .mask = CAN_SFF_MASK, .to = 2, .delay_us = 500});
	send(0, 1);
	send(0, 2);
	assert_string_equal(ids(2), "12");
	assert_string_equal(ids(1), "2");
	assert_int_equal(can_hub_next_us(&hub), 500);
	can_hub_advance(&hub, 700);
	assert_true(take(1, &f, &t_us));
	assert_int_equal(f.can_id, 1);
	assert_int_equal(t_us, 500);
	assert_int_equal(can_hub_next_us(&hub), FC_NEVER);
}

static void test_fault_delayed_frames_come_in_order_of_their_times(void **state)
{
	unsigned i;
	int handle;

	(void)state;
	start(1);
	for (i = 1; i <= 9; i++) { /* 1 latest, 9 earliest */
		handle = add((struct can_fault){.kind = CAN_FAULT_DELAY,
						.delay_us = 1000 - 100 * (int64_t)(i / 2)});
		send(0, i);
		can_hub_remove_fault(&hub, handle);
	}
	can_hub_advance(&hub, 5000);
	assert_string_equal(ids(1), "896745231"); /* equal times: as sent */
}

static void test_fault_duplicate_comes_twice(void **state)
{
	struct can_frame f;
	int64_t t_us = 0;
	int handle;

	(void)state;
	start(1);
	handle = add((struct can_fault){.kind = CAN_FAULT_DUPLICATE, .max_hits = 1});
	send(0, 1);
	send(0, 2);
	assert_string_equal(ids(1), "112");
	assert_int_equal(n_tapped, 3);
	can_hub_remove_fault(&hub, handle);
	add((struct can_fault){.kind = CAN_FAULT_DUPLICATE, .max_hits = 1, .delay_us = 30});
	send(0, 3);
	send(0, 4);
	assert_string_equal(ids(1), "34");
	can_hub_advance(&hub, 30);
	assert_true(take(1, &f, &t_us));
	assert_int_equal(f.can_id, 3);
	assert_int_equal(t_us, 30);
}

static void test_fault_reorder_swaps_neighbours(void **state)
{
	int handle;

	(void)state;
	start(1);
	handle = add((struct can_fault){.kind = CAN_FAULT_REORDER, .max_hits = 1, .delay_us = 100});
	send(0, 1);
	assert_string_equal(ids(1), "");
	send(0, 2);
	send(0, 3);
	assert_string_equal(ids(1), "213");
	can_hub_advance(&hub, 1000);
	assert_string_equal(ids(1), "");
	can_hub_remove_fault(&hub, handle);
	add((struct can_fault){.kind = CAN_FAULT_REORDER, .max_hits = 1, .delay_us = 100});
	send(0, 4);
	can_hub_advance(&hub, 1100); /* nothing came to be swapped with */
	assert_string_equal(ids(1), "4");
}

static void test_fault_corrupt_sets_the_bits_asked_for(void **state)
{
	struct can_fault rule = {
		.kind = CAN_FAULT_CORRUPT, .to = 2, .set_mask = {0, 0xf0}, .set_value = {0, 0xa5}};
	struct can_frame f = {0};
	int64_t t_us;

	(void)state;
	start(1);
	add(rule);
	send(0, 1);
	assert_true(take(1, &f, &t_us));
	assert_memory_equal(f.data, "\x01\xa2\x03\x04\x05\x06\x07\x08", 8);
	assert_true(take(2, &f, &t_us));
	assert_memory_equal(f.data, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	assert_int_equal(tapped.data[1], 2);
}

static void test_fault_corrupt_at_random_flips_one_bit(void **state)
{
	static const uint8_t sound[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct can_frame f = {0};
	unsigned i, k, n_bits;
	int64_t t_us;

	(void)state;
	start(7);
	add((struct can_fault){.kind = CAN_FAULT_CORRUPT});
	for (i = 0; i < 100; i++) {
		send(0, 1);
		assert_true(take(1, &f, &t_us));
		for (n_bits = 0, k = 0; k < 8; k++)
			n_bits += (unsigned)__builtin_popcount((unsigned)(f.data[k] ^ sound[k]));
		assert_int_equal(n_bits, 1);
		assert_memory_equal(&tapped, &f, sizeof(f)); /* for all: the bus itself carried it */
		while (take(2, &f, &t_us) || take(3, &f, &t_us))
			;
	}
}

static void test_fault_rules_work_on_what_earlier_ones_left(void **state)
{
	struct can_frame f = {0};
	int64_t t_us = 0;

	(void)state;
	start(1);
	add((struct can_fault){.kind = CAN_FAULT_DELAY, .to = 2, .delay_us = 10});
	add((struct can_fault){
		.kind = CAN_FAULT_CORRUPT, .to = 2 | 4, .set_mask = {0xff}, .set_value = {0x55}});
	add((struct can_fault){.kind = CAN_FAULT_LOSE, .to = 4});
	send(0, 1);
	assert_string_equal(ids(2), "");
	assert_string_equal(ids(3), "1");
	can_hub_advance(&hub, 10);
	assert_true(take(1, &f, &t_us));
	assert_int_equal(f.data[0], 0x55);
	assert_int_equal(t_us, 10);
}

static void test_fault_probability_is_kept_and_repeatable(void **state)
{
	unsigned run, i, n_lost[3];
	char pattern[3][1001];
	int handle;

	(void)state;
	for (run = 0; run < 3; run++) {
		start(run == 2 ? 43 : 42);
		handle = add((struct can_fault){.kind = CAN_FAULT_LOSE, .probability_ppm = 300000});
		for (i = 0; i < 1000; i++) {
			send(0, 1);
			pattern[run][i] = ids(1)[0] ? 'x' : '.';
			while (*ids(2) || *ids(3))
				;
		}
		pattern[run][1000] = '\0';
		n_lost[run] = can_hub_fault_hits(&hub, handle);
	}
	assert_string_equal(pattern[0], pattern[1]);
	assert_string_not_equal(pattern[0], pattern[2]);
	assert_in_range(n_lost[0], 250, 350);
	assert_in_range(n_lost[2], 250, 350);
}

static void test_fault_probability_zero_never_hits(void **state)
{
	struct can_fault f = {.kind = CAN_FAULT_LOSE, .probability_ppm = 0};

	(void)state;
	start(1);
	assert_true(can_hub_add_fault(&hub, &f) >= 0);
	send(0, 1);
	assert_string_equal(ids(1), "1");
}

static void test_fault_too_many_held_back_are_counted(void **state)
{
	unsigned i;

	(void)state;
	start(1);
	add((struct can_fault){.kind = CAN_FAULT_DELAY, .delay_us = 10});
	for (i = 0; i < CAN_HUB_DELAYED + 5; i++)
		send(0, 1);
	assert_int_equal(hub.n_delayed_lost, 5);
	can_hub_advance(&hub, 10);
	assert_int_equal(n_tapped, CAN_HUB_DELAYED);
}

static void test_fault_bad_rules_are_refused(void **state)
{
	struct can_fault f = {.kind = CAN_FAULT_REORDER, .probability_ppm = 5};
	unsigned i;

	(void)state;
	start(1);
	assert_int_equal(can_hub_add_fault(&hub, &f), -EINVAL);
	f.kind = CAN_FAULT_DELAY;
	f.delay_us = -1;
	assert_int_equal(can_hub_add_fault(&hub, &f), -EINVAL);
	f.delay_us = 1;
	f.probability_ppm = CAN_FAULT_ALWAYS + 1;
	assert_int_equal(can_hub_add_fault(&hub, &f), -EINVAL);
	f.probability_ppm = 1;
	for (i = 0; i < CAN_HUB_FAULTS; i++)
		assert_int_equal(can_hub_add_fault(&hub, &f), i);
	assert_int_equal(can_hub_add_fault(&hub, &f), -ENOSPC);
	can_hub_remove_fault(&hub, 3);
	assert_int_equal(can_hub_add_fault(&hub, &f), 3);
	can_hub_remove_faults(&hub);
	assert_int_equal(hub.n_faults, 0);
	can_hub_remove_fault(&hub, -1);
	can_hub_remove_fault(&hub, CAN_HUB_FAULTS);
	assert_int_equal(can_hub_fault_hits(&hub, 99), 0);
}

static void test_fault_delayed_frame_does_not_reach_a_node_gone_meanwhile(void **state)
{
	(void)state;
	start(1);
	add((struct can_fault){.kind = CAN_FAULT_DELAY, .delay_us = 10});
	send(0, 1);
	can_hub_set_bus_off(&hub, 1, FC_NEVER);
	can_hub_advance(&hub, 20);
	assert_string_equal(ids(1), "0"); /* the error frame only */
	assert_string_equal(ids(2), "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_lose_hits_only_what_matches),
		cmocka_unit_test(test_fault_at_one_receiver_leaves_the_others_and_the_tap),
		cmocka_unit_test(test_fault_window_and_count_limit_it),
		cmocka_unit_test(test_fault_delay_lets_later_frames_overtake),
		cmocka_unit_test(test_fault_delayed_frames_come_in_order_of_their_times),
		cmocka_unit_test(test_fault_duplicate_comes_twice),
		cmocka_unit_test(test_fault_reorder_swaps_neighbours),
		cmocka_unit_test(test_fault_corrupt_sets_the_bits_asked_for),
		cmocka_unit_test(test_fault_corrupt_at_random_flips_one_bit),
		cmocka_unit_test(test_fault_rules_work_on_what_earlier_ones_left),
		cmocka_unit_test(test_fault_probability_is_kept_and_repeatable),
		cmocka_unit_test(test_fault_probability_zero_never_hits),
		cmocka_unit_test(test_fault_too_many_held_back_are_counted),
		cmocka_unit_test(test_fault_bad_rules_are_refused),
		cmocka_unit_test(test_fault_delayed_frame_does_not_reach_a_node_gone_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
