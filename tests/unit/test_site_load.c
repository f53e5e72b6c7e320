/* SPDX-License-Identifier: MIT */
/*
 * Tables of values and networks of stations: what is read, and that everything else is an error with its place. Files
 * are made by the tests; those of ../shared/workloads are read where they are there.
 */
#include "site-ctrl/load_csv.h"
#include "site-ctrl/load_net.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/site_files.h"
#include "tests/lib/site_judge.h"

/* --- decimals and tables -------------------------------------------------------------------------------- */

static int64_t decimal(const char *text, int digits, enum load_round round)
{
	int64_t v = -1;

	if (load_decimal(text, digits, round, &v))
		fail_msg("%s is refused", text);
	return v;
}

static void test_decimal_is_exact_and_rounds_as_told(void **state)
{
	int64_t v;

	(void)state;
	assert_int_equal(decimal("1.203369434", 9, LOAD_ROUND_DOWN), 1203369434);
	assert_int_equal(decimal("-90", 3, LOAD_ROUND_NEAREST), -90000);
	assert_int_equal(decimal("0.1239", 3, LOAD_ROUND_DOWN), 123);
	assert_int_equal(decimal("0.1235", 3, LOAD_ROUND_NEAREST), 124);
	assert_int_equal(decimal("-0.1235", 3, LOAD_ROUND_NEAREST), -124);
	assert_int_equal(decimal("0.1230000000000000000000001", 3, LOAD_ROUND_UP), 124);
	assert_int_equal(decimal("0.0004", 3, LOAD_ROUND_NEAREST), 0);
	assert_int_equal(decimal("0.0005", 3, LOAD_ROUND_NEAREST), 1);
	assert_int_equal(decimal("1.5e-3", 3, LOAD_ROUND_UP), 2);
	assert_int_equal(decimal("2.5E+2", 0, LOAD_ROUND_DOWN), 250);
	assert_int_equal(decimal(".5", 1, LOAD_ROUND_DOWN), 5);
	assert_int_equal(decimal("0e9999", 3, LOAD_ROUND_DOWN), 0);
	assert_int_equal(decimal("1e-9999", 3, LOAD_ROUND_UP), 1);
	assert_int_equal(load_decimal("1e18", 3, LOAD_ROUND_DOWN, &v), -ERANGE);
	assert_int_equal(load_decimal("99999999999999999999", 3, LOAD_ROUND_DOWN, &v), -ERANGE);
	assert_int_equal(load_decimal("", 3, LOAD_ROUND_DOWN, &v), -EINVAL);
	assert_int_equal(load_decimal("1,5", 3, LOAD_ROUND_DOWN, &v), -EINVAL);
	assert_int_equal(load_decimal("nan", 3, LOAD_ROUND_DOWN, &v), -EINVAL);
	assert_int_equal(load_decimal("0x10", 3, LOAD_ROUND_DOWN, &v), -EINVAL);
	assert_int_equal(load_decimal("1e", 3, LOAD_ROUND_DOWN, &v), -EINVAL);
	assert_int_equal(load_decimal(" 1", 3, LOAD_ROUND_DOWN, &v), -EINVAL);
}

static void test_coefficient_quarters_are_exact_and_others_round_up(void **state)
{
	int32_t c;

	(void)state;
	assert_int_equal(load_coef_q16("0.25", &c), 0);
	assert_int_equal(c, 16384);
	assert_int_equal(load_coef_q16("-0.5", &c), 0);
	assert_int_equal(c, -32768);
	assert_int_equal(load_coef_q16("0.3333", &c), 0);
	assert_int_equal(c, 21844); /* 21843.1 */
	assert_int_equal(load_coef_q16("0", &c), -EINVAL);
	assert_int_equal(load_coef_q16("257", &c), -ERANGE);
}

static const char *const two_columns[] = {"name", "amps", "note"};

static void test_csv_quotes_line_ends_and_column_order_do_not_matter(void **state)
{
	struct site_files *f = *state;
	struct load_csv c;

	site_files_put(f, "t.csv", "\xEF\xBB\xBFnote,name,amps\r\n\"a, \"\"b\"\"\",X,5\r\n\n,\"Y\",\"\"\n");
	assert_int_equal(load_csv_open(&c, f->path[0], two_columns, 2, 3, f->err, sizeof(f->err)), 0);
	assert_int_equal(load_csv_next(&c, f->err, sizeof(f->err)), 1);
	assert_string_equal(load_csv_get(&c, 0), "X");
	assert_string_equal(load_csv_get(&c, 1), "5");
	assert_string_equal(load_csv_get(&c, 2), "a, \"b\"");
	assert_int_equal(load_csv_next(&c, f->err, sizeof(f->err)), 1);
	assert_int_equal(c.line, 4);
	assert_string_equal(load_csv_get(&c, 0), "Y");
	assert_string_equal(load_csv_get(&c, 1), "");
	assert_int_equal(load_csv_next(&c, f->err, sizeof(f->err)), 0);
	load_csv_close(&c);
}

static void assert_csv_refused(struct site_files *f, const char *text, unsigned line, const char *part)
{
	struct load_csv c;
	int r;

	site_files_put(f, "t.csv", text);
	r = load_csv_open(&c, f->path[0], two_columns, 2, 3, f->err, sizeof(f->err));
	if (r == 0) {
		do {
			r = load_csv_next(&c, f->err, sizeof(f->err));
		} while (r > 0);
		load_csv_close(&c);
	}
	assert_true(r < 0);
	site_files_assert_sentence(f, "t.csv", line, part);
}

static void test_csv_bad_tables_are_refused_with_their_line(void **state)
{
	struct site_files *f = *state;
	struct load_csv c;

	assert_csv_refused(f, "", 0, "is empty");
	assert_csv_refused(f, "\n\n", 2, "no line of column names");
	assert_csv_refused(f, "name,amps\nX,5", 2, "last line has no end");
	assert_csv_refused(f, "name\nX\n", 1, "column is missing: amps");
	assert_csv_refused(f, "name,amps,volts\n", 1, "unknown column: volts");
	assert_csv_refused(f, "name,amps,name\n", 1, "column appears twice: name");
	assert_csv_refused(f, "name,amps\nX,5\nY\n", 3, "1 fields, but 2 columns");
	assert_csv_refused(f, "name,amps\n\"X,5\n", 2, "quote without an end");
	assert_csv_refused(f, "name,amps\n\"X\"Y,5\n", 2, "text behind a quote");
	assert_csv_refused(f, "name,amps\n1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7\n", 2, "more than 16 fields");
	assert_int_equal(load_csv_open(&c, "/nonexistent.csv", two_columns, 2, 3, f->err, sizeof(f->err)),
			 -ENOENT);
	assert_int_equal(load_csv_open(&c, f->dir, two_columns, 2, 3, f->err, sizeof(f->err)), -EISDIR);
}

/* --- networks ------------------------------------------------------------------------------------------- */

#define STATIONS "station,phase_deg,volts,min_a,max_a,steps\n"
#define MEMBERS	 "constraint,limit_a,limit_a_per_kw,station,coef\n"

static int load_net(struct site_files *f, const char *stations, const char *members, int64_t size_W,
		    bool is_continuous)
{
	char base[96];

	site_files_put(f, "n_stations.csv", stations);
	site_files_put(f, "n_constraints.csv", members);
	snprintf(base, sizeof(base), "%s/n", f->dir);
	site_load_free(&f->l);
	f->err[0] = '\0';
	return site_load_net(&f->l, base, size_W, is_continuous, f->err, sizeof(f->err));
}

static void test_net_stations_and_constraints_become_points_and_rows(void **state)
{
	struct site_files *f = *state;
	const struct site_model *m = &f->l.model;

	/* Members of a constraint are not together, and not in the order of the stations. */
	assert_int_equal(
		load_net(
			f,
			STATIONS "A,30,208.0,6,32,1\nB,-90,208,8,32,8;16;24;32\n\"C,1\",150,208,6,16.5,1\n",
			MEMBERS
			"line,,1.203369434,B,-0.5\npod,80,,A,1\nline,,1.203369434,A,0.25\npod,80,,\"C,1\",1\n",
			30000, false),
		0);
	assert_int_equal(m->n_points, 3);
	assert_int_equal(m->point[1].angle_mdeg, -90000);
	assert_int_equal(m->point[1].n_levels, 4);
	assert_int_equal(m->point[1].level_mA[3], 32000);
	assert_int_equal(m->point[0].step_mA, 1000);
	assert_int_equal(m->point[2].max_mA, 16500);
	assert_int_equal(m->point[2].voltage_mV, 208000);
	assert_int_equal(m->site.n_rows, 2);
	assert_int_equal(m->info[0].limit_mA, 36101); /* down */
	assert_int_equal(m->info[1].limit_mA, 80000);
	assert_int_equal(m->site.row[0].n_dirs, 2);
	assert_int_equal(m->site.member[0].point, 0);
	assert_int_equal(m->site.member[0].coef_q16, 16384);
	assert_int_equal(m->site.member[1].coef_q16, 32768);
	assert_string_equal(m->point[2].name, "C,1");
}

static void test_net_continuous_has_no_minimum_and_no_steps(void **state)
{
	struct site_files *f = *state;

	assert_int_equal(
		load_net(f, STATIONS "A,0,230,6,32,1\nB,0,230,8,32,8;16\n", MEMBERS "m,80,,A,1\n", 0, true),
		0);
	assert_int_equal(f->l.model.point[0].min_mA, 0);
	assert_int_equal(f->l.model.point[0].step_mA, 1);
	assert_int_equal(f->l.model.point[1].n_levels, 0);
	assert_int_equal(f->l.model.point[1].max_mA, 32000);
}

static void assert_net_refused(struct site_files *f, const char *stations, const char *members,
			       const char *file, unsigned line, const char *part)
{
	assert_true(load_net(f, stations, members, 0, false) < 0);
	site_files_assert_sentence(f, file, line, part);
}

static void test_net_bad_stations_are_refused_with_their_line(void **state)
{
	static const char member[] = MEMBERS "m,80,,A,1\n", file[] = "n_stations.csv";
	struct site_files *f = *state;

	assert_net_refused(f, STATIONS, member, file, 1, "no stations");
	assert_net_refused(f, STATIONS "A,0,230,6,32,1\nA,0,230,6,32,1\n", member, file, 3,
			   "point A is there already");
	assert_net_refused(f, STATIONS "A,x,230,6,32,1\n", member, file, 2, "phase_deg is not a number: 'x'");
	assert_net_refused(f, STATIONS "A,0,-3,6,32,1\n", member, file, 2, "volts is out of range: -3");
	assert_net_refused(f, STATIONS "A,0,230,6,99999,1\n", member, file, 2, "max_a is out of range");
	assert_net_refused(f, STATIONS "A,0,230,40,32,1\n", member, file, 2,
			   "minimum is not 0 to its maximum");
	assert_net_refused(f, STATIONS "A,0,230,6,32,8;;16\n", member, file, 2, "steps is neither 1 nor");
	assert_net_refused(f, STATIONS "A,0,230,6,32,16;8\n", member, file, 2, "not ascending");
	assert_net_refused(f, STATIONS "A,0,230,6.5,32,1\n", member, file, 2, "no multiple of its step");
	assert_net_refused(f, STATIONS ",0,230,6,32,1\n", member, file, 2, "point without a name");
}

static void test_net_bad_constraints_are_refused_with_their_line(void **state)
{
	static const char station[] = STATIONS "A,0,230,6,32,1\nB,0,230,6,32,1\n",
			  file[] = "n_constraints.csv";
	struct site_files *f = *state;

	assert_net_refused(f, station, MEMBERS "m,80,,A,1\nm,80,,C,1\n", file, 3, "unknown station: C");
	assert_net_refused(f, station, MEMBERS "m,80,,A,0\n", file, 2, "coef is not a number other than 0");
	assert_net_refused(f, station, MEMBERS "m,,,A,1\n", file, 2, "either limit_a or limit_a_per_kw");
	assert_net_refused(f, station, MEMBERS "m,80,1,A,1\n", file, 2, "either limit_a or limit_a_per_kw");
	assert_net_refused(f, station, MEMBERS "m,80,,A,1\nx,9,,A,1\nm,81,,B,1\n", file, 4,
			   "constraint m has another limit here than in line 2");
	assert_net_refused(f, station, MEMBERS "m,80,,A,1\nm,80,,A,1\n", file, 2,
			   "constraint m has station A twice");
	assert_net_refused(f, station, MEMBERS "m,,1.5,A,1\n", file, 2,
			   "the size of the transformer is needed");
	assert_net_refused(f, station, MEMBERS ",80,,A,1\n", file, 2, "name of a constraint");
}

static void test_net_many_stations_load_at_once(void **state)
{
	enum { N = 12000 };
	struct site_files *f = *state;
	size_t size = N * 48;
	char *stations = malloc(size), *members = malloc(size);
	size_t a = (size_t)sprintf(stations, STATIONS), b = (size_t)sprintf(members, MEMBERS);
	struct timespec start, end;
	int i;

	for (i = 0; i < N; i++) {
		a += (size_t)sprintf(stations + a, "S%05d,0,230,6,32,1\n", i);
		/* Each line another constraint than the one above. */
		b += (size_t)sprintf(members + b, "board %d,100,,S%05d,1\n", i % 500, i);
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(load_net(f, stations, members, 0, false), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(f->l.model.n_points, N);
	assert_int_equal(f->l.model.site.n_rows, 500);
	assert_int_equal(f->l.model.site.row[499].n_members, N / 500);
	site_judge_rows(&f->l.model);
	assert_true(end.tv_sec - start.tv_sec < 10);
	free(stations);
	free(members);
}

static void test_net_published_ones_load(void **state)
{
	static const struct {
		const char *base;
		uint32_t n_points, n_rows;
	} net[] = {{"../shared/workloads/net_caltech", 54, 8},
		   {"../shared/workloads/net_jpl", 52, 24},
		   {"../shared/workloads/net_garage", 68, 12}};
	struct site_files *f = *state;
	uint32_t i;

	if (access("../shared/workloads/net_caltech_stations.csv", R_OK)) {
		print_message("no ../shared/workloads here\n");
		skip();
	}
	for (i = 0; i < sizeof(net) / sizeof(net[0]); i++) {
		site_load_free(&f->l);
		assert_int_equal(site_load_net(&f->l, net[i].base, 50000, false, f->err, sizeof(f->err)), 0);
		assert_int_equal(f->l.model.n_points, net[i].n_points);
		assert_int_equal(f->l.model.site.n_rows, net[i].n_rows);
		site_judge_rows(&f->l.model);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, site_files_set_up, site_files_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decimal_is_exact_and_rounds_as_told),
		cmocka_unit_test(test_coefficient_quarters_are_exact_and_others_round_up),
		T(test_csv_quotes_line_ends_and_column_order_do_not_matter),
		T(test_csv_bad_tables_are_refused_with_their_line),
		T(test_net_stations_and_constraints_become_points_and_rows),
		T(test_net_continuous_has_no_minimum_and_no_steps),
		T(test_net_bad_stations_are_refused_with_their_line),
		T(test_net_bad_constraints_are_refused_with_their_line),
		T(test_net_many_stations_load_at_once),
		T(test_net_published_ones_load),
	};

	return cmocka_run_group_tests_name("site_load", tests, NULL, NULL);
}
