/* SPDX-License-Identifier: MIT */
/* The real site machine (site-ctrl/site.h) in the world of the tests of leases: single-phase points, equal share. */
#ifndef TESTS_LEASE_SITE_H
#define TESTS_LEASE_SITE_H

#include "site-ctrl/site.h"
#include "tests/lib/lease_world.h"

struct lease_site {
	struct site_model model;
	struct site_node_conf node[JUDGE_MAX_ROWS];
	struct site_point_conf point[JUDGE_MAX_POINTS];
	struct site_limits limits;
	struct site site;
	struct site_conf conf;
	struct log_sink sink;
	struct out_queue out;
	void *model_block, *limits_block, *site_block;
	char err[200];
};

/* Builds the site for a world that has been laid out: call after lease_world_init(). False: see err. */
bool lease_site_build(struct lease_site *s, const struct lease_world *w);
void lease_site_free(struct lease_site *s);
/* What lease_world_init() wants. */
struct world_site lease_site_ops(struct lease_site *s);

#endif
