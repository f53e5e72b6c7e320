/* SPDX-License-Identifier: MIT */
/* A small machine on buses of memory. */
#include "tests/lib/run_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

static int fake_send_many(struct can_bus *b, const struct can_frame *f, size_t n)
{
	struct run_rig_bus *bus = (struct run_rig_bus *)b;

	bus->n_sends++;
	assert_true(bus->n_out + n <= RUN_RIG_BUS_LEN);
	memcpy(bus->out + bus->n_out, f, n * sizeof(*f));
	bus->n_out += n;
	return 0;
}

static int fake_send(struct can_bus *b, const struct can_frame *f)
{
	return fake_send_many(b, f, 1);
}

static int fake_recv(struct can_bus *b, struct can_frame *f, struct can_rx_info *info)
{
	struct run_rig_bus *bus = (struct run_rig_bus *)b;

	if (bus->i_in == bus->n_in)
		return 0;
	memset(info, 0, sizeof(*info));
	info->time_us = 5;
	*f = bus->in[bus->i_in++];
	return 1;
}

static int fake_set_filters(struct can_bus *b, const struct can_filter *f, size_t n)
{
	(void)f;
	((struct run_rig_bus *)b)->n_filters = n;
	return 0;
}

static int fake_fd(const struct can_bus *b)
{
	(void)b;
	return -1;
}

static int64_t fake_service(struct can_bus *b, int64_t now_us)
{
	(void)now_us;
	((struct run_rig_bus *)b)->n_services++;
	return ((struct run_rig_bus *)b)->service_us;
}

static void fake_close(struct can_bus *b)
{
	(void)b;
}

static const struct can_bus_ops fake_ops = {fake_send, fake_send_many, fake_recv, fake_set_filters,
					    fake_fd,   fake_service,   fake_close};

static void tiny_rx(void *self, int64_t now_us, const struct can_frame *frame, struct out_queue *out)
{
	struct run_rig_machine *t = self;
	unsigned i;

	t->n_rx++;
	t->rx_us = now_us;
	for (i = 0; i < t->answers; i++)
		out_queue_frame(out, 0, frame);
}

static void tiny_tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct run_rig_machine *t = self;
	struct can_frame f = {.can_id = 0x100, .can_dlc = 1};

	if (t->is_stuck || !grid_due(&t->grid, now_us))
		return;
	t->n_ticks++;
	f.data[0] = (uint8_t)t->n_ticks;
	out_queue_frame(out, 0, &f);
	if (t->is_stopping && t->n_left_to_stop > 0)
		t->n_left_to_stop--;
}

static int64_t tiny_next(const void *self)
{
	return ((const struct run_rig_machine *)self)->grid.next_us;
}

static size_t tiny_filters(const void *self, struct can_filter *f, size_t n)
{
	(void)self;
	assert_true(n >= 2);
	f[0] = can_filter_exact(0x200);
	f[1] = can_filter_exact(0x201);
	return 2;
}

static void tiny_stop(void *self, int64_t now_us, struct out_queue *out)
{
	(void)now_us;
	(void)out;
	((struct run_rig_machine *)self)->is_stopping = true;
}

static bool tiny_is_stopped(const void *self)
{
	const struct run_rig_machine *t = self;

	return t->is_stopping && t->n_left_to_stop == 0;
}

static int tiny_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
			struct out_queue *out)
{
	struct can_frame f = {.can_id = 0x300};

	(void)self;
	(void)now_us;
	if (strcmp(line, "send") == 0) {
		out_queue_frame(out, 0, &f);
		snprintf(answer, size, "sent=1\n");
		return 0;
	}
	if (strcmp(line, "big") == 0) {
		memset(answer, 'x', size - 1);
		answer[size - 1] = '\0';
		return 0;
	}
	snprintf(answer, size, "unknown word");
	return -ENOENT;
}

const struct machine_ops run_rig_machine_ops = {tiny_rx,   tiny_tick,	    tiny_next,	 tiny_filters,
						tiny_stop, tiny_is_stopped, tiny_command};

int run_rig_set_up(void **state)
{
	struct run_rig *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	grid_start(&f->tiny.grid, 0, RUN_RIG_PERIOD_US);
	f->tiny.answers = 1;
	f->machine = (struct machine){.ops = &run_rig_machine_ops, .self = &f->tiny, .name = "tiny"};
	f->bus.bus = (struct can_bus){.ops = &fake_ops, .stats = {.is_up = true}};
	f->bus.service_us = FC_NEVER;
	f->second = f->bus;
	run_init(&f->run, &f->machine, &f->sink);
	f->run.sink = &f->sink;
	assert_int_equal(run_add_bus(&f->run, &f->bus.bus, "fake", NULL, NULL), 0);
	*state = f;
	return 0;
}

int run_rig_tear_down(void **state)
{
	free(*state);
	return 0;
}

void run_rig_put_in(struct run_rig_bus *bus, canid_t id)
{
	bus->in[bus->n_in++] = (struct can_frame){.can_id = id};
}
