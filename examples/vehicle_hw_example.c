/* SPDX-License-Identifier: MIT */
/*
 * A vehicle-hardware driver outside the tree: a contactor box with a small battery management system, behind
 * three frames on the charge controller's bus.
 *
 *     cc -std=c11 -fPIC -shared -fvisibility=hidden -Iinclude -o contactor_box.so vehicle_hw_example.c
 *     pev-ctrl --driver $PWD/contactor_box.so --capacity 40
 *
 * The box (numbers little endian):
 *     0x310 to it, each 100 ms:   byte 0 bit 0 close the contactors. It opens them 300 ms after the last one.
 *     0x311 from it, each 100 ms: bytes 0-1 battery, 2-3 inlet voltage in 0.1 V; bytes 4-5 current in 0.1 A, signed,
 *                                 positive when charging; byte 6 bit 0 closed (feedback), bit 1 ready, bit 2 fault.
 *     0x312 from it, each second: byte 0 state of charge in 0.5 %; bytes 1-2 charge, 3-4 discharge current limit in
 *                                 0.1 A; bytes 5-6 target voltage in 0.1 V; byte 7 hottest cell in degC + 40.
 */
#include <forecourt/units.h>
#include <forecourt/vehicle_hw.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_ID     0x310
#define BOX_ID	       0x311
#define BMS_ID	       0x312
#define PERIOD_US      (100 * FC_US_PER_MS)
#define BMS_SILENCE_US (3 * FC_US_PER_S) /* three of its periods */
#define BOX_SILENCE_US (600 * FC_US_PER_MS)
#define CLOSE_TIME_US  (1 * FC_US_PER_S) /* the box needs 200 ms */
#define OPEN_LIMIT_mA  2000

struct box {
	const struct forecourt_host *host;
	int64_t capacity_Wh; /* option */
	struct vh_command cmd;
	bool is_closed;	    /* as commanded */
	int64_t command_us; /* when that changed */
	int64_t send_us;
	int64_t start_us;
	int64_t box_us, bms_us; /* last frames; -1: none yet */
	int32_t battery_mV, inlet_mV, current_mA;
	uint8_t flags;
	int32_t soc_permille, charge_max_mA, discharge_max_mA, target_mV, temp_mdegC;
};

static int32_t u16_of(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static void send_command(struct box *b, int64_t now_us)
{
	struct can_frame f = {.can_id = COMMAND_ID, .can_dlc = 1};

	f.data[0] = b->is_closed;
	if (b->host->send(b->host->ctx, 0, &f))
		b->host->log(b->host->ctx, FORECOURT_LOG_WARNING, "contactor box: command not sent");
	b->send_us = now_us + PERIOD_US;
}

static void command(struct box *b, int64_t now_us, bool is_closed)
{
	if (b->is_closed == is_closed)
		return;
	b->is_closed = is_closed;
	b->command_us = now_us;
	send_command(b, now_us);
}

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	struct box *b = self;
	uint32_t i;

	b->host = host;
	b->capacity_Wh = 40000;
	b->box_us = b->bms_us = -1;
	b->send_us = b->command_us = b->start_us = now_us;
	for (i = 0; i < n_kv; i++) { /* there is but one option */
		char *end;
		long value = strtol(kv[i].value, &end, 10);

		if (*end || end == kv[i].value || value < 1 || value > 1000) {
			snprintf(err, err_size, "%s must be 1 to 1000 kWh, not '%s'", kv[i].key, kv[i].value);
			return -EINVAL;
		}
		b->capacity_Wh = (int64_t)value * 1000;
	}
	return 0;
}

static void fini(void *self)
{
	(void)self;
}

static void caps(void *self, struct vh_caps *out)
{
	const struct box *b = self;
	const struct vh_caps c = {
		.size = out->size,
		.v_min_mV = 250000,
		.v_max_mV = 420000,
		.i_charge_max_mA = 125000,
		.i_discharge_max_mA = 60000,
		.capacity_Wh = b->capacity_Wh,
		.contactor_delay_us = 200 * FC_US_PER_MS,
		.open_limit_mA = OPEN_LIMIT_mA,
		.has_feedback = 1,
	};

	memcpy(out, &c, out->size < sizeof(c) ? out->size : sizeof(c));
}

static void set(void *self, int64_t now_us, const struct vh_command *cmd)
{
	struct box *b = self;

	memset(&b->cmd, 0, sizeof(b->cmd)); /* an older host has a shorter struct */
	memcpy(&b->cmd, cmd, cmd->size < sizeof(b->cmd) ? cmd->size : sizeof(b->cmd));
	command(b, now_us, cmd->is_closed == 1 && now_us < cmd->valid_until_us);
}

static uint32_t faults_of(const struct box *b, int64_t now_us)
{
	bool is_feedback_closed = b->flags & 1, is_late = now_us - b->command_us >= CLOSE_TIME_US;
	uint32_t faults = 0;

	if (now_us - (b->bms_us < 0 ? b->start_us : b->bms_us) >= BMS_SILENCE_US)
		faults |= VH_FAULT_BMS_LOST;
	if (now_us - (b->box_us < 0 ? b->start_us : b->box_us) >= BOX_SILENCE_US || b->flags & 4)
		faults |= VH_FAULT_INTERNAL;
	if (b->is_closed && !is_feedback_closed && is_late)
		faults |= VH_FAULT_CONTACTOR_NOT_CLOSING;
	if (!b->is_closed && is_feedback_closed && is_late)
		faults |= VH_FAULT_CONTACTOR_WELDED;
	return faults;
}

static void status(void *self, int64_t now_us, struct vh_status *out)
{
	const struct box *b = self;
	struct vh_status st = {
		.size = out->size,
		.is_hv_ready = b->box_us >= 0 && b->bms_us >= 0 && b->flags & 2,
		.battery_mV = b->battery_mV,
		.inlet_mV = b->inlet_mV,
		.current_mA = b->current_mA,
		.t_vi_us = b->box_us,
		.is_closed = b->box_us < 0 ? -1 : b->flags & 1,
		.t_closed_us = b->box_us,
		.soc_permille = b->soc_permille,
		.capacity_Wh = b->capacity_Wh,
		.i_charge_max_mA = b->charge_max_mA,
		.i_discharge_max_mA = b->discharge_max_mA,
		.v_target_mV = b->target_mV,
		.temp_mdegC = b->bms_us < 0 ? INT32_MIN : b->temp_mdegC,
		.t_bms_us = b->bms_us,
		.energy_target_Wh = -1,
		.energy_max_Wh = b->capacity_Wh,
		.energy_min_Wh = -1,
		.v2x_min_Wh = -1,
		.v2x_max_Wh = -1,
		.departure_s = -1,
	};

	st.faults = st.faults_stop = faults_of(b, now_us);
	memcpy(out, &st, out->size < sizeof(st) ? out->size : sizeof(st));
}

static void rx(void *self, int64_t now_us, uint32_t bus, const struct can_frame *f)
{
	struct box *b = self;

	if (bus != 0)
		return;
	if (f->can_id == BOX_ID && f->can_dlc >= 7) {
		b->box_us = now_us;
		b->battery_mV = u16_of(f->data) * 100;
		b->inlet_mV = u16_of(f->data + 2) * 100;
		b->current_mA = (int16_t)u16_of(f->data + 4) * 100;
		b->flags = f->data[6];
	} else if (f->can_id == BMS_ID && f->can_dlc >= 8) {
		b->bms_us = now_us;
		b->soc_permille = f->data[0] * 5;
		b->charge_max_mA = u16_of(f->data + 1) * 100;
		b->discharge_max_mA = u16_of(f->data + 3) * 100;
		b->target_mV = u16_of(f->data + 5) * 100;
		b->temp_mdegC = (f->data[7] - 40) * 1000;
	}
}

static void tick(void *self, int64_t now_us)
{
	struct box *b = self;

	if (b->is_closed && now_us >= b->cmd.valid_until_us) { /* the dead man's rule */
		b->host->log(b->host->ctx, FORECOURT_LOG_WARNING, "contactor box: command expired, opening");
		command(b, now_us, false);
	}
	if (now_us >= b->send_us)
		send_command(b, now_us);
}

static int64_t next_us(void *self)
{
	const struct box *b = self;

	return b->is_closed ? fc_min_i64(b->send_us, b->cmd.valid_until_us) : b->send_us;
}

static uint32_t filters(void *self, uint32_t bus, struct can_filter *f, uint32_t n)
{
	uint32_t i;

	(void)self;
	for (i = 0; bus == 0 && i < 2 && i < n; i++) {
		f[i].can_id = BOX_ID + i;
		f[i].can_mask = CAN_SFF_MASK | CAN_EFF_FLAG | CAN_RTR_FLAG;
	}
	return bus == 0 ? i : 0;
}

static const struct forecourt_option options[] = {
	{"capacity", "kWh", "40", "energy of the battery when full"},
};

static const struct vehicle_hw_ops ops = {
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
	.kind = FORECOURT_KIND_VEHICLE_HW,
	.name = "contactor_box",
	.version = "1.0",
	.ops = &ops,
	.ops_size = sizeof(ops),
	.state_size = sizeof(struct box),
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
	.option_stride = sizeof(options[0]),
};
