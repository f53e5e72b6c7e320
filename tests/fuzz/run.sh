#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs each fuzzer for a bounded time on its corpus, two at once. usage: tests/fuzz/run.sh SECONDS FUZZER...
set -eu
seconds=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

one() {
	name=$(basename "$1")
	mkdir -p "$work/$name"
	corpus=tests/fuzz/corpus/${name#fuzz_}
	[ -d "$corpus" ] || corpus=
	# shellcheck disable=SC2086
	if "$1" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$work/$name." "$work/$name" $corpus >"$work/$name.out" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.out")
		echo "$name: ${runs:-0} runs in $seconds s"
	else
		tail -n 40 "$work/$name.out"
		for artifact in "$work/$name".*-*; do
			[ -f "$artifact" ] && { echo "$name: failing input (base64):"; base64 "$artifact" | head -n 20; }
		done
		return 1
	fi
}

status=0
while [ $# -gt 0 ]; do
	one "$1" & first=$!
	second=
	if [ $# -gt 1 ]; then one "$2" & second=$!; shift; fi
	wait "$first" || status=1
	[ -z "$second" ] || wait "$second" || status=1
	shift
done
exit $status
