/* SPDX-License-Identifier: MIT */
/*
 * The small parts of the buses: software filters, held frames, kernel stamps, link edges, and the sending
 * port with an injected kernel that refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include <forecourt/units.h>

#include "lib/can/can_filter_set.h"
#include "lib/can/can_hold.h"
#include "lib/can/can_port.h"
#include "lib/can/can_rx_batch.h"
#include "lib/can/can_rx_clock.h"

static struct can_frame frame(canid_t id, uint8_t value)
{
	struct can_frame f;

	memset(&f, 0, sizeof(f));
	f.can_id = id;
	f.can_dlc = 1;
	f.data[0] = value;
	return f;
}

/* --- filters -------------------------------------------------------------------------------------------- */

static bool passes(const struct can_filter *f, size_t n, canid_t id)
{
	static struct can_filter_set set;

	assert_int_equal(can_filter_set_put(&set, f, n), 0);
	return can_filter_set_match(&set, id);
}

static void test_filters_none_let_nothing_but_errors_pass(void **state)
{
	(void)state;
	assert_false(passes(NULL, 0, 0x123));
	assert_true(passes(NULL, 0, CAN_BUS_DOWN_ID));
	assert_true(passes(NULL, 0, CAN_ERR_FLAG | CAN_ERR_CRTL));
	assert_false(passes(NULL, 0, CAN_ERR_FLAG | CAN_ERR_LOSTARB));
}

static void test_filters_exact_tells_formats_and_remote_frames_apart(void **state)
{
	const struct can_filter sff = can_filter_exact(0x123), eff = can_filter_exact(CAN_EFF_FLAG | 0x123);

	(void)state;
	assert_true(passes(&sff, 1, 0x123));
	assert_false(passes(&sff, 1, 0x122));
	assert_false(passes(&sff, 1, CAN_EFF_FLAG | 0x123));
	assert_false(passes(&sff, 1, CAN_RTR_FLAG | 0x123));
	assert_true(passes(&eff, 1, CAN_EFF_FLAG | 0x123));
	assert_false(passes(&eff, 1, 0x123));
	assert_false(passes(&eff, 1, CAN_EFF_FLAG | CAN_RTR_FLAG | 0x123));
	assert_false(passes(&eff, 1, CAN_EFF_FLAG | 0x10000123));
}

static void test_filters_all_lets_every_frame_pass(void **state)
{
	const struct can_filter all = can_filter_all();

	(void)state;
	assert_true(passes(&all, 1, 0));
	assert_true(passes(&all, 1, CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_EFF_MASK));
}

static void test_filters_inverted_lets_all_others_pass(void **state)
{
	struct can_filter f = {0x200 | CAN_INV_FILTER, 0x700};

	(void)state;
	assert_true(passes(&f, 1, 0x123));
	assert_false(passes(&f, 1, 0x234));
}

static void test_filters_for_short_identifiers_ignore_the_longer_bits(void **state)
{
	struct can_filter f = {0x8123, CAN_EFF_MASK | CAN_EFF_FLAG};

	(void)state;
	assert_true(passes(&f, 1, 0x123));
	assert_true(passes(&f, 1, CAN_RTR_FLAG | 0x123));
	f.can_mask |= CAN_RTR_FLAG;
	assert_true(passes(&f, 1, 0x123));
	assert_false(passes(&f, 1, CAN_RTR_FLAG | 0x123));
}

static void test_filters_full_set_agrees_with_one_by_one(void **state)
{
	static struct can_filter f[CAN_BUS_MAX_FILTERS + 1];
	static struct can_filter_set set;
	canid_t id;
	bool expected;
	size_t i;

	(void)state;
	for (i = 0; i < CAN_BUS_MAX_FILTERS; i++)
		f[i] = can_filter_exact(i % 2 ? CAN_EFF_FLAG | (canid_t)(i * 0x10001)
					      : (canid_t)(i * 3 % 2048));
	f[7].can_mask = CAN_EFF_FLAG | 0x7f0;
	assert_int_equal(can_filter_set_put(&set, f, CAN_BUS_MAX_FILTERS + 1), -E2BIG);
	assert_int_equal(can_filter_set_put(&set, f, CAN_BUS_MAX_FILTERS), 0);
	for (id = 0; id < 4096; id++) {
		canid_t tried = id < 2048 ? id : CAN_EFF_FLAG | (id - 2048) * 0x10001;

		for (expected = false, i = 0; i < CAN_BUS_MAX_FILTERS; i++)
			expected = expected || can_filter_match(&f[i], tried);
		assert_int_equal(can_filter_set_match(&set, tried), expected);
	}
}

/* --- held frames ---------------------------------------------------------------------------------------- */

static void test_hold_keeps_the_newest_of_each_identifier_in_order(void **state)
{
	static struct can_hold h;
	struct can_frame a1 = frame(1, 1), a2 = frame(1, 2), b = frame(2, 9);

	(void)state;
	can_hold_init(&h);
	assert_int_equal(can_hold_put(&h, &a1, 0), CAN_HOLD_ADDED);
	assert_int_equal(can_hold_put(&h, &b, 0), CAN_HOLD_ADDED);
	assert_int_equal(can_hold_put(&h, &a2, 5), CAN_HOLD_REPLACED);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.frame[0].data[0], 2);
	assert_int_equal(h.frame[1].can_id, 2);
	can_hold_pop(&h, 1);
	assert_int_equal(h.frame[0].can_id, 2);
	can_hold_pop(&h, 9);
	assert_int_equal(h.n, 0);
}

static void test_hold_full_refuses_new_identifiers_only(void **state)
{
	static struct can_hold h;
	struct can_frame f;
	canid_t id;

	(void)state;
	can_hold_init(&h);
	for (id = 0; id < CAN_HOLD_LEN; id++) {
		f = frame(id, 0);
		assert_int_equal(can_hold_put(&h, &f, 0), CAN_HOLD_ADDED);
	}
	f = frame(CAN_HOLD_LEN, 0);
	assert_int_equal(can_hold_put(&h, &f, 0), CAN_HOLD_FULL);
	f = frame(3, 1);
	assert_int_equal(can_hold_put(&h, &f, 0), CAN_HOLD_REPLACED);
}

static void test_hold_forgets_what_is_too_old(void **state)
{
	static struct can_hold h;
	struct can_frame a = frame(1, 1), b = frame(2, 1), c = frame(3, 1);

	(void)state;
	can_hold_init(&h);
	can_hold_put(&h, &a, 0);
	can_hold_put(&h, &b, 100);
	can_hold_put(&h, &c, 0);
	assert_int_equal(can_hold_expire(&h, CAN_HOLD_MAX_US), 0);
	assert_int_equal(can_hold_expire(&h, CAN_HOLD_MAX_US + 1), 2);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.frame[0].can_id, 2);
}

/* --- clocks --------------------------------------------------------------------------------------------- */

#define EPOCH_US 1700000000000000

static void test_rx_clock_converts_by_the_measured_offset(void **state)
{
	struct can_rx_clock c;

	(void)state;
	can_rx_clock_init(&c);
	can_rx_clock_sample(&c, EPOCH_US + 5000, 5000);
	assert_int_equal(can_rx_clock_convert(&c, EPOCH_US + 4200), 4200);
	assert_int_equal(can_rx_clock_convert(&c, EPOCH_US + 4100), 4200); /* never decreases */
	assert_int_equal(can_rx_clock_convert(&c, EPOCH_US + 9000), 5000); /* never in the future */
	assert_int_equal(can_rx_clock_arrival(&c), 5000);
}

static void test_rx_clock_set_forward_keeps_old_stamps_in_place(void **state)
{
	const int64_t jump_us = 3600 * (int64_t)FC_US_PER_S;
	struct can_rx_clock c;

	(void)state;
	can_rx_clock_init(&c);
	can_rx_clock_sample(&c, EPOCH_US, 0);
	can_rx_clock_sample(&c, EPOCH_US + jump_us + 100000, 100000);
	assert_int_equal(can_rx_clock_convert(&c, EPOCH_US + 30000), 30000); /* stamped before the jump */
	assert_int_equal(can_rx_clock_convert(&c, EPOCH_US + jump_us + 90000), 90000);
}

static void test_rx_clock_set_back_keeps_old_stamps_in_place(void **state)
{
	const int64_t jump_us = 3600 * (int64_t)FC_US_PER_S;
	struct can_rx_clock c;

	(void)state;
	can_rx_clock_init(&c);
	can_rx_clock_sample(&c, EPOCH_US, 0);
	can_rx_clock_sample(&c, EPOCH_US - jump_us + 100000, 100000);
	assert_int_equal(can_rx_clock_convert(&c, EPOCH_US + 30000), 30000);
	assert_int_equal(can_rx_clock_convert(&c, EPOCH_US - jump_us + 90000), 90000);
}

static void test_rx_clock_long_pause_keeps_the_age(void **state)
{
	const int64_t hour_us = 3600 * (int64_t)FC_US_PER_S, slew_us = 1000000; /* 278 ppm */
	struct can_rx_clock c;

	(void)state;
	can_rx_clock_init(&c);
	can_rx_clock_sample(&c, EPOCH_US, 0);
	can_rx_clock_sample(&c, EPOCH_US + hour_us + slew_us, hour_us);
	assert_false(c.has_jumped);
	assert_int_equal(can_rx_clock_convert(&c, EPOCH_US + hour_us + slew_us - 250), hour_us - 250);
}

/* --- edges ---------------------------------------------------------------------------------------------- */

static void test_edges_come_in_order_and_cancel_when_unheard(void **state)
{
	struct can_edges e = {false, false};
	struct can_frame f;

	(void)state;
	can_edges_down(&e);
	can_edges_up(&e);
	assert_true(can_edges_take(&e, &f));
	assert_int_equal(f.can_id, CAN_BUS_DOWN_ID);
	assert_true(can_edges_take(&e, &f));
	assert_int_equal(f.can_id, CAN_BUS_UP_ID);
	assert_int_equal(f.can_dlc, CAN_ERR_DLC);
	assert_false(can_edges_take(&e, &f));
	can_edges_down(&e);
	assert_true(can_edges_take(&e, &f));
	can_edges_up(&e);
	can_edges_down(&e); /* up was never reported: still down for the reader */
	assert_false(can_edges_take(&e, &f));
}

/* --- the port ------------------------------------------------------------------------------------------- */

/* A kernel that takes `room` frames and then answers `rc`. */
struct fake {
	struct can_port port;
	size_t room, n_sent;
	int rc;
	struct can_frame sent[512];
};

static int fake_transmit(struct can_port *p, const struct can_frame *f, size_t n)
{
	struct fake *k = (struct fake *)p;
	size_t i, taken = n < k->room ? n : k->room;

	if (taken == 0)
		return k->rc;
	for (i = 0; i < taken; i++)
		k->sent[k->n_sent++] = f[i];
	k->room -= taken;
	return (int)taken;
}

static int fake_link_error(int rc)
{
	return rc == -ENETDOWN || rc == -ENODEV ? rc : 0;
}

static const struct can_port_ops fake_ops = {.transmit = fake_transmit, .link_error = fake_link_error};
static const struct can_bus_ops no_ops = {.send = can_port_send, .send_many = can_port_send_many};

static struct fake *fake_port(size_t room, int rc)
{
	static struct fake k;

	memset(&k, 0, sizeof(k));
	can_port_init(&k.port, &no_ops, &fake_ops);
	k.room = room;
	k.rc = rc;
	return &k;
}

static void test_port_full_queue_holds_the_newest_and_sends_it_later(void **state)
{
	struct fake *k = fake_port(1, -ENOBUFS);
	struct can_frame f[3] = {frame(1, 1), frame(2, 1), frame(3, 1)}, newer = frame(2, 7);
	int64_t now_us = can_rx_batch_now_us();

	(void)state;
	assert_int_equal(can_port_retry_us(&k->port), FC_NEVER);
	assert_int_equal(can_bus_send_many(&k->port.bus, f, 3), 0);
	assert_int_equal(can_bus_send(&k->port.bus, &newer), 0);
	assert_int_equal(k->port.bus.stats.n_tx, 1);
	assert_int_equal(k->port.bus.stats.n_tx_replaced, 1);
	assert_in_range(can_port_retry_us(&k->port) - now_us, 1000, 5000 + 1000000);
	can_port_retry(&k->port, can_port_retry_us(&k->port) - 1);
	k->room = 9;
	assert_int_equal(k->n_sent, 1);
	can_port_retry(&k->port, can_port_retry_us(&k->port));
	assert_int_equal(k->n_sent, 3);
	assert_int_equal(k->sent[1].can_id, 2);
	assert_int_equal(k->sent[1].data[0], 7);
	assert_int_equal(k->sent[2].can_id, 3);
	assert_int_equal(can_port_retry_us(&k->port), FC_NEVER);
	assert_int_equal(k->port.bus.stats.n_tx, 3);
	assert_int_equal(k->port.bus.stats.n_tx_failed, 0);
}

static void test_port_later_frames_queue_behind_held_ones(void **state)
{
	struct fake *k = fake_port(0, -EAGAIN);
	struct can_frame a = frame(1, 1), b = frame(2, 1);

	(void)state;
	can_bus_send(&k->port.bus, &a);
	k->room = 9;
	can_bus_send(&k->port.bus, &b);
	assert_int_equal(k->n_sent, 0);
	can_port_retry(&k->port, can_port_retry_us(&k->port));
	assert_int_equal(k->sent[0].can_id, 1);
	assert_int_equal(k->sent[1].can_id, 2);
}

static void test_port_held_too_long_is_dropped_and_counted(void **state)
{
	struct fake *k = fake_port(0, -EAGAIN);
	struct can_frame a = frame(1, 1);

	(void)state;
	can_bus_send(&k->port.bus, &a);
	k->room = 9;
	can_port_retry(&k->port, can_rx_batch_now_us() + CAN_HOLD_MAX_US + 1);
	assert_int_equal(k->n_sent, 0);
	assert_int_equal(k->port.bus.stats.n_tx_failed, 1);
}

static void test_port_overfull_hold_says_no_room(void **state)
{
	struct fake *k = fake_port(0, -ENOBUFS);
	struct can_frame f[CAN_HOLD_LEN + 1];
	canid_t i;

	(void)state;
	for (i = 0; i <= CAN_HOLD_LEN; i++)
		f[i] = frame(i, 0);
	assert_int_equal(can_bus_send_many(&k->port.bus, f, CAN_HOLD_LEN + 1), -ENOBUFS);
	assert_int_equal(k->port.bus.stats.n_tx_failed, 1);
}

static void test_port_link_down_reports_once_and_refuses(void **state)
{
	struct fake *k = fake_port(0, -EAGAIN);
	struct can_frame a = frame(1, 1), f;
	struct can_rx_info info;

	(void)state;
	can_bus_send(&k->port.bus, &a);
	k->rc = -ENETDOWN;
	can_port_retry(&k->port, can_port_retry_us(&k->port));
	assert_false(k->port.bus.stats.is_up);
	assert_int_equal(k->port.bus.stats.n_tx_failed, 1); /* the held one */
	assert_int_equal(can_bus_send(&k->port.bus, &a), -ENETDOWN);
	assert_true(can_port_take_edge(&k->port, &f, &info));
	assert_int_equal(f.can_id, CAN_BUS_DOWN_ID);
	assert_false(can_port_take_edge(&k->port, &f, &info));
	can_port_mark_down(&k->port, -ENODEV); /* then it is removed as well */
	assert_int_equal(can_bus_send(&k->port.bus, &a), -ENODEV);
	assert_false(can_port_take_edge(&k->port, &f, &info));
	can_port_mark_up(&k->port);
	assert_true(k->port.bus.stats.is_up);
	assert_true(can_port_take_edge(&k->port, &f, &info));
	assert_int_equal(f.can_id, CAN_BUS_UP_ID);
}

static void test_port_unsendable_frame_does_not_block_others(void **state)
{
	struct fake *k = fake_port(0, -EAGAIN);
	struct can_frame a = frame(1, 1), b = frame(2, 1), bad = frame(3, 1);

	(void)state;
	bad.can_dlc = 9;
	assert_int_equal(can_bus_send(&k->port.bus, &bad), -EINVAL);
	can_bus_send(&k->port.bus, &a);
	can_bus_send(&k->port.bus, &b);
	k->rc = -EPERM;
	can_port_retry(&k->port, can_port_retry_us(&k->port));
	k->room = 9;
	can_port_retry(&k->port, can_port_retry_us(&k->port));
	assert_int_equal(k->n_sent, 1);
	assert_int_equal(k->sent[0].can_id, 2);
	assert_int_equal(k->port.bus.stats.n_tx_failed, 2);
	k->room = 0;
	assert_int_equal(can_bus_send(&k->port.bus, &a), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_none_let_nothing_but_errors_pass),
		cmocka_unit_test(test_filters_exact_tells_formats_and_remote_frames_apart),
		cmocka_unit_test(test_filters_all_lets_every_frame_pass),
		cmocka_unit_test(test_filters_inverted_lets_all_others_pass),
		cmocka_unit_test(test_filters_for_short_identifiers_ignore_the_longer_bits),
		cmocka_unit_test(test_filters_full_set_agrees_with_one_by_one),
		cmocka_unit_test(test_hold_keeps_the_newest_of_each_identifier_in_order),
		cmocka_unit_test(test_hold_full_refuses_new_identifiers_only),
		cmocka_unit_test(test_hold_forgets_what_is_too_old),
		cmocka_unit_test(test_rx_clock_converts_by_the_measured_offset),
		cmocka_unit_test(test_rx_clock_set_forward_keeps_old_stamps_in_place),
		cmocka_unit_test(test_rx_clock_set_back_keeps_old_stamps_in_place),
		cmocka_unit_test(test_rx_clock_long_pause_keeps_the_age),
		cmocka_unit_test(test_edges_come_in_order_and_cancel_when_unheard),
		cmocka_unit_test(test_port_full_queue_holds_the_newest_and_sends_it_later),
		cmocka_unit_test(test_port_later_frames_queue_behind_held_ones),
		cmocka_unit_test(test_port_held_too_long_is_dropped_and_counted),
		cmocka_unit_test(test_port_overfull_hold_says_no_room),
		cmocka_unit_test(test_port_link_down_reports_once_and_refuses),
		cmocka_unit_test(test_port_unsendable_frame_does_not_block_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
