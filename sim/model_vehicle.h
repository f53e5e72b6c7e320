/* SPDX-License-Identifier: MIT */
/*
 * A whole plausible vehicle for a virtual SECC that stands alone: the virtual EVCC, a small vehicle controller
 * for it, and vehicle hardware through vehicle_hw.h (the simulated battery as a rule). Pure; a machine.
 *
 * Speaks the frames of the plug only; the generic interface between its controller and its EVCC stays inside.
 * Where the charger's simulated stack sends the power path, the battery is charged with what came through;
 * without it the hardware imagines a charger.
 */
#ifndef SIM_MODEL_VEHICLE_H
#define SIM_MODEL_VEHICLE_H

#include <forecourt/vehicle_hw.h>

#include "sim/evcc.h"

struct model_vehicle {
	struct evcc evcc;
	struct machine module; /* the evcc's record */
	const struct vehicle_hw_ops *hw;
	void *hw_self;
	struct forecourt_host host;
	struct log log;
	struct grid grid;
	/* As told by the EVCC. */
	uint8_t stage;
	bool is_close_commanded;
	int32_t max_current_mA;
	struct out_queue inner; /* of the EVCC */
	struct out_queue *out;	/* while a call is under way: where the hardware's frames go */
};

/*
 * `hw` and its zeroed state block must outlive the model; kv are options of the hardware. 0, or a negative
 * errno with a sentence.
 */
int model_vehicle_init(struct model_vehicle *v, const struct evcc_cfg *cfg, const struct vehicle_hw_ops *hw,
		       void *hw_self, const struct forecourt_kv *kv, uint32_t n_kv,
		       const struct log_sink *sink, int64_t now_us, char *err, size_t err_size);
void model_vehicle_fini(struct model_vehicle *v);
struct machine model_vehicle_machine(struct model_vehicle *v);

#endif
