/* SPDX-License-Identifier: MIT */
/* Drivers of a plant that is played back from a log. Pure. */
#include "sim/sim_run_replay_hw.h"

#include <string.h>

#include <forecourt/units.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

/* A plant that nothing else limits. */
#define PLENTY_mV 2000000
#define PLENTY_mA 3000000
#define PLENTY_W  INT32_MAX
/* Slower than any real stack, so that a current that falls slowly is no fault. */
#define RAMP_mA_PER_S 5000
#define RAMP_mV_PER_S 20000
#define OFF_mA	      1000
/* Contactors of the log that do not follow ours: shorter than the controller's own limit. */
#define FOLLOW_US (1 * (int64_t)FC_US_PER_S)

union content {
	uint64_t align[REPLAY_MAX_MSG_SIZE / sizeof(uint64_t)];
	struct evse_power_modules_status status;
	struct evse_dc_power_parameters parameters;
	struct pev_ev_information information;
	struct pev_dc_status1 status1;
	struct pev_dc_status2 status2;
	struct pev_ev_energy_request energy;
	struct pev_ev_v2x_energy_request v2x;
	struct pev_ev_extra_bpt_information extra;
	struct pev_ev_status ev_status;
};

static bool read_log(const struct replay_log *l, int msg, int64_t now_us, union content *c)
{
	const struct can_frame *f = replay_log_nearest(l, msg, now_us);

	if (f)
		replay_side_unpack(l->side, msg, f, c);
	return f != NULL;
}

/* --- stack ------------------------------------------------------------------------------------------------- */

static int32_t stack_init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
			  uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	struct replay_stack *s = self;

	(void)host, (void)kv, (void)n_kv, (void)now_us, (void)err, (void)err_size;
	memset(&s->sp, 0, sizeof(s->sp));
	s->is_ready = false;
	return 0;
}

static void stack_caps(void *self, struct pm_caps *caps)
{
	(void)self;
	*caps = (struct pm_caps){
		.size = caps->size,
		.flags = PM_CAP_BIDIRECTIONAL | PM_CAP_BLEEDER | PM_CAP_OUTPUT_RELAY | PM_CAP_MEASURES_VI |
			 PM_CAP_MEASURES_INSULATION,
		.v_max_mV = PLENTY_mV,
		.i_charge_max_mA = PLENTY_mA,
		.i_discharge_max_mA = PLENTY_mA,
		.p_max_W = PLENTY_W,
		.v_step_mV = 100,
		.i_step_mA = 100,
		.ramp_mV_per_s = RAMP_mV_PER_S,
		.ramp_mA_per_s = RAMP_mA_PER_S,
		.off_current_mA = OFF_mA,
		.watchdog_us = INT64_MAX,
	};
}

static void stack_set(void *self, int64_t now_us, const struct pm_setpoint *sp)
{
	struct replay_stack *s = self;

	(void)now_us;
	s->sp = *sp;
	if (sp->mode == PM_OFF)
		s->is_ready = false;
}

/* 0 in the announcement means that the module uses its own configuration. */
static int32_t or_plenty(int32_t value, int32_t plenty)
{
	return value > 0 ? value : plenty;
}

static void stack_available(const struct replay_stack *s, int64_t now_us, struct pm_status *st)
{
	union content c;

	memset(&c, 0, sizeof(c));
	read_log(s->log, EVSE_DC_POWER_PARAMETERS, now_us, &c);
	st->avail_v_max_mV = or_plenty(c.parameters.maximum_voltage_mV, PLENTY_mV);
	st->avail_i_max_mA = or_plenty(c.parameters.maximum_charge_current_mA, PLENTY_mA);
	st->avail_i_min_mA = -or_plenty(c.parameters.maximum_discharge_current_mA, PLENTY_mA);
	st->avail_p_W = PLENTY_W;
	st->t_avail_us = now_us;
}

/* Raw 0 of a temperature, that is -40 degrees, means "not provided". */
static int32_t temperature(int32_t mdegC)
{
	return mdegC <= -40000 ? PM_TEMP_NONE : mdegC;
}

static void stack_status(void *self, int64_t now_us, struct pm_status *st)
{
	struct replay_stack *s = self;
	bool is_awake = s->sp.mode != PM_OFF && now_us <= s->sp.valid_until_us;
	uint32_t size = st->size;
	union content c;

	memset(st, 0, sizeof(*st));
	st->size = size;
	memset(&c, 0, sizeof(c));
	c.status.power_modules_temperature_mdegC = c.status.enclosure_temperature_mdegC = -40000;
	read_log(s->log, EVSE_POWER_MODULES_STATUS, now_us, &c);
	s->is_ready = is_awake && (s->is_ready || c.status.system_enable);
	st->state = !is_awake ? PM_ST_OFF_UNCONFIRMED : s->is_ready ? PM_ST_ON : PM_ST_WAKING;
	st->v_mV = c.status.present_voltage_mV;
	st->i_mA = c.status.present_current_mA;
	st->t_vi_us = now_us;
	st->temp_hot_mdegC = temperature(c.status.power_modules_temperature_mdegC);
	st->temp_inlet_mdegC = temperature(c.status.enclosure_temperature_mdegC);
	st->insulation_ohm = c.status.insulation_resistance_ohm;
	st->insulation_valid = st->insulation_ohm > 0;
	st->t_iso_us = now_us;
	st->is_ready = s->is_ready;
	st->is_off_confirmed = fc_abs_i32(st->i_mA) < OFF_mA;
	st->is_v_reached = 1;
	st->is_closed = s->sp.is_closed;
	st->n_expected = st->n_online = 1;
	st->seq_done = s->sp.seq;
	stack_available(s, now_us, st);
}

static const struct power_module_ops stack_ops = {
	.init = stack_init,
	.caps = stack_caps,
	.set = stack_set,
	.status = stack_status,
};

const struct forecourt_plugin replay_stack_plugin = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_POWER_MODULE,
	.name = "replay",
	.version = "1",
	.ops = &stack_ops,
	.ops_size = sizeof(stack_ops),
	.state_size = sizeof(struct replay_stack),
};

/* --- vehicle ----------------------------------------------------------------------------------------------- */

static int32_t vehicle_init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
			    uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	struct replay_vehicle *v = self;

	(void)host, (void)kv, (void)n_kv, (void)err, (void)err_size;
	memset(&v->cmd, 0, sizeof(v->cmd));
	v->cmd_us = now_us;
	v->is_closed = false;
	v->want_mA = 0;
	return 0;
}

static void vehicle_caps(void *self, struct vh_caps *caps)
{
	(void)self;
	*caps = (struct vh_caps){
		.size = caps->size,
		.v_max_mV = PLENTY_mV,
		.i_charge_max_mA = PLENTY_mA,
		.i_discharge_max_mA = PLENTY_mA,
		.contactor_delay_us = 100 * (int64_t)FC_US_PER_MS,
		.open_limit_mA = OFF_mA,
		.has_feedback = 1,
	};
}

static void vehicle_set(void *self, int64_t now_us, const struct vh_command *cmd)
{
	struct replay_vehicle *v = self;

	if (cmd->is_closed != v->cmd.is_closed)
		v->cmd_us = now_us;
	v->cmd = *cmd;
}

static void vehicle_energies(const struct replay_vehicle *v, int64_t now_us, struct vh_status *st)
{
	const struct replay_side *side = v->log->side;
	union content c;

	if (read_log(v->log, PEV_EV_ENERGY_REQUEST, now_us, &c)) {
		bool is_swapped = side->version == PEV_V2_0_EX &&
				  c.energy.maximum_energy_request_Wh < c.energy.minimum_energy_request_Wh;

		st->energy_target_Wh = c.energy.target_energy_request_Wh;
		st->energy_max_Wh =
			is_swapped ? c.energy.minimum_energy_request_Wh : c.energy.maximum_energy_request_Wh;
		st->energy_min_Wh =
			is_swapped ? c.energy.maximum_energy_request_Wh : c.energy.minimum_energy_request_Wh;
	}
	if (read_log(v->log, PEV_EV_V2X_ENERGY_REQUEST, now_us, &c)) {
		st->v2x_min_Wh = c.v2x.minimum_v2x_energy_request_Wh;
		st->v2x_max_Wh = c.v2x.maximum_v2x_energy_request_Wh;
	}
	if (read_log(v->log, PEV_EV_EXTRA_BPT_INFORMATION, now_us, &c))
		st->departure_s = c.extra.departure_time_s;
}

static void vehicle_contactors(struct replay_vehicle *v, int64_t now_us, bool is_log_closed)
{
	bool is_asked = v->cmd.is_closed != 0;

	if (is_log_closed == is_asked || now_us - v->cmd_us >= FOLLOW_US)
		v->is_closed = is_asked;
}

static void vehicle_status(void *self, int64_t now_us, struct vh_status *st)
{
	struct replay_vehicle *v = self;
	union content c;

	if (read_log(v->log, PEV_DC_STATUS2, now_us, &c)) {
		st->battery_mV = c.status2.battery_voltage_mV;
		st->inlet_mV = c.status2.inlet_voltage_mV;
		vehicle_contactors(v, now_us, c.status2.contactors_closed != 0);
	}
	if (read_log(v->log, PEV_DC_STATUS1, now_us, &c)) {
		if (c.status1.max_charge_current_mA > 0)
			v->want_mA = c.status1.max_charge_current_mA;
		st->current_mA = c.status1.present_current_mA;
		st->i_discharge_max_mA = c.status1.max_discharge_current_mA;
		st->v_target_mV = c.status1.target_voltage_mV;
	}
	if (read_log(v->log, PEV_EV_INFORMATION, now_us, &c)) {
		st->soc_permille = c.information.state_of_charge_permille;
		st->capacity_Wh = c.information.energy_capacity_Wh;
	}
	st->is_hv_ready = !(read_log(v->log, PEV_EV_STATUS, now_us, &c) && c.ev_status.hv_preparing_hold_off);
	st->i_charge_max_mA = v->want_mA;
	st->is_closed = v->is_closed;
	st->t_vi_us = st->t_closed_us = st->t_bms_us = now_us;
	vehicle_energies(v, now_us, st);
}

static const struct vehicle_hw_ops vehicle_ops = {
	.init = vehicle_init,
	.caps = vehicle_caps,
	.set = vehicle_set,
	.status = vehicle_status,
};

const struct forecourt_plugin replay_vehicle_plugin = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_VEHICLE_HW,
	.name = "replay",
	.version = "1",
	.ops = &vehicle_ops,
	.ops_size = sizeof(vehicle_ops),
	.state_size = sizeof(struct replay_vehicle),
};
