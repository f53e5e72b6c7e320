/* SPDX-License-Identifier: MIT */
/*
 * evse-ctrl: the charger's controller on the customer's side of the EVSE generic interface v3. Wires settings,
 * drivers and charge points together; no decisions.
 */
#include <errno.h>
#include <string.h>

#include "evse-ctrl/evse_station.h"
#include "lib/linux/app.h"
#include "lib/linux/first_number.h"
#include "sim/sim_stack.h"

static struct app app;
static struct evse_conf conf[EVSE_INDEX_MAX];
static struct evse_point point[EVSE_INDEX_MAX];
static struct evse_station station;

static const struct forecourt_plugin *const builtin[] = {&sim_stack_plugin, NULL};

/*
 * The simulated stack replaces the vendor's simulator, which plays the operator too: it authorises and stops by
 * itself. With real power modules nobody is authorised and nothing ends unless somebody says so.
 */
static int check(struct app *a, char *err, size_t err_size)
{
	char why[160];
	uint32_t i;

	for (i = 0; i < a->n_units; i++) {
		if (evse_conf_check(&conf[i], why, sizeof(why)))
			return app_error(-EINVAL, err, err_size, "pistol %u: %s", a->unit[i].index, why);
		if (a->unit[i].driver.record == &sim_stack_plugin)
			continue;
		if (!app_is_set(a, i, "charge_duration"))
			conf[i].charge_duration_ms = 0;
		if (!app_is_set(a, i, "ccs_authorisation_duration"))
			conf[i].authorisation_ms = -1;
	}
	return 0;
}

static void driver_rx(void *ctx, int64_t now_us, uint32_t bus, const struct can_frame *f,
		      struct out_queue *out)
{
	(void)bus; /* the runner's number; the driver knows its own as 1 */
	evse_point_driver_rx(ctx, now_us, 1, f, out);
}

static void driver_io(void *ctx, int64_t now_us, struct out_queue *out)
{
	evse_point_driver_io(ctx, now_us, out);
}

/* The driver's own bus and descriptor, where it has them. */
static int connect_driver(struct app *a, uint32_t i, char *err, size_t err_size)
{
	const struct power_module_ops *ops = point[i].ops;
	struct can_filter filter[EVSE_POINT_DRIVER_FILTERS];
	uint32_t n =
		ops->filters ? ops->filters(point[i].driver_state, 1, filter, EVSE_POINT_DRIVER_FILTERS) : 0;
	int fd = ops->fd && ops->io ? ops->fd(point[i].driver_state) : -1;
	int ret;

	if (conf[i].driver_can[0]) {
		ret = app_add_bus(a, conf[i].driver_can, filter, n, driver_rx, &point[i], err, err_size);
		if (ret < 0)
			return ret;
		point[i].bus_base = (uint8_t)ret;
	}
	return fd < 0 ? 0 : app_add_fd(a, fd, driver_io, &point[i]);
}

static void site_rx(void *ctx, int64_t now_us, uint32_t bus, const struct can_frame *f, struct out_queue *out)
{
	(void)bus;
	evse_station_site_rx(ctx, now_us, f, out);
}

/* Opens the site's bus of pistol `first` for all pistols that name it. */
static int connect_site(struct app *a, uint32_t first, char *err, size_t err_size)
{
	struct can_filter filter[2 * EVSE_INDEX_MAX];
	size_t n = 0;
	uint32_t i;
	int bus;

	for (i = first; i < a->n_units; i++)
		if (strcmp(conf[i].site_can, conf[first].site_can) == 0)
			n += evse_session_site_filters(&point[i].session, filter + n,
						       sizeof(filter) / sizeof(filter[0]) - n);
	if (n == 0)
		return 0;
	bus = app_add_bus(a, conf[first].site_can, filter, n, site_rx, &station, err, err_size);
	for (i = first; i < a->n_units && bus > 0; i++)
		if (strcmp(conf[i].site_can, conf[first].site_can) == 0)
			evse_session_site_bus(&point[i].session, (uint8_t)bus);
	return bus < 0 ? bus : 0;
}

static int connect_sites(struct app *a, char *err, size_t err_size)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < a->n_units && ret == 0; i++)
		if (point[i].session.site.is_on && conf[i].site_can[0] && point[i].session.site.bus == 0)
			ret = connect_site(a, i, err, err_size);
	return ret;
}

static int build(struct app *a, struct machine *machine, char *err, size_t err_size)
{
	int64_t now_us = app_now_us(a); /* one for all pistols: one grid, one wake-up, one send */
	uint32_t first_number = first_number_now();
	uint32_t i;

	evse_station_init(&station);
	for (i = 0; i < a->n_units; i++) {
		const struct app_unit *unit = &a->unit[i];
		struct evse_point_setup setup = {
			.conf = &conf[i],
			.index = unit->index,
			.driver = unit->driver.record,
			.ops = &unit->driver.ops.pm,
			.driver_state = app_memory(a, unit->driver.record->state_size),
			.kv = unit->kv,
			.n_kv = unit->n_kv,
			.sink = app_log_sink(a),
			.first_number = first_number,
		};
		int ret;

		if (!setup.driver_state)
			return app_error(-ENOMEM, err, err_size, "not enough memory for pistol %u",
					 unit->index);
		ret = evse_point_init(&point[i], &setup, now_us, err, err_size);
		if (ret == 0)
			ret = connect_driver(a, i, err, err_size);
		if (ret)
			return ret;
		evse_station_add(&station, &point[i]);
	}
	machine->ops = &evse_station_ops;
	machine->self = &station;
	machine->name = "evse-ctrl";
	return connect_sites(a, err, err_size);
}

static void fini(struct app *a)
{
	uint32_t i;

	for (i = 0; i < a->n_units; i++)
		evse_point_fini(&point[i]);
}

int main(int argc, char **argv)
{
	static const struct app_spec spec = {
		.program = "evse-ctrl",
		.purpose = "charger side of the EVSE generic interface v3",
		.unit_table = evse_conf_table,
		.unit_settings = conf,
		.unit_size = sizeof(conf[0]),
		.n_units_max = EVSE_INDEX_MAX,
		.driver_kind = FORECOURT_KIND_POWER_MODULE,
		.driver_default = "sim",
		.builtin = builtin,
		.check = check,
		.build = build,
		.fini = fini,
	};
	struct app_spec full = spec;

	full.n_unit_table = evse_conf_n;
	return app_main(&app, &full, argc, argv);
}
