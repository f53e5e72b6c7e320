/* SPDX-License-Identifier: MIT */
/*
 * State of a network interface and of the CAN controller behind it.
 */
#include "lib/can/can_link.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libsocketcan.h>
#include <linux/can/error.h>
#include <sys/ioctl.h>

#include <forecourt/units.h>

#include "lib/can/can_bus.h"

/*
 * Bus-off is a fault of the wiring or the bit rate more often than not: a second lets a transient pass, and
 * half a minute at the longest keeps a shorted bus from being hit for ever.
 */
#define CAN_RESTART_FIRST_US 1000000
#define CAN_RESTART_MAX_US   30000000

void can_link_read(int fd, const char *name, int *ifindex, bool *is_up)
{
	struct ifreq r;

	*ifindex = 0;
	*is_up = false;
	memset(&r, 0, sizeof(r));
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFINDEX, &r) != 0)
		return;
	*ifindex = r.ifr_ifindex;
	if (ioctl(fd, SIOCGIFFLAGS, &r) == 0)
		*is_up = (r.ifr_flags & IFF_UP) != 0;
}

void can_edges_down(struct can_edges *e)
{
	if (e->has_up)
		e->has_up = false; /* nobody has heard of it being up yet */
	else
		e->has_down = true;
}

void can_edges_up(struct can_edges *e)
{
	e->has_up = true;
}

bool can_edges_take(struct can_edges *e, struct can_frame *f)
{
	if (!e->has_down && !e->has_up)
		return false;
	memset(f, 0, sizeof(*f));
	f->can_id = e->has_down ? CAN_BUS_DOWN_ID : CAN_BUS_UP_ID;
	f->can_dlc = CAN_ERR_DLC;
	if (e->has_down)
		e->has_down = false;
	else
		e->has_up = false;
	return true;
}

/* libsocketcan writes to stderr when a link has no CAN state; a link without one is nothing to talk about. */
static int stderr_mute(void)
{
	int saved, null;

	fflush(stderr);
	saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (saved >= 0 && null >= 0)
		dup2(null, STDERR_FILENO);
	if (null >= 0)
		close(null);
	return saved;
}

static void stderr_unmute(int saved)
{
	fflush(stderr);
	if (saved < 0)
		return;
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static bool state_is_off(int state)
{
	return state == CAN_STATE_BUS_OFF || state == CAN_STATE_STOPPED;
}

void can_controller_open(struct can_controller *c, const char *name, int (*restart)(const char *name),
			 int64_t now_us)
{
	int state = CAN_STATE_ERROR_ACTIVE, saved;
	__u32 restart_ms = 0;

	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->restart = restart;
	c->next_us = FC_NEVER;
	saved = stderr_mute();
	c->has_state = can_get_state(name, &state) == 0;
	if (c->has_state && can_get_restart_ms(name, &restart_ms) == 0)
		c->restart_ms = restart_ms;
	stderr_unmute(saved);
	if (c->has_state && state == CAN_STATE_BUS_OFF)
		can_controller_bus_off(c, now_us);
}

void can_controller_bus_off(struct can_controller *c, int64_t now_us)
{
	if (!c->has_state || c->is_bus_off)
		return;
	c->is_bus_off = true;
	c->backoff_us = CAN_RESTART_FIRST_US;
	c->next_us = now_us + c->backoff_us;
}

void can_controller_restarted(struct can_controller *c)
{
	c->is_bus_off = false;
	c->next_us = FC_NEVER;
}

bool can_controller_service(struct can_controller *c, int64_t now_us)
{
	int state = CAN_STATE_BUS_OFF, saved;
	bool is_read;

	if (now_us < c->next_us)
		return false;
	saved = stderr_mute();
	is_read = can_get_state(c->name, &state) == 0;
	if (is_read && state_is_off(state) && c->restart_ms == 0 && c->restart)
		c->restart(c->name);
	stderr_unmute(saved);
	if (is_read && !state_is_off(state)) {
		can_controller_restarted(c);
		return true;
	}
	c->backoff_us = fc_min_i64(2 * c->backoff_us, CAN_RESTART_MAX_US);
	c->next_us = now_us + c->backoff_us;
	return false;
}
