/* SPDX-License-Identifier: MIT */
/* What happens, as it happens: changes, events and finished sessions as text or JSON lines. */
#include "monitor/mon_text_priv.h"

void mon_text_init(struct mon_text *t, const struct mon_model *model, enum mon_text_form form,
		   int (*write)(void *ctx, const char *text, size_t n), void *ctx)
{
	memset(t, 0, sizeof(*t));
	t->model = model;
	t->form = form;
	t->write = write;
	t->ctx = ctx;
	t->is_first = true;
}

void mon_text_hook(struct mon_text *t, struct mon_sink *sink)
{
	*sink = (struct mon_sink){t, mon_text_change, mon_text_event, mon_text_session_end};
}

/* {"type":...,"t":...,"point":... */
static void begin_object(struct mon_text *t, const char *type, int64_t time_us, unsigned point)
{
	t->is_first = true;
	mon_json_open(t, NULL, "{");
	mon_json_text(t, "type", type);
	mon_json_time(t, "t", time_us);
	mon_json_integer(t, "point", point);
}

static void end_object(struct mon_text *t)
{
	mon_json_close(t, "}");
	t->is_first = true;
	text_end_line(t);
}

static void begin_line(struct mon_text *t, int64_t time_us, unsigned point)
{
	text_time(t, time_us);
	text_printf(t, " %u ", point);
}

/* --- a change ------------------------------------------------------------------------------------------ */

static void change_line(struct mon_text *t, const struct mon_change *c, const char *message,
			const struct msg_field *f)
{
	const struct mon_unit unit = mon_unit_of(f);
	const char *label = msg_value_name(f, c->number);

	begin_line(t, c->time_us, c->point);
	text_put(t, message);
	text_put(t, ".");
	text_put(t, f->signal);
	text_put(t, " ");
	text_decimal(t, c->number, unit.digits, unit.shown);
	if (unit.name[0]) {
		text_put(t, " ");
		text_put(t, unit.name);
	}
	if (label) {
		text_put(t, " ");
		text_utf8(t, label);
	}
	text_end_line(t);
}

static void change_json(struct mon_text *t, const struct mon_change *c, const char *message,
			const struct msg_field *f)
{
	const struct mon_unit unit = mon_unit_of(f);
	const char *label = msg_value_name(f, c->number);

	begin_object(t, "change", c->time_us, c->point);
	mon_json_text(t, "message", message);
	mon_json_text(t, "signal", f->signal);
	mon_json_decimal(t, "value", c->number, unit.digits, unit.shown);
	if (unit.name[0])
		mon_json_text(t, "unit", unit.name);
	if (label)
		mon_json_text(t, "label", label);
	if (!c->is_first)
		mon_json_decimal(t, "old", c->old, unit.digits, unit.shown);
	end_object(t);
}

void mon_text_change(void *text, const struct mon_change *c)
{
	struct mon_text *t = text;
	const struct msg_layout *l;

	if (c->msg >= t->model->n_msgs || c->field >= t->model->layouts[c->msg].n_fields)
		return;
	l = &t->model->layouts[c->msg];
	if (t->form == MON_TEXT_JSON)
		change_json(t, c, l->name, &l->fields[c->field]);
	else
		change_line(t, c, l->name, &l->fields[c->field]);
}

/* --- an event ------------------------------------------------------------------------------------------ */

void mon_text_event(void *text, const struct mon_event *e)
{
	struct mon_text *t = text;
	const char *severity = mon_severity_name((enum mon_severity)e->severity);

	if (t->form == MON_TEXT_JSON) {
		begin_object(t, "event", e->time_us, e->point);
		mon_json_text(t, "severity", severity);
		mon_json_text(t, "text", e->text);
		end_object(t);
		return;
	}
	begin_line(t, e->time_us, e->point);
	text_printf(t, "event %s ", severity);
	text_utf8(t, e->text);
	text_end_line(t);
}

/* --- a session ----------------------------------------------------------------------------------------- */

/* Watt hours with three digits, rounded to nearest, from W x us. */
static int64_t energy_mWh(const struct mon_session *s)
{
	const int64_t per_mWh = INT64_C(3600000);

	return (s->energy_Wus + (s->energy_Wus < 0 ? -per_mWh / 2 : per_mWh / 2)) / per_mWh;
}

void text_session_json(struct mon_text *t, const struct mon_session *s)
{
	mon_json_bool(t, "running", s->is_running);
	mon_json_time(t, "start", s->start_us);
	if (s->is_running)
		mon_json_null(t, "end");
	else
		mon_json_time(t, "end", s->end_us);
	mon_json_bool(t, "clean", s->is_clean);
	mon_json_text(t, "reason", s->reason);
	mon_json_text(t, "protocol", s->protocol_name);
	mon_json_decimal(t, "energy_Wh", energy_mWh(s), 3, 0);
	mon_json_known(t, "peak_V", s->peak_mV, 3);
	mon_json_known(t, "peak_A", s->peak_mA, 3);
	mon_json_known(t, "peak_W", s->peak_W, 0);
	mon_json_known(t, "soc_start_percent", s->soc_start_permille, 1);
	mon_json_known(t, "soc_end_percent", s->soc_end_permille, 1);
	mon_json_open(t, "states", "[");
	for (unsigned i = 0; i < s->n_states; i++)
		mon_json_integer(t, NULL, s->state[i]);
	mon_json_close(t, "]");
	mon_json_integer(t, "n_faults", s->n_faults);
	mon_json_open(t, "faults", "[");
	for (unsigned i = 0; i < s->n_faults && i < MON_SESSION_FAULTS; i++)
		mon_json_text(t, NULL, s->fault[i]);
	mon_json_close(t, "]");
}

static void put_soc(struct mon_text *t, int32_t permille)
{
	if (permille == MON_UNKNOWN)
		text_put(t, "?");
	else
		text_decimal(t, permille, 1, 0);
}

void text_session_line(struct mon_text *t, const struct mon_session *s)
{
	const int64_t end_us = s->is_running ? t->model->now_us : s->end_us;

	text_printf(t, "%s \"", s->is_running ? "running" : s->is_clean ? "clean" : "unclean");
	text_utf8(t, s->reason ? s->reason : "");
	text_put(t, "\" ");
	text_decimal(t, end_us - s->start_us, 6, 3);
	text_put(t, " s ");
	text_decimal(t, energy_mWh(s), 3, 3);
	text_put(t, " Wh peak ");
	text_decimal(t, s->peak_mV, 3, 1);
	text_put(t, " V ");
	text_decimal(t, s->peak_mA, 3, 1);
	text_put(t, " A ");
	text_decimal(t, s->peak_W, 3, 1);
	text_put(t, " kW charge ");
	put_soc(t, s->soc_start_permille);
	text_put(t, " to ");
	put_soc(t, s->soc_end_permille);
	text_put(t, " %");
	for (unsigned i = 0; i < s->n_faults && i < MON_SESSION_FAULTS; i++) {
		text_put(t, i ? "; " : " faults: ");
		text_utf8(t, s->fault[i]);
	}
}

void mon_text_session_end(void *text, unsigned point, const struct mon_session *s)
{
	struct mon_text *t = text;

	if (t->form == MON_TEXT_JSON) {
		begin_object(t, "session", s->end_us, point);
		text_session_json(t, s);
		end_object(t);
		return;
	}
	begin_line(t, s->end_us, point);
	text_put(t, "session ");
	text_session_line(t, s);
	text_end_line(t);
}

int mon_text_snapshot(struct mon_text *t)
{
	if (t->form == MON_TEXT_JSON)
		text_snapshot_json(t);
	else
		text_snapshot_lines(t);
	return mon_text_flush(t);
}
