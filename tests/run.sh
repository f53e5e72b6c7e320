#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs test programs and check commands, and adds up what they say.
#
# usage: tests/run.sh [--tally FILE] LABEL PROGRAM...      test programs that speak TAP (cmocka)
#        tests/run.sh [--tally FILE] --command LABEL CMD.. one command, one verdict: 0 pass, 77 skip, else fail
#
# Prints failures with their place, one line per program, and appends "passed failed skipped" to the tally.
set -u

tally=/dev/null
if [ "$1" = --tally ]; then tally=$2; shift 2; fi

out=$(mktemp)
trap 'rm -f "$out"' EXIT

if [ "$1" = --command ]; then
	label=$2; shift 2
	begin=$(date +%s)
	[ ! -t 1 ] || printf '...   %s\r' "$label"
	"$@" >"$out" 2>&1
	status=$?
	took=$(($(date +%s) - begin))
	case $status in
	0) echo "1 0 0" >>"$tally"; printf 'ok    %-34s %4d s  %s\n' "$label" "$took" "$(tail -n 1 "$out" | cut -c1-90)" ;;
	77) echo "0 0 1" >>"$tally"; printf 'skip  %-34s %s\n' "$label" "$(tail -n 1 "$out")" ;;
	*) echo "0 1 0" >>"$tally"; printf 'FAIL  %-34s exit %d\n' "$label" "$status"; tail -n 60 "$out" | sed 's/^/    /' ;;
	esac
	[ $status -eq 0 ] || [ $status -eq 77 ]
	exit
fi

label=$1; shift
bad=0
for program in "$@"; do
	name="$label/$(basename "$program")"
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$program" >"$out" 2>&1
	status=$?
	passed=$(grep -cE '^ok [0-9]+' "$out")
	skipped=$(grep -cE '^ok [0-9]+.*# SKIP|^not ok [0-9]+.*# SKIP' "$out")
	failed=$(grep -E '^not ok' "$out" | grep -vc '# SKIP')
	passed=$((passed - $(grep -cE '^ok [0-9]+.*# SKIP' "$out")))
	# A program that dies or tests nothing is a failure of its own.
	if [ "$failed" -eq 0 ] && { [ $status -ne 0 ] || [ $((passed + skipped)) -eq 0 ]; }; then failed=1; fi
	echo "$passed $failed $skipped" >>"$tally"
	if [ "$failed" -gt 0 ]; then
		bad=1
		printf 'FAIL  %-46s %d passed, %d failed (exit %d)\n' "$name" "$passed" "$failed" "$status"
		grep -E '^not ok|^#|ERROR|runtime error|SUMMARY|Assertion' "$out" | grep -v '# SKIP' | head -n 40 | sed 's/^/    /'
	else
		printf 'ok    %-46s %d passed%s\n' "$name" "$passed" "$([ "$skipped" -gt 0 ] && echo ", $skipped skipped")"
		[ "$skipped" -gt 0 ] && grep -E 'SKIP|^# skip|skipped:' "$out" | sort -u | head -n 3 | sed 's/^/    /'
	fi
done
[ $bad -eq 0 ]
