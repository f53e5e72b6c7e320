#!/bin/sh
# SPDX-License-Identifier: MIT
# Operator mutation of guards and leases: flips one operator at a time and expects the file's own test to fail. Prints the
# survivors; the exit status tells whether there were more than allowed (equivalent mutants exist).
# A helper of the test, where it has one, is named after it.
# usage: tests/mutate.sh [MAX_SURVIVORS]
set -eu
max=${1-4}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=c11 -O0 -w -I. -Iinclude -Ibuild/gen"

mutants() { # file: one sed script per line that changes one place
	awk '/^[ \t]*(\/?\*|#)/ { next } {
		n = split("&& || < > <= >= == != + - true false", op, " ")
		split("|| && >= <= > < != == - + false true", with, " ")
		for (i = 1; i <= n; i++) {
			text = $0
			at = 0
			while ((k = index(substr(text, at + 1), " " op[i] (op[i] ~ /[a-z]/ ? ";" : " "))) > 0) {
				at += k
				printf "%d\t%d\t%s\t%s\n", NR, at, op[i], with[i]
			}
		}
	}' "$1"
}

total=0 survived=0
for pair in evse-ctrl/evse_guard.c:test_evse_guard: pev-ctrl/pev_guard.c:test_pev_guard: \
	lib/core/lease_hold.c:test_lease_hold: site-ctrl/lease.c:test_lease: \
	site-ctrl/alloc_check.c:test_alloc_check:tests/lib/alloc_rig.c; do
	source=${pair%%:*} helper=${pair##*:} test=${pair#*:}
	test=${test%%:*}
	make -s all "build/release/tests/unit/$test"
	cc $flags -D_GNU_SOURCE -c -o "$work/test.o" "tests/unit/$test.c"
	helper_object=
	if [ -n "$helper" ]; then
		helper_object=$work/helper.o
		cc $flags -D_GNU_SOURCE -c -o "$helper_object" "$helper"
	fi
	mutants "$source" >"$work/list"
	while IFS="$(printf '\t')" read -r line at old new; do
		awk -v l="$line" -v a="$at" -v o="$old" -v w="$new" 'NR == l {
			$0 = substr($0, 1, a) w substr($0, a + 1 + length(o)) } { print }' "$source" >"$work/mutant.c"
		total=$((total + 1))
		cc $flags -c -o "$work/mutant.o" "$work/mutant.c" 2>/dev/null || continue
		cc -o "$work/run" "$work/test.o" $helper_object "$work/mutant.o" build/release/libforecourt.a -lcmocka -linih -lsocketcan -ldl -lm
		if timeout 20 "$work/run" >/dev/null 2>&1; then
			survived=$((survived + 1))
			echo "survived: $source:$line: $old became $new"
		fi
	done <"$work/list"
done
echo "$total mutants, $survived survived (at most $max allowed)"
[ "$survived" -le "$max" ]
