/* SPDX-License-Identifier: MIT */
/* Faults of the simulated power stack: the table of names, injection, latching. Pure. */
#include "sim/sim_stack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <forecourt/units.h>

struct fault_row {
	const char *name;
	uint32_t inject;   /* own bit in sim_stack.injected */
	uint32_t pm_fault; /* reported while injected */
	bool is_stop;
	bool is_latched;
};

/* The bits above enum sim_stack_inject belong to plain faults that are only reported. */
static const struct fault_row fault_rows[] = {
	{"comm_lost", SIM_STACK_COMM_LOST, PM_FAULT_COMM_LOST, true, false},
	{"stuck_on", SIM_STACK_STUCK_ON, 0, false, false},
	{"isolation", SIM_STACK_ISOLATION, 0, false, false},
	{"imd_silent", SIM_STACK_IMD_SILENT, 0, false, false},
	{"bleeder_open", SIM_STACK_BLEEDER_OPEN, 0, false, false},
	{"relay_welded", SIM_STACK_RELAY_WELDED, 0, false, false},
	{"frozen", SIM_STACK_FROZEN, 0, false, false},
	{"derate", SIM_STACK_DERATE, 0, false, false},
	{"not_ready", SIM_STACK_NOT_READY, 0, false, false},
	{"over_temp", 1u << 16, PM_FAULT_OVER_TEMP, true, false},
	{"hardware", 1u << 17, PM_FAULT_HARDWARE, true, true},
	{"short_circuit", 1u << 18, PM_FAULT_SHORT_CIRCUIT, true, true},
	{"over_voltage", 1u << 19, PM_FAULT_OVER_VOLTAGE_DC, true, true},
	{"mains", 1u << 20, PM_FAULT_MAINS_VOLTAGE, true, false},
	{"fan", 1u << 21, PM_FAULT_FAN, false, false},
	{"imbalance", 1u << 22, PM_FAULT_IMBALANCE, false, false},
	{"interlock", 1u << 23, PM_FAULT_INTERLOCK, true, true},
};
#define N_FAULT_ROWS (sizeof(fault_rows) / sizeof(fault_rows[0]))

/* Heat: less current from 75 degC, half at 85 degC, trip at 90 degC, back at 70 degC. */
#define DERATE_FROM_degC 75.0
#define DERATE_PER_K	 0.05
#define TRIP_degC	 90.0
#define TRIP_BACK_degC	 70.0
/* A module that has not spoken for that long is lost. */
#define COMM_LOST_US (1 * (int64_t)FC_US_PER_S)
#define WELDED_US    (500 * (int64_t)FC_US_PER_MS)
/* Observed faults that stop the session, and those that stay. */
#define OBSERVED_STOP	 (PM_FAULT_OVER_TEMP | PM_FAULT_STUCK_ON | PM_FAULT_COMM_LOST)
#define OBSERVED_LATCHED (PM_FAULT_STUCK_ON | PM_FAULT_WELDED_CONTACTOR)

static void latch_faults(struct sim_stack *s, uint32_t observed, bool is_clearing)
{
	uint32_t present = observed, stop = observed & OBSERVED_STOP, latched = observed & OBSERVED_LATCHED;
	size_t i;

	for (i = 0; s->injected && i < N_FAULT_ROWS; i++) {
		const struct fault_row *row = &fault_rows[i];

		/* A lost link is reported when it was silent long enough, by the observer. */
		if (!(s->injected & row->inject) || row->inject == SIM_STACK_COMM_LOST)
			continue;
		present |= row->pm_fault;
		if (row->is_stop)
			stop |= row->pm_fault;
		if (row->is_latched)
			latched |= row->pm_fault;
	}
	/* A latched fault whose cause is gone stays until the host clears it. */
	s->faults_latched = latched | (is_clearing ? 0 : s->faults_latched);
	s->faults = present | s->faults_latched;
	s->faults_stop = stop | (s->faults_latched & ~(uint32_t)PM_FAULT_WELDED_CONTACTOR);
}

/* Heat takes current away in steps of half a per cent, so that a slow drift does not disturb the circuit. */
static void watch_heat(struct sim_stack *s, int64_t now_us, uint32_t *observed)
{
	double t = s->phys.temp_degC;
	double factor = t > DERATE_FROM_degC ? 1.0 - (t - DERATE_FROM_degC) * DERATE_PER_K : 1.0;

	if (t >= TRIP_degC || ((s->faults & PM_FAULT_OVER_TEMP) && t > TRIP_BACK_degC))
		*observed |= PM_FAULT_OVER_TEMP;
	if (s->injected & SIM_STACK_DERATE)
		factor = factor < 0.5 ? factor : 0.5;
	if (factor < s->phys.derate - 0.005 || factor > s->phys.derate + 0.005 ||
	    (factor >= 1.0 && s->phys.derate < 1.0))
		phys_source_derate(&s->phys, now_us, factor);
}

void sim_stack_fault_watch(struct sim_stack *s, int64_t now_us, bool is_clearing)
{
	const struct sim_stack_relay *r = &s->relay;
	bool flows = fc_abs_i32(sim_stack_milli(s->phys.i_A)) >= SIM_STACK_OFF_CURRENT_mA;
	uint32_t observed = 0;

	if ((s->injected & SIM_STACK_COMM_LOST) && s->comm_lost_us == FC_NEVER)
		s->comm_lost_us = now_us;
	else if (!(s->injected & SIM_STACK_COMM_LOST))
		s->comm_lost_us = FC_NEVER;
	if (sim_stack_is_deaf(s) && now_us - s->comm_lost_us >= COMM_LOST_US)
		observed |= PM_FAULT_COMM_LOST;
	if (!sim_stack_is_power(s->mode) && flows && !sim_stack_is_deaf(s)) {
		if (s->stuck_us == FC_NEVER)
			s->stuck_us = now_us;
	} else {
		s->stuck_us = FC_NEVER;
	}
	if (s->stuck_us != FC_NEVER && now_us - s->stuck_us >= SIM_STACK_OPEN_FORCE_US)
		observed |= PM_FAULT_STUCK_ON;
	s->demand_mains_cut = observed & PM_FAULT_STUCK_ON;
	if (s->has_bleed_failed)
		observed |= PM_FAULT_DISCHARGE_FAILED;
	if (!r->is_commanded && r->is_closed && r->due_us != FC_NEVER && now_us - r->due_us >= WELDED_US)
		observed |= PM_FAULT_WELDED_CONTACTOR;
	if (s->sp.mode < PM_OFF || s->sp.mode > PM_TRANSFER)
		observed |= PM_FAULT_SETPOINT_REFUSED;
	watch_heat(s, now_us, &observed);
	latch_faults(s, observed, is_clearing);
}

static int32_t list_injected(const struct sim_stack *s, char *answer, uint32_t answer_size)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < N_FAULT_ROWS; i++) {
		if (s->injected & fault_rows[i].inject && n < answer_size)
			n += (uint32_t)snprintf(answer + n, answer_size - n, "%s%s", n ? "," : "",
						fault_rows[i].name);
	}
	if (n == 0)
		snprintf(answer, answer_size, "none");
	return 0;
}

int32_t sim_stack_fault_live(struct sim_stack *s, const char *value, char *answer, uint32_t answer_size)
{
	bool is_removing;
	size_t i;

	if (!value)
		return list_injected(s, answer, answer_size);
	if (strcmp(value, "none") == 0) {
		s->injected = 0;
		return 0;
	}
	is_removing = *value == '-';
	if (is_removing)
		value++;
	for (i = 0; i < N_FAULT_ROWS; i++) {
		if (strcmp(value, fault_rows[i].name) == 0) {
			if (is_removing)
				s->injected &= ~fault_rows[i].inject;
			else
				s->injected |= fault_rows[i].inject;
			return 0;
		}
	}
	snprintf(answer, answer_size, "unknown fault %s", value);
	return -EINVAL;
}
