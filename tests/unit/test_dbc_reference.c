/* SPDX-License-Identifier: MIT */
/*
 * Against databases of others: ours say the same as the vendor's, and on random frames of every file the
 * codec says what bits picked one by one say. Skipped where those files are not at hand ($FORECOURT_SHARED or
 * ../shared).
 */
#include "dbc/dbc_tools.h"
#include "tests/lib/dbc_files.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *need(const char *name, char path[256])
{
	if (!dbc_reference_path(name, path)) {
		print_message("skipped: no folder reference/ in $FORECOURT_SHARED or ../shared\n");
		skip();
	}
	return path;
}

static void same_values(const struct dbc_signal *ours, const struct dbc_signal *theirs)
{
	assert_int_equal(ours->values.n, theirs->values.n);
	for (uint32_t i = 0; i < theirs->values.n; i++) {
		const struct dbc_value *v = &theirs->values.list[i];
		const char *name = dbc_value_name(ours, v->number);

		assert_string_equal(name ? name : "", v->name);
	}
}

static void same_signal(const struct dbc_message *m, const struct dbc_signal *theirs)
{
	const struct dbc_signal *ours = dbc_find_signal(m, theirs->name);

	if (!ours)
		fail_msg("%s.%s is missing", m->name, theirs->name);
	if (ours->start != theirs->start || ours->length != theirs->length ||
	    ours->is_signed != theirs->is_signed || ours->is_motorola != theirs->is_motorola ||
	    ours->factor != theirs->factor || ours->offset != theirs->offset)
		fail_msg("%s.%s differs", m->name, theirs->name);
	same_values(ours, theirs);
}

static void same_database(const char *our_path, const char *their_name)
{
	char path[256];
	struct dbc_pair theirs = dbc_pair_from_file(need(their_name, path)),
			ours = dbc_pair_from_file(our_path);

	assert_int_equal(ours.db->n_messages, theirs.db->n_messages);
	assert_int_equal(ours.db->n_signals, theirs.db->n_signals);
	for (uint32_t i = 0; i < theirs.db->n_messages; i++) {
		const struct dbc_message *t = &theirs.db->messages[i];
		const struct dbc_message *m = dbc_find_message_name(ours.db, t->name);

		if (!m)
			fail_msg("%s: no message %s", our_path, t->name);
		assert_int_equal(m->raw_id, t->raw_id);
		assert_int_equal(m->dlc, t->dlc);
		assert_int_equal(m->n_signals, t->n_signals);
		for (uint32_t k = 0; k < t->n_signals; k++)
			same_signal(m, &t->signals[k]);
	}
	dbc_pair_free(&ours);
	dbc_pair_free(&theirs);
}

static void test_reference_evse_databases_say_the_same(void **state)
{
	(void)state;
	same_database("dbc/evse_v3.0.dbc", "Advantics_Generic_EVSE_protocol_v3.dbc");
	same_database("dbc/evse_v3.1.dbc", "Advantics_Generic_EVSE_protocol_v3.1.dbc");
	same_database("dbc/evse_v3.2.dbc", "Advantics_Generic_EVSE_protocol_v3.2.dbc");
	same_database("dbc/evse_v3.3.dbc", "Advantics_Generic_EVSE_protocol_v3.3.dbc");
	same_database("dbc/evse_v3.5.dbc", "Advantics_Generic_EVSE_protocol_v3.5.dbc");
	same_database("dbc/evse_v3.6.dbc", "Advantics_Generic_EVSE_protocol_v3.6.dbc");
}

static void test_reference_pev_databases_say_the_same(void **state)
{
	(void)state;
	same_database("dbc/pev_v2.0.dbc", "Advantics_Generic_PEV_protocol_v2.dbc");
	same_database("dbc/pev_v2.1.dbc", "Advantics_Generic_PEV_protocol_v2.1.dbc");
	same_database("dbc/pev_v2.2.dbc", "Advantics_Generic_PEV_protocol_v2.2.dbc");
	same_database("dbc/pev_v2.4.dbc", "Advantics_Generic_PEV_protocol_v2.4.dbc");
	same_database("dbc/pev_v2.5.dbc", "Advantics_Generic_PEV_protocol_v2.5.dbc");
}

static void test_reference_cycle_times_of_the_newest_agree(void **state)
{
	char path[256];
	struct dbc_pair theirs = dbc_pair_from_file(need("Advantics_Generic_EVSE_protocol_v3.6.dbc", path));
	struct dbc_pair ours = dbc_pair_from_file("dbc/evse_v3.6.dbc");

	(void)state;
	for (uint32_t i = 0; i < theirs.db->n_messages; i++) {
		const struct dbc_message *t = &theirs.db->messages[i];
		unsigned cycle_ms = dbc_cycle_ms(ours.db, dbc_find_message_name(ours.db, t->name));

		assert_int_equal(cycle_ms, dbc_cycle_ms(theirs.db, t));
	}
	dbc_pair_free(&ours);
	dbc_pair_free(&theirs);
}

/* Multiplexing looked up from scratch: by the number bits, up to the root. */
static bool is_selected(const struct dbc_message *m, const struct dbc_signal *s, const uint8_t *data)
{
	for (int depth = 0; s->mux_parent >= 0 && depth < 20; depth++) {
		const struct dbc_signal *p = &m->signals[s->mux_parent];
		uint64_t number = dbc_bits_one_by_one(p, data);
		bool is_in = false;

		for (unsigned i = 0; i < s->n_mux; i++)
			is_in = is_in || (number >= s->mux[i].first && number <= s->mux[i].last);
		if (!is_in)
			return false;
		s = p;
	}
	return true;
}

static double meaning_of(const struct dbc_signal *s, uint64_t bits)
{
	if (s->number == DBC_FLOAT64) {
		double d;

		memcpy(&d, &bits, sizeof(d));
		return d * s->factor + s->offset;
	}
	if (s->number == DBC_FLOAT32) {
		uint32_t low = (uint32_t)bits;
		float f;

		memcpy(&f, &low, sizeof(f));
		return (double)f * s->factor + s->offset;
	}
	/* Two's complement by subtraction, not by shifts. */
	if (s->is_signed && bits >> (s->length - 1))
		return -((double)(UINT64_MAX >> (64 - s->length)) - (double)bits + 1) * s->factor + s->offset;
	return (double)bits * s->factor + s->offset;
}

/* Bits of a payload that a signal looks at, found by setting them one after the other. */
static void find_bits(const struct dbc_signal *s, unsigned n_bytes, uint8_t map[DBC_MAX_DLC])
{
	memset(map, 0, DBC_MAX_DLC);
	for (unsigned b = 0; b < n_bytes * 8; b++) {
		uint8_t data[DBC_MAX_DLC] = {0};

		data[b / 8] = (uint8_t)(1u << b % 8);
		if (dbc_bits_one_by_one(s, data))
			map[b / 8] |= data[b / 8];
	}
}

/* Where signals overlap, against the rules, what one loses in a double the other loses too. */
static bool is_alone(const struct dbc_codec_message *m, unsigned signal)
{
	uint8_t own[DBC_MAX_DLC], other[DBC_MAX_DLC];

	find_bits(&m->def->signals[signal], m->n_bytes, own);
	for (unsigned i = 0; i < m->n_signals; i++) {
		if (i == signal || m->signals[i].length == 0)
			continue;
		find_bits(&m->def->signals[i], m->n_bytes, other);
		for (unsigned b = 0; b < m->n_bytes; b++)
			if (own[b] & other[b])
				return false;
	}
	return true;
}

static void judge_message(const struct dbc_codec_message *m, uint64_t *seed)
{
	double *values = calloc(m->n_values, sizeof(*values));
	uint8_t data[DBC_MAX_DLC], back[DBC_MAX_DLC];

	assert_non_null(values);
	for (int r = 0; r < 20; r++) {
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)(dbc_random(seed) & (r % 2 ? 0xff : dbc_random(seed)));
		dbc_decode(m, data, values);
		for (unsigned i = 0; i < m->n_signals; i++) {
			const struct dbc_signal *s = &m->def->signals[i];

			if (m->signals[i].length == 0)
				continue;
			double expected = meaning_of(s, dbc_bits_one_by_one(s, data));
			if (!(values[i] == expected) && values[i] == values[i] && s->length <= 53)
				fail_msg("%s.%s: %.17g, expected %.17g", m->def->name, s->name, values[i],
					 expected);
			assert_int_equal(dbc_is_present(m, i, data, m->n_bytes),
					 is_selected(m->def, s, data));
		}
		dbc_encode(m, values, back);
		for (unsigned i = 0; i < m->n_signals; i++) {
			const struct dbc_signal *s = &m->def->signals[i];

			if (m->signals[i].length && s->number == DBC_INTEGER && s->length <= 48 &&
			    s->mux_parent < 0 && s->factor != 0 &&
			    dbc_bits_one_by_one(s, back) != dbc_bits_one_by_one(s, data) && is_alone(m, i))
				fail_msg("%s.%s does not survive", m->def->name, s->name);
		}
	}
	free(values);
}

static unsigned judge_folder(const char *name)
{
	char path[256], file[600];
	DIR *d = opendir(need(name, path));
	uint64_t seed = 9;
	unsigned n = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		size_t len = strlen(e->d_name);

		if (len < 4 || strcmp(e->d_name + len - 4, ".dbc") != 0)
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		struct dbc_pair p = dbc_pair_from_file(file);
		for (uint32_t i = 0; i < p.codec->n_messages; i++)
			judge_message(&p.codec->messages[i], &seed);
		dbc_pair_free(&p);
		n++;
	}
	closedir(d);
	return n;
}

static void test_reference_files_decode_like_bits_one_by_one(void **state)
{
	(void)state;
	assert_true(judge_folder("") >= 11);
	assert_true(judge_folder("public") >= 13);
	assert_true(judge_folder("extra") >= 1);
}

static void test_reference_encodings_become_utf8(void **state)
{
	char path[256];
	struct dbc_pair p = dbc_pair_from_file(need("Advantics_Generic_PEV_protocol_v2.4.dbc", path));
	const struct dbc_message *m = dbc_find_message_name(p.db, "ADM_CS_EVCC_Inputs");

	(void)state;
	assert_true(p.db->was_cp1252);
	assert_string_equal(dbc_find_signal(m, "PTC0")->unit, "\xc2\xb0"
							      "C");
	dbc_pair_free(&p);
}

static void test_reference_large_files_are_complete(void **state)
{
	char path[256];
	struct dbc_pair p = dbc_pair_from_file(need("public/ford_lincoln_base_pt.dbc", path));
	unsigned n_comments = 0, n_values = 0;

	(void)state;
	for (uint32_t i = 0; i < p.db->n_messages; i++) {
		n_comments += p.db->messages[i].comment != NULL;
		for (unsigned k = 0; k < p.db->messages[i].n_signals; k++) {
			n_comments += p.db->messages[i].signals[k].comment != NULL;
			n_values += p.db->messages[i].signals[k].values.n > 0;
		}
	}
	assert_int_equal(p.db->n_messages, 331);
	assert_int_equal(p.db->n_signals, 2150);
	assert_int_equal(n_values, 1571);
	assert_true(n_comments > 200);
	assert_int_equal(p.db->n_notes, 0);
	dbc_pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference_evse_databases_say_the_same),
		cmocka_unit_test(test_reference_pev_databases_say_the_same),
		cmocka_unit_test(test_reference_cycle_times_of_the_newest_agree),
		cmocka_unit_test(test_reference_files_decode_like_bits_one_by_one),
		cmocka_unit_test(test_reference_encodings_become_utf8),
		cmocka_unit_test(test_reference_large_files_are_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
