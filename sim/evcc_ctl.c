/* SPDX-License-Identifier: MIT */
/* Operator's requests to the virtual EVCC. Pure. */
#include "sim/evcc_priv.h"

#include <errno.h>
#include <string.h>

#include "lib/core/ctl.h"

static void put_vehicle(const struct evcc *e, struct ctl_answer *a)
{
	ctl_put(a, "soc_permille", "%d", (int)e->battery.state_of_charge_permille);
	ctl_put(a, "battery_mV", "%d", (int)e->dc2.battery_voltage_mV);
	ctl_put(a, "inlet_mV", "%d", (int)e->dc2.inlet_voltage_mV);
	ctl_put(a, "present_mA", "%d", (int)e->dc1.present_current_mA);
	ctl_put(a, "vehicle_request_mA", "%d", (int)e->dc1.max_charge_current_mA);
	ctl_put(a, "contactors_closed", "%d", evcc_is_closed(e));
	ctl_put(a, "hold_off", "%d", e->flags.hv_preparing_hold_off);
}

static void put_charger(const struct evcc *e, struct ctl_answer *a)
{
	ctl_put(a, "v2g_protocol", "%s", v2g_protocol_name(e->v2g.protocol));
	ctl_put(a, "v2g_last", "%s", v2g_msg_name(e->v2g.last));
	ctl_put(a, "session_tag", "0x%04X", (unsigned)e->v2g.tag);
	ctl_put(a, "evse_status", "%s", v2g_status_name(e->v2g.status));
	ctl_put(a, "evse_max_mV", "%d", (int)e->v2g.max_voltage_mV);
	ctl_put(a, "evse_max_mA", "%d", (int)e->v2g.max_current_mA);
	ctl_put(a, "evse_max_W", "%d", (int)e->v2g.max_power_W);
	ctl_put(a, "evse_present_mV", "%d", (int)e->v2g.present_mV);
	ctl_put(a, "evse_present_mA", "%d", (int)e->v2g.present_mA);
}

static void put_diagnostics(const struct evcc *e, struct ctl_answer *a)
{
	const struct msg_layout *l = &pev_layouts[PEV_V2_5][PEV_EVCC_MEVC_DIAGNOSTIC_STATUS];
	const uint8_t *flags = (const uint8_t *)&e->diagnostic;
	unsigned i;

	/* The flags come first in the message and have one bit each. */
	for (i = 0; i < l->n_fields && l->fields[i].length == 1; i++) {
		if (flags[l->fields[i].offset])
			ctl_put(a, "diagnostic", "%s", l->fields[i].signal);
	}
	ctl_put(a, "hlc_code", "%d", e->diagnostic.hlc_response_code);
}

static void put_counts(const struct evcc *e, struct ctl_answer *a)
{
	ctl_put(a, "loops", "%llu", (unsigned long long)e->count.n_loops);
	ctl_put(a, "rx", "%llu", (unsigned long long)e->count.n_rx);
	ctl_put(a, "rx_dropped", "%llu", (unsigned long long)e->count.n_dropped);
	ctl_put(a, "rx_bus_errors", "%llu", (unsigned long long)e->count.n_bus_errors);
	ctl_put(a, "tx", "%llu", (unsigned long long)e->tx.n_tx);
	ctl_put(a, "tx_injected", "%llu", (unsigned long long)e->tx.n_injected);
	ctl_put(a, "tx_clipped", "%llu", (unsigned long long)e->count.n_clipped);
	ctl_put(a, "emergencies", "%u", (unsigned)e->count.n_emergencies);
}

static int status(const struct evcc *e, int64_t now_us, struct ctl_answer *a)
{
	ctl_put(a, "stage", "%d", (int)e->stage);
	ctl_put(a, "stage_name", "%s", evcc_stage_name(e->stage));
	ctl_put(a, "step", "%s", evcc_step_name(e->step));
	ctl_put(a, "protocol", "%s", pev_version_names[e->cfg.protocol]);
	ctl_put(a, "pistol_index", "%d", (int)e->cfg.pistol_index);
	ctl_put(a, "plug", "%s", evcc_is_plugged(e) ? "in" : "out");
	ctl_put(a, "connected", "%d", evcc_is_connected(e, now_us));
	ctl_put(a, "control_pilot", "%s", cp_name(evcc_is_plugged(e) ? e->resistance : CP_A));
	ctl_put(a, "duty_permille", "%d", (int)e->pilot.duty_permille);
	ctl_put(a, "lock", "%s", evcc_lock_name(e->lock));
	ctl_put(a, "contactor_command", "%s", e->is_close_commanded ? "Close" : "Open");
	ctl_put(a, "session", "%u", (unsigned)e->count.n_sessions);
	ctl_put(a, "ended_by", "%s", evcc_cause_name(e->cause));
	ctl_put(a, "emergency", "%d", e->is_emergency);
	ctl_put(a, "target_mV", "%d", (int)e->target_mV);
	ctl_put(a, "target_mA", "%d", (int)e->request_mA);
	put_vehicle(e, a);
	put_charger(e, a);
	put_diagnostics(e, a);
	put_counts(e, a);
	return 0;
}

static int plug(struct evcc *e, int64_t now_us, const struct ctl_words *w, struct ctl_answer *a,
		struct out_queue *out)
{
	bool is_in = ctl_word_is(w, 0, "plug");

	if (is_in == e->is_mated)
		return ctl_refuse(a, -EBUSY, "the plug is %s already", is_in ? "in" : "out");
	if (!is_in && evcc_is_held(e) && !ctl_word_is(w, 1, "force"))
		return ctl_refuse(a, -EBUSY, "the inlet is locked; \"unplug force\" breaks the connection");
	evcc_set_mated(e, now_us, is_in, out);
	return 0;
}

static int set_bool(const struct ctl_words *w, size_t i, bool *value)
{
	if (ctl_word_is(w, i, "1") || ctl_word_is(w, i, "on"))
		*value = true;
	else if (ctl_word_is(w, i, "0") || ctl_word_is(w, i, "off"))
		*value = false;
	else
		return -EINVAL;
	return 0;
}

static int input(struct evcc *e, const struct ctl_words *w, struct ctl_answer *a)
{
	bool *level = ctl_word_is(w, 1, "1")	  ? &e->input[0]
		      : ctl_word_is(w, 1, "2")	  ? &e->input[1]
		      : ctl_word_is(w, 1, "stop") ? &e->is_stop_input
						  : NULL;

	if (!level || set_bool(w, 2, level))
		return ctl_refuse(a, -EINVAL, "input 1|2|stop 0|1");
	e->is_input_changed = true;
	return 0;
}

static int temperature(struct evcc *e, const struct ctl_words *w, struct ctl_answer *a)
{
	static const char *const names[] = {"ptc0", "ptc1", "ptc2", "cpu"};
	int32_t *const sensors[] = {&e->ptc_mdegC[0], &e->ptc_mdegC[1], &e->ptc_mdegC[2], &e->cpu_mdegC};
	int64_t value;
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (!ctl_word_is(w, 1, names[i]) || w->n != 3)
			continue;
		if (opts_parse_milli(w->word[2], &value) || value < -40000 || value > 215000)
			return ctl_refuse(a, -EINVAL, "degrees are -40 (not connected) to 215");
		*sensors[i] = (int32_t)value;
		return 0;
	}
	return ctl_refuse(a, -EINVAL, "temperature ptc0|ptc1|ptc2|cpu DEGREES");
}

static int fault(struct evcc *e, const struct ctl_words *w, struct ctl_answer *a)
{
	int r;

	if (ctl_word_is(w, 1, "lock")) {
		if (set_bool(w, 2, &e->is_lock_faked))
			return ctl_refuse(a, -EINVAL, "fault lock on|off");
		return 0;
	}
	if (ctl_word_is(w, 1, "clear"))
		e->is_lock_faked = false;
	r = plug_tx_command(&e->tx, e->pev, PEV_N_MSGS, w, 1, a);
	if (r == -ENOENT)
		return ctl_refuse(a, r, "fault lock|silence|drop|duplicate|corrupt|dlc|enum|delay|clear");
	return r;
}

static int set(struct evcc *e, const struct ctl_words *w, struct ctl_answer *a)
{
	struct evcc_cfg scratch;
	int r = ctl_set(w, 1, evcc_conf_table, evcc_conf_n, &e->cfg, &scratch, sizeof(scratch), a);

	e->dc1_watch.timeout_us = e->dc2_watch.timeout_us = evcc_ms(e->cfg.can_timeout_ms);
	return r;
}

static int finish(struct evcc *e, int64_t now_us, const struct ctl_words *w, enum evcc_cause cause,
		  struct ctl_answer *a, struct out_queue *out)
{
	if (w->n > 1)
		return ctl_refuse(a, -EINVAL, "%s takes no words", w->word[0]);
	if (!evcc_stage_row(e->stage)->is_session)
		return ctl_refuse(a, -EBUSY, "no session");
	evcc_finish(e, now_us, cause, out);
	return 0;
}

int evcc_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		 struct out_queue *out)
{
	struct evcc *e = self;
	struct ctl_words w;
	struct ctl_answer a;

	ctl_answer_init(&a, answer, size);
	if (ctl_split(line, &w) || w.n == 0)
		return ctl_refuse(&a, -EINVAL, "empty or too long");
	if (ctl_word_is(&w, 0, "status"))
		return status(e, now_us, &a);
	if (ctl_word_is(&w, 0, "get"))
		return ctl_get(&w, 1, evcc_conf_table, evcc_conf_n, &e->cfg, &a);
	if (ctl_word_is(&w, 0, "set"))
		return set(e, &w, &a);
	if (ctl_word_is(&w, 0, "plug") || ctl_word_is(&w, 0, "unplug"))
		return plug(e, now_us, &w, &a, out);
	if (ctl_word_is(&w, 0, "stop"))
		return finish(e, now_us, &w, EVCC_CAUSE_COMMAND, &a, out);
	if (ctl_word_is(&w, 0, "emergency"))
		return finish(e, now_us, &w, EVCC_CAUSE_COMMAND_EMERGENCY, &a, out);
	if (ctl_word_is(&w, 0, "restart")) {
		evcc_restart(e, now_us);
		return 0;
	}
	if (ctl_word_is(&w, 0, "input"))
		return input(e, &w, &a);
	if (ctl_word_is(&w, 0, "temperature"))
		return temperature(e, &w, &a);
	if (ctl_word_is(&w, 0, "fault"))
		return fault(e, &w, &a);
	return ctl_refuse(
		&a, -ENOENT,
		"status|get|set|plug|unplug|stop|emergency|restart|input|temperature|fault, not \"%s\"",
		w.word[0]);
}
