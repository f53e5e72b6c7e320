/* SPDX-License-Identifier: MIT */
/* A whole session of the simulators, heard by two models. */
#include "tests/lib/mon_session_rig.h"

#include <evse_msgs.h>
#include <pev_msgs.h>

#include "tests/lib/point_rig.h"

static void on_frame(void *ctx, int64_t time_us, unsigned sender, const struct can_frame *f)
{
	struct mon_session_rig *r = ctx;

	(void)sender;
	while (time_us > r->next_us) {
		for (int i = 0; i < 2; i++)
			mon_model_tick(&r->model[i], r->next_us);
		if (r->each)
			r->each(r->ctx, r);
		r->next_us += 100000;
	}
	for (int i = 0; i < 2; i++)
		mon_model_rx(&r->model[i], time_us, f);
}

void mon_session_rig_run(struct mon_session_rig *r, const char *const *settings)
{
	static struct point_rig rig;
	const struct mon_cfg cfgs[2] = {{.side = MON_EVSE, .version = EVSE_V3_6},
					{.side = MON_PEV, .version = PEV_V2_5}};

	point_rig_defaults(&rig);
	for (; *settings; settings++)
		point_rig_set(&rig, *settings);
	point_rig_start(&rig);
	for (int i = 0; i < 2; i++)
		mon_model_init(&r->model[i], &cfgs[i], &r->sink[i], rig.point.world.now_us);
	r->next_us = rig.point.world.now_us + 50000; /* between the frames of the cycles */
	can_hub_set_tap(&rig.point.world.hub, on_frame, r);
	point_rig_run_session(&rig);
	/* The charger's module is idle; both sides get the time to say so. */
	point_rig_run_s(&rig, 1);
}
