/* SPDX-License-Identifier: MIT */
/* The parser of databases: every construct, every place where it has to refuse, and encodings. */
#include "tests/lib/dbc_files.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char all[] =
	"VERSION \"1.2\"\n"
	"NS_ :\n\tCM_\n\tBA_DEF_\n\tVAL_\n\n"
	"BS_: 500000 : 1,2\n"
	"BU_: Alpha Beta\n"
	"VAL_TABLE_ OnOff 1 \"On\" 0 \"Off\" ;\n"
	"BO_ 291 First: 8 Alpha\n"
	" SG_ Speed : 0|16@1+ (0.1,-40) [-40|6513.5] \"km/h\" Beta\n"
	" SG_ Turn:16|12@0- (1,0) [0|0] \"\" Alpha,Beta\n"
	" SG_ Real : 32|32@1- (1,0) [-3.4E+038|3.4E+038] \"\"  Vector__XXX\n"
	"\n"
	"BO_ 2147484193 Second : 64 Vector__XXX\n"
	" SG_ Kind M : 0|8@1+ (1,0) [0|255] \"\" Beta\n"
	" SG_ One m1 : 8|8@1+ (1,0) [0|0] \"\" Beta\n"
	" SG_ Deep m2M : 8|8@1+ (1,0) [0|0] \"\" Beta\n"
	" SG_ Deeper m7 : 16|8@1+ (1,0) [0|0] \"\" Beta\n"
	"BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX\n"
	" SG_ Lonely : 0|8@1+ (1,0) [0|0] \"\" Vector__XXX\n"
	"BO_TX_BU_ 291 : Alpha,Beta;\n"
	"EV_ Knob: 0 [0|10] \"V\" 3 7 DUMMY_NODE_VECTOR0 Alpha,Beta;\n"
	"ENVVAR_DATA_ Knob: 12;\n"
	"CM_ \"Whole file,\nin two lines; with \\\"quotes\\\"\";\n"
	"CM_ BU_ Alpha \"A node\";\n"
	"CM_ BO_ 291 \"A message\";\n"
	"CM_ SG_ 291 Speed \"A \"loose\" signal\";\n"
	"CM_ EV_ Knob \"A variable\";\n"
	"BA_DEF_ \"Bus\" STRING ;\n"
	"BA_DEF_ BU_ \"Level\" FLOAT -1.5 2e3;\n"
	"BA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 1000;\n"
	"BA_DEF_ SG_ \"Mood\" ENUM \"Good\",\"Bad\";\n"
	"BA_DEF_ EV_ \"Mask\" HEX 0 255;\n"
	"BA_DEF_ SG_ \"SystemSignalLongSymbol\" STRING ;\n"
	"BA_DEF_ BO_ \"SystemMessageLongSymbol\" STRING ;\n"
	"BA_DEF_REL_ BU_SG_REL_ \"Wait\" INT 0 9;\n"
	"BA_DEF_DEF_ \"Bus\" \"CAN\";\n"
	"BA_DEF_DEF_ \"GenMsgCycleTime\" 0;\n"
	"BA_DEF_DEF_ \"Mood\" \"Bad\";\n"
	"BA_DEF_DEF_REL_ \"Wait\" 4;\n"
	"BA_ \"Bus\" \"CAN FD\";\n"
	"BA_ \"Level\" BU_ Alpha -0.5;\n"
	"BA_ \"GenMsgCycleTime\" BO_ 291 100;\n"
	"BA_ \"Mood\" SG_ 291 Speed 0;\n"
	"BA_ \"Mask\" EV_ Knob 17;\n"
	"BA_ \"SystemSignalLongSymbol\" SG_ 291 Turn \"Turn_That_Has_A_Name_Of_More_Than_32\";\n"
	"BA_ \"SystemMessageLongSymbol\" BO_ 2147484193 \"Second_In_Full\";\n"
	"BA_REL_ \"Wait\" BU_SG_REL_ Beta SG_ 291 Speed 5;\n"
	"VAL_ 291 Speed -1 \"Minus\" 65535 \"Broken\" ;\n"
	"VAL_ 291 Turn OnOff ;\n"
	"VAL_ Knob 0 \"Left\" 1 \"Right\" ;\n"
	"SIG_GROUP_ 291 Pair 1 : Speed Turn;\n"
	"SIG_VALTYPE_ 291 Real : 1;\n"
	"SG_MUL_VAL_ 2147484193 Deeper Deep 3-4, 7-7;\n"
	"SG_MUL_VAL_ 2147484193 Deep Kind 2-2;\n"
	"SOMETHING_NEW_ 1 \"a;b\" 2;\n";

static void test_parse_each_section_is_kept(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(all);
	const struct dbc_db *db = p.db;

	(void)state;
	assert_string_equal(db->version, "1.2");
	assert_int_equal(db->n_nodes, 2);
	assert_string_equal(db->nodes[1].name, "Beta");
	assert_string_equal(db->nodes[0].comment, "A node");
	assert_string_equal(db->tables->name, "OnOff");
	assert_int_equal(db->tables->values.n, 2);
	assert_int_equal(db->n_messages, 3);
	assert_int_equal(db->n_signals, 8);
	assert_string_equal(db->comment, "Whole file,\nin two lines; with \"quotes\"");
	assert_string_equal(db->env_vars->name, "Knob");
	assert_string_equal(db->env_vars->comment, "A variable");
	assert_int_equal(db->env_vars->data_size, 12);
	assert_int_equal(db->env_vars->n_nodes, 2);
	assert_int_equal(db->env_vars->values.n, 2);
	assert_string_equal(db->groups->name, "Pair");
	assert_int_equal(db->groups->n_signals, 2);
	assert_string_equal(db->groups->signals[1], "Turn");
	assert_int_equal(db->n_notes, 1);
	assert_non_null(strstr(db->notes->text, "SOMETHING_NEW_"));
	dbc_pair_free(&p);
}

static void test_parse_message_and_signal_carry_every_field(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(all);
	const struct dbc_message *m = dbc_find_message(p.db, 291), *x = dbc_find_message(p.db, 2147484193u);
	const struct dbc_signal *s = &m->signals[0], *t = &m->signals[1];

	(void)state;
	assert_string_equal(m->name, "First");
	assert_string_equal(m->comment, "A message");
	assert_string_equal(m->sender, "Alpha");
	assert_int_equal(m->n_senders, 2);
	assert_int_equal(m->dlc, 8);
	assert_false(m->is_extended);
	assert_int_equal(dbc_cycle_ms(p.db, m), 100);
	assert_true(x->is_extended);
	assert_int_equal(x->id, 0x221);
	assert_int_equal(x->dlc, 64);
	assert_true(p.db->messages[2].is_independent);
	assert_string_equal(s->unit, "km/h");
	assert_string_equal(s->comment, "A \"loose\" signal");
	assert_true(s->factor == 0.1 && s->offset == -40 && s->min == -40 && s->max == 6513.5);
	assert_int_equal(s->decimals, 1);
	assert_int_equal(s->n_receivers, 1);
	assert_int_equal(t->n_receivers, 2);
	assert_true(t->is_motorola && t->is_signed);
	assert_int_equal(t->start, 16);
	assert_int_equal(t->length, 12);
	assert_int_equal(m->signals[2].number, DBC_FLOAT32);
	assert_true(m->signals[2].max == 3.4e38);
	dbc_pair_free(&p);
}

static void test_parse_long_names_replace_short_ones(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(all);
	const struct dbc_message *m = dbc_find_message_name(p.db, "Second_In_Full");
	const struct dbc_signal *s = dbc_find_signal(&p.db->messages[0], "Turn");

	(void)state;
	assert_non_null(m);
	assert_ptr_equal(m, dbc_find_message_name(p.db, "Second"));
	assert_string_equal(s->name, "Turn_That_Has_A_Name_Of_More_Than_32");
	assert_string_equal(s->short_name, "Turn");
	dbc_pair_free(&p);
}

static void test_parse_values_and_attributes_are_found(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(all);
	const struct dbc_message *m = &p.db->messages[0];
	const struct dbc_attr_value *mood = dbc_find_attr(p.db, m->signals[0].attrs, "Mood");
	const struct dbc_attr_value *other = dbc_find_attr(p.db, m->signals[1].attrs, "Mood");

	(void)state;
	assert_string_equal(dbc_value_name(&m->signals[0], -1), "Minus");
	assert_null(dbc_value_name(&m->signals[0], 5));
	assert_string_equal(dbc_value_name(&m->signals[1], 1), "On");
	assert_string_equal(mood->text, "Good");
	assert_string_equal(other->text, "Bad");
	assert_true(other->number == 1);
	assert_string_equal(dbc_find_attr(p.db, p.db->attrs, "Bus")->text, "CAN FD");
	assert_true(dbc_find_attr(p.db, p.db->nodes[0].attrs, "Level")->number == -0.5);
	assert_true(dbc_find_attr(p.db, p.db->env_vars->attrs, "Mask")->number == 17);
	assert_null(dbc_find_attr(p.db, p.db->attrs, "Nothing"));
	assert_string_equal(p.db->rel_attrs->node, "Beta");
	assert_string_equal(p.db->rel_attrs->object, "Speed");
	assert_true(p.db->rel_attrs->value.number == 5);
	dbc_pair_free(&p);
}

static void test_parse_multiplexing_is_linked(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(all);
	const struct dbc_signal *s = p.db->messages[1].signals;

	(void)state;
	assert_true(s[0].is_multiplexor);
	assert_int_equal(s[0].mux_parent, DBC_NO_PARENT);
	assert_int_equal(s[1].mux_parent, 0);
	assert_int_equal(s[1].mux[0].first, 1);
	assert_int_equal(s[2].mux_parent, 0);
	assert_int_equal(s[3].mux_parent, 2);
	assert_int_equal(s[3].n_mux, 2);
	assert_int_equal(s[3].mux[0].last, 4);
	dbc_pair_free(&p);
}

struct refusal {
	const char *text;
	unsigned line, column;
	const char *sentence;
};

static const struct refusal refusals[] = {
	{"VERSION 3", 1, 9, "expected the version in quotes, not \"3\""},
	{"VERSION \"3", 1, 9, "the string that starts here has no end"},
	{"BU_ A", 1, 5, "expected \":\" after BU_"},
	{"\nBO_ x A: 8 B", 2, 5, "expected the identifier of a message, not \"x\""},
	{"BO_ 4294967296 A: 8 B", 1, 5, "the identifier of a message is above 4294967295"},
	{"BO_ 1 : 8 B", 1, 7, "expected the name of a message"},
	{"BO_ 1 A 8 B", 1, 9, "expected \":\" after the name of the message"},
	{"BO_ 1 A: x B", 1, 10, "expected the length of a message, not \"x\""},
	{"BO_ 1 A: 70000 B", 1, 10, "the length of a message is above 65535"},
	{" SG_ S : 0|8@1+ (1,0) [0|0] \"\" X", 1, 6, "a signal in front of the first message"},
	{"BO_ 1 A: 8 B\n SG_ S 0|8@1+", 2, 8, "expected \":\" or a multiplexing mark"},
	{"BO_ 1 A: 8 B\n SG_ S m : 0|8@1+", 2, 9, "expected a number after \"m\""},
	{"BO_ 1 A: 8 B\n SG_ S : x|8@1+", 2, 10, "expected the start bit, not \"x\""},
	{"BO_ 1 A: 8 B\n SG_ S : 0:8@1+", 2, 11, "expected \"|\" after the start bit, not \":\""},
	{"BO_ 1 A: 8 B\n SG_ S : 0|@1+", 2, 12, "expected the length in bits, not \"@\""},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8:1+", 2, 13, "expected \"@\" after the length"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@2+", 2, 14, "the byte order (0 or 1) is above 1"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1*", 2, 15, "expected the sign"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ 1,0)", 2, 17, "expected \"(\" in front of the factor"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (a,0)", 2, 18, "expected the factor, not \"a\""},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1 0)", 2, 20, "expected \",\" after the factor"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,)", 2, 20, "expected the offset"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,0 [", 2, 22, "expected \")\" after the offset"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,0) 0", 2, 23, "expected \"[\" in front of the minimum"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,0) [x|", 2, 24, "expected the minimum"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,0) [0,", 2, 25, "expected \"|\" after the minimum"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,0) [0|]", 2, 26, "expected the maximum"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,0) [0|1 \"", 2, 28, "expected \"]\" after the maximum"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,0) [0|1] V", 2, 29, "expected the unit in quotes, not \"V\""},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,0) [0|1]", 2, 28,
	 "expected the unit in quotes, but the file ends"},
	{"BO_ 1 A: 8 B\n SG_ S : 0|8@1+ (1,0) [0|1] \"\" C\nBU_: B\n SG_ T :", 4, 6,
	 "does not follow its message"},
	{"VAL_TABLE_ : 1", 1, 12, "expected the name of a value table"},
	{"VAL_TABLE_ T 1 On ;", 1, 16, "expected the name of a value in quotes"},
	{"VAL_ 1 ;", 1, 8, "expected the name of a signal"},
	{"BO_ 1 A: 8 B\nVAL_ 1 S 1 \"On\" \"Off\" ;", 2, 17, "expected \";\""},
	{"CM_ XX_ \"a\";", 1, 5, "expected a comment or BU_, BO_, SG_ or EV_, not \"XX_\""},
	{"CM_ SG_ x", 1, 9, "expected a message identifier"},
	{"CM_ \"no end", 1, 5, "the comment that starts here has no end"},
	{"CM_ BU_ ;", 1, 9, "expected the name of a node"},
	{"BO_TX_BU_ 1 A;", 1, 13, "expected \":\" after the message identifier"},
	{"EV_ K: 0 [0|1] \"\" 0 1 ;", 1, 23, "expected the kind of access"},
	{"EV_ K: 0 (", 1, 10, "expected \"[\" in front of the minimum"},
	{"ENVVAR_DATA_ K 3;", 1, 16, "expected \":\" after the name"},
	{"SIG_GROUP_ 1 G x : A;", 1, 16, "expected the number of repetitions"},
	{"SIG_VALTYPE_ 1 S : 3;", 1, 20, "the number type is above 2"},
	{"SG_MUL_VAL_ 1 S M ;", 1, 19, "expected a range such as 3-3"},
	{"SG_MUL_VAL_ 1 S M 3-;", 1, 21, "expected the last number of a range"},
	{"BA_DEF_ XX_ \"a\" INT 0 1;", 1, 9, "expected BU_, BO_, SG_ or EV_, not \"XX_\""},
	{"BA_DEF_ BO_ a INT 0 1;", 1, 13, "expected the name of an attribute in quotes"},
	{"BA_DEF_ \"a\" BOOL;", 1, 13, "expected INT, HEX, FLOAT, STRING or ENUM, not \"BOOL\""},
	{"BA_DEF_ \"a\" INT 0 x;", 1, 19, "expected the maximum"},
	{"BA_DEF_DEF_ \"a\" x;", 1, 17, "expected a number or a text in quotes"},
	{"BA_DEF_ \"a\" INT 0 1;\nBA_ \"a\" XX_ 1;", 2, 9, "expected a value or BU_, BO_, SG_ or EV_"},
	{"BA_ \"a\" BO_ x 1;", 1, 13, "expected a message identifier"},
	{"BA_ \"a\" 1 2;", 1, 11, "expected \";\""},
	{"BA_REL_ \"a\" XX_ N 1;", 1, 13, "expected BU_SG_REL_, BU_BO_REL_ or BU_EV_REL_"},
	{"BA_REL_ \"a\" BU_BO_REL_ N x;", 1, 26, "expected a message identifier"},
	{"(", 1, 1, "expected a section such as BO_, CM_ or VAL_, not \"(\""},
	{"CM_ \"\xc3\xa4\xc3\xb6\" x", 1, 10, "expected \";\", not \"x\""},
};

static void test_parse_errors_name_line_column_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *f = &refusals[i];
		struct dbc_db *db = NULL;
		struct dbc_error e;
		char start[64];

		if (dbc_parse(f->text, strlen(f->text), "f.dbc", &db, &e) != -EINVAL)
			fail_msg("accepted: %s", f->text);
		snprintf(start, sizeof(start), "f.dbc:%u:%u: ", f->line, f->column);
		if (strncmp(e.text, start, strlen(start)) != 0 || !strstr(e.text, f->sentence))
			fail_msg("%s\n expected %s%s\n got      %s", f->text, start, f->sentence, e.text);
		assert_int_equal(e.line, f->line);
		assert_int_equal(e.column, f->column);
		assert_null(db);
	}
}

/*
 * Each prefix either parses or is refused in good order; with the sanitizers this proves that none reads too
 * far.
 */
static void test_parse_any_prefix_ends_in_good_order(void **state)
{
	(void)state;
	for (size_t len = 0; len <= strlen(all); len++) {
		char *copy = malloc(len ? len : 1);
		struct dbc_db *db = NULL;
		struct dbc_error e;

		memcpy(copy, all, len);
		int err = dbc_parse(copy, len, "prefix", &db, &e);
		assert_true(err == 0 || (err == -EINVAL && e.line > 0));
		free(copy);
		dbc_free(db);
	}
}

static void test_parse_windows_1252_becomes_utf8(void **state)
{
	struct dbc_pair p = dbc_pair_from_text("CM_ \"\xb0"
					       "C \x80 \x81 \xff\";\n");

	(void)state;
	assert_true(p.db->was_cp1252);
	assert_string_equal(p.db->comment, "\xc2\xb0"
					   "C \xe2\x82\xac \xc2\x81 \xc3\xbf");
	dbc_pair_free(&p);
}

static void test_parse_utf8_is_kept_and_byte_order_mark_dropped(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(
		"\xef\xbb\xbfVERSION \"\xe2\x84\xa6\"\r\nCM_ \"a\r\nb\";\nCM_ BU_ X \"\";\r\n");

	(void)state;
	assert_false(p.db->was_cp1252);
	assert_string_equal(p.db->version, "\xe2\x84\xa6");
	assert_string_equal(p.db->comment, "a\r\nb");
	dbc_pair_free(&p);
}

static void test_parse_oddities_become_notes(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(
		"BO_ 1 A: 8 X\n SG_ S : 0|8@1+ (1,0) [0|0] \"\" X\n"
		"VAL_ 2 S 1 \"a\" ;\nVAL_ 1 T 1 \"a\" ;\nVAL_ 1 S 1 \"a\"\nCM_ BO_ 1 \"x\"\n"
		"BA_ \"New\" BO_ 1 3;\n// a remark\nVAL_ 1 S 1.5 \"half\";\n");
	static const char *const expected[] = {
		"there is no message 2",	   "message A has no signal T",
		"the semicolon is missing",	   "the semicolon is missing",
		"attribute New is not defined",	   "unknown section \"//\" skipped",
		"value half is not a whole number"};
	const struct dbc_note *n = p.db->notes;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++, n = n->next) {
		assert_non_null(n);
		assert_string_equal(n->text, expected[i]);
	}
	assert_null(n);
	assert_string_equal(p.db->messages[0].comment, "x");
	dbc_pair_free(&p);
}

static double factor_of(const char *number)
{
	char text[600];

	snprintf(text, sizeof(text), "BO_ 1 A: 8 X\n SG_ S : 0|8@1+ (%s,0) [0|0] \"\" X\n", number);
	struct dbc_pair p = dbc_pair_from_text(text);
	double v = p.db->messages[0].signals[0].factor;
	dbc_pair_free(&p);
	return v;
}

static void test_parse_numbers_are_exact(void **state)
{
	static const char *const numbers[] = {
		"0.1",
		"1e-3",
		"-2.5E+2",
		"+7",
		".5",
		"5.",
		"3.4E+038",
		"1.7976931348623157e308",
		"4.9e-324",
		"0.000000000000000000000000123456789",
		"123456789012345678901234567890",
		"9007199254740993",
		"1e400",
		"0.3000000000000000444089209850062616169452667236328125",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (factor_of(numbers[i]) != strtod(numbers[i], NULL))
			fail_msg("%s", numbers[i]);
}

static void test_parse_missing_file_gives_reason(void **state)
{
	struct dbc_db *db = NULL;
	struct dbc_error e;

	(void)state;
	assert_int_equal(dbc_parse_file("no/such.dbc", &db, &e), -ENOENT);
	assert_non_null(strstr(e.text, "no/such.dbc: "));
	assert_int_equal(dbc_parse_file("tests", &db, &e), -EISDIR);
	assert_null(db);
}

static void test_parse_own_databases_have_no_oddities(void **state)
{
	(void)state;
	for (int i = 0; i < DBC_N_OWN; i++) {
		struct dbc_pair p = dbc_pair_from_file(dbc_own_files[i]);

		assert_int_equal(p.db->n_notes, 0);
		assert_false(p.db->was_cp1252);
		assert_true(p.db->n_messages >= 4);
		dbc_pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_each_section_is_kept),
		cmocka_unit_test(test_parse_message_and_signal_carry_every_field),
		cmocka_unit_test(test_parse_long_names_replace_short_ones),
		cmocka_unit_test(test_parse_values_and_attributes_are_found),
		cmocka_unit_test(test_parse_multiplexing_is_linked),
		cmocka_unit_test(test_parse_errors_name_line_column_and_reason),
		cmocka_unit_test(test_parse_any_prefix_ends_in_good_order),
		cmocka_unit_test(test_parse_windows_1252_becomes_utf8),
		cmocka_unit_test(test_parse_utf8_is_kept_and_byte_order_mark_dropped),
		cmocka_unit_test(test_parse_oddities_become_notes),
		cmocka_unit_test(test_parse_numbers_are_exact),
		cmocka_unit_test(test_parse_missing_file_gives_reason),
		cmocka_unit_test(test_parse_own_databases_have_no_oddities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
