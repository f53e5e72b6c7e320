/* SPDX-License-Identifier: MIT */
/*
 * Everything that is said over MQTT as JSON text; docs/mqtt.md describes it, docs/schemas/ defines it. What
 * comes in is checked to the last number: JSON by the letter, no key twice, whole numbers within what the
 * wire carries. Keys that nobody knows are an error in a command and are counted in a record, so that reports
 * may grow.
 *
 * Writers return the length, or -ENOSPC; the text is always terminated. Readers return 0 or a negative errno
 * with a sentence.
 */
#ifndef GATEWAYS_MQTT_GW_JSON_H
#define GATEWAYS_MQTT_GW_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateways/gate_bridge.h"
#include "gateways/gate_command.h"

#define MQTT_GW_JSON_VERSION  1
#define MQTT_GW_EXPIRES_MAX_S 3600
#define MQTT_GW_TIME_MAX_MS   INT64_C(253402300799999) /* end of the year 9999 */

/* A report or a grant, by the key part it holds. */
ssize_t mqtt_gw_json_record(const struct gate_record *r, char *text, size_t size);
/* key: SITE_POINT_REPORT or SITE_GRANT, as the topic says. n_unknown: keys passed over, added up. */
int mqtt_gw_json_read_record(const char *text, size_t n, enum site_msg key, struct gate_record *r,
			     uint64_t *n_unknown, char *err, size_t err_size);

/* Who speaks: goes into states, logs and answers. */
struct mqtt_gw_json_from {
	const char *gateway;
	int64_t boot_ms; /* wall clock of the start: sequence numbers begin anew with it */
};

ssize_t mqtt_gw_json_state(const struct mqtt_gw_json_from *from, const struct gate_change *c,
			   uint64_t n_dropped, char *text, size_t size);
ssize_t mqtt_gw_json_event(const struct mqtt_gw_json_from *from, const struct gate_event *e,
			   uint64_t n_dropped, char *text, size_t size);
/* status, settings: what the controller answered to get-all, lines "key=value"; NULL: nothing. */
ssize_t mqtt_gw_json_answer(const struct mqtt_gw_json_from *from, const struct gate_answer *a,
			    const char *status, const char *settings, char *text, size_t size);

struct mqtt_gw_json_gateway {
	bool is_online;
	const char *role;
	const char *point[GATE_MAX_POINTS];
	uint32_t n_points;
	int64_t wall_us; /* 0: unknown, as in the last will */
	uint64_t n_states_dropped, n_events_dropped;
};

ssize_t mqtt_gw_json_gateway(const struct mqtt_gw_json_from *from, const struct mqtt_gw_json_gateway *g,
			     char *text, size_t size);

/*
 * A command without its point. After an error r->id holds the id where it is usable, so that the answer has a
 * place to go; else it is empty.
 */
int mqtt_gw_json_read_command(const char *text, size_t n, struct gate_request *r, char *err, size_t err_size);

#endif
