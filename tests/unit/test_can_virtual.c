/* SPDX-License-Identifier: MIT */
/*
 * The bus in virtual time: delivery, filters, queues, links and bus-off, bit times and arbitration.
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
static struct can_bus *node[CAN_HUB_NODES];

/* A hub with n nodes that receive everything. */
static void start(uint32_t bitrate, enum can_stuffing stuffing, unsigned n)
{
	const struct can_hub_cfg cfg = {.bitrate = bitrate, .stuffing = stuffing, .seed = 1};
	struct can_filter all = can_filter_all();
	unsigned i;

	memset(&hub, 0x5a, sizeof(hub)); /* init must not rely on zeroed memory */
	can_hub_init(&hub, &cfg, 1000);
	for (i = 0; i < n; i++) {
		assert_int_equal(can_hub_add_node(&hub, &node[i]), i);
		assert_int_equal(can_bus_set_filters(node[i], &all, 1), 0);
	}
}

static int send(unsigned from, canid_t id, uint8_t value)
{
	struct can_frame f = {.can_id = id, .can_dlc = 1, .data = {value}};

	return can_bus_send(node[from], &f);
}

/* Identifier of the next frame of a node; UINT32_MAX: none. */
static canid_t received(unsigned n, int64_t *time_us)
{
	struct can_rx_info info;
	struct can_frame f;

	if (can_bus_recv(node[n], &f, &info) != 1)
		return UINT32_MAX;
	if (time_us)
		*time_us = info.time_us;
	return f.can_id;
}

static void test_hub_frame_reaches_all_others_at_once(void **state)
{
	int64_t t_us = 0;

	(void)state;
	start(0, CAN_STUFFING_NONE, 3);
	assert_int_equal(can_hub_pending(&hub), 0);
	assert_int_equal(send(1, 0x123, 1), 0);
	assert_int_equal(can_hub_pending(&hub), 5);
	assert_int_equal(received(0, &t_us), 0x123);
	assert_int_equal(t_us, 1000);
	assert_int_equal(can_hub_pending(&hub), 4);
	assert_int_equal(received(1, NULL), UINT32_MAX);
	assert_int_equal(received(2, NULL), 0x123);
	assert_int_equal(can_hub_pending(&hub), 0);
	assert_int_equal(can_hub_next_us(&hub), FC_NEVER);
	assert_int_equal(node[1]->stats.n_tx, 1);
	assert_int_equal(node[2]->stats.n_rx, 1);
	assert_int_equal(can_bus_fd(node[0]), -1);
	assert_int_equal(can_bus_service(node[0], 0), FC_NEVER);
}

static void test_hub_filters_are_kept_apart_and_may_change(void **state)
{
	struct can_filter sff = can_filter_exact(0x123), eff = can_filter_exact(CAN_EFF_FLAG | 0x123);

	(void)state;
	start(0, CAN_STUFFING_NONE, 3);
	can_bus_set_filters(node[1], &sff, 1);
	can_bus_set_filters(node[2], &eff, 1);
	send(0, 0x123, 1);
	assert_int_equal(can_hub_pending(&hub), 2);
	send(0, CAN_EFF_FLAG | 0x123, 1);
	assert_int_equal(can_hub_pending(&hub), 6);
	send(0, CAN_RTR_FLAG | 0x123, 1);
	assert_int_equal(received(1, NULL), 0x123);
	assert_int_equal(received(1, NULL), UINT32_MAX);
	assert_int_equal(received(2, NULL), CAN_EFF_FLAG | 0x123);
	can_bus_set_filters(node[1], NULL, 0); /* what was routed before must be forgotten */
	can_bus_set_filters(node[2], &sff, 1);
	send(0, 0x123, 1);
	assert_int_equal(can_hub_pending(&hub), 4);
	assert_int_equal(can_bus_set_filters(node[1], &sff, CAN_BUS_MAX_FILTERS + 1), -E2BIG);
}

static void test_hub_identifiers_that_share_a_route_slot_do_not_mix(void **state)
{
	struct can_filter even = {0, CAN_EFF_FLAG | 1};
	canid_t id;

	(void)state;
	start(0, CAN_STUFFING_NONE, 2);
	can_bus_set_filters(node[1], &even, 1);
	for (id = 0; id < 2048; id++) {
		send(0, id, 0);
		assert_int_equal(received(1, NULL), id % 2 ? UINT32_MAX : id);
		send(0, CAN_EFF_FLAG | id, 0);
		assert_int_equal(received(1, NULL), UINT32_MAX);
	}
}

static void test_hub_order_of_sending_is_kept_past_the_end_of_the_ring(void **state)
{
	canid_t next_in = 0, next_out = 0;
	unsigned round, i;

	(void)state;
	start(0, CAN_STUFFING_NONE, 2);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 100 && next_in - next_out < CAN_HUB_RX_LEN; i++)
			send(0, next_in++ % 2048, 0);
		for (i = 0; i < 90 && next_out < next_in; i++)
			assert_int_equal(received(1, NULL), next_out++ % 2048);
	}
	assert_int_equal(node[1]->stats.n_rx_dropped, 0);
}

static void test_hub_full_queue_loses_the_newest_and_counts(void **state)
{
	struct can_rx_info info;
	struct can_frame f;
	canid_t id;

	(void)state;
	start(0, CAN_STUFFING_NONE, 2);
	for (id = 0; id < CAN_HUB_RX_LEN + 3; id++)
		assert_int_equal(send(0, id, 0), 0);
	assert_int_equal(node[1]->stats.n_rx_dropped, 3);
	for (id = 0; id < CAN_HUB_RX_LEN; id++)
		assert_int_equal(received(1, NULL), id);
	send(0, 5, 0);
	assert_int_equal(can_bus_recv(node[1], &f, &info), 1);
	assert_int_equal(info.n_dropped, 3);
	assert_int_equal(f.can_id, 5);
}

static void test_hub_takes_forty_nodes_and_no_more(void **state)
{
	struct can_bus *extra = NULL;
	unsigned i;

	(void)state;
	start(0, CAN_STUFFING_NONE, CAN_HUB_NODES);
	assert_int_equal(can_hub_add_node(&hub, &extra), -ENOSPC);
	assert_null(extra);
	send(39, 1, 1);
	assert_int_equal(can_hub_pending(&hub), (1ull << 39) - 1);
	for (i = 0; i < 39; i++)
		assert_int_equal(received(i, NULL), 1);
}

static void test_hub_invalid_frame_is_refused(void **state)
{
	struct can_frame f = {.can_id = 1, .can_dlc = 9};

	(void)state;
	start(0, CAN_STUFFING_NONE, 2);
	assert_int_equal(can_bus_send(node[0], &f), -EINVAL);
	assert_int_equal(node[0]->stats.n_tx_failed, 1);
	assert_int_equal(can_hub_pending(&hub), 0);
}

struct seen {
	unsigned n, sender;
	int64_t time_us;
	struct can_frame f;
};

static void tap(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	struct seen *s = ctx;

	s->n++;
	s->sender = sender;
	s->time_us = time_us;
	s->f = *f;
}

static void test_hub_tap_sees_frames_nobody_wants(void **state)
{
	struct seen s = {0};

	(void)state;
	start(0, CAN_STUFFING_NONE, 2);
	can_bus_set_filters(node[0], NULL, 0);
	can_hub_set_tap(&hub, tap, &s);
	can_hub_advance(&hub, 2000);
	send(1, 0x77, 3);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.sender, 1);
	assert_int_equal(s.time_us, 2000);
	assert_int_equal(s.f.can_id, 0x77);
	assert_int_equal(hub.n_frames, 1);
	can_hub_set_tap(&hub, NULL, NULL);
	send(1, 0x77, 3);
	assert_int_equal(s.n, 1);
}

static void test_hub_link_down_and_up_are_edges_and_cut_the_node_off(void **state)
{
	(void)state;
	start(0, CAN_STUFFING_NONE, 2);
	can_hub_set_link(&hub, 0, false);
	can_hub_set_link(&hub, 0, false);
	assert_int_equal(received(0, NULL), CAN_BUS_DOWN_ID);
	assert_int_equal(received(0, NULL), UINT32_MAX);
	assert_false(node[0]->stats.is_up);
	assert_int_equal(send(0, 1, 1), -ENETDOWN);
	assert_int_equal(node[0]->stats.n_tx_failed, 1);
	send(1, 2, 1);
	assert_int_equal(can_hub_pending(&hub), 0);
	can_hub_set_link(&hub, 0, true);
	assert_int_equal(received(0, NULL), CAN_BUS_UP_ID);
	assert_true(node[0]->stats.is_up);
	send(1, 2, 1);
	assert_int_equal(received(0, NULL), 2);
	assert_int_equal(node[0]->stats.n_err, 2);
	can_hub_set_link(&hub, 99, false); /* no such node */
}

static void test_hub_bus_off_loses_frames_until_it_recovers(void **state)
{
	int64_t t_us = 0;

	(void)state;
	start(0, CAN_STUFFING_NONE, 2);
	can_hub_set_bus_off(&hub, 0, 5000);
	assert_int_equal(received(0, NULL), CAN_BUS_DOWN_ID);
	assert_int_equal(send(0, 1, 1), 0);
	assert_int_equal(node[0]->stats.n_tx_failed, 1);
	send(1, 2, 1);
	assert_int_equal(can_hub_pending(&hub), 0);
	assert_int_equal(can_hub_next_us(&hub), 5000);
	can_hub_advance(&hub, 4999);
	assert_int_equal(can_hub_pending(&hub), 0);
	can_hub_advance(&hub, 6000);
	assert_int_equal(received(0, &t_us), CAN_BUS_UP_ID);
	assert_int_equal(t_us, 5000);
	assert_int_equal(send(0, 1, 1), 0);
	assert_int_equal(received(1, NULL), 1);
}

static void test_hub_recovery_of_an_earlier_bus_off_does_not_end_a_later_one(void **state)
{
	(void)state;
	start(0, CAN_STUFFING_NONE, 2);
	can_hub_set_bus_off(&hub, 0, 5000);
	can_hub_recover(&hub, 0);
	can_hub_set_bus_off(&hub, 0, FC_NEVER);
	can_hub_advance(&hub, 6000);
	assert_false(node[0]->stats.is_up);
	can_hub_recover(&hub, 0);
	assert_true(node[0]->stats.is_up);
}

static void test_hub_error_frames_pass_between_nodes_whatever_the_filters(void **state)
{
	struct can_frame f = {
		.can_id = CAN_ERR_FLAG | CAN_ERR_CRTL, .can_dlc = 8, .data = {0, CAN_ERR_CRTL_RX_PASSIVE}};
	struct can_frame lost = {.can_id = CAN_ERR_FLAG | CAN_ERR_LOSTARB, .can_dlc = 8};

	(void)state;
	start(500000, CAN_STUFFING_NONE, 3);
	can_bus_set_filters(node[1], NULL, 0);
	can_bus_send(node[0], &f);
	can_bus_send(node[0], &lost); /* a class that nobody asked for */
	assert_int_equal(received(1, NULL), f.can_id);
	assert_int_equal(received(1, NULL), UINT32_MAX);
	assert_int_equal(received(2, NULL), f.can_id);
	can_hub_put_error(&hub, 0, &f);
	assert_int_equal(received(0, NULL), f.can_id);
}

static void test_hub_closed_node_takes_no_part(void **state)
{
	(void)state;
	start(0, CAN_STUFFING_NONE, 3);
	can_bus_close(node[1]);
	send(0, 1, 1);
	assert_int_equal(can_hub_pending(&hub), 4);
	assert_int_equal(send(1, 1, 1), -ENETDOWN);
}

static void test_hub_time_never_goes_back(void **state)
{
	int64_t t_us = 0;

	(void)state;
	start(0, CAN_STUFFING_NONE, 2);
	can_hub_advance(&hub, 500);
	send(0, 1, 1);
	received(1, &t_us);
	assert_int_equal(t_us, 1000);
	can_hub_advance(&hub, FC_NEVER);
}

/* --- with a bit rate ------------------------------------------------------------------------------------ */

static void test_frame_bits_match_the_standard(void **state)
{
	const struct can_frame sff8 = {.can_id = 1, .can_dlc = 8},
			       eff8 = {.can_id = CAN_EFF_FLAG, .can_dlc = 8}, sff0 = {.can_id = 1},
			       rtr8 = {.can_id = CAN_RTR_FLAG, .can_dlc = 8};

	(void)state;
	assert_int_equal(can_frame_bits(&sff0, CAN_STUFFING_NONE), 44);
	assert_int_equal(can_frame_bits(&sff8, CAN_STUFFING_NONE), 108);
	assert_int_equal(can_frame_bits(&sff8, CAN_STUFFING_WORST) + CAN_INTERFRAME_BITS,
			 135); /* the textbook value */
	assert_int_equal(can_frame_bits(&eff8, CAN_STUFFING_WORST) + CAN_INTERFRAME_BITS, 160);
	assert_int_equal(can_frame_bits(&rtr8, CAN_STUFFING_NONE), 44);
}

static void test_frame_rank_orders_as_arbitration_does(void **state)
{
	static const canid_t winners_first[] = {
		0x000,
		0x001,
		CAN_RTR_FLAG | 0x001,
		CAN_EFF_FLAG | 1 << 18,
		CAN_EFF_FLAG | CAN_RTR_FLAG | 1 << 18,
		CAN_EFF_FLAG | 1 << 18 | 1,
		0x002,
		0x7ff,
		CAN_EFF_FLAG | CAN_EFF_MASK,
		CAN_EFF_FLAG | CAN_RTR_FLAG | CAN_EFF_MASK,
	};
	size_t i;

	(void)state;
	for (i = 1; i < sizeof(winners_first) / sizeof(winners_first[0]); i++)
		assert_true(can_frame_rank(winners_first[i - 1]) < can_frame_rank(winners_first[i]));
}

static void test_wire_frame_takes_its_time(void **state)
{
	int64_t t_us = 0;

	(void)state;
	start(500000, CAN_STUFFING_NONE, 2); /* 2 us a bit; one byte: 52 bits */
	send(0, 0x123, 1);
	assert_int_equal(can_hub_pending(&hub), 0);
	assert_int_equal(can_hub_next_us(&hub), 1000 + 104);
	can_hub_advance(&hub, 1103);
	assert_int_equal(can_hub_pending(&hub), 0);
	can_hub_advance(&hub, 1104);
	assert_int_equal(received(1, &t_us), 0x123);
	assert_int_equal(t_us, 1104);
	assert_int_equal(hub.busy_ns, 55 * 2000);
	assert_int_equal(can_hub_next_us(&hub), FC_NEVER);
}

static void test_wire_lowest_identifier_wins_whatever_the_order_of_calls(void **state)
{
	int64_t t_us = 0;

	(void)state;
	start(500000, CAN_STUFFING_NONE, 4);
	send(0, 0x300, 1);
	send(1, CAN_EFF_FLAG | 0x100 << 18, 1);
	send(2, 0x100, 1);
	can_hub_advance(&hub, 1000 + 104);
	assert_int_equal(received(3, &t_us), 0x100);
	assert_int_equal(t_us, 1104);
	can_hub_advance(&hub, 10000);
	assert_int_equal(received(3, &t_us), CAN_EFF_FLAG | 0x100 << 18);
	assert_int_equal(t_us, 1110 + 2 * 72); /* three bits between frames */
	assert_int_equal(received(3, &t_us), 0x300);
	assert_int_equal(t_us, 1110 + 2 * 75 + 104);
}

static void test_wire_running_frame_is_not_interrupted(void **state)
{
	(void)state;
	start(500000, CAN_STUFFING_NONE, 3);
	send(0, 0x300, 1);
	can_hub_advance(&hub, 1001);
	send(1, 0x001, 1);
	assert_int_equal(can_hub_next_us(&hub), 1104);
	can_hub_advance(&hub, 10000);
	assert_int_equal(received(2, NULL), 0x300);
	assert_int_equal(received(2, NULL), 0x001);
}

static void test_wire_node_sends_in_order_even_when_its_second_would_win(void **state)
{
	(void)state;
	start(500000, CAN_STUFFING_NONE, 3);
	send(0, 0x300, 1);
	send(0, 0x001, 1);
	send(1, 0x200, 1);
	can_hub_advance(&hub, 10000);
	assert_int_equal(received(2, NULL), 0x200);
	assert_int_equal(received(2, NULL), 0x300);
	assert_int_equal(received(2, NULL), 0x001);
}

static void test_wire_worst_stuffing_is_longer(void **state)
{
	(void)state;
	start(250000, CAN_STUFFING_WORST, 2);
	send(0, 0x123, 1); /* 52 bits and (42 - 1) / 4 = 10 */
	assert_int_equal(can_hub_next_us(&hub), 1000 + 62 * 4);
}

static void test_wire_odd_bit_rate_keeps_its_pace(void **state)
{
	int64_t t_us = 0;
	unsigned i;

	(void)state;
	start(800000, CAN_STUFFING_NONE, 2); /* 1.25 us a bit, 55 bits a frame with the space between */
	for (i = 0; i < 60; i++)
		send(0, i, 1);
	can_hub_advance(&hub, 100000);
	for (i = 0; i < 60; i++)
		assert_int_equal(received(1, &t_us), i);
	assert_int_equal(t_us, 1000 + (59 * 68750 + 65000 + 999) / 1000);
}

static void test_wire_full_queue_keeps_the_newest_of_an_identifier(void **state)
{
	struct can_rx_info info;
	struct can_frame f = {0};
	unsigned i;

	(void)state;
	start(500000, CAN_STUFFING_NONE, 2);
	for (i = 0; i < CAN_HUB_TX_LEN; i++)
		assert_int_equal(send(0, i, 1), 0);
	assert_int_equal(send(0, 5, 2), 0);
	assert_int_equal(send(0, 999, 2), -ENOBUFS);
	assert_int_equal(send(0, 0, 2), -ENOBUFS); /* its frame is on the wire already */
	assert_int_equal(node[0]->stats.n_tx_replaced, 1);
	assert_int_equal(node[0]->stats.n_tx_failed, 2);
	can_hub_advance(&hub, 1000000);
	for (i = 0; i <= 5; i++)
		assert_int_equal(can_bus_recv(node[1], &f, &info), 1);
	assert_int_equal(f.can_id, 5);
	assert_int_equal(f.data[0], 2);
}

static void test_wire_bus_off_breaks_the_frame_off_and_frees_the_bus(void **state)
{
	int64_t t_us = 0;

	(void)state;
	start(500000, CAN_STUFFING_NONE, 3);
	send(0, 0x100, 1);
	send(1, 0x200, 1);
	can_hub_advance(&hub, 1050);
	can_hub_set_bus_off(&hub, 0, FC_NEVER);
	assert_int_equal(node[0]->stats.n_tx_failed, 1);
	assert_int_equal(can_hub_next_us(&hub), 1050 + 104);
	can_hub_advance(&hub, 5000);
	assert_int_equal(received(2, &t_us), 0x200);
	assert_int_equal(received(2, NULL), UINT32_MAX);
}

static void test_wire_late_advance_gives_every_frame_its_own_time(void **state)
{
	int64_t first_us = 0, second_us = 0;

	(void)state;
	start(1000000, CAN_STUFFING_NONE, 2);
	send(0, 1, 1);
	send(0, 2, 1);
	can_hub_advance(&hub, 1000000);
	received(1, &first_us);
	received(1, &second_us);
	assert_int_equal(first_us, 1052);
	assert_int_equal(second_us, 1107);
	assert_int_equal(hub.now_us, 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hub_frame_reaches_all_others_at_once),
		cmocka_unit_test(test_hub_filters_are_kept_apart_and_may_change),
		cmocka_unit_test(test_hub_identifiers_that_share_a_route_slot_do_not_mix),
		cmocka_unit_test(test_hub_order_of_sending_is_kept_past_the_end_of_the_ring),
		cmocka_unit_test(test_hub_full_queue_loses_the_newest_and_counts),
		cmocka_unit_test(test_hub_takes_forty_nodes_and_no_more),
		cmocka_unit_test(test_hub_invalid_frame_is_refused),
		cmocka_unit_test(test_hub_tap_sees_frames_nobody_wants),
		cmocka_unit_test(test_hub_link_down_and_up_are_edges_and_cut_the_node_off),
		cmocka_unit_test(test_hub_bus_off_loses_frames_until_it_recovers),
		cmocka_unit_test(test_hub_recovery_of_an_earlier_bus_off_does_not_end_a_later_one),
		cmocka_unit_test(test_hub_error_frames_pass_between_nodes_whatever_the_filters),
		cmocka_unit_test(test_hub_closed_node_takes_no_part),
		cmocka_unit_test(test_hub_time_never_goes_back),
		cmocka_unit_test(test_frame_bits_match_the_standard),
		cmocka_unit_test(test_frame_rank_orders_as_arbitration_does),
		cmocka_unit_test(test_wire_frame_takes_its_time),
		cmocka_unit_test(test_wire_lowest_identifier_wins_whatever_the_order_of_calls),
		cmocka_unit_test(test_wire_running_frame_is_not_interrupted),
		cmocka_unit_test(test_wire_node_sends_in_order_even_when_its_second_would_win),
		cmocka_unit_test(test_wire_worst_stuffing_is_longer),
		cmocka_unit_test(test_wire_odd_bit_rate_keeps_its_pace),
		cmocka_unit_test(test_wire_full_queue_keeps_the_newest_of_an_identifier),
		cmocka_unit_test(test_wire_bus_off_breaks_the_frame_off_and_frees_the_bus),
		cmocka_unit_test(test_wire_late_advance_gives_every_frame_its_own_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
