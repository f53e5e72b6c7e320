/* SPDX-License-Identifier: MIT */
/*
 * Judges a JSON text by one of docs/schemas: the part of JSON Schema that they use (type, const, enum,
 * properties, required, additionalProperties, items, minimum, maximum, multipleOf, pattern, anyOf,
 * if/then/else, true and false). A keyword that is not known here fails the test: nothing is passed over.
 * Header only, because few tests link the JSON library.
 */
#ifndef TESTS_SCHEMA_CHECK_H
#define TESTS_SCHEMA_CHECK_H

#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

static bool schema_fits(const json_t *schema, const json_t *v, char *err, size_t err_size);

static inline bool schema_no(char *err, size_t err_size, const char *why, const char *what)
{
	snprintf(err, err_size, "%.80s %.80s", why, what);
	return false;
}

static inline bool schema_is_type(const char *type, const json_t *v)
{
	if (strcmp(type, "integer") == 0)
		return json_is_integer(v);
	if (strcmp(type, "number") == 0)
		return json_is_number(v);
	if (strcmp(type, "string") == 0)
		return json_is_string(v);
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(v);
	if (strcmp(type, "null") == 0)
		return json_is_null(v);
	if (strcmp(type, "array") == 0)
		return json_is_array(v);
	return strcmp(type, "object") == 0 && json_is_object(v);
}

static inline bool schema_is_one_of(const json_t *list, const json_t *v)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), v))
			return true;
	return false;
}

static inline bool schema_matches(const char *pattern, const char *text)
{
	regex_t r;
	bool is_match;

	if (regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	is_match = regexec(&r, text, 0, NULL, 0) == 0;
	regfree(&r);
	return is_match;
}

static inline bool schema_object_fits(const json_t *schema, const json_t *v, char *err, size_t err_size)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *required = json_object_get(schema, "required");
	const json_t *more = json_object_get(schema, "additionalProperties");
	const char *key;
	json_t *value;
	size_t i;

	for (i = 0; i < json_array_size(required); i++)
		if (!json_object_get(v, json_string_value(json_array_get(required, i))))
			return schema_no(err, err_size,
					 "missing:", json_string_value(json_array_get(required, i)));
	json_object_foreach((json_t *)v, key, value)
	{
		const json_t *own = json_object_get(properties, key);

		if (!own)
			own = more;
		if (own && !schema_fits(own, value, err, err_size)) {
			size_t n = strlen(err);

			snprintf(err + n, err_size - n, " in %s", key);
			return false;
		}
	}
	return true;
}

static inline bool schema_keyword_fits(const json_t *schema, const char *keyword, const json_t *is,
				       const json_t *v, char *err, size_t err_size)
{
	char ignored[200];
	size_t i;

	if (strcmp(keyword, "type") == 0 && json_is_string(is))
		return schema_is_type(json_string_value(is), v);
	if (strcmp(keyword, "type") == 0) {
		for (i = 0; i < json_array_size(is); i++)
			if (schema_is_type(json_string_value(json_array_get(is, i)), v))
				return true;
		return false;
	}
	if (strcmp(keyword, "const") == 0)
		return json_equal(is, v);
	if (strcmp(keyword, "enum") == 0)
		return schema_is_one_of(is, v);
	if (strcmp(keyword, "minimum") == 0)
		return !json_is_number(v) || json_number_value(v) >= json_number_value(is);
	if (strcmp(keyword, "maximum") == 0)
		return !json_is_number(v) || json_number_value(v) <= json_number_value(is);
	if (strcmp(keyword, "multipleOf") == 0)
		return !json_is_integer(v) || json_integer_value(v) % json_integer_value(is) == 0;
	if (strcmp(keyword, "pattern") == 0)
		return !json_is_string(v) || schema_matches(json_string_value(is), json_string_value(v));
	if (strcmp(keyword, "anyOf") == 0) {
		for (i = 0; i < json_array_size(is); i++)
			if (schema_fits(json_array_get(is, i), v, ignored, sizeof(ignored)))
				return true;
		return false;
	}
	if (strcmp(keyword, "items") == 0) {
		for (i = 0; i < json_array_size(v); i++)
			if (!schema_fits(is, json_array_get(v, i), err, err_size))
				return false;
		return true;
	}
	if (strcmp(keyword, "if") == 0) {
		const json_t *way = json_object_get(
			schema, schema_fits(is, v, ignored, sizeof(ignored)) ? "then" : "else");

		return !way || schema_fits(way, v, err, err_size);
	}
	return strspn(keyword, "$") > 0 || strstr("title description then else", keyword);
}

static bool schema_fits(const json_t *schema, const json_t *v, char *err, size_t err_size)
{
	static const char *const of_objects[] = {"properties", "required", "additionalProperties"};
	const char *keyword;
	json_t *is;
	size_t i;

	err[0] = '\0';
	if (json_is_boolean(schema))
		return json_is_true(schema) || schema_no(err, err_size, "must not be there", "");
	json_object_foreach((json_t *)schema, keyword, is)
	{
		for (i = 0; i < 3 && strcmp(of_objects[i], keyword) != 0; i++)
			;
		if (i < 3)
			continue;
		if (!schema_keyword_fits(schema, keyword, is, v, err, err_size))
			return err[0] ? false : schema_no(err, err_size, "does not fit", keyword);
	}
	return !json_is_object(v) || schema_object_fits(schema, v, err, err_size);
}

/* name: "report" for docs/schemas/report.json. A text that is no JSON is not accepted. */
static inline bool schema_accepts(const char *name, const char *text, char *err, size_t err_size)
{
	char path[128];
	json_error_t where;
	json_t *schema, *v;
	bool is_good = false;

	snprintf(path, sizeof(path), "docs/schemas/%s.json", name);
	schema = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
	v = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (!schema)
		schema_no(err, err_size, path, where.text);
	else if (!v)
		schema_no(err, err_size, "no JSON", "");
	else
		is_good = schema_fits(schema, v, err, err_size);
	json_decref(schema);
	json_decref(v);
	return is_good;
}

#endif
