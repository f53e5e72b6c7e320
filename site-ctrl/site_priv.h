/* SPDX-License-Identifier: MIT */
/* What the parts of the site's machine share. Pure. */
#ifndef SITE_SITE_PRIV_H
#define SITE_SITE_PRIV_H

#include "site-ctrl/site.h"

/* Frames that are left over follow after so long: 96 frames take 25 ms on a bus of 500 kbit/s. */
#define SITE_PUMP_GAP_US INT64_C(25000)
/* Two cycles, or two looks at the ledger, are not closer than this. */
#define SITE_EARLY_GAP_US INT64_C(100000)
/* From the first frame of a report to a cycle because of it: the rest of the report comes meanwhile. */
#define SITE_SETTLE_US INT64_C(20000)
/* Another site counts as gone after this. */
#define SITE_OTHER_US	INT64_C(3500000)
#define SITE_LOG_GAP_US INT64_C(60000000)

/* site_want.c: what the points want, as the policy is told. */
bool site_wants(const struct site_slot *slot);
bool site_is_fresh(const struct site *s, const struct site_slot *slot, int64_t now_us);
/* Fills s->want[i] and the slot's role. */
void site_want(struct site *s, uint32_t i, int64_t now_us);
/* The smallest current that point i can be given, at least min_mA; INT32_MAX: none. */
int32_t site_round_up_mA(const struct site_point_conf *p, int32_t min_mA);
/* The largest one, at most mA, that the wire can say too. */
int32_t site_round_down_mA(const struct site_point_conf *p, int32_t mA);
/* A vehicle came, went or changed what it wants to do. */
void site_session(struct site_slot *slot, int64_t now_us);

/* site_cycle.c: asks the policy; leaves the aims in the slots. */
void site_cycle(struct site *s, int64_t now_us);

/* site_grant.c: decides what is due, and sends as much as a wake-up may. */
void site_plan(struct site *s, int64_t now_us, bool is_renewal);
void site_pump(struct site *s, int64_t now_us, struct out_queue *out);
/* Brings the sums of the ledger up to date. */
void site_refresh(struct site *s, int64_t now_us);
bool site_is_quiet(const struct site *s, int64_t now_us);

/* site_tell.c */
void site_tell(struct site *s, int64_t now_us, struct out_queue *out);
void site_tell_stop(struct site *s, struct out_queue *out);
uint32_t site_count_reporting(const struct site *s, int64_t now_us);

/* One frame, if there is room for it. */
bool site_send(struct site *s, struct out_queue *out, unsigned bus, const struct can_frame *f);

#endif
