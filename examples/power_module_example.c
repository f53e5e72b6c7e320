/* SPDX-License-Identifier: MIT */
/*
 * A power-module driver outside the tree: a bench supply with a fixed voltage and an adjustable current limit,
 * behind two frames on the charge controller's bus.
 *
 *     cc -std=c11 -fPIC -shared -fvisibility=hidden -Iinclude -o bench_supply.so power_module_example.c
 *     evse-ctrl --driver $PWD/bench_supply.so --voltage 60 --current-max 5
 *
 * The supply (numbers little endian):
 *     0x300 to it, each 100 ms:  byte 0 bit 0 output on; bytes 1-2 current limit in 0.1 A.
 *                                It switches off by itself 500 ms after the last one.
 *     0x301 from it, each 100 ms: bytes 0-1 voltage in 0.1 V; bytes 2-3 current in 0.1 A;
 *                                byte 4 bit 0 output on, bit 1 too hot, bit 2 broken; byte 5 temperature in degC + 40.
 */
#include <forecourt/power_module.h>
#include <forecourt/units.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_ID     0x300
#define STATUS_ID      0x301
#define PERIOD_US      (100 * FC_US_PER_MS)
#define SILENCE_US     (1000 * FC_US_PER_MS) /* then the supply counts as lost */
#define WATCHDOG_US    (500 * FC_US_PER_MS)
#define OFF_CURRENT_mA 1000
#define STATUS_LEN     6

struct supply {
	const struct forecourt_host *host;
	int32_t voltage_mV, current_max_mA; /* options */
	struct pm_setpoint sp;
	bool is_refused; /* the wanted voltage is not ours */
	bool is_on;	 /* as commanded */
	int64_t send_us; /* next command */
	int64_t start_us;
	int64_t rx_us; /* last status; -1: none yet */
	int32_t v_mV, i_mA, temp_mdegC;
	uint8_t flags;
	uint32_t n_send_failed;
};

/* Until its first frame it is absent, and lost when that takes too long. */
static bool is_lost(const struct supply *s, int64_t now_us)
{
	return now_us - (s->rx_us < 0 ? s->start_us : s->rx_us) >= SILENCE_US;
}

/* A fixed voltage can serve a request for that voltage, and in transfer one that may be reached from below. */
static bool can_serve(const struct supply *s, const struct pm_setpoint *sp)
{
	int32_t tolerance_mV = fc_max_i32(s->voltage_mV / 50, 5000); /* what counts as reached: 2 % or 5 V */

	if (sp->mode == PM_TRANSFER)
		return sp->v_mV >= s->voltage_mV;
	return fc_abs_i32(sp->v_mV - s->voltage_mV) <= tolerance_mV;
}

static void send_command(struct supply *s, int64_t now_us)
{
	int32_t limit_mA = fc_clamp_i32(s->sp.i_max_mA, 0, s->current_max_mA);
	uint16_t limit_dA = (uint16_t)(s->is_on ? limit_mA / 100 : 0); /* down, never above the window */
	struct can_frame f = {.can_id = COMMAND_ID, .can_dlc = 3};

	f.data[0] = s->is_on;
	f.data[1] = (uint8_t)limit_dA;
	f.data[2] = (uint8_t)(limit_dA >> 8);
	if (s->host->send(s->host->ctx, 0, &f))
		s->n_send_failed++;
	s->send_us = now_us + PERIOD_US;
}

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	struct supply *s = self;
	uint32_t i;

	s->host = host;
	s->voltage_mV = 60000;
	s->current_max_mA = 5000;
	s->rx_us = -1;
	s->send_us = s->start_us = now_us;
	for (i = 0; i < n_kv; i++) {
		char *end;
		long value = strtol(kv[i].value, &end, 10);

		if (*end || end == kv[i].value || value < 1 || value > 1000) {
			snprintf(err, err_size, "%s must be 1 to 1000, not '%s'", kv[i].key, kv[i].value);
			return -EINVAL;
		}
		if (strcmp(kv[i].key, "voltage") == 0)
			s->voltage_mV = (int32_t)value * 1000;
		else
			s->current_max_mA = (int32_t)value * 1000;
	}
	return 0;
}

static void fini(void *self)
{
	(void)self;
}

static void caps(void *self, struct pm_caps *out)
{
	const struct supply *s = self;
	const struct pm_caps c = {
		.size = out->size,
		.flags = PM_CAP_MEASURES_VI,
		.v_min_mV = s->voltage_mV,
		.v_max_mV = s->voltage_mV,
		.i_charge_max_mA = s->current_max_mA,
		.p_max_W = fc_power_W(s->voltage_mV, s->current_max_mA),
		.v_step_mV = 100,
		.i_step_mA = 100,
		.i_lowest_mA = 100,
		.ramp_mV_per_s = 500000,
		.ramp_mA_per_s = 100000,
		.off_current_mA = OFF_CURRENT_mA,
		.wake_us = 0,
		.off_us = PERIOD_US,
		.watchdog_us = WATCHDOG_US,
	};

	memcpy(out, &c, out->size < sizeof(c) ? out->size : sizeof(c));
}

static void set(void *self, int64_t now_us, const struct pm_setpoint *sp)
{
	struct supply *s = self;
	bool was_on = s->is_on, wants_power = sp->mode == PM_INSULATION_TEST || sp->mode == PM_PRECHARGE ||
					      sp->mode == PM_TRANSFER;

	memset(&s->sp, 0, sizeof(s->sp)); /* an older host has a shorter struct */
	memcpy(&s->sp, sp, sp->size < sizeof(s->sp) ? sp->size : sizeof(s->sp));
	s->is_refused = wants_power && !can_serve(s, sp);
	s->is_on = wants_power && !s->is_refused && now_us < sp->valid_until_us;
	if (was_on && !s->is_on)
		send_command(s, now_us); /* off is never queued behind the period */
}

static void status(void *self, int64_t now_us, struct pm_status *out)
{
	const struct supply *s = self;
	bool is_silent = is_lost(s, now_us), is_heard = s->rx_us >= 0 && !is_silent;
	bool is_off = is_heard && !(s->flags & 1) && fc_abs_i32(s->i_mA) < OFF_CURRENT_mA;
	bool is_broken = s->flags & 4, is_hot = s->flags & 2;
	struct pm_status st = {
		.size = out->size,
		.state = s->rx_us < 0 ? PM_ST_ABSENT : PM_ST_STANDBY,
		.v_mV = s->v_mV,
		.i_mA = s->i_mA,
		.t_vi_us = s->rx_us,
		.avail_v_min_mV = s->voltage_mV,
		.avail_v_max_mV = s->voltage_mV,
		.avail_i_max_mA = !is_heard || is_broken || is_hot ? 0 : s->current_max_mA,
		.t_avail_us = s->rx_us,
		.temp_hot_mdegC = s->temp_mdegC,
		.temp_inlet_mdegC = PM_TEMP_NONE,
		.is_ready = is_heard && !is_broken && !is_hot,
		.is_off_confirmed = is_off && !s->is_on,
		.is_v_reached = is_heard && fc_abs_i32(s->v_mV - s->sp.v_mV) <= 5000,
		.is_closed = s->sp.is_closed, /* no relay of its own */
		.n_expected = 1,
		.n_online = is_heard,
		.n_on = is_heard && s->flags & 1,
		.n_faulted = is_broken,
		.n_silent = is_silent,
		.seq_done = s->sp.seq,
		.rx_age_us = s->rx_us < 0 ? INT64_MAX : now_us - s->rx_us,
		.tx_fail = s->n_send_failed,
	};

	st.avail_p_W = fc_power_W(s->voltage_mV, st.avail_i_max_mA);
	if (is_silent)
		st.faults |= PM_FAULT_COMM_LOST;
	if (is_broken)
		st.faults |= PM_FAULT_HARDWARE;
	if (is_hot)
		st.faults |= PM_FAULT_OVER_TEMP;
	st.faults_stop = st.faults;
	if (s->is_refused)
		st.faults |= PM_FAULT_SETPOINT_REFUSED;
	if (st.faults_stop && s->rx_us >= 0)
		st.state = is_silent ? PM_ST_OFF_UNCONFIRMED : PM_ST_FAULT;
	else if (s->is_on)
		st.state = s->flags & 1 ? PM_ST_ON : PM_ST_RAMPING;
	else if (!is_off && s->rx_us >= 0)
		st.state = PM_ST_STOPPING;
	memcpy(out, &st, out->size < sizeof(st) ? out->size : sizeof(st));
}

static void rx(void *self, int64_t now_us, uint32_t bus, const struct can_frame *f)
{
	struct supply *s = self;

	if (bus != 0 || f->can_id != STATUS_ID || f->can_dlc < STATUS_LEN)
		return;
	if (s->rx_us < 0 || is_lost(s, now_us))
		s->host->log(s->host->ctx, FORECOURT_LOG_NOTICE, "bench supply: heard");
	s->rx_us = now_us;
	s->v_mV = (f->data[0] | f->data[1] << 8) * 100;
	s->i_mA = (f->data[2] | f->data[3] << 8) * 100;
	s->flags = f->data[4];
	s->temp_mdegC = (f->data[5] - 40) * 1000;
}

static void tick(void *self, int64_t now_us)
{
	struct supply *s = self;

	if (s->is_on && now_us >= s->sp.valid_until_us) { /* the dead man's rule */
		s->is_on = false;
		s->send_us = now_us;
		s->host->log(s->host->ctx, FORECOURT_LOG_WARNING, "bench supply: set point expired, off");
	}
	if (now_us >= s->send_us)
		send_command(s, now_us);
}

static int64_t next_us(void *self)
{
	const struct supply *s = self;

	return s->is_on ? fc_min_i64(s->send_us, s->sp.valid_until_us) : s->send_us;
}

static uint32_t filters(void *self, uint32_t bus, struct can_filter *f, uint32_t n)
{
	(void)self;
	if (bus != 0 || n < 1)
		return 0;
	f[0].can_id = STATUS_ID;
	f[0].can_mask = CAN_SFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
	return 1;
}

static const struct forecourt_option options[] = {
	{"voltage", "V", "60", "output voltage that the supply is set to"},
	{"current_max", "A", "5", "largest current limit"},
};

static const struct power_module_ops ops = {
	.init = init,
	.fini = fini,
	.caps = caps,
	.set = set,
	.status = status,
	.rx = rx,
	.tick = tick,
	.next_us = next_us,
	.filters = filters,
};

extern const struct forecourt_plugin forecourt_plugin;
__attribute__((visibility("default"))) const struct forecourt_plugin forecourt_plugin = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_POWER_MODULE,
	.name = "bench_supply",
	.version = "1.0",
	.ops = &ops,
	.ops_size = sizeof(ops),
	.state_size = sizeof(struct supply),
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.option_stride = sizeof(options[0]),
};
