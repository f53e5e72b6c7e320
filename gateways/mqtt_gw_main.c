/* SPDX-License-Identifier: MIT */
/*
 * mqtt-gw: carries reports, grants, states and commands of charge points between a CAN bus and an MQTT
 * broker. Wires settings and parts together; no decisions.
 */
#include <errno.h>

#include "gateways/mqtt_gw_bridge.h"
#include "lib/linux/app.h"

static struct app app;
static struct mqtt_gw_conf conf;
static struct mqtt_gw gateway;

static int check(struct app *a, char *err, size_t err_size)
{
	(void)a;
	return mqtt_gw_conf_check(&conf, err, err_size);
}

static void io(void *ctx, int64_t now_us, struct out_queue *out)
{
	(void)out;
	mqtt_gw_io(ctx, now_us);
}

static int build(struct app *a, struct machine *machine, char *err, size_t err_size)
{
	struct mqtt_gw_memory memory = {
		.changes = app_memory(a, mqtt_gw_changes_bytes(&conf)),
		.events = app_memory(a, mqtt_gw_events_bytes(&conf)),
		.answers = app_memory(a, mqtt_gw_answers_bytes()),
	};
	int r;

	if (!memory.changes || !memory.events || !memory.answers)
		return app_error(-ENOMEM, err, err_size, "not enough memory for %d states and %d events",
				 conf.state_entries, conf.log_entries);
	r = mqtt_gw_init(&gateway, &conf, &memory, app_log_sink(a), app_now_us(a), err, err_size);
	if (r)
		return r;
	machine->ops = &mqtt_gw_ops;
	machine->self = &gateway;
	machine->name = "mqtt-gw";
	return app_add_fd(a, mqtt_gw_fd(&gateway), io, &gateway);
}

static void fini(struct app *a)
{
	(void)a;
	mqtt_gw_fini(&gateway);
}

int main(int argc, char **argv)
{
	static const struct app_spec spec = {
		.program = "mqtt-gw",
		.purpose = "reports, grants, states and commands of charge points over MQTT",
		.table = mqtt_gw_conf_table,
		.settings = &conf,
		.check = check,
		.build = build,
		.fini = fini,
	};
	struct app_spec full = spec;

	full.n_table = mqtt_gw_conf_n;
	return app_main(&app, &full, argc, argv);
}
