/* SPDX-License-Identifier: MIT */
/* The page of metrics. All samples of a family stand together, as the format wants it. Pure. */
#include "monitor/mon_metrics.h"

#include <string.h>

#include "monitor/explain.h"
#include "monitor/mon_decimal.h"

/* Kept free for the last family. */
#define TAIL 192

struct page {
	const struct mon_model *m;
	char *text;
	size_t n, size;
	size_t family; /* where the present one begins */
	bool is_full;  /* a family did not fit: nothing more is written */
	const char *name, *type, *help;
	bool has_head;
	bool has_label;
	struct mon_facts facts[MON_N_POINTS];
};

static void putn(struct page *p, const char *text, size_t n)
{
	if (p->is_full)
		return;
	if (n > p->size - p->n) {
		p->is_full = true;
		p->n = p->family;
		return;
	}
	memcpy(p->text + p->n, text, n);
	p->n += n;
}

static void put(struct page *p, const char *text)
{
	putn(p, text, strlen(text));
}

static void put_decimal(struct page *p, int64_t number, unsigned digits)
{
	char text[MON_DECIMAL_TEXT];

	putn(p, text, mon_decimal(text, number, digits, 0));
}

/* The head is written with the first sample: a family without one is left out. */
static void family(struct page *p, const char *name, const char *type, const char *help)
{
	p->family = p->n;
	p->name = name;
	p->type = type;
	p->help = help;
	p->has_head = false;
}

static void head(struct page *p)
{
	if (p->has_head)
		return;
	p->has_head = true;
	put(p, "# HELP ");
	put(p, p->name);
	put(p, " ");
	put(p, p->help);
	put(p, "\n# TYPE ");
	put(p, p->name);
	put(p, " ");
	put(p, p->type);
	put(p, "\n");
}

static void begin(struct page *p)
{
	head(p);
	put(p, p->name);
	p->has_label = false;
}

static void label(struct page *p, const char *name, const char *value)
{
	put(p, p->has_label ? "," : "{");
	p->has_label = true;
	put(p, name);
	put(p, "=\"");
	for (; *value; value++) {
		if (*value == '\n') {
			put(p, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			put(p, "\\");
		putn(p, value, 1);
	}
	put(p, "\"");
}

static void label_point(struct page *p, unsigned point)
{
	char text[MON_DECIMAL_TEXT];

	mon_decimal(text, point, 0, 0);
	label(p, "point", text);
}

static void value(struct page *p, int64_t number, unsigned digits)
{
	put(p, p->has_label ? "} " : " ");
	put_decimal(p, number, digits);
	put(p, "\n");
}

/* Counters up to 2^64: those beyond int64 do not occur in the life of a bus. */
static void single(struct page *p, const char *name, const char *type, const char *help, uint64_t number)
{
	family(p, name, type, help);
	begin(p);
	value(p, (int64_t)number, 0);
}

/* --- the bus ------------------------------------------------------------------------------------------- */

static void write_bus(struct page *p)
{
	const struct mon_model *m = p->m;
	const struct mon_bus *b = &m->bus;

	family(p, "forecourt_monitor_info", "gauge", "Interface that is listened to.");
	begin(p);
	label(p, "side", m->cfg.side == MON_EVSE ? "evse" : "pev");
	label(p, "version", mon_version_name(m->cfg.side, m->cfg.version));
	value(p, 1, 0);
	single(p, "forecourt_bus_up", "gauge", "Frames can pass: 0 between bus-off or down and the next up.",
	       b->is_up);
	single(p, "forecourt_bus_frames_total", "counter", "Frames heard, error frames not counted.",
	       b->n_frames);
	single(p, "forecourt_bus_own_frames_total", "counter", "Frames of this interface.", b->n_ours);
	single(p, "forecourt_bus_foreign_frames_total", "counter", "Frames of other interfaces.",
	       b->n_foreign);
	single(p, "forecourt_bus_error_frames_total", "counter", "Error frames.", b->n_errors);
	single(p, "forecourt_bus_dropped_frames_total", "counter",
	       "Frames lost between the bus and the monitor.", b->n_dropped);
	single(p, "forecourt_bus_bad_frames_total", "counter",
	       "Frames of this interface that were too short or remote.", b->n_bad);
	single(p, "forecourt_bus_frames_per_second", "gauge", "Frames in the last second.", b->frames_per_s);
	family(p, "forecourt_bus_load_ratio", "gauge", "Part of the bit rate in use, stuff bits left out.");
	begin(p);
	value(p, b->load_permille, 3);
}

/* --- numbers of a point -------------------------------------------------------------------------------- */

struct quantity {
	const char *name, *help;
	uint16_t offset; /* of an int32_t in struct mon_facts */
	uint8_t digits;	 /* number / 10^digits is in the base unit */
};

#define FACT(member) offsetof(struct mon_facts, member)

static const struct quantity quantities[] = {
	{"forecourt_target_volts", "Voltage asked for.", FACT(target_mV), 3},
	{"forecourt_target_amperes", "Current asked for, + into the vehicle.", FACT(target_mA), 3},
	{"forecourt_present_volts", "Voltage at the charger's output or the vehicle's inlet.",
	 FACT(present_mV), 3},
	{"forecourt_present_amperes", "Measured current, + into the vehicle.", FACT(present_mA), 3},
	{"forecourt_battery_volts", "Voltage of the battery.", FACT(battery_mV), 3},
	{"forecourt_power_watts", "Power, + into the vehicle.", FACT(power_W), 0},
	{"forecourt_charge_ratio", "State of charge of the battery.", FACT(soc_permille), 3},
	{"forecourt_target_charge_ratio", "State of charge that is wanted.", FACT(target_soc_permille), 3},
	{"forecourt_insulation_ohms", "Insulation resistance.", FACT(insulation_ohm), 0},
};

static bool is_heard(const struct page *p, unsigned point)
{
	return p->facts[point].is_heard;
}

static void write_quantities(struct page *p)
{
	for (size_t i = 0; i < sizeof(quantities) / sizeof(quantities[0]); i++) {
		const struct quantity *q = &quantities[i];

		family(p, q->name, "gauge", q->help);
		for (unsigned k = 0; k < MON_N_POINTS; k++) {
			int32_t number;

			memcpy(&number, (const char *)&p->facts[k] + q->offset, sizeof(number));
			if (!is_heard(p, k) || number == MON_UNKNOWN)
				continue;
			begin(p);
			label_point(p, k);
			value(p, number, q->digits);
		}
	}
	family(p, "forecourt_capacity_joules", "gauge", "Capacity of the battery.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		if (!is_heard(p, k) || p->facts[k].capacity_Wh <= 0)
			continue;
		begin(p);
		label_point(p, k);
		value(p, p->facts[k].capacity_Wh * 3600, 0);
	}
	family(p, "forecourt_hottest_celsius", "gauge", "Hottest sensor.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		if (!is_heard(p, k) || p->facts[k].hottest_mdegC == MON_UNKNOWN)
			continue;
		begin(p);
		label_point(p, k);
		value(p, p->facts[k].hottest_mdegC, 3);
	}
}

struct flag {
	const char *name, *help;
	uint16_t offset; /* of a bool in struct mon_facts */
};

static const struct flag flags[] = {
	{"forecourt_module_silent", "The module is not heard.", FACT(is_module_silent)},
	{"forecourt_controller_silent", "The module's controller is not heard.", FACT(is_controller_silent)},
	{"forecourt_emergency_stop", "An emergency stop is active.", FACT(is_emergency)},
	{"forecourt_derated", "Less flows or is offered than limits and request allow.", FACT(is_derated)},
};

static void write_flags(struct page *p)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		family(p, flags[i].name, "gauge", flags[i].help);
		for (unsigned k = 0; k < MON_N_POINTS; k++) {
			bool is_set;

			memcpy(&is_set, (const char *)&p->facts[k] + flags[i].offset, sizeof(is_set));
			if (!is_heard(p, k))
				continue;
			begin(p);
			label_point(p, k);
			value(p, is_set, 0);
		}
	}
	family(p, "forecourt_contactors_closed", "gauge", "Contactors are closed.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		if (!is_heard(p, k) || !p->facts[k].is_contactor_known)
			continue;
		begin(p);
		label_point(p, k);
		value(p, p->facts[k].are_contactors_closed, 0);
	}
}

/* --- states in words ----------------------------------------------------------------------------------- */

static void write_states(struct page *p)
{
	family(p, "forecourt_state", "gauge", "State or stage of the module, as the interface numbers it.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		if (!is_heard(p, k) || p->facts[k].state < 0)
			continue;
		begin(p);
		label_point(p, k);
		value(p, p->facts[k].state, 0);
	}
	family(p, "forecourt_state_info", "gauge", "Name of the state, and its place in a session.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		if (!is_heard(p, k) || p->facts[k].state < 0)
			continue;
		begin(p);
		label_point(p, k);
		label(p, "state", p->facts[k].state_name ? p->facts[k].state_name : "");
		label(p, "phase", mon_phase_name(p->facts[k].phase));
		value(p, 1, 0);
	}
	family(p, "forecourt_state_seconds", "gauge", "How long the state has lasted.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		if (!is_heard(p, k) || p->facts[k].state_for_us < 0)
			continue;
		begin(p);
		label_point(p, k);
		value(p, p->facts[k].state_for_us, 6);
	}
}

static void write_explain(struct page *p)
{
	struct explain x[MON_N_POINTS];

	for (unsigned k = 0; k < MON_N_POINTS; k++)
		if (is_heard(p, k))
			explain_point(p->m, k, &x[k]);
	family(p, "forecourt_explain_info", "gauge", "Situation: what the session is waiting for.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		if (!is_heard(p, k))
			continue;
		begin(p);
		label_point(p, k);
		label(p, "code", x[k].situation->code);
		label(p, "title", x[k].situation->title);
		label(p, "severity", mon_severity_name(x[k].situation->severity));
		value(p, 1, 0);
	}
	family(p, "forecourt_explain_left_seconds", "gauge", "Time until the situation ends by itself.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		if (!is_heard(p, k) || x[k].left_us < 0)
			continue;
		begin(p);
		label_point(p, k);
		value(p, x[k].left_us, 6);
	}
}

/* --- limits, faults ------------------------------------------------------------------------------------ */

/* A name that occurs twice would be the same series twice. */
static bool is_limit_new(const struct mon_facts *f, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (strcmp(f->limit[k].name, f->limit[i].name) == 0)
			return false;
	return true;
}

static bool is_diagnostic_new(const struct mon_facts *f, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (strcmp(f->diagnostic[k].name, f->diagnostic[i].name) == 0)
			return false;
	return true;
}

static void write_limits(struct page *p)
{
	family(p, "forecourt_limit_amperes", "gauge", "Limits of the current, in the direction of the flow.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		const struct mon_facts *f = &p->facts[k];

		for (unsigned i = 0; is_heard(p, k) && i < f->n_limits; i++) {
			if (f->limit[i].mA == MON_UNKNOWN || !is_limit_new(f, i))
				continue;
			begin(p);
			label_point(p, k);
			label(p, "limit", f->limit[i].name);
			value(p, f->limit[i].mA, 3);
		}
	}
	family(p, "forecourt_binding_limit_info", "gauge", "The limit that binds.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		const struct mon_facts *f = &p->facts[k];

		if (!is_heard(p, k) || f->binding < 0 || (uint32_t)f->binding >= f->n_limits)
			continue;
		begin(p);
		label_point(p, k);
		label(p, "limit", f->limit[f->binding].name);
		value(p, 1, 0);
	}
	family(p, "forecourt_diagnostic_info", "gauge", "Something is wrong.");
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		const struct mon_facts *f = &p->facts[k];

		for (unsigned i = 0; is_heard(p, k) && i < f->n_diagnostics; i++) {
			if (!is_diagnostic_new(f, i))
				continue;
			begin(p);
			label_point(p, k);
			label(p, "diagnostic", f->diagnostic[i].name);
			label(p, "severity", mon_severity_name((enum mon_severity)f->diagnostic[i].severity));
			value(p, 1, 0);
		}
	}
}

/* --- sessions ------------------------------------------------------------------------------------------ */

enum session_number { SESSIONS, RUNNING, SECONDS, JOULES, PEAK_VOLTS, PEAK_AMPERES, PEAK_WATTS, FAULTS };

static void write_session(struct page *p, const char *name, const char *type, const char *help,
			  enum session_number which)
{
	family(p, name, type, help);
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		const struct mon_point *point = mon_point(p->m, k);
		const struct mon_session *s;
		int64_t numbers[] = {0, 0, 0, 0, 0, 0, 0, 0};

		if (!is_heard(p, k) || !point)
			continue;
		s = &point->session;
		if (!s->is_known && which != SESSIONS && which != RUNNING)
			continue;
		numbers[SESSIONS] = point->n_sessions;
		numbers[RUNNING] = s->is_running;
		numbers[SECONDS] = (s->is_running ? p->m->now_us : s->end_us) - s->start_us;
		numbers[JOULES] = s->energy_Wus;
		numbers[PEAK_VOLTS] = s->peak_mV;
		numbers[PEAK_AMPERES] = s->peak_mA;
		numbers[PEAK_WATTS] = s->peak_W;
		numbers[FAULTS] = s->n_faults;
		begin(p);
		label_point(p, k);
		value(p, numbers[which],
		      which == SECONDS || which == JOULES	     ? 6
		      : which == PEAK_VOLTS || which == PEAK_AMPERES ? 3
								     : 0);
	}
}

static void write_sessions(struct page *p)
{
	write_session(p, "forecourt_sessions_total", "counter", "Sessions finished.", SESSIONS);
	write_session(p, "forecourt_session_running", "gauge", "A session is going on.", RUNNING);
	write_session(p, "forecourt_session_seconds", "gauge", "Duration of the running or last session.",
		      SECONDS);
	write_session(p, "forecourt_session_energy_joules", "gauge",
		      "Energy of the running or last session, charged minus discharged.", JOULES);
	write_session(p, "forecourt_session_peak_volts", "gauge", "Its highest voltage.", PEAK_VOLTS);
	write_session(p, "forecourt_session_peak_amperes", "gauge", "Its largest current.", PEAK_AMPERES);
	write_session(p, "forecourt_session_peak_watts", "gauge", "Its largest power.", PEAK_WATTS);
	write_session(p, "forecourt_session_faults", "gauge", "Its faults so far.", FAULTS);
}

/* --- messages ------------------------------------------------------------------------------------------ */

enum message_number { FRAMES, CHANGES, SHORT, AGE, PERIOD, JITTER, LOST };

static int64_t message_number(const struct page *p, const struct mon_msg *g, enum message_number which)
{
	switch (which) {
	case FRAMES:
		return g->n;
	case CHANGES:
		return g->n_changes;
	case SHORT:
		return g->n_short;
	case AGE:
		return p->m->now_us - g->last_us;
	case PERIOD:
		return g->period_us;
	case JITTER:
		return g->jitter_us;
	case LOST:
		return g->is_lost;
	}
	return 0;
}

static void write_message(struct page *p, const char *name, const char *type, const char *help,
			  enum message_number which)
{
	family(p, name, type, help);
	for (unsigned k = 0; k < MON_N_POINTS; k++) {
		const struct mon_point *point = mon_point(p->m, k);

		for (unsigned i = 0; point && i < p->m->n_msgs; i++) {
			const struct mon_msg *g = &point->msg[i];

			/* Without two frames there is no distance between them. */
			if (g->n < (which == PERIOD || which == JITTER ? 2u : 1u))
				continue;
			begin(p);
			label_point(p, k);
			label(p, "message", p->m->layouts[i].name);
			value(p, message_number(p, g, which),
			      which == AGE || which == PERIOD || which == JITTER ? 6 : 0);
		}
	}
}

static void write_messages(struct page *p)
{
	write_message(p, "forecourt_message_frames_total", "counter", "Frames of each message.", FRAMES);
	write_message(p, "forecourt_message_age_seconds", "gauge", "Since its last frame.", AGE);
	write_message(p, "forecourt_message_period_seconds", "gauge", "Mean distance of its frames.", PERIOD);
	write_message(p, "forecourt_message_jitter_seconds", "gauge", "Mean deviation from that distance.",
		      JITTER);
	write_message(p, "forecourt_message_lost", "gauge", "A cyclic message is over-due.", LOST);
	write_message(p, "forecourt_message_changes_total", "counter", "Changes of its content.", CHANGES);
	write_message(p, "forecourt_message_short_frames_total", "counter", "Its frames that were too short.",
		      SHORT);
}

size_t mon_metrics_write(const struct mon_model *m, char *text, size_t size)
{
	struct page p = {.m = m, .text = text};
	bool is_truncated;

	if (size < MON_METRICS_MIN)
		return 0;
	p.size = size - TAIL;
	for (unsigned k = 0; k < MON_N_POINTS; k++)
		if (mon_point(m, k))
			mon_facts(m, k, &p.facts[k]);
	write_bus(&p);
	write_states(&p);
	write_explain(&p);
	write_quantities(&p);
	write_flags(&p);
	write_limits(&p);
	write_sessions(&p);
	write_messages(&p);
	p.size = size;
	family(&p, "forecourt_metrics_truncated", "gauge", "The page had no room for all families.");
	is_truncated = p.is_full;
	p.is_full = false;
	begin(&p);
	value(&p, is_truncated, 0);
	return p.n;
}
