/* SPDX-License-Identifier: MIT */
/*
 * Sessions of a lot under any bytes: refused with a line and a sentence, or in order and free of overlaps; what is
 * read can be simulated, and nobody gets more than he wanted.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_run_lot_sim.h"

#define N_POINTS	 4
#define SIMULATED_DAYS_S (3 * 86400)

static void must(int is_true)
{
	if (!is_true)
		abort();
}

/* Four stations A to D without any limit but their own. */
static void make_model(struct site_model *m, struct site_point_conf *points, struct site_constraint_conf *all,
		       struct site_term *terms)
{
	static struct site_node_conf none[1];
	char err[256];
	uint32_t i;

	site_model_init(m, none, 1, points, N_POINTS, all, 1);
	for (i = 0; i < N_POINTS; i++) {
		struct site_point_conf p = {.node = SITE_NO_NODE,
					    .kind = SITE_AC1,
					    .phase = {1},
					    .voltage_mV = 230000,
					    .min_mA = 6000,
					    .max_mA = 32000,
					    .step_mA = 1000,
					    .weight_permille = 1000};

		p.name[0] = (char)('A' + i);
		must(site_model_add_point(m, &p, err, sizeof(err)) == 0);
		terms[i] = (struct site_term){.point = i, .coef_q16 = ALLOC_Q16};
	}
	must(site_model_add_constraint(m,
				       &(struct site_constraint_conf){.name = "main",
								      .limit_mA = 50000,
								      .term = terms,
								      .n_terms = N_POINTS,
								      .is_drawn = true},
				       err, sizeof(err)) == 0);
}

static void check_sessions(const struct lot_workload *w)
{
	int32_t free_s[N_POINTS] = {0}, last_s = 0;
	uint32_t i;

	for (i = 0; i < w->n_sessions; i++) {
		const struct lot_session *s = &w->session[i];

		must(s->point < N_POINTS && s->arrival_s >= last_s && s->departure_s > s->arrival_s);
		must(s->arrival_s >= free_s[s->point] && s->departure_s <= w->end_s);
		must(s->energy_uJ >= 0 && (s->stated_s >= 0 || s->stated_s == LOT_NOT_STATED));
		last_s = s->arrival_s;
		free_s[s->point] = s->departure_s;
	}
}

static void simulate(const struct site_model *m, const struct lot_workload *w)
{
	struct lot_result result;
	struct lot_sim sim;
	char err[256];
	uint32_t i;

	must(lot_sim_init(&sim, m, w, NULL, w->has_stated, err, sizeof(err)) == 0);
	lot_sim_run(&sim, NULL, NULL, NULL, NULL, &result);
	for (i = 0; i < w->n_sessions; i++)
		must(sim.delivered_uJ[i] >= 0 && sim.delivered_uJ[i] <= w->session[i].energy_uJ);
	must(result.peak_mA <= 50000 && result.n_faults == 0);
	lot_sim_free(&sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct site_point_conf points[N_POINTS];
	struct site_constraint_conf constraint[1];
	struct site_term terms[N_POINTS];
	struct site_model model;
	struct lot_workload work;
	char err[256] = "";
	void *block;

	make_model(&model, points, constraint, terms);
	block = malloc(site_model_size(&model));
	must(block && site_model_compile(&model, block, err, sizeof(err)) == 0);
	if (lot_workload_read(&work, &model, "f.csv", (const char *)data, size, INT32_MAX, err,
			      sizeof(err)) == 0) {
		check_sessions(&work);
		if (work.end_s <= SIMULATED_DAYS_S)
			simulate(&model, &work);
		lot_workload_free(&work);
	} else {
		must(strncmp(err, "f.csv:", 6) == 0 && strlen(err) > 10);
	}
	free(block);
	return 0;
}
