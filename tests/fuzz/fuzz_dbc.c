/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a database: it parses or is refused with a place; what parses is listed, checked, compared
 * with itself, and its messages decode and encode. Decoded values must encode to the same raw values again.
 */
#include "dbc/dbc_table.h"
#include "dbc/dbc_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MESSAGES 20

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

/* Payload from the end of the input, so that the fuzzer can shape it. */
static void fill_payload(uint8_t data[DBC_MAX_DLC], const uint8_t *input, size_t len, unsigned salt)
{
	for (unsigned i = 0; i < DBC_MAX_DLC; i++)
		data[i] = (uint8_t)(input[len - 1 - (i + salt) % len] + salt * i);
}

static bool is_round_trip_exact(const struct dbc_codec_signal *s)
{
	/* A double has to be able to tell the raw values apart. */
	double a = s->factor < 0 ? -s->factor : s->factor, o = s->offset < 0 ? -s->offset : s->offset;

	return s->number == DBC_INTEGER && s->length && s->length <= 32 && a > 1e-6 && a < 1e6 && o < 1e6;
}

/* With overlapping signals nothing can come back. */
static bool is_alone(const struct dbc_codec_message *m, unsigned signal)
{
	uint8_t bits[DBC_MAX_DLC] = {0}, other[DBC_MAX_DLC];

	dbc_raw_write(&m->signals[signal], bits, UINT64_MAX);
	for (unsigned i = 0; i < m->n_signals; i++) {
		memset(other, 0, sizeof(other));
		if (i == signal || m->signals[i].length == 0)
			continue;
		dbc_raw_write(&m->signals[i], other, UINT64_MAX);
		for (unsigned k = 0; k < DBC_MAX_DLC; k++)
			if (bits[k] & other[k])
				return false;
	}
	return true;
}

static void exercise(const struct dbc_codec_message *m, const uint8_t data[DBC_MAX_DLC])
{
	double *values = calloc(m->n_values ? m->n_values : 1, sizeof(*values));
	uint8_t *payload = malloc(m->n_bytes), *back = malloc(m->n_bytes);

	if (values && payload && back) {
		memcpy(payload, data, m->n_bytes);
		dbc_decode(m, payload, values);
		unsigned n_clipped = dbc_encode(m, values, back);
		require(n_clipped <= m->n_signals);
		for (unsigned i = 0; i < m->n_signals && i < 64; i++) {
			const struct dbc_codec_signal *s = &m->signals[i];
			uint64_t raw = dbc_raw_read(s, payload);

			if (s->level == 0 && is_round_trip_exact(s) && is_alone(m, i))
				require(dbc_raw_read(s, back) == raw);
			if (s->length && s->number == DBC_INTEGER)
				require(dbc_raw_to_physical(s, raw) == values[i] || values[i] != values[i]);
			if (s->length == 0)
				require(!dbc_is_present(m, i, payload, m->n_bytes));
		}
	}
	free(values);
	free(payload);
	free(back);
}

static void use_tools(const struct dbc_db *db, const struct dbc_codec *codec, const uint8_t *input,
		      size_t len)
{
	static const char message[] = "123#1122334455667788";
	struct dbc_decoder d = {.db = db, .codec = codec, .is_json = true, .index = DBC_INDEX_ANY};
	char error[200];
	FILE *out = fopen("/dev/null", "w");

	if (!out)
		return;
	dbc_list(db, input[0] & 1, out);
	if (db->n_signals < 500)
		dbc_check(db, out);
	dbc_diff(db, db, out);
	dbc_decode_line(&d, message, strlen(message), out);
	dbc_decode_line(&d, (const char *)input, len < 80 ? len : 80, out);
	if (db->n_messages)
		dbc_encode_text(db, codec, db->messages[0].name, NULL, 0, DBC_INDEX_NONE, out, error,
				sizeof(error));
	fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	struct dbc_codec *codec = NULL;
	struct dbc_db *db = NULL;
	struct dbc_error e;
	uint8_t data[DBC_MAX_DLC];

	if (len == 0)
		return 0;
	if (dbc_parse((const char *)input, len, "fuzz", &db, &e)) {
		require(e.line > 0 && e.column > 0 && e.text[0]);
		return 0;
	}
	require(dbc_codec_build(db, &codec) == 0);
	for (uint32_t i = 0; i < codec->n_messages && i < MAX_MESSAGES; i++) {
		fill_payload(data, input, len, i + 1);
		exercise(&codec->messages[i], data);
	}
	use_tools(db, codec, input, len);
	dbc_codec_free(codec);
	dbc_free(db);
	return 0;
}
