/* SPDX-License-Identifier: MIT */
/* The bench of the simulated power stack. */
#include "tests/lib/stack_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void bench_log(void *ctx, int32_t level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static int32_t bench_send(void *ctx, uint32_t bus, const struct can_frame *f)
{
	struct stack_bench *b = ctx;

	assert_int_equal(bus, 0);
	assert_true(path_source_read(f, 3, &b->last));
	b->n_tx++;
	return 0;
}

void stack_bench_start_with(struct stack_bench *b, const struct forecourt_kv *kv, uint32_t n_kv)
{
	char err[160];

	memset(b, 0, sizeof(*b));
	b->ops = sim_stack_plugin.ops;
	b->host.size = sizeof(b->host);
	b->host.index = 3;
	b->host.ctx = b;
	b->host.log = bench_log;
	b->host.send = bench_send;
	b->is_refreshing = true;
	b->load.ocv_V = 350.0;
	b->load.r_ohm = 0.08;
	b->load.c_inlet_F = 1e-6;
	b->load.insulation_kohm = PATH_INSULATION_OPEN;
	b->st.size = sizeof(b->st);
	assert_int_equal(b->ops->init(&b->stack, &b->host, kv, n_kv, 0, err, sizeof(err)), 0);
}

void stack_bench_start(struct stack_bench *b)
{
	stack_bench_start_with(b, NULL, 0);
}

void stack_bench_run(struct stack_bench *b, int64_t for_us)
{
	int64_t end_us = b->now_us + for_us;

	while (b->now_us < end_us) {
		struct can_frame f;

		b->now_us += 10 * MS;
		if (b->has_vehicle && b->now_us % (100 * MS) == 0) {
			path_load_frame(&b->load, 3, &f);
			b->ops->rx(&b->stack, b->now_us, 0, &f);
		}
		if (b->is_refreshing && b->now_us % (100 * MS) == 0) {
			b->sp.size = sizeof(b->sp);
			b->sp.valid_until_us = b->now_us + 400 * MS;
			b->sp.seq++;
			b->ops->set(&b->stack, b->now_us, &b->sp);
		}
		if (b->ops->next_us(&b->stack) <= b->now_us)
			b->ops->tick(&b->stack, b->now_us);
	}
	b->ops->status(&b->stack, b->now_us, &b->st);
}

void stack_bench_order(struct stack_bench *b, int32_t mode, int32_t v_mV, int32_t i_mA)
{
	b->sp.mode = mode;
	b->sp.v_mV = v_mV;
	b->sp.i_max_mA = b->sp.i_min_mA = i_mA;
	b->sp.is_closed = mode != PM_OFF;
	b->sp.is_bleeding = 0;
}

void stack_bench_live(struct stack_bench *b, const char *key, const char *value)
{
	char answer[160];

	assert_int_equal(b->ops->live(&b->stack, b->now_us, key, value, answer, sizeof(answer)), 0);
}

void stack_bench_deliver(struct stack_bench *b, int32_t i_mA)
{
	b->has_vehicle = b->load.is_present = true;
	stack_bench_order(b, PM_STANDBY, 0, 0);
	stack_bench_run(b, 2 * S);
	stack_bench_order(b, PM_PRECHARGE, 350000, 2000);
	stack_bench_run(b, 4 * S);
	b->load.is_closed = true;
	stack_bench_order(b, PM_STANDBY, 0, 0);
	stack_bench_run(b, 1 * S);
	stack_bench_order(b, PM_TRANSFER, 500000, i_mA);
	stack_bench_run(b, 2 * S + (int64_t)i_mA * S / 20000);
	assert_in_range(b->st.i_mA, i_mA - 200, i_mA + 200);
}
