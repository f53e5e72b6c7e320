/* SPDX-License-Identifier: MIT */
/* Operator's requests to the virtual SECC. Pure. */
#include "sim/secc_priv.h"

#include <errno.h>
#include <string.h>

#include "lib/core/ctl.h"

static void put_session(const struct secc *s, struct ctl_answer *a)
{
	ctl_put(a, "session", "%u", (unsigned)s->count.n_sessions);
	ctl_put(a, "ended_by", "%s", secc_cause_name(s->cause));
	ctl_put(a, "emergency", "%s", secc_cause_name(s->emergency));
	ctl_put(a, "v2g_protocol", "%s", v2g_protocol_name(s->v2g.protocol));
	ctl_put(a, "v2g_last", "%s", v2g_msg_name(s->v2g.last));
	ctl_put(a, "session_tag", "0x%04X", (unsigned)s->v2g.tag);
	ctl_put(a, "vehicle_soc_permille", "%d", (int)s->vehicle.soc_permille);
	ctl_put(a, "vehicle_target_mV", "%d", (int)s->vehicle.v_target_mV);
	ctl_put(a, "vehicle_target_mA", "%d", (int)s->vehicle.i_target_mA);
}

static void put_power(const struct secc *s, struct ctl_answer *a)
{
	const struct secc_power *p = &s->power;

	ctl_put(a, "power_function", "%d", (int)p->function);
	ctl_put(a, "target_mV", "%d", (int)p->v_mV);
	ctl_put(a, "target_mA", "%d", (int)p->i_max_mA);
	ctl_put(a, "contactors", "%s", p->is_closed ? "Close" : "Open");
	ctl_put(a, "lowering", "%d", p->is_lowering);
	ctl_put(a, "limit_mV", "%d", (int)secc_limit_voltage_mV(s));
	ctl_put(a, "limit_mA", "%d", (int)secc_limit_current_mA(s, s->pms.present_voltage_mV));
	ctl_put(a, "present_mV", "%d", (int)s->pms.present_voltage_mV);
	ctl_put(a, "present_mA", "%d", (int)s->pms.present_current_mA);
	ctl_put(a, "insulation_ohm", "%d", (int)s->pms.insulation_resistance_ohm);
	ctl_put(a, "system_enable", "%d", s->pms.system_enable);
	ctl_put(a, "good_samples", "%d", (int)s->n_good);
}

static void put_counts(const struct secc *s, struct ctl_answer *a)
{
	ctl_put(a, "rx", "%llu", (unsigned long long)s->count.n_rx);
	ctl_put(a, "rx_dropped", "%llu", (unsigned long long)s->count.n_dropped);
	ctl_put(a, "rx_bus_errors", "%llu", (unsigned long long)s->count.n_bus_errors);
	ctl_put(a, "tx", "%llu", (unsigned long long)s->tx.n_tx);
	ctl_put(a, "tx_injected", "%llu", (unsigned long long)s->tx.n_injected);
	ctl_put(a, "tx_clipped", "%llu", (unsigned long long)s->count.n_clipped);
	ctl_put(a, "emergencies", "%u", (unsigned)s->count.n_emergencies);
}

static int status(const struct secc *s, struct ctl_answer *a)
{
	unsigned i;

	ctl_put(a, "state", "%d", (int)s->state);
	ctl_put(a, "state_name", "%s", secc_state_name(s->state));
	ctl_put(a, "step", "%s", secc_step_name(s->step));
	ctl_put(a, "protocol", "%s", evse_version_names[s->cfg.protocol]);
	ctl_put(a, "index", "%d", (int)s->cfg.index);
	ctl_put(a, "plug", "%s", s->cp != CP_A ? "in" : "out");
	ctl_put(a, "control_pilot", "%s", cp_name(s->pilot_fault ? CP_E_F : s->cp));
	ctl_put(a, "duty_permille", "%d", (int)s->duty_permille);
	ctl_put(a, "locked", "%d", s->is_locked && s->cp != CP_A);
	ctl_put(a, "stop_requested", "%d", s->is_stop_requested);
	put_session(s, a);
	put_power(s, a);
	for (i = 0; i < SECC_N_OUTPUTS; i++) {
		char key[] = "output0";

		key[6] = (char)('1' + i);
		ctl_put(a, key, "%d", s->output[i]);
	}
	put_counts(s, a);
	return 0;
}

static int plug(struct secc *s, int64_t now_us, bool is_in, bool is_forced, struct ctl_answer *a,
		struct out_queue *out)
{
	if (is_in == s->is_mated)
		return ctl_refuse(a, -EBUSY, "the plug is %s already", is_in ? "in" : "out");
	if (!is_in && s->is_locked && s->cp != CP_A && !is_forced)
		return ctl_refuse(
			a, -EBUSY,
			"the vehicle holds the plug locked; \"unplug force\" breaks the connection");
	s->is_mated = is_in;
	secc_wire_pilot_changed(s, now_us, out);
	secc_pilot_update(s, now_us, out);
	return 0;
}

static int emergency(struct secc *s, int64_t now_us, const struct ctl_words *w, struct ctl_answer *a,
		     struct out_queue *out)
{
	if (ctl_word_is(w, 1, "clear")) {
		s->is_interlock = false;
		return 0;
	}
	if (ctl_word_is(w, 1, "pev")) {
		secc_emergency(s, now_us, SECC_CAUSE_VEHICLE_EMERGENCY, SECC_ORIGIN_PEV, out);
		return 0;
	}
	if (w->n > 1 && !ctl_word_is(w, 1, "evse"))
		return ctl_refuse(a, -EINVAL, "emergency [evse|pev|clear]");
	s->is_interlock = true;
	secc_emergency(s, now_us, SECC_CAUSE_INTERLOCK, SECC_ORIGIN_EVSE, out);
	return 0;
}

/* word[i] as milli-units within a range. */
static int milli(const struct ctl_words *w, size_t i, int64_t min, int64_t max, int32_t *value,
		 struct ctl_answer *a)
{
	int64_t v;

	if (i >= w->n || opts_parse_milli(w->word[i], &v) || v < min || v > max)
		return ctl_refuse(a, -EINVAL, "expected a number from %lld to %lld", (long long)(min / 1000),
				  (long long)(max / 1000));
	*value = (int32_t)v;
	return 0;
}

static int input(struct secc *s, const struct ctl_words *w, struct ctl_answer *a)
{
	unsigned i;

	if (w->n != 3 || w->word[1][1] || w->word[1][0] < '1' || w->word[1][0] > '0' + SECC_N_INPUTS ||
	    w->word[2][1] || (w->word[2][0] != '0' && w->word[2][0] != '1'))
		return ctl_refuse(a, -EINVAL, "input 1..%d 0|1", SECC_N_INPUTS);
	i = (unsigned)(w->word[1][0] - '1');
	if (s->input[i] == (w->word[2][0] == '1'))
		return 0;
	s->input[i] = !s->input[i];
	s->is_input_changed = true;
	if (s->input[i] && s->cfg.input[i] >= SECC_IN_STOP)
		secc_request_stop(s, "input");
	return 0;
}

static int temperature(struct secc *s, const struct ctl_words *w, struct ctl_answer *a)
{
	int32_t *sensor = ctl_word_is(w, 1, "ptc1")   ? &s->ptc_mdegC[0]
			  : ctl_word_is(w, 1, "ptc2") ? &s->ptc_mdegC[1]
			  : ctl_word_is(w, 1, "cpu")  ? &s->cpu_mdegC
						      : NULL;

	if (!sensor)
		return ctl_refuse(a, -EINVAL, "temperature ptc1|ptc2|cpu DEGREES (-40: not connected)");
	return milli(w, 2, -40000, 215000, sensor, a);
}

/* "fault code SessionSetup FAILED": the answers of one message carry a code of the tester's choice. */
static int fault_code(struct secc *s, const struct ctl_words *w, struct ctl_answer *a)
{
	unsigned msg, code;

	for (msg = V2G_SESSION_SETUP; msg < V2G_N_MSGS && !ctl_word_is(w, 2, v2g_msg_name((enum v2g_msg)msg));
	     msg++)
		;
	for (code = 0; code < V2G_N_CODES && !ctl_word_is(w, 3, v2g_code_name(code)); code++)
		;
	if (msg == V2G_N_MSGS || code == V2G_N_CODES)
		return ctl_refuse(a, -EINVAL,
				  "fault code MESSAGE CODE, as CurrentDemand FAILED_ContactorError");
	s->faked_answer = (enum v2g_msg)msg;
	s->faked_code = (uint8_t)code;
	return 0;
}

static int fault(struct secc *s, const struct ctl_words *w, struct ctl_answer *a)
{
	int r;

	if (ctl_word_is(w, 1, "isolation")) {
		if (!ctl_word_is(w, 2, "on") && !ctl_word_is(w, 2, "off"))
			return ctl_refuse(a, -EINVAL, "fault isolation on|off");
		s->is_insulation_faked = ctl_word_is(w, 2, "on");
		return 0;
	}
	if (ctl_word_is(w, 1, "code"))
		return fault_code(s, w, a);
	if (ctl_word_is(w, 1, "clear")) {
		s->is_insulation_faked = false;
		s->faked_answer = V2G_NONE;
	}
	r = plug_tx_command(&s->tx, s->layout.evse, EVSE_N_MSGS, w, 1, a);
	if (r == -ENOENT)
		return ctl_refuse(a, r,
				  "fault isolation|code|silence|drop|duplicate|corrupt|dlc|enum|delay|clear");
	return r;
}

static int set(struct secc *s, int64_t now_us, const struct ctl_words *w, struct ctl_answer *a,
	       struct out_queue *out)
{
	struct secc_cfg scratch;
	int r = ctl_set(w, 1, secc_conf_table, secc_conf_n, &s->cfg, &scratch, sizeof(scratch), a);

	if (r)
		return r;
	if (s->state == SECC_CHARGING && s->power.function == SECC_FN_TRANSFER)
		secc_power_transfer(s, now_us, out);
	secc_idle(s, now_us, out);
	return 0;
}

static int ocpp(struct secc *s, int64_t now_us, const struct ctl_words *w, struct ctl_answer *a,
		struct out_queue *out)
{
	int32_t target_mA = 0;
	int r = milli(w, 1, -3276800, 3276700, &target_mA, a);

	if (r)
		return r;
	if (!msg_exists(&s->layout.evse[EVSE_OCPP_CONTROL]))
		return ctl_refuse(a, -EINVAL, "profile %s has no OCPP_Control",
				  evse_version_names[s->cfg.protocol]);
	secc_wire_ocpp(s, now_us, target_mA, out);
	return 0;
}

int secc_command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		 struct out_queue *out)
{
	struct secc *s = self;
	struct ctl_words w;
	struct ctl_answer a;

	ctl_answer_init(&a, answer, size);
	if (ctl_split(line, &w) || w.n == 0)
		return ctl_refuse(&a, -EINVAL, "empty or too long");
	if (ctl_word_is(&w, 0, "status"))
		return status(s, &a);
	if (ctl_word_is(&w, 0, "get"))
		return ctl_get(&w, 1, secc_conf_table, secc_conf_n, &s->cfg, &a);
	if (ctl_word_is(&w, 0, "set"))
		return set(s, now_us, &w, &a, out);
	if (ctl_word_is(&w, 0, "plug") || ctl_word_is(&w, 0, "unplug"))
		return plug(s, now_us, w.word[0][0] == 'p', ctl_word_is(&w, 1, "force"), &a, out);
	if (ctl_word_is(&w, 0, "stop")) {
		if (!secc_state_row(s->state)->is_session)
			return ctl_refuse(&a, -EBUSY, "no session");
		secc_request_stop(s, "command");
		return 0;
	}
	if (ctl_word_is(&w, 0, "emergency"))
		return emergency(s, now_us, &w, &a, out);
	if (ctl_word_is(&w, 0, "input"))
		return input(s, &w, &a);
	if (ctl_word_is(&w, 0, "temperature"))
		return temperature(s, &w, &a);
	if (ctl_word_is(&w, 0, "ocpp"))
		return ocpp(s, now_us, &w, &a, out);
	if (ctl_word_is(&w, 0, "fault"))
		return fault(s, &w, &a);
	return ctl_refuse(
		&a, -ENOENT,
		"status|get|set|plug|unplug|stop|emergency|input|temperature|ocpp|fault, not \"%s\"",
		w.word[0]);
}
