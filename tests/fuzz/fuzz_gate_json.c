/* SPDX-License-Identifier: MIT */
/*
 * Everything that a gateway reads and did not write: reports, grants and commands over MQTT, topics, a
 * controller's answers; and the texts of its settings. Input: one byte for the reader, then the text. What is
 * taken must come out again as the same, and no reader may look behind the end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateways/gate_tariff.h"
#include "gateways/mqtt_gw_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char text[65536];

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static void read_record(const char *json, size_t n, enum site_msg key)
{
	uint64_t n_unknown = 0;
	struct gate_record r, again;
	char err[160] = "";
	ssize_t length;

	if (mqtt_gw_json_read_record(json, n, key, &r, &n_unknown, err, sizeof(err))) {
		must(err[0] != '\0' && n_unknown == 0);
		return;
	}
	must(r.parts & GATE_PART(key));
	length = mqtt_gw_json_record(&r, text, sizeof(text));
	must(length > 0);
	must(mqtt_gw_json_read_record(text, (size_t)length, key, &again, &n_unknown, err, sizeof(err)) == 0);
	must(memcmp(&r, &again, sizeof(r)) == 0);
}

static void read_command(const char *json, size_t n)
{
	struct gate_request r;
	char err[160] = "";
	int ret = mqtt_gw_json_read_command(json, n, &r, err, sizeof(err));

	must(memchr(r.id, '\0', sizeof(r.id)) != NULL);
	must(!r.id[0] || gate_is_name(r.id, sizeof(r.id)));
	must(ret || (r.id[0] && r.verb < GATE_N_VERBS && r.current_mA >= 0 && r.expires_ms >= 0));
	must(!ret || err[0] != '\0');
}

/* An answer of a controller, as facts and as part of an answer of ours. */
static void read_answer(const char *lines)
{
	const struct mqtt_gw_json_from from = {.gateway = "gw", .boot_ms = 1};
	const struct gate_answer a = {.request = {.id = "x", .verb = GATE_GET_ALL}};
	struct gate_change c = {.seq = 1};
	struct gate_facts f;

	gate_facts_parse(&f, lines, 1);
	must(memchr(f.controller, '\0', sizeof(f.controller)) && memchr(f.faults, '\0', sizeof(f.faults)));
	gate_state_set_facts(&c.state, &f);
	must(mqtt_gw_json_state(&from, &c, 0, text, sizeof(text)) > 0);
	if (strlen(lines) < 4096)
		must(mqtt_gw_json_answer(&from, &a, lines, lines, text, sizeof(text)) > 0);
}

static void read_settings(const char *words)
{
	struct gate_broker broker[GATE_MAX_BROKERS];
	struct gate_window w;
	char name[GATE_NAME_MAX], err[160];
	enum gate_topic kind;
	uint32_t n;

	if (gate_brokers_parse(words, broker, &n, err, sizeof(err)) == 0)
		must(n > 0 && n <= GATE_MAX_BROKERS && broker[n - 1].host[0] && broker[n - 1].port > 0);
	if (gate_window_parse(words, &w, err, sizeof(err)) == 0)
		must(w.days && w.from_min < 1440 && w.to_min > 0 && w.to_min <= 1440);
	if (gate_topic_parse(words, "a/b", name, &kind))
		must(name[0] && kind < GATE_N_TOPICS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;

	if (size == 0)
		return 0;
	copy = malloc(size); /* exactly as long: a look behind it is found */
	must(copy != NULL);
	memcpy(copy, data + 1, size - 1);
	copy[size - 1] = '\0';
	switch (data[0] % 5) {
	case 0:
		read_record(copy, size - 1, SITE_POINT_REPORT);
		break;
	case 1:
		read_record(copy, size - 1, SITE_GRANT);
		break;
	case 2:
		read_command(copy, size - 1);
		break;
	case 3:
		read_answer(copy);
		break;
	default:
		read_settings(copy);
	}
	free(copy);
	return 0;
}
