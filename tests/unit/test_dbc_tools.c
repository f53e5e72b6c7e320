/* SPDX-License-Identifier: MIT */
/* What the command dbc prints: lists, problems, differences, decoded and encoded frames. */
#include "dbc/dbc_text_out.h"
#include "dbc/dbc_tools.h"
#include "tests/lib/dbc_files.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct capture {
	char *text;
	size_t len;
	FILE *f;
};

static FILE *capture_open(struct capture *c)
{
	c->f = open_memstream(&c->text, &c->len);
	assert_non_null(c->f);
	return c->f;
}

static const char *capture_text(struct capture *c)
{
	fclose(c->f);
	return c->text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_tools_own_databases_have_no_problems(void **state)
{
	(void)state;
	for (int i = 0; i < DBC_N_OWN; i++) {
		struct dbc_pair p = dbc_pair_from_file(dbc_own_files[i]);
		struct capture c;
		unsigned n = dbc_check(p.db, capture_open(&c));

		if (n)
			fail_msg("%s", capture_text(&c));
		free((void *)capture_text(&c));
		dbc_pair_free(&p);
	}
}

static const char faulty[] = "BU_: A B\n"
			     "BO_ 1 Twice: 8 A\n"
			     " SG_ One : 0|16@1+ (1,0) [0|70000] \"\" B\n"
			     " SG_ Two : 8|16@1+ (1,0) [5|1] \"\" C\n"
			     " SG_ Two : 60|8@1+ (1,0) [0|0] \"\" B\n"
			     "BO_ 1 Twice: 8 Z\n"
			     " SG_ Lost m1 : 0|8@1+ (1,0) [0|0] \"\" B\n"
			     " SG_ Big : 8|4@0+ (0,0) [0|0] \"\" B\n"
			     "BO_ 3000 Wide: 9 A\n"
			     " SG_ 9Name : 0|3@1- (1,0) [0|0] \"\" B\n"
			     "VAL_ 3000 9Name 4 \"four\" 1 \"one\" 1 \"eins\" ;\n"
			     "VAL_ 77 Gone 0 \"a\" ;\n"
			     "BO_ 4 Muxed: 8 A\n"
			     " SG_ K M : 0|8@1+ (1,0) [0|0] \"\" B\n"
			     " SG_ X m1 : 8|8@1+ (1,0) [0|0] \"\" B\n"
			     " SG_ Y m2 : 8|8@1+ (1,0) [0|0] \"\" B\n"
			     " SG_ Z m2 : 12|8@1+ (1,0) [0|0] \"\" B\n";

static const char *const problems[] = {
	"made-up.dbc:12:6: there is no message 77\n",
	"made-up.dbc:6:7: Twice: there are two messages of that name\n",
	"made-up.dbc:6:7: Twice: the identifier is that of Twice\n",
	"made-up.dbc:3:6: Twice.One: the range goes beyond 0 .. 65535, which is what the bits can hold\n",
	"made-up.dbc:4:6: Twice.Two: the minimum is above the maximum\n",
	"made-up.dbc:4:6: Twice.Two: receiver C is no node\n",
	"made-up.dbc:4:6: Twice.Two overlaps One\n",
	"made-up.dbc:5:6: Twice.Two: there are two signals of that name\n",
	"made-up.dbc:5:6: Twice.Two ends in byte 9, the message has 8\n",
	"made-up.dbc:6:7: Twice: sender Z is no node\n",
	"made-up.dbc:7:6: Twice.Lost is multiplexed, but the message has no multiplexor\n",
	"made-up.dbc:8:6: Twice.Big: the factor is 0\n",
	"made-up.dbc:9:10: Wide: identifier 0xBB8 does not fit into 11 bits\n",
	"made-up.dbc:9:10: Wide: no frame has 9 bytes\n",
	"made-up.dbc:10:6: Wide.9Name: the name is no identifier\n",
	"made-up.dbc:10:6: Wide.9Name: value 4 (four) does not fit into 3 bits\n",
	"made-up.dbc:10:6: Wide.9Name: value 1 has two names\n",
	"made-up.dbc:17:6: Muxed.Z overlaps Y\n",
};

static void test_tools_check_finds_each_kind_of_problem(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(faulty);
	struct capture c;
	unsigned n = dbc_check(p.db, capture_open(&c));
	const char *text = capture_text(&c);

	(void)state;
	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++)
		assert_has(text, problems[i]);
	if (n != sizeof(problems) / sizeof(problems[0]))
		fail_msg("%u problems:\n%s", n, text);
	free(c.text);
	dbc_pair_free(&p);
}

static void test_tools_diff_shows_what_3_6_added_to_3_2(void **state)
{
	struct dbc_pair a = dbc_pair_from_file("dbc/evse_v3.2.dbc"),
			b = dbc_pair_from_file("dbc/evse_v3.6.dbc");
	static const char *const expected[] = {
		"~ EV_Information_Battery\n    length: 3 -> 6\n    + Minimum_State_of_Charge 24|8 little unsigned (1,0) %\n",
		"~ EV_Information_Voltages\n    length: 4 -> 6\n    + EV_Present_Voltage 32|16 little unsigned (0.1,0) V\n",
		"~ Advantics_Controller_Status\n    + State value 13 \"Charge_Pause\"\n",
		"~ New_Charge_Session\n    + Plug_and_pins value 4 \"MCS\"\n",
		"    ~ Reserved start: 4 -> 28\n    ~ Reserved length: 60 -> 26\n    + Led1 4|8 little unsigned (1,0)\n",
		"+ EV_Information_Energy 0x6B104, 6 bytes, 3 signals\n",
		"+ EV_ID_CCS_Part2_DIN 0x6B105, 6 bytes, 6 signals\n",
		"+ ADM_CS_SPCC_Inputs 0x6B202, 8 bytes, 11 signals\n",
		"+ ADM_CS_SPCC_Outputs 0x63202, 8 bytes, 6 signals\n",
		"+ CCS_Extra_Information 0x6B203, 8 bytes, 3 signals\n",
		"+ MCS_Extra_Information 0x6B204, 8 bytes, 3 signals\n",
	};
	struct capture c;
	unsigned n = dbc_diff(a.db, b.db, capture_open(&c));
	const char *text = capture_text(&c);

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_has(text, expected[i]);
	/* Nothing else: everything else on the wire is identical. */
	assert_int_equal(n, 19);
	free(c.text);
	dbc_pair_free(&a);
	dbc_pair_free(&b);
}

static void test_tools_diff_of_equal_databases_is_empty(void **state)
{
	struct dbc_pair a = dbc_pair_from_file("dbc/pev_v2.5.dbc"),
			b = dbc_pair_from_file("dbc/pev_v2.5.dbc");
	struct capture c;

	(void)state;
	assert_int_equal(dbc_diff(a.db, b.db, capture_open(&c)), 0);
	assert_string_equal(capture_text(&c), "");
	free(c.text);
	dbc_pair_free(&a);
	dbc_pair_free(&b);
}

static void test_tools_diff_tells_every_kind_of_change(void **state)
{
	struct dbc_pair a = dbc_pair_from_text(
		"BO_ 1 A: 8 X\n SG_ S : 0|8@1+ (1,0) [0|1] \"V\" X\n SG_ M M : 8|8@1+ (1,0) [0|0] \"\" X\n"
		"BO_ 2 Gone: 8 X\nVAL_ 1 S 0 \"a\" 1 \"b\" ;\n");
	struct dbc_pair b = dbc_pair_from_text(
		"BO_ 2147483651 A: 7 Y\n SG_ S : 7|9@0- (2,1) [1|2] \"A\" X\n SG_ M : 8|8@1+ (1,0) [0|0] \"\" X\n"
		"VAL_ 2147483651 S 0 \"c\" 2 \"d\" ;\n");
	static const char expected[] =
		"~ A\n    id: 0x1 -> 0x3 (29 bit)\n    length: 8 -> 7\n    sender: \"X\" -> \"Y\"\n"
		"    ~ S start: 0 -> 7\n    ~ S length: 8 -> 9\n"
		"    ~ S byte order: \"little\" -> \"big\"\n    ~ S type: \"unsigned\" -> \"signed\"\n"
		"    ~ S factor: 1 -> 2\n    ~ S offset: 0 -> 1\n    ~ S minimum: 0 -> 1\n"
		"    ~ S maximum: 1 -> 2\n    ~ S unit: \"V\" -> \"A\"\n    ~ S value 0: \"a\" -> \"c\"\n"
		"    - S value 1 \"b\"\n    + S value 2 \"d\"\n    ~ M multiplexing\n"
		"- Gone 0x2, 8 bytes, 0 signals\n";
	struct capture c;

	(void)state;
	dbc_diff(a.db, b.db, capture_open(&c));
	assert_string_equal(capture_text(&c), expected);
	free(c.text);
	dbc_pair_free(&a);
	dbc_pair_free(&b);
}

static char *decode(const char *file, const char *line, bool is_json, int index, struct dbc_decoder *out)
{
	struct dbc_pair p = dbc_pair_from_file(file);
	struct dbc_decoder d = {.db = p.db, .codec = p.codec, .is_json = is_json, .index = index};
	struct capture c;

	dbc_decode_line(&d, line, strlen(line), capture_open(&c));
	capture_text(&c);
	if (out)
		*out = d;
	dbc_pair_free(&p);
	return c.text;
}

static void assert_decodes(const char *file, const char *line, bool is_json, int index, const char *expected)
{
	char *text = decode(file, line, is_json, index, NULL);

	assert_string_equal(text, expected);
	free(text);
}

#define E36 "dbc/evse_v3.6.dbc"

static void test_tools_decode_names_every_value(void **state)
{
	(void)state;
	assert_decodes(
		E36, "(1436509052.249713) vcan0 0106B003#B00FE803E80348\n", false, 1,
		"(1436509052.249713) vcan0 0106B003 DC_Power_Control Target_Voltage=401.6V Current_Range_Max=100A "
		"Current_Range_Min=100A Power_Function=Power_Transfer(8) Reserved=0 Setpoints_Mode=Target_Mode(0) "
		"Output_Contactors=Close(1) Lower_Output_Voltage=No_Lowering(0)\n");
	assert_decodes(E36, "0106B300#6BFE", false, DBC_INDEX_ANY,
		       "0106B300 OCPP_Control Dynamic_Target_Current=-40.5A\n");
	assert_decodes("dbc/pev_v2.5.dbc", "  can1  602   [1]  01\n", false, DBC_INDEX_NONE,
		       "can1 602 DC_Control Close_Contactors=Close(1) Reserved_Flags=0\n");
	assert_decodes("dbc/pev_v2.0-ex.dbc", "610#1E811D", false, DBC_INDEX_NONE,
		       "610 EV_Information State_of_Charge=30% Energy_Capacity=75.53kWh\n");
}

static void test_tools_decode_json_has_numbers_and_labels(void **state)
{
	(void)state;
	assert_decodes(
		E36, "(1.000002) can0 0206B001#0601\r\n", true, DBC_INDEX_ANY,
		"{\"time\": 1.000002, \"channel\": \"can0\", \"id\": 33992705, \"extended\": true, \"index\": 2, "
		"\"data\": \"0601\", \"message\": \"New_Charge_Session\", \"signals\": {\"Communication_Protocol\": 6, "
		"\"Plug_and_pins\": 1}, \"labels\": {\"Communication_Protocol\": \"CCS_PWM\", \"Plug_and_pins\": "
		"\"CCS_DC_Extended\"}}\n");
	assert_decodes(
		E36, "123#AB", true, DBC_INDEX_NONE,
		"{\"time\": null, \"channel\": null, \"id\": 291, \"extended\": false, \"data\": \"AB\", \"message\": null, "
		"\"signals\": {}, \"labels\": {}}\n");
}

static void test_tools_decode_leaves_out_what_a_short_frame_lacks(void **state)
{
	(void)state;
	assert_decodes(
		E36, "0006B100#4C001E", false, DBC_INDEX_NONE,
		"0006B100 EV_Information_Battery Battery_Capacity=76kWh Present_State_of_Charge=30%\n");
	assert_decodes(E36, "0006B100#4C", false, DBC_INDEX_NONE, "0006B100 EV_Information_Battery\n");
}

static void test_tools_decode_index_selects_pistols(void **state)
{
	struct dbc_decoder d;

	(void)state;
	free(decode(E36, "0106B000#07", false, DBC_INDEX_NONE, &d));
	assert_int_equal(d.n_unknown, 1);
	assert_int_equal(d.n_unknown_index, 1);
	assert_decodes(E36, "0106B000#07", false, DBC_INDEX_NONE, "0106B000#07 unknown\n");
	assert_decodes(E36, "0106B000#07", false, 2, "0106B000#07 unknown\n");
	assert_decodes(E36, "0206B000#07", false, 2,
		       "0206B000 Advantics_Controller_Status State=Charging(7)\n");
	assert_decodes(E36, "1F06B000#07", false, DBC_INDEX_ANY,
		       "1F06B000 Advantics_Controller_Status State=Charging(7)\n");
}

static void test_tools_decode_special_frames_are_not_decoded(void **state)
{
	struct dbc_decoder d;

	(void)state;
	assert_decodes(E36, "0006B000#R1", false, DBC_INDEX_NONE, "0006B000#R1 remote frame\n");
	assert_decodes(E36, "20000040#0000000000000000", false, DBC_INDEX_NONE,
		       "20000040#0000000000000000 error frame\n");
	free(decode(E36, "what is this", false, DBC_INDEX_NONE, &d));
	assert_int_equal(d.n_bad_lines, 1);
	assert_int_equal(d.n_frames, 0);
	free(decode(E36, "   \n", false, DBC_INDEX_NONE, &d));
	assert_int_equal(d.n_bad_lines, 0);
}

static const char fd[] =
	"BO_ 5 Long: 12 X\n SG_ Last : 88|8@1+ (1,0) [0|0] \"\" X\n SG_ Kind M : 0|8@1+ (1,0) [0|0] \"\" X\n"
	" SG_ Wide m3 : 8|64@1+ (1,0) [0|0] \"\" X\n SG_ Other m4 : 8|64@1- (1,0) [0|0] \"\" X\n";

static int encode(const char *text, const char *message, const char *a, const char *b, int index,
		  char frame[200], char error[200])
{
	struct dbc_pair p = dbc_pair_from_text(text);
	char one[100], two[100], *list[2] = {one, two};
	struct capture c;

	snprintf(one, sizeof(one), "%s", a ? a : "");
	snprintf(two, sizeof(two), "%s", b ? b : "");
	error[0] = '\0';
	int err = dbc_encode_text(p.db, p.codec, message, list, (size_t)(a != NULL) + (b != NULL), index,
				  capture_open(&c), error, 200);
	snprintf(frame, 200, "%s", capture_text(&c));
	free(c.text);
	dbc_pair_free(&p);
	return err;
}

static void test_tools_long_frames_go_both_ways(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(fd);
	struct dbc_decoder d = {.db = p.db, .codec = p.codec, .index = DBC_INDEX_NONE};
	char frame[200], error[200];
	struct capture c;

	(void)state;
	assert_int_equal(
		encode(fd, "Long", "Kind=3", "Wide=18446744073709551615", DBC_INDEX_NONE, frame, error), 0);
	assert_string_equal(frame, "005##003FFFFFFFFFFFFFFFF000000\n");
	dbc_decode_line(&d, frame, strlen(frame), capture_open(&c));
	assert_string_equal(capture_text(&c), "005 Long Last=0 Kind=3 Wide=18446744073709551615\n");
	free(c.text);
	assert_int_equal(
		encode(fd, "Long", "Other=-9223372036854775808", "Kind=4", DBC_INDEX_NONE, frame, error), 0);
	assert_string_equal(frame, "005##0040000000000000080000000\n");
	dbc_pair_free(&p);
}

struct refusal {
	const char *message, *a, *b;
	int index;
	const char *sentence;
};

static const char small[] =
	"BO_ 5 A: 8 X\n SG_ S : 0|8@1+ (0.5,-10) [0|0] \"\" X\n SG_ N : 8|8@1- (1,0) [0|0] \"\" X\n"
	" SG_ K M : 16|8@1+ (1,0) [0|0] \"\" X\n SG_ Sub m1 : 24|8@1+ (1,0) [0|0] \"\" X\nVAL_ 5 N 1 \"On\" 2 \"on\" ;\n";

static void test_tools_encode_refuses_with_a_reason(void **state)
{
	static const struct refusal list[] = {
		{"B", NULL, NULL, -1, "there is no message B in made-up.dbc"},
		{"A", "S", NULL, -1, "\"S\": expected SIGNAL=VALUE"},
		{"A", "X=1", NULL, -1, "A has no signal X"},
		{"A", "S=117.75", NULL, -1, "S=117.75 is outside of -10 .. 117.5"},
		{"A", "S=-11", NULL, -1, "S=-11 is outside of -10 .. 117.5"},
		{"A", "S=nan", NULL, -1, "S: \"nan\" is no number"},
		{"A", "S=", NULL, -1, "S: \"\" is neither a number nor the name of a value"},
		{"A", "N=Off", NULL, -1, "N: \"Off\" is neither a number nor the name of a value"},
		{"A", "N=128", NULL, -1, "N=128 is outside of -128 .. 127"},
		{"A", "S=1", "S=2", -1, "S is given twice"},
		{"A", "Sub=1", NULL, -1, "Sub is not selected by its multiplexor K"},
		{"A", "Sub=1", NULL, 3, "A has an 11-bit identifier, which carries no index"},
	};
	char frame[200], error[200];

	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		assert_int_equal(
			encode(small, list[i].message, list[i].a, list[i].b, list[i].index, frame, error),
			-EINVAL);
		assert_string_equal(error, list[i].sentence);
		assert_string_equal(frame, "");
	}
}

static void test_tools_encode_takes_names_and_rounds(void **state)
{
	char frame[200], error[200];

	(void)state;
	assert_int_equal(encode(small, "A", "S=-9.7", "N=on", DBC_INDEX_NONE, frame, error), 0);
	assert_string_equal(frame, "005#0102000000000000\n");
	assert_int_equal(encode(small, "A", "S=0x10", "N=ON", DBC_INDEX_NONE, frame, error), 0);
	assert_string_equal(frame, "005#3401000000000000\n");
	assert_int_equal(encode(small, "A", "Sub=9", "K=1", DBC_INDEX_NONE, frame, error), 0);
	assert_string_equal(frame, "005#0000010900000000\n");
}

static void assert_number(double v, const char *expected)
{
	char text[DBC_NUMBER_MAX];

	assert_int_equal(dbc_format_double(v, text), strlen(expected));
	assert_string_equal(text, expected);
}

static void test_tools_doubles_print_shortest(void **state)
{
	(void)state;
	assert_number(0.1, "0.1");
	assert_number(-40, "-40");
	assert_number(1e300, "1e+300");
	assert_number(0.1 + 0.2, "0.30000000000000004");
	assert_number(4294967296, "4294967296");
	assert_number(NAN, "nan");
	assert_number(-INFINITY, "-inf");
}

static void test_tools_physical_values_print_and_read_back_exactly(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(
		"BO_ 1 A: 8 X\n SG_ D : 0|16@1- (0.1,0) [0|0] \"\" X\n SG_ E : 16|16@1+ (0.0625,-7.5) [0|0] \"\" X\n"
		" SG_ F : 32|16@1+ (1e-05,0) [0|0] \"\" X\n");
	char text[DBC_NUMBER_MAX], plain[DBC_NUMBER_MAX];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const struct dbc_codec_signal *s = &p.codec->messages[0].signals[i];

		for (int raw = -32768; raw < 32768; raw++) {
			uint64_t value = i ? (uint64_t)(raw + 32768) : (uint64_t)(int64_t)raw, back;

			dbc_format_physical(s, value, text);
			assert_false(dbc_physical_to_raw(s, strtod(text, NULL), &back));
			assert_int_equal(back, value);
			/* Never more digits than the scale has. */
			snprintf(plain, sizeof(plain), "%.*f",
				 i == 0	  ? 1
				 : i == 1 ? 4
					  : 5,
				 dbc_raw_to_physical(s, value));
			assert_true(strlen(text) <= strlen(plain));
		}
	}
	dbc_format_physical(&p.codec->messages[0].signals[0], 4016, text);
	assert_string_equal(text, "401.6");
	dbc_format_physical(&p.codec->messages[0].signals[0], (uint64_t)-5, text);
	assert_string_equal(text, "-0.5");
	dbc_pair_free(&p);
}

static void test_tools_json_strings_are_escaped(void **state)
{
	struct capture c;

	(void)state;
	dbc_json_string(capture_open(&c), "a\"b\\c\n\t\x01\xc2\xb0");
	assert_string_equal(capture_text(&c), "\"a\\\"b\\\\c\\n\\u0009\\u0001\xc2\xb0\"");
	free(c.text);
}

static void test_tools_list_shows_layout_and_names(void **state)
{
	struct dbc_pair p = dbc_pair_from_text(small);
	struct capture c;

	(void)state;
	dbc_list(p.db, false, capture_open(&c));
	assert_has(capture_text(&c), "005 A, 8 bytes, from X\n");
	assert_has(c.text, "8|8  LS  (1,0)  1=On 2=on\n");
	assert_has(c.text, "24|8  LU  (1,0) if K=1\n");
	free(c.text);
	dbc_list(p.db, true, capture_open(&c));
	assert_has(
		capture_text(&c),
		"{\"name\": \"A\", \"id\": 5, \"extended\": false, \"dlc\": 8, \"cycle_ms\": 0, \"sender\": \"X\"");
	assert_has(
		c.text,
		"\"S\": {\"start\": 0, \"length\": 8, \"byte_order\": \"little\", \"signed\": false, \"type\": \"integer\", "
		"\"factor\": 0.5, \"offset\": -10, \"min\": null, \"max\": null, \"unit\": \"\", \"receivers\": [\"X\"]}");
	assert_has(c.text, "\"selected_by\": \"K\", \"selectors\": [[1, 1]]");
	assert_has(c.text, "\"values\": {\"1\": \"On\", \"2\": \"on\"}");
	free(c.text);
	dbc_pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tools_own_databases_have_no_problems),
		cmocka_unit_test(test_tools_check_finds_each_kind_of_problem),
		cmocka_unit_test(test_tools_diff_shows_what_3_6_added_to_3_2),
		cmocka_unit_test(test_tools_diff_of_equal_databases_is_empty),
		cmocka_unit_test(test_tools_diff_tells_every_kind_of_change),
		cmocka_unit_test(test_tools_decode_names_every_value),
		cmocka_unit_test(test_tools_decode_json_has_numbers_and_labels),
		cmocka_unit_test(test_tools_decode_leaves_out_what_a_short_frame_lacks),
		cmocka_unit_test(test_tools_decode_index_selects_pistols),
		cmocka_unit_test(test_tools_decode_special_frames_are_not_decoded),
		cmocka_unit_test(test_tools_long_frames_go_both_ways),
		cmocka_unit_test(test_tools_encode_refuses_with_a_reason),
		cmocka_unit_test(test_tools_encode_takes_names_and_rounds),
		cmocka_unit_test(test_tools_doubles_print_shortest),
		cmocka_unit_test(test_tools_physical_values_print_and_read_back_exactly),
		cmocka_unit_test(test_tools_json_strings_are_escaped),
		cmocka_unit_test(test_tools_list_shows_layout_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
