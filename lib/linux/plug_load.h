/* SPDX-License-Identifier: MIT */
/*
 * Finds a driver or policy by name: first among the records linked into the program, then NAME.so in the
 * configured directory, or a file by its absolute path. Built-in and loaded plug-ins pass the same checks and
 * look the same afterwards (docs/plugin-abi.md is the contract).
 *
 * A loaded plug-in is never unloaded. Nothing is executed before the file and its directory were found to be
 * writable by their owner alone, and owned by root or by the user of this process.
 */
#ifndef LINUX_PLUG_LOAD_H
#define LINUX_PLUG_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include <forecourt/alloc_policy.h>
#include <forecourt/plugin.h>
#include <forecourt/power_module.h>
#include <forecourt/vehicle_hw.h>

#define PLUG_MAX_OPTIONS 256

/* Where plug-ins come from. */
struct plug_source {
	const struct forecourt_plugin *const *builtin; /* ends with NULL; may be NULL */
	const char *dir;			       /* absolute; NULL or "": none */
};

/*
 * One plug-in, ready for use. The operations are copies in tables of the host's size: what the plug-in's table
 * does not reach is NULL. Instances are made by the caller: a zeroed, max-aligned block of record->state_size
 * bytes, then ops->init(). Valid as long as the process runs.
 */
struct plug {
	const struct forecourt_plugin *record;
	union {
		struct power_module_ops pm;	/* kind FORECOURT_KIND_POWER_MODULE */
		struct vehicle_hw_ops vh;	/* kind FORECOURT_KIND_VEHICLE_HW */
		struct alloc_policy_ops policy; /* kind FORECOURT_KIND_ALLOC_POLICY */
	} ops;
};

/*
 * Fills *plug with the plug-in `name` (an absolute path, or a name of letters, digits, '_' and '-') of the
 * wanted kind. 0, or a negative errno with a sentence in err: -ENOENT not found, -EPERM file or directory may be
 * written by others, -EPROTO not a plug-in or not a compatible one, -EINVAL bad name or wrong kind.
 */
int plug_load(struct plug *plug, const char *name, int32_t kind, const struct plug_source *source, char *err,
	      size_t err_size);
/* Checks a record and copies its operations, without looking for it anywhere. Errors as above. */
int plug_check(struct plug *plug, const struct forecourt_plugin *record, int32_t kind, char *err,
	       size_t err_size);

/* Option i of the plug-in, i < record->n_options; honours the stride of its build. */
const struct forecourt_option *plug_option(const struct plug *plug, uint32_t i);
/* The option of that name (underscores or dashes), or NULL. */
const struct forecourt_option *plug_find_option(const struct plug *plug, const char *name);
/* True for an option that is a switch: its default is yes or no (true/false, on/off). */
int plug_option_is_switch(const struct forecourt_option *option);
/* "a, b, c" of all option names, cut with "..." where it does not fit. */
void plug_list_options(const struct plug *plug, char *text, size_t size);
/*
 * Refuses the keys the plug-in does not know: 0, or -EINVAL with the key and the list of known ones in err. Must
 * be passed before init().
 */
int plug_check_options(const struct plug *plug, const struct forecourt_kv *kv, uint32_t n_kv, char *err,
		       size_t err_size);

#endif
