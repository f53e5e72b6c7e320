/* SPDX-License-Identifier: MIT */
/*
 * The protocol of leases, for the model checker SPIN: what site-ctrl/lease.c and lib/core/lease_hold.c do, and
 * everything that can go wrong between them, in time that goes by in ticks. docs/leases.md says what is proved by it;
 * run.sh runs it.
 *
 * N points hang on one row and draw 0 or 1 each; the row carries N or, after a fall, N - 1. A lease lasts L ticks, and up
 * to DRIFT more by a slow clock. A draw follows a lowering within R ticks. Between two ticks anything happens in any
 * order: reports, grants, losses, deliveries once or twice, late and in any order, crashes, restarts, limits.
 *
 * A point reports at most once in a tick, and the number of a report is the tick in which it was sent, so that its age
 * is also how long ago that was. A number that is older than OLD has no effect any more on either side; such messages
 * are dropped. So the model is finite and yet has no end.
 *
 * Every BAD_... leaves out one rule. Each must be found to break the promise.
 */
#ifndef N
#define N 2
#endif
#ifndef L
#define L 1
#endif
#ifndef DRIFT
#define DRIFT 1
#endif
#ifndef R
#define R 1
#endif
#ifndef REVISIONS
#define REVISIONS 2
#endif
#ifndef GRANTS
#define GRANTS 2 /* under way to a point at a time */
#endif
#ifndef BOOKED
#define BOOKED 3 /* grants of a point that the ledger remembers */
#endif

#define LEASE (L + DRIFT)
#define LIFE  (LEASE + R) /* from the receiving of a report until its grants are over by anybody's clock */
#define OLD   (LIFE + 1)
#ifdef BAD_REUSE
#define DEAD (LEASE + 1)
#else
#define DEAD LEASE /* ticks after which a number is not answered any more with effect */
#endif

#ifdef BAD_DRIFT
#define COUNTED (L + R)
#else
#define COUNTED LIFE
#endif

typedef Report {
	bool is_there;
	bool is_void; /* of an earlier process: what answers it is not taken */
	unsigned age : 4;
	unsigned ack_age : 4; /* 0: nothing is acknowledged; the number is older than the report */
	bit ack_revision;
	bit may_draw
};

typedef Grant {
	bool is_there;
	unsigned age : 4;
	bit revision;
	bit current
};

/* A grant in the ledger: counts for `left` ticks. */
typedef Booked {
	unsigned left : 3;
	unsigned age : 4;
	bit revision;
	bit current
};

typedef Point {
	/* lease_hold.c */
	bool is_dead, has_reported; /* in this tick */
	bool has_grant, has_taken;
	unsigned age : 4; /* of the number of the last one taken */
	bit revision;
	unsigned fall : 2;   /* ticks in which the draw may still be there */
	unsigned no_ack : 2; /* ticks in which nothing is acknowledged */
	/* What is drawn: told now, and held from before. */
	bit told;
	unsigned held : 2;
#ifdef BAD_REUSE
	bit lag; /* of its numbers behind the ticks, since it was restarted */
	unsigned first : 3; /* ticks since its first report, plus one */
#endif
#ifdef BAD_RECEIPT
	unsigned taken_for : 3; /* ticks since it was taken */
#endif
	/* Under way. */
	Report report;
	Grant grant[GRANTS];
	/* lease.c: the newest report, and the list. */
	bool is_heard, is_void;
	unsigned heard_age : 4;
	unsigned heard : 3; /* ticks since it was received */
	unsigned next_revision : 2;
	Booked booked[BOOKED];
	unsigned n_booked : 2;
	unsigned n_acked : 2
};

Point p[N];
bool is_site_up;
unsigned quiet : 3;
unsigned limit : 2 = N;
unsigned former : 3; /* ticks in which the limit of before still counts */

/* Scratch of a step. */
hidden byte j, n;

#define DRAW(i) (p[i].told || p[i].held > 0)
#define COUNTS(i) \
	((p[i].n_booked > 0 && p[i].booked[0].current) || (p[i].n_booked > 1 && p[i].booked[1].current) || \
	 (p[i].n_booked > 2 && p[i].booked[BOOKED - 1].current))
#define WILL(i) (p[i].n_booked > 0 && p[i].booked[p[i].n_booked - 1].current)

#if N == 1
#define SUM(of) (of(0) + 0)
#else
#define SUM(of) (of(0) + of(1))
#endif

/* --- what is promised ------------------------------------------------------------------------------------------------ */

#define ALLOWED	      (former > 0 -> N : limit)
#define IS_COUNTED(i) (!DRAW(i) || COUNTS(i))

/* The promise, and what it rests on: the ledger never counts less than what is drawn, nor more than there is. */
#define IS_KEPT \
	(SUM(DRAW) <= ALLOWED && \
	 (!is_site_up || quiet > 0 || \
	  (SUM(COUNTS) <= ALLOWED && IS_COUNTED(0) && IS_COUNTED(N - 1))))

/* --- the point: lease_hold.c ----------------------------------------------------------------------------------------- */

inline no_report(i)
{
	p[i].report.is_there = false;
	p[i].report.is_void = false;
	p[i].report.age = 0;
	p[i].report.ack_age = 0;
	p[i].report.ack_revision = 0;
	p[i].report.may_draw = 0
}

inline no_grant(i, s)
{
	p[i].grant[s].is_there = false;
	p[i].grant[s].age = 0;
	p[i].grant[s].revision = 0;
	p[i].grant[s].current = 0
}

/* What was under way before it is lost, or this one is. */
inline point_reports(i)
{
	d_step {
		!p[i].is_dead && !p[i].has_reported;
		p[i].has_reported = true;
		no_report(i);
		p[i].report.is_there = true;
#ifdef BAD_REUSE
		p[i].report.age = p[i].lag;
		p[i].first = (p[i].first == 0 -> 1 : p[i].first);
#endif
		p[i].report.may_draw = (p[i].told || p[i].fall > 0);
		if
		:: p[i].has_grant && p[i].no_ack == 0 && p[i].age > p[i].report.age ->
			p[i].report.ack_age = p[i].age;
			p[i].report.ack_revision = p[i].revision
		:: else
		fi
	}
}

inline begin_fall(i)
{
	if
	:: p[i].told -> p[i].fall = R; p[i].held = R; p[i].told = 0
	:: else
	fi
}

#ifdef BAD_ORDER
#define IS_LATER(i, s) true
#else
#define IS_LATER(i, s) \
	(!p[i].has_taken || p[i].grant[s].age < p[i].age || \
	 (p[i].grant[s].age == p[i].age && p[i].grant[s].revision > p[i].revision))
#endif

/* Ticks since the number in force was sent, by which the lease is counted. */
#ifdef BAD_RECEIPT
#define LASTED(i) p[i].taken_for
#else
#ifdef BAD_REUSE
#define LASTED(i) (p[i].age - p[i].lag)
#else
#define LASTED(i) p[i].age
#endif
#endif

/* A number that this process has sent, and whose lease is not over. */
#ifdef BAD_REUSE
#define IS_OWN(i, s) \
	(p[i].grant[s].age >= p[i].lag && p[i].grant[s].age < p[i].lag + p[i].first && \
	 p[i].grant[s].age < p[i].lag + LEASE)
#else
#define IS_OWN(i, s) (p[i].grant[s].age < LEASE) /* the others went when it died */
#endif

/* What would be refused changes nothing: it is as good as lost. */
inline overtake(i)
{
	for (j : 0 .. GRANTS - 1) {
		if
		:: p[i].grant[j].is_there && !IS_LATER(i, j) -> no_grant(i, j)
		:: else
		fi
	}
}

/* Delivered, and gone or to be delivered once more. */
inline point_takes(i, s, is_gone)
{
	d_step {
		!p[i].is_dead && p[i].grant[s].is_there && IS_OWN(i, s) && IS_LATER(i, s);
		if
		:: !p[i].grant[s].current -> begin_fall(i)
		:: else
		fi;
		p[i].told = p[i].grant[s].current;
		p[i].has_grant = true;
		p[i].has_taken = true;
		p[i].age = p[i].grant[s].age;
		p[i].revision = p[i].grant[s].revision;
#ifdef BAD_RECEIPT
		p[i].taken_for = 0;
#endif
		if
		:: is_gone -> no_grant(i, s)
		:: else
		fi;
		overtake(i);
		assert(IS_KEPT)
	}
}

inline forget_taken(i)
{
	p[i].has_taken = false;
	p[i].age = 0;
	p[i].revision = 0
}

inline lapse(i)
{
	begin_fall(i);
	p[i].has_grant = false;
#ifdef BAD_RECEIPT
	p[i].taken_for = 0
#endif
}

/* By its own clock, which may be fast. Of a dead process too: the power source lets go by itself. */
inline point_lapses(i)
{
	d_step {
		p[i].has_grant && LASTED(i) >= L;
		lapse(i);
		assert(IS_KEPT)
	}
}

/* Measured to be down. */
inline point_follows(i)
{
	d_step {
		!p[i].is_dead && (p[i].held > 0 || p[i].fall > 0 || p[i].no_ack > 0);
		p[i].held = 0;
		p[i].fall = 0;
		p[i].no_ack = 0
	}
}

/* It will number its reports behind those sent before: whatever answers them is void. */
inline point_dies(i)
{
	d_step {
		!p[i].is_dead;
		p[i].is_dead = true;
		p[i].fall = 0;
		p[i].no_ack = 0;
#ifdef BAD_REUSE
		p[i].lag = 1;
		p[i].first = 0
#else
		for (j : 0 .. GRANTS - 1) {
			no_grant(i, j)
		}
		p[i].report.is_void = p[i].report.is_there;
		p[i].is_void = p[i].is_heard
#endif
	}
}

inline point_starts(i)
{
	d_step {
		p[i].is_dead;
		p[i].is_dead = false;
		lapse(i);
		forget_taken(i);
		p[i].fall = 0;
#ifndef BAD_START
		p[i].no_ack = R;
#endif
		assert(IS_KEPT)
	}
}

/* --- the site: lease.c ------------------------------------------------------------------------------------------------ */

inline forget(i, from)
{
	p[i].n_booked--;
	if
	:: p[i].n_acked > 0 -> p[i].n_acked--
	:: else
	fi;
	for (n : from .. BOOKED - 2) {
		p[i].booked[n].left = p[i].booked[n + 1].left;
		p[i].booked[n].age = p[i].booked[n + 1].age;
		p[i].booked[n].revision = p[i].booked[n + 1].revision;
		p[i].booked[n].current = p[i].booked[n + 1].current
	}
	p[i].booked[BOOKED - 1].left = 0;
	p[i].booked[BOOKED - 1].age = 0;
	p[i].booked[BOOKED - 1].revision = 0;
	p[i].booked[BOOKED - 1].current = 0
}

inline forget_all(i)
{
	do
	:: p[i].n_booked > 0 -> forget(i, 0)
	:: else -> break
	od
}

/* booked[j] is in force. */
inline confirm(i)
{
	p[i].n_acked = j + 1;
	do
	:: j > 0 ->
		j--;
		if
		:: p[i].booked[j].left > R -> p[i].booked[j].left = R
		:: else
		fi;
		if
		:: !p[i].report.may_draw || p[i].booked[p[i].n_acked - 1].current -> forget(i, j)
		:: else ->
			if
			:: !p[i].booked[j].current -> forget(i, j)
			:: else
			fi
		fi
	:: else -> break
	od
}

inline acknowledge(i)
{
	j = (p[i].n_acked > 0 -> p[i].n_acked - 1 : 0);
	do
	:: j < p[i].n_booked &&
	   (p[i].booked[j].age != p[i].report.ack_age || p[i].booked[j].revision != p[i].report.ack_revision) -> j++
	:: else -> break
	od;
	if
	:: j < p[i].n_booked -> confirm(i)
	:: else
	fi
}

inline site_hears(i, is_gone)
{
	d_step {
		is_site_up && p[i].report.is_there && (!p[i].is_heard || p[i].report.age < p[i].heard_age);
		p[i].is_heard = true;
		p[i].is_void = p[i].report.is_void;
		p[i].heard_age = p[i].report.age;
		p[i].heard = 0;
		p[i].next_revision = 0;
		if
		:: p[i].report.ack_age > 0 && quiet == 0 -> acknowledge(i)
#ifdef BAD_NO_ACK
		:: p[i].report.ack_age == 0 -> forget_all(i)
#endif
		:: else
		fi;
		if
		:: is_gone -> no_report(i)
		:: else
		fi;
		assert(IS_KEPT)
	}
}

/* lease.h, "what may be granted": nothing more than what will count anyway, or as much as fits with all that counts. */
#ifdef BAD_RAISE /* as if what was granted last were all that counts */
#define FITS(i) (SUM(WILL) - WILL(i) + 1 <= limit)
#else
#define FITS(i) (SUM(COUNTS) - COUNTS(i) + 1 <= limit)
#endif
#ifdef BAD_ALONE /* each by an aim of its own, which fits by itself */
#define RENEWS(i) WILL(i)
#else
#define RENEWS(i) (WILL(i) && SUM(WILL) <= limit)
#endif
#define CAN(i) \
	(is_site_up && quiet == 0 && p[i].is_heard && p[i].heard < L && p[i].next_revision < REVISIONS && \
	 p[i].n_booked < BOOKED)

/* Books a grant and sends it on way s, where what was under way is lost. */
inline site_grants(i, mA, s)
{
	d_step {
		CAN(i) && (mA == 0 || RENEWS(i) || FITS(i));
		p[i].booked[p[i].n_booked].left = COUNTED - p[i].heard;
		p[i].booked[p[i].n_booked].age = p[i].heard_age;
		p[i].booked[p[i].n_booked].revision = p[i].next_revision;
		p[i].booked[p[i].n_booked].current = mA;
		if
		:: !p[i].is_void && p[i].heard_age < DEAD ->
			p[i].grant[s].is_there = true;
			p[i].grant[s].age = p[i].heard_age;
			p[i].grant[s].revision = p[i].next_revision;
			p[i].grant[s].current = mA
		:: else
		fi;
		p[i].n_booked++;
		p[i].next_revision++;
		assert(IS_KEPT)
	}
}

inline not_heard(i)
{
	p[i].is_heard = false;
	p[i].is_void = false;
	p[i].heard_age = 0;
	p[i].heard = 0;
	p[i].next_revision = 0
}

inline site_dies()
{
	d_step {
		is_site_up;
		is_site_up = false;
		quiet = 0;
		forget_all(0);
		not_heard(0);
#if N > 1
		forget_all(1);
		not_heard(1)
#endif
	}
}

inline site_starts()
{
	d_step {
		!is_site_up;
		is_site_up = true;
#ifndef BAD_QUIET
		quiet = LIFE;
#endif
		assert(IS_KEPT)
	}
}

/* --- limit and time ------------------------------------------------------------------------------------------------------ */

inline limit_falls()
{
	d_step {
		limit == N;
		limit = N - 1;
		former = LIFE
	}
}

inline limit_rises()
{
	d_step {
		limit < N;
		limit = N;
		former = 0
	}
}

inline less(counter)
{
	if
	:: counter > 0 -> counter--
	:: else
	fi
}

inline hold_ticks(i)
{
	p[i].has_reported = false;
	less(p[i].held);
	less(p[i].fall);
	less(p[i].no_ack);
#ifdef BAD_REUSE
	if
	:: p[i].first > 0 && p[i].first < 7 -> p[i].first++
	:: else
	fi;
#endif
	if
	:: p[i].has_taken -> p[i].age++
	:: else
	fi;
#ifdef BAD_RECEIPT
	if
	:: p[i].has_grant -> p[i].taken_for++
	:: else
	fi;
#endif
	if
	:: p[i].has_grant && LASTED(i) >= LEASE -> lapse(i)
	:: else
	fi;
	/* Nothing under way can be earlier and still be taken. */
	if
	:: p[i].has_taken && !p[i].has_grant && p[i].age >= LEASE -> forget_taken(i)
	:: else
	fi
}

inline ways_tick(i)
{
	if
	:: p[i].report.is_there ->
		p[i].report.age++;
		if
		:: p[i].report.ack_age > 0 -> p[i].report.ack_age++
		:: else
		fi;
		if
		:: p[i].report.age >= OLD || (p[i].is_heard && p[i].report.age > p[i].heard_age) -> no_report(i)
		:: else
		fi
	:: else
	fi;
	for (j : 0 .. GRANTS - 1) {
		if
		:: p[i].grant[j].is_there ->
			p[i].grant[j].age++;
			if
			:: p[i].grant[j].age >= DEAD -> no_grant(i, j)
			:: else
			fi
		:: else
		fi
	}
}

inline ledger_ticks(i)
{
	for (j : 0 .. BOOKED - 1) {
		if
		:: j < p[i].n_booked ->
			p[i].booked[j].left--;
			if
			:: p[i].booked[j].age < 2 * OLD -> p[i].booked[j].age++
			:: else
			fi
		:: else
		fi
	}
	do
	:: p[i].n_booked > 0 && p[i].booked[0].left == 0 -> forget(i, 0)
	:: else -> break
	od;
	if
	:: p[i].is_heard ->
		p[i].heard++;
		p[i].heard_age++;
		if
		:: p[i].heard >= LIFE -> not_heard(i) /* silent for so long: it may begin anywhere */
		:: p[i].heard >= L && p[i].heard < LIFE -> p[i].next_revision = 0; p[i].is_void = false /* not answered */
		:: else
		fi
	:: else
	fi
}

inline point_ticks(i)
{
	hold_ticks(i);
	ledger_ticks(i);
	ways_tick(i)
}

inline time_goes_by()
{
	d_step {
		less(quiet);
		less(former);
		point_ticks(0);
#if N > 1
		point_ticks(1);
#endif
		assert(IS_KEPT)
	}
}

/* --- everything in any order ------------------------------------------------------------------------------------------------ */

#if GRANTS > 1
#define ANOTHER_WAY(i) \
	:: site_grants(i, 0, 1) \
	:: site_grants(i, 1, 1) \
	:: point_takes(i, 1, true) \
	:: point_takes(i, 1, false)
#else
#define ANOTHER_WAY(i)
#endif

#define OF_POINT(i) \
	:: point_reports(i) \
	:: site_hears(i, true) \
	:: site_hears(i, false) \
	:: site_grants(i, 0, 0) \
	:: site_grants(i, 1, 0) \
	:: point_takes(i, 0, true) \
	:: point_takes(i, 0, false) \
	ANOTHER_WAY(i) \
	:: point_lapses(i) \
	:: point_follows(i)

#define DIES(i) \
	:: point_dies(i) \
	:: point_starts(i)

active proctype world()
{
	do
	OF_POINT(0)
	DIES(0)
#if N > 1
	OF_POINT(1)
#ifndef ONE_DIES /* the other one never does: fewer states */
	DIES(1)
#endif
#endif
	:: site_dies()
	:: site_starts()
	:: limit_falls()
	:: limit_rises()
	:: time_goes_by()
	od
}
