/* SPDX-License-Identifier: MIT */
/*
 * Databases for tests: our own, those made up in a test, and the vendor's where they are at hand.
 */
#ifndef TESTS_LIB_DBC_FILES_H
#define TESTS_LIB_DBC_FILES_H

#include "dbc/dbc_table.h"

struct dbc_pair {
	struct dbc_db *db;
	struct dbc_codec *codec;
};

#define DBC_N_OWN 13
/* Paths from the root of the project, where tests run. */
extern const char *const dbc_own_files[DBC_N_OWN];

/* Both fail the test if the text is refused. */
struct dbc_pair dbc_pair_from_text(const char *text);
struct dbc_pair dbc_pair_from_file(const char *path);
void dbc_pair_free(struct dbc_pair *p);

/*
 * Path of a file below the folder reference/ of $FORECOURT_SHARED or ../shared; NULL: there is no such
 * folder.
 */
const char *dbc_reference_path(const char *name, char path[256]);

/* The next of a sequence of random numbers. */
uint64_t dbc_random(uint64_t *state);

/* Raw bits of a signal, found one by one as the format defines them; nothing of the codec is used. */
uint64_t dbc_bits_one_by_one(const struct dbc_signal *s, const uint8_t *data);

#endif
