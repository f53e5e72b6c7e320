/* SPDX-License-Identifier: MIT */
/* Charging sessions at any rate. */
#include "bench/proc_traffic.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "bench/bench_time.h"
#include "evse_msgs.h"
#include "lib/can/can_bus.h"

#define NS_PER_S     INT64_C(1000000000)
#define CHECK_NS     (10 * 1000 * 1000) /* how soon a silent sender sees a new rate */
#define MAX_BURST    64
#define SENT_ONCE    6
#define CYCLIC_SLOTS 44
#define MIN_mV	     300000
#define STEP_mV	     100
#define MIN_mA	     60000
#define STEP_mA	     100
#define VEHICLE_mV   450000
#define VEHICLE_mA   120000
#define CHARGING     7

struct sender {
	struct traffic_shared *shared;
	struct can_bus *bus;
	uint64_t random;
	unsigned slot[TRAFFIC_MAX_POINTS + 1];
	unsigned point;
};

static const struct msg_layout *layout(enum evse_msg msg)
{
	return &evse_layouts[EVSE_V3_6][msg];
}

/* Now and then a step up or down, as a measurement does. */
static int32_t wander(struct sender *s, int32_t value, int32_t low, int32_t step)
{
	uint64_t draw = bench_random(&s->random) % 8;

	if (draw == 0 && value > low)
		return value - step;
	if (draw == 1 && value < low + 100 * step)
		return value + step;
	return value;
}

static void make_status(struct sender *s, unsigned point, struct can_frame *f)
{
	struct evse_power_modules_status m = {.power_modules_temperature_mdegC = 35000,
					      .enclosure_temperature_mdegC = 28000,
					      .system_enable = 1,
					      .insulation_resistance_ohm = 400000};

	m.present_voltage_mV = wander(s, s->shared->present_mV[point], MIN_mV, STEP_mV);
	m.present_current_mA = wander(s, s->shared->present_mA[point], MIN_mA, STEP_mA);
	s->shared->present_mV[point] = m.present_voltage_mV;
	s->shared->present_mA[point] = m.present_current_mA;
	msg_to_frame(layout(EVSE_POWER_MODULES_STATUS), &m, point, f);
}

static void make_control(struct sender *s, unsigned point, struct can_frame *f)
{
	struct evse_dc_power_control m = {
		.target_voltage_mV = VEHICLE_mV,
		.current_range_max_mA =
			s->shared->present_mA[point] + (int32_t)(bench_random(&s->random) % 3) * 100,
		.power_function = EVSE_DC_POWER_CONTROL_POWER_FUNCTION_POWER_TRANSFER,
		.output_contactors = 1};

	msg_to_frame(layout(EVSE_DC_POWER_CONTROL), &m, point, f);
}

static void make_battery(struct sender *s, unsigned point, struct can_frame *f)
{
	struct evse_ev_information_battery m = {.battery_capacity_Wh = 75000};

	/* One more percent in some hundred of these: at full load, with the frames of ten sessions, every minute. */
	m.present_state_of_charge_permille = 300 + (int32_t)(s->slot[point] / (200 * CYCLIC_SLOTS) * 10);
	m.target_state_of_charge_permille = 800;
	msg_to_frame(layout(EVSE_EV_INFORMATION_BATTERY), &m, point, f);
}

static void make_limits(unsigned point, struct can_frame *f)
{
	struct evse_dc_power_parameters m = {.maximum_voltage_mV = 500000,
					     .maximum_charge_current_mA = VEHICLE_mA};

	msg_to_frame(layout(EVSE_DC_POWER_PARAMETERS), &m, point, f);
}

static void make_once(unsigned point, unsigned number, struct can_frame *f)
{
	struct evse_new_charge_session session = {.communication_protocol = 3, .plug_and_pins = 1};
	struct evse_charge_status_change ready = {.vehicle_ready_for_charging = 1};
	struct evse_ev_information_voltages voltages = {.ev_minimum_voltage_mV = 270000,
							.ev_maximum_voltage_mV = VEHICLE_mV};
	struct evse_ev_information_charge_limits limits = {.ev_maximum_charge_current_mA = VEHICLE_mA};
	struct evse_sequence_control sequence = {.start_charge_authorisation = 1,
						 .ccs_authorisation_done = 1,
						 .ccs_authorisation_valid = 1,
						 .charge_parameters_done = 1};

	switch (number) {
	case 0:
		msg_to_frame(layout(EVSE_NEW_CHARGE_SESSION), &session, point, f);
		break;
	case 1:
		msg_to_frame(layout(EVSE_CHARGE_STATUS_CHANGE), &ready, point, f);
		break;
	case 2:
		msg_to_frame(layout(EVSE_EV_INFORMATION_VOLTAGES), &voltages, point, f);
		break;
	case 3:
		msg_to_frame(layout(EVSE_EV_INFORMATION_CHARGE_LIMITS), &limits, point, f);
		break;
	case 4:
		msg_to_frame(layout(EVSE_SEQUENCE_CONTROL), &sequence, point, f);
		break;
	default:
		make_limits(point, f);
		break;
	}
}

/* Ten of each 100 ms message and one of each message of a second, in turn. */
static void make_frame(struct sender *s, unsigned point, struct can_frame *f)
{
	struct evse_advantics_controller_status state = {.state = CHARGING};
	struct evse_adm_cs_secc_inputs inputs = {.pistol_ptc1_mdegC = 31000, .pistol_ptc2_mdegC = 32000};
	unsigned slot = s->slot[point]++;

	if (slot < SENT_ONCE) {
		make_once(point, slot, f);
		return;
	}
	slot = (slot - SENT_ONCE) % CYCLIC_SLOTS;
	if (slot == 40)
		make_limits(point, f);
	else if (slot == 41)
		make_once(point, 4, f);
	else if (slot >= 42)
		make_battery(s, point, f);
	else if (slot % 4 == 0)
		make_status(s, point, f);
	else if (slot % 4 == 1)
		msg_to_frame(layout(EVSE_ADVANTICS_CONTROLLER_STATUS), &state, point, f);
	else if (slot % 4 == 2)
		make_control(s, point, f);
	else
		msg_to_frame(layout(EVSE_ADM_CS_SECC_INPUTS), &inputs, point, f);
}

static bool is_left_out(const struct sender *s, const struct can_frame *f)
{
	return s->shared->is_status_ours &&
	       f->can_id == (layout(EVSE_POWER_MODULES_STATUS)->id | 1u << MSG_INDEX_SHIFT);
}

static void send_one(struct sender *s)
{
	unsigned n = s->shared->n_points;
	struct can_frame f;

	do {
		s->point = s->point % n + 1;
		make_frame(s, s->point, &f);
	} while (is_left_out(s, &f));
	if (can_bus_send(s->bus, &f) == 0)
		s->shared->n_sent++;
}

static void sleep_until(int64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int run(void *ctx)
{
	struct traffic *t = ctx;
	struct sender s = {.shared = t->shared, .random = 1};
	int64_t due_ns = (int64_t)bench_now_ns();
	unsigned i;
	char err[160];

	prctl(PR_SET_TIMERSLACK, 1L);
	if (can_bus_open(t->url, &s.bus, err, sizeof(err)))
		return 1;
	for (i = 1; i <= TRAFFIC_MAX_POINTS; i++) {
		s.shared->present_mV[i] = MIN_mV + 50 * STEP_mV;
		s.shared->present_mA[i] = MIN_mA + 50 * STEP_mA;
	}
	for (;;) {
		unsigned rate = s.shared->frames_per_s;
		int64_t now_ns;

		if (rate == 0) {
			due_ns = (int64_t)bench_now_ns() + CHECK_NS;
			memset(s.slot, 0, sizeof(s.slot));
			sleep_until(due_ns);
			continue;
		}
		sleep_until(due_ns);
		now_ns = (int64_t)bench_now_ns();
		for (i = 0; due_ns <= now_ns && i < MAX_BURST; i++) {
			send_one(&s);
			due_ns += NS_PER_S / rate;
		}
		can_bus_service(s.bus, now_ns / 1000);
	}
	return 0;
}

bool traffic_start(struct traffic *t, const char *url)
{
	memset(t, 0, sizeof(*t));
	snprintf(t->url, sizeof(t->url), "%s", url);
	t->shared = mmap(NULL, sizeof(*t->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t->shared == MAP_FAILED) {
		t->shared = NULL;
		return false;
	}
	memset(t->shared, 0, sizeof(*t->shared));
	return proc_fork(&t->child, run, t) == 0;
}

void traffic_set(struct traffic *t, unsigned frames_per_s, unsigned n_points)
{
	t->shared->n_points = n_points;
	t->shared->frames_per_s = frames_per_s;
}

void traffic_end(struct traffic *t)
{
	proc_end(&t->child);
	if (t->shared)
		munmap(t->shared, sizeof(*t->shared));
	t->shared = NULL;
}
