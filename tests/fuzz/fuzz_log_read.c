/* SPDX-License-Identifier: MIT */
/*
 * The log reader under any bytes: every line is a frame, a comment or broken; what is a frame is a valid one, and
 * written as a line of candump it reads back the same. Writing ASC and reading it back keeps the frames too.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/log_read.h"
#include "monitor/log_write.h"

static void must(int is_true)
{
	if (!is_true)
		abort();
}

static void check_frame(const struct can_frame *f)
{
	canid_t id = f->can_id;
	uint8_t i;

	must(f->can_dlc <= CAN_MAX_DLEN);
	for (i = f->can_dlc; i < CAN_MAX_DLEN; i++)
		must(f->data[i] == 0);
	if (id & CAN_ERR_FLAG)
		must(!(id & (CAN_RTR_FLAG | CAN_EFF_FLAG)));
	else if (!(id & CAN_EFF_FLAG))
		must((id & CAN_EFF_MASK) <= CAN_SFF_MASK);
}

/* As both formats write it, it reads back. */
static void check_round_trip(const struct log_entry *e, const char *channel, enum log_format format)
{
	/* More text than the fast path needs behind the line. */
	char text[3 * LOG_WRITE_MAX];
	struct log_writer w;
	struct log_reader r;
	struct log_entry back;
	size_t n;

	log_write_init(&w, format);
	n = log_write_entry(&w, e, channel, text);
	must(n < LOG_WRITE_MAX);
	n += log_write_entry(&w, e, channel, text + n);
	n += log_write_end(&w, text + n);
	log_open_memory(&r, text, n);
	for (int i = 0; i < 2; i++) {
		must(log_next(&r, &back) == 1);
		must(back.time_us == e->time_us && back.n_lost == e->n_lost);
		if (e->frame.can_id & CAN_ERR_FLAG && format == LOG_ASC)
			must((back.frame.can_id & CAN_ERR_FLAG) != 0);
		else
			must(memcmp(&back.frame, &e->frame, sizeof(back.frame)) == 0);
	}
	must(log_next(&r, &back) == 0 && r.stats.n_bad == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_reader r;
	struct log_entry e;
	uint64_t n = 0, line = 0;

	setenv("TZ", "UTC", 1);
	log_open_memory(&r, (const char *)data, size);
	while (log_next(&r, &e) > 0) {
		n++;
		must(e.line > line && e.line <= r.stats.n_lines);
		line = e.line;
		check_frame(&e.frame);
		must(e.channel < r.n_channels);
		check_round_trip(&e, log_channel(&r, e.channel), LOG_CANDUMP);
		if (e.time_us < INT64_C(253402300799000000)) /* the year 9999 */
			check_round_trip(&e, log_channel(&r, e.channel), LOG_ASC);
	}
	must(r.stats.n_frames == n);
	must(r.stats.n_lines == r.stats.n_frames + r.stats.n_comments + r.stats.n_bad);
	must(log_position(&r) == size);
	return 0;
}
