/* SPDX-License-Identifier: MIT */
/* Sentences of the situations: numbers in the place of {names}, faults in words. Pure. */
#include "monitor/explain_priv.h"

#include <stdio.h>
#include <string.h>

#include <forecourt/units.h>

#define PIECE 48

/* One decimal, rounded half away from zero; exact. */
static void put_milli(int32_t milli, const char *unit, char text[PIECE])
{
	const int64_t tenths = ((int64_t)milli + (milli < 0 ? -50 : 50)) / 100;
	const int64_t size = tenths < 0 ? -tenths : tenths;

	if (milli == MON_UNKNOWN)
		snprintf(text, PIECE, "unknown %s", unit);
	else
		snprintf(text, PIECE, "%s%lld.%lld %s", tenths < 0 ? "-" : "", (long long)(size / 10),
			 (long long)(size % 10), unit);
}

static void put_time(int64_t us, char text[PIECE])
{
	const int64_t tenths = us / 100000;

	if (us >= 3600 * (int64_t)FC_US_PER_S)
		snprintf(text, PIECE, "%lld h %02lld min", (long long)(tenths / 36000),
			 (long long)(tenths / 600 % 60));
	else if (us >= 120 * (int64_t)FC_US_PER_S)
		snprintf(text, PIECE, "%lld min", (long long)(tenths / 600));
	else if (us >= 10 * (int64_t)FC_US_PER_S)
		snprintf(text, PIECE, "%lld s", (long long)(tenths / 10));
	else
		snprintf(text, PIECE, "%lld.%lld s", (long long)(tenths / 10), (long long)(tenths % 10));
}

static void put_age(int64_t age_us, char text[PIECE])
{
	if (age_us < 0)
		snprintf(text, PIECE, "ever");
	else
		put_time(age_us, text);
}

/* " in 12 s": part of a sentence that is also right without it. */
static void put_left(int64_t left_us, char text[PIECE])
{
	char time[PIECE];

	if (left_us < 0) {
		text[0] = '\0';
	} else if (left_us == 0) {
		snprintf(text, PIECE, " at any moment");
	} else {
		/* Rounded up, so that 0.0 s is never shown before it is over. */
		put_time(left_us < 10 * (int64_t)FC_US_PER_S ? left_us + 99999 : left_us + 999999, time);
		snprintf(text, PIECE, " in %.*s", PIECE - 5, time);
	}
}

static void put_percent(int32_t permille, char text[PIECE])
{
	if (permille == MON_UNKNOWN)
		snprintf(text, PIECE, "unknown charge");
	else
		snprintf(text, PIECE, "%ld %%", (long)(permille / 10));
}

static void put_ohm(int32_t ohm, char text[PIECE])
{
	if (ohm == MON_UNKNOWN)
		snprintf(text, PIECE, "unknown resistance");
	else
		snprintf(text, PIECE, "%ld kOhm", (long)(ohm / 1000));
}

static void put_function(const struct explain_scene *c, char text[PIECE])
{
	const char *name;

	if (!c->e.has_power) {
		snprintf(text, PIECE, "no function");
		return;
	}
	name = mon_label(c->m, EVSE_DC_POWER_CONTROL, "Power_Function", c->e.power.power_function, NULL);
	if (name)
		snprintf(text, PIECE, "%s", name);
	else
		snprintf(text, PIECE, "function %u", (unsigned)c->e.power.power_function);
}

static void put_state(const struct explain_scene *c, char text[PIECE])
{
	if (c->state_name)
		snprintf(text, PIECE, "%s", c->state_name);
	else
		snprintf(text, PIECE, "%d", c->state);
}

static int32_t difference_mV(const struct explain_scene *c)
{
	if (c->present_mV == MON_UNKNOWN || c->target_mV == MON_UNKNOWN)
		return MON_UNKNOWN;
	return fc_abs_i32(fc_clamp_i32((int64_t)c->present_mV - c->target_mV, -INT32_MAX, INT32_MAX));
}

/* The names are short because they are part of the manual too, which explains them. */
static void put_name(const struct explain_scene *c, int64_t left_us, const char *name, size_t n,
		     char text[PIECE])
{
	const int64_t command_us = c->since_us[EXPLAIN_MODULE];

#define IS(word) (n == sizeof(word) - 1 && memcmp(name, word, n) == 0)
	text[0] = '\0';
	if (IS("V"))
		put_milli(c->present_mV, "V", text);
	else if (IS("target V"))
		put_milli(c->target_mV, "V", text);
	else if (IS("battery V"))
		put_milli(c->battery_mV, "V", text);
	else if (IS("difference V"))
		put_milli(difference_mV(c), "V", text);
	else if (IS("A"))
		put_milli(c->present_mA, "A", text);
	else if (IS("asked A"))
		put_milli(c->high_mA, "A", text);
	else if (IS("least A"))
		put_milli(c->low_mA, "A", text);
	else if (IS("offered A"))
		put_milli(c->offer_mA, "A", text);
	else if (IS("ohm"))
		put_ohm(c->insulation_ohm, text);
	else if (IS("needed ohm"))
		put_ohm(c->pass_ohm, text);
	else if (IS("charge"))
		put_percent(c->soc_permille, text);
	else if (IS("in"))
		put_left(left_us, text);
	else if (IS("module age"))
		put_age(c->module_age_us, text);
	else if (IS("controller age"))
		put_age(c->controller_age_us, text);
	else if (IS("command age"))
		put_age(command_us < 0 ? -1 : c->now_us - command_us, text);
	else if (IS("state"))
		put_state(c, text);
	else if (IS("function"))
		put_function(c, text);
	else if (IS("fault"))
		snprintf(text, PIECE, "%s", c->fault ? c->fault : "fault");
#undef IS
}

void explain_write(const struct explain_scene *c, int64_t left_us, const char *pattern,
		   char text[EXPLAIN_TEXT])
{
	size_t at = 0;

	while (*pattern && at + 1 < EXPLAIN_TEXT) {
		const char *end = *pattern == '{' ? strchr(pattern, '}') : NULL;
		char piece[PIECE];
		size_t n;

		if (!end) {
			text[at++] = *pattern++;
			continue;
		}
		put_name(c, left_us, pattern + 1, (size_t)(end - pattern - 1), piece);
		n = strlen(piece);
		if (n > EXPLAIN_TEXT - 1 - at)
			n = EXPLAIN_TEXT - 1 - at;
		memcpy(text + at, piece, n);
		at += n;
		pattern = end + 1;
	}
	text[at] = '\0';
}

/* --- faults of the vehicle's module (pev-v2.md section 3, message 0x605) ------------------------------- */

#define BIT(member) offsetof(struct pev_evcc_mevc_diagnostic_status, member)

static const struct {
	size_t offset;
	enum explain_group group;
	const char *words;
} faults[] = {
	{BIT(lock_failure), EXPLAIN_LOCK, "connector lock failed"},
	{BIT(unlock_declined_inlet_energized), EXPLAIN_UNLOCK, "unlocking refused, inlet energised"},
	{BIT(high_temperature), EXPLAIN_HOT, "too hot"},
	{BIT(contactor_fault), EXPLAIN_CONTACTOR, "contactor fault or wrong feedback"},
	{BIT(voltage_deviation), EXPLAIN_VOLTAGE, "inlet and battery voltage differ"},
	{BIT(current_deviation), EXPLAIN_CURRENT, "current is not the one asked for"},
	{BIT(precharge_timeout), EXPLAIN_PRECHARGE, "precharge was not finished in time"},
	{BIT(proximity_pilot_not_detected), EXPLAIN_MATING, "proximity pilot missing"},
	{BIT(insertion_detection_not_detected), EXPLAIN_MATING, "insertion detection missing"},
	{BIT(control_pilot_fault), EXPLAIN_PILOT, "control pilot line fault"},
	{BIT(charge_enable_fault), EXPLAIN_PILOT, "charge enable line fault"},
	{BIT(control_pilot_duty_cycle_unexpected), EXPLAIN_PILOT_ODD, "control pilot duty unexpected"},
	{BIT(control_pilot_state_unexpected), EXPLAIN_PILOT_ODD, "control pilot state unexpected"},
	{BIT(charge_enable_state_unexpected), EXPLAIN_PILOT_ODD, "charge enable state unexpected"},
	{BIT(control_pilot_state_not_supported), EXPLAIN_PILOT_ODD, "control pilot state not supported"},
	{BIT(plc_fault), EXPLAIN_LINK, "power-line link fault"},
	{BIT(sdp_error), EXPLAIN_LINK, "charger not discovered on the link"},
	{BIT(v2gtptls_error), EXPLAIN_V2G, "TLS error"},
	{BIT(v2gtp_authorization_failure), EXPLAIN_V2G, "authorisation failed"},
	{BIT(v2gtp_service_selection_failure), EXPLAIN_V2G, "service selection failed"},
	{BIT(v2gtp_protocol_version_invalid), EXPLAIN_V2G, "no common protocol version"},
	{BIT(v2gtp_session_id_unexpected), EXPLAIN_V2G, "unexpected session number"},
	{BIT(v2gtp_payload_invalid), EXPLAIN_V2G, "invalid message content"},
	{BIT(v2gtp_energy_transfer_mode_not_supported), EXPLAIN_V2G, "energy transfer mode not supported"},
	{BIT(v2gtp_sequence_error), EXPLAIN_V2G, "message out of order"},
	{BIT(v2gtp_sequence_timeout), EXPLAIN_SEQUENCE_TIMEOUT, "charger answered too late"},
};

void explain_group_faults(const struct pev_evcc_mevc_diagnostic_status *d, struct explain_pev *v)
{
	for (size_t i = sizeof(faults) / sizeof(faults[0]); i-- > 0;) {
		if (!((const uint8_t *)d)[faults[i].offset])
			continue;
		v->groups |= UINT32_C(1) << faults[i].group;
		v->group_fault[faults[i].group] = faults[i].words; /* the first one of a group is told */
	}
}
