/* SPDX-License-Identifier: MIT */
/*
 * The gateway as one machine of the runner (lib/linux/run.h): the bus on one side, the thread of the
 * connection and the control sockets of the controllers on the other, behind one epoll descriptor. What it
 * decides is in gate_*.
 *
 *     mqtt_gw_bridge     wake-ups, requests of its own control socket, start and end
 *     mqtt_gw_publish    what goes to the broker and comes from it
 *     mqtt_gw_operator   commands and polls of the controllers, tariff windows
 */
#ifndef GATEWAYS_MQTT_GW_BRIDGE_H
#define GATEWAYS_MQTT_GW_BRIDGE_H

#include "gateways/gate_bridge.h"
#include "gateways/gate_command.h"
#include "gateways/gate_tariff.h"
#include "gateways/mqtt_gw_conf.h"
#include "gateways/mqtt_gw_evse.h"
#include "gateways/mqtt_gw_json.h"
#include "gateways/mqtt_gw_link.h"
#include "lib/core/log.h"
#include "lib/core/machine.h"

#define MQTT_GW_ANSWERS 512 /* steps of commands kept for the broker */

/* What a control socket is doing for us. */
struct mqtt_gw_job {
	enum { MQTT_GW_IDLE, MQTT_GW_COMMAND, MQTT_GW_POLL_STATUS, MQTT_GW_POLL_CURRENT } kind;
	int slot;	/* of the ledger */
	uint32_t point; /* polled */
};

struct mqtt_gw_socket {
	struct mqtt_gw_evse evse;
	uint32_t points; /* mask of those it controls */
	struct mqtt_gw_job job;
	int64_t retry_us; /* not before, after a failure */
	bool is_lost;	  /* said so in the log */
};

struct mqtt_gw_operated {
	struct mqtt_gw_socket *socket; /* NULL: nobody to ask */
	int64_t poll_us;
	/* Tariff. */
	bool has_tariff;
	int8_t is_open; /* GATE_UNKNOWN before the first look */
	bool is_locked; /* by an operator, whom no tariff overrules */
};

/* What a controller answered to get-all. */
struct mqtt_gw_result {
	char *status, *settings;
};

struct mqtt_gw_publishing {
	bool is_up;
	uint32_t connection;
	uint32_t broker;
	bool is_flying[GATE_MAX_POINTS];    /* a record of that point is under way */
	bool is_state_due[GATE_MAX_POINTS]; /* a new broker may have no retained state */
	bool is_gateway_due;
	uint32_t n_own_flying;		      /* states and the gateway's, outside of the queues */
	uint32_t n_downs;		      /* since it was up */
	char reason[MQTT_GW_LINK_REASON_MAX]; /* of the last end */
	uint64_t n_connections;
	/* Came in. */
	uint64_t n_messages, n_refused, n_foreign, n_retained, n_keys_unknown;
	bool is_goodbye_said, is_over;
	char text[MQTT_GW_LINK_OUT_MAX];
};

struct mqtt_gw {
	const struct mqtt_gw_conf *conf;
	struct log log;
	int epoll_fd;
	struct gate_bridge bridge;
	struct gate_queue changes, events, answers;
	struct gate_ledger ledger;
	struct gate_tariff tariff;
	int64_t tariff_us;
	struct mqtt_gw_socket socket[GATE_MAX_POINTS];
	uint32_t n_sockets;
	struct mqtt_gw_operated operated[GATE_MAX_POINTS];
	struct mqtt_gw_result result[GATE_COMMANDS];
	struct mqtt_gw_link link;
	struct mqtt_gw_publishing pub;
	struct mqtt_gw_json_from from;
	char client_id[2 * GATE_NAME_MAX];
	char will_topic[GATE_TOPIC_MAX];
	char will[1024];
	struct mqtt_gw_link_conf link_conf;
	bool is_due; /* something came: the next tick looks at it */
	bool is_stopping, is_leaving;
	int64_t stop_by_us;
};

/* Memory of the queues: blocks of these sizes, zeroed. */
struct mqtt_gw_memory {
	void *changes, *events, *answers;
};

size_t mqtt_gw_changes_bytes(const struct mqtt_gw_conf *conf);
size_t mqtt_gw_events_bytes(const struct mqtt_gw_conf *conf);
size_t mqtt_gw_answers_bytes(void);

/* conf has been checked; it and the memory stay the caller's. 0, or a negative errno with a sentence. */
int mqtt_gw_init(struct mqtt_gw *g, const struct mqtt_gw_conf *conf, const struct mqtt_gw_memory *memory,
		 const struct log_sink *sink, int64_t now_us, char *err, size_t err_size);
/* Readable when something is to be done; then mqtt_gw_io(). */
int mqtt_gw_fd(const struct mqtt_gw *g);
void mqtt_gw_io(struct mqtt_gw *g, int64_t now_us);
/* After the loop, and after a failed start. */
void mqtt_gw_fini(struct mqtt_gw *g);

extern const struct machine_ops mqtt_gw_ops; /* self: struct mqtt_gw */

/* --- between the parts ---------------------------------------------------------------------------------- */

const char *mqtt_gw_point_name(const struct mqtt_gw *g, uint32_t i);

/* mqtt_gw_publish.c */
int mqtt_gw_publish_init(struct mqtt_gw *g, char *err, size_t err_size);
/* Takes what the thread has for us. */
void mqtt_gw_publish_take(struct mqtt_gw *g, int64_t now_us);
/* Counts a message that is not taken, and says why. */
void mqtt_gw_refuse(struct mqtt_gw *g, const char *topic, const char *why);
/* Hands it what is due, within the windows. */
void mqtt_gw_publish_send(struct mqtt_gw *g, int64_t now_us);

/* mqtt_gw_operator.c */
void mqtt_gw_operator_init(struct mqtt_gw *g, int64_t now_us);
/* A command of point i as it came. */
void mqtt_gw_operator_command(struct mqtt_gw *g, int64_t now_us, uint32_t i, const struct mqtt_gw_item *item);
/* Sockets that answered, requests that are due, limits of commands, the tariff. */
void mqtt_gw_operator_work(struct mqtt_gw *g, int64_t now_us);
int64_t mqtt_gw_operator_next_us(const struct mqtt_gw *g);
void mqtt_gw_operator_fini(struct mqtt_gw *g);

#endif
