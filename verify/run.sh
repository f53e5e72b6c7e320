#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the model of the leases through SPIN, exhaustively, and then every variant with a rule left out, each of which must
# be found to break the promise. Installs spin where it is missing. About a minute and a half, less than 2 GB.
# usage: verify/run.sh
set -eu
model=$(cd "$(dirname "$0")" && pwd)/lease.pml
if ! command -v spin >/dev/null; then
	[ "$(id -u)" = 0 ] && sudo= || sudo=sudo
	$sudo apt-get update -qq && $sudo apt-get install -y -qq spin >/dev/null
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

search() { # definitions: leaves the checker's words in out
	rm -f pan*
	spin "$@" -a "$model" >out 2>&1 && ${CC:-cc} -O2 -w -DSAFETY -DMEMLIM=1900 -o pan pan.c >>out 2>&1 &&
		./pan -m1200000 -w23 >out 2>&1 || { tail -20 out >&2; exit 1; }
}
states() {
	awk '/states, stored/ { print $1; exit }' out
}

total=0
holds() { # what it is, definitions
	what=$1
	shift
	search "$@"
	errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' out)
	n=$(states)
	if [ "$errors" != 0 ] || grep -q "Search not completed\|depth too small\|out of memory\|hash-compact" out; then
		cat out >&2
		echo "verify: $what: NOT PROVED" >&2
		exit 1
	fi
	total=$((total + n))
	printf '%-64s states explored: %9d  errors: 0\n' "$what" "$n"
}
breaks() { # the rule that is left out, definitions
	what=$1
	shift
	search "$@"
	errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' out)
	if [ "${errors:-0}" = 0 ]; then
		echo "verify: $what: left out, and nothing was found: the model proves nothing" >&2
		exit 1
	fi
	printf '%-64s found faulty after %9d states, %d steps\n' "without: $what" "$(states)" \
		"$(sed -n 's/.*(at depth \([0-9]*\)).*/\1/p' out)"
}

one="-DN=1 -DL=2 -DR=2"
few="-DN=1 -DL=1 -DR=1"
two="-DN=2 -DL=1 -DR=1 -DDRIFT=0 -DBOOKED=2"
holds "one point, clocks that differ, all that may be under way" $one
holds "two points on one row, everybody dies" $two -DGRANTS=1 -DREVISIONS=1
holds "two points on one row, grants that overtake each other" $two -DGRANTS=2 -DONE_DIES

breaks "waiting for what was lowered before others are raised" $two -DBAD_RAISE
breaks "a limit that all grants together must fit" $two -DGRANTS=1 -DREVISIONS=1 -DBAD_ALONE
breaks "quiet time after a restart of the site" $one -DBAD_QUIET
breaks "the lease counted from the sending of the report" $one -DBAD_RECEIPT
breaks "margin for two clocks" $one -DBAD_DRIFT
breaks "the order of numbers and revisions" $one -DBAD_ORDER
breaks "silence of a new process about what is in force" $one -DBAD_START
breaks "doubt about a report that acknowledges nothing" $one -DBAD_NO_ACK
breaks "numbers that are never used again" $few -DBAD_REUSE
echo "verify: 3 searches to completion, states explored: $total, errors: 0; 9 broken variants found faulty"
