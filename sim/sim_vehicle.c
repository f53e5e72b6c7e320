/* SPDX-License-Identifier: MIT */
/* The simulated vehicle as a driver of the vehicle's hardware. Pure. */
#include "sim/sim_vehicle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Opening waits that long for the current to go away unless it is urgent. */
#define OPEN_FORCE_US (2 * (int64_t)FC_US_PER_S)
/* The imagined charger's current: rise and fall while charging, fall at the end. */
#define OWN_RAMP_Aps 20.0
#define OWN_STOP_Aps 200.0
/* Heat of the battery at full current, and how fast it follows. */
#define HEAT_K	       10.0
#define HEAT_s	       600.0
#define OVER_HEAT_degC 65.0
#define FULL_SOC       0.999
#define uWh_PER_J      (1e6 / 3600.0)

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	struct sim_vehicle *s = self;
	struct phys_battery_cfg cfg;
	int r;

	memset(s, 0, sizeof(*s));
	r = sim_opts_init(sim_vehicle_options, SIM_VEHICLE_N_OPTIONS, &s->conf, kv, n_kv, err, err_size);
	if (r)
		return r;
	r = sim_vehicle_battery_cfg(&s->conf, &cfg, err, err_size);
	if (r)
		return r;
	s->host = host;
	phys_battery_init(&s->battery, &cfg, s->conf.soc_permille_x100 * 1e-5);
	phys_contactor_init(&s->contactor, (int64_t)s->conf.contactors_delay_ms * FC_US_PER_MS);
	path_watch_reset(&s->watch);
	s->link = PATH_NEVER;
	s->phase = VH_PHASE_IDLE;
	s->session_us = s->force_open_us = FC_NEVER;
	s->temp_degC = s->conf.temperature_mdegC * 1e-3;
	s->phase_us = s->t_vi_us = s->t_bms_us = s->now_us = s->next_tx_us = now_us;
	s->battery_mV = sim_vehicle_milli(s->battery.ocv_V);
	return 0;
}

static void fini(void *self)
{
	(void)self;
}

/* --- power path -------------------------------------------------------------------------------------------- */

/* Current into the battery now. */
static double battery_current_A(const struct sim_vehicle *s)
{
	if (!s->contactor.is_closed)
		return 0.0;
	switch (s->link) {
	case PATH_FRESH:
		return s->source.current_A;
	case PATH_NEVER:
		return s->own_i_A;
	case PATH_GONE:
		break;
	}
	return 0.0;
}

static double inlet_V(const struct sim_vehicle *s)
{
	if (s->contactor.is_closed)
		return phys_battery_terminal_V(&s->battery, battery_current_A(s));
	switch (s->link) {
	case PATH_FRESH:
		return s->source.inlet_V;
	case PATH_NEVER:
		return s->own_inlet_V;
	case PATH_GONE:
		break;
	}
	return 0.0;
}

static double approach(double value, double goal, double step)
{
	if (value < goal)
		return value + step < goal ? value + step : goal;
	return value - step > goal ? value - step : goal;
}

/* A charger of our own where nobody plays one: only what the vehicle would see of it. */
static void imagine_charger(struct sim_vehicle *s, int64_t now_us, double dt_s)
{
	double slope = s->conf.charger_voltage_up_mVps * 1e-3;
	int64_t start_us = s->phase_us + (int64_t)s->conf.charger_dead_time_ms * FC_US_PER_MS;
	double goal = 0.0, last = s->own_i_A;

	if (s->contactor.is_closed) {
		s->own_inlet_V = 0.0;
		if (s->phase == VH_PHASE_TRANSFER && now_us >= start_us)
			goal = s->cmd.i_request_mA * 1e-3;
		s->own_i_A = approach(last, goal,
				      dt_s * (s->phase == VH_PHASE_TRANSFER ? OWN_RAMP_Aps : OWN_STOP_Aps));
		if (s->own_i_A != 0.0 || last != 0.0)
			phys_battery_charge(&s->battery, (last + s->own_i_A) * 0.5 * dt_s, s->own_i_A);
		return;
	}
	s->own_i_A = 0.0;
	if (s->phase != VH_PHASE_PRECHARGE) {
		s->own_inlet_V = 0.0;
	} else if (now_us > start_us) {
		double rising_s = (double)(now_us - start_us) * 1e-6;

		s->own_inlet_V = approach(s->own_inlet_V, s->battery.ocv_V,
					  slope * (rising_s < dt_s ? rising_s : dt_s));
	}
}

static void watch_charger(struct sim_vehicle *s, int64_t now_us)
{
	enum path_link link = path_watch_state(&s->watch, now_us);

	/* A charger that vanished is forgotten with the session. */
	if (link == PATH_GONE && s->phase == VH_PHASE_IDLE) {
		path_watch_reset(&s->watch);
		link = PATH_NEVER;
	}
	if (link == PATH_GONE && s->link == PATH_FRESH)
		s->host->log(s->host->ctx, FORECOURT_LOG_WARNING,
			     "sim vehicle: charger vanished from the power path");
	s->link = link;
}

static void rx(void *self, int64_t now_us, uint32_t bus, const struct can_frame *frame)
{
	struct sim_vehicle *s = self;
	double charge;

	if (bus != 0 || !path_source_read(frame, (unsigned)s->conf.pistol_index, &s->source))
		return;
	path_watch_seen(&s->watch, now_us, s->phase != VH_PHASE_IDLE);
	if (s->link != PATH_FRESH)
		watch_charger(s, now_us);
	charge = path_meter_charge_As(&s->meter, now_us, s->source.counter);
	/*
	 * The charger counts only what went into the battery. So all of it is booked, also what it counted
	 * before it could hear that our contactors opened.
	 */
	if (charge != 0.0 || s->battery.i_last_A != 0.0)
		phys_battery_charge(&s->battery, charge, battery_current_A(s));
}

static uint32_t filters(void *self, uint32_t bus, struct can_filter *f, uint32_t n)
{
	const struct sim_vehicle *s = self;

	if (bus != 0 || n < 1)
		return 0;
	f->can_id = path_source_id((unsigned)s->conf.pistol_index);
	f->can_mask = CAN_EFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
	return 1;
}

static void send_path(struct sim_vehicle *s)
{
	struct path_load_data load;
	struct can_frame f;

	load.is_present = s->phase != VH_PHASE_IDLE;
	load.is_closed = s->contactor.is_closed;
	load.ocv_V = s->battery.ocv_V;
	load.r_ohm = s->battery.cfg.r_ohm;
	load.c_inlet_F = s->conf.inlet_uF * 1e-6;
	load.insulation_kohm = s->injected & SIM_VEHICLE_INSULATION ? 1 : s->conf.insulation_kohm;
	path_load_frame(&load, (unsigned)s->conf.pistol_index, &f);
	if (s->host->send(s->host->ctx, 0, &f) != 0)
		s->tx_fail++;
}

/* --- contactors and session -------------------------------------------------------------------------------- */

static void expire(struct sim_vehicle *s, int64_t now_us)
{
	if (!s->cmd.is_closed || now_us < s->cmd.valid_until_us)
		return;
	s->n_expired++;
	s->cmd.is_closed = 0;
	s->cmd.is_urgent = 1;
	s->host->log(s->host->ctx, FORECOURT_LOG_WARNING, "sim vehicle: command expired, contactors open");
}

static void move_contactors(struct sim_vehicle *s, int64_t now_us)
{
	struct phys_contactor *k = &s->contactor;
	double i = battery_current_A(s);
	bool may_open = s->cmd.is_urgent || fc_abs_i32(sim_vehicle_milli(i)) < SIM_VEHICLE_OPEN_LIMIT_mA;
	bool wanted = s->cmd.is_closed != 0;

	if (wanted) {
		s->force_open_us = FC_NEVER;
	} else if (k->is_commanded && !may_open) {
		if (s->force_open_us == FC_NEVER)
			s->force_open_us = now_us + OPEN_FORCE_US;
		wanted = now_us < s->force_open_us;
	}
	k->is_welded = s->injected & SIM_VEHICLE_WELDED;
	k->is_blocked = s->injected & SIM_VEHICLE_NOT_CLOSING;
	phys_contactor_command(k, now_us, wanted);
	if (phys_contactor_advance(k, now_us, i, s->battery.ocv_V - inlet_V(s))) {
		s->battery.i_last_A = 0.0;
		s->next_tx_us = now_us;
	}
}

static void enter_phase(struct sim_vehicle *s, int64_t now_us, int32_t phase)
{
	bool was_idle = s->phase == VH_PHASE_IDLE;

	if (phase == s->phase)
		return;
	s->phase = phase;
	s->phase_us = now_us;
	s->wants_stop = false;
	if (was_idle == (phase == VH_PHASE_IDLE))
		return;
	s->session_us = was_idle ? now_us : FC_NEVER;
	s->next_tx_us = now_us;
	if (!was_idle && s->conf.restores_soc)
		phys_battery_set_soc(&s->battery, s->conf.soc_permille_x100 * 1e-5);
	/* Plugged in or out: what is known of the charger now counts for the new state. */
	s->watch.was_present = was_idle && s->link == PATH_FRESH;
}

/* A host built before the phase existed hands a shorter command. */
static int32_t find_phase(const struct vh_command *cmd)
{
	if (cmd->size >= offsetof(struct vh_command, phase) + sizeof(cmd->phase))
		return cmd->phase < VH_PHASE_IDLE || cmd->phase > VH_PHASE_ENDING ? VH_PHASE_CONNECTED
										  : cmd->phase;
	if (!cmd->is_in_session)
		return VH_PHASE_IDLE;
	return cmd->is_closed ? VH_PHASE_TRANSFER : VH_PHASE_CONNECTED;
}

/* --- time -------------------------------------------------------------------------------------------------- */

static void run_bms(struct sim_vehicle *s, int64_t now_us, double dt_s)
{
	double part =
		s->battery.cfg.i_charge_A > 0.0 ? battery_current_A(s) / s->battery.cfg.i_charge_A : 0.0;
	double goal = s->conf.temperature_mdegC * 1e-3 + HEAT_K * part * part;

	if (s->injected & SIM_VEHICLE_OVER_TEMP)
		goal = s->temp_degC = OVER_HEAT_degC;
	s->temp_degC += (goal - s->temp_degC) * (dt_s < HEAT_s ? dt_s / HEAT_s : 1.0);
	if (s->injected & SIM_VEHICLE_BMS_SILENT)
		return;
	s->t_bms_us = now_us;
	if (s->conf.stops_when_full && s->phase == VH_PHASE_TRANSFER && s->contactor.is_closed &&
	    (s->battery.soc >= FULL_SOC ||
	     phys_battery_charge_limit_A(&s->battery) <
		     fc_min_i32(s->conf.full_current_mA, s->conf.charge_max_mA) * 1e-3))
		s->wants_stop = true;
}

static void sample(struct sim_vehicle *s, int64_t now_us)
{
	double i = battery_current_A(s);

	if (s->injected & SIM_VEHICLE_FROZEN)
		return;
	s->battery_mV = sim_vehicle_milli(phys_battery_terminal_V(&s->battery, i));
	s->inlet_mV = sim_vehicle_milli(inlet_V(s));
	s->i_mA = sim_vehicle_milli(i);
	s->t_vi_us = now_us;
}

static void update(struct sim_vehicle *s, int64_t now_us, bool is_clearing)
{
	double dt_s;

	if (now_us < s->now_us)
		now_us = s->now_us;
	dt_s = (double)(now_us - s->now_us) * 1e-6;
	s->now_us = now_us;
	expire(s, now_us);
	watch_charger(s, now_us);
	if (s->link == PATH_NEVER && dt_s > 0.0)
		imagine_charger(s, now_us, dt_s);
	move_contactors(s, now_us);
	run_bms(s, now_us, dt_s);
	sample(s, now_us);
	sim_vehicle_fault_watch(s, now_us, is_clearing);
}

static void set(void *self, int64_t now_us, const struct vh_command *cmd)
{
	struct sim_vehicle *s = self;
	struct vh_command new;
	bool is_clearing;

	/* Too old to carry a validity: it could never expire, so it is not obeyed. */
	if (cmd->size < offsetof(struct vh_command, phase))
		return;
	memset(&new, 0, sizeof(new));
	memcpy(&new, cmd, cmd->size < sizeof(new) ? cmd->size : sizeof(new));
	if (now_us > s->now_us)
		update(s, now_us, false);
	is_clearing = new.clear_fault != s->cmd.clear_fault;
	s->cmd = new;
	enter_phase(s, now_us, find_phase(&new));
	update(s, now_us, is_clearing);
}

static void tick(void *self, int64_t now_us)
{
	struct sim_vehicle *s = self;

	update(s, now_us, false);
	if (now_us < s->next_tx_us)
		return;
	if (s->conf.sends_path)
		send_path(s);
	/* Unplugged: told once, then there is nothing to tell. */
	if (s->phase == VH_PHASE_IDLE) {
		s->next_tx_us = FC_NEVER;
		return;
	}
	s->next_tx_us += PATH_SLOW_US;
	if (s->next_tx_us <= now_us)
		s->next_tx_us = now_us + PATH_SLOW_US;
}

static int64_t earlier_future(int64_t best, int64_t due_us, int64_t now_us)
{
	return due_us > now_us && due_us < best ? due_us : best;
}

static int64_t next_us(void *self)
{
	const struct sim_vehicle *s = self;
	int64_t next = s->next_tx_us;

	if (s->cmd.is_closed)
		next = earlier_future(next, s->cmd.valid_until_us, s->now_us);
	next = earlier_future(next, s->contactor.due_us, s->now_us);
	return earlier_future(next, s->force_open_us, s->now_us);
}

/* --- status ------------------------------------------------------------------------------------------------ */

static void fill_bms(const struct sim_vehicle *s, struct vh_status *st)
{
	st->soc_permille = (int32_t)(s->battery.soc * 1000.0 + 0.5);
	st->capacity_Wh = s->conf.capacity_Wh;
	/* To 0.1 A, downwards: the interfaces carry no finer steps. */
	st->i_charge_max_mA = (int32_t)(phys_battery_charge_limit_A(&s->battery) * 10.0) * 100;
	st->i_discharge_max_mA = (int32_t)(phys_battery_discharge_limit_A(&s->battery) * 10.0) * 100;
	st->v_target_mV = sim_vehicle_milli(s->battery.cfg.v_limit_V);
	st->temp_mdegC = sim_vehicle_milli(s->temp_degC);
	st->t_bms_us = s->t_bms_us;
	st->stop_request = s->wants_stop;
	st->energy_target_Wh = s->conf.energy_target_Wh;
	st->energy_max_Wh = s->conf.energy_max_Wh;
	st->energy_min_Wh = s->conf.energy_min_Wh;
	st->v2x_min_Wh = s->conf.v2x_min_Wh;
	st->v2x_max_Wh = s->conf.v2x_max_Wh;
	st->departure_s = s->conf.departure_s;
}

static void status(void *self, int64_t now_us, struct vh_status *out)
{
	struct sim_vehicle *s = self;
	struct vh_status st;
	int64_t hv_delay_us = (int64_t)s->conf.hv_ready_delay_ms * FC_US_PER_MS;

	if (now_us > s->now_us)
		update(s, now_us, false);
	memset(&st, 0, sizeof(st));
	st.size = out->size;
	st.is_hv_ready =
		hv_delay_us == 0 || (s->session_us != FC_NEVER && s->now_us - s->session_us >= hv_delay_us);
	st.battery_mV = s->battery_mV;
	st.inlet_mV = s->inlet_mV;
	st.current_mA = s->i_mA;
	st.t_vi_us = s->t_vi_us;
	st.is_closed = s->injected & SIM_VEHICLE_FEEDBACK_UNKNOWN ? -1 : s->contactor.is_closed;
	st.t_closed_us = s->now_us;
	fill_bms(s, &st);
	st.faults = st.faults_stop = s->faults;
	memcpy(out, &st, out->size < sizeof(st) ? out->size : sizeof(st));
}

static int32_t live_soc(struct sim_vehicle *s, const char *value, char *answer, uint32_t answer_size)
{
	int64_t milli;

	if (!value) {
		int32_t now = sim_vehicle_milli(s->battery.soc * 100.0);

		snprintf(answer, answer_size, "%d.%03d", (int)(now / 1000), (int)(now % 1000));
		return 0;
	}
	if (opts_parse_milli(value, &milli) || milli < 0 || milli > 100000) {
		snprintf(answer, answer_size, "soc must be 0 to 100 %%, not %s", value);
		return -EINVAL;
	}
	phys_battery_set_soc(&s->battery, (double)milli * 1e-5);
	return 0;
}

static int32_t live(void *self, int64_t now_us, const char *key, const char *value, char *answer,
		    uint32_t answer_size)
{
	struct sim_vehicle *s = self;
	struct sim_vehicle_conf before = s->conf;
	struct phys_battery_cfg cfg;
	int r;

	if (answer_size > 0)
		answer[0] = '\0';
	update(s, now_us, false);
	if (strcmp(key, "fault") == 0) {
		r = sim_vehicle_fault_live(s, value, answer, answer_size);
	} else if (strcmp(key, "soc") == 0) {
		r = live_soc(s, value, answer, answer_size);
	} else {
		r = sim_opts_live(sim_vehicle_options, SIM_VEHICLE_N_OPTIONS, &s->conf, key, value, answer,
				  answer_size);
		if (r == 0 && value)
			r = sim_vehicle_battery_cfg(&s->conf, &cfg, answer, answer_size);
		if (r != 0)
			s->conf = before;
		else if (value)
			phys_battery_configure(&s->battery, &cfg);
		s->contactor.delay_us = (int64_t)s->conf.contactors_delay_ms * FC_US_PER_MS;
	}
	if (value)
		update(s, now_us, false);
	return r;
}

const struct phys_battery *sim_vehicle_battery(const void *self)
{
	const struct sim_vehicle *s = self;

	return &s->battery;
}

const struct phys_contactor *sim_vehicle_contactor(const void *self)
{
	const struct sim_vehicle *s = self;

	return &s->contactor;
}

int64_t sim_vehicle_energy_uWh(const void *self)
{
	const struct phys_battery *b = sim_vehicle_battery(self);

	return (int64_t)((b->chemical_J + b->loss_J) * uWh_PER_J);
}

static const struct vehicle_hw_ops ops = {
	.init = init,
	.fini = fini,
	.caps = sim_vehicle_caps,
	.set = set,
	.status = status,
	.rx = rx,
	.tick = tick,
	.next_us = next_us,
	.filters = filters,
	.live = live,
};

const struct forecourt_plugin sim_vehicle_plugin = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_VEHICLE_HW,
	.name = "sim",
	.version = "1",
	.ops = &ops,
	.ops_size = sizeof(ops),
	.state_size = sizeof(struct sim_vehicle),
	.options = &sim_vehicle_options[0].pub,
	.n_options = SIM_VEHICLE_N_OPTIONS,
	.option_stride = sizeof(sim_vehicle_options[0]),
};
