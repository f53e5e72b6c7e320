#!/bin/sh
# SPDX-License-Identifier: MIT
# ./demo --site: four charge points share one breaker of 63 A. Three are on the site's CAN bus, one is reached over MQTT
# with a broker of its own; each has its module, its vehicle and its vehicle's controller on a bus of its own. While they
# charge the limit is lowered, and site-ctrl and one evse-ctrl are killed and started again. At the end a judge adds up
# from the recorded frames what the power modules measured, and says whether the breaker would have been overloaded.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/install.sh

speed=200 log=demo-site.log json= mqtt=1 screen=
[ -t 1 ] && screen=1
while [ $# -gt 0 ]; do
	case $1 in
	--speed | --log) [ $# -ge 2 ] || { echo "demo: $1 needs a value (try --help)" >&2; exit 2; } ;;
	esac
	case $1 in
	--speed) speed=$2; shift ;;
	--log) log=$2; shift ;;
	--json) json=1 ;;
	--no-mqtt) mqtt= ;;
	--lines) screen= ;;
	*) echo "demo: unknown option $1 for --site (try --help)" >&2; exit 2 ;;
	esac
	shift
done
case $speed in *[!0-9.]* | '') echo "demo: --speed takes a number" >&2; exit 2 ;; esac

install_packages gcc make libc6-dev libinih-dev libsocketcan-dev libncurses-dev libsqlite3-dev libmosquitto-dev libjansson-dev \
	${mqtt:+mosquitto} || exit 1
[ -e bin/site-ctrl ] || echo "building, about half a minute the first time" >&2
make -s -j"$(nproc)" all || exit 1

points="1 2 3${mqtt:+ 4}"
base=$((20000 + $$ % 4000 * 10))
run=$(mktemp -d)
pids=

# shellcheck disable=SC2317
end() {
	trap '' INT TERM
	[ -z "$screen" ] || printf '\033[?25h'
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -TERM $pids 2>/dev/null
	# shellcheck disable=SC2086
	[ -z "$pids" ] || wait $pids 2>/dev/null
	rm -rf "$run"
}
trap end EXIT
trap 'exit 1' INT TERM

# --- the processes -------------------------------------------------------------------------------------------
first=
[ "$(id -u)" -ne 0 ] || first="nice -n -10"
bus() { echo "udp:239.74.163.2:$((base + $1))"; } # 0: the site's, 1 to 4: of a point

start() { # name, program and options: sets $pid
	name=$1; shift
	# shellcheck disable=SC2086
	$first "$@" --control "$run/$name" 2>>"$run/$name.err" &
	pid=$!
	pids="$pids $pid"
}
start_site() {
	start site bin/site-ctrl --can "$(bus 0)" --site examples/demo-site.conf --lease-ms 4000 --longest-lease-ms 4000
	site_pid=$pid
}
start_evse() { # point: with its power modules; a point of the site's bus has that number as its pistol too
	index=$1 site_can=
	if [ "$1" = 4 ]; then index=1; else site_can="--site-can $(bus 0)"; fi
	# shellcheck disable=SC2086
	start "evse$1" bin/evse-ctrl --can "$(bus "$1")" --pistol-index $index --site bus $site_can --site-safe-current 4 \
		--charge-duration 0 --voltage-ramp-up-slope 1000 --voltage-ramp-down-slope 1000
	eval "evse_pid_$1=$pid"
}
start_point() {
	index=$1
	[ "$1" != 4 ] || index=1
	start "secc$1" bin/secc-sim --can "$(bus "$1")" --index $index
	start_evse "$1"
	start "evcc$1" bin/evcc-sim --can "$(bus "$1")" --pistol-index $index
	start "pev$1" bin/pev-ctrl --can "$(bus "$1")" --pistol-index $index --charging-speed-multiplier "$speed" \
		--no-restore-soc --ev-battery-soc 30 --stop-soc-pct "$(target "$1")"
}
target() { echo $((46 + $1 * 3)); } # per cent: 49, 52, 55, 58

start_mqtt() {
	port=$((base + 5))
	printf 'listener %d 127.0.0.1\nallow_anonymous true\n' $port >"$run/broker.conf"
	mosquitto -c "$run/broker.conf" >"$run/broker.err" 2>&1 &
	pids="$pids $!"
	start gw-point bin/mqtt-gw --role point --broker "mqtt://127.0.0.1:$port" --can "$(bus 4)" --point-1 P4 --evse "$run/evse4"
	start gw-site bin/mqtt-gw --role site --broker "mqtt://127.0.0.1:$port" --can "$(bus 0)" --point-16 P4
}

recorders=
for i in 0 $points; do
	bin/bus-log record -q -i "$(bus "$i")" "$run/$i.log" &
	recorders="$recorders $!"
done
pids=$recorders
begin_s=$(date +%s)
start_site
for i in $points; do start_point "$i"; done
[ -z "$mqtt" ] || start_mqtt

# The site's monitor listens too; what it says goes into a file.
bin/site-monitor --text --can "$(bus 0)" --site examples/demo-site.conf >"$run/monitor" 2>"$run/monitor.err" &
pids="$pids $!"

# --- looking on ----------------------------------------------------------------------------------------------
newline='
'
ask() { bin/chargectl "$run/$1" status 2>/dev/null; }
value() { # key, text of key=value lines: sets $got
	got=${2#*"$newline$1="}
	if [ "$got" = "$2" ]; then got=; else got=${got%%"$newline"*}; fi
}
tenths() { # milli-units: sets $got to a decimal with one digit
	got=${1:-0}
	got=$((got / 1000)).$((got % 1000 / 100))
}
elapsed_s() { echo $(($(date +%s) - begin_s)); }
note() { # what happened: into the log of events, for people, the judge and the screen
	echo "$(date +%s.%N) $*" >>"$run/events"
	last_event="$(elapsed_s) s: $*"
	[ -n "$screen" ] || printf '%4d s  --- %s\n' "$(elapsed_s)" "$*"
	next_line_s=0
}

look_at() { # point: sets state_N, and what is shown
	evse=$newline$(ask "evse$1")
	value soc_permille "$newline$(ask "pev$1")" && soc=${got:-0}
	value state "$evse" && state=${got:-dead}
	value voltage_mV "$evse" && v=${got:-0}
	value current_mA "$evse" && i=${got:-0}
	value site_grant_mA "$evse" && grant=${got:-0}
	value site_lease_ms "$evse" && lease=${got:-0}
	value site_reason "$evse" && reason=${got:-}
	value module_state "$evse" && module=$got
	value session_finished "$evse" && finished=$got
	[ "$soc" -lt $(($(target "$1") * 10)) ] || eval "done_$1=1"
	eval "grant_$1=$grant module_$1=\${module:-0} finished_$1=\${finished:-none} lease_$1=$lease state_$1=$state"
	tenths "$grant"; a=$got; tenths $((v / 100 * (i / 100) / 6582 * 100)); b=$got # 400 V, three phases, 95 %
	soc=$((soc / 10)).$((soc % 10))
	line=$(printf 'P%d  %-15s grant %5s A   drawn %5s A   battery %4s %% of %d %%   %s' "$1" "$state" "$a" "$b" $soc \
		"$(target "$1")" "$reason")
	short="P$1 $a/$b A $soc %"
}
look() {
	lines= shorts=
	for n in $points; do
		look_at "$n"
		lines="$lines$line$newline"
		shorts="$shorts  $short"
	done
	site=$newline$(ask site)
	value state "$site" && site_state=${got:-dead}
	value drawn_mA "$site" && tenths "$got" && drawn=$got
	value may_draw_mA "$site" && tenths "$got" && may=$got
}
draw() {
	if [ -n "$screen" ]; then
		printf '\033[H\033[Jforecourt demo   %d s   %s\n\nsite  %-10s drawn %s A, may be drawn %s A, breaker %s A\n\n%s\n%s\n' \
			"$(elapsed_s)" "charge points behind one breaker" "$site_state" "$drawn" "$may" "$limit" "$lines" "${last_event-}"
	elif [ "$(elapsed_s)" -ge "${next_line_s-0}" ]; then
		next_line_s=$(($(elapsed_s) + 2))
		printf '%4d s  site %-8s may %4s A of %s%s\n' "$(elapsed_s)" "$site_state" "$may" "$limit" "$shorts"
	fi
}
dead() { # a process that should live does not
	for pid in $pids; do
		kill -0 "$pid" 2>/dev/null || { echo "demo: a process ended early:" >&2; tail -n 5 "$run"/*.err >&2; exit 1; }
	done
}
forget() { rest=; for pid in $pids; do [ "$pid" = "$1" ] || rest="$rest $pid"; done; pids=$rest; }
each() { # KEY OPERATOR VALUE, as in "each grant -gt 4500": of all points
	for n in $points; do
		eval "have=\${$1_$n:-none}"
		test "$have" "$2" "$3" || return 1
	done
}
watch() { # seconds, condition: looks on until it holds; false when it never did
	until=$(($(elapsed_s) + $1))
	while [ "$(elapsed_s)" -lt $until ]; do
		look; draw; dead
		if eval "$2"; then return 0; fi
		sleep 1
	done
	return 1
}
fail() { echo "demo: $*" >&2; tail -n 8 "$run"/*.err >&2; exit 1; }

[ -z "$screen" ] || printf '\033[?25l\033[2J'
limit=63
note "breaker 63"
watch 15 'each module = 1' || fail "the modules do not start"
for i in $points; do bin/chargectl "$run/evcc$i" plug >/dev/null || fail "vehicle $i cannot be plugged in"; done
note "vehicles plugged in; they begin with the 4 A that are always theirs"
watch 60 'each grant -gt 4500' || fail "no grants"
note "the site shares out 63 A"
watch 6 false
bin/chargectl "$run/site" limit feeder 40 >/dev/null || fail "the limit cannot be lowered"
limit=40
note "limit 40"
watch 6 false
kill -KILL $site_pid; forget $site_pid; wait $site_pid 2>/dev/null
note "site-ctrl killed"
watch 3 false
# shellcheck disable=SC2154
{ kill -KILL $evse_pid_2; forget $evse_pid_2; wait $evse_pid_2 2>/dev/null; }
note "evse-ctrl of P2 killed, with its power modules"
watch 3 false
[ "$lease_1$lease_3" = 00 ] || fail "a lease outlived the site"
limit=63
note "breaker 63" # an operator's limit ends with the process; the breaker is the site's own
start_site
note "site-ctrl started again; it gives nothing until all older grants are over"
start_evse 2
note "evse-ctrl of P2 started again"
watch 15 '[ "$module_2" = 1 ]' || fail "the module of P2 does not come back"
bin/chargectl "$run/evcc2" unplug >/dev/null 2>&1 || bin/chargectl "$run/evcc2" unplug force >/dev/null
sleep 1
bin/chargectl "$run/evcc2" plug >/dev/null || fail "vehicle 2 cannot be plugged in again"
watch 120 'each done = 1' || fail "not every vehicle was charged"
watch 15 'each finished = Clean_Stop' || fail "a session did not end cleanly"
note "every vehicle is charged"
took_s=$(elapsed_s)
# shellcheck disable=SC2086
kill -INT $recorders && wait $recorders

# --- the judge -----------------------------------------------------------------------------------------------
# One log of all buses: the channel says which.
for i in 0 $points; do
	name=site
	[ "$i" = 0 ] || name=P$i
	sed "s/^\(([^)]*)\) [^ ]* /\1 $name /" "$run/$i.log"
done | sort -s -k1,1 >"$log"
verdict=$(awk -f examples/demo-site-judge.awk "$run/events" "$log")
status=$?
[ -z "$screen" ] || printf '\033[H\033[2J'
for i in $points; do
	value session_energy_Wh "$newline$(ask "evse$i")" && energy=$got
	value soc_permille "$newline$(ask "pev$i")" && soc=$got
	echo "P$i          battery at $((soc / 10)).$((soc % 10)) %, $energy Wh at the charger in its last session"
done
echo "$verdict"
echo "monitor     $(grep -c . "$run/monitor") lines; the last: $(tail -n 1 "$run/monitor" | cut -c1-100)"
echo "duration    $took_s s"
echo "log         $log ($(wc -l <"$log") frames)"
[ -z "$json" ] || printf '{"result":"%s","duration_s":%d,"log":"%s"}\n' "$([ $status -eq 0 ] && echo clean || echo overload)" "$took_s" "$log"
exit $status
