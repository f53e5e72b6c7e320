/* SPDX-License-Identifier: MIT */
/*
 * Client of the control socket of one evse-ctrl: one request at a time, never waits. Descriptors are watched
 * by an epoll descriptor of the owner.
 */
#ifndef GATEWAYS_MQTT_GW_EVSE_H
#define GATEWAYS_MQTT_GW_EVSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/linux/ctl_server.h"

#define MQTT_GW_EVSE_ANSWER_US \
	(5 * INT64_C(1000000)) /* a controller that says nothing for so long is not there */

struct mqtt_gw_evse {
	const char *target; /* name or path */
	int epoll_fd;
	int fd; /* -1: not connected */
	bool is_busy;
	int64_t asked_us;
	size_t n;
	char text[CTL_ANSWER_MAX + 256];
};

enum mqtt_gw_evse_result {
	MQTT_GW_EVSE_NOTHING, /* not yet */
	MQTT_GW_EVSE_OK,
	MQTT_GW_EVSE_REFUSED,
	MQTT_GW_EVSE_LOST, /* no answer any more */
};

void mqtt_gw_evse_init(struct mqtt_gw_evse *e, const char *target, int epoll_fd);
/* Sends a request (a line without its end). 0, -EBUSY, or a negative errno: it cannot be reached. */
int mqtt_gw_evse_ask(struct mqtt_gw_evse *e, int64_t now_us, const char *line);
/* Reads what is there; *text: lines of the answer, or the reason of a refusal, until the next call. */
enum mqtt_gw_evse_result mqtt_gw_evse_read(struct mqtt_gw_evse *e, int64_t now_us, const char **text);
/* When it must be read at the latest; FC_NEVER. */
int64_t mqtt_gw_evse_next_us(const struct mqtt_gw_evse *e);
void mqtt_gw_evse_close(struct mqtt_gw_evse *e);

#endif
