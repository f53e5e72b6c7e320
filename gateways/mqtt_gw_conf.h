/* SPDX-License-Identifier: MIT */
/*
 * Settings of mqtt-gw: one table for command line, file and help; and what the ranges of the table cannot
 * say.
 */
#ifndef GATEWAYS_MQTT_GW_CONF_H
#define GATEWAYS_MQTT_GW_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "gateways/gate_bridge.h"
#include "gateways/gate_tariff.h"
#include "gateways/gate_url.h"
#include "lib/core/opts.h"

#define MQTT_GW_NUMBERS	 32 /* on a bus; 0 is not used */
#define MQTT_GW_PISTOLS	 16
#define MQTT_GW_PATH_MAX 160
#define MQTT_GW_WORD_MAX 128

enum mqtt_gw_tls { MQTT_GW_TLS_BY_URL, MQTT_GW_TLS_REQUIRED };

struct mqtt_gw_conf {
	int32_t role; /* enum gate_role */
	char site[GATE_NAME_MAX], prefix[GATE_BASE_MAX - GATE_NAME_MAX], gateway[GATE_NAME_MAX];
	char point[MQTT_GW_NUMBERS][GATE_NAME_MAX]; /* by number on the bus; "": none */
	char evse_all[MQTT_GW_PATH_MAX];
	char evse[MQTT_GW_PISTOLS][MQTT_GW_PATH_MAX]; /* "": as evse_all */
	char window[GATE_MAX_WINDOWS][96];
	char broker[400];
	int32_t tls; /* enum mqtt_gw_tls */
	char cafile[MQTT_GW_PATH_MAX], capath[MQTT_GW_PATH_MAX];
	char certfile[MQTT_GW_PATH_MAX], keyfile[MQTT_GW_PATH_MAX];
	char credentials[MQTT_GW_PATH_MAX];
	int32_t keepalive_s, connect_timeout_ms, backoff_min_ms, backoff_max_ms;
	int32_t lease_qos;
	int32_t state_entries, log_entries, resend_ms;
	int32_t poll_ms, execute_timeout_ms, confirm_timeout_ms, report_timeout_ms;
	/* ---- out of the above, by mqtt_gw_conf_check() */
	char base[GATE_BASE_MAX]; /* PREFIX/SITE */
	char name[GATE_NAME_MAX]; /* of this gateway */
	struct gate_broker brokers[GATE_MAX_BROKERS];
	uint32_t n_brokers;
	struct gate_window windows[GATE_MAX_WINDOWS];
	uint32_t n_windows;
	char user[MQTT_GW_WORD_MAX], password[MQTT_GW_WORD_MAX]; /* "": none */
};

extern const struct opt mqtt_gw_conf_table[];
extern const size_t mqtt_gw_conf_n;

/* Checks all, reads the file of credentials, fills the lower half. 0, or a negative errno with a sentence. */
int mqtt_gw_conf_check(struct mqtt_gw_conf *c, char *err, size_t err_size);
/* Where the controller of a pistol is asked: a name or a path; NULL: nowhere. */
const char *mqtt_gw_conf_evse(const struct mqtt_gw_conf *c, unsigned number);

#endif
