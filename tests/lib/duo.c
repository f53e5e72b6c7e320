/* SPDX-License-Identifier: MIT */
/* Both virtual modules with a scripted customer each. */
#include "tests/lib/duo.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

struct duo *duo_new(enum evse_version evse, enum pev_version pev)
{
	struct duo *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->bench = bench_new();
	opts_defaults(secc_conf_table, secc_conf_n, &d->secc_cfg);
	opts_defaults(evcc_conf_table, evcc_conf_n, &d->evcc_cfg);
	d->secc_cfg.protocol = (int32_t)evse;
	d->evcc_cfg.protocol = (int32_t)pev;
	d->evcc_cfg.plug_at_start = 1;
	scripted_evse_init(&d->evse, evse, 1, 0);
	scripted_pev_init(&d->pev, pev, 0);
	return d;
}

void duo_start(struct duo *d)
{
	struct machine m;

	d->evse.index = (unsigned)d->secc_cfg.index;
	secc_init(&d->secc, &d->secc_cfg, NULL, 0);
	evcc_init(&d->evcc, &d->evcc_cfg, NULL, 0);
	m = secc_machine(&d->secc);
	d->secc_at = bench_add(d->bench, &m);
	m = evcc_machine(&d->evcc);
	d->evcc_at = bench_add(d->bench, &m);
	m = scripted_evse_machine(&d->evse);
	d->evse_at = bench_add(d->bench, &m);
	m = scripted_pev_machine(&d->pev);
	d->pev_at = bench_add(d->bench, &m);
}

void duo_free(struct duo *d)
{
	bench_free(d->bench);
	free(d);
}

static bool is_state(void *ctx)
{
	struct duo *d = ctx;

	return (int)d->secc.state == d->wanted;
}

static bool is_stage(void *ctx)
{
	struct duo *d = ctx;

	return (int)d->evcc.stage == d->wanted;
}

bool duo_until_state(struct duo *d, enum secc_state state, double seconds)
{
	d->wanted = (int)state;
	return bench_run_until(d->bench, SECONDS(seconds), is_state, d);
}

bool duo_until_stage(struct duo *d, enum evcc_stage stage, double seconds)
{
	d->wanted = (int)stage;
	return bench_run_until(d->bench, SECONDS(seconds), is_stage, d);
}

void duo_run(struct duo *d, double seconds)
{
	bench_run(d->bench, SECONDS(seconds));
}

canid_t duo_evse_id(const struct duo *d, enum evse_msg msg)
{
	return evse_layouts[d->secc_cfg.protocol][msg].id | (canid_t)d->secc_cfg.index << MSG_INDEX_SHIFT;
}

canid_t duo_pev_id(const struct duo *d, enum pev_msg msg)
{
	return pev_layouts[d->evcc_cfg.protocol][msg].id |
	       (d->evcc_cfg.force_extended_ids ? CAN_EFF_FLAG : 0);
}

canid_t duo_plug_id(const struct duo *d, enum plug_msg msg)
{
	return plug_layouts[0][msg].id | (canid_t)d->secc_cfg.index << MSG_INDEX_SHIFT;
}

struct evse_dc_power_control duo_power(const struct duo *d, const struct bench_record *r)
{
	struct evse_dc_power_control m = {0};

	assert_non_null(r);
	evse_layouts[d->secc_cfg.protocol][EVSE_DC_POWER_CONTROL].unpack(&m, r->frame.data);
	return m;
}

void duo_inject_plug(struct duo *d, enum plug_msg msg, const void *m)
{
	struct can_frame f;

	msg_to_frame(&plug_layouts[0][msg], m, (unsigned)d->secc_cfg.index, &f);
	bench_inject(d->bench, &f);
}
