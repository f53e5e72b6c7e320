/* SPDX-License-Identifier: MIT */
/* A whole plausible charger in one machine. Pure. */
#include "sim/model_charger.h"

#include <errno.h>
#include <string.h>

#include "lib/core/ctl.h"

#define SLOT_US (100 * FC_US_PER_MS)

/* A setpoint of ours holds for three slots. */
#define SETPOINT_US (300 * FC_US_PER_MS)

/* Current that an insulation test may need for the cable's own capacitance. */
#define TEST_CURRENT_mA 1000

/* Full scale of Insulation_Resistance. */
#define INSULATION_MAX_ohm 510000

#define TEMP_NOT_PROVIDED_mdegC (-40000)

static int32_t host_send(void *ctx, uint32_t bus, const struct can_frame *frame)
{
	struct model_charger *c = ctx;

	if (!c->out)
		return -EAGAIN;
	return out_queue_frame(c->out, (uint8_t)bus, frame) ? 0 : -ENOBUFS;
}

static void host_log(void *ctx, int32_t level, const char *text)
{
	struct model_charger *c = ctx;

	log_f(&c->log, (enum log_level)level, "%s", text);
}

static int32_t mode_of(const struct model_charger *c)
{
	if (c->is_emergency || !c->is_in_session)
		return PM_OFF;
	switch (c->power.power_function) {
	case SECC_FN_INSULATION:
		return PM_INSULATION_TEST;
	case SECC_FN_PRECHARGE:
		return PM_PRECHARGE;
	case SECC_FN_TRANSFER:
		return PM_TRANSFER;
	default:
		return PM_STANDBY; /* also wakes the modules while no function was asked yet */
	}
}

static void set_point(struct model_charger *c, int64_t now_us)
{
	struct pm_setpoint sp = {.size = sizeof(sp)};

	sp.mode = mode_of(c);
	sp.v_mV = c->power.target_voltage_mV;
	sp.i_max_mA = sp.mode == PM_INSULATION_TEST ? TEST_CURRENT_mA : c->power.current_range_max_mA;
	sp.i_min_mA = c->power.current_range_min_mA;
	sp.v_load_mV = -1;
	sp.is_closed = sp.mode != PM_OFF && c->power.output_contactors;
	sp.is_bleeding = sp.mode == PM_STANDBY && c->power.lower_output_voltage;
	if (sp.mode == PM_OFF && !c->is_emergency && c->power.lower_output_voltage) {
		sp.mode = PM_STANDBY;
		sp.is_bleeding = 1;
	}
	sp.is_urgent = c->is_emergency;
	sp.valid_until_us = now_us + SETPOINT_US;
	sp.seq = ++c->seq;
	c->pm->set(c->pm_self, now_us, &sp);
}

/* The SECC's frames: those of the generic interface are for the controller inside, the rest is the plug. */
static void sort_frames(struct model_charger *c, int64_t now_us, struct out_queue *out)
{
	const struct msg_layout *l = c->secc.layout.evse;
	bool is_changed = false;
	uint32_t i;

	for (i = 0; i < c->inner.n; i++) {
		const struct can_frame *f = &c->inner.item[i].u.frame;
		canid_t base = f->can_id & (CAN_EFF_FLAG | 0x00FFFFFFu);

		if (base == l[EVSE_DC_POWER_CONTROL].id) {
			l[EVSE_DC_POWER_CONTROL].unpack(&c->power, f->data);
			is_changed = true;
		} else if (base == l[EVSE_NEW_CHARGE_SESSION].id) {
			c->is_in_session = true;
		} else if (base == l[EVSE_CHARGE_SESSION_FINISHED].id) {
			c->is_in_session = false;
			is_changed = true;
		} else if ((base & 0x00FF0000u) == PLUG_BASE_ID) {
			out_queue_frame(out, 0, f);
		}
	}
	out_queue_clear(&c->inner);
	if (c->is_emergency != (c->secc.emergency != SECC_CAUSE_NONE)) {
		c->is_emergency = !c->is_emergency;
		is_changed = true;
	}
	if (is_changed)
		set_point(c, now_us);
}

static void report(struct model_charger *c, int64_t now_us)
{
	struct pm_status st = {.size = sizeof(st)};
	struct evse_power_modules_status m = {0};
	struct can_frame f;

	c->pm->status(c->pm_self, now_us, &st);
	m.present_voltage_mV = st.v_mV;
	m.present_current_mA = st.i_mA;
	m.power_modules_temperature_mdegC =
		st.temp_hot_mdegC == PM_TEMP_NONE ? TEMP_NOT_PROVIDED_mdegC : st.temp_hot_mdegC;
	m.enclosure_temperature_mdegC =
		st.temp_inlet_mdegC == PM_TEMP_NONE ? TEMP_NOT_PROVIDED_mdegC : st.temp_inlet_mdegC;
	m.system_enable = c->is_in_session && st.is_ready && !st.faults_stop;
	if (st.insulation_valid)
		m.insulation_resistance_ohm = fc_clamp_i32(st.insulation_ohm, 0, INSULATION_MAX_ohm);
	msg_to_frame(&c->secc.layout.evse[EVSE_POWER_MODULES_STATUS], &m, (unsigned)c->secc.cfg.index, &f);
	c->module.ops->rx(c->module.self, now_us, &f, &c->inner);
}

static void rx(void *self, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	struct model_charger *c = self;

	c->out = out;
	/* The generic interface of this charger is its own affair: such frames on the bus are another's. */
	if (plug_is_mine(f, (unsigned)c->secc.cfg.index)) {
		c->module.ops->rx(c->module.self, now_us, f, &c->inner);
		sort_frames(c, now_us, out);
		if (c->pm->rx)
			c->pm->rx(c->pm_self, now_us, 0, f);
	}
	c->out = NULL;
}

static int64_t pm_next_us(const struct model_charger *c)
{
	return c->pm->next_us ? c->pm->next_us(c->pm_self) : FC_NEVER;
}

static void tick(void *self, int64_t now_us, struct out_queue *out)
{
	struct model_charger *c = self;

	c->out = out;
	if (c->pm->tick && pm_next_us(c) <= now_us)
		c->pm->tick(c->pm_self, now_us);
	if (grid_due(&c->grid, now_us)) {
		set_point(c, now_us);
		report(c, now_us);
	}
	if (c->module.ops->next_us(c->module.self) <= now_us)
		c->module.ops->tick(c->module.self, now_us, &c->inner);
	sort_frames(c, now_us, out);
	c->out = NULL;
}

static int64_t next_us(const void *self)
{
	const struct model_charger *c = self;
	int64_t next = fc_min_i64(c->grid.next_us, c->module.ops->next_us(c->module.self));

	return fc_min_i64(next, pm_next_us(c));
}

static size_t filters(const void *self, struct can_filter *f, size_t n)
{
	const struct model_charger *c = self;
	struct can_filter all[64];
	size_t i, used = 0, got = c->module.ops->filters(c->module.self, all, sizeof(all) / sizeof(all[0]));

	for (i = 0; i < got && used < n; i++) {
		if ((all[i].can_id & 0x00FF0000u) == PLUG_BASE_ID)
			f[used++] = all[i];
	}
	if (c->pm->filters && used < n)
		used += c->pm->filters(c->pm_self, 0, f + used, (uint32_t)(n - used));
	return used;
}

static void stop(void *self, int64_t now_us, struct out_queue *out)
{
	struct model_charger *c = self;

	c->module.ops->stop(c->module.self, now_us, &c->inner);
	sort_frames(c, now_us, out);
}

static bool is_stopped(const void *self)
{
	const struct model_charger *c = self;

	return c->module.ops->is_stopped(c->module.self);
}

static int command(void *self, int64_t now_us, const char *line, char *answer, size_t size,
		   struct out_queue *out)
{
	struct model_charger *c = self;
	struct ctl_answer a;
	struct ctl_words w;
	int r;

	if (ctl_split(line, &w) == 0 && ctl_word_is(&w, 0, "hw")) {
		ctl_answer_init(&a, answer, size);
		c->out = out;
		r = ctl_live(&w, 1, c->pm->live, c->pm_self, now_us, &a);
		c->out = NULL;
		return r;
	}
	r = c->module.ops->command(c->module.self, now_us, line, answer, size, &c->inner);
	sort_frames(c, now_us, out);
	return r;
}

int model_charger_init(struct model_charger *c, const struct secc_cfg *cfg, const struct power_module_ops *pm,
		       void *pm_self, const struct forecourt_kv *kv, uint32_t n_kv,
		       const struct log_sink *sink, int64_t now_us, char *err, size_t err_size)
{
	struct secc_cfg own = *cfg;

	memset(c, 0, sizeof(*c));
	own.use_sequence_flags = 0;
	own.free_service = 1;
	secc_init(&c->secc, &own, sink, now_us);
	c->module = secc_machine(&c->secc);
	c->pm = pm;
	c->pm_self = pm_self;
	log_init(&c->log, sink, "charger");
	out_queue_init(&c->inner);
	grid_start(&c->grid, now_us, SLOT_US);
	c->host = (struct forecourt_host){.size = sizeof(c->host),
					  .index = (uint32_t)own.index,
					  .ctx = c,
					  .log = host_log,
					  .send = host_send};
	return pm->init(pm_self, &c->host, kv, n_kv, now_us, err, (uint32_t)err_size);
}

void model_charger_fini(struct model_charger *c)
{
	if (c->pm && c->pm->fini)
		c->pm->fini(c->pm_self);
}

struct machine model_charger_machine(struct model_charger *c)
{
	static const struct machine_ops ops = {
		.rx = rx,
		.tick = tick,
		.next_us = next_us,
		.filters = filters,
		.stop = stop,
		.is_stopped = is_stopped,
		.command = command,
	};
	struct machine m = {.ops = &ops, .self = c, .name = "charger"};

	return m;
}
