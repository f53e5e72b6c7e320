/* SPDX-License-Identifier: MIT */
/* A bus as the source of a monitor. */
#include "monitor/mon_app_live.h"

#include <sys/epoll.h>

#include <forecourt/units.h>

#include "lib/can/can_bus_rx.h"

/*
 * The screen changes ten times a second; emptying the buffer more often shows nothing sooner. A little less than
 * 100 ms, so that a frame that comes right after a look is on the screen within 100 ms, drawing included.
 */
#define BEAT_US INT64_C(97000)
/* After the first frame on a silent bus: those of the same cycle come within some milliseconds. */
#define GATHER_US INT64_C(20000)
/* 11-bit frames with 8 bytes on a bus of 1 Mbit/s: the most that can come. */
#define MOST_FRAMES_PER_S 9009
/* The slowest message of the interfaces comes every second: after two of silence nobody speaks. */
#define SILENT_US  (2 * FC_US_PER_S)
#define MAX_ERRORS 10

int mon_live_open(struct mon_live *l, const char *url, unsigned number, const struct mon_feed *feed,
		  struct loop *loop, char *err, size_t err_size)
{
	const struct can_filter all = can_filter_all();
	int64_t hold_us;
	int r = can_bus_open_rx(url, &l->bus, err, err_size);

	if (r)
		return r;
	/* Half of the room is for what we may come late. */
	hold_us = (int64_t)can_bus_rx_room(l->bus) * FC_US_PER_S / MOST_FRAMES_PER_S / 2;
	l->beat_us = hold_us < GATHER_US ? GATHER_US : fc_min_i64(hold_us, BEAT_US);
	l->loop = loop;
	l->feed = *feed;
	l->number = number;
	l->next_us = loop->now_us;
	l->frame_us = loop->now_us - SILENT_US;
	l->tick_us = loop->now_us;
	l->is_watched = false;
	l->is_woken = false;
	l->n_dropped = 0;
	l->n_errors = 0;
	return can_bus_set_filters(l->bus, &all, 1); /* foreign frames too: they are a part of the load */
}

void mon_live_close(struct mon_live *l)
{
	if (!l->bus)
		return;
	if (l->is_watched)
		loop_remove(l->loop, can_bus_fd(l->bus));
	can_bus_close(l->bus);
	l->bus = NULL;
}

static void on_frame(void *ctx, int64_t now_us, uint32_t events)
{
	struct mon_live *l = ctx;

	(void)events;
	loop_remove(l->loop, can_bus_fd(l->bus));
	l->is_watched = false;
	l->is_woken = true;
	l->next_us = now_us + GATHER_US;
}

/* All that is there; how many, or a negative errno when that is none. */
static int take_frames(struct mon_live *l)
{
	struct can_rx_info info;
	struct can_frame f;
	int n = 0, r;

	while ((r = can_bus_recv(l->bus, &f, &info)) > 0) {
		if (info.n_dropped != l->n_dropped) {
			l->feed.dropped(l->feed.ctx, info.time_us, info.n_dropped - l->n_dropped);
			l->n_dropped = info.n_dropped;
		}
		l->feed.rx(l->feed.ctx, info.time_us, l->number, &f);
		n++;
	}
	return n > 0 ? n : r;
}

/* Sleeps until a frame wakes us, if the loop can; else goes on looking. */
static void fall_asleep(struct mon_live *l, int64_t now_us)
{
	l->is_watched = loop_add(l->loop, can_bus_fd(l->bus), EPOLLIN, on_frame, l) == 0;
	l->next_us = now_us + (l->is_watched ? FC_US_PER_S : l->beat_us);
}

static bool drain(struct mon_live *l, int64_t now_us, int64_t *service_us, int *error)
{
	bool was_up = l->bus->stats.is_up;
	int n = take_frames(l), more = 0;

	*service_us = can_bus_service(l->bus, now_us);
	if (l->bus->stats.is_up != was_up)
		more = take_frames(l); /* the interface is back, or gone */
	l->n_errors = n < 0 || more < 0 ? l->n_errors + 1 : 0;
	if (l->n_errors >= MAX_ERRORS)
		*error = n < 0 ? n : more;
	return n > 0 || more > 0;
}

bool mon_live_run(struct mon_live *l, int64_t now_us, int64_t *next_us, int *error)
{
	int64_t service_us = FC_NEVER;
	bool is_new;

	if (now_us < l->next_us) {
		*next_us = fc_min_i64(*next_us, l->next_us);
		return false;
	}
	is_new = drain(l, now_us, &service_us, error);
	if (is_new)
		l->frame_us = now_us;
	if (now_us - l->tick_us >= BEAT_US - BEAT_US / 20 || l->is_woken) {
		l->feed.tick(l->feed.ctx, now_us);
		l->tick_us = now_us;
	}
	l->is_woken = false;
	if (now_us - l->frame_us < SILENT_US) {
		/* On a grid, so that a late wake-up does not push the others out. */
		l->next_us += l->beat_us;
		if (l->next_us <= now_us)
			l->next_us = now_us + l->beat_us;
	} else if (l->is_watched) {
		l->next_us = now_us + FC_US_PER_S;
	} else {
		fall_asleep(l, now_us);
	}
	l->next_us = fc_min_i64(l->next_us, service_us > now_us ? service_us : now_us + l->beat_us);
	*next_us = fc_min_i64(*next_us, l->next_us);
	return is_new || now_us - l->frame_us < SILENT_US;
}
