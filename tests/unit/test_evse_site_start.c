/* SPDX-License-Identifier: MIT */
/* A charge point under a site: how its start waits for a grant, and what the operator says and is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/evse_rig.h"

static struct rig rig;

#define SESSION (&rig.point.session)

static int setup(void **state)
{
	rig_defaults(&rig);
	rig.conf.site = EVSE_SITE_BUS;
	*state = &rig;
	return 0;
}

static void answer(struct rig *r, int32_t grant_mA)
{
	r->site.is_answering = true;
	r->site.grant_mA = grant_mA;
}

/* Transfer under a grant. */
static struct rig *charge(int32_t grant_mA)
{
	struct rig *r = &rig;

	answer(r, grant_mA);
	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_run_ms(r, 15000);
	return r;
}

/* --- the start waits ---------------------------------------------------------------------------------- */

static void connect(struct rig *r)
{
	struct evse_new_charge_session ncs = {.communication_protocol = 2, .plug_and_pins = 1};

	rig_module_state(r, EVSE_MS_CONNECTED);
	rig_send(r, EVSE_NEW_CHARGE_SESSION, &ncs);
	r->sends_new_session = true;
}

static void test_start_waits_for_the_minimum_and_goes_on_by_itself(void **state)
{
	struct rig *r = *state;

	rig_start_to(r, EVSE_ST_IDLE);
	connect(r);
	rig_run_ms(r, 20000);
	assert_int_equal(r->sequence.charge_parameters_done, 0);
	assert_int_equal(r->status.system_enable, 0);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_WAITING);
	assert_in_range(r->site.demand.requested_mA, 70000, 100000);
	answer(r, 1900); /* less than the least */
	rig_run_ms(r, 3000);
	assert_int_equal(r->status.system_enable, 0);
	r->site.grant_mA = 2000;
	rig_run_ms(r, 1600);
	assert_int_equal(r->sequence.charge_parameters_done, 1);
	assert_int_equal(r->status.system_enable, 1);
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_CHARGING);
	r->site.is_answering = false; /* once 1, System_Enable does not go back for want of a grant */
	rig_run_ms(r, 15000);
	assert_int_equal(r->status.system_enable, 1);
}

static void test_start_needs_no_site_where_the_safe_current_suffices(void **state)
{
	struct rig *r = *state;

	r->conf.site_safe_mA = 8000;
	rig_start_to(r, EVSE_ST_TRANSFER);
	rig_run_ms(r, 1000);
	assert_in_range(r->driver.sp.i_max_mA, 12900, 13163);
	assert_int_equal(r->site.report.may_draw_mA, 8000);
}

static void test_start_waits_best_in_the_authorisation(void **state)
{
	struct rig *r = *state;

	r->conf.authorisation_ms = 1000;
	rig_start_to(r, EVSE_ST_IDLE);
	rig_module_state(r, EVSE_MS_AUTHORISATION);
	rig_run_ms(r, 600000); /* ISO 15118-2: as long as a person may take */
	assert_int_equal(r->sequence.ccs_authorisation_done, 0);
	answer(r, 6000);
	rig_run_ms(r, 1200);
	assert_int_equal(r->sequence.ccs_authorisation_done, 1);
	assert_int_equal(r->sequence.ccs_authorisation_valid, 1);
}

static void test_start_free_authorisation_waits_too(void **state)
{
	struct rig *r = *state;

	r->conf.authorisation_ms = 0;
	rig_start_to(r, EVSE_ST_IDLE);
	rig_module_state(r, EVSE_MS_NEGOTIATING);
	rig_run_ms(r, 2000);
	assert_int_equal(r->sequence.ccs_authorisation_done, 0);
	answer(r, 6000);
	rig_run_ms(r, 1200);
	assert_int_equal(r->sequence.ccs_authorisation_valid, 1);
}

static void test_start_refusal_does_not_wait(void **state)
{
	struct rig *r = *state;

	r->conf.authorisation_ms = 1000;
	r->conf.is_authorised = 0;
	rig_start_to(r, EVSE_ST_IDLE);
	rig_module_state(r, EVSE_MS_AUTHORISATION);
	rig_run_ms(r, 1200);
	assert_int_equal(r->sequence.ccs_authorisation_done, 1);
	assert_int_equal(r->sequence.ccs_authorisation_valid, 0);
}

static void test_start_operators_yes_is_kept_until_there_is_a_grant(void **state)
{
	struct rig *r = *state;

	r->conf.authorisation_ms = -1;
	r->conf.is_authorised = 0;
	rig_start_to(r, EVSE_ST_IDLE);
	rig_module_state(r, EVSE_MS_AUTHORISATION);
	rig_run_ms(r, 1000);
	evse_session_authorise(SESSION, true, &r->point.inner);
	rig_run_ms(r, 5000);
	assert_int_equal(r->sequence.ccs_authorisation_done, 0);
	answer(r, 6000);
	rig_run_ms(r, 1200);
	assert_int_equal(r->sequence.ccs_authorisation_done, 1);
	assert_int_equal(r->sequence.ccs_authorisation_valid, 1);
}

/* --- words and settings ------------------------------------------------------------------------------- */

static int ask(const char *line, char *text, size_t size)
{
	struct evse_station st;
	int ret;

	evse_station_init(&st);
	evse_station_add(&st, &rig.point);
	ret = evse_station_ops.command(&st, rig.now_us, line, text, size, &rig.out);
	out_queue_clear(&rig.out);
	return ret;
}

static void test_words_status_and_site_tell_the_grant_and_its_reason(void **state)
{
	struct site_grant_reason why = {.reason = 2, .row = 5, .node = 3, .phase = 1, .aim_mA = 40000};
	struct rig *r = charge(32000);
	char text[4096];

	(void)state;
	rig_site_send(r, SITE_GRANT_REASON, &why);
	assert_int_equal(ask("status", text, sizeof(text)), 0);
	assert_non_null(strstr(text, "limit=grant\n"));
	assert_non_null(strstr(text, "site_grant_mA=32000\n"));
	assert_non_null(strstr(text, "site_reason=Limit\n"));
	assert_non_null(strstr(text, "site_node=3\n"));
	assert_null(strstr(text, "site_lease_ms=0\n"));
	assert_int_equal(ask("1 site", text, sizeof(text)), 0);
	assert_non_null(strstr(text, "site_row=5\nsite_phase=1\nsite_aim_mA=40000\n"));
	assert_non_null(strstr(text, "site_state=Charging\n"));
	assert_non_null(strstr(text, "site_dropped=0\n"));
}

static void test_words_need_is_checked_and_takes_its_number_in_either_place(void **state)
{
	struct rig *r = charge(32000);
	char text[4096];

	(void)state;
	assert_int_equal(ask("need 1 energy_kWh 12.5 departure_min 45 priority 2", text, sizeof(text)), 0);
	assert_int_equal(SESSION->site.need.energy_Wh, 12500);
	assert_int_equal(SESSION->site.need.departure_us, r->now_us + 45 * 60000000LL);
	assert_int_equal(SESSION->site.need.priority, 2);
	assert_int_equal(ask("1 need priority 0", text, sizeof(text)), 0);
	assert_int_equal(SESSION->site.need.priority, 0);
	assert_int_equal(SESSION->site.need.energy_Wh, 12500); /* what is not said stays */
	assert_int_equal(ask("need", text, sizeof(text)), -EINVAL);
	assert_int_equal(ask("need energy_kWh", text, sizeof(text)), -EINVAL);
	assert_int_equal(ask("need energy_kWh -1", text, sizeof(text)), -EINVAL);
	assert_int_equal(ask("need energy_kWh much", text, sizeof(text)), -EINVAL);
	assert_int_equal(ask("need priority 256", text, sizeof(text)), -EINVAL);
	assert_int_equal(ask("need priority 1.5", text, sizeof(text)), -EINVAL);
	assert_int_equal(ask("need colour 3", text, sizeof(text)), -EINVAL);
	assert_int_equal(ask("need 2 priority 1", text, sizeof(text)), -ENOENT);
}

static void test_words_without_a_site_say_so(void **state)
{
	struct rig *r = *state;
	char text[4096];

	r->conf.site = EVSE_SITE_OFF;
	rig_start_to(r, EVSE_ST_IDLE);
	assert_int_equal(ask("site", text, sizeof(text)), -ENOTSUP);
	assert_non_null(strstr(text, "site = off"));
	assert_int_equal(ask("need priority 1", text, sizeof(text)), -ENOTSUP);
	assert_int_equal(ask("status", text, sizeof(text)), 0);
	assert_null(strstr(text, "site"));
}

static void test_settings_no_load_current_must_fit_into_the_safe_one(void **state)
{
	struct rig *r = *state;
	char err[160] = "";

	r->conf.no_load_mA = 500;
	assert_int_equal(evse_conf_check(&r->conf, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "no_load_current"));
	r->conf.site_safe_mA = 500;
	assert_int_equal(evse_conf_check(&r->conf, err, sizeof(err)), 0);
	r->conf.site_safe_mA = 0;
	r->conf.site = EVSE_SITE_OFF;
	assert_int_equal(evse_conf_check(&r->conf, err, sizeof(err)), 0);
}

static void test_stop_tells_the_site_and_falls_silent(void **state)
{
	struct rig *r = charge(32000);
	uint32_t n;

	(void)state;
	rig_run_ms(r, 500); /* away from a report, which may not be followed by another at once */
	evse_session_stop(SESSION, r->now_us, &r->point.inner);
	evse_point_settle(&r->point, r->now_us, &r->out);
	out_queue_clear(&r->out);
	rig_run_ms(r, 500);
	assert_true(evse_session_is_stopped(SESSION));
	assert_int_equal(r->site.report.state, SITE_POINT_REPORT_STATE_UNAVAILABLE);
	n = r->site.n_report;
	rig_grant(r, 40000, 5);
	rig_run_ms(r, 3000);
	assert_int_equal(r->site.n_report, n);
	assert_int_equal(r->driver.sp.i_max_mA, 0);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_start_waits_for_the_minimum_and_goes_on_by_itself),
		T(test_start_needs_no_site_where_the_safe_current_suffices),
		T(test_start_waits_best_in_the_authorisation),
		T(test_start_free_authorisation_waits_too),
		T(test_start_refusal_does_not_wait),
		T(test_start_operators_yes_is_kept_until_there_is_a_grant),
		T(test_words_status_and_site_tell_the_grant_and_its_reason),
		T(test_words_need_is_checked_and_takes_its_number_in_either_place),
		T(test_words_without_a_site_say_so),
		T(test_settings_no_load_current_must_fit_into_the_safe_one),
		T(test_stop_tells_the_site_and_falls_silent),
	};

	return cmocka_run_group_tests_name("evse_site_start", tests, NULL, NULL);
}
