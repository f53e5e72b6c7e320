/* SPDX-License-Identifier: MIT */
/* Reading of records and commands. */
#include "gateways/mqtt_gw_json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

static int refuse(char *err, size_t err_size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int refuse(char *err, size_t err_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, err_size, format, args);
	va_end(args);
	return -EINVAL;
}

/* An object of version 1, or NULL with a sentence. */
static json_t *load(const char *text, size_t n, char *err, size_t err_size)
{
	json_error_t where;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);

	if (!root) {
		refuse(err, err_size, "no JSON: line %d column %d: %s", where.line, where.column, where.text);
		return NULL;
	}
	if (json_is_object(root))
		return root;
	json_decref(root);
	refuse(err, err_size, "is not an object");
	return NULL;
}

static int check_version(const json_t *root, char *err, size_t err_size)
{
	const json_t *v = json_object_get(root, "v");

	if (!json_is_integer(v) || json_integer_value(v) != MQTT_GW_JSON_VERSION)
		return refuse(err, err_size, "v must be %d", MQTT_GW_JSON_VERSION);
	return 0;
}

/* --- records -------------------------------------------------------------------------------------------- */

static int read_value(const struct gate_key *k, const json_t *v, struct gate_record *r, char *err,
		      size_t err_size)
{
	int64_t number = -1;

	if (!v)
		return refuse(err, err_size, "%s is missing", k->name);
	if (json_is_null(v)) {
		if (gate_key_write_unknown(k, r))
			return refuse(err, err_size, "%s must not be null", k->name);
		return 0;
	}
	if (k->is_bool) {
		if (!json_is_boolean(v))
			return refuse(err, err_size, "%s must be true or false", k->name);
		return gate_key_write(k, r, json_is_true(v));
	}
	if (gate_key_has_names(k) && json_is_string(v)) {
		number = gate_key_value_number(k, json_string_value(v));
		if (number < 0)
			return refuse(err, err_size, "%s has an unknown name", k->name);
	} else if (json_is_integer(v)) {
		number = json_integer_value(v);
	} else {
		return refuse(err, err_size, "%s must be a whole number%s", k->name,
			      gate_key_has_names(k) ? " or a name" : "");
	}
	if (gate_key_write(k, r, number))
		return refuse(err, err_size, "%s cannot be %lld: out of range or between steps", k->name,
			      (long long)number);
	return 0;
}

static size_t count_keys(enum site_msg part)
{
	size_t i, n = 0;

	for (i = 0; i < gate_n_keys; i++)
		n += gate_keys[i].part == part;
	return n;
}

/* All keys of one part; what else is in the object is counted. n_more: other keys that belong there. */
static int read_part(const json_t *object, enum site_msg part, size_t n_more, struct gate_record *r,
		     uint64_t *n_unknown, char *err, size_t err_size)
{
	size_t i, n_known = count_keys(part) + n_more;

	if (!json_is_object(object)) {
		const char *name = gate_part_name(part);

		return refuse(err, err_size, "%s must be an object", name ? name : "a record");
	}
	for (i = 0; i < gate_n_keys; i++) {
		int ret;

		if (gate_keys[i].part != part)
			continue;
		ret = read_value(&gate_keys[i], json_object_get(object, gate_keys[i].name), r, err, err_size);
		if (ret)
			return ret;
	}
	r->parts |= GATE_PART(part);
	if (json_object_size(object) > n_known)
		*n_unknown += json_object_size(object) - n_known;
	return 0;
}

static int read_record(const json_t *root, enum site_msg key, struct gate_record *r, uint64_t *n_unknown,
		       char *err, size_t err_size)
{
	uint32_t parts = key == SITE_GRANT ? GATE_GRANT_PARTS : GATE_REPORT_PARTS;
	size_t n_more = 1; /* v */
	unsigned i;
	int ret = check_version(root, err, err_size);

	for (i = 0; i < GATE_N_PARTS && !ret; i++) {
		const char *name = gate_part_name((enum site_msg)i);
		const json_t *part = name ? json_object_get(root, name) : NULL;

		if (!(parts & GATE_PART(i)) || !part)
			continue;
		n_more++;
		ret = read_part(part, (enum site_msg)i, 0, r, n_unknown, err, err_size);
	}
	return ret ? ret : read_part(root, key, n_more, r, n_unknown, err, err_size);
}

int mqtt_gw_json_read_record(const char *text, size_t n, enum site_msg key, struct gate_record *r,
			     uint64_t *n_unknown, char *err, size_t err_size)
{
	json_t *root = load(text, n, err, err_size);
	uint64_t n_more = 0;
	int ret;

	if (!root)
		return -EINVAL;
	memset(r, 0, sizeof(*r));
	ret = read_record(root, key, r, &n_more, err, err_size);
	json_decref(root);
	if (!ret)
		*n_unknown += n_more;
	return ret;
}

/* --- commands ------------------------------------------------------------------------------------------- */

static int check_keys(json_t *root, char *err, size_t err_size)
{
	static const char *const known[] = {"v", "id", "command", "current_mA", "expires_s", "not_after_ms"};
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(root, key, value)
	{
		for (i = 0; i < sizeof(known) / sizeof(known[0]) && strcmp(known[i], key) != 0; i++)
			;
		if (i == sizeof(known) / sizeof(known[0]))
			return refuse(err, err_size, "unknown key '%.32s'", key);
	}
	return 0;
}

static int read_integer(const json_t *root, const char *key, int64_t min, int64_t max, int64_t *value,
			char *err, size_t err_size)
{
	const json_t *v = json_object_get(root, key);

	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
		return refuse(err, err_size, "%s must be a whole number from %lld to %lld", key,
			      (long long)min, (long long)max);
	*value = json_integer_value(v);
	return 0;
}

static int read_id(const json_t *root, struct gate_request *r, char *err, size_t err_size)
{
	const json_t *id = json_object_get(root, "id");

	if (!json_is_string(id) || json_string_length(id) != strlen(json_string_value(id)) ||
	    !gate_is_name(json_string_value(id), sizeof(r->id)))
		return refuse(err, err_size,
			      "id must be 1 to %d letters, digits, '_', '-', '.', not beginning with a dot",
			      GATE_ID_MAX - 1);
	snprintf(r->id, sizeof(r->id), "%s", json_string_value(id));
	return 0;
}

static int read_verb(const json_t *root, struct gate_request *r, char *err, size_t err_size)
{
	const json_t *verb = json_object_get(root, "command");
	bool has_current = json_object_get(root, "current_mA") != NULL;
	int64_t value = 0;
	int ret = 0;

	r->verb = json_is_string(verb) ? gate_verb_find(json_string_value(verb)) : GATE_N_VERBS;
	if (r->verb == GATE_N_VERBS)
		return refuse(err, err_size,
			      "command must be start, stop, lock, unlock, reset, set-current or get-all");
	if (has_current != (r->verb == GATE_SET_CURRENT))
		return refuse(err, err_size, "current_mA belongs to set-current, and to nothing else");
	if (has_current)
		ret = read_integer(root, "current_mA", 0, GATE_MAX_CURRENT_mA, &value, err, err_size);
	r->current_mA = (int32_t)value;
	value = 0;
	if (!ret && json_object_get(root, "expires_s"))
		ret = read_integer(root, "expires_s", 1, MQTT_GW_EXPIRES_MAX_S, &value, err, err_size);
	r->expires_ms = (int32_t)value * 1000;
	if (!ret && json_object_get(root, "not_after_ms"))
		ret = read_integer(root, "not_after_ms", 1, MQTT_GW_TIME_MAX_MS, &r->not_after_ms, err,
				   err_size);
	return ret;
}

int mqtt_gw_json_read_command(const char *text, size_t n, struct gate_request *r, char *err, size_t err_size)
{
	json_t *root = load(text, n, err, err_size);
	int ret;

	memset(r, 0, sizeof(*r));
	if (!root)
		return -EINVAL;
	ret = read_id(root, r, err, err_size);
	if (!ret)
		ret = check_version(root, err, err_size);
	if (!ret)
		ret = check_keys(root, err, err_size);
	if (!ret)
		ret = read_verb(root, r, err, err_size);
	json_decref(root);
	return ret;
}
