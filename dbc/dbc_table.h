/* SPDX-License-Identifier: MIT */
/*
 * Builds the tables of dbc_codec.h from a parsed database.
 */
#ifndef DBC_TABLE_H
#define DBC_TABLE_H

#include "dbc/dbc_codec.h"

/*
 * One block of memory, to be freed with dbc_codec_free; the database must live as long. 0 or -ENOMEM. Where
 * several messages have one identifier, the first is found. DBC_INDEPENDENT_ID is never found.
 */
int dbc_codec_build(const struct dbc_db *db, struct dbc_codec **codec);
void dbc_codec_free(struct dbc_codec *codec);

#endif
