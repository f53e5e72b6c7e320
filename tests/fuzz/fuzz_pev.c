/* SPDX-License-Identifier: MIT */
/*
 * pev-ctrl under any sequence of frames, silences, readings, operator's words and time. The test car checks
 * after every event that contactors are closed only when permitted and requests stay within the limits; here
 * in addition that everything comes to an end when the program is asked to.
 *
 * Input: byte 0 the profile, then records of one byte each for what happens, followed by its operands.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/can/error.h>

#include "tests/lib/car.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t take(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

static int32_t take_number(struct input *in)
{
	static const int32_t odd[] = {0, -1, 1, 20000, 20001, 330000, 350001, INT32_MAX, INT32_MIN};
	uint8_t b = take(in);

	return b < sizeof(odd) / sizeof(odd[0]) ? odd[b] : (b - 100) * 4000;
}

static void send_raw(struct car *car, struct input *in)
{
	struct can_frame f = {0};
	uint8_t kind = take(in), i;

	f.can_id = 0x600u + (kind & 0x1F);
	if (kind & 0x20)
		f.can_id |= CAN_EFF_FLAG;
	if ((kind & 0xC0) == 0x40)
		f.can_id |= CAN_RTR_FLAG;
	if ((kind & 0xC0) == 0xC0)
		f.can_id = CAN_ERR_FLAG | (kind & 1 ? CAN_ERR_BUSOFF : CAN_ERR_RESTARTED);
	f.can_dlc = take(in) % 9;
	for (i = 0; i < f.can_dlc; i++)
		f.data[i] = take(in);
	car_send(car, &f);
}

static void change_vehicle(struct car *car, struct input *in)
{
	struct car_hw *v = &car->vehicle;

	switch (take(in) % 16) {
	case 0:
		v->st.inlet_mV = take_number(in);
		break;
	case 1:
		v->st.battery_mV = take_number(in);
		break;
	case 2:
		v->st.current_mA = take_number(in);
		break;
	case 3:
		v->has_frozen_readings = take(in) & 1;
		break;
	case 4:
		v->has_frozen_feedback = take(in) & 1;
		break;
	case 5:
		v->has_frozen_bms = take(in) & 1;
		break;
	case 6:
		v->is_stuck_open = take(in) & 1;
		break;
	case 7:
		v->is_stuck_closed = take(in) & 1;
		break;
	case 8:
		v->st.faults = v->st.faults_stop = (uint32_t)take(in) << 1;
		break;
	case 9:
		v->st.is_hv_ready = take(in) & 1;
		break;
	case 10:
		v->st.soc_permille = take_number(in);
		break;
	case 11:
		v->st.i_charge_max_mA = take_number(in);
		break;
	case 12:
		v->st.temp_mdegC = take_number(in);
		break;
	case 13:
		v->st.stop_request = take(in) & 1;
		break;
	case 14:
		v->st.energy_target_Wh = take_number(in);
		v->st.v2x_max_Wh = take_number(in);
		v->st.capacity_Wh = take_number(in);
		break;
	default:
		v->delay_us = take(in) * (int64_t)10000;
		break;
	}
}

static void say(struct car *car, struct input *in)
{
	static const char *const words[] = {
		"stop",
		"emergency",
		"pause",
		"resume",
		"clear-fault",
		"set requested_current_mA 5",
		"set voltage_control true",
		"set stop_soc_pct 50",
		"status",
		"get",
	};

	car_command(car, words[take(in) % (sizeof(words) / sizeof(words[0]))]);
}

static void happen(struct car *car, struct input *in)
{
	uint8_t what = take(in);

	switch (what % 10) {
	case 0:
	case 1:
		car_run_ms(car, take(in) * 10);
		break;
	case 2:
		car_stage(car, take(in) % 16);
		break;
	case 3:
		car_close(car, take(in) & 1);
		break;
	case 4:
		send_raw(car, in);
		break;
	case 5:
		change_vehicle(car, in);
		break;
	case 6:
		say(car, in);
		break;
	case 7:
		car->is_info_sent = take(in) & 1;
		car->is_control_sent = take(in) & 1;
		break;
	case 8:
		car->info.max_current_mA = take_number(in);
		car_stage(car, car->info.communication_stage);
		break;
	default:
		car_to_stage(car, take(in) % 11);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct car car;
	struct input in = {data, size};
	unsigned n = 0;

	car_init(&car, take(&in) % PEV_N_VERSIONS);
	while (in.size > 0 && n++ < 300) {
		happen(&car, &in);
		car_check(&car);
	}
	car_stop(&car);
	car_run_ms(&car, 2000);
	if (!car.m.ops->is_stopped(car.m.self) || car.vehicle.cmd.is_closed)
		abort();
	car_check(&car);
	return 0;
}
