/* SPDX-License-Identifier: MIT */
/* A policy for a simulation. */
#include "sim/sim_run_lot_policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_LARGEST (UINT64_C(1) << 30)

static void policy_log(void *ctx, int32_t level, const char *text)
{
	const struct lot_policy *p = ctx;

	if (p->is_verbose || level <= FORECOURT_LOG_WARNING)
		fprintf(stderr, "sim-run: %s: %s\n", p->name, text);
}

/* A policy has no bus. */
static int32_t policy_send(void *ctx, uint32_t bus, const struct can_frame *frame)
{
	(void)ctx;
	(void)bus;
	(void)frame;
	return -ENOTSUP;
}

static int failed(const char *name, const char *why, int status)
{
	fprintf(stderr, "sim-run: policy %s: %s\n", name, why);
	return status;
}

int lot_policy_open(struct lot_policy *p, const char *name, const struct lot_policy_setup *setup)
{
	const struct plug_source source = {.builtin = setup->builtin};
	char err[512];
	int32_t ret;

	memset(p, 0, sizeof(*p));
	if (plug_load(&p->plug, name, FORECOURT_KIND_ALLOC_POLICY, &source, err, sizeof(err)) != 0) {
		fprintf(stderr, "sim-run: %s\n", err);
		return 2;
	}
	p->name = p->plug.record->name;
	p->is_verbose = setup->is_verbose;
	p->host = (struct forecourt_host){
		.size = sizeof(p->host), .ctx = p, .log = policy_log, .send = policy_send};
	if (plug_check_options(&p->plug, setup->kv, setup->n_kv, err, sizeof(err)) != 0)
		return failed(name, err, 2);
	p->self = calloc(1, p->plug.record->state_size + 1);
	if (!p->self)
		return failed(name, "not enough memory", 1);
	ret = p->plug.ops.policy.init(p->self, &p->host, setup->kv, setup->n_kv);
	if (ret >= 0)
		return 0;
	/* Nothing was made: nothing to end. */
	free(p->self);
	p->self = NULL;
	return failed(name, strerror(-ret), 1);
}

bool lot_policy_arena(struct lot_policy *p, const struct alloc_site *site)
{
	const struct alloc_policy_ops *ops = &p->plug.ops.policy;
	uint64_t size = ops->arena_size ? ops->arena_size(p->self, site) : 0;

	free(p->arena);
	p->arena = size < ARENA_LARGEST ? calloc(1, (size_t)size + 1) : NULL;
	return p->arena != NULL;
}

void lot_policy_close(struct lot_policy *p)
{
	if (p->self && p->plug.ops.policy.fini)
		p->plug.ops.policy.fini(p->self);
	free(p->self);
	free(p->arena);
	memset(p, 0, sizeof(*p));
}
