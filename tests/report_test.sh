#!/bin/sh
# SPDX-License-Identifier: MIT
# The report page in a real browser: no error in its console, values under the cursor by pointer and by keys, zoom,
# dark and narrow; and the size of the page of a log of an hour. How long it takes to open is told, not judged:
# the machine may be busy. Skipped (77) where no Chromium is: it is large, so ./check does not install it.
# usage: tests/report_test.sh [BIN_DIR]
set -u
cd "$(dirname "$0")/.." || exit 1
bin=${1-build/release/bin}
browser=
for name in chromium chromium-browser google-chrome; do
	if command -v "$name" >/dev/null; then browser=$name; break; fi
done
if [ -z "$browser" ]; then echo "no chromium here (apt-get install chromium)"; exit 77; fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# As root it refuses to run in its sandbox.
[ "$(id -u)" -ne 0 ] || rootless=--no-sandbox

fail() { echo "report: $1"; exit 1; }

# page, further flags: the page after its script ran, in $dir/dom; what the console said, in $dir/console
open_page() {
	page=$1; shift
	timeout 90 "$browser" --headless ${rootless-} --disable-gpu --disable-dev-shm-usage --no-first-run \
		--user-data-dir="$dir/profile" --enable-logging=stderr --window-size=1400,2400 "$@" --dump-dom \
		"file://$page" >"$dir/dom" 2>"$dir/stderr" || fail "the browser failed: $(tail -n 3 "$dir/stderr")"
	grep 'CONSOLE' "$dir/stderr" >"$dir/console" && fail "console: $(head -n 3 "$dir/console")"
	[ -s "$dir/dom" ] || fail "the browser gave no page"
}

# Plays a reader: cursor in the middle of the last plot, one key, zoom by dragging, a line off and on, the filter.
reader='<script>window.addEventListener("load", function () {
	var took = performance.now(), b = document.body, p = document.querySelectorAll(".plot"), box = p[p.length - 1];
	function key(name) { box.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true})); }
	function pointer(type, at) {
		var r = box.querySelector(".xa").getBoundingClientRect();
		box.dispatchEvent(new PointerEvent(type, {clientX: r.left + r.width * at, clientY: r.top - 90, bubbles: true}));
	}
	b.dataset.took = Math.round(took) + b.offsetHeight * 0;
	b.dataset.plots = p.length;
	pointer("pointermove", 0.5);
	b.dataset.pointer = box.dataset.value;
	key("End");
	b.dataset.end = box.dataset.value;
	key("+");
	b.dataset.zoomed = box.classList.contains("zoomed");
	key("Escape");
	b.dataset.whole = !box.classList.contains("zoomed");
	document.querySelector(".filter button:last-child").click();
	b.dataset.rows = document.querySelectorAll(".events tbody tr:not([hidden])").length;
	b.dataset.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
});</script>'

with_reader() { # page
	{ sed '/<\/body>/,$d' "$1"; printf '%s\n</body></html>\n' "$reader"; } >"$dir/read.html"
}

# What the reader found, by name.
found() { sed -n "s/.*<body[^>]* data-$1=\"\([^\"]*\)\".*/\1/p" "$dir/dom" | head -n 1; }

expect() { # name, pattern
	found "$1" | grep -qE "$2" || fail "$1 is \"$(found "$1")\", not $2"
}

"$bin/sim-run" --quiet --session dc --until 80 --log "$dir/hour.log" || fail "no log"
"$bin/bus-log" report "$dir/hour.log" -o "$dir/hour.html" --quiet || fail "no page"
lines=$(wc -l <"$dir/hour.log")
size=$(wc -c <"$dir/hour.html")
[ "$size" -lt 2000000 ] || fail "the page of an hour takes $size bytes"

with_reader "$dir/hour.html"
open_page "$dir/read.html"
took=$(found took)
expect plots '^2$'
expect pointer 'Charging.*Charger output [0-9.to ]+ V.*Charger output 100\.0 A.*Charger output [0-9.to ]+ kW.*Battery [0-9.]+ %'
expect end 'Charger output [0-9.to ]+ V'
expect zoomed '^true$'
expect whole '^true$'
expect rows '^[0-9]+$'
expect wide '^false$'
open_page "$dir/read.html" --blink-settings=preferredColorScheme=0 --window-size=500,2000
expect pointer 'Charging'
expect wide '^false$'

# Without anything in it, and with names that want to be more than names.
: >"$dir/empty.log"
"$bin/bus-log" report "$dir/empty.log" -o "$dir/empty.html" --quiet || fail "no page for an empty log"
open_page "$dir/empty.html"
sed 's/ sim0 / <b>x<\/b> /' "$dir/hour.log" | head -n 9000 >"$dir/<i>&.log"
"$bin/bus-log" report "$dir/<i>&.log" -o "$dir/hostile.html" --quiet || fail "no page for a hostile name"
with_reader "$dir/hostile.html"
open_page "$dir/read.html"
grep -q '<h1>&lt;i&gt;&amp;.log</h1>' "$dir/dom" || fail "the name of the log is not shown as it is"
grep -q '<b>x</b>' "$dir/dom" && fail "the name of a channel became markup"

echo "report of $lines lines: $((size / 1000)) kB, open after $took ms"
