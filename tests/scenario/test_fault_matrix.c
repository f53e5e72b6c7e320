/* SPDX-License-Identifier: MIT */
/*
 * The fault matrix: each state of the charger's module x each message lost for good x kill or restart of each
 * process. In every cell: the invariants of point_rig hold at every event, power and contactors are off in
 * bounded time where a process that would keep them is left, and once the fault is mended the next session is
 * clean. One state is one test, so a failure names the state; the message names the cell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/point_rig.h"

#define EVSE_ID(base) (CAN_EFF_FLAG | 0x01000000u | (base))

/* Identifiers 0x0A0100 to 0x0A013F: requests are even, responses odd. */
#define V2G_MASK (CAN_EFF_FLAG | (CAN_EFF_MASK & ~0x3Eu))

struct lost {
	const char *name;
	canid_t id, mask;
};

static const struct lost messages[] = {
	{"nothing", 0, 0},
	{"Advantics_Controller_Status", EVSE_ID(0x6B000), 0},
	{"New_Charge_Session", EVSE_ID(0x6B001), 0},
	{"Charge_Status_Change", EVSE_ID(0x6B002), 0},
	{"DC_Power_Control", EVSE_ID(0x6B003), 0},
	{"Charge_Session_Finished", EVSE_ID(0x6B004), 0},
	{"Power_Modules_Status", EVSE_ID(0x63000), 0},
	{"DC_Power_Parameters", EVSE_ID(0x63001), 0},
	{"Sequence_Control", EVSE_ID(0x63002), 0},
	{"EVSE_Information", 0x600, 0},
	{"DC_Control", 0x602, 0},
	{"EV_Information", 0x610, 0},
	{"DC_Status1", 0x612, 0},
	{"DC_Status2", 0x613, 0},
	{"Pilot_EVSE", EVSE_ID(0xA0000), 0},
	{"Pilot_EV", EVSE_ID(0xA0001), 0},
	{"Path_Source", EVSE_ID(0xA0010), 0},
	{"Path_Load", EVSE_ID(0xA0011), 0},
	{"V2G requests", EVSE_ID(0xA0100), V2G_MASK},
	{"V2G responses", EVSE_ID(0xA0101), V2G_MASK},
};

enum blow { BLOW_NONE, BLOW_KILL, BLOW_RESTART };

#define N_MESSAGES (sizeof(messages) / sizeof(messages[0]))
#define N_BLOWS	   (1 + 2 * SIM_N_MACHINES)

/* No shutdown path takes longer: 60 s of EVSEProcessing or command silence, 40 s of wake-up, 30 s of test. */
#define SETTLE_S 130

static struct point_rig *rig;
static const struct point_rig *prepared; /* snapshot in the state under test */
static char cell[160];

static enum blow blow_of(unsigned b, enum sim_who *who)
{
	*who = (enum sim_who)(b ? (b - 1) % SIM_N_MACHINES : 0);
	return b == 0 ? BLOW_NONE : b <= SIM_N_MACHINES ? BLOW_KILL : BLOW_RESTART;
}

static void lose(struct point_rig *r, const struct lost *m)
{
	struct can_fault fault = {.kind = CAN_FAULT_LOSE, .id = m->id, .probability_ppm = CAN_FAULT_ALWAYS};

	fault.mask = m->mask ? m->mask : CAN_EFF_FLAG | CAN_EFF_MASK;
	if (m->id)
		assert_true(can_hub_add_fault(&r->point.world.hub, &fault) >= 0);
}

static void restart(struct point_rig *r, enum sim_who who)
{
	char err[160] = "";

	assert_int_equal(sim_point_restart(&r->point, who, err, sizeof(err)), 0);
}

static void strike(struct point_rig *r, unsigned b)
{
	enum sim_who who;
	enum blow blow = blow_of(b, &who);

	if (blow == BLOW_NONE)
		return;
	world_kill(&r->point.world, who);
	if (blow == BLOW_RESTART) {
		point_rig_run_s(r, 1);
		restart(r, who);
	}
}

/* What must be true when everything had time to react. */
static void assert_safe(const struct point_rig *r, unsigned b, const struct lost *m)
{
	enum sim_who who;
	bool has_fault = blow_of(b, &who) != BLOW_NONE || m->id;
	const struct world *w = &r->point.world;

	if (w->node[SIM_EVSE].is_alive && !w->node[SIM_SECC].is_alive) {
		assert_true(r->point.evse.session.sp.mode <= PM_STANDBY);
		assert_false(r->point.stack.relay.is_closed);
	}
	if (w->node[SIM_PEV].is_alive && !w->node[SIM_EVCC].is_alive)
		assert_false(sim_vehicle_contactor(&r->point.vehicle)->is_closed);
	if (has_fault && w->node[SIM_EVSE].is_alive && r->point.evse.session.sp.mode == PM_TRANSFER) {
		/* Power may go on only while the whole chain is alive and what was lost is not needed. */
		assert_true(w->node[SIM_SECC].is_alive && w->node[SIM_EVCC].is_alive &&
			    w->node[SIM_PEV].is_alive);
	}
}

static void mend(struct point_rig *r, unsigned b)
{
	enum sim_who who;
	char answer[4096];

	can_hub_remove_faults(&r->point.world.hub);
	if (blow_of(b, &who) == BLOW_KILL)
		restart(r, who);
	/* A vehicle that is unplugged at last, by force where its lock is still closed. */
	world_command(&r->point.world, SIM_EVCC, "unplug force", answer, sizeof(answer));
	point_rig_run_s(r, 70);
	world_command(&r->point.world, SIM_PEV, "clear-fault", answer, sizeof(answer));
	world_command(&r->point.world, SIM_EVSE, "clear-fault", answer, sizeof(answer));
	point_rig_run_s(r, 5);
}

static void run_cell(struct point_rig *r, unsigned m, unsigned b)
{
	enum sim_who who;

	blow_of(b, &who);
	snprintf(cell, sizeof(cell), "lost %s, %s %s", messages[m].name,
		 b == 0		       ? "all processes"
		 : b <= SIM_N_MACHINES ? "killed"
				       : "restarted",
		 b ? sim_point_name(who) : "run");
	memcpy(r, prepared, sizeof(*r));
	lose(r, &messages[m]);
	strike(r, b);
	point_rig_run_s(r, SETTLE_S);
	assert_safe(r, b, &messages[m]);
	mend(r, b);
	point_rig_command(r, SIM_EVCC, "plug");
	memset(&r->point.secc_states, 0, sizeof(r->point.secc_states));
	point_rig_run_session(r);
	if (r->point.evse.session.record.finished != 0 || r->point.secc.cause != SECC_CAUSE_VEHICLE)
		fail_msg("next session not clean: finished %u, %s", r->point.evse.session.record.finished,
			 secc_cause_name(r->point.secc.cause));
}

static void prepare(struct point_rig *r, uint8_t state)
{
	point_rig_defaults(r);
	r->point.secc_conf.free_service = 0;
	point_rig_set(r, "evse.charge_duration=20");
	point_rig_start(r);
	point_rig_run_to(r, state);
	world_run(&r->point.world, r->point.world.now_us + 130000, NULL, NULL);
}

/* The struct holds pointers into itself (nodes, drivers), so a snapshot is restored to the same place. */
static void run_state(uint8_t state)
{
	struct point_rig *snapshot = malloc(sizeof(*snapshot));
	unsigned m, b;

	assert_non_null(snapshot);
	prepare(rig, state);
	memcpy(snapshot, rig, sizeof(*snapshot));
	prepared = snapshot;
	for (m = 0; m < N_MESSAGES; m++) {
		for (b = 0; b < N_BLOWS; b++)
			run_cell(rig, m, b);
	}
	cell[0] = '\0';
	free(snapshot);
}

static int tell_cell(void **state)
{
	(void)state;
	if (cell[0])
		print_message("cell: %s\n", cell);
	cell[0] = '\0';
	return 0;
}

#define STATE(number, name)                                \
	static void test_fault_matrix_##name(void **state) \
	{                                                  \
		(void)state;                               \
		run_state(number);                         \
	}

STATE(1, waiting_for_pev)
STATE(2, negotiating)
STATE(11, authorisation)
STATE(3, connected)
STATE(4, insulation_test)
STATE(5, precharge)
STATE(6, waiting_for_charge)
STATE(7, charging)
STATE(8, ending_charge)
STATE(9, welding_detection)
STATE(10, closing)

#define T(name) cmocka_unit_test_teardown(test_fault_matrix_##name, tell_cell)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(waiting_for_pev),    T(negotiating),	   T(authorisation),
		T(connected),	       T(insulation_test), T(precharge),
		T(waiting_for_charge), T(charging),	   T(ending_charge),
		T(welding_detection),  T(closing),
	};
	int ret;

	rig = calloc(1, sizeof(*rig));
	if (!rig)
		return 1;
	ret = cmocka_run_group_tests_name("fault_matrix", tests, NULL, NULL);
	free(rig);
	return ret;
}
