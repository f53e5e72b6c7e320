/* SPDX-License-Identifier: MIT */
/* Writing of records, states, events and answers. */
#include "gateways/mqtt_gw_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include <forecourt/units.h>

#include "lib/core/log.h"

/* Ends the object. A member that could not be made (no memory) makes the whole text void. */
static ssize_t write_out(json_t *root, bool is_whole, char *text, size_t size)
{
	size_t n = root ? json_dumpb(root, text, size - 1, JSON_COMPACT | JSON_REAL_PRECISION(15)) : 0;

	json_decref(root);
	if (!is_whole || n == 0 || n >= size) {
		text[0] = '\0';
		return -ENOSPC;
	}
	text[n] = '\0';
	return (ssize_t)n;
}

static bool put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

static void copy_ascii(char *to, const char *text, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	to[n] = '\0';
}

/* Text of another program may hold any bytes; JSON takes UTF-8 alone. */
static json_t *text_value(const char *text, size_t n)
{
	json_t *v = json_stringn(text, n);
	char *copy;

	if (v)
		return v;
	copy = malloc(n + 1);
	if (!copy)
		return NULL;
	copy_ascii(copy, text, n);
	v = json_stringn(copy, n);
	free(copy);
	return v;
}

static json_t *flag_value(int flag)
{
	return flag < 0 ? json_null() : json_boolean(flag);
}

/* "2026-11-20T22:00:00.125Z" */
static json_t *time_value(int64_t wall_us)
{
	time_t s = (time_t)(wall_us / FC_US_PER_S);
	char day[32], text[48];
	struct tm tm;

	if (wall_us <= 0 || !gmtime_r(&s, &tm))
		return json_null();
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03dZ", day, (int)(wall_us % FC_US_PER_S / FC_US_PER_MS));
	return json_string(text);
}

/* --- records -------------------------------------------------------------------------------------------- */

static json_t *key_value(const struct gate_key *k, const struct gate_record *r)
{
	const char *name;
	int64_t value;

	if (!gate_key_read(k, r, &value))
		return json_null();
	if (k->is_bool)
		return json_boolean(value != 0);
	name = gate_key_has_names(k) ? gate_key_value_name(k, value) : NULL;
	return name ? json_string(name) : json_integer(value);
}

static bool put_part(json_t *object, enum site_msg part, const struct gate_record *r)
{
	bool is_whole = true;
	size_t i;

	for (i = 0; i < gate_n_keys; i++)
		if (gate_keys[i].part == part)
			is_whole &= put(object, gate_keys[i].name, key_value(&gate_keys[i], r));
	return is_whole;
}

ssize_t mqtt_gw_json_record(const struct gate_record *r, char *text, size_t size)
{
	json_t *root = json_object();
	bool is_whole = put(root, "v", json_integer(MQTT_GW_JSON_VERSION));
	unsigned i;

	for (i = 0; i < GATE_N_PARTS; i++) {
		const char *name = gate_part_name((enum site_msg)i);
		json_t *part;

		if (!(r->parts & GATE_PART(i)))
			continue;
		if (!name) {
			is_whole &= put_part(root, (enum site_msg)i, r);
			continue;
		}
		part = json_object();
		is_whole &= put_part(part, (enum site_msg)i, r);
		is_whole &= put(root, name, part);
	}
	return write_out(root, is_whole, text, size);
}

/* --- states and events ---------------------------------------------------------------------------------- */

static json_t *begin(const struct mqtt_gw_json_from *from, uint64_t seq, int64_t wall_us, bool *is_whole)
{
	json_t *root = json_object();

	*is_whole = put(root, "v", json_integer(MQTT_GW_JSON_VERSION));
	*is_whole &= put(root, "gateway", json_string(from->gateway));
	*is_whole &= put(root, "boot_ms", json_integer(from->boot_ms));
	*is_whole &= put(root, "seq", json_integer((json_int_t)seq));
	*is_whole &= put(root, "time", time_value(wall_us));
	return root;
}

static json_t *state_value(uint8_t reported)
{
	const char *name = gate_state_name(reported);

	return name ? json_string(name) : json_integer(reported);
}

/* Names with commas between to an array. */
static json_t *list_value(const char *names)
{
	json_t *list = json_array();

	while (*names) {
		size_t n = strcspn(names, ",");

		if (n > 0)
			json_array_append_new(list, text_value(names, n));
		names += n + (names[n] == ',');
	}
	return list;
}

ssize_t mqtt_gw_json_state(const struct mqtt_gw_json_from *from, const struct gate_change *c,
			   uint64_t n_dropped, char *text, size_t size)
{
	const struct gate_state *s = &c->state;
	bool has_controller = s->controller[0] != '\0', is_whole;
	json_t *root = begin(from, c->seq, c->wall_us, &is_whole);

	is_whole &= put(root, "dropped", json_integer((json_int_t)n_dropped));
	is_whole &= put(root, "state", state_value(s->reported));
	is_whole &= put(root, "is_local", flag_value(s->is_local));
	is_whole &= put(root, "has_grant", flag_value(s->has_grant));
	is_whole &= put(root, "controller",
			has_controller ? text_value(s->controller, strlen(s->controller)) : json_null());
	is_whole &= put(root, "is_session_open", flag_value(s->is_session_open));
	is_whole &= put(root, "is_start_allowed", flag_value(s->is_start_allowed));
	is_whole &= put(root, "is_closed", flag_value(s->is_closed));
	is_whole &= put(root, "faults", has_controller ? list_value(s->faults) : json_null());
	return write_out(root, is_whole, text, size);
}

static const char *level_name(int level)
{
	if (level <= LOG_ERR_LEVEL)
		return "error";
	if (level == LOG_WARN)
		return "warning";
	return level == LOG_NOTE ? "notice" : level == LOG_INF ? "info" : "debug";
}

ssize_t mqtt_gw_json_event(const struct mqtt_gw_json_from *from, const struct gate_event *e,
			   uint64_t n_dropped, char *text, size_t size)
{
	bool is_whole;
	json_t *root = begin(from, e->seq, e->wall_us, &is_whole);

	is_whole &= put(root, "dropped", json_integer((json_int_t)n_dropped));
	is_whole &= put(root, "level", json_string(level_name(e->level)));
	is_whole &= put(root, "text", text_value(e->text, strlen(e->text)));
	return write_out(root, is_whole, text, size);
}

ssize_t mqtt_gw_json_gateway(const struct mqtt_gw_json_from *from, const struct mqtt_gw_json_gateway *g,
			     char *text, size_t size)
{
	json_t *root = json_object(), *points = json_array();
	bool is_whole = put(root, "v", json_integer(MQTT_GW_JSON_VERSION));
	uint32_t i;

	is_whole &= put(root, "gateway", json_string(from->gateway));
	is_whole &= put(root, "boot_ms", json_integer(from->boot_ms));
	is_whole &= put(root, "time", time_value(g->wall_us));
	is_whole &= put(root, "is_online", json_boolean(g->is_online));
	is_whole &= put(root, "role", json_string(g->role));
	for (i = 0; i < g->n_points; i++)
		is_whole &= json_array_append_new(points, json_string(g->point[i])) == 0;
	is_whole &= put(root, "points", points);
	is_whole &= put(root, "states_dropped", json_integer((json_int_t)g->n_states_dropped));
	is_whole &= put(root, "events_dropped", json_integer((json_int_t)g->n_events_dropped));
	return write_out(root, is_whole, text, size);
}

/* --- answers -------------------------------------------------------------------------------------------- */

/* A number of JSON's grammar without exponent, as the controllers write them; else the text. */
static json_t *plain_value(const char *text, size_t n)
{
	char copy[32];
	json_t *v;

	if (n > 0 && n < sizeof(copy) && (*text == '-' || (*text >= '0' && *text <= '9'))) {
		memcpy(copy, text, n);
		copy[n] = '\0';
		v = json_loads(copy, JSON_DECODE_ANY, NULL);
		if (json_is_number(v))
			return v;
		json_decref(v);
	}
	return text_value(text, n);
}

static json_t *lines_value(const char *lines, bool *is_whole)
{
	json_t *object = json_object();

	while (*lines) {
		size_t n = strcspn(lines, "\n");
		const char *equals = memchr(lines, '=', n);
		char key[80];

		if (equals && equals > lines && (size_t)(equals - lines) < sizeof(key)) {
			copy_ascii(key, lines, (size_t)(equals - lines));
			*is_whole &=
				put(object, key, plain_value(equals + 1, n - (size_t)(equals + 1 - lines)));
		}
		lines += n + (lines[n] == '\n');
	}
	return object;
}

ssize_t mqtt_gw_json_answer(const struct mqtt_gw_json_from *from, const struct gate_answer *a,
			    const char *status, const char *settings, char *text, size_t size)
{
	json_t *root = json_object();
	bool is_whole = put(root, "v", json_integer(MQTT_GW_JSON_VERSION));

	is_whole &= put(root, "gateway", json_string(from->gateway));
	is_whole &= put(root, "time", time_value(a->wall_us));
	is_whole &= put(root, "id", json_string(a->request.id));
	is_whole &= put(root, "command",
			a->request.verb < GATE_N_VERBS ? json_string(gate_verb_name(a->request.verb))
						       : json_null());
	is_whole &= put(root, "status", json_string(gate_step_name(a->step)));
	is_whole &= put(root, "is_end", json_boolean(gate_step_is_end(a->step)));
	is_whole &= put(root, "is_repeat", json_boolean(a->is_repeat));
	if (a->reason[0])
		is_whole &= put(root, "reason", text_value(a->reason, strlen(a->reason)));
	if (status && settings) {
		json_t *result = json_object();

		is_whole &= put(result, "status", lines_value(status, &is_whole));
		is_whole &= put(result, "settings", lines_value(settings, &is_whole));
		is_whole &= put(root, "result", result);
	}
	return write_out(root, is_whole, text, size);
}
