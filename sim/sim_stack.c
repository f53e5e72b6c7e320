/* SPDX-License-Identifier: MIT */
/* The simulated power stack as a power-module driver. Pure. */
#include "sim/sim_stack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <forecourt/units.h>

#include "sim/sim_opts.h"

#define RELAY_DELAY_US (30 * (int64_t)FC_US_PER_MS)
/* A voltage that does not fall for that long while bleeding: a battery is behind it, the bleeder would burn. */
#define BLEED_STUCK_US (5 * (int64_t)FC_US_PER_S)
#define BLEED_STEP_V   2.0
#define BLED_V	       20.0
/* Test and precharge current where the host gives none. */
#define SMALL_CURRENT_A 2.0
/* Below that voltage there was no precharge: the imagined load follows the target instead. */
#define NO_PRECHARGE_V 20.0
#define STIFF_INLET_F  1e-6
#define uWh_PER_J      (1e6 / 3600.0)

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	struct sim_stack *s = self;
	struct phys_source_cfg cfg;
	int r;

	memset(s, 0, sizeof(*s));
	r = sim_opts_init(sim_stack_options, SIM_STACK_N_OPTIONS, &s->conf, kv, n_kv, err, err_size);
	if (r)
		return r;
	s->host = host;
	s->index = host->index;
	cfg = sim_stack_physics_cfg(&s->conf);
	phys_source_init(&s->phys, &cfg, now_us);
	path_watch_reset(&s->watch);
	s->link = PATH_NEVER;
	s->phys.load.is_stiff = true;
	s->mode = PM_OFF;
	s->sp.size = sizeof(s->sp);
	s->ready_us = FC_NEVER;
	s->relay.is_closed = s->relay.is_commanded = !s->conf.has_output_contactors;
	s->relay.due_us = s->relay.force_us = FC_NEVER;
	s->bleed_since_us = FC_NEVER;
	s->comm_lost_us = s->stuck_us = FC_NEVER;
	s->t_vi_us = s->now_us = now_us;
	s->next_tx_us = now_us;
	return 0;
}

static void fini(void *self)
{
	(void)self;
}

/* --- the vehicle's half ------------------------------------------------------------------------------------ */

static void apply_load(struct sim_stack *s, int64_t now_us)
{
	struct phys_load load;

	memset(&load, 0, sizeof(load));
	load.r_ohm = s->phys.load.r_ohm;
	switch (s->link) {
	case PATH_FRESH:
		path_load_apply(&s->load, &load);
		break;
	case PATH_GONE:
		load.c_inlet_F = STIFF_INLET_F;
		load.g_inlet_S = 1e-6;
		break;
	case PATH_NEVER:
		load.is_stiff = true;
		load.is_closed = s->was_stiff_loaded;
		load.c_inlet_F = STIFF_INLET_F;
		load.ocv_V = s->phys.load.ocv_V;
		break;
	}
	phys_source_set_load(&s->phys, now_us, &load);
}

static void watch_vehicle(struct sim_stack *s, int64_t now_us, bool is_new)
{
	enum path_link link = path_watch_state(&s->watch, now_us);
	bool was_stiff_loaded = s->was_stiff_loaded;

	/* A vehicle that vanished is forgotten with the session, so that the next may be one without simulation. */
	if (link == PATH_GONE && s->mode == PM_OFF) {
		path_watch_reset(&s->watch);
		link = PATH_NEVER;
	}
	if (s->mode == PM_TRANSFER)
		s->was_stiff_loaded = true;
	else if (s->mode != PM_STANDBY || s->sp.is_bleeding)
		s->was_stiff_loaded = false;
	if (link != s->link && s->link == PATH_FRESH && link == PATH_GONE)
		s->host->log(s->host->ctx, FORECOURT_LOG_WARNING,
			     "sim stack: vehicle vanished from the power path");
	if (!is_new && link == s->link && (link != PATH_NEVER || was_stiff_loaded == s->was_stiff_loaded))
		return;
	s->link = link;
	apply_load(s, now_us);
}

static uint32_t filters(void *self, uint32_t bus, struct can_filter *f, uint32_t n)
{
	const struct sim_stack *s = self;

	if (bus != 0 || n < 1)
		return 0;
	f->can_id = path_load_id(s->index);
	f->can_mask = CAN_EFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
	return 1;
}

/* --- mode and relay ---------------------------------------------------------------------------------------- */

/* What the set point means now. */
static int32_t find_mode(struct sim_stack *s, int64_t now_us)
{
	if (s->sp.mode != PM_OFF && now_us >= s->sp.valid_until_us) {
		s->n_expired++;
		s->sp.mode = PM_OFF;
		s->sp.is_closed = 0;
		s->sp.is_bleeding = 0;
		s->host->log(s->host->ctx, FORECOURT_LOG_WARNING, "sim stack: set point expired, output off");
	}
	if (s->sp.mode == PM_OFF)
		return PM_OFF;
	if (!sim_stack_is_power(s->sp.mode))
		return PM_STANDBY;
	/* Power only when awake, unfaulted, with closed contacts and a vehicle that is still there. */
	if (now_us < s->ready_us || s->faults_stop || !s->relay.is_closed || !s->sp.is_closed)
		return PM_STANDBY;
	if (s->sp.mode == PM_TRANSFER && s->link == PATH_GONE)
		return PM_STANDBY;
	return s->sp.mode;
}

/* The relay opens without current; when the current does not go away it is forced, with a fault. */
static void move_relay(struct sim_stack *s, int64_t now_us)
{
	struct sim_stack_relay *r = &s->relay;
	bool wanted = s->sp.is_closed != 0;
	bool may_open =
		fc_abs_i32(sim_stack_milli(s->phys.i_A)) < SIM_STACK_OFF_CURRENT_mA || s->sp.is_urgent;

	if (!s->conf.has_output_contactors)
		return;
	if (wanted) {
		r->force_us = FC_NEVER;
	} else if (r->is_commanded && !may_open) {
		if (r->force_us == FC_NEVER)
			r->force_us = now_us + SIM_STACK_OPEN_FORCE_US;
		wanted = now_us < r->force_us;
	}
	if (wanted != r->is_commanded) {
		r->is_commanded = wanted;
		r->due_us = now_us + RELAY_DELAY_US;
	}
	if (now_us < r->due_us)
		return;
	if (!r->is_commanded && (s->injected & SIM_STACK_RELAY_WELDED))
		return;
	r->due_us = FC_NEVER;
	r->is_closed = r->is_commanded;
}

static void watch_bleeding(struct sim_stack *s, int64_t now_us)
{
	if (!s->sp.is_bleeding || s->mode != PM_STANDBY) {
		s->bleed_since_us = FC_NEVER;
		s->has_bleed_failed = false;
		return;
	}
	if (s->bleed_since_us == FC_NEVER || s->phys.v_out_V < s->bleed_mark_V - BLEED_STEP_V) {
		s->bleed_since_us = now_us;
		s->bleed_mark_V = s->phys.v_out_V;
	}
	if (s->phys.v_out_V > BLED_V && now_us - s->bleed_since_us > BLEED_STUCK_US)
		s->has_bleed_failed = true;
}

static void fill_power_order(struct sim_stack *s, struct phys_order *o)
{
	double v = s->sp.v_mV * 1e-3;
	double i = s->sp.i_max_mA * 1e-3;

	o->is_on = true;
	o->v_V = v;
	if (s->mode == PM_TRANSFER) {
		o->i_high_A = i;
		o->i_low_A = s->sp.i_min_mA * 1e-3;
		/* Without a vehicle the voltage stays where precharge left it. */
		if (s->link == PATH_NEVER && s->stiff_hold_V >= NO_PRECHARGE_V && s->stiff_hold_V < v)
			o->v_V = s->stiff_hold_V;
	} else {
		o->i_high_A = i > 0.0 ? i : SMALL_CURRENT_A;
	}
	o->p_W = s->sp.p_max_W;
}

static bool is_same_order(const struct phys_order *a, const struct phys_order *b)
{
	return a->is_on == b->is_on && a->is_urgent == b->is_urgent &&
	       a->is_relay_closed == b->is_relay_closed && a->is_bleeding == b->is_bleeding &&
	       a->v_V == b->v_V && a->i_high_A == b->i_high_A && a->i_low_A == b->i_low_A && a->p_W == b->p_W;
}

static void give_order(struct sim_stack *s, int64_t now_us, int32_t last_mode)
{
	bool is_new_function = s->mode != last_mode && sim_stack_is_power(s->mode);
	struct phys_order o;

	memset(&o, 0, sizeof(o));
	o.is_relay_closed = s->relay.is_closed;
	if (sim_stack_is_deaf(s)) {
		/* The module runs on with what it heard last until its own watchdog ends it. */
		o = s->phys.order;
		o.is_relay_closed = s->relay.is_closed;
		if (now_us - s->comm_lost_us >= SIM_STACK_WATCHDOG_US)
			o.is_on = o.is_bleeding = false;
	} else if (sim_stack_is_power(s->mode)) {
		if (is_new_function && s->mode == PM_TRANSFER)
			s->stiff_hold_V = s->phys.v_out_V;
		fill_power_order(s, &o);
	} else if ((s->injected & SIM_STACK_STUCK_ON) && s->phys.order.is_on) {
		o = s->phys.order;
		o.is_relay_closed = s->relay.is_closed;
	} else {
		o.is_urgent = s->mode == PM_OFF || s->sp.is_urgent || s->faults_stop;
		o.is_bleeding = s->sp.is_bleeding && s->mode == PM_STANDBY && !s->has_bleed_failed &&
				!(s->injected & SIM_STACK_BLEEDER_OPEN);
	}
	if (is_new_function && s->phys.order.is_on && !sim_stack_is_deaf(s)) {
		/* From one function to another the source stops and starts again, with its dead time. */
		struct phys_order pause = s->phys.order;

		pause.is_on = false;
		phys_source_set_order(&s->phys, now_us, &pause);
	}
	if (!is_same_order(&o, &s->phys.order))
		phys_source_set_order(&s->phys, now_us, &o);
}

/* --- measurement and faults -------------------------------------------------------------------------------- */

static void sample(struct sim_stack *s, int64_t now_us)
{
	if (sim_stack_is_deaf(s) || (s->injected & SIM_STACK_FROZEN))
		return;
	s->v_mV = sim_stack_milli(s->phys.v_out_V);
	s->i_mA = sim_stack_milli(s->phys.i_A);
	s->t_vi_us = now_us;
}

/* The monitor runs from the first voltage of a session until off, and knows a value once there was voltage. */
static void watch_insulation(struct sim_stack *s, int64_t now_us)
{
	if (s->mode == PM_OFF) {
		s->is_iso_running = s->is_iso_settled = false;
		return;
	}
	if (sim_stack_is_power(s->mode)) {
		s->is_iso_running = true;
		if (s->phys.v_out_V >= 0.9 * s->sp.v_mV * 1e-3)
			s->is_iso_settled = true;
	}
	if (s->is_iso_running && s->is_iso_settled && !sim_stack_is_deaf(s) &&
	    !(s->injected & SIM_STACK_IMD_SILENT))
		s->t_iso_us = now_us;
}

static int32_t insulation_ohm(const struct sim_stack *s)
{
	int64_t own = s->conf.insulation_ohm;
	int64_t vehicle = (int64_t)s->load.insulation_kohm * 1000;

	if (s->injected & SIM_STACK_ISOLATION)
		return 1000;
	if (s->link != PATH_FRESH || !s->load.is_present || s->load.insulation_kohm >= PATH_INSULATION_OPEN)
		return (int32_t)own;
	return own + vehicle > 0 ? (int32_t)(own * vehicle / (own + vehicle)) : 0;
}

/* Everything that depends on time and inputs, in the order of cause and effect. */
static void update(struct sim_stack *s, int64_t now_us, bool is_clearing)
{
	int32_t last_mode = s->mode;

	if (now_us < s->now_us)
		now_us = s->now_us;
	s->now_us = now_us;
	phys_source_advance(&s->phys, now_us);
	sim_stack_fault_watch(s, now_us, is_clearing);
	s->mode = find_mode(s, now_us);
	if (s->mode == PM_OFF)
		s->ready_us = FC_NEVER;
	watch_vehicle(s, now_us, false);
	move_relay(s, now_us);
	watch_bleeding(s, now_us);
	give_order(s, now_us, last_mode);
	watch_insulation(s, now_us);
	sample(s, now_us);
	if (s->phys.is_moving && s->next_tx_us != FC_NEVER)
		s->next_tx_us = fc_min_i64(s->next_tx_us, now_us + PATH_FAST_US);
}

static void set(void *self, int64_t now_us, const struct pm_setpoint *sp)
{
	struct sim_stack *s = self;
	struct pm_setpoint new;
	bool is_clearing;

	/* A record too short to carry a validity reads as one that expired long ago. */
	memset(&new, 0, sizeof(new));
	memcpy(&new, sp, sp->size < sizeof(new) ? sp->size : sizeof(new));
	update(s, now_us, false);
	if (sim_stack_is_deaf(s))
		return;
	is_clearing = new.clear_fault != s->sp.clear_fault;
	if (new.v_mV < 0)
		new.v_mV = 0;
	if (new.i_min_mA > new.i_max_mA)
		new.i_min_mA = new.i_max_mA;
	s->sp = new;
	if (new.mode != PM_OFF && now_us < new.valid_until_us && s->ready_us == FC_NEVER)
		s->ready_us = now_us + (int64_t)s->conf.wake_up_ms * FC_US_PER_MS;
	update(s, now_us, is_clearing);
}

static void rx(void *self, int64_t now_us, uint32_t bus, const struct can_frame *frame)
{
	struct sim_stack *s = self;
	struct path_load_data data;

	if (bus != 0 || !path_load_read(frame, s->index, &data))
		return;
	path_watch_seen(&s->watch, now_us, data.is_present);
	/* The same battery as before changes nothing, unless it had been silent. */
	if (s->link == PATH_FRESH && path_load_is_same(&data, &s->load))
		return;
	s->load = data;
	watch_vehicle(s, now_us, true);
	if (s->next_tx_us == FC_NEVER)
		s->next_tx_us = now_us;
	update(s, now_us, false);
}

static void send_path(struct sim_stack *s)
{
	struct can_frame f;

	path_source_frame(&s->phys, s->index, &f);
	if (s->host->send(s->host->ctx, 0, &f) != 0)
		s->tx_fail++;
}

static void tick(void *self, int64_t now_us)
{
	struct sim_stack *s = self;

	update(s, now_us, false);
	if (now_us < s->next_tx_us)
		return;
	/* Nothing is told to a bus on which no simulated vehicle speaks. */
	if (s->link != PATH_FRESH) {
		s->next_tx_us = FC_NEVER;
		return;
	}
	if (s->conf.sends_path)
		send_path(s);
	s->next_tx_us += s->phys.is_moving ? PATH_FAST_US : PATH_SLOW_US;
	if (s->next_tx_us <= now_us)
		s->next_tx_us = now_us + PATH_FAST_US;
}

static int64_t earlier_future(int64_t best, int64_t due_us, int64_t now_us)
{
	return due_us > now_us && due_us < best ? due_us : best;
}

static int64_t next_us(void *self)
{
	const struct sim_stack *s = self;
	int64_t next = s->next_tx_us;

	if (s->sp.mode != PM_OFF)
		next = earlier_future(next, s->sp.valid_until_us, s->now_us);
	next = earlier_future(next, s->ready_us, s->now_us);
	next = earlier_future(next, s->relay.due_us, s->now_us);
	return earlier_future(next, s->relay.force_us, s->now_us);
}

/* --- status ------------------------------------------------------------------------------------------------ */

static bool is_off_confirmed(const struct sim_stack *s)
{
	bool is_fresh = !sim_stack_is_deaf(s) && !(s->injected & SIM_STACK_FROZEN);

	return is_fresh && !sim_stack_is_power(s->mode) && !s->phys.order.is_on &&
	       fc_abs_i32(s->i_mA) < SIM_STACK_OFF_CURRENT_mA;
}

static int32_t find_state(const struct sim_stack *s, bool is_confirmed)
{
	if (s->faults_stop)
		return PM_ST_FAULT;
	if (s->mode == PM_OFF)
		return is_confirmed ? PM_ST_STANDBY : PM_ST_OFF_UNCONFIRMED;
	if (s->now_us < s->ready_us)
		return PM_ST_WAKING;
	if (s->mode == PM_STANDBY)
		return is_confirmed ? PM_ST_STANDBY : PM_ST_STOPPING;
	return s->phys.is_moving ? PM_ST_RAMPING : PM_ST_ON;
}

static int32_t find_limit(const struct sim_stack *s)
{
	bool is_hot = s->phys.derate < 1.0;

	if (s->mode != PM_TRANSFER)
		return PM_LIMIT_NONE;
	switch (s->phys.bound) {
	case PHYS_BOUND_VOLTAGE:
		return PM_LIMIT_VOLTAGE;
	case PHYS_BOUND_POWER:
		return is_hot ? PM_LIMIT_HEAT : PM_LIMIT_POWER;
	case PHYS_BOUND_CURRENT:
		if (s->sp.i_max_mA * 1e-3 > s->conf.rated_mA * 1e-3 * s->phys.derate)
			return is_hot ? PM_LIMIT_HEAT : PM_LIMIT_CURRENT;
		break;
	case PHYS_BOUND_NONE:
		break;
	}
	return PM_LIMIT_NONE;
}

static void fill_available(const struct sim_stack *s, struct pm_status *st)
{
	int32_t permille = s->faults_stop ? 0 : (int32_t)(s->phys.derate * 1000.0);

	st->avail_v_max_mV = s->conf.rated_mV;
	st->avail_p_W = fc_permille_of(s->conf.rated_W, permille);
	st->avail_i_max_mA = fc_min_i32(fc_permille_of(s->conf.rated_mA, permille),
					fc_current_at_power_mA(st->avail_p_W, s->v_mV));
	st->avail_i_min_mA = s->conf.is_bidirectional ? -st->avail_i_max_mA : 0;
	st->t_avail_us = s->t_vi_us;
}

static void status(void *self, int64_t now_us, struct pm_status *out)
{
	struct sim_stack *s = self;
	struct pm_status st;
	int32_t off_mV;

	if (now_us > s->now_us)
		update(s, now_us, false);
	memset(&st, 0, sizeof(st));
	st.size = out->size;
	st.v_mV = s->v_mV;
	st.i_mA = s->i_mA;
	st.t_vi_us = s->t_vi_us;
	fill_available(s, &st);
	st.temp_hot_mdegC = sim_stack_milli(s->phys.temp_degC);
	st.temp_inlet_mdegC = s->conf.temperature_mdegC;
	st.insulation_valid = s->is_iso_running && s->is_iso_settled && s->t_iso_us == s->now_us;
	st.insulation_ohm = st.insulation_valid ? insulation_ohm(s) : 0;
	st.t_iso_us = s->t_iso_us;
	st.is_off_confirmed = is_off_confirmed(s);
	st.is_ready = s->mode != PM_OFF && s->now_us >= s->ready_us && !s->faults_stop &&
		      !(s->injected & SIM_STACK_NOT_READY);
	off_mV = fc_abs_i32(s->v_mV - s->sp.v_mV);
	st.is_v_reached = sim_stack_is_power(s->mode) && off_mV <= fc_max_i32(5000, s->sp.v_mV / 50);
	st.is_closed = s->relay.is_closed;
	st.state = find_state(s, st.is_off_confirmed);
	st.limit_by = find_limit(s);
	st.faults = s->faults;
	st.faults_stop = s->faults_stop;
	st.faults_latched = s->faults_latched;
	st.demand_mains_cut = s->demand_mains_cut;
	st.n_expected = 1;
	st.n_online = st.n_expected - (uint16_t)sim_stack_is_deaf(s);
	st.n_silent = (uint16_t)sim_stack_is_deaf(s);
	st.n_on = s->phys.order.is_on;
	st.n_derated = s->phys.derate < 1.0;
	st.n_faulted = s->faults_stop != 0;
	st.seq_done = s->sp.seq;
	st.vendor_code = s->injected;
	st.rx_age_us = sim_stack_is_deaf(s) ? s->now_us - s->comm_lost_us : 0;
	st.tx_fail = s->tx_fail;
	memcpy(out, &st, out->size < sizeof(st) ? out->size : sizeof(st));
}

static int32_t module(void *self, uint32_t i, struct pm_module *out)
{
	const struct sim_stack *s = self;
	struct pm_module m;

	if (i > 0)
		return -ENOENT;
	memset(&m, 0, sizeof(m));
	m.size = out->size;
	m.address = 1;
	m.state = find_state(s, is_off_confirmed(s));
	m.v_mV = s->v_mV;
	m.i_mA = s->i_mA;
	m.avail_i_mA = sim_stack_milli(s->conf.rated_mA * 1e-3 * s->phys.derate);
	m.temp_mdegC = sim_stack_milli(s->phys.temp_degC);
	m.faults = s->faults;
	m.rx_age_us = sim_stack_is_deaf(s) ? s->now_us - s->comm_lost_us : 0;
	snprintf(m.serial, sizeof(m.serial), "SIM-%u", s->index);
	memcpy(out, &m, out->size < sizeof(m) ? out->size : sizeof(m));
	return 0;
}

static int32_t live(void *self, int64_t now_us, const char *key, const char *value, char *answer,
		    uint32_t answer_size)
{
	struct sim_stack *s = self;
	struct phys_source_cfg cfg;
	int r;

	if (answer_size > 0)
		answer[0] = '\0';
	update(s, now_us, false);
	if (strcmp(key, "fault") == 0) {
		r = sim_stack_fault_live(s, value, answer, answer_size);
	} else {
		r = sim_opts_live(sim_stack_options, SIM_STACK_N_OPTIONS, &s->conf, key, value, answer,
				  answer_size);
		cfg = sim_stack_physics_cfg(&s->conf);
		if (r == 0 && value)
			phys_source_configure(&s->phys, now_us, &cfg);
	}
	if (value)
		update(s, now_us, false);
	return r;
}

const struct phys_source *sim_stack_physics(const void *self)
{
	const struct sim_stack *s = self;

	return &s->phys;
}

int64_t sim_stack_energy_uWh(const void *self)
{
	return (int64_t)(sim_stack_physics(self)->out_J * uWh_PER_J);
}

int64_t sim_stack_cable_loss_uWh(const void *self)
{
	return (int64_t)(sim_stack_physics(self)->cable_J * uWh_PER_J);
}

static const struct power_module_ops ops = {
	.init = init,
	.fini = fini,
	.caps = sim_stack_caps,
	.set = set,
	.status = status,
	.rx = rx,
	.tick = tick,
	.next_us = next_us,
	.filters = filters,
	.module = module,
	.live = live,
};

const struct forecourt_plugin sim_stack_plugin = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_POWER_MODULE,
	.name = "sim",
	.version = "1",
	.ops = &ops,
	.ops_size = sizeof(ops),
	.state_size = sizeof(struct sim_stack),
	.options = &sim_stack_options[0].pub,
	.n_options = SIM_STACK_N_OPTIONS,
	.option_stride = sizeof(sim_stack_options[0]),
};
