/* SPDX-License-Identifier: MIT */
/* Snapshots: everything that the model knows at one time, as a readable block or as one JSON object. */
#include "monitor/mon_text_priv.h"

#include <inttypes.h>

#include "monitor/explain.h"

/* --- JSON ---------------------------------------------------------------------------------------------- */

static void put_bus(struct mon_text *t)
{
	const struct mon_bus *b = &t->model->bus;

	mon_json_open(t, "bus", "{");
	mon_json_bool(t, "up", b->is_up);
	mon_json_integer(t, "frames", (int64_t)b->n_frames);
	mon_json_integer(t, "ours", (int64_t)b->n_ours);
	mon_json_integer(t, "foreign", (int64_t)b->n_foreign);
	mon_json_integer(t, "errors", (int64_t)b->n_errors);
	mon_json_integer(t, "dropped", (int64_t)b->n_dropped);
	mon_json_integer(t, "bad", (int64_t)b->n_bad);
	mon_json_integer(t, "frames_per_s", b->frames_per_s);
	mon_json_decimal(t, "load_percent", b->load_permille, 1, 0);
	mon_json_close(t, "}");
}

static void put_explain(struct mon_text *t, unsigned point)
{
	struct explain x;

	explain_point(t->model, point, &x);
	mon_json_open(t, "explain", "{");
	mon_json_text(t, "code", x.situation->code);
	mon_json_text(t, "title", x.situation->title);
	mon_json_text(t, "severity", mon_severity_name(x.situation->severity));
	mon_json_text(t, "waiting", x.waiting);
	mon_json_text(t, "otherwise", x.otherwise);
	mon_json_seconds(t, "left_s", x.left_us);
	mon_json_close(t, "}");
}

static void put_limits(struct mon_text *t, const struct mon_facts *f)
{
	mon_json_open(t, "limits", "[");
	for (unsigned i = 0; i < f->n_limits; i++) {
		mon_json_open(t, NULL, "{");
		mon_json_text(t, "name", f->limit[i].name);
		mon_json_known(t, "A", f->limit[i].mA, 3);
		mon_json_bool(t, "binds", (int)i == f->binding);
		mon_json_close(t, "}");
	}
	mon_json_close(t, "]");
	mon_json_bool(t, "derated", f->is_derated);
	mon_json_text(t, "derating", f->derating);
	mon_json_open(t, "diagnostics", "[");
	for (unsigned i = 0; i < f->n_diagnostics; i++) {
		mon_json_open(t, NULL, "{");
		mon_json_text(t, "name", f->diagnostic[i].name);
		mon_json_text(t, "severity", mon_severity_name((enum mon_severity)f->diagnostic[i].severity));
		mon_json_close(t, "}");
	}
	mon_json_close(t, "]");
}

static void put_facts(struct mon_text *t, const struct mon_facts *f)
{
	mon_json_text(t, "phase", mon_phase_name(f->phase));
	mon_json_integer(t, "state", f->state);
	mon_json_text(t, "state_name", f->state_name);
	mon_json_seconds(t, "state_for_s", f->state_for_us);
	mon_json_text(t, "protocol", f->protocol);
	mon_json_text(t, "pins", f->pins);
	mon_json_seconds(t, "module_age_s", f->module_age_us);
	mon_json_seconds(t, "controller_age_s", f->controller_age_us);
	mon_json_bool(t, "module_silent", f->is_module_silent);
	mon_json_bool(t, "controller_silent", f->is_controller_silent);
	mon_json_known(t, "target_V", f->target_mV, 3);
	mon_json_known(t, "target_A", f->target_mA, 3);
	mon_json_known(t, "present_V", f->present_mV, 3);
	mon_json_known(t, "present_A", f->present_mA, 3);
	mon_json_known(t, "battery_V", f->battery_mV, 3);
	mon_json_known(t, "power_W", f->power_W, 0);
	mon_json_known(t, "soc_percent", f->soc_permille, 1);
	mon_json_known(t, "target_soc_percent", f->target_soc_permille, 1);
	mon_json_integer(t, "capacity_Wh", f->capacity_Wh);
	mon_json_known(t, "insulation_ohm", f->insulation_ohm, 0);
	mon_json_known(t, "hottest_degC", f->hottest_mdegC, 3);
	mon_json_text(t, "hottest", f->hottest);
	mon_json_text(t, "contactors",
		      !f->is_contactor_known	 ? "unknown"
		      : f->are_contactors_closed ? "closed"
						 : "open");
	mon_json_bool(t, "emergency", f->is_emergency);
	mon_json_text(t, "emergency_origin", f->emergency_origin);
	put_limits(t, f);
}

static void put_signals(struct mon_text *t, unsigned point, unsigned msg)
{
	const struct msg_layout *l = &t->model->layouts[msg];

	mon_json_open(t, "signals", "{");
	for (unsigned i = 0; i < l->n_fields; i++) {
		const struct mon_value v = mon_field(t->model, point, msg, i);
		const struct mon_unit unit = mon_unit_of(&l->fields[i]);

		if (!v.is_known)
			continue;
		mon_json_open(t, l->fields[i].signal, "{");
		mon_json_decimal(t, "value", v.number, unit.digits, unit.shown);
		if (unit.name[0])
			mon_json_text(t, "unit", unit.name);
		if (v.label)
			mon_json_text(t, "label", v.label);
		mon_json_close(t, "}");
	}
	mon_json_close(t, "}");
}

static const char *half_name(const struct mon_model *m, unsigned msg)
{
	return mon_half(m, msg) == MON_MODULE ? "module" : "controller";
}

static void put_message(struct mon_text *t, const struct mon_point *p, unsigned point, unsigned msg)
{
	const struct mon_model *m = t->model;
	const struct mon_msg *g = &p->msg[msg];

	mon_json_open(t, NULL, "{");
	mon_json_text(t, "name", m->layouts[msg].name);
	mon_json_text(t, "from", half_name(m, msg));
	mon_json_integer(t, "count", g->n);
	mon_json_integer(t, "changes", g->n_changes);
	mon_json_integer(t, "short", g->n_short);
	mon_json_decimal(t, "period_ms", g->period_us, 3, 0);
	mon_json_decimal(t, "jitter_ms", g->jitter_us, 3, 0);
	mon_json_decimal(t, "gap_max_ms", g->gap_max_us, 3, 0);
	mon_json_seconds(t, "age_s", m->now_us - g->last_us);
	mon_json_bool(t, "stale", mon_is_stale(m, point, msg));
	mon_json_bool(t, "lost", g->is_lost);
	put_signals(t, point, msg);
	mon_json_close(t, "}");
}

static void put_point(struct mon_text *t, const struct mon_point *p, unsigned point)
{
	struct mon_facts f;

	mon_facts(t->model, point, &f);
	mon_json_open(t, NULL, "{");
	mon_json_integer(t, "point", point);
	put_explain(t, point);
	put_facts(t, &f);
	mon_json_integer(t, "sessions", p->n_sessions);
	if (p->session.is_known) {
		mon_json_open(t, "session", "{");
		text_session_json(t, &p->session);
		mon_json_close(t, "}");
	}
	mon_json_open(t, "messages", "[");
	for (unsigned i = 0; i < t->model->n_msgs; i++)
		if (p->msg[i].n)
			put_message(t, p, point, i);
	mon_json_close(t, "]");
	mon_json_close(t, "}");
}

void text_snapshot_json(struct mon_text *t)
{
	t->is_first = true;
	mon_json_open(t, NULL, "{");
	mon_json_text(t, "type", "snapshot");
	mon_json_time(t, "t", t->model->now_us);
	mon_json_text(t, "side", mon_side_name(t->model->cfg.side));
	mon_json_text(t, "version", mon_version_name(t->model->cfg.side, t->model->cfg.version));
	put_bus(t);
	mon_json_open(t, "points", "[");
	for (unsigned i = 0; i < MON_N_POINTS; i++) {
		const struct mon_point *p = mon_point(t->model, i);

		if (p)
			put_point(t, p, i);
	}
	mon_json_close(t, "]");
	mon_json_close(t, "}");
	t->is_first = true;
	text_end_line(t);
}

/* --- text ---------------------------------------------------------------------------------------------- */

static void put_known(struct mon_text *t, const char *before, int32_t number, unsigned digits,
		      const char *unit)
{
	text_put(t, before);
	if (number == MON_UNKNOWN)
		text_put(t, "----");
	else
		text_decimal(t, number, digits, digits > 1 ? 1 : 0);
	text_put(t, unit);
}

static void line_bus(struct mon_text *t)
{
	const struct mon_bus *b = &t->model->bus;

	text_printf(t, "bus %s, %" PRIu32 " frames/s, load ", b->is_up ? "up" : "DOWN", b->frames_per_s);
	text_decimal(t, b->load_permille, 1, 1);
	text_printf(t, " %%, frames %" PRIu64 ", ours %" PRIu64 ", foreign %" PRIu64 ", errors %" PRIu64,
		    b->n_frames, b->n_ours, b->n_foreign, b->n_errors);
	text_printf(t, ", dropped %" PRIu64 ", bad %" PRIu64, b->n_dropped, b->n_bad);
	text_end_line(t);
}

static void line_explain(struct mon_text *t, unsigned point)
{
	struct explain x;

	explain_point(t->model, point, &x);
	text_printf(t, "  %s %s: ", x.situation->code, mon_severity_name(x.situation->severity));
	text_utf8(t, x.waiting);
	text_end_line(t);
	if (!x.otherwise[0])
		return;
	text_put(t, "       otherwise: ");
	text_utf8(t, x.otherwise);
	text_end_line(t);
}

static void lines_power(struct mon_text *t, const struct mon_facts *f)
{
	put_known(t, "  target ", f->target_mV, 3, " V ");
	put_known(t, "", f->target_mA, 3, " A; present ");
	put_known(t, "", f->present_mV, 3, " V ");
	put_known(t, "", f->present_mA, 3, " A ");
	put_known(t, "", f->power_W, 3, " kW; battery ");
	put_known(t, "", f->battery_mV, 3, " V ");
	put_known(t, "", f->soc_permille, 1, " %");
	text_end_line(t);
	text_printf(t, "  contactors %s",
		    !f->is_contactor_known     ? "unknown"
		    : f->are_contactors_closed ? "closed"
					       : "open");
	put_known(t, "; insulation ", f->insulation_ohm, 3, " kΩ");
	put_known(t, "; hottest ", f->hottest_mdegC, 3, " °C ");
	text_utf8(t, f->hottest ? f->hottest : "");
	text_end_line(t);
}

static void lines_limits(struct mon_text *t, const struct mon_facts *f)
{
	for (unsigned i = 0; i < f->n_limits; i++) {
		text_put(t, i ? ", " : "  limits: ");
		text_utf8(t, f->limit[i].name);
		put_known(t, " ", f->limit[i].mA, 3, " A");
		if ((int)i == f->binding)
			text_put(t, " (binds)");
	}
	if (f->n_limits)
		text_end_line(t);
	if (f->is_derated) {
		text_put(t, "  derated: ");
		text_utf8(t, f->derating && f->derating[0] ? f->derating : "for an unknown reason");
		text_end_line(t);
	}
	if (f->is_emergency) {
		text_put(t, "  EMERGENCY STOP: ");
		text_utf8(t, f->emergency_origin ? f->emergency_origin : "");
		text_end_line(t);
	}
	for (unsigned i = 0; i < f->n_diagnostics; i++) {
		text_printf(t, "  %s: ", mon_severity_name((enum mon_severity)f->diagnostic[i].severity));
		text_utf8(t, f->diagnostic[i].name);
		text_end_line(t);
	}
}

static void lines_message(struct mon_text *t, const struct mon_msg *g, unsigned point, unsigned msg)
{
	const struct mon_model *m = t->model;
	const struct msg_layout *l = &m->layouts[msg];

	text_printf(t, "  %-30s %-10s n %-7" PRIu32 " period ", l->name, half_name(m, msg), g->n);
	/* For people: rounded to tenths of a millisecond, of a second. JSON has them all. */
	text_decimal(t, (g->period_us + 50) / 100, 1, 1);
	text_put(t, " ms jitter ");
	text_decimal(t, (g->jitter_us + 50) / 100, 1, 1);
	text_put(t, " ms age ");
	text_decimal(t, (m->now_us - g->last_us + 50000) / 100000, 1, 1);
	text_printf(t, " s%s", mon_is_stale(m, point, msg) ? " STALE" : "");
	text_end_line(t);
	for (unsigned i = 0; i < l->n_fields; i++) {
		const struct mon_value v = mon_field(m, point, msg, i);
		const struct mon_unit unit = mon_unit_of(&l->fields[i]);

		if (!v.is_known)
			continue;
		text_printf(t, "    %-40s ", l->fields[i].signal);
		text_decimal(t, v.number, unit.digits, unit.shown);
		text_printf(t, "%s%s", unit.name[0] ? " " : "", unit.name);
		if (v.label) {
			text_put(t, " ");
			text_utf8(t, v.label);
		}
		text_end_line(t);
	}
}

static void lines_point(struct mon_text *t, const struct mon_point *p, unsigned point)
{
	struct mon_facts f;

	mon_facts(t->model, point, &f);
	text_printf(t, "point %u: %s", point, mon_phase_name(f.phase));
	text_printf(t, ", state %d %s", f.state, f.state_name ? f.state_name : "");
	if (f.state_for_us >= 0) {
		text_put(t, " for ");
		text_decimal(t, f.state_for_us / 100000, 1, 1);
		text_put(t, " s");
	}
	text_printf(t, ", %s %s", f.protocol && f.protocol[0] ? f.protocol : "no protocol",
		    f.pins ? f.pins : "");
	text_end_line(t);
	line_explain(t, point);
	lines_power(t, &f);
	lines_limits(t, &f);
	if (p->session.is_known) {
		text_put(t, "  session ");
		text_session_line(t, &p->session);
		text_end_line(t);
	}
	for (unsigned i = 0; i < t->model->n_msgs; i++)
		if (p->msg[i].n)
			lines_message(t, &p->msg[i], point, i);
}

void text_snapshot_lines(struct mon_text *t)
{
	bool is_any = false;

	text_printf(t, "%s %s at ", mon_side_name(t->model->cfg.side),
		    mon_version_name(t->model->cfg.side, t->model->cfg.version));
	text_time(t, t->model->now_us);
	text_end_line(t);
	line_bus(t);
	for (unsigned i = 0; i < MON_N_POINTS; i++) {
		const struct mon_point *p = mon_point(t->model, i);

		if (p) {
			lines_point(t, p, i);
			is_any = true;
		}
	}
	if (!is_any) {
		text_put(t, "nothing heard yet");
		text_end_line(t);
	}
}
