/* SPDX-License-Identifier: MIT */
/*
 * A gateway as a process between a bus of the test and a broker of the test. For cmocka: what goes wrong
 * fails the test, with what the gateway printed.
 */
#ifndef TESTS_MQTT_GW_RIG_H
#define TESTS_MQTT_GW_RIG_H

#include "lib/can/can_bus.h"
#include "site_msgs.h"
#include "tests/lib/mqtt_rig.h"

#define GW_TEXT_MAX 32768

struct gw_rig {
	struct proc_child child;
	char url[64]; /* of the bus */
	struct can_bus *bus;
	char socket[96];
	char text[GW_TEXT_MAX]; /* last answer of the control socket, or what was printed */
};

/* A bus of its own for the gateway and us. */
void gw_open(struct gw_rig *g, const struct mqtt_broker *b, const char *name);
/* Starts the gateway with --role and more options (ended by NULL); returns without waiting. */
void gw_launch(struct gw_rig *g, const char *role, const char *const more[], const char *const env[]);
/* The same, and waits until it is connected to a broker. */
void gw_start(struct gw_rig *g, const char *role, const char *const more[], const char *const env[]);
/* Asks for its status; false while the socket is not there. */
bool gw_ask(struct gw_rig *g);
/* The value of a key in the last answer, or "" . */
const char *gw_value(const struct gw_rig *g, const char *key, char value[200]);
/* Asks until the key has that value, or begins with it for a '*' at its end. */
void gw_wait_value(struct gw_rig *g, const char *key, const char *wanted);
/* Asks until the number of the key is at least that. */
void gw_wait_number(struct gw_rig *g, const char *key, long long least);
/* By SIGTERM; its exit code. */
int gw_stop(struct gw_rig *g);
void gw_close(struct gw_rig *g);
/* Fails with what it printed. */
void gw_fail(struct gw_rig *g, const char *what);

/*
 * A message of dbc/site.dbc to the bus, and the next frame from it of that message and number (limit as
 * ever).
 */
void gw_send(struct gw_rig *g, enum site_msg msg, unsigned number, const void *content);
void gw_expect(struct gw_rig *g, enum site_msg msg, unsigned number, void *content);
/* True when a frame of that message comes within limit_ms. */
bool gw_hears(struct gw_rig *g, enum site_msg msg, unsigned number, void *content, int64_t limit_ms);

#endif
