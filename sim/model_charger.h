/* SPDX-License-Identifier: MIT */
/*
 * A whole plausible charger for a virtual EVCC that stands alone: the virtual SECC, a small customer controller
 * for it, and a power stack through power_module.h (the simulated one as a rule). Pure; a machine.
 *
 * Speaks the frames of the plug and of the power path; the generic interface between its controller and its
 * SECC stays inside. The SECC runs without sequence flags: the model permits everything and asks for nothing.
 */
#ifndef SIM_MODEL_CHARGER_H
#define SIM_MODEL_CHARGER_H

#include <forecourt/power_module.h>

#include "sim/secc.h"

struct model_charger {
	struct secc secc;
	struct machine module; /* the secc's record */
	const struct power_module_ops *pm;
	void *pm_self;
	struct forecourt_host host;
	struct log log;
	struct grid grid;
	/* As told by the SECC. */
	struct evse_dc_power_control power;
	bool is_in_session; /* from New_Charge_Session to Charge_Session_Finished */
	bool is_emergency;
	uint32_t seq;
	struct out_queue inner; /* of the SECC */
	struct out_queue *out;	/* while a call is under way: where the stack's frames go */
};

/* As model_vehicle_init; use_sequence_flags and free_service of cfg are set here. */
int model_charger_init(struct model_charger *c, const struct secc_cfg *cfg, const struct power_module_ops *pm,
		       void *pm_self, const struct forecourt_kv *kv, uint32_t n_kv,
		       const struct log_sink *sink, int64_t now_us, char *err, size_t err_size);
void model_charger_fini(struct model_charger *c);
struct machine model_charger_machine(struct model_charger *c);

#endif
