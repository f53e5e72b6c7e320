/* SPDX-License-Identifier: MIT */
/*
 * Plug-ins that must be refused: a good record with one thing wrong, chosen by -D. The constructor leaves a mark,
 * so that the test sees whether any of its code was run.
 */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include <forecourt/power_module.h>

#include <stdlib.h>

#ifndef MAGIC
#define MAGIC FORECOURT_PLUGIN_MAGIC
#endif
#ifndef MAJOR
#define MAJOR FORECOURT_ABI_MAJOR
#endif
#ifndef KIND
#define KIND FORECOURT_KIND_POWER_MODULE
#endif
#ifndef RECORD_SIZE
#define RECORD_SIZE sizeof(struct forecourt_plugin)
#endif
#ifndef OPS_SIZE
#define OPS_SIZE sizeof(struct power_module_ops)
#endif
#ifndef SYMBOL
#define SYMBOL forecourt_plugin
#endif

__attribute__((constructor)) static void leave_mark(void)
{
	setenv("FORECOURT_ABI_BAD_RAN", "1", 1);
}

static void fini(void *self)
{
	(void)self;
}

/* All but fini are missing; with the other mistakes it does not come to that. */
static const struct power_module_ops ops = {.fini = fini};

extern const struct forecourt_plugin SYMBOL;
__attribute__((visibility("default"))) const struct forecourt_plugin SYMBOL = {
	.magic = MAGIC,
	.abi_major = MAJOR,
	.abi_minor = FORECOURT_ABI_MINOR,
	.record_size = RECORD_SIZE,
	.kind = KIND,
	.name = "abi_bad",
	.version = "1.0",
	.ops = &ops,
	.ops_size = OPS_SIZE,
	.state_size = 8,
};
