/* SPDX-License-Identifier: MIT */
/*
 * Which half sends what: asked of the model, version by version.
 */
#include "monitor/bus_log_half.h"

#include <errno.h>
#include <stdlib.h>

#include "evse_msgs.h"
#include "pev_msgs.h"

int half_filter(struct id_filter *f, enum mon_side side, enum mon_half half)
{
	unsigned version, i, n = side == MON_EVSE ? EVSE_N_VERSIONS : PEV_N_VERSIONS;
	struct mon_model *m = malloc(sizeof(*m));

	if (!m)
		return -ENOMEM;
	for (version = 0; version < n; version++) {
		const struct mon_cfg cfg = {.side = side, .version = version};

		mon_model_init(m, &cfg, NULL, 0);
		for (i = 0; i < m->n_msgs; i++)
			if (msg_exists(&m->layouts[i]) && mon_half(m, i) == half)
				filter_add_message(f, m->layouts[i].id);
	}
	free(m);
	return 0;
}
