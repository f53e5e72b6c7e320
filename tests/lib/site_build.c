/* SPDX-License-Identifier: MIT */
/* A small site for tests. */
#include "tests/lib/site_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int site_build_set_up(void **state)
{
	struct site_build_rig *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	site_model_init(&f->m, f->node, SITE_BUILD_MAX, f->point, SITE_BUILD_MAX, f->constraint,
			SITE_BUILD_MAX);
	*state = f;
	return 0;
}

int site_build_tear_down(void **state)
{
	struct site_build_rig *f = *state;

	free(f->block);
	free(f);
	return 0;
}

struct site_node_conf site_build_node(const char *name, uint32_t parent, int32_t limit_mA)
{
	struct site_node_conf n = {
		.parent = parent, .limit_mA = {limit_mA, limit_mA, limit_mA}, .voltage_mV = 230000};

	snprintf(n.name, sizeof(n.name), "%s", name);
	return n;
}

struct site_point_conf site_build_point(const char *name, uint32_t node, enum site_kind kind, uint8_t phase)
{
	struct site_point_conf p = {
		.node = node,
		.kind = (int32_t)kind,
		.phase = {phase, (uint8_t)(phase % 3 + 1), (uint8_t)((phase + 1) % 3 + 1)},
		.min_mA = 6000,
		.max_mA = 32000,
		.step_mA = 1000,
		.weight_permille = 1000};

	snprintf(p.name, sizeof(p.name), "%s", name);
	return p;
}

struct site_point_conf site_build_line_point(const char *name, uint32_t node, uint8_t from, uint8_t to)
{
	struct site_point_conf p = site_build_point(name, node, SITE_AC1, from);

	p.phase[1] = to;
	p.is_line_to_line = true;
	return p;
}

int site_build_add_node(struct site_build_rig *f, struct site_node_conf n)
{
	return site_model_add_node(&f->m, &n, f->err, sizeof(f->err));
}

int site_build_add_point(struct site_build_rig *f, struct site_point_conf p)
{
	return site_model_add_point(&f->m, &p, f->err, sizeof(f->err));
}

int site_build_compile(struct site_build_rig *f)
{
	free(f->block);
	f->block = calloc(1, site_model_size(&f->m));
	assert_non_null(f->block);
	return site_model_compile(&f->m, f->block, f->err, sizeof(f->err));
}

/* Index of a row by its name, or fails. */
uint32_t site_build_row_named(const struct site_build_rig *f, const char *name)
{
	char text[64];
	uint32_t r;

	for (r = 0; r < f->m.site.n_rows; r++)
		if (strcmp(site_row_name(&f->m, r, text, sizeof(text)), name) == 0)
			return r;
	fail_msg("no row %s", name);
	return 0;
}

const struct alloc_member *site_build_member(const struct site_build_rig *f, const char *row, uint32_t i)
{
	const struct alloc_row *r = &f->m.site.row[site_build_row_named(f, row)];

	assert_true(i < r->n_members);
	return &f->m.site.member[r->first_member + i];
}

int site_build_add_constraint(struct site_build_rig *f, const char *name, const struct site_term *term,
			      uint32_t n, bool is_drawn)
{
	struct site_constraint_conf c = {
		.limit_mA = 100000, .term = term, .n_terms = n, .is_drawn = is_drawn};

	snprintf(c.name, sizeof(c.name), "%s", name);
	return site_model_add_constraint(&f->m, &c, f->err, sizeof(f->err));
}

void site_build_free_points(struct site_build_rig *f, uint32_t n)
{
	char name[16];
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct site_point_conf p;

		snprintf(name, sizeof(name), "P%u", (unsigned)i);
		p = site_build_point(name, SITE_NO_NODE, SITE_AC1, 1);
		p.voltage_mV = 230000;
		assert_int_equal(site_build_add_point(f, p), 0);
	}
}

/* A small generator: the same numbers everywhere. */
uint32_t site_build_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}
