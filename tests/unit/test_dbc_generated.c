/* SPDX-License-Identifier: MIT */
/*
 * The generated code against the run-time codec, message by message and version by version, and the worked
 * frames of both interfaces through both.
 */
#include "evse_msgs.h"
#include "pev_msgs.h"
#include "plug_msgs.h"

#include "dbc/dbc_tools.h"
#include "tests/lib/dbc_files.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS 400

/* Holds every intermediate result of a 64-bit member. */
__extension__ typedef __int128 wide;

struct family {
	const struct msg_layout *layouts;   /* versions x messages */
	int n_versions, n_msgs, first_file; /* of dbc_own_files */
	int (*find)(int version, canid_t id);
};

static int find_evse(int version, canid_t id)
{
	return evse_find((enum evse_version)version, id);
}

static int find_pev(int version, canid_t id)
{
	return pev_find((enum pev_version)version, id);
}

static int find_plug(int version, canid_t id)
{
	return plug_find((enum plug_version)version, id);
}

static const struct family families[] = {
	{&evse_layouts[0][0], EVSE_N_VERSIONS, EVSE_N_MSGS, 0, find_evse},
	{&pev_layouts[0][0], PEV_N_VERSIONS, PEV_N_MSGS, 6, find_pev},
	{&plug_layouts[0][0], PLUG_N_VERSIONS, PLUG_N_MSGS, 12, find_plug},
};

typedef void layout_check(const struct msg_layout *l, const struct dbc_pair *p,
			  const struct dbc_codec_message *m, uint64_t *seed);

static void for_each_layout(layout_check *check)
{
	uint64_t seed = 11;

	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		for (int v = 0; v < families[f].n_versions; v++) {
			struct dbc_pair p = dbc_pair_from_file(dbc_own_files[families[f].first_file + v]);
			uint32_t n = 0;

			for (int i = 0; i < families[f].n_msgs; i++) {
				const struct msg_layout *l = &families[f].layouts[v * families[f].n_msgs + i];

				if (!msg_exists(l))
					continue;
				const struct dbc_codec_message *m = dbc_codec_find(p.codec, l->id);
				assert_non_null(m);
				assert_int_equal(families[f].find(v, l->id), i);
				check(l, &p, m, &seed);
				n++;
			}
			assert_int_equal(n, p.db->n_messages);
			dbc_pair_free(&p);
		}
	}
}

static const struct dbc_codec_signal *signal_of(const struct dbc_codec_message *m, const struct msg_field *f)
{
	const struct dbc_signal *s = dbc_find_signal(m->def, f->signal);

	assert_non_null(s);
	return &m->signals[s - m->def->signals];
}

static uint64_t used_bits(const struct msg_layout *l)
{
	uint64_t bits = 0;

	for (unsigned i = 0; i < l->n_fields; i++)
		bits |= UINT64_MAX >> (64 - l->fields[i].length) << l->fields[i].start_bit;
	return bits;
}

static void check_facts(const struct msg_layout *l, const struct dbc_pair *p,
			const struct dbc_codec_message *m, uint64_t *seed)
{
	unsigned n_reserved = 0;

	(void)seed;
	assert_string_equal(l->name, m->def->name);
	assert_int_equal(l->cycle_ms, dbc_cycle_ms(p->db, m->def));
	assert_true(l->dlc == m->def->dlc || l->dlc == 8);
	for (unsigned i = 0; i < m->n_signals; i++)
		n_reserved += strncmp(m->def->signals[i].name, "Reserved", 8) == 0;
	assert_int_equal(l->n_fields, m->n_signals - n_reserved);
	for (unsigned i = 0; i < l->n_fields; i++) {
		const struct msg_field *f = &l->fields[i];
		const struct dbc_codec_signal *s = signal_of(m, f);

		assert_int_equal(f->start_bit, s->def->start);
		assert_int_equal(f->length, s->def->length);
		assert_int_equal(f->is_signed, s->def->is_signed);
		assert_int_equal(f->n_values, s->def->values.n);
		for (unsigned k = 0; k < f->n_values; k++) {
			assert_int_equal(f->values[k].number, s->def->values.list[k].number);
			assert_string_equal(f->values[k].name, s->def->values.list[k].name);
		}
	}
}

static void test_generated_tables_match_the_databases(void **state)
{
	(void)state;
	for_each_layout(check_facts);
}

static void check_unpack_and_pack(const struct msg_layout *l, const struct dbc_pair *p,
				  const struct dbc_codec_message *m, uint64_t *seed)
{
	uint8_t *msg = malloc(l->msg_size);

	(void)p;
	assert_non_null(msg);
	for (int r = 0; r < ROUNDS; r++) {
		uint64_t w = dbc_random(seed);
		uint8_t data[8], back[8];

		msg_store64(data, w);
		l->unpack(msg, data);
		for (unsigned i = 0; i < l->n_fields; i++) {
			const struct msg_field *f = &l->fields[i];
			const struct dbc_codec_signal *s = signal_of(m, f);
			int64_t raw = (int64_t)dbc_raw_read(s, data), number = msg_field_read(f, msg);

			assert_int_equal(number, raw * f->num / f->den + f->add);
			/* Our unit is a power of ten of the database's. */
			double physical = dbc_raw_to_physical(s, (uint64_t)raw);
			double unit = f->num / s->factor;
			assert_true(fabs((double)number - physical * unit) <= 1e-6 * fabs(unit));
		}
		assert_int_equal(l->pack(back, msg), 0);
		assert_int_equal(msg_load64(back), w & used_bits(l));
	}
	free(msg);
}

static void test_generated_code_agrees_with_the_table_codec(void **state)
{
	(void)state;
	for_each_layout(check_unpack_and_pack);
}

/* Any number in any member is clipped where the table codec clamps, and to the same raw value. */
static void check_clipping(const struct msg_layout *l, const struct dbc_pair *p,
			   const struct dbc_codec_message *m, uint64_t *seed)
{
	uint8_t *msg = calloc(1, l->msg_size);

	(void)p;
	assert_non_null(msg);
	for (int r = 0; r < ROUNDS; r++) {
		uint8_t data[8], expected[8] = {0};
		unsigned n_clipped = 0;

		/* Now all members, now one alone: the first that is out of range hides the others. */
		msg_store64(data, dbc_random(seed));
		l->unpack(msg, data);
		for (unsigned i = 0; i < l->n_fields; i++) {
			const struct msg_field *f = &l->fields[i];
			const struct dbc_codec_signal *s = signal_of(m, f);
			int64_t number = (int64_t)dbc_random(seed) >> dbc_random(seed) % 64;

			if (r % 2 || i == (unsigned)r / 2 % l->n_fields)
				msg_field_write(f, msg, number);
			number = msg_field_read(f, msg);
			/* Half up in whole numbers, without a double. */
			wide steps = (wide)number - f->add + f->num / 2;
			wide raw = steps >= 0 ? steps / f->num : -((-steps + f->num - 1) / f->num);
			wide top = s->raw_max, bottom = s->raw_min;
			n_clipped += raw < bottom || raw > top;
			raw = raw < bottom ? bottom : raw > top ? top : raw;
			dbc_raw_write(s, expected, (uint64_t)raw);
		}
		assert_int_equal(l->pack(data, msg), n_clipped);
		assert_memory_equal(data, expected, 8);
	}
	free(msg);
}

static void test_generated_pack_rounds_and_saturates(void **state)
{
	(void)state;
	for_each_layout(check_clipping);
}

static void check_unknown(const struct msg_layout *l, const struct dbc_pair *p,
			  const struct dbc_codec_message *m, uint64_t *seed)
{
	uint8_t *msg = malloc(l->msg_size);

	(void)p;
	(void)m;
	assert_non_null(msg);
	for (int r = 0; r < ROUNDS; r++) {
		uint8_t data[8];
		uint32_t bits = 0;

		msg_store64(data, dbc_random(seed) & dbc_random(seed) & dbc_random(seed));
		l->unpack(msg, data);
		for (unsigned i = 0; i < l->n_fields; i++) {
			const struct msg_field *f = &l->fields[i];
			bool is_known = f->n_values == 0;

			for (unsigned k = 0; k < f->n_values; k++)
				is_known = is_known || f->values[k].number == msg_field_read(f, msg);
			if (!is_known)
				bits |= (uint32_t)1 << i;
		}
		assert_int_equal(l->unknown(msg), bits);
	}
	free(msg);
}

static void test_generated_unknown_values_are_flagged(void **state)
{
	(void)state;
	for_each_layout(check_unknown);
}

static void test_generated_absent_messages_do_nothing(void **state)
{
	const struct msg_layout *l = &evse_layouts[EVSE_V3_2][EVSE_CCS_EXTRA_INFORMATION];
	struct evse_ccs_extra_information m = {.cp_state = 6};
	uint8_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	assert_false(msg_exists(l));
	l->unpack(&m, data);
	assert_int_equal(m.cp_state, 6);
	for (size_t f = 0; f < sizeof(families) / sizeof(families[0]); f++) {
		for (int i = 0; i < families[f].n_versions * families[f].n_msgs; i++) {
			l = &families[f].layouts[i];
			if (msg_exists(l))
				continue;
			uint8_t *msg = calloc(1, l->msg_size);
			memset(data, 0xff, sizeof(data));
			l->unpack(msg, data);
			assert_int_equal(l->pack(data, msg), 0);
			assert_int_equal(msg_load64(data), 0);
			assert_int_equal(l->unknown(msg), 0);
			assert_non_null(l->name);
			free(msg);
		}
	}
	assert_int_equal(evse_find(EVSE_V3_2, 0x6B203 | CAN_EFF_FLAG), -1);
	assert_int_equal(evse_find(EVSE_V3_6, 0x6B203), -1);
}

static void test_generated_missing_signals_keep_their_value(void **state)
{
	struct evse_ev_information_battery m = {.target_state_of_charge_permille = 800};
	uint8_t data[8] = {0x4c, 0, 30, 10, 50, 90, 0, 0};

	(void)state;
	evse_layouts[EVSE_V3_2][EVSE_EV_INFORMATION_BATTERY].unpack(&m, data);
	assert_int_equal(m.battery_capacity_Wh, 76000);
	assert_int_equal(m.present_state_of_charge_permille, 300);
	assert_int_equal(m.target_state_of_charge_permille, 800);
}

/*
 * DC_Status1 of 2.0-ex: 4 bytes in the database, 8 on the wire; its request has the member of the later name.
 */
static void test_generated_early_pev_version_keeps_its_peculiarities(void **state)
{
	const struct msg_layout *l = &pev_layouts[PEV_V2_0_EX][PEV_DC_STATUS1];
	struct pev_dc_status1 m = {.max_charge_current_mA = 200000};
	struct can_frame f;

	(void)state;
	assert_int_equal(msg_to_frame(l, &m, 0, &f), 0);
	assert_int_equal(f.can_dlc, 8);
	assert_memory_equal(f.data, "\xd0\x07\0\0\0\0\0\0", 8);
	f.can_dlc = 4;
	assert_true(msg_from_frame(l, &m, &f, 4));
	f.can_dlc = 3;
	assert_false(msg_from_frame(l, &m, &f, 4));
}

struct worked {
	const char *file, *message;
	const char *values[7];
	const char *frame;
	int index;
};

#define E36 "dbc/evse_v3.6.dbc"
#define P25 "dbc/pev_v2.5.dbc"
#define PEX "dbc/pev_v2.0-ex.dbc"
#define PC  "DC_Power_Control"

static const struct worked worked[] = {
	{E36, "Advantics_Controller_Status", {"State=Charging"}, "0106B000#07", 1},
	{E36,
	 "New_Charge_Session",
	 {"Communication_Protocol=CCS_ISO_15118_2022", "Plug_and_pins=CCS_DC_Extended"},
	 "0106B001#0701",
	 1},
	{E36, PC, {"Power_Function=Standby"}, "0106B003#00000000000001", 1},
	{E36,
	 PC,
	 {"Target_Voltage=500", "Power_Function=Insulation_Test", "Output_Contactors=Close"},
	 "0106B003#88130000000042",
	 1},
	{E36,
	 PC,
	 {"Power_Function=Standby", "Output_Contactors=Close", "Lower_Output_Voltage=Lowering"},
	 "0106B003#000000000000C1",
	 1},
	{E36,
	 PC,
	 {"Target_Voltage=330", "Current_Range_Max=2", "Power_Function=Precharge",
	  "Setpoints_Mode=Range_Mode", "Output_Contactors=Close"},
	 "0106B003#E40C1400000064",
	 1},
	{E36,
	 PC,
	 {"Target_Voltage=401.6", "Current_Range_Max=100", "Current_Range_Min=100",
	  "Power_Function=Power_Transfer", "Output_Contactors=Close"},
	 "0106B003#B00FE803E80348",
	 1},
	{E36,
	 PC,
	 {"Target_Voltage=450", "Current_Range_Max=120", "Current_Range_Min=-80",
	  "Power_Function=Power_Transfer", "Setpoints_Mode=Range_Mode", "Output_Contactors=Close"},
	 "0106B003#9411B004E0FC68",
	 1},
	{E36, PC, {"Power_Function=Standby", "Output_Contactors=Close"}, "0106B003#00000000000041", 1},
	{E36, PC, {"Power_Function=Standby", "Lower_Output_Voltage=Lowering"}, "0106B003#00000000000081", 1},
	{E36, "OCPP_Control", {"Dynamic_Target_Current=-40.5"}, "0106B300#6BFE", 1},
	{E36,
	 "EV_Information_Battery",
	 {"Battery_Capacity=76", "Present_State_of_Charge=30", "Minimum_State_of_Charge=10",
	  "Target_State_of_Charge=80", "Maximum_State_of_Charge=90"},
	 "0106B100#4C001E0A505A",
	 1},
	{"dbc/evse_v3.2.dbc",
	 "EV_Information_Battery",
	 {"Battery_Capacity=76", "Present_State_of_Charge=30"},
	 "0106B100#4C001E",
	 1},
	{E36,
	 "Power_Modules_Status",
	 {"Present_Voltage=402.3", "Present_Current=-55.5", "Power_Modules_Temperature=35",
	  "Enclosure_Temperature=20", "System_Enable=Allowed", "Insulation_Resistance=100"},
	 "01063000#B70FD5FD4B3C0132",
	 1},
	{E36,
	 "DC_Power_Parameters",
	 {"Maximum_Voltage=500", "Maximum_Charge_Current=120", "Maximum_Discharge_Current=120"},
	 "01063001#8813B004B0040000",
	 1},
	{E36, "Sequence_Control", {"Start_Charge_Authorisation=Allowed"}, "01063002#010000", 1},
	{E36,
	 "Sequence_Control",
	 {"Start_Charge_Authorisation=1", "CCS_Authorisation_Done=1", "CCS_Authorisation_Valid=1"},
	 "01063002#010300",
	 1},
	{E36,
	 "Sequence_Control",
	 {"Start_Charge_Authorisation=1", "CCS_Authorisation_Done=1", "CCS_Authorisation_Valid=1",
	  "Charge_Parameters_Done=1"},
	 "01063002#010700",
	 1},
	{E36,
	 "Sequence_Control",
	 {"Start_Charge_Authorisation=1", "CCS_Authorisation_Done=1", "CCS_Authorisation_Valid=1",
	  "Charge_Parameters_Done=1", "User_Stop_Button=1"},
	 "01063002#010701",
	 1},
	{E36,
	 "ADM_CS_SECC_Outputs",
	 {"Digital_Output1=1", "Led1=100", "Led2=50"},
	 "01063201#4126030000000000",
	 1},
	{E36, "ADM_CS_SPCC_Outputs", {"Digital_Output2=1", "Led3=100"}, "01063202#0200900100000000", 1},
	{E36, "CCS_Extra_Information", {"CP_State=C", "CP_Duty_Cycle=5"}, "0106B203#0632000000000000", 1},
	{E36, "Emergency_Stop", {"Origin=PEV"}, "0106B005#03", 1},
	{P25,
	 "EVSE_Information",
	 {"Communication_Stage=Charging", "Protocol=CCS_ISO_15118_2013_v2", "Pins=CCS_DC_Extended",
	  "Max_Current=120"},
	 "600#070305780000",
	 -1},
	{PEX,
	 "EVSE_Information",
	 {"Communication_Stage=Charging", "Protocol=CCS_ISO_15118_2013_v2", "Pins=CCS_DC_Extended",
	  "Max_Current=120"},
	 "600#070305B00400",
	 -1},
	{P25, "DC_Control", {"Close_Contactors=Close"}, "602#01", -1},
	{P25, "AC_Control", {"Ready_To_Deliver_Power=Ready"}, "601#01", -1},
	{P25,
	 "CCS_Extra_Information",
	 {"CP_Duty_Cycle=5", "CP_Top_Voltage=9", "CP_State=B", "PP_Resistance=1500",
	  "Inlet_Lock_State=Locked"},
	 "603#32005A099601",
	 -1},
	{P25, "EV_Information", {"State_of_Charge=30", "Energy_Capacity=75.53"}, "610#1EF302", -1},
	{PEX, "EV_Information", {"State_of_Charge=30", "Energy_Capacity=75.53"}, "610#1E811D", -1},
	{P25, "DC_Status1", {"Max_Charge_Current=200"}, "612#C800000000000000", -1},
	{P25,
	 "DC_Status1",
	 {"Max_Charge_Current=100", "Present_Current=-20", "Max_Discharge_Current=80", "Target_Voltage=420"},
	 "612#6400ECFF5000A401",
	 -1},
	{P25,
	 "DC_Status2",
	 {"Contactors_Closed=Close", "Battery_Voltage=330", "Inlet_Voltage=329.5"},
	 "613#01E40CDF0C",
	 -1},
	{P25,
	 "DC_Status2",
	 {"Contactors_Closed=Close", "Normal_End_of_Charge=Stop_Requested", "Battery_Voltage=330",
	  "Inlet_Voltage=330"},
	 "613#03E40CE40C",
	 -1},
	{P25,
	 "DC_Status2",
	 {"Contactors_Closed=Close", "Emergency_Stop=Emergency_Stop_Requested", "Battery_Voltage=330",
	  "Inlet_Voltage=330"},
	 "613#05E40CE40C",
	 -1},
	{P25,
	 "EV_Energy_Request",
	 {"Target_Energy_Request=60.4", "Maximum_Energy_Request=75.5", "Minimum_Energy_Request=22.7"},
	 "614#5C02F302E300",
	 -1},
	{P25,
	 "EV_V2X_Energy_Request",
	 {"Minimum_V2X_Energy_Request=22.7", "Maximum_V2X_Energy_Request=60.4"},
	 "615#E3005C02",
	 -1},
	{PEX,
	 "EV_V2X_Energy_Request",
	 {"Minimum_V2X_Energy_Request=22.66", "Maximum_V2X_Energy_Request=60.42"},
	 "615#DA089A17",
	 -1},
	{P25, "EV_Extra_BPT_Information", {"Departure_Time=86400"}, "616#80510100", -1},
	{P25, "EV_Status", {"HV_Preparing_Hold_Off=Hold_Off"}, "618#0100000000000000", -1},
	{P25, "EV_Status", {"Charge_Pause_Request=Requested"}, "618#0200000000000000", -1},
	{P25,
	 "ADM_CS_EVCC_MEVC_Outputs",
	 {"Digital_Output1=1", "Led1=100", "Led3=10"},
	 "617#010000000064000A",
	 -1},
	{P25,
	 "EVCC_MEVC_Diagnostic_Status",
	 {"LockFailure=1", "PrechargeTimeout=1", "HLC_ResponseCode=FAILED", "EVSE_StatusCode=EVSE_Shutdown",
	  "EVSE_Isolation_Level=Valid"},
	 "605#4100000000001623",
	 -1},
};

static void check_worked(const struct worked *w)
{
	struct dbc_pair p = dbc_pair_from_file(w->file);
	char error[200] = "", *text = NULL;
	size_t size, n = 0;
	FILE *out = open_memstream(&text, &size);

	while (n < 7 && w->values[n])
		n++;
	char *values[7];
	for (size_t i = 0; i < n; i++)
		values[i] = strdup(w->values[i]);
	int err = dbc_encode_text(p.db, p.codec, w->message, values, n, w->index, out, error, sizeof(error));
	fclose(out);
	text[strcspn(text, "\n")] = '\0';
	if (err || strcmp(text, w->frame) != 0)
		fail_msg("%s: expected %s, got %s %s", w->message, w->frame, text, error);
	for (size_t i = 0; i < n; i++)
		free(values[i]);
	free(text);
	dbc_pair_free(&p);
}

static void test_generated_worked_frames_encode_exactly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(worked) / sizeof(worked[0]); i++)
		check_worked(&worked[i]);
}

static void test_generated_worked_frames_unpack_to_our_units(void **state)
{
	const uint8_t control[8] = {0x94, 0x11, 0xb0, 0x04, 0xe0, 0xfc, 0x68, 0};
	const uint8_t status[8] = {0xb7, 0x0f, 0xd5, 0xfd, 0x4b, 0x3c, 0x01, 0x32};
	const uint8_t early[8] = {0x1e, 0x81, 0x1d};
	struct evse_dc_power_control c;
	struct evse_power_modules_status s;
	struct pev_ev_information i;

	(void)state;
	evse_layouts[EVSE_V3_6][EVSE_DC_POWER_CONTROL].unpack(&c, control);
	assert_int_equal(c.target_voltage_mV, 450000);
	assert_int_equal(c.current_range_max_mA, 120000);
	assert_int_equal(c.current_range_min_mA, -80000);
	assert_int_equal(c.power_function, EVSE_DC_POWER_CONTROL_POWER_FUNCTION_POWER_TRANSFER);
	assert_int_equal(c.setpoints_mode, EVSE_DC_POWER_CONTROL_SETPOINTS_MODE_RANGE_MODE);
	assert_int_equal(c.output_contactors, EVSE_DC_POWER_CONTROL_OUTPUT_CONTACTORS_CLOSE);
	assert_int_equal(c.lower_output_voltage, EVSE_DC_POWER_CONTROL_LOWER_OUTPUT_VOLTAGE_NO_LOWERING);
	evse_layouts[EVSE_V3_6][EVSE_POWER_MODULES_STATUS].unpack(&s, status);
	assert_int_equal(s.present_voltage_mV, 402300);
	assert_int_equal(s.present_current_mA, -55500);
	assert_int_equal(s.power_modules_temperature_mdegC, 35000);
	assert_int_equal(s.enclosure_temperature_mdegC, 20000);
	assert_int_equal(s.system_enable, EVSE_POWER_MODULES_STATUS_SYSTEM_ENABLE_ALLOWED);
	assert_int_equal(s.insulation_resistance_ohm, 100000);
	pev_layouts[PEV_V2_0_EX][PEV_EV_INFORMATION].unpack(&i, early);
	assert_int_equal(i.state_of_charge_permille, 300);
	assert_int_equal(i.energy_capacity_Wh, 75530);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generated_tables_match_the_databases),
		cmocka_unit_test(test_generated_code_agrees_with_the_table_codec),
		cmocka_unit_test(test_generated_pack_rounds_and_saturates),
		cmocka_unit_test(test_generated_unknown_values_are_flagged),
		cmocka_unit_test(test_generated_absent_messages_do_nothing),
		cmocka_unit_test(test_generated_missing_signals_keep_their_value),
		cmocka_unit_test(test_generated_early_pev_version_keeps_its_peculiarities),
		cmocka_unit_test(test_generated_worked_frames_encode_exactly),
		cmocka_unit_test(test_generated_worked_frames_unpack_to_our_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
