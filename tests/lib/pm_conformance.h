/* SPDX-License-Identifier: MIT */
/*
 * One conformance program that every power-module driver must pass, simulated or real with a recorded or
 * simulated rack: the contract of include/forecourt/power_module.h as checks in virtual time.
 *
 * The caller supplies the plug-in, its options, and an environment: what the driver's frames go to, what
 * answers them, and what hangs on the output. Each check runs on a fresh instance.
 */
#ifndef TESTS_PM_CONFORMANCE_H
#define TESTS_PM_CONFORMANCE_H

#include <stddef.h>
#include <stdint.h>

#include <forecourt/power_module.h>

enum pm_load {
	PM_LOAD_OPEN,	 /* a vehicle is plugged in, its contactors are open */
	PM_LOAD_BATTERY, /* closed: a battery of v_mV with 100 mohm hangs on the cable */
};

struct pm_rig;

struct pm_environment {
	void *ctx;
	/* A fresh instance starts at now_us. */
	void (*reset)(void *ctx, struct pm_rig *rig, int64_t now_us);
	void (*set_load)(void *ctx, enum pm_load load, int32_t v_mV);
	/* The driver sent a frame. */
	void (*frame)(void *ctx, int64_t now_us, uint32_t bus, const struct can_frame *f);
	/* Time passes; may call pm_rig_feed. Returns when it wants to be called again. */
	int64_t (*tick)(void *ctx, int64_t now_us);
};

/* Hands a frame to the driver under test, now. */
void pm_rig_feed(struct pm_rig *rig, uint32_t bus, const struct can_frame *f);

/* Runs all checks inside a cmocka test; each one that fails, fails it. Prints the name of each check. */
void pm_conformance_run(const struct forecourt_plugin *plugin, const struct forecourt_kv *kv, uint32_t n_kv,
			const struct pm_environment *env);

#endif
