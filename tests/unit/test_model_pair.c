/* SPDX-License-Identifier: MIT */
/* The virtual modules standing alone: with a whole vehicle or a whole charger modelled behind the plug. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/model_charger.h"
#include "sim/model_pair.h"
#include "sim/model_vehicle.h"
#include "sim/sim_stack.h"
#include "sim/sim_vehicle.h"
#include "tests/lib/plug_bench.h"
#include "tests/lib/scripted_evse.h"
#include "tests/lib/scripted_pev.h"

#define SECONDS(s) ((int64_t)(s)*FC_US_PER_S)

static const char *const vehicle_words[] = {"plug", "unplug", NULL};
static const char *const charger_words[] = {NULL};

struct alone {
	struct bench *bench;
	struct secc_cfg secc_cfg;
	struct evcc_cfg evcc_cfg;
	struct secc secc;
	struct evcc evcc;
	struct model_vehicle vehicle;
	struct model_charger charger;
	struct sim_vehicle battery;
	struct sim_stack stack;
	struct model_pair pair;
	struct scripted_evse evse;
	struct scripted_pev pev;
};

static struct alone *alone_new(void)
{
	struct alone *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	a->bench = bench_new();
	opts_defaults(secc_conf_table, secc_conf_n, &a->secc_cfg);
	opts_defaults(evcc_conf_table, evcc_conf_n, &a->evcc_cfg);
	a->evcc_cfg.plug_at_start = 1;
	return a;
}

static void alone_free(struct alone *a)
{
	bench_free(a->bench);
	free(a);
}

/* secc-sim --vehicle model, with the strict scripted customer of another process. */
static void start_secc(struct alone *a, const char *soc)
{
	const struct forecourt_kv kv[] = {{"ev_battery_soc", soc}, {"pistol_index", "1"}};
	struct machine m;
	char err[128] = "";

	scripted_evse_init(&a->evse, EVSE_V3_6, 1, 0);
	secc_init(&a->secc, &a->secc_cfg, NULL, 0);
	assert_int_equal(model_vehicle_init(&a->vehicle, &a->evcc_cfg, sim_vehicle_plugin.ops, &a->battery,
					    kv, 2, NULL, 0, err, sizeof(err)),
			 0);
	a->pair.first = secc_machine(&a->secc);
	a->pair.second = model_vehicle_machine(&a->vehicle);
	a->pair.second_words = vehicle_words;
	m = model_pair_machine(&a->pair);
	bench_add(a->bench, &m);
	m = scripted_evse_machine(&a->evse);
	bench_add(a->bench, &m);
}

static void test_model_secc_alone_completes_a_session(void **state)
{
	static const int states[] = {0, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, -1};
	struct alone *a = alone_new();

	(void)state;
	a->evcc_cfg.unplug_after_ms = 500;
	start_secc(a, "40");
	bench_run(a->bench, SECONDS(60));
	assert_string_equal(a->evse.raised, "");
	assert_true(scripted_evse_passed(&a->evse, states));
	assert_int_equal(a->secc.cause, SECC_CAUSE_VEHICLE);
	assert_int_equal(a->vehicle.evcc.stage, EVCC_WAITING_FOR_EVSE);
	alone_free(a);
}

/* Its own generic interface stays inside, the plug and the power path are on the bus. */
static void test_model_vehicle_puts_the_plug_on_the_bus_only(void **state)
{
	struct alone *a = alone_new();
	size_t i, n_load = 0, n_request = 0;

	(void)state;
	start_secc(a, "40");
	bench_run(a->bench, SECONDS(30));
	for (i = 0; i < a->bench->n_trace; i++) {
		const struct can_frame *f = &a->bench->trace[i].frame;

		assert_true(f->can_id & CAN_EFF_FLAG);
		n_load += f->can_id == path_load_id(1);
		n_request +=
			f->can_id == (plug_layouts[0][PLUG_CURRENT_DEMAND_REQ].id | 1u << MSG_INDEX_SHIFT);
	}
	assert_true(n_load > 250);
	assert_true(n_request > 20);
	alone_free(a);
}

/* What the battery says is what the charger is told: at 99 % the session ends by itself. */
static void test_model_vehicle_ends_when_full(void **state)
{
	struct alone *a = alone_new();

	(void)state;
	a->evcc_cfg.max_soc = 50;
	start_secc(a, "50");
	a->evse.charge_ms = -1;
	bench_run(a->bench, SECONDS(60));
	assert_int_equal(a->vehicle.evcc.cause, EVCC_CAUSE_FULL);
	assert_int_equal(a->secc.cause, SECC_CAUSE_VEHICLE);
	alone_free(a);
}

static void test_model_requests_reach_the_right_machine(void **state)
{
	struct alone *a = alone_new();

	(void)state;
	a->evcc_cfg.plug_at_start = 0;
	start_secc(a, "40");
	bench_run(a->bench, SECONDS(3));
	assert_int_equal(a->secc.cp, CP_A);
	assert_int_equal(bench_command(a->bench, 0, "plug"), 0);
	bench_run(a->bench, SECONDS(1));
	assert_int_equal(a->secc.cp, CP_B);
	assert_int_equal(bench_command(a->bench, 0, "vehicle hw soc"), 0);
	assert_int_equal(bench_command(a->bench, 0, "vehicle hw nonsense"), -ENOENT);
	assert_int_equal(bench_command(a->bench, 0, "vehicle status"), 0);
	assert_int_equal(bench_command(a->bench, 0, "status"), 0);
	assert_int_equal(bench_command(a->bench, 0, "vehicle unplug"), 0);
	bench_run(a->bench, SECONDS(1));
	assert_int_equal(a->secc.cp, CP_A);
	alone_free(a);
}

/* evcc-sim --charger model, with the strict scripted vehicle of another process. */
static void test_model_evcc_alone_completes_a_session(void **state)
{
	static const int stages[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, -1};
	struct alone *a = alone_new();
	struct machine m;
	char err[128] = "";

	(void)state;
	a->evcc_cfg.stop_after_ms = 5000;
	a->evcc_cfg.unplug_after_ms = 500;
	scripted_pev_init(&a->pev, PEV_V2_5, 0);
	evcc_init(&a->evcc, &a->evcc_cfg, NULL, 0);
	assert_int_equal(model_charger_init(&a->charger, &a->secc_cfg, sim_stack_plugin.ops, &a->stack, NULL,
					    0, NULL, 0, err, sizeof(err)),
			 0);
	a->pair.first = evcc_machine(&a->evcc);
	a->pair.second = model_charger_machine(&a->charger);
	a->pair.second_words = charger_words;
	m = model_pair_machine(&a->pair);
	bench_add(a->bench, &m);
	m = scripted_pev_machine(&a->pev);
	bench_add(a->bench, &m);
	bench_run(a->bench, SECONDS(60));
	assert_string_equal(a->pev.raised, "");
	assert_true(scripted_pev_passed(&a->pev, stages));
	assert_int_equal(a->evcc.cause, EVCC_CAUSE_COMMAND);
	assert_int_equal(a->charger.secc.cause, SECC_CAUSE_VEHICLE);
	assert_int_equal(bench_command(a->bench, 0, "charger status"), 0);
	alone_free(a);
}

/* Both models on one bus: a charger and a vehicle joined by plug and power path alone; the battery fills. */
static void test_model_charger_fills_model_vehicle(void **state)
{
	const struct forecourt_kv kv[] = {{"ev_battery_soc", "30"}, {"ev_battery_capacity", "10"}};
	struct alone *a = alone_new();
	struct machine m;
	char err[128] = "";
	double soc;

	(void)state;
	assert_int_equal(model_charger_init(&a->charger, &a->secc_cfg, sim_stack_plugin.ops, &a->stack, NULL,
					    0, NULL, 0, err, sizeof(err)),
			 0);
	assert_int_equal(model_vehicle_init(&a->vehicle, &a->evcc_cfg, sim_vehicle_plugin.ops, &a->battery,
					    kv, 2, NULL, 0, err, sizeof(err)),
			 0);
	m = model_charger_machine(&a->charger);
	bench_add(a->bench, &m);
	m = model_vehicle_machine(&a->vehicle);
	bench_add(a->bench, &m);
	bench_run(a->bench, SECONDS(30));
	assert_int_equal(a->vehicle.evcc.stage, EVCC_CHARGING);
	soc = a->battery.battery.soc;
	bench_run(a->bench, SECONDS(60));
	/* 100 A at some 315 V into 10 kWh for a minute: five per cent. */
	assert_true(a->battery.battery.soc - soc > 0.04 && a->battery.battery.soc - soc < 0.06);
	/* The charger's side pulls the plug by force: all power off, contactors open. */
	assert_int_equal(bench_command(a->bench, 0, "unplug force"), 0);
	bench_run(a->bench, SECONDS(2));
	assert_int_equal(
		a->charger.secc.emergency != SECC_CAUSE_NONE || a->charger.secc.state == SECC_CLOSING, 1);
	assert_false(a->battery.contactor.is_closed);
	assert_int_equal(a->stack.mode == PM_TRANSFER, 0);
	alone_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model_secc_alone_completes_a_session),
		cmocka_unit_test(test_model_vehicle_puts_the_plug_on_the_bus_only),
		cmocka_unit_test(test_model_vehicle_ends_when_full),
		cmocka_unit_test(test_model_requests_reach_the_right_machine),
		cmocka_unit_test(test_model_evcc_alone_completes_a_session),
		cmocka_unit_test(test_model_charger_fills_model_vehicle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
