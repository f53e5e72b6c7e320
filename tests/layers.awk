# SPDX-License-Identifier: MIT
# Who may include whom: reads the compiler's .d files and reports every dependency that the design forbids.
# usage: awk -f tests/layers.awk $(find build/release/obj -name '*.d')

function group(path) {
	if (path ~ /^build\/gen\//) return "gen"
	if (path ~ /^include\/forecourt\//) return "api"
	if (path ~ /^lib\/core\//) return "core"
	if (path ~ /^lib\/can\//) return "can"
	if (path ~ /^lib\/linux\//) return "linux"
	if (path ~ /^dbc\//) return "dbc"
	if (path ~ /^tests\// || path ~ /^bench\// || path ~ /^sim\/sim_run/) return "any"
	if (path ~ /\/(main|[a-z_]+_main)\.c$/) return "main"
	if (path ~ /^evse-ctrl\//) return "evse"
	if (path ~ /^pev-ctrl\//) return "pev"
	if (path ~ /^sim\/world\./) return "world"
	if (path ~ /^sim\//) return "sim"
	if (path ~ /^monitor\/(mon_app|mon_bus|mon_serve|bus_log)[a-z_]*\./) return "monshell"
	if (path ~ /^monitor\/site_mon_app[a-z_]*\./) return "monshell"
	if (path ~ /^monitor\//) return "monitor"
	if (path ~ /^site-ctrl\/policies\//) return "policy"
	if (path ~ /^site-ctrl\/(load|policy_host)[a-z_]*\./) return "siteshell"
	if (path ~ /^site-ctrl\//) return "site"
	if (path ~ /^gateways\/gate_/) return "gate"
	if (path ~ /^gateways\//) return "gateshell"
	return "unknown"
}

BEGIN {
	allow["api"] = " api "
	allow["core"] = " core api "
	allow["dbc"] = " dbc core api "
	allow["gen"] = " gen dbc api "
	allow["can"] = " can core api "
	allow["linux"] = " linux can core api "
	allow["evse"] = " evse core dbc gen api "
	allow["pev"] = " pev core dbc gen api "
	allow["sim"] = " sim core dbc gen api "
	allow["world"] = " world sim core dbc gen api can "
	allow["monitor"] = " monitor core dbc gen api "
	# What the monitors' programs share: the loop, the bus, the metrics port.
	allow["monshell"] = " monshell monitor core can linux dbc gen api siteshell site "
	allow["policy"] = " policy api "
	allow["site"] = " site core dbc gen api "
	allow["siteshell"] = " siteshell site policy core can linux dbc gen api "
	allow["gate"] = " gate core dbc gen api "
	allow["gateshell"] = " gateshell gate core can linux dbc gen api "
	# A program's main.c: its own folder, the libraries, and the records of built-in drivers.
	allow["main"] = " main core can linux dbc gen api sim "
}

# A .d file is make text; join continued lines, take the first rule.
FNR == 1 { rule = ""; is_done = 0; files++ }
is_done { next }
{
	line = $0
	more = sub(/\\$/, "", line)
	rule = rule " " line
	if (more) next
	is_done = 1
	n = split(rule, word, /[ \t]+/)
	source = ""
	for (i = 1; i <= n; i++) {
		w = word[i]
		if (w == "" || w ~ /:$/ || w ~ /^\//) continue
		if (source == "") { source = w; from = group(w); own = w; sub(/\/[^\/]*$/, "/", own); continue }
		to = group(w)
		if (from == "any" || from == to || index(allow[from], " " to " ")) continue
		if (from == "main" && index(w, own) == 1) continue
		printf "layers: %s (%s) must not include %s (%s)\n", source, from, w, to
		bad++
	}
	if (from == "unknown") { printf "layers: %s belongs to no layer\n", source; bad++ }
}

END {
	if (files == 0) { print "layers: no dependency files: build first"; exit 1 }
	printf "layers: %d files, %d violations\n", files, bad
	exit bad > 0
}
