#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Judges `dbc decode --json` and `dbc encode` with a reader and decoder of its own, bit by bit, for our databases
and for every file below the folder reference/ of $FORECOURT_SHARED or ../shared.

usage: dbc_judge.py PATH-OF-DBC [SEED]     exit 0: all agree, 1: not, 77: no reference files (ours were judged)
"""
import glob, json, math, os, random, re, struct, subprocess, sys
from fractions import Fraction

SIGNAL = re.compile(r'^ *SG_ (\S+) *(M|m\d+M?)? *: *(\d+)\|(\d+)@([01])([+-]) *\(([^,]+),([^)]+)\) *\[[^]]*\] *"([^"]*)"')


class Signal:
    def __init__(self, match):
        self.name, self.mark = match[1], match[2] or ''
        self.start, self.length = int(match[3]), int(match[4])
        self.is_big, self.is_signed = match[5] == '0', match[6] == '-'
        self.factor, self.offset = Fraction(match[7].strip()), Fraction(match[8].strip())
        self.kind, self.parent, self.ranges = 0, None, []

    def positions(self):
        """Bits from the most to the least significant."""
        if not self.is_big:
            return [self.start + i for i in reversed(range(self.length))]
        bits, bit = [], self.start
        for _ in range(self.length):
            bits.append(bit)
            bit = bit - 1 if bit % 8 else bit + 15
        return bits

    def raw(self, data):
        value = 0
        for bit in self.positions():
            value = value * 2 + (data[bit // 8] >> bit % 8 & 1)
        return value

    def physical(self, data):
        value = self.raw(data)
        if self.kind == 1:
            return struct.unpack('<f', struct.pack('<I', value))[0] * float(self.factor) + float(self.offset)
        if self.kind == 2:
            return struct.unpack('<d', struct.pack('<Q', value))[0] * float(self.factor) + float(self.offset)
        if self.is_signed and value >> (self.length - 1):
            value -= 1 << self.length
        return value * self.factor + self.offset


def read(path):
    data = open(path, 'rb').read()
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError:
        text = data.decode('cp1252', 'replace')
    messages, message = {}, None
    for line in text.splitlines():
        begin = re.match(r'^BO_ (\d+) (\w+) *: *(\d+)', line)
        signal = SIGNAL.match(line)
        if begin:
            message = messages.setdefault(int(begin[1]), (begin[2], int(begin[3]), {}))
        elif signal and message:
            message[2][signal[1]] = Signal(signal)
    for number, name, kind in re.findall(r'^SIG_VALTYPE_ (\d+) (\w+) *:? *(\d)', text, re.M):
        messages[int(number)][2][name].kind = int(kind)
    for number, name, parent, ranges in re.findall(r'^SG_MUL_VAL_ (\d+) (\w+) (\w+) ([^;]*);', text, re.M):
        s = messages[int(number)][2][name]
        s.parent = parent
        s.ranges = [tuple(map(int, r.split('-'))) for r in ranges.replace(' ', '').split(',')]
    for name, dlc, signals in messages.values():
        roots = [s for s in signals.values() if s.mark == 'M']
        for s in signals.values():
            if s.mark.startswith('m') and not s.parent and roots:
                s.parent, number = roots[0].name, int(re.sub(r'\D', '', s.mark))
                s.ranges = [(number, number)]
    longs = {}
    for number, name, full in re.findall(r'^BA_ "SystemSignalLongSymbol" SG_ (\d+) (\w+) "([^"]*)"', text, re.M):
        longs[int(number), name] = full
    return messages, longs


def is_present(s, signals, data, length):
    while s:
        if max(s.positions()) // 8 >= length:
            return False
        if not s.parent:
            return True
        number = signals[s.parent].raw(data)
        if not any(a <= number <= b for a, b in s.ranges):
            return False
        s = signals[s.parent]


def same(expected, got):
    if isinstance(expected, float):
        if math.isnan(expected) or math.isinf(expected):
            return got is None
        return abs(expected - float(got)) <= 1e-6 * abs(expected)
    # Decimal text of the program against the exact fraction.
    exact = Fraction(got)
    return exact == expected or abs(exact - expected) <= abs(expected) * Fraction(1, 10**13)


def frames_of(messages, longs, rounds, rng):
    for number, (name, dlc, signals) in messages.items():
        if number == 0xC0000000 or not 0 < dlc <= 64 or (number & 0x7FFFFFFF) > (0x1FFFFFFF if number >> 31 else 0x7FF):
            continue
        for _ in range(rounds):
            data = bytes(rng.getrandbits(8) & (rng.getrandbits(8) if rng.random() < 0.5 else 255) for _ in range(dlc))
            frame = '%08X' % (number & 0x1FFFFFFF) if number >> 31 else '%03X' % number
            frame += ('##0' if dlc > 8 else '#') + data.hex().upper()
            expected = {}
            for s in signals.values():
                if 0 < s.length <= 64 and is_present(s, signals, data, dlc):
                    expected[longs.get((number, s.name), s.name)] = s.physical(data)
            yield frame, name, expected


def judge(dbc, path, rng):
    messages, longs = read(path)
    cases = list(frames_of(messages, longs, 5, rng))
    text = ''.join(frame + '\n' for frame, _, _ in cases)
    run = subprocess.run([dbc, 'decode', path, '--json'], input=text, capture_output=True, text=True)
    lines = run.stdout.splitlines()
    if run.returncode or len(lines) != len(cases):
        return len(cases), ['%s: exit %d, %d lines for %d frames %s' % (path, run.returncode, len(lines), len(cases), run.stderr)]
    wrong = []
    for (frame, name, expected), line in zip(cases, lines):
        # Numbers stay text: what is printed is judged, not what a float makes of it.
        got = json.loads(line, parse_float=str, parse_int=str)['signals']
        if set(got) != set(expected) or not all(same(expected[k], got[k]) for k in got):
            wrong.append('%s: %s %s: %s, expected %s' % (path, frame, name, got, {k: str(v) for k, v in expected.items()}))
    return len(cases), wrong


def main():
    dbc, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    shared = os.environ.get('FORECOURT_SHARED') or '../shared'
    theirs = sorted(glob.glob(shared + '/reference/**/*.dbc', recursive=True))
    rng, n, wrong = random.Random(seed), 0, []
    files = sorted(glob.glob('dbc/*.dbc')) + theirs
    for path in files:
        count, bad = judge(dbc, path, rng)
        n += count
        wrong += bad
    for line in wrong[:20]:
        print(line)
    print('%d files, %d frames (seed %d), %d wrong%s' % (len(files), n, seed, len(wrong), '' if theirs else '; no reference files'))
    return 1 if wrong or not files else 0 if theirs else 77


if __name__ == '__main__':
    sys.exit(main())
