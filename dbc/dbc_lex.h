/* SPDX-License-Identifier: MIT */
/*
 * Inside of the parser: memory, characters, numbers and words of a .dbc text. Not for others.
 *
 * The text is our own copy with a final NUL; quoted strings are used in place. The first failure is kept and
 * ends the text, so that every loop stops; callers check at the end only where they would use a missing
 * result.
 */
#ifndef DBC_LEX_H
#define DBC_LEX_H

#include "dbc/dbc_parse.h"

#include <string.h>

struct dbc_chunk {
	struct dbc_chunk *next;
};

struct dbc_arena {
	struct dbc_chunk *chunks;
	char *next, *end;
};

void *dbc_arena_grow(struct dbc_arena *a, size_t size);
void dbc_arena_free(struct dbc_arena *a);

/* size bytes, aligned to 8, not cleared; NULL: out of memory. */
static inline void *dbc_arena_alloc(struct dbc_arena *a, size_t size)
{
	size_t need = (size + 7) & ~(size_t)7;

	if ((size_t)(a->end - a->next) < need)
		return dbc_arena_grow(a, need);
	void *p = a->next;
	a->next += need;
	return p;
}

/* A growing array outside of the arena, for lists whose length is not known yet. */
struct dbc_vec {
	void *data;
	size_t n, cap;
};

struct dbc_slot {
	uint32_t key, ref; /* ref 0: free */
};

/* Hash from a 32-bit key (identifier, or hash of a name) to 1-based numbers; several may share a key. */
struct dbc_index {
	struct dbc_slot *slots;
	uint32_t n, mask;
};

struct dbc_word {
	const char *s;
	uint32_t len;
};

struct dbc_num {
	double value;
	int64_t integer;
	bool is_integer;
	uint8_t decimals;
};

struct dbc_inside {
	struct dbc_arena arena;
	struct dbc_index by_id;
	char *text;
	size_t len;
};

struct dbc_reader {
	char *p, *end;
	struct dbc_db *db;
	struct dbc_inside *in;
	struct dbc_arena *arena;
	struct dbc_error *error;
	int err; /* of the first failure, negative errno */
	void *c_locale;
	/* collections that become arrays at the end */
	struct dbc_vec messages, signals, words, values, ranges, defs;
	struct dbc_index defs_by_name;
	uint32_t last_message; /* found by identifier last, 1-based */
	uint32_t last_signal;
	uint32_t number_at; /* where dbc_u32 read last */
	const struct dbc_note **notes_tail;
	const struct dbc_table **tables_tail;
	const struct dbc_signal_group **groups_tail;
	struct dbc_env_var **env_tail;
	const struct dbc_rel_attr **rel_tail;
	bool has_long_nodes;
};

enum { DBC_C_BLANK = 1, DBC_C_WORD = 2, DBC_C_DIGIT = 4 };
extern const unsigned char dbc_char_class[256];

static inline bool dbc_is(char c, int class)
{
	return dbc_char_class[(unsigned char)c] & class;
}

/* Blanks and line ends; also NULs inside of the text. Returns the next character, NUL at the end. */
static inline char dbc_skip_blank(struct dbc_reader *r)
{
	while (dbc_is(*r->p, DBC_C_BLANK) || (*r->p == '\0' && r->p < r->end))
		r->p++;
	return *r->p;
}

/* Blanks of this line. */
static inline char dbc_skip_spaces(struct dbc_reader *r)
{
	while (*r->p == ' ' || *r->p == '\t')
		r->p++;
	return *r->p;
}

static inline bool dbc_word_is(struct dbc_word w, const char *s, size_t len)
{
	return w.len == len && memcmp(w.s, s, len) == 0;
}

#define DBC_WORD_IS(w, literal) dbc_word_is(w, literal, sizeof(literal) - 1)

uint32_t dbc_at(const struct dbc_reader *r, const char *p);
/* Record the first failure and go to the end of the text. Both return false. */
bool dbc_fail_at(struct dbc_reader *r, uint32_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool dbc_fail(struct dbc_reader *r, const char *expected);
bool dbc_no_memory(struct dbc_reader *r);
void dbc_note(struct dbc_reader *r, uint32_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The next word, blanks skipped; false without failure if there is none. */
bool dbc_try_word(struct dbc_reader *r, struct dbc_word *w);
/* Those that must be there: fail with "expected WHAT". */
bool dbc_word(struct dbc_reader *r, const char *what, struct dbc_word *w);
bool dbc_name(struct dbc_reader *r, const char *what, const char **name);
bool dbc_string(struct dbc_reader *r, const char *what, const char **text);
bool dbc_comment(struct dbc_reader *r, const char **text);
bool dbc_number(struct dbc_reader *r, const char *what, struct dbc_num *n);
bool dbc_u32(struct dbc_reader *r, const char *what, uint32_t max, uint32_t *value);
bool dbc_char(struct dbc_reader *r, char c, const char *what);
/* The semicolon, or a line end where it was forgotten. */
bool dbc_end(struct dbc_reader *r);
bool dbc_is_keyword(struct dbc_word w);
bool dbc_at_keyword(struct dbc_reader *r);

char *dbc_copy(struct dbc_reader *r, struct dbc_word w);
/* Room for one more element of that size; NULL after a failure. */
void *dbc_vec_add(struct dbc_reader *r, struct dbc_vec *v, size_t size);
/* The elements as an array in the arena; the vector is empty afterwards. NULL for none. */
void *dbc_vec_take(struct dbc_reader *r, struct dbc_vec *v, size_t size);

bool dbc_index_add(struct dbc_reader *r, struct dbc_index *x, uint32_t key, uint32_t ref);
uint32_t dbc_hash_name(const char *s, size_t len);

static inline uint32_t dbc_index_start(const struct dbc_index *x, uint32_t key)
{
	return (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32) & x->mask;
}

/* dbc_text.c: own copy in UTF-8, byte order mark removed. */
bool dbc_text_load(struct dbc_reader *r, const char *text, size_t len);

/* dbc_attr.c */
void dbc_parse_attr_def(struct dbc_reader *r, bool is_relation);
void dbc_parse_attr_default(struct dbc_reader *r);
void dbc_parse_attr(struct dbc_reader *r);
void dbc_parse_rel_attr(struct dbc_reader *r);
void dbc_attr_finish(struct dbc_reader *r);

/* dbc_section.c: the sections that add to messages. */
void dbc_parse_value_table(struct dbc_reader *r);
void dbc_parse_values(struct dbc_reader *r);
void dbc_parse_comment(struct dbc_reader *r);
void dbc_parse_senders(struct dbc_reader *r);
void dbc_parse_env_var(struct dbc_reader *r);
void dbc_parse_env_data(struct dbc_reader *r);
void dbc_parse_signal_group(struct dbc_reader *r);
void dbc_parse_value_type(struct dbc_reader *r);
void dbc_parse_mux_values(struct dbc_reader *r);

/* dbc_link.c: what can be said once all is read. */
void dbc_link(struct dbc_reader *r);

/* Message and signal that an entry talks about; NULL with a note if there is none. */
struct dbc_message *dbc_message_ref(struct dbc_reader *r, uint32_t raw_id);
struct dbc_signal *dbc_signal_ref(struct dbc_reader *r, uint32_t raw_id, struct dbc_word name);
struct dbc_node *dbc_node_ref(struct dbc_reader *r, struct dbc_word name);
struct dbc_env_var *dbc_env_ref(struct dbc_reader *r, struct dbc_word name);
/* Names up to the end of the line (or, with a semicolon, up to that), with or without commas. */
const char *const *dbc_name_list(struct dbc_reader *r, bool is_to_semicolon, uint32_t *n);

#endif
