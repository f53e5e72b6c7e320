/* SPDX-License-Identifier: MIT */
/*
 * The model as a page of metrics in Prometheus' text format 0.0.4: every family with HELP and TYPE, names
 * forecourt_..., label point="1", base units (volts, amperes, watts, joules, ohms, seconds, ratios 0 to 1),
 * counters end in _total. Numbers are exact decimals. What nobody has said is left out, so that a gap is a
 * gap. Pure.
 */
#ifndef MONITOR_MON_METRICS_H
#define MONITOR_MON_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "monitor/mon_model.h"

/* Room that is enough for 15 points with every message there is (213 kB); one such point needs 18 kB. */
#define MON_METRICS_MAX (256 * 1024)
#define MON_METRICS_MIN 256

#define MON_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * Writes the page, of at most `size` bytes and without a final NUL; returns its length. A page that does
 * not fit is still a valid one: it ends before the first family that does not fit, and
 * forecourt_metrics_truncated, the last one, is 1. Less room than MON_METRICS_MIN: nothing, 0.
 */
size_t mon_metrics_write(const struct mon_model *m, char *text, size_t size);

#endif
