/* SPDX-License-Identifier: MIT */
/*
 * The plug-in record and the services a host gives to a plug-in.
 *
 * A plug-in exports exactly one dynamic symbol, the data object `forecourt_plugin`, and imports none from the
 * host. All calls come from one thread, never block, and take the time (`now_us`, monotonic microseconds); a
 * plug-in reads no clock. The host owns the memory of an instance: it hands a zeroed, max-aligned block of
 * `state_size` bytes to init(), so nothing allocates after start-up and a copy of the block is a snapshot.
 *
 * Compatibility: another major number is refused. Within a major number members are only appended; an
 * operation exists when it lies inside the plug-in's ops_size and is not NULL. Structs that cross the border
 * carry their size in the first member, written by whoever owns the memory; the other side fills or reads
 * only members that lie inside it. Enumerations are int32_t; an unknown value means "refuse".
 */
#ifndef FORECOURT_PLUGIN_H
#define FORECOURT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <linux/can.h>

#define FORECOURT_PLUGIN_MAGIC 0x46435054u /* "FCPT" */
#define FORECOURT_ABI_MAJOR    1
#define FORECOURT_ABI_MINOR    1 /* what each brought: docs/plugin-abi.md */

enum forecourt_kind {
	FORECOURT_KIND_POWER_MODULE = 1, /* ops: struct power_module_ops */
	FORECOURT_KIND_VEHICLE_HW = 2,	 /* ops: struct vehicle_hw_ops */
	FORECOURT_KIND_ALLOC_POLICY = 3, /* ops: struct alloc_policy_ops */
};

enum forecourt_log_level {
	FORECOURT_LOG_ERROR = 3, /* numbers of syslog(3) */
	FORECOURT_LOG_WARNING = 4,
	FORECOURT_LOG_NOTICE = 5,
	FORECOURT_LOG_INFO = 6,
	FORECOURT_LOG_DEBUG = 7,
};

/* One option an instance understands; shown by --help and checked before init(). */
struct forecourt_option {
	const char *name; /* key in the configuration and, with dashes, on the command line */
	const char *unit; /* "" where there is none */
	const char *def;  /* default as text; never NULL */
	const char *help; /* one line */
};

struct forecourt_kv {
	const char *key;
	const char *value;
};

/* Services of the host; valid from init() until fini(). `size` is sizeof at the host's build. */
struct forecourt_host {
	uint32_t size;
	uint32_t index; /* pistol index of this instance, 1..15; 0 on the vehicle side */
	void *ctx;
	/* One line without a line end; level as above. */
	void (*log)(void *ctx, int32_t level, const char *text);
	/* Queues a frame on bus 0 (the charge controller's bus) or on the plug-in's own bus 1..n.
	 * 0, or a negative errno when it cannot be queued. Only inside a call of the host. */
	int32_t (*send)(void *ctx, uint32_t bus, const struct can_frame *frame);
};

struct forecourt_plugin {
	uint32_t magic;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t record_size; /* sizeof(struct forecourt_plugin) at the plug-in's build */
	int32_t kind;
	const char *name; /* as written after driver= or policy= */
	const char *version;
	const void *ops;
	uint32_t ops_size;
	uint32_t state_size; /* bytes of one instance */
	const struct forecourt_option *options;
	uint32_t n_options;
	uint32_t option_stride; /* sizeof(struct forecourt_option) at the plug-in's build */
};

#endif
