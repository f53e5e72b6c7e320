/* SPDX-License-Identifier: MIT */
/* pev-ctrl: wires the vehicle's settings, driver and machine together; no decisions. */
#include <errno.h>

#include "lib/linux/app.h"
#include "pev-ctrl/pev_point.h"
#include "sim/sim_vehicle.h"

static struct app app;
static struct pev_conf conf;
static struct pev_point point;

/* The driver's own bus and descriptor, where it has them. */
static int connect_driver(struct app *a, char *err, size_t err_size)
{
	struct can_filter filter[PEV_POINT_DRIVER_FILTERS];
	uint32_t n = 0;
	int ret = 0, fd = -1;

	if (point.ops->filters)
		n = point.ops->filters(point.driver_state, 1, filter, PEV_POINT_DRIVER_FILTERS);
	if (conf.driver_can[0])
		ret = app_add_bus(a, conf.driver_can, filter, n, pev_point_driver_rx, &point, err, err_size);
	if (ret < 0)
		return ret;
	if (point.ops->fd && point.ops->io)
		fd = point.ops->fd(point.driver_state);
	return fd < 0 ? 0 : app_add_fd(a, fd, pev_point_driver_io, &point);
}

static int build(struct app *a, struct machine *machine, char *err, size_t err_size)
{
	const struct app_unit *unit = &a->unit[0];
	void *state = app_memory(a, unit->driver.record->state_size);
	struct pev_point_setup setup = {&conf,	  unit->driver.record, &unit->driver.ops.vh, state,
					unit->kv, unit->n_kv,	       app_log_sink(a)};
	int ret;

	if (!state)
		return app_error(-ENOMEM, err, err_size, "not enough memory for the driver");
	ret = pev_point_init(&point, &setup, app_now_us(a), err, err_size);
	if (ret)
		return ret;
	*machine = pev_point_machine(&point);
	return connect_driver(a, err, err_size);
}

static int check(struct app *a, char *err, size_t err_size)
{
	(void)a;
	return pev_conf_check(&conf, err, err_size);
}

static void fini(struct app *a)
{
	(void)a;
	pev_point_fini(&point);
}

int main(int argc, char **argv)
{
	static const struct forecourt_plugin *const builtin[] = {&sim_vehicle_plugin, NULL};
	const struct app_spec spec = {
		.program = "pev-ctrl",
		.purpose = "vehicle side of the PEV generic interface v2",
		.table = pev_conf_table,
		.n_table = pev_conf_n,
		.settings = &conf,
		.driver_kind = FORECOURT_KIND_VEHICLE_HW,
		.driver_default = "sim",
		.builtin = builtin,
		.check = check,
		.build = build,
		.fini = fini,
	};

	return app_main(&app, &spec, argc, argv);
}
