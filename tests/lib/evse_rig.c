/* SPDX-License-Identifier: MIT */
/* A charge point with scripted neighbours, in virtual time. */
#include "tests/lib/evse_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <forecourt/units.h>

#define GRID_US (100 * (int64_t)FC_US_PER_MS)

static struct rig *rig_of(void *self)
{
	struct rig *r;

	memcpy(&r, self, sizeof(r));
	return r;
}

static int32_t drv_init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
			uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	(void)self, (void)host, (void)kv, (void)n_kv, (void)now_us, (void)err, (void)err_size;
	return 0;
}

static int32_t drv_current(const struct rig_driver *d, int64_t now_us)
{
	int32_t i_mA = d->from_mA - fc_slope_step(d->fall_mA_per_s, now_us - d->from_us);

	return d->fall_mA_per_s && i_mA > d->i_mA ? i_mA : d->i_mA;
}

static void drv_caps(void *self, struct pm_caps *caps)
{
	caps->ramp_mA_per_s = rig_of(self)->driver.fall_mA_per_s;
	caps->flags = PM_CAP_BLEEDER | PM_CAP_OUTPUT_RELAY | PM_CAP_MEASURES_VI | PM_CAP_MEASURES_INSULATION;
	caps->v_max_mV = 1000000;
	caps->i_charge_max_mA = 500000;
	caps->i_discharge_max_mA = 0;
	caps->p_max_W = 500000;
	caps->off_current_mA = 1000;
}

static void drv_set(void *self, int64_t now_us, const struct pm_setpoint *sp)
{
	struct rig *r = rig_of(self);
	struct rig_driver *d = &r->driver;

	if (d->sp.i_max_mA != 0 && sp->i_max_mA == 0)
		d->off_at_us = now_us;
	d->sp = *sp;
	d->n_set++;
	d->is_awake = sp->mode != PM_OFF || sp->is_urgent;
	if (sp->mode == PM_INSULATION_TEST || sp->mode == PM_PRECHARGE || sp->mode == PM_TRANSFER)
		d->v_mV = sp->v_mV;
	d->from_mA = sp->mode == PM_TRANSFER ? drv_current(d, now_us) : 0;
	d->from_us = now_us;
	d->i_mA = sp->mode == PM_TRANSFER ? sp->i_max_mA : 0;
	if (sp->p_max_W > 0)
		d->i_mA = fc_min_i32(d->i_mA, fc_current_at_power_mA(sp->p_max_W, d->v_mV));
	if (sp->is_bleeding)
		d->v_mV = 0;
}

static void drv_status(void *self, int64_t now_us, struct pm_status *st)
{
	struct rig *r = rig_of(self);
	struct rig_driver *d = &r->driver;

	st->v_mV = d->v_mV;
	st->i_mA = d->stuck_mA ? d->stuck_mA : drv_current(d, now_us);
	st->t_vi_us = d->stale_since_us < now_us ? d->stale_since_us : now_us;
	st->avail_v_max_mV = d->avail_mV;
	st->avail_i_max_mA = d->avail_mA;
	st->temp_hot_mdegC = 20000;
	st->temp_inlet_mdegC = 20000;
	st->insulation_ohm = d->insulation_ohm;
	st->insulation_valid = d->sp.mode == PM_INSULATION_TEST;
	st->t_iso_us = now_us;
	st->is_ready = d->is_ready_after_wake && d->is_awake;
	st->is_closed = d->relay_stuck ? 1 : d->sp.is_closed;
	st->faults = st->faults_stop = d->faults_stop;
}

static const struct power_module_ops driver_ops = {
	.init = drv_init,
	.caps = drv_caps,
	.set = drv_set,
	.status = drv_status,
};

static const struct forecourt_plugin driver_record = {.name = "rig"};

/* --- invariants: hold after every event of every test ---------------------------------------------------- */

/* What is commanded never needs more from the supply than is allowed at this moment. */
static void check_grant(const struct rig *r)
{
	const struct rig_driver *d = &r->driver;
	const struct evse_conf *c = &r->conf;
	double supply_A, allowed_A;

	if (c->site == EVSE_SITE_OFF || d->sp.mode < PM_INSULATION_TEST || d->fall_mA_per_s || d->stuck_mA)
		return;
	supply_A = 1e-6 * d->v_mV * d->i_mA * 1000 / c->efficiency_permille / (c->supply_voltage_mV * 1e-3) /
			   (c->supply_phases == 3 ? 1.7320508 : 1.0) +
		   c->no_load_mA * 1e-3;
	allowed_A = 1e-3 * evse_grant_allowed_mA(&r->point.session.site.grant, r->now_us);
	assert_true(d->i_mA == 0 || supply_A <= allowed_A);
	assert_true(d->sp.p_max_W > 0);
}

static void check_invariants(const struct rig *r)
{
	const struct evse_state_row *row = evse_state_row(r->point.session.state);
	const struct pm_setpoint *sp = &r->driver.sp;

	if (r->driver.n_set == 0)
		return;
	assert_true(row->modes & EVSE_MODE_BIT(sp->mode));
	assert_true(row->may_close || !sp->is_closed || r->driver.stuck_mA);
	assert_true(sp->v_mV >= 0 && sp->v_mV <= r->conf.max_voltage_mV);
	assert_true(sp->i_max_mA <= fc_max_i32(r->conf.max_charge_current_mA, 2000));
	assert_true(sp->i_max_mA == 0 || sp->mode >= PM_INSULATION_TEST);
	assert_true(!sp->is_bleeding || sp->mode == PM_STANDBY);
	check_grant(r);
	assert_int_equal(r->point.inner.n_dropped, 0);
	assert_int_equal(r->point.session.guard.n_frames_withheld, 0);
}

static void take_report(struct rig *r, const struct can_frame *f)
{
	struct rig_site *s = &r->site;

	site_layouts[SITE_V1][SITE_POINT_REPORT].unpack(&s->report, f->data);
	if (s->n_report)
		s->gap_min_us = fc_min_i64(s->gap_min_us, r->now_us - s->report_us);
	s->n_report++;
	s->report_us = r->now_us;
}

static void take_site_frame(struct rig *r, const struct can_frame *f)
{
	int msg = site_find(SITE_V1, msg_base_id(f->can_id));

	assert_true(r->conf.site != EVSE_SITE_OFF && msg >= 0);
	assert_int_equal(f->can_dlc, site_layouts[SITE_V1][msg].dlc);
	if (msg == SITE_POINT_REPORT)
		take_report(r, f);
	else if (msg == SITE_POINT_DEMAND)
		site_layouts[SITE_V1][msg].unpack(&r->site.demand, f->data);
	else if (msg == SITE_POINT_SESSION) {
		site_layouts[SITE_V1][msg].unpack(&r->site.session, f->data);
		r->site.n_session++;
	} else {
		assert_int_equal(msg, SITE_POINT_METER);
		site_layouts[SITE_V1][msg].unpack(&r->site.meter, f->data);
	}
}

static void take_frame(struct rig *r, const struct can_frame *f)
{
	int msg = evse_find((enum evse_version)r->conf.protocol, f->can_id & (CAN_EFF_FLAG | 0x00FFFFFF));
	const struct msg_layout *l;

	if (msg < 0) {
		take_site_frame(r, f);
		return;
	}
	l = &evse_layouts[r->conf.protocol][msg];
	assert_int_equal(f->can_dlc, l->dlc);
	assert_int_equal((f->can_id >> MSG_INDEX_SHIFT) & 0x1F, r->point.session.wire.index);
	if (r->n_tx[msg]) {
		int64_t gap_us = r->now_us - r->tx_us[msg];

		r->tx_gap_min_us[msg] = fc_min_i64(r->tx_gap_min_us[msg], gap_us);
		if (gap_us > r->tx_gap_max_us[msg])
			r->tx_gap_max_us[msg] = gap_us;
	}
	r->n_tx[msg]++;
	r->tx_us[msg] = r->now_us;
	r->last[msg] = *f;
	if (msg == EVSE_POWER_MODULES_STATUS)
		l->unpack(&r->status, f->data);
	else if (msg == EVSE_DC_POWER_PARAMETERS)
		l->unpack(&r->parameters, f->data);
	else if (msg == EVSE_SEQUENCE_CONTROL)
		l->unpack(&r->sequence, f->data);
}

static void take_out(struct rig *r)
{
	uint32_t i;

	for (i = 0; i < r->out.n; i++) {
		assert_int_equal(r->out.item[i].kind, OUT_FRAME);
		take_frame(r, &r->out.item[i].u.frame);
	}
	out_queue_clear(&r->out);
	check_invariants(r);
}

void rig_defaults(struct rig *r)
{
	unsigned i;

	memset(r, 0, sizeof(*r));
	opts_defaults(evse_conf_table, evse_conf_n, &r->conf);
	r->index = 1;
	r->conf.charge_duration_ms = 0;
	r->driver.is_ready_after_wake = true;
	r->driver.insulation_ohm = 400000;
	r->driver.stale_since_us = FC_NEVER;
	r->driver.avail_mA = 500000;
	r->driver.avail_mV = 1000000;
	r->driver.off_at_us = FC_NEVER;
	r->now_us = 1000000;
	r->module_next_us = FC_NEVER;
	for (i = 0; i < EVSE_N_MSGS; i++)
		r->tx_gap_min_us[i] = FC_NEVER;
	r->site.gap_min_us = FC_NEVER;
}

void rig_start(struct rig *r)
{
	struct evse_point_setup setup = {
		.conf = &r->conf,
		.index = r->index,
		.driver = &driver_record,
		.ops = &driver_ops,
		.driver_state = &r->driver.rig,
	};
	char err[128];

	r->driver.rig = r;
	assert_int_equal(evse_point_init(&r->point, &setup, r->now_us, err, sizeof(err)), 0);
	out_queue_init(&r->out);
	r->module_next_us = r->now_us + 13000; /* another phase than ours, as in life */
	rig_run_ms(r, 0);
}

void rig_rx(struct rig *r, const struct can_frame *f)
{
	evse_point_rx(&r->point, r->now_us, f, &r->out);
	take_out(r);
}

void rig_send(struct rig *r, enum evse_msg msg, const void *m)
{
	struct can_frame f;

	msg_to_frame(&evse_layouts[r->conf.protocol][msg], m, r->index, &f);
	rig_rx(r, &f);
}

void rig_site_send(struct rig *r, enum site_msg msg, const void *m)
{
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][msg], m, r->index, &f);
	rig_rx(r, &f);
}

void rig_grant(struct rig *r, int32_t charge_mA, unsigned units)
{
	struct rig_site *s = &r->site;
	struct site_grant g = {
		.number = s->report.number, .duration = (uint8_t)units, .charge_current_mA = charge_mA};

	s->revision = s->answered == g.number ? (uint8_t)(s->revision + 1) : 0;
	s->answered = g.number;
	g.revision = s->revision;
	rig_site_send(r, SITE_GRANT, &g);
}

/* The site answers what it heard, if it is to. */
static void answer_report(struct rig *r)
{
	if (r->site.n_report == r->site.n_answered)
		return;
	r->site.n_answered = r->site.n_report;
	if (r->site.is_answering)
		rig_grant(r, r->site.grant_mA, 5);
}

static void module_cycle(struct rig *r)
{
	struct evse_advantics_controller_status st = {.state = r->module_state};
	struct evse_new_charge_session ncs = {.communication_protocol = 2, .plug_and_pins = 1};
	struct evse_emergency_stop stop = {.origin = 1};

	r->module_next_us += GRID_US;
	if (!r->module_alive)
		return;
	rig_send(r, EVSE_ADVANTICS_CONTROLLER_STATUS, &st);
	if (r->sends_new_session)
		rig_send(r, EVSE_NEW_CHARGE_SESSION, &ncs);
	if (r->sends_power)
		rig_send(r, EVSE_DC_POWER_CONTROL, &r->power);
	if (r->sends_emergency)
		rig_send(r, EVSE_EMERGENCY_STOP, &stop);
}

void rig_run_ms(struct rig *r, int64_t ms)
{
	int64_t end_us = r->now_us + ms * FC_US_PER_MS;

	for (;;) {
		int64_t next = fc_min_i64(evse_point_next_us(&r->point), r->module_next_us);

		if (next > end_us)
			break;
		if (next > r->now_us)
			r->now_us = next;
		if (r->module_next_us <= r->now_us)
			module_cycle(r);
		if (evse_point_next_us(&r->point) <= r->now_us) {
			evse_point_tick(&r->point, r->now_us, &r->out);
			take_out(r);
			assert_true(evse_point_next_us(&r->point) > r->now_us);
			answer_report(r);
		}
	}
	r->now_us = end_us;
}

void rig_module_state(struct rig *r, uint8_t state)
{
	struct evse_advantics_controller_status st = {.state = state};

	r->module_alive = true;
	r->module_state = state;
	rig_send(r, EVSE_ADVANTICS_CONTROLLER_STATUS, &st);
}

void rig_power(struct rig *r, uint8_t function, int32_t v_mV, int32_t i_mA, bool is_closed, bool is_lowering)
{
	struct evse_dc_power_control *p = &r->power;

	memset(p, 0, sizeof(*p));
	p->power_function = function;
	p->target_voltage_mV = v_mV;
	p->current_range_max_mA = i_mA;
	p->current_range_min_mA = function == EVSE_FN_POWER_TRANSFER ? i_mA : 0;
	p->setpoints_mode = function == EVSE_FN_PRECHARGE;
	p->output_contactors = is_closed;
	p->lower_output_voltage = is_lowering;
	p->output_bleed = is_lowering; /* the bit of 3.0 */
	r->sends_power = true;
	rig_send(r, EVSE_DC_POWER_CONTROL, p);
}

void rig_finish(struct rig *r)
{
	struct evse_charge_session_finished m = {0};

	rig_send(r, EVSE_CHARGE_SESSION_FINISHED, &m);
}

void rig_to(struct rig *r, enum evse_state state)
{
	struct evse_new_charge_session ncs = {.communication_protocol = 2, .plug_and_pins = 1};

	rig_module_state(r, EVSE_MS_WAITING_FOR_PEV);
	rig_run_ms(r, 300);
	if (state == EVSE_ST_IDLE)
		return;
	rig_module_state(r, EVSE_MS_NEGOTIATING);
	rig_run_ms(r, 300);
	rig_module_state(r, EVSE_MS_CONNECTED);
	rig_send(r, EVSE_NEW_CHARGE_SESSION, &ncs);
	r->sends_new_session = true;
	rig_run_ms(r, 2000);
	rig_module_state(r, EVSE_MS_INSULATION_TEST);
	rig_run_ms(r, 200);
	r->sends_new_session = false;
	if (state == EVSE_ST_SESSION)
		return;
	rig_power(r, EVSE_FN_STANDBY, 0, 0, false, false);
	rig_run_ms(r, 200);
	if (state == EVSE_ST_STANDBY)
		return;
	rig_power(r, EVSE_FN_INSULATION_TEST, 500000, 0, true, false);
	rig_run_ms(r, 1000);
	if (state == EVSE_ST_INSULATION)
		return;
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, true);
	rig_run_ms(r, 500);
	if (state == EVSE_ST_LOWERING)
		return;
	rig_module_state(r, EVSE_MS_PRECHARGE);
	rig_power(r, EVSE_FN_PRECHARGE, RIG_BATTERY_mV, 2000, true, false);
	rig_run_ms(r, 500);
	if (state == EVSE_ST_PRECHARGE)
		return;
	rig_power(r, EVSE_FN_STANDBY, 0, 0, true, false);
	rig_module_state(r, EVSE_MS_WAITING_FOR_CHARGE);
	rig_run_ms(r, 300);
	rig_module_state(r, EVSE_MS_CHARGING);
	rig_power(r, EVSE_FN_POWER_TRANSFER, 400000, 100000, true, false);
	rig_run_ms(r, 1000);
}

enum evse_state rig_state(const struct rig *r)
{
	return r->point.session.state;
}

void rig_start_to(struct rig *r, enum evse_state state)
{
	rig_start(r);
	rig_to(r, state);
	assert_int_equal(rig_state(r), state);
}
