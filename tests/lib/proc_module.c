/* SPDX-License-Identifier: MIT */
/* The module's side of a real bus. */
#include "tests/lib/proc_module.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <forecourt/units.h>

#include "tests/lib/proc_child.h"

#define CYCLE_US      (100 * (int64_t)FC_US_PER_MS)
#define STEP_LIMIT_US (10 * (int64_t)FC_US_PER_S) /* a hang limit */
#define MAX_FRAMES    (4 * PROC_MAX_INDEX)

enum { FN_OFF = 0, FN_STANDBY = 1, FN_INSULATION = 2, FN_PRECHARGE = 4, FN_TRANSFER = 8, FN_NONE = 255 };

/* --- the bus ----------------------------------------------------------------------------------------------- */

int proc_module_open(struct proc_module *m, const char *url, unsigned first, unsigned last, char *err,
		     size_t err_size)
{
	static const enum evse_msg heard[] = {EVSE_POWER_MODULES_STATUS, EVSE_DC_POWER_PARAMETERS,
					      EVSE_SEQUENCE_CONTROL};
	struct can_filter filter[3 * PROC_MAX_INDEX];
	size_t n = 0, k;
	unsigned i;
	int r;

	memset(m, 0, sizeof(*m));
	r = can_bus_open(url, &m->bus, err, err_size);
	if (r)
		return r;
	for (i = first; i <= last && i <= PROC_MAX_INDEX; i++) {
		struct proc_point *p = &m->point[i];

		p->is_used = true;
		p->status_us = p->sequence_us = p->parameters_us = p->powerless_us = -1;
		for (k = 0; k < 3; k++)
			filter[n++] = can_filter_exact(evse_layouts[EVSE_V3_6][heard[k]].id |
						       (canid_t)i << MSG_INDEX_SHIFT);
	}
	can_bus_set_filters(m->bus, filter, n);
	can_bus_service(m->bus, proc_now_us());
	grid_start(&m->cycle, proc_now_us(), CYCLE_US);
	return 0;
}

void proc_module_close(struct proc_module *m)
{
	if (m->bus)
		can_bus_close(m->bus);
	m->bus = NULL;
}

static void take_status(struct proc_module *m, unsigned index, int64_t time_us)
{
	struct proc_point *p = &m->point[index];

	if (p->n_status++ == 0)
		p->first_us = time_us;
	p->status_us = time_us;
	if (!p->status.system_enable)
		p->n_disabled++;
	if (abs(p->status.present_current_mA) < PROC_NO_CURRENT_mA && p->n_powerless++ == 0)
		p->powerless_us = time_us;
	if (m->on_status)
		m->on_status(m->ctx, index, time_us);
}

static void take_frame(struct proc_module *m, const struct can_frame *f, int64_t time_us)
{
	int msg = evse_find(EVSE_V3_6, msg_base_id(f->can_id));
	struct proc_point *p = &m->point[msg_index(f->can_id) % (PROC_MAX_INDEX + 1)];

	if (msg < 0 || !p->is_used || f->can_dlc < evse_layouts[EVSE_V3_6][msg].dlc)
		return;
	if (msg == EVSE_POWER_MODULES_STATUS) {
		evse_layouts[EVSE_V3_6][msg].unpack(&p->status, f->data);
		take_status(m, msg_index(f->can_id), time_us);
	} else if (msg == EVSE_SEQUENCE_CONTROL) {
		evse_layouts[EVSE_V3_6][msg].unpack(&p->sequence, f->data);
		p->sequence_us = time_us;
		p->n_sequence++;
	} else if (msg == EVSE_DC_POWER_PARAMETERS) {
		evse_layouts[EVSE_V3_6][msg].unpack(&p->parameters, f->data);
		p->parameters_us = time_us;
		p->n_parameters++;
	}
}

void proc_module_receive(struct proc_module *m)
{
	struct can_rx_info info;
	struct can_frame f;

	while (can_bus_recv(m->bus, &f, &info) == 1) {
		m->n_lost = info.n_dropped;
		take_frame(m, &f, info.time_us);
	}
}

/* --- sending ----------------------------------------------------------------------------------------------- */

static size_t add(struct can_frame *f, size_t n, unsigned index, enum evse_msg msg, const void *content)
{
	msg_to_frame(&evse_layouts[EVSE_V3_6][msg], content, index, &f[n]);
	return n + 1;
}

static void send_cycle(struct proc_module *m)
{
	static const struct evse_new_charge_session session = {.communication_protocol = 2,
							       .plug_and_pins = 1};
	static const struct evse_emergency_stop emergency = {.origin = EVSE_EMERGENCY_STOP_ORIGIN_PEV};
	struct can_frame f[MAX_FRAMES];
	size_t n = 0;
	unsigned i;

	for (i = 1; i <= PROC_MAX_INDEX; i++) {
		const struct proc_point *p = &m->point[i];
		struct evse_advantics_controller_status st = {.state = p->state};

		if (p->sends_status)
			n = add(f, n, i, EVSE_ADVANTICS_CONTROLLER_STATUS, &st);
		if (p->sends_session)
			n = add(f, n, i, EVSE_NEW_CHARGE_SESSION, &session);
		if (p->sends_power)
			n = add(f, n, i, EVSE_DC_POWER_CONTROL, &p->power);
		if (p->sends_emergency)
			n = add(f, n, i, EVSE_EMERGENCY_STOP, &emergency);
	}
	if (n)
		can_bus_send_many(m->bus, f, n);
	m->n_sent += n;
}

int64_t proc_module_send(struct proc_module *m, unsigned index, enum evse_msg msg, const void *content)
{
	struct can_frame f;
	int64_t now_us;

	add(&f, 0, index, msg, content);
	now_us = proc_now_us();
	can_bus_send(m->bus, &f);
	m->n_sent++;
	m->point[index].sent_us = now_us;
	return now_us;
}

int64_t proc_module_state(struct proc_module *m, unsigned index, uint8_t state)
{
	struct evse_advantics_controller_status st = {.state = state};

	m->point[index].state = state;
	m->point[index].sends_status = true;
	return proc_module_send(m, index, EVSE_ADVANTICS_CONTROLLER_STATUS, &st);
}

int64_t proc_module_power(struct proc_module *m, unsigned index, const struct evse_dc_power_control *power)
{
	m->point[index].power = *power;
	m->point[index].sends_power = true;
	return proc_module_send(m, index, EVSE_DC_POWER_CONTROL, power);
}

bool proc_module_wait(struct proc_module *m, int64_t timeout_us, proc_done_fn is_done, void *ctx)
{
	int64_t end_us = proc_now_us() + timeout_us;

	for (;;) {
		struct pollfd fd = {.fd = can_bus_fd(m->bus), .events = POLLIN};
		int64_t now_us, left_us;
		struct timespec left;

		proc_module_receive(m);
		if (is_done && is_done(m, ctx))
			return true;
		now_us = proc_now_us();
		if (now_us >= end_us)
			return false;
		if (grid_due(&m->cycle, now_us))
			send_cycle(m);
		left_us = fc_min_i64(end_us, m->cycle.next_us) - now_us;
		left.tv_sec = (time_t)(left_us / FC_US_PER_S);
		left.tv_nsec = (long)(left_us % FC_US_PER_S) * 1000;
		ppoll(&fd, 1, &left, NULL);
		can_bus_service(m->bus, proc_now_us());
	}
}

/* --- a session --------------------------------------------------------------------------------------------- */

struct evse_dc_power_control proc_power_off(void)
{
	return (struct evse_dc_power_control){.power_function = FN_OFF};
}

struct evse_dc_power_control proc_power_standby(void)
{
	return (struct evse_dc_power_control){.power_function = FN_STANDBY, .output_contactors = 1};
}

struct evse_dc_power_control proc_power_transfer(void)
{
	return (struct evse_dc_power_control){.power_function = FN_TRANSFER,
					      .target_voltage_mV = PROC_TRANSFER_mV,
					      .current_range_max_mA = PROC_TRANSFER_mA,
					      .current_range_min_mA = PROC_TRANSFER_mA,
					      .output_contactors = 1};
}

/* Conditions of the steps; status and sequence are newer than the step. */
static bool may_start(const struct proc_point *p)
{
	return p->sequence_us >= p->sent_us && p->sequence.start_charge_authorisation;
}

static bool is_authorised(const struct proc_point *p)
{
	return p->sequence_us >= p->sent_us && p->sequence.ccs_authorisation_done &&
	       p->sequence.ccs_authorisation_valid;
}

static bool is_ready(const struct proc_point *p)
{
	return p->status.system_enable && p->sequence.charge_parameters_done;
}

static bool is_enabled(const struct proc_point *p)
{
	return p->status.system_enable;
}

static bool is_tested(const struct proc_point *p)
{
	return p->status.present_voltage_mV >= PROC_TEST_mV * 9 / 10 &&
	       p->status.insulation_resistance_ohm >= 100000;
}

static bool is_lowered(const struct proc_point *p)
{
	return p->status.present_voltage_mV <= 20000;
}

static bool is_matched(const struct proc_point *p)
{
	return abs(p->status.present_voltage_mV - PROC_BATTERY_mV) <= 20000;
}

static bool is_charging(const struct proc_point *p)
{
	return p->status.present_current_mA >= PROC_TRANSFER_mA - 1000;
}

static bool is_powerless(const struct proc_point *p)
{
	return abs(p->status.present_current_mA) < 1000;
}

static bool is_closed_down(const struct proc_point *p)
{
	return is_powerless(p) && !p->status.system_enable;
}

/* What the module sends in each step, and what it waits for. */
static const struct step {
	const char *name;
	uint8_t state;
	bool sends_session;
	struct evse_dc_power_control power; /* FN_NONE: not sent */
	bool (*is_reached)(const struct proc_point *p);
} steps[PROC_N_STEPS] = {
	[PROC_IDLE] = {"idle", 1, false, {.power_function = FN_NONE}, may_start},
	[PROC_AUTHORISATION] = {"authorisation", 11, false, {.power_function = FN_NONE}, is_authorised},
	[PROC_SESSION] = {"session", 3, true, {.power_function = FN_NONE}, is_ready},
	[PROC_STANDBY] = {"standby", 4, false, {.power_function = FN_STANDBY}, is_enabled},
	[PROC_INSULATION] = {"insulation test",
			     4,
			     false,
			     {.power_function = FN_INSULATION,
			      .target_voltage_mV = PROC_TEST_mV,
			      .output_contactors = 1},
			     is_tested},
	[PROC_LOWERING] = {"lowering",
			   4,
			   false,
			   {.power_function = FN_STANDBY, .output_contactors = 1, .lower_output_voltage = 1},
			   is_lowered},
	[PROC_PRECHARGE] = {"precharge",
			    5,
			    false,
			    {.power_function = FN_PRECHARGE,
			     .target_voltage_mV = PROC_BATTERY_mV,
			     .current_range_max_mA = 2000,
			     .setpoints_mode = 1,
			     .output_contactors = 1},
			    is_matched},
	[PROC_FLOATING] = {"waiting for charge",
			   6,
			   false,
			   {.power_function = FN_STANDBY, .output_contactors = 1},
			   is_enabled},
	[PROC_TRANSFER] = {"transfer",
			   7,
			   false,
			   {.power_function = FN_TRANSFER,
			    .target_voltage_mV = PROC_TRANSFER_mV,
			    .current_range_max_mA = PROC_TRANSFER_mA,
			    .current_range_min_mA = PROC_TRANSFER_mA,
			    .output_contactors = 1},
			   is_charging},
	[PROC_ENDING] =
		{"ending", 8, false, {.power_function = FN_STANDBY, .output_contactors = 1}, is_powerless},
	[PROC_OPEN] =
		{"open", 8, false, {.power_function = FN_STANDBY, .lower_output_voltage = 1}, is_lowered},
	[PROC_CLOSING] = {"closing",
			  10,
			  false,
			  {.power_function = FN_STANDBY, .lower_output_voltage = 1},
			  is_closed_down},
};

const char *proc_step_name(int step)
{
	return step >= 0 && step < PROC_N_STEPS ? steps[step].name : "before the first step";
}

static bool is_step_reached(const struct proc_module *m, void *ctx)
{
	const struct step *s = ctx;
	unsigned i;

	for (i = 1; i <= PROC_MAX_INDEX; i++) {
		const struct proc_point *p = &m->point[i];

		if (p->is_used && !p->is_resting && (p->status_us <= p->sent_us || !s->is_reached(p)))
			return false;
	}
	return true;
}

static void begin_step(struct proc_module *m, unsigned index, const struct step *s)
{
	static const struct evse_new_charge_session session = {.communication_protocol = 2,
							       .plug_and_pins = 1};
	static const struct evse_charge_session_finished finished = {.state = 0};
	struct proc_point *p = &m->point[index];

	if (s == &steps[PROC_CLOSING])
		proc_module_send(m, index, EVSE_CHARGE_SESSION_FINISHED, &finished);
	if (p->state != s->state || !p->sends_status)
		proc_module_state(m, index, s->state);
	p->sends_session = s->sends_session;
	p->sends_power = false;
	if (s->sends_session)
		proc_module_send(m, index, EVSE_NEW_CHARGE_SESSION, &session);
	if (s->power.power_function != FN_NONE)
		proc_module_power(m, index, &s->power);
}

bool proc_module_walk(struct proc_module *m, int from, enum proc_step last, int *at)
{
	unsigned index;

	for (*at = from + 1; *at <= (int)last; (*at)++) {
		struct step s = steps[*at];

		for (index = 1; index <= PROC_MAX_INDEX; index++)
			if (m->point[index].is_used && !m->point[index].is_resting)
				begin_step(m, index, &steps[*at]);
		if (!proc_module_wait(m, STEP_LIMIT_US, is_step_reached, &s))
			return false;
	}
	*at = (int)last;
	return true;
}
