/* SPDX-License-Identifier: MIT */
/* The site's monitor under test. */
#include "tests/lib/site_mon_rig.h"

#include <stdlib.h>
#include <string.h>

int smon_rig_set_up(void **state)
{
	struct smon_rig *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	r->now_us = SMON_RIG_BEGIN_US;
	smon_names_init(&r->names);
	smon_init(&r->model, NULL, r->now_us);
	smon_view_init(&r->view);
	*state = r;
	return 0;
}

int smon_rig_tear_down(void **state)
{
	free(*state);
	return 0;
}

void smon_rig_send(struct smon_rig *r, enum site_msg msg, unsigned number, const void *content)
{
	struct can_frame f;

	msg_to_frame(&site_layouts[SITE_V1][msg], content, number, &f);
	smon_rx(&r->model, r->now_us, 0, &f);
}

void smon_rig_report(struct smon_rig *r, uint32_t number, uint8_t ack_age, uint8_t ack_revision)
{
	const struct site_point_report m = {.number = number,
					    .ack_age = ack_age,
					    .ack_revision = ack_revision,
					    .state = SITE_POINT_REPORT_STATE_CHARGING,
					    .may_draw_mA = 16000};
	const struct site_point_demand d = {
		.requested_mA = 32000, .present_mA = 15500, .maximum_mA = 63000, .minimum_mA = 6000};
	const struct site_point_session s = {
		.energy_wanted = 205, .departure = 90, .plugged_for = 3, .state_of_charge = 42};

	smon_rig_send(r, SITE_POINT_REPORT, SMON_RIG_POINT, &m);
	smon_rig_send(r, SITE_POINT_DEMAND, SMON_RIG_POINT, &d);
	smon_rig_send(r, SITE_POINT_SESSION, SMON_RIG_POINT, &s);
}

void smon_rig_grant(struct smon_rig *r, uint32_t number, uint8_t revision, int32_t mA)
{
	const struct site_grant g = {
		.number = number, .revision = revision, .duration = 5, .charge_current_mA = mA};
	const struct site_grant_reason why = {
		.reason = SITE_GRANT_REASON_REASON_LIMIT, .row = 7, .node = 2, .phase = 1};

	smon_rig_send(r, SITE_GRANT, SMON_RIG_POINT, &g);
	smon_rig_send(r, SITE_GRANT_REASON, SMON_RIG_POINT, &why);
}

void smon_rig_row(struct smon_rig *r, uint16_t number, int32_t taken_mA, int32_t limit_mA)
{
	const struct site_row_load l = {
		.row = number, .drawn_mA = 15500, .taken_mA = taken_mA, .limit_mA = limit_mA};

	smon_rig_send(r, SITE_ROW_LOAD, 0, &l);
}

void smon_rig_status(struct smon_rig *r, uint8_t alarm)
{
	const struct site_status s = {.state = SITE_STATUS_STATE_RUNNING,
				      .policy = SITE_STATUS_POLICY_FAIR,
				      .points = 4,
				      .alarm = alarm};

	smon_rig_send(r, SITE_STATUS, 0, &s);
}

const struct smon_point *smon_rig_point(const struct smon_rig *r)
{
	return &r->model.point[0][SMON_RIG_POINT];
}

bool smon_rig_has_event(const struct smon_rig *r, const char *text)
{
	const struct smon_event *e;
	uint32_t i;

	for (i = 0; (e = smon_event(&r->model, i)) != NULL; i++)
		if (strstr(e->text, text))
			return true;
	return false;
}
