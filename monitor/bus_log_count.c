/* SPDX-License-Identifier: MIT */
/*
 * Counting frames.
 */
#include "monitor/bus_log_count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/can/can_frame_bits.h"

#define FIRST_ROOM 1024
#define SECOND_US  1000000

void count_init(struct counts *c)
{
	memset(c, 0, sizeof(*c));
}

static size_t place_of(const struct counts *c, canid_t id, uint8_t channel)
{
	return (size_t)((id ^ (uint32_t)channel << 11) * 0x9E3779B1u >> 8) & (c->n_room - 1);
}

static struct count_id *find(const struct counts *c, canid_t id, uint8_t channel)
{
	size_t i = place_of(c, id, channel);

	while (c->id[i].is_used && (c->id[i].id != id || c->id[i].channel != channel))
		i = (i + 1) & (c->n_room - 1);
	return &c->id[i];
}

static bool grow(struct counts *c)
{
	struct counts bigger = *c;
	size_t i;

	bigger.n_room = c->n_room ? 2 * c->n_room : FIRST_ROOM;
	bigger.id = calloc(bigger.n_room, sizeof(*bigger.id));
	if (!bigger.id) {
		c->is_out_of_memory = true;
		return false;
	}
	for (i = 0; i < c->n_room; i++)
		if (c->id[i].is_used)
			*find(&bigger, c->id[i].id, c->id[i].channel) = c->id[i];
	free(c->id);
	*c = bigger;
	return true;
}

/* A frame of an identifier that is not in the table yet; NULL: no room. */
static struct count_id *add(struct counts *c, const struct log_entry *e)
{
	struct count_id *i;

	if (c->n_ids == COUNT_MAX_IDS || (2 * c->n_ids >= c->n_room && !grow(c)))
		return NULL;
	c->n_ids++;
	i = find(c, e->frame.can_id, e->channel);
	i->is_used = true;
	i->id = e->frame.can_id;
	i->channel = e->channel;
	i->dlc_min = UINT8_MAX;
	i->gap_min_us = INT64_MAX;
	i->first_us = e->time_us;
	return i;
}

static void close_window(struct counts *c)
{
	if (c->window_bits > c->peak_bits)
		c->peak_bits = c->window_bits;
	if (c->window_frames > c->peak_frames)
		c->peak_frames = c->window_frames;
	c->window_bits = 0;
	c->window_frames = 0;
}

static void count_load(struct counts *c, const struct log_entry *e)
{
	unsigned bits = can_frame_bits(&e->frame, CAN_STUFFING_NONE) + CAN_INTERFRAME_BITS;

	if (c->n_frames == 0)
		c->first_us = c->window_us = c->last_us = e->time_us;
	if (e->time_us - c->window_us >= SECOND_US) {
		close_window(c);
		c->window_us = e->time_us - (e->time_us - c->window_us) % SECOND_US;
	}
	if (e->time_us > c->last_us)
		c->last_us = e->time_us;
	c->bits += bits;
	c->window_bits += bits;
	c->window_frames++;
	c->n_bytes += e->frame.can_id & CAN_RTR_FLAG ? 0 : e->frame.can_dlc;
}

static void count_gap(struct count_id *i, int64_t gap_us)
{
	i->n_gaps++;
	i->gap_sum_us += (double)gap_us;
	i->gap_squares += (double)gap_us * (double)gap_us;
	if (gap_us < i->gap_min_us)
		i->gap_min_us = gap_us;
	if (gap_us > i->gap_max_us)
		i->gap_max_us = gap_us;
}

void count_entry(struct counts *c, const struct log_entry *e)
{
	struct count_id *i;

	if (e->frame.can_id & CAN_ERR_FLAG) {
		c->n_errors++;
		return;
	}
	count_load(c, e);
	c->n_frames++;
	c->n_remote += (e->frame.can_id & CAN_RTR_FLAG) != 0;
	i = c->n_room ? find(c, e->frame.can_id, e->channel) : NULL;
	if (!i || !i->is_used)
		i = add(c, e);
	if (!i) {
		c->n_other++;
		return;
	}
	if (i->n++ && e->time_us >= i->last_us)
		count_gap(i, e->time_us - i->last_us);
	i->last_us = e->time_us;
	if (e->frame.can_dlc < i->dlc_min)
		i->dlc_min = e->frame.can_dlc;
	if (e->frame.can_dlc > i->dlc_max)
		i->dlc_max = e->frame.can_dlc;
}

static int by_id(const void *a, const void *b)
{
	const struct count_id *x = a, *y = b;
	canid_t x_id = x->id & CAN_EFF_MASK, y_id = y->id & CAN_EFF_MASK;

	if (x->channel != y->channel)
		return x->channel < y->channel ? -1 : 1;
	if ((x->id ^ y->id) & CAN_EFF_FLAG)
		return x->id & CAN_EFF_FLAG ? 1 : -1;
	if (x_id != y_id)
		return x_id < y_id ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void count_end(struct counts *c)
{
	size_t i, n = 0;

	close_window(c);
	for (i = 0; i < c->n_room; i++)
		if (c->id[i].is_used)
			c->id[n++] = c->id[i];
	if (n)
		qsort(c->id, n, sizeof(*c->id), by_id);
}

void count_free(struct counts *c)
{
	free(c->id);
	memset(c, 0, sizeof(*c));
}

double count_mean_us(const struct count_id *i)
{
	return i->n_gaps ? i->gap_sum_us / (double)i->n_gaps : 0;
}

double count_jitter_us(const struct count_id *i)
{
	double mean = count_mean_us(i), variance;

	if (!i->n_gaps)
		return 0;
	variance = i->gap_squares / (double)i->n_gaps - mean * mean;
	return variance > 0 ? sqrt(variance) : 0;
}
