/* SPDX-License-Identifier: MIT */
/*
 * The charger's session under random frames, readings and time. Input: records of one byte kind and its data.
 * The bench's invariants (tests/lib/evse_rig.c) hold after every event; here those that need no scripted module:
 * no power without a module, no closed contactors outside their states.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/evse_rig.h"

static struct rig rig;

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static void check(const struct rig *r)
{
	const struct evse_session *s = &r->point.session;

	if (r->driver.sp.mode >= PM_INSULATION_TEST) {
		must(s->is_open && !s->is_status_lost && !s->is_emergency && s->faults.latched == 0);
		must(r->driver.sp.is_closed);
		must(r->now_us - s->status_watch.last_us <= 200000);
	}
	must(s->guard.n_frames_withheld == 0);
}

static uint8_t take(const uint8_t **data, size_t *size)
{
	if (*size == 0)
		return 0;
	(*size)--;
	return *(*data)++;
}

static void send_random(struct rig *r, uint8_t kind, const uint8_t **data, size_t *size)
{
	static const enum evse_msg msgs[] = {
		EVSE_ADVANTICS_CONTROLLER_STATUS, EVSE_NEW_CHARGE_SESSION,     EVSE_DC_POWER_CONTROL,
		EVSE_CHARGE_SESSION_FINISHED,	  EVSE_EMERGENCY_STOP,	       EVSE_OCPP_CONTROL,
		EVSE_EV_INFORMATION_BATTERY,	  EVSE_EV_INFORMATION_VOLTAGES};
	const struct msg_layout *l = &evse_layouts[EVSE_V3_6][msgs[kind & 7]];
	struct can_frame f = {.can_id = l->id | 1u << MSG_INDEX_SHIFT, .can_dlc = l->dlc};
	uint8_t i;

	for (i = 0; i < l->dlc; i++)
		f.data[i] = take(data, size);
	if (kind & 8)
		f.can_dlc = take(data, size) & 15;
	if (kind & 16)
		f.can_id ^= (canid_t)take(data, size) << 24;
	rig_rx(r, &f);
}

/* The site: a grant to one of the last reports, its reason, or anything at all under their identifiers. */
static void send_site(struct rig *r, uint8_t kind, const uint8_t **data, size_t *size)
{
	struct can_frame f = {.can_dlc = 8};
	struct site_grant g = {.number = r->site.report.number - (take(data, size) & 7),
			       .revision = take(data, size) & 15,
			       .duration = kind & 15,
			       .charge_current_mA = take(data, size) * 1000,
			       .discharge_current_mA = take(data, size) * 100};
	uint8_t i;

	r->site.is_answering = kind & 16;
	r->site.grant_mA = g.charge_current_mA;
	if (g.revision < 12) {
		rig_site_send(r, SITE_GRANT, &g);
		return;
	}
	f.can_id = site_layouts[SITE_V1][g.revision & 1 ? SITE_GRANT : SITE_GRANT_REASON].id |
		   1u << MSG_INDEX_SHIFT;
	for (i = 0; i < 8; i++)
		f.data[i] = take(data, size);
	f.can_dlc = take(data, size) & 15;
	rig_rx(r, &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig *r = &rig;

	uint8_t how = take(&data, &size);

	rig_defaults(r);
	r->conf.charge_duration_ms = 3000;
	if (how & 2) {
		r->conf.site = EVSE_SITE_BUS;
		r->conf.site_safe_mA = (how >> 2) * 200;
		r->site.is_answering = true;
		r->site.grant_mA = 20000;
	}
	rig_start(r);
	if (how & 1)
		rig_to(r, (enum evse_state)(EVSE_ST_SESSION + take(&data, &size) % 6));
	while (size > 0) {
		uint8_t kind = take(&data, &size);

		switch (kind >> 5) {
		case 0:
		case 1:
			send_random(r, kind, &data, &size);
			break;
		case 2:
			if (how & 2)
				send_site(r, kind, &data, &size);
			else
				send_random(r, kind, &data, &size);
			break;
		case 3:
			rig_run_ms(r, take(&data, &size));
			break;
		case 4:
			r->driver.stuck_mA = (int32_t)(kind & 31) * 1000;
			break;
		case 5:
			r->module_alive = kind & 1;
			r->sends_power = kind & 2;
			r->driver.is_ready_after_wake = kind & 4;
			r->sends_emergency = kind & 8;
			break;
		case 6:
			r->driver.faults_stop = kind & 1;
			r->driver.stale_since_us = kind & 2 ? r->now_us : FC_NEVER;
			break;
		default:
			rig_run_ms(r, (int64_t)(kind & 31) * 400);
			break;
		}
		check(r);
	}
	return 0;
}
