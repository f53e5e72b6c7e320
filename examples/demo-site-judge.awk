# SPDX-License-Identifier: MIT
# The judge of ./demo --site: from the frames alone, what flowed through the breaker, and what it allowed.
#
# usage: awk -f demo-site-judge.awk EVENTS LOG
#
# EVENTS has lines "TIME breaker A" and "TIME limit A". LOG is a candump log whose channel is the point. Every
# Power_Modules_Status (0x0N063000) carries measured volts and amperes of an output; through three phases of 400 V
# with 95 % they are amperes of the supply. The sum of all points must stay within the breaker at every moment, and
# within a lowered limit from the lease (4 s) and the reaction time (5 s) after it was lowered. Exit status 1: it did not.

function hex(text,  i, n) {
	n = 0
	for (i = 1; i <= length(text); i++)
		n = n * 16 + index("0123456789ABCDEF", toupper(substr(text, i, 1))) - 1
	return n
}
function word(data, byte,  n) { # little-endian, 16 bits
	n = hex(substr(data, byte * 2 + 3, 2) substr(data, byte * 2 + 1, 2))
	return n
}
function signed(n) { return n >= 32768 ? n - 65536 : n }

FILENAME == ARGV[1] {
	if ($2 == "breaker" || $2 == "limit") {
		at[++n_limits] = $1
		breaker[n_limits] = $2 == "breaker" ? $3 : breaker[n_limits - 1]
		limit[n_limits] = $3
	}
	next
}

{
	split($3, frame, "#")
	if (frame[1] !~ /^0[0-9A-F]063000$/)
		next
	now = substr($1, 2) + 0
	while (k < n_limits && at[k + 1] <= now) {
		k++
		# A lower one counts after lease and reaction, a higher one at once.
		bound_at = limit[k] < bound ? at[k] + 9 : at[k]
		next_bound = limit[k]
		if (next_bound >= bound) bound = next_bound
		else lowered_at = at[k]
	}
	if (next_bound < bound && now >= bound_at)
		bound = next_bound
	dt = last ? now - last : 0
	last = now
	n++
	amps[$2] = word(frame[2], 0) * 0.1 * signed(word(frame[2], 2)) * 0.1 / (400 * 1.7320508 * 0.95)
	heard[$2] = now
	sum = 0
	for (point in amps)
		if (now - heard[point] < 1) # a killed controller takes its power modules with it
			sum += amps[point]
	if (sum > peak) peak = sum
	if (sum > bound * 1.002 + 0.1) over += dt
	if (sum > bound && sum - bound > worst) worst = sum - bound
	if (lowered_at && !within && sum <= next_bound) within = now - lowered_at
	energy += sum * dt
}

END {
	printf "judge       %d measurements: at most %.1f A through a breaker of %s A, %.0f ms over a limit\n", n, peak, breaker[1], over * 1000
	if (lowered_at) printf "            the lowered limit was met after %.1f s (allowed: 9 s)\n", within
	exit n == 0 || over > 0
}
