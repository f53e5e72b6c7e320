/* SPDX-License-Identifier: MIT */
#include "tests/lib/dbc_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

const char *const dbc_own_files[DBC_N_OWN] = {
	"dbc/evse_v3.0.dbc", "dbc/evse_v3.1.dbc", "dbc/evse_v3.2.dbc",	 "dbc/evse_v3.3.dbc",
	"dbc/evse_v3.5.dbc", "dbc/evse_v3.6.dbc", "dbc/pev_v2.0-ex.dbc", "dbc/pev_v2.0.dbc",
	"dbc/pev_v2.1.dbc",  "dbc/pev_v2.2.dbc",  "dbc/pev_v2.4.dbc",	 "dbc/pev_v2.5.dbc",
	"dbc/plug.dbc",
};

static struct dbc_pair pair_of(int err, struct dbc_db *db, const struct dbc_error *error)
{
	struct dbc_pair p = {db, NULL};

	if (err)
		fail_msg("%s", error->text);
	assert_int_equal(dbc_codec_build(p.db, &p.codec), 0);
	return p;
}

struct dbc_pair dbc_pair_from_text(const char *text)
{
	struct dbc_error error;
	struct dbc_db *db = NULL;
	int err = dbc_parse(text, strlen(text), "made-up.dbc", &db, &error);

	return pair_of(err, db, &error);
}

struct dbc_pair dbc_pair_from_file(const char *path)
{
	struct dbc_error error;
	struct dbc_db *db = NULL;
	int err = dbc_parse_file(path, &db, &error);

	return pair_of(err, db, &error);
}

void dbc_pair_free(struct dbc_pair *p)
{
	dbc_codec_free(p->codec);
	dbc_free(p->db);
}

const char *dbc_reference_path(const char *name, char path[256])
{
	const char *shared = getenv("FORECOURT_SHARED");
	struct stat st;

	snprintf(path, 256, "%s/reference", shared && *shared ? shared : "../shared");
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return NULL;
	snprintf(path, 256, "%s/reference/%s", shared && *shared ? shared : "../shared", name);
	return path;
}

uint64_t dbc_random(uint64_t *state)
{
	/* splitmix64 */
	uint64_t z = *state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

uint64_t dbc_bits_one_by_one(const struct dbc_signal *s, const uint8_t *data)
{
	uint64_t value = 0;
	unsigned bit = s->start;

	for (unsigned i = 0; i < s->length; i++) {
		uint64_t b = data[bit / 8] >> bit % 8 & 1;

		if (!s->is_motorola) {
			value |= b << i;
			bit++;
		} else {
			/*
			 * From the most significant bit down; after bit 0 of a byte comes bit 7 of the next.
			 */
			value = value << 1 | b;
			bit = bit % 8 ? bit - 1 : bit + 15;
		}
	}
	return value;
}
