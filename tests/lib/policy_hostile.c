/* SPDX-License-Identifier: MIT */
/*
 * An allocation policy that does harm, chosen by its option "do": for tests of the host that runs it. Built
 * into the test programs, and as a loadable plug-in from the installed headers alone; it imports nothing.
 */
#include <errno.h>

#include <forecourt/alloc_policy.h>

enum deed {
	DO_GOOD,     /* fair */
	DO_HUGE,     /* more than there is */
	DO_NEGATIVE, /* feeds back what nobody asked for */
	DO_RANDOM,
	DO_ENDLESS,
	DO_CRASH,
	DO_SCRIBBLE, /* over the question and beyond the answer */
	DO_ERROR,
	DO_SOMETIMES, /* good, but every fifth answer never comes */
	DO_NO_START,
	DO_LOG,
	DO_LATER,  /* asks to be asked again at once, for ever */
	DO_UNFAIR, /* gives current to those who want none */
	N_DEEDS,
};

static const char *const names[N_DEEDS] = {"good",  "huge",	"negative", "random",	 "endless",
					   "crash", "scribble", "error",    "sometimes", "no_start",
					   "log",   "later",	"unfair"};

struct hostile {
	const struct forecourt_host *host;
	enum deed deed;
	uint32_t seed, n_calls;
};

static bool is_same(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return *a == *b;
}

static int32_t start(void *self, const struct forecourt_host *host, const struct forecourt_kv *kv,
		     uint32_t n_kv)
{
	struct hostile *h = self;
	uint32_t i, k;

	h->host = host;
	h->seed = 1;
	for (i = 0; i < n_kv; i++)
		for (k = 0; k < N_DEEDS; k++)
			if (is_same(kv[i].value, names[k]))
				h->deed = (enum deed)k;
	if (h->deed != DO_NO_START)
		return 0;
	host->log(host->ctx, FORECOURT_LOG_ERROR, "does not feel like it");
	return -EPERM;
}

static uint32_t next_random(struct hostile *h)
{
	h->seed = h->seed * 1664525u + 1013904223u;
	return h->seed >> 8;
}

static int32_t be_good(struct alloc_call *call)
{
	int64_t *weight = call->arena;
	uint32_t *order = (uint32_t *)(void *)(weight + call->n_points), i, n;
	const struct alloc_kit *kit = call->kit;

	for (i = 0; i < call->n_points; i++)
		weight[i] = alloc_point_at(call, i)->weight_permille;
	n = kit->sort(kit->ctx, NULL, order);
	kit->admit(kit->ctx, order, n);
	kit->fill_level(kit->ctx, weight, NULL);
	kit->climb(kit->ctx, order, n);
	kit->finish(kit->ctx, call->grant, call->grant_stride);
	return 0;
}

static void give_all(struct alloc_call *call, int32_t mA)
{
	uint32_t i;

	for (i = 0; i < call->n_points; i++)
		alloc_grant_at(call, i)->mA = mA;
}

static void give_random(struct hostile *h, struct alloc_call *call)
{
	uint32_t i;

	for (i = 0; i < call->n_points; i++) {
		struct alloc_grant *g = alloc_grant_at(call, i);

		g->mA = next_random(h) % 4 ? (int32_t)(next_random(h) % 400) * 100
					   : (int32_t)(next_random(h) << 8 | next_random(h));
		g->reason = (int32_t)next_random(h);
		g->row = next_random(h);
	}
}

static void scribble(struct alloc_call *call)
{
	char *question = (char *)(uintptr_t)(const void *)call->point,
	     *limits = (char *)(uintptr_t)(const void *)call->limit_mA;
	uint32_t i;

	for (i = 0; i < call->n_points * call->point_stride; i++)
		question[i] = 0x7f;
	for (i = 0; i < call->site->n_rows * sizeof(int32_t); i++)
		limits[i] = 0x7f;
	give_all(call, 0x7f7f7f00);
}

static void stay(void)
{
	volatile int forever = 1;

	while (forever)
		;
}

static int32_t act(struct hostile *h, struct alloc_call *call)
{
	switch (h->deed) {
	case DO_GOOD:
	case DO_NO_START:
	case N_DEEDS:
		break;
	case DO_HUGE:
		give_all(call, INT32_MAX);
		return 0;
	case DO_NEGATIVE:
		give_all(call, -16000);
		return 0;
	case DO_RANDOM:
		give_random(h, call);
		return 0;
	case DO_ENDLESS:
		stay();
		break;
	case DO_CRASH:
		__builtin_trap();
	case DO_SCRIBBLE:
		scribble(call);
		return 0;
	case DO_ERROR:
		return -EIO;
	case DO_SOMETIMES:
		if (h->n_calls % 5 == 0)
			stay();
		break;
	case DO_LOG:
		h->host->log(h->host->ctx, FORECOURT_LOG_NOTICE, "asked and answered");
		break;
	case DO_LATER:
		call->again_us = call->now_us + 1;
		break;
	case DO_UNFAIR:
		give_all(call, 6000);
		return 0;
	}
	return be_good(call);
}

static int32_t allocate(void *self, struct alloc_call *call)
{
	struct hostile *h = self;

	h->n_calls++;
	return act(h, call);
}

static uint64_t arena_size(const void *self, const struct alloc_site *site)
{
	(void)self;
	return (uint64_t)site->n_points * (sizeof(int64_t) + sizeof(uint32_t));
}

static const struct alloc_policy_ops ops = {.init = start, .arena_size = arena_size, .allocate = allocate};

static const struct forecourt_option options[] = {
	{.name = "do", .unit = "", .def = "good", .help = "what harm it does"},
};

#define RECORD                                                                                       \
	{                                                                                            \
		.magic = FORECOURT_PLUGIN_MAGIC, .abi_major = FORECOURT_ABI_MAJOR,                   \
		.abi_minor = FORECOURT_ABI_MINOR, .record_size = sizeof(struct forecourt_plugin),    \
		.kind = FORECOURT_KIND_ALLOC_POLICY, .name = "hostile", .version = "1", .ops = &ops, \
		.ops_size = sizeof(ops), .state_size = sizeof(struct hostile), .options = options,   \
		.n_options = 1, .option_stride = sizeof(options[0])                                  \
	}

#ifdef HOSTILE_AT_LOAD
__attribute__((constructor)) static void harm_at_load(void)
{
	__builtin_trap();
}
#endif

#ifdef HOSTILE_PLUGIN
__attribute__((visibility("default"))) extern const struct forecourt_plugin forecourt_plugin;
const struct forecourt_plugin forecourt_plugin = RECORD;
#else
extern const struct forecourt_plugin policy_hostile;
const struct forecourt_plugin policy_hostile = RECORD;
#endif
