/* SPDX-License-Identifier: MIT */
/*
 * The smallest power-module driver of ABI 1.0: the five operations that must be there and nothing else. It is
 * compiled against the headers of that version, frozen in tests/abi/v1, for ever; it must load in every later
 * host of the same major number.
 */
#include <forecourt/power_module.h>

#include <string.h>

struct state {
	struct pm_setpoint sp;
};

static int32_t init(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		    uint32_t n_kv, int64_t now_us, char *err, uint32_t err_size)
{
	(void)self;
	(void)host;
	(void)kv;
	(void)n_kv;
	(void)now_us;
	(void)err;
	(void)err_size;
	return 0;
}

static void fini(void *self)
{
	(void)self;
}

static void caps(void *self, struct pm_caps *out)
{
	struct pm_caps c = {.size = out->size, .v_max_mV = 100000, .i_charge_max_mA = 1000};

	(void)self;
	memcpy(out, &c, out->size < sizeof(c) ? out->size : sizeof(c));
}

static void set(void *self, int64_t now_us, const struct pm_setpoint *sp)
{
	struct state *s = self;

	(void)now_us;
	memcpy(&s->sp, sp, sp->size < sizeof(s->sp) ? sp->size : sizeof(s->sp));
}

static void status(void *self, int64_t now_us, struct pm_status *out)
{
	const struct state *s = self;
	struct pm_status st = {.size = out->size,
			       .state = PM_ST_STANDBY,
			       .t_vi_us = now_us,
			       .is_off_confirmed = 1,
			       .seq_done = s->sp.seq};

	memcpy(out, &st, out->size < sizeof(st) ? out->size : sizeof(st));
}

static const struct {
	__typeof__(((struct power_module_ops *)0)->init) init;
	__typeof__(((struct power_module_ops *)0)->fini) fini;
	__typeof__(((struct power_module_ops *)0)->caps) caps;
	__typeof__(((struct power_module_ops *)0)->set) set;
	__typeof__(((struct power_module_ops *)0)->status) status;
} ops = {init, fini, caps, set, status}; /* shorter than the header's table: what is missing does not exist */

extern const struct forecourt_plugin forecourt_plugin;
__attribute__((visibility("default"))) const struct forecourt_plugin forecourt_plugin = {
	.magic = FORECOURT_PLUGIN_MAGIC,
	.abi_major = FORECOURT_ABI_MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = sizeof(struct forecourt_plugin),
	.kind = FORECOURT_KIND_POWER_MODULE,
	.name = "abi_v1_min",
	.version = "1.0",
	.ops = &ops,
	.ops_size = sizeof(ops),
	.state_size = sizeof(struct state),
};
