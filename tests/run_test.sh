#!/bin/sh
# SPDX-License-Identifier: MIT
# tests/run.sh and tests/stall_watch.c themselves: what is repeated and what is not. usage: tests/run_test.sh
# The programs under test are scripts that write the lines of a watch on their own.
set -u
cd "$(dirname "$0")/.." || exit 1
watch=build/release/tests/stall_watch
[ -x $watch ] || { echo "run_test: $watch is not built: make tests"; exit 1; }
dir=$(mktemp -d)
pids=
# shellcheck disable=SC2086,SC2317
end() { [ -z "$pids" ] || kill $pids 2>/dev/null; rm -rf "$dir"; }
trap end EXIT
n=0 bad=0

check() { # what, condition...
	what=$1; shift
	n=$((n + 1))
	"$@" && return
	bad=$((bad + 1))
	echo "FAIL  $what"
	sed 's/^/    /' "$dir/out"
}

# A program whose test "bad" fails in its runs FAILURES, each with a stall or not, and passes in the others; "good"
# always passes. It fails in all the ways there are: TAP, a command's exit status, death.
cat >"$dir/fake" <<'EOS'
#!/bin/sh
run=$(($(cat "$FAKE/runs") + 1))
echo $run >"$FAKE/runs"
[ "${FORECOURT_TEST-good}" != good ] || echo "ok 1 - good"
case " $FAILURES " in *" $run "*) ;; *) echo "ok 2 - bad"; exit 0 ;; esac
[ -z "$STALL" ] || echo "$run $STALL" >>"$FORECOURT_STALLS"
case $DIES in
dies) kill -SEGV $$ ;;
skips) echo "nothing to test here"; exit 77 ;;
*) echo "not ok 2 - bad"; exit 1 ;;
esac
EOS
chmod 755 "$dir/fake"

# failures, stall in ms, how it dies, arguments of run.sh: sets $status, $runs; output in $dir/out, tally in $dir/tally
fake() {
	export FAKE="$dir" FAILURES="$1" STALL="$2" DIES="$3"
	shift 3
	echo 0 >"$dir/runs"
	echo "1 99" >"$dir/stalls" # one of an earlier run counts for nobody
	rm -f "$dir/tally"
	FORECOURT_STALLS="$dir/stalls" tests/run.sh --tally "$dir/tally" "$@" >"$dir/out" 2>&1
	status=$?
	runs=$(cat "$dir/runs")
}
is() { [ "$status $runs $(cat "$dir/tally")" = "$*" ]; } # exit status, runs, tally
says() { grep -qE "$1" "$dir/out"; }
is_silent() { ! says 'again|stood still'; }

fake '' '' - unit "$dir/fake"
check "a test that passes runs once" is 0 1 2 0 0 0
fake '' 140 - unit "$dir/fake"
check "a stall alone repeats nothing" is 0 1 2 0 0 0
check "nor is it told" is_silent

fake 1 143 - unit "$dir/fake"
check "a failure with a stall is repeated, the last run counts" is 0 2 2 0 0 1
check "and that is told with the time" says '^again unit/fake: bad +repeated: the host stood still for 143 ms'
check "with what failed" says '^    not ok 2 - bad'
check "and then the result" says '^ok +unit/fake +2 passed$'
fake 1 143 dies unit "$dir/fake"
check "so is one that dies, as a whole" is 0 2 2 0 0 1
check "which is told" says '^again unit/fake +repeated: the host stood still for 143 ms'

fake '1 2 3' '' - unit "$dir/fake"
check "a failure without a stall stays one, at once" is 1 1 1 1 0 0
check "and no repeat is told" is_silent
fake '1 2 3 4 5' 50 - unit "$dir/fake"
check "a failure that stays is one after two repeats" is 1 3 1 1 0 2
check "and is shown" says '^FAIL  unit/fake +1 passed, 1 failed'
fake '1 2' 50 - unit "$dir/fake"
check "the third run can pass" is 0 3 2 0 0 2
fake '1 2 3 4 5' 50 dies unit "$dir/fake"
check "one that always dies has failed" is 1 3 1 1 0 2

fake 1 31 - --command fake "$dir/fake"
check "a command is repeated too" is 0 2 1 0 0 1
check "which is told" says '^again fake +repeated: the host stood still for 31 ms'
fake 1 '' - --command fake "$dir/fake"
check "but not without a stall" is 1 1 0 1 0 0
fake '1 2 3' 31 - --command fake "$dir/fake"
check "and not for ever" is 1 3 0 1 0 2
fake '1 2 3' 31 skips --command fake "$dir/fake"
check "a skipped one is not repeated" is 0 1 0 0 1 0
fake '1 2 3' 31 - --once --command fake "$dir/fake"
check "with --once none is" is 1 1 0 1 0 0
fake 1 77 - --once --command outer tests/run.sh --command inner "$dir/fake"
check "a run inside uses the same watch; its repeats are counted" is 0 2 1 0 0 1
check "and told" says '^    again inner +repeated: the host stood still for 77 ms'

# --- a watch of its own -------------------------------------------------------------------------------------
cat >"$dir/shows" <<'EOS'
#!/bin/sh
echo "$PPID $FORECOURT_STALLS" >"$FAKE/shown"
EOS
chmod 755 "$dir/shows"
env -u FORECOURT_STALLS tests/run.sh --command shows "$dir/shows" >"$dir/out" 2>&1
read -r _ file <"$dir/shown"
check "without one around it, run.sh has a watch" [ -n "$file" ]
check "whose file it removes" [ ! -e "$file" ]

# --- the watch ----------------------------------------------------------------------------------------------
gone() { # pid: ended within 10 s, collected by whoever it belongs to now or not
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		grep -q '^State:[^Z]*$' "/proc/$1/status" 2>/dev/null || return 0
		sleep 0.5
	done
	return 1
}

$watch "$dir/seen" &
pid=$!
pids=$pid
sleep 0.3
kill -STOP $pid
sleep 0.3
kill -CONT $pid
sleep 0.3
# Of a host that stands still while we look there may be more lines.
check "the watch tells of a stall of 300 ms" awk '$1 > 0 && $2 >= 200 { seen = 1 } END { exit !seen }' "$dir/seen"
check "on each processor" [ "$(grep -c . "$dir/seen")" -ge "$(nproc)" ]
kill -TERM $pid
wait $pid
check "and ends on SIGTERM with status 0" [ $? -eq 0 ]
sh -c '$0 "$1" & echo $! >"$2"; sleep 0.2' $watch "$dir/seen" "$dir/pid"
pids=$(cat "$dir/pid")
check "the watch ends with its parent" gone "$pids"
pids=
$watch 2>"$dir/out"
check "without a file it is wrong use" [ $? -eq 2 ]
$watch "$dir/no/file" 2>"$dir/out"
check "a file that cannot be written fails" [ $? -eq 1 ]

echo "$n checks of run.sh and stall_watch, $bad failed"
[ $bad -eq 0 ]
