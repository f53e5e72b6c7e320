#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs test programs and check commands, and adds up what they say.
#
# usage: tests/run.sh [--tally FILE] LABEL PROGRAM...      test programs that speak TAP (cmocka)
#        tests/run.sh [--tally FILE] [--once] --command LABEL CMD..
#                                      one command, one verdict: 0 pass, 77 skip, else fail
#
# Prints failures with their place, one line per program, and appends "passed failed skipped repeated" to the tally.
#
# Real processes keep cycles of 100 ms, which a host that stands still cannot. stall_watch looks on while we run; what
# failed in a run in which it saw a stall is run again, at most twice, and that is printed: a command as a whole, of a
# program the tests that failed, each alone. The last run counts. What failed without a stall has failed. --once: never
# again, for what repeats its own parts or has nothing to do with time.
set -u

tally=/dev/null once=
if [ "$1" = --tally ]; then tally=$2; shift 2; fi
if [ "$1" = --once ]; then once=1; shift; fi

watch=
dir=$(mktemp -d)
out=$dir/out
# shellcheck disable=SC2317
end() {
	[ -z "$watch" ] || kill "$watch" 2>/dev/null
	rm -rf "$dir"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- the watch ----------------------------------------------------------------------------------------------
# Its file: that of the run.sh around us, or of a watch of our own.
program=build/release/tests/stall_watch
if [ -z "${FORECOURT_STALLS-}" ] && [ -x $program ]; then
	FORECOURT_STALLS=$dir/stalls
	export FORECOURT_STALLS
	: >"$FORECOURT_STALLS"
	$program "$FORECOURT_STALLS" &
	watch=$!
fi

count_stalls() { [ -n "${FORECOURT_STALLS-}" ] && wc -l <"$FORECOURT_STALLS" || echo 0; }

# Longest stall in ms since there were $1 of them; nothing: none. The watch itself may be a moment late.
stall_since() {
	[ -z "$once" ] && [ -n "${FORECOURT_STALLS-}" ] || return 0
	sleep 0.2
	awk -v n="$1" 'NR > n && $2 > longest { longest = $2 } END { if (longest) print longest }' "$FORECOURT_STALLS"
}

# One run of "$@" into $out: sets $status, and $stall_ms when it failed in a stall. `verdict` is true for a good one.
run() {
	n_stalls=$(count_stalls)
	"$@" >"$out" 2>&1 3<&-
	status=$?
	stall_ms=
	verdict || stall_ms=$(stall_since "$n_stalls")
}

tell_repeat() { # of what, stall in ms
	printf 'again %-46s repeated: the host stood still for %d ms\n' "$1" "$2"
	grep -E '^not ok [0-9]|^FAIL|ERROR|Assertion|error:' "$out" | grep -v '# SKIP' | head -n 6 | sed 's/^/    /'
	repeats=$((repeats + 1))
}

# --- a command ----------------------------------------------------------------------------------------------
repeats=0
if [ "$1" = --command ]; then
	name=$2; shift 2
	begin=$(date +%s)
	[ ! -t 1 ] || printf '...   %s\r' "$name"
	verdict() { [ $status -eq 0 ] || [ $status -eq 77 ]; }
	run "$@"
	while [ -n "$stall_ms" ] && [ $repeats -lt 2 ]; do
		tell_repeat "$name" "$stall_ms"
		run "$@"
	done
	took=$(($(date +%s) - begin))
	repeats=$((repeats + $(grep -c '^again ' "$out"))) # and those by a run.sh of the command itself
	case $status in
	0) echo "1 0 0 $repeats" >>"$tally"
		printf 'ok    %-34s %4d s  %s\n' "$name" "$took" "$(tail -n 1 "$out" | cut -c1-90)"
		grep '^again ' "$out" | sed 's/^/    /' ;;
	77) echo "0 0 1 $repeats" >>"$tally"; printf 'skip  %-34s %s\n' "$name" "$(tail -n 1 "$out")" ;;
	*) echo "0 1 0 $repeats" >>"$tally"
		printf 'FAIL  %-34s exit %d\n' "$name" "$status"; tail -n 60 "$out" | sed 's/^/    /' ;;
	esac
	verdict
	exit
fi

# --- test programs ------------------------------------------------------------------------------------------
# Counts what is in $out. A program that dies or tests nothing is a failure of its own.
verdict() {
	passed=$(grep -cE '^ok [0-9]+' "$out")
	skipped=$(grep -cE '^ok [0-9]+.*# SKIP|^not ok [0-9]+.*# SKIP' "$out")
	failed=$(grep -E '^not ok' "$out" | grep -vc '# SKIP')
	passed=$((passed - $(grep -cE '^ok [0-9]+.*# SKIP' "$out")))
	if [ "$failed" -eq 0 ] && { [ $status -ne 0 ] || [ $((passed + skipped)) -eq 0 ]; }; then failed=1; fi
	[ "$failed" -eq 0 ]
}

# The tests of $dir/names alone, after a run in which they failed in a stall. Sets the counts of all.
repeat_tests() {
	n_passed=$passed n_skipped=$skipped n_failed=0
	first_ms=$stall_ms
	cp "$out" "$dir/first"
	: >"$dir/failed"
	while IFS= read -r test <&3; do
		stall_ms=$first_ms
		awk -v t="$test" '/^(not )?ok / { is_it = substr($0, index($0, " - ") + 3) == t } is_it' "$dir/first" >"$out"
		for _ in 1 2; do
			tell_repeat "$name: $test" "$stall_ms"
			run env FORECOURT_TEST="$test" CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$program"
			[ -n "$stall_ms" ] || break
		done
		if verdict; then
			n_passed=$((n_passed + 1))
		else
			n_failed=$((n_failed + 1))
			cat "$out" >>"$dir/failed"
		fi
	done 3<"$dir/names"
	passed=$n_passed skipped=$n_skipped failed=$n_failed
	cp "$dir/failed" "$out"
}

# Each test alone where the program came to its end (its status is the number of failures), else all of it.
run_program() {
	run env CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$program"
	[ -n "$stall_ms" ] || return
	sed -n 's/^not ok [0-9][0-9]* - //p' "$out" | grep -v '# SKIP' >"$dir/names"
	if [ "$(wc -l <"$dir/names")" -eq $status ]; then
		repeat_tests
		return
	fi
	for _ in 1 2; do # at most
		tell_repeat "$name" "$stall_ms"
		run env CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$program"
		[ -n "$stall_ms" ] || break
	done
}

label=$1; shift
bad=0
for program in "$@"; do
	name="$label/$(basename "$program")"
	repeats=0
	run_program
	echo "$passed $failed $skipped $repeats" >>"$tally"
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
