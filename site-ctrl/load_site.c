/* SPDX-License-Identifier: MIT */
/*
 * Growing arrays for a site that is being read. Shell.
 */
#include "site-ctrl/load_site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_N 64

/* Room for n more in an array of *max elements that has used; false: no memory, the array as it was. */
static bool grow(void **array, uint32_t *max, size_t used, size_t n, size_t size)
{
	size_t want = *max ? *max : FIRST_N;
	void *bigger;

	if (used + n <= *max)
		return true;
	while (want < used + n)
		want *= 2;
	if (want > UINT32_MAX / 2)
		return false;
	bigger = realloc(*array, want * size);
	if (!bigger)
		return false;
	*array = bigger;
	*max = (uint32_t)want;
	return true;
}

static int no_memory(char *err, size_t err_size)
{
	snprintf(err, err_size, "not enough memory");
	return -ENOMEM;
}

int site_load_begin(struct site_load *l, char *err, size_t err_size)
{
	(void)err;
	(void)err_size;
	memset(l, 0, sizeof(*l));
	site_model_init(&l->model, NULL, 0, NULL, 0, NULL, 0);
	return 0;
}

int site_load_add_node(struct site_load *l, const struct site_node_conf *n, char *err, size_t err_size)
{
	struct site_model *m = &l->model;
	void *array = m->node;

	if (m->n_nodes < SITE_MAX_NODES && !grow(&array, &m->max_nodes, m->n_nodes, 1, sizeof(*m->node)))
		return no_memory(err, err_size);
	m->node = array;
	return site_model_add_node(m, n, err, err_size);
}

/* An array of places in a pool, as long as the array of its owners. */
static bool note_place(uint32_t **places, uint32_t n, uint32_t max, uint32_t at)
{
	if (n >= max)
		return true; /* full: the owner will be refused */
	if (!*places || (n & (n - 1)) == 0) {
		uint32_t *bigger = realloc(*places, (size_t)max * sizeof(**places));

		if (!bigger)
			return false;
		*places = bigger;
	}
	(*places)[n] = at;
	return true;
}

int site_load_add_point(struct site_load *l, const struct site_point_conf *p, char *err, size_t err_size)
{
	struct site_model *m = &l->model;
	struct site_point_conf copy = *p;
	void *array = m->point, *pool = l->level;
	bool has_room = true;
	int r;

	if (m->n_points < SITE_MAX_POINTS)
		has_room = grow(&array, &m->max_points, m->n_points, 1, sizeof(*m->point));
	m->point = array;
	has_room = has_room && grow(&pool, &l->max_levels, l->n_levels, p->n_levels, sizeof(*l->level)) &&
		   note_place(&l->point_level, m->n_points, m->max_points, l->n_levels);
	l->level = pool;
	if (!has_room)
		return no_memory(err, err_size);
	if (p->n_levels)
		memcpy(&l->level[l->n_levels], p->level_mA, p->n_levels * sizeof(*l->level));
	copy.level_mA = p->n_levels ? &l->level[l->n_levels] : NULL;
	r = site_model_add_point(m, &copy, err, err_size);
	if (!r)
		l->n_levels += p->n_levels;
	return r;
}

int site_load_add_constraint(struct site_load *l, const struct site_constraint_conf *c, char *err,
			     size_t err_size)
{
	struct site_model *m = &l->model;
	struct site_constraint_conf copy = *c;
	void *array = m->constraint, *pool = l->term;
	bool has_room = grow(&array, &m->max_constraints, m->n_constraints, 1, sizeof(*m->constraint));
	int r;

	m->constraint = array;
	has_room = has_room && grow(&pool, &l->max_terms, l->n_terms, c->n_terms, sizeof(*l->term)) &&
		   note_place(&l->constraint_term, m->n_constraints, m->max_constraints, l->n_terms);
	l->term = pool;
	if (!has_room)
		return no_memory(err, err_size);
	if (c->n_terms)
		memcpy(&l->term[l->n_terms], c->term, c->n_terms * sizeof(*l->term));
	copy.term = c->n_terms ? &l->term[l->n_terms] : NULL;
	r = site_model_add_constraint(m, &copy, err, err_size);
	if (!r)
		l->n_terms += c->n_terms;
	return r;
}

int site_load_finish(struct site_load *l, char *err, size_t err_size)
{
	struct site_model *m = &l->model;
	void *block;
	uint32_t i;

	if (m->n_points == 0) {
		snprintf(err, err_size, "no charge points");
		return -EINVAL;
	}
	/* The pools moved while they grew. */
	for (i = 0; i < m->n_points; i++)
		if (m->point[i].n_levels)
			m->point[i].level_mA = &l->level[l->point_level[i]];
	for (i = 0; i < m->n_constraints; i++)
		m->constraint[i].term = &l->term[l->constraint_term[i]];
	block = calloc(1, site_model_size(m));
	if (!block)
		return no_memory(err, err_size);
	free(m->block);
	m->block = block;
	return site_model_compile(m, block, err, err_size);
}

void site_load_free(struct site_load *l)
{
	free(l->model.node);
	free(l->model.point);
	free(l->model.constraint);
	free(l->model.block);
	free(l->term);
	free(l->level);
	free(l->point_level);
	free(l->constraint_term);
	memset(l, 0, sizeof(*l));
}
