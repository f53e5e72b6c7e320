#!/bin/sh
# SPDX-License-Identifier: MIT
# Line coverage of the files in which nothing may go untested: the guards, the leases and the generated codecs.
# usage: tests/cov.sh BUILD_DIR      after the tests ran in the cov variant
set -eu
build=$1
bad=0
for source in evse-ctrl/evse_guard.c pev-ctrl/pev_guard.c lib/core/lease_hold.c site-ctrl/lease.c \
	build/gen/evse_msgs.c build/gen/pev_msgs.c build/gen/plug_msgs.c; do
	percent=$(gcov -n -o "$build/obj/$(dirname "$source")" "$build/obj/${source%.c}.gcno" 2>/dev/null |
		awk -v f="$source" 'index($0, "File ") && index($0, f) { hit = 1 } hit && /Lines executed/ { sub(/.*:/, ""); sub(/%.*/, ""); print; exit }')
	echo "$source: ${percent:-0} % of lines"
	[ "${percent:-0}" = 100.00 ] || bad=1
done
[ $bad -eq 0 ] || echo "coverage: below 100 %"
exit $bad
