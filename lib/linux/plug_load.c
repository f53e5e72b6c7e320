/* SPDX-License-Identifier: MIT */
/*
 * Finding and checking plug-ins. The checks go by offsets and sizes that the plug-in states, never by the host's
 * idea of its structs alone: both sides may have been built from different minor versions of the headers.
 */
#include "lib/linux/plug_load.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMBOL "forecourt_plugin"

/* Sizes of ABI 1.0. Frozen: what a plug-in must bring at least. */
#define RECORD_SIZE_1_0 (offsetof(struct forecourt_plugin, option_stride) + sizeof(uint32_t))
#define OPTION_SIZE_1_0 (offsetof(struct forecourt_option, help) + sizeof(char *))
#define STATE_SIZE_MAX	(16u << 20)
#define FIRST_OPS	5 /* looked at for what is needed */

struct kind {
	int32_t kind;
	const char *name;
	size_t host_size;	       /* of the table of operations */
	const char *needed[FIRST_OPS]; /* names of its first members; NULL: optional */
};

static const struct kind kinds[] = {
	{FORECOURT_KIND_POWER_MODULE,
	 "a power module driver",
	 sizeof(struct power_module_ops),
	 {"init", "fini", "caps", "set", "status"}},
	{FORECOURT_KIND_VEHICLE_HW,
	 "a vehicle hardware driver",
	 sizeof(struct vehicle_hw_ops),
	 {"init", "fini", "caps", "set", "status"}},
	{FORECOURT_KIND_ALLOC_POLICY,
	 "an allocation policy",
	 sizeof(struct alloc_policy_ops),
	 {"init", NULL, "allocate"}},
};

static const struct kind *find_kind(int32_t number)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == number)
			return &kinds[i];
	return NULL;
}

static const char *kind_name(int32_t number)
{
	const struct kind *k = find_kind(number);

	return k ? k->name : "a plug-in of an unknown kind";
}

static int check_record(const struct forecourt_plugin *p, int32_t kind, char *err, size_t err_size)
{
	if (p->magic != FORECOURT_PLUGIN_MAGIC) {
		snprintf(err, err_size, "is not a forecourt plug-in (magic number 0x%08X)",
			 (unsigned)p->magic);
		return -EPROTO;
	}
	if (p->abi_major != FORECOURT_ABI_MAJOR) {
		snprintf(err, err_size, "was built for interface version %u.%u, this program needs %u.x",
			 (unsigned)p->abi_major, (unsigned)p->abi_minor, (unsigned)FORECOURT_ABI_MAJOR);
		return -EPROTO;
	}
	if (p->record_size < RECORD_SIZE_1_0) {
		snprintf(err, err_size, "has a record of %u bytes, at least %zu are needed",
			 (unsigned)p->record_size, RECORD_SIZE_1_0);
		return -EPROTO;
	}
	if (p->kind != kind) {
		snprintf(err, err_size, "is %s, wanted is %s", kind_name(p->kind), kind_name(kind));
		return -EINVAL;
	}
	if (!p->name || !p->version || !p->ops || p->ops_size % sizeof(void (*)(void)) ||
	    p->state_size > STATE_SIZE_MAX) {
		snprintf(err, err_size,
			 "has an incomplete record (name, version, operations or size of its state)");
		return -EPROTO;
	}
	return 0;
}

static int check_options(const struct forecourt_plugin *p, char *err, size_t err_size)
{
	struct plug plug = {.record = p};
	uint32_t i;

	if (p->n_options > PLUG_MAX_OPTIONS ||
	    (p->n_options &&
	     (!p->options || p->option_stride < OPTION_SIZE_1_0 || p->option_stride % sizeof(void *)))) {
		snprintf(err, err_size, "has an unusable table of options");
		return -EPROTO;
	}
	for (i = 0; i < p->n_options; i++) {
		const struct forecourt_option *o = plug_option(&plug, i);

		if (!o->name || !*o->name || !o->unit || !o->def || !o->help) {
			snprintf(err, err_size, "has an incomplete option, number %u", (unsigned)i);
			return -EPROTO;
		}
	}
	return 0;
}

/* The needed operations are among the first members of each table, so one loop over pointers serves all kinds. */
static int copy_ops(struct plug *plug, const struct forecourt_plugin *p, char *err, size_t err_size)
{
	const struct kind *kind = find_kind(p->kind);
	void (*op[FIRST_OPS])(void);
	size_t i;

	memset(&plug->ops, 0, sizeof(plug->ops));
	memcpy(&plug->ops, p->ops, p->ops_size < kind->host_size ? p->ops_size : kind->host_size);
	memcpy(op, &plug->ops, sizeof(op));
	for (i = 0; i < FIRST_OPS; i++) {
		if (kind->needed[i] && !op[i]) {
			snprintf(err, err_size, "lacks the operation %s", kind->needed[i]);
			return -EPROTO;
		}
	}
	return 0;
}

int plug_check(struct plug *plug, const struct forecourt_plugin *record, int32_t kind, char *err,
	       size_t err_size)
{
	struct plug found = {.record = record};
	int r = check_record(record, kind, err, err_size);

	if (!r)
		r = check_options(record, err, err_size);
	if (!r)
		r = copy_ops(&found, record, err, err_size);
	if (!r)
		*plug = found;
	return r;
}

/* Only root or this user may be able to put code there. */
static int check_owner(const char *path, bool is_dir, char *err, size_t err_size)
{
	struct stat st;

	if (stat(path, &st)) {
		int r = -errno;

		snprintf(err, err_size, "%s: %s", path, strerror(-r));
		return r;
	}
	if (is_dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode)) {
		snprintf(err, err_size, "%s: is not a %s", path, is_dir ? "directory" : "regular file");
		return -EPERM;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		snprintf(err, err_size, "%s: belongs to another user", path);
		return -EPERM;
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(err, err_size, "%s: may be written by its group or by everybody", path);
		return -EPERM;
	}
	return 0;
}

/* path: resolved, absolute. */
static int check_file(const char *path, char *err, size_t err_size)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash == path ? 1 : (size_t)(slash - path);
	int r;

	memcpy(dir, path, n);
	dir[n] = '\0';
	r = check_owner(path, false, err, err_size);
	return r ? r : check_owner(dir, true, err, err_size);
}

static int load_file(struct plug *plug, const char *path, int32_t kind, char *err, size_t err_size)
{
	char real[PATH_MAX], reason[256];
	const struct forecourt_plugin *record;
	void *handle;
	int r;

	if (!realpath(path, real)) {
		r = -errno;
		snprintf(err, err_size, "%s: %s", path, strerror(-r));
		return r;
	}
	r = check_file(real, err, err_size);
	if (r)
		return r;
	handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		snprintf(err, err_size, "%s", dlerror());
		return -EPROTO;
	}
	record = dlsym(handle, SYMBOL);
	if (!record) {
		snprintf(err, err_size, "%s: has no symbol " SYMBOL, path);
		r = -EPROTO;
	} else {
		r = plug_check(plug, record, kind, reason, sizeof(reason));
		if (r)
			snprintf(err, err_size, "%s: %s", path, reason);
	}
	if (r)
		dlclose(handle); /* nothing of it was called */
	return r;
}

static int load_builtin(struct plug *plug, const char *name, int32_t kind, const struct plug_source *source,
			char *err, size_t err_size)
{
	const struct forecourt_plugin *const *p = source->builtin;
	char reason[256];
	int r;

	for (; p && *p; p++) {
		if (!(*p)->name || strcmp((*p)->name, name) != 0)
			continue;
		r = plug_check(plug, *p, kind, reason, sizeof(reason));
		if (r)
			snprintf(err, err_size, "%s: %s", name, reason);
		return r;
	}
	return -ENOENT;
}

static bool is_plain_name(const char *name)
{
	const char *p;

	for (p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
			return false;
	return p > name;
}

static void list_builtins(const struct plug_source *source, char *text, size_t size)
{
	const struct forecourt_plugin *const *p = source->builtin;
	size_t n = 0;

	text[0] = '\0';
	for (; p && *p && n < size; p++)
		n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", (*p)->name);
}

int plug_load(struct plug *plug, const char *name, int32_t kind, const struct plug_source *source, char *err,
	      size_t err_size)
{
	char path[PATH_MAX], known[128];
	int r;

	if (name[0] == '/')
		return load_file(plug, name, kind, err, err_size);
	if (!is_plain_name(name)) {
		snprintf(err, err_size, "'%s' is neither the name of a driver nor an absolute path", name);
		return -EINVAL;
	}
	r = load_builtin(plug, name, kind, source, err, err_size);
	if (r != -ENOENT)
		return r;
	if (source->dir && source->dir[0] == '/' &&
	    snprintf(path, sizeof(path), "%s/%s.so", source->dir, name) < (int)sizeof(path) &&
	    access(path, F_OK) == 0)
		return load_file(plug, path, kind, err, err_size);
	list_builtins(source, known, sizeof(known));
	snprintf(err, err_size, "no driver '%s': built in are %s; there is no %s.so in %s", name,
		 known[0] ? known : "none", name,
		 source->dir && source->dir[0] ? source->dir : "a plug-in directory");
	return -ENOENT;
}

const struct forecourt_option *plug_option(const struct plug *plug, uint32_t i)
{
	const char *first = (const char *)plug->record->options;

	return (const void *)(first + (size_t)i * plug->record->option_stride);
}

static bool is_same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

const struct forecourt_option *plug_find_option(const struct plug *plug, const char *name)
{
	uint32_t i;

	for (i = 0; i < plug->record->n_options; i++)
		if (is_same_name(plug_option(plug, i)->name, name))
			return plug_option(plug, i);
	return NULL;
}

int plug_option_is_switch(const struct forecourt_option *option)
{
	static const char *const words[] = {"yes", "no", "true", "false", "on", "off"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(option->def, words[i]) == 0)
			return true;
	return false;
}

void plug_list_options(const struct plug *plug, char *text, size_t size)
{
	size_t n = 0;
	uint32_t i;

	snprintf(text, size, "none");
	for (i = 0; i < plug->record->n_options; i++) {
		const char *name = plug_option(plug, i)->name;

		if (n + strlen(name) + sizeof(", , ...") > size) {
			snprintf(text + n, size - n, ", ...");
			return;
		}
		n += (size_t)snprintf(text + n, size - n, "%s%s", n ? ", " : "", name);
	}
}

int plug_check_options(const struct plug *plug, const struct forecourt_kv *kv, uint32_t n_kv, char *err,
		       size_t err_size)
{
	char known[512];
	uint32_t i;

	for (i = 0; i < n_kv; i++) {
		if (plug_find_option(plug, kv[i].key))
			continue;
		plug_list_options(plug, known, sizeof(known));
		snprintf(err, err_size, "driver %s has no option '%s'; known are %s", plug->record->name,
			 kv[i].key, known);
		return -EINVAL;
	}
	return 0;
}
