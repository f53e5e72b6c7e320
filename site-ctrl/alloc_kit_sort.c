/* SPDX-License-Identifier: MIT */
/*
 * Sorting points: by merging when they are few, else by digits, least significant first, digits in which all agree
 * left out. Pure.
 */
#include "site-ctrl/alloc_kit.h"

#include <string.h>

#define RUN	12 /* sorted by insertion before they are merged */
#define SIGN_64 (UINT64_C(1) << 63)
#define SIGN_32 (UINT32_C(1) << 31)

static bool is_before(const struct kit_sort *a, const struct kit_sort *b)
{
	if (a->class != b->class)
		return a->class < b->class;
	if (a->key != b->key)
		return a->key < b->key;
	return a->id < b->id;
}

static void sort_run(struct kit_sort *a, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct kit_sort s = a[i];
		uint32_t j = i;

		for (; j > 0 && is_before(&s, &a[j - 1]); j--)
			a[j] = a[j - 1];
		a[j] = s;
	}
}

static void merge(const struct kit_sort *a, const struct kit_sort *a_end, const struct kit_sort *b,
		  const struct kit_sort *b_end, struct kit_sort *to)
{
	while (a < a_end && b < b_end)
		*to++ = is_before(b, a) ? *b++ : *a++;
	while (a < a_end)
		*to++ = *a++;
	while (b < b_end)
		*to++ = *b++;
}

static struct kit_sort *sort_few(struct kit_sort *list, struct kit_sort *spare, uint32_t n)
{
	for (uint32_t at = 0; at < n; at += RUN)
		sort_run(list + at, n - at < RUN ? n - at : RUN);
	for (uint32_t run = RUN; run < n; run *= 2) {
		struct kit_sort *merged = spare;

		for (uint32_t at = 0; at < n; at += 2 * run) {
			uint32_t middle = n - at < run ? n : at + run;
			uint32_t end = n - at < 2 * run ? n : at + 2 * run;

			merge(list + at, list + middle, list + middle, list + end, spare + at);
		}
		spare = list;
		list = merged;
	}
	return list;
}

static uint64_t field_of(const struct kit_sort *s, unsigned field)
{
	return field == 0 ? s->id : field == 1 ? s->key : s->class;
}

/* One stable pass; returns where the result is. */
static struct kit_sort *pass(struct kit_sort *from, struct kit_sort *to, uint32_t n, unsigned field,
			     unsigned shift)
{
	uint32_t first[256] = {0}, sum = 0;

	for (uint32_t i = 0; i < n; i++)
		first[field_of(&from[i], field) >> shift & 0xff]++;
	for (unsigned d = 0; d < 256; d++) {
		uint32_t here = first[d];

		first[d] = sum;
		sum += here;
	}
	for (uint32_t i = 0; i < n; i++)
		to[first[field_of(&from[i], field) >> shift & 0xff]++] = from[i];
	return to;
}

/* Bits in which the elements differ, of each field; the ids count as equal when they ascend already. */
static void find_differences(const struct kit_sort *a, uint32_t n, uint64_t differ[3])
{
	bool is_ascending = true;

	memset(differ, 0, 3 * sizeof(differ[0]));
	for (uint32_t i = 1; i < n; i++) {
		differ[0] |= a[i].id ^ a[0].id;
		differ[1] |= a[i].key ^ a[0].key;
		differ[2] |= a[i].class ^ a[0].class;
		is_ascending = is_ascending && a[i - 1].id <= a[i].id;
	}
	if (is_ascending)
		differ[0] = 0;
}

struct kit_sort *alloc_kit_sort_list(struct kit_sort *list, struct kit_sort *spare, uint32_t n)
{
	uint64_t differ[3];

	if (n <= KIT_SMALL)
		return sort_few(list, spare, n);
	find_differences(list, n, differ);
	for (unsigned field = 0; field < 3; field++) {
		for (unsigned shift = 0; shift < 64; shift += 8) {
			struct kit_sort *sorted;

			if (!(differ[field] >> shift & 0xff))
				continue;
			sorted = pass(list, spare, n, field, shift);
			spare = list;
			list = sorted;
		}
	}
	return list;
}

uint32_t alloc_kit_sort(struct alloc_kit_state *k, const int64_t *key, uint32_t *order)
{
	struct kit_sort *list = k->sort[0];
	uint32_t n = 0;

	for (uint32_t i = 0; i < k->n_points; i++) {
		const struct alloc_point *p;

		if (!(k->flags[i] & KIT_WANTS))
			continue;
		p = alloc_point_at(k->call, i);
		list[n++] = (struct kit_sort){
			.key = key ? (uint64_t)key[i] ^ SIGN_64 : 0,
			.id = p->id,
			.class = ~((uint32_t)p->class ^ SIGN_32), /* high first */
			.point = i,
		};
	}
	list = alloc_kit_sort_list(list, k->sort[1], n);
	for (uint32_t at = 0; at < n; at++)
		order[at] = list[at].point;
	return n;
}
