/* SPDX-License-Identifier: MIT */
/* Requests of the control socket to the vehicle controller. Pure. */
#include "pev-ctrl/pev_ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/core/ctl.h"

#define NAME_MAX_LEN 512

struct request {
	struct pev_point *p;
	int64_t now_us;
	const struct ctl_words *w;
	struct ctl_answer *a;
	struct out_queue *out;
};

/* ------------------------------------------------------------------------------------------------- status */

/* A number with the name the profile gives it: "7 Charging", or the number alone (rule P-07). */
static void put_named(struct ctl_answer *a, const char *key, const struct pev_wire *w, const char *member,
		      int64_t number)
{
	const char *name = pev_wire_name(w, member, number);

	if (name && name[0])
		ctl_put(a, key, "%" PRId64 " %s", number, name);
	else
		ctl_put(a, key, "%" PRId64, number);
}

static void put_age(struct ctl_answer *a, const char *key, int64_t age_us)
{
	if (age_us == FC_NEVER)
		ctl_put(a, key, "never");
	else
		ctl_put(a, key, "%" PRId64, age_us / FC_US_PER_MS);
}

static void put_faults(struct ctl_answer *a, const char *key, uint32_t bits)
{
	char text[NAME_MAX_LEN];
	size_t n = 0;
	unsigned i;

	text[0] = '\0';
	for (i = 1; i < PEV_N_FAULTS; i++) {
		const char *name = pev_fault_row((enum pev_fault)i)->name;
		size_t len = strlen(name);

		if (!(bits & UINT32_C(1) << i) || n + len + 2 > sizeof(text))
			continue;
		if (n > 0)
			text[n++] = ',';
		memcpy(text + n, name, len + 1);
		n += len;
	}
	ctl_put(a, key, "%s", n ? text : "none");
}

static void put_module(const struct request *r)
{
	const struct pev_session *s = &r->p->session;
	const struct pev_module *m = &s->wire.module;

	if (s->stage == PEV_STAGE_NONE) {
		ctl_put(r->a, "stage", "none");
	} else {
		put_named(r->a, "stage", &s->wire, "communication_stage", s->stage);
		put_named(r->a, "charging_protocol", &s->wire, "protocol", m->information.protocol);
		put_named(r->a, "pins", &s->wire, "pins", m->information.pins);
		ctl_put(r->a, "evse_max_current_mA", "%d", m->information.max_current_mA);
	}
	ctl_put(r->a, "close_contactors", "%d", m->dc_control.close_contactors);
	ctl_put(r->a, "is_armed", "%d", s->is_armed);
	put_age(r->a, "evse_information_age_ms", rx_watch_age_us(&s->information, r->now_us));
	put_age(r->a, "dc_control_age_ms", rx_watch_age_us(&s->control, r->now_us));
	ctl_put(r->a, "hlc_response_code", "%u", m->diagnostic.hlc_response_code);
	ctl_put(r->a, "evse_status_code", "%u", m->diagnostic.evse_status_code);
	ctl_put(r->a, "inlet_lock_state", "%u", m->ccs.inlet_lock_state);
}

static void put_vehicle(const struct request *r)
{
	const struct pev_session *s = &r->p->session;

	ctl_put(r->a, "contactors", "%s", pev_contactors_name(s->contactors.state));
	ctl_put(r->a, "contactor_feedback", "%d", pev_session_feedback(s, r->now_us));
	ctl_put(r->a, "hold_off", "%d", pev_send_is_held_off(s, r->now_us));
	ctl_put(r->a, "battery_voltage_mV", "%d", s->hw.battery_mV);
	ctl_put(r->a, "inlet_voltage_mV", "%d", s->hw.inlet_mV);
	ctl_put(r->a, "current_mA", "%d", s->hw.current_mA);
	put_age(r->a, "readings_age_ms",
		s->has_hw && s->hw.t_vi_us <= r->now_us ? r->now_us - s->hw.t_vi_us : FC_NEVER);
	put_age(r->a, "bms_age_ms",
		s->has_hw && s->hw.t_bms_us <= r->now_us ? r->now_us - s->hw.t_bms_us : FC_NEVER);
	ctl_put(r->a, "soc_permille", "%d", s->hw.soc_permille);
	ctl_put(r->a, "request_mA", "%d", s->request.current_mA);
	ctl_put(r->a, "limited_by", "%s", pev_limit_name(s->request.by));
	ctl_put(r->a, "hardware_faults", "0x%x", s->hw.faults);
}

static int do_status(const struct request *r)
{
	const struct pev_session *s = &r->p->session;
	const struct pev_counters *c = &s->wire.count;

	ctl_put(r->a, "protocol", "%s", pev_wire_version_name(s->conf.protocol));
	ctl_put(r->a, "state", "%s", pev_state_row(s->state)->name);
	ctl_put(r->a, "state_age_ms", "%" PRId64, (r->now_us - s->since_us) / FC_US_PER_MS);
	put_module(r);
	put_vehicle(r);
	put_faults(r->a, "faults_present", s->faults.present);
	put_faults(r->a, "faults_latched", s->faults.latched);
	put_faults(r->a, "blocked_by", s->held);
	ctl_put(r->a, "needs_new_session", "%d", s->is_void);
	ctl_put(r->a, "sessions", "%u", s->record.n_sessions);
	ctl_put(r->a, "energy_Wh", "%" PRId64, s->record.energy_mJ / 3600000);
	ctl_put(r->a, "peak_mA", "%d", s->record.peak_mA);
	ctl_put(r->a, "rx_accepted", "%u", c->n_accepted);
	ctl_put(r->a, "rx_dropped", "%u", c->n_foreign + c->n_kind + c->n_short);
	ctl_put(r->a, "rx_unknown_numbers", "%u", c->n_unknown);
	ctl_put(r->a, "bus_errors", "%u", c->n_errors);
	ctl_put(r->a, "tx_clipped", "%u", c->n_clipped + s->guard.n_clipped);
	ctl_put(r->a, "tx_masked", "%u", s->guard.n_masked);
	ctl_put(r->a, "tx_withheld", "%u", s->guard.n_withheld + s->guard.n_frames_withheld);
	return 0;
}

static int do_faults(const struct request *r)
{
	const struct pev_session *s = &r->p->session;
	unsigned i;

	for (i = 1; i < PEV_N_FAULTS; i++) {
		uint32_t bit = UINT32_C(1) << i;

		if (s->faults.latched & bit)
			ctl_put(r->a, pev_fault_row((enum pev_fault)i)->name, "%u%s%s", i,
				s->faults.present & bit ? " present" : "", s->held & bit ? " blocks" : "");
	}
	return 0;
}

/* ----------------------------------------------------------------------------------------------- settings */

static bool is_own(const char *key)
{
	return opts_find(pev_conf_table, pev_conf_n, key) >= 0;
}

static int driver_live(const struct request *r, const char *key, const char *value)
{
	char text[NAME_MAX_LEN] = "";
	int ret;

	if (!r->p->ops->live)
		return ctl_refuse(r->a, -ENOENT, "%s: no such key", key);
	ret = r->p->ops->live(r->p->driver_state, r->now_us, key, value, text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	if (ret == -ENOENT)
		return ctl_refuse(r->a, ret, "%s: no such key", key);
	if (ret)
		return ctl_refuse(r->a, ret, "%s: %s", key, text[0] ? text : "not accepted");
	if (!value)
		ctl_put(r->a, key, "%s", text);
	return 0;
}

static void get_all_of_driver(const struct request *r)
{
	const struct forecourt_plugin *d = r->p->driver;
	char text[NAME_MAX_LEN];
	uint32_t i;

	for (i = 0; d && r->p->ops->live && i < d->n_options; i++) {
		const struct forecourt_option *o =
			(const void *)((const uint8_t *)d->options + (size_t)i * d->option_stride);

		text[0] = '\0';
		if (r->p->ops->live(r->p->driver_state, r->now_us, o->name, NULL, text, sizeof(text)) == 0)
			ctl_put(r->a, o->name, "%s", text);
	}
}

static int do_get(const struct request *r)
{
	const struct pev_conf *conf = &r->p->session.conf;
	size_t i;
	int ret;

	if (r->w->n == 1) {
		ret = ctl_get(r->w, 1, pev_conf_table, pev_conf_n, conf, r->a);
		get_all_of_driver(r);
		return ret;
	}
	for (i = 1; i < r->w->n; i++) {
		int at = opts_find(pev_conf_table, pev_conf_n, r->w->word[i]);

		if (at >= 0)
			ctl_put_option(r->a, "", &pev_conf_table[at], conf);
		else if ((ret = driver_live(r, r->w->word[i], NULL)) != 0)
			return ret;
	}
	return 0;
}

static int set_own(const struct request *r)
{
	struct pev_conf *conf = &r->p->session.conf;
	struct pev_conf before = *conf, scratch;
	char err[NAME_MAX_LEN];
	int ret = ctl_set(r->w, 1, pev_conf_table, pev_conf_n, conf, &scratch, sizeof(scratch), r->a);

	if (ret)
		return ret;
	ret = pev_conf_check(conf, err, sizeof(err));
	if (ret) {
		*conf = before;
		return ctl_refuse(r->a, ret, "%s", err);
	}
	pev_session_reconfigured(&r->p->session, r->now_us, r->out);
	return 0;
}

static int do_set(const struct request *r)
{
	size_t i, n_own = 0, n_pairs = (r->w->n - 1) / 2;
	int ret = 0;

	if (r->w->n < 3 || r->w->n % 2 == 0)
		return ctl_refuse(r->a, -EINVAL, "set KEY VALUE [KEY VALUE...]");
	for (i = 1; i < r->w->n; i += 2)
		n_own += is_own(r->w->word[i]);
	if (n_own == n_pairs)
		return set_own(r);
	if (n_own > 0)
		return ctl_refuse(r->a, -EINVAL,
				  "keys of the controller and of the driver: one kind at a time");
	for (i = 1; i < r->w->n && !ret; i += 2)
		ret = driver_live(r, r->w->word[i], r->w->word[i + 1]);
	return ret;
}

/* --------------------------------------------------------------------------------------------------- words */

static int refuse_state(const struct request *r, int ret)
{
	if (ret == -ENOTSUP)
		return ctl_refuse(r->a, ret, "not in protocol %s",
				  pev_wire_version_name(r->p->session.conf.protocol));
	if (ret)
		return ctl_refuse(r->a, ret, "not in state %s", pev_state_row(r->p->session.state)->name);
	return 0;
}

static int do_stop(const struct request *r)
{
	return refuse_state(r, pev_session_request_end(&r->p->session, r->now_us, r->out));
}

static int do_emergency(const struct request *r)
{
	return refuse_state(r, pev_session_request_emergency(&r->p->session, r->now_us, r->out));
}

static int do_pause(const struct request *r)
{
	return refuse_state(r, pev_session_request_pause(&r->p->session, r->now_us, r->out));
}

static int do_resume(const struct request *r)
{
	return refuse_state(r, pev_session_request_resume(&r->p->session, r->now_us, r->out));
}

static int do_clear_fault(const struct request *r)
{
	if (pev_session_clear_faults(&r->p->session, r->now_us, r->out) == 0)
		return 0;
	return ctl_refuse(r->a, -EBUSY, "faults are still present: 0x%x", r->p->session.faults.present);
}

static int do_help(const struct request *r);

static const struct word {
	const char *name;
	int (*run)(const struct request *r);
	bool has_arguments;
	const char *help;
} words[] = {
	{"status", do_status, false, "state, module, vehicle, faults, counters"},
	{"faults", do_faults, false, "latched faults with their numbers"},
	{"get", do_get, true, "[KEY...] settings"},
	{"set", do_set, true, "KEY VALUE [KEY VALUE...]"},
	{"stop", do_stop, false, "normal end of the session"},
	{"emergency", do_emergency, false, "contactors open at once; until clear-fault"},
	{"pause", do_pause, false, "pause while charging (protocol 2.4 and later)"},
	{"resume", do_resume, false, "resume after a pause"},
	{"clear-fault", do_clear_fault, false, "forget faults whose condition is gone"},
	{"help", do_help, false, "this list"},
};

#define N_WORDS (sizeof(words) / sizeof(words[0]))

static int do_help(const struct request *r)
{
	size_t i;

	for (i = 0; i < N_WORDS; i++)
		ctl_put(r->a, words[i].name, "%s", words[i].help);
	return 0;
}

int pev_ctl_command(struct pev_point *p, int64_t now_us, const char *line, char *answer, size_t size,
		    struct out_queue *out)
{
	struct ctl_answer a;
	struct ctl_words w;
	struct request r = {p, now_us, &w, &a, out};
	size_t i;

	ctl_answer_init(&a, answer, size);
	if (ctl_split(line, &w) || w.n == 0)
		return ctl_refuse(&a, -EINVAL, "no or too long a request");
	for (i = 0; i < N_WORDS; i++) {
		if (!ctl_word_is(&w, 0, words[i].name))
			continue;
		if (w.n > 1 && !words[i].has_arguments)
			return ctl_refuse(&a, -EINVAL, "%s takes no arguments", words[i].name);
		return words[i].run(&r);
	}
	return ctl_refuse(&a, -ENOENT, "%s: no such request; try help", w.word[0]);
}
