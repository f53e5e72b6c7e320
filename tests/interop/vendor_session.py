#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whole sessions of our programs with customers that behave as the vendor's two simulators, and our controllers in
their place, on the UDP bus (rules E-96, E-07, P-54, P-05; evse-v3 and pev-v2, section 14).

usage: vendor_session.py DIRECTORY_OF_PROGRAMS [SESSION...]

All sessions run at the same time, each in a process and on a port of its own. One line per check. Exit status
0 passed, 1 failed, 77 skipped (with the reason on the last line). Clients go where the route of the group leads: to
the loopback of a network namespace of our own where that is possible.
"""
import os
import signal
import subprocess
import sys
import time
import traceback

GROUP = "239.74.163.96"
FIRST_PORT = 20000 + os.getpid() % 120 * 100
INSIDE = "FORECOURT_INTEROP_IFACE"
PORT = "FORECOURT_INTEROP_PORT"
LIMIT_S = 140.0  # of one run of all sessions, which takes less than half of that
REPEATS = 3  # of a session; each is half a minute in which no 150 ms may be lost
STALL_S = 0.1  # cycles of 100 ms, watchdogs from 200 ms
STALLED = 3
WATCH = "FORECOURT_STALLS"  # where tests/stall_watch.c writes, while tests/run.sh runs us

sys.dont_write_bytecode = True  # nothing is left beside the sources


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def run_in_namespace():
    """Runs this script again on a loopback of its own; returns when that is not possible."""
    setup = "ip link set lo up && ip route add 224.0.0.0/4 dev lo"
    command = ["unshare", "-rn", "sh", "-c", setup]
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return
    if done.returncode == 0:
        os.environ[INSIDE] = "lo"
        command[-1] += ' && exec "$@"'
        os.execvp(command[0], command + ["sh", sys.executable] + sys.argv)


def has_default_route():
    with open("/proc/net/route", encoding="ascii") as routes:
        return any(line.split()[1] == "00000000" for line in routes.readlines()[1:])


class Watch:
    """What the watch of tests/run.sh has seen since we looked first."""

    def __init__(self):
        self.n_before = len(self.lines())

    @staticmethod
    def lines():
        path = os.environ.get(WATCH)
        if not path:
            return []
        with open(path, encoding="ascii") as stalls:
            return stalls.readlines()

    def longest_ms(self):
        return max((int(line.split()[1]) for line in self.lines()[self.n_before :]), default=0)


class Checks:
    """Prints one line per check."""

    def __init__(self, session):
        self.session = session
        self.n_failed = 0

    def __call__(self, what, is_good, detail=""):
        self.n_failed += not is_good
        tail = f": {detail}" if detail != "" else ""
        print(f"{'ok   ' if is_good else 'FAIL '} {self.session:<14} {what}{tail}", flush=True)


def run_session(name, binaries):
    import vendor_cases
    from vendor_wire import Bench

    checks = Checks(name)
    watch = Watch()
    bench = Bench(binaries, GROUP, int(os.environ[PORT]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        vendor_cases.SESSIONS[name](bench, checks)
    except Exception as error:  # whatever it is, it belongs to this session's report
        checks("runs to its end", False, f"{type(error).__name__}: {error}")
        if not isinstance(error, vendor_cases.Failure):
            traceback.print_exc(file=sys.stdout)
    finally:
        words = bench.last_words() if checks.n_failed else []
        bench.close()
    for line in words:
        print("      ", line)
    stall_ms = max(watch.longest_ms(), bench.stall_s * 1000 if bench.stall_s > STALL_S else 0)
    if checks.n_failed and stall_ms:
        print(f"       the host stood still for {stall_ms:.0f} ms")
        return STALLED
    return 1 if checks.n_failed else 0


class Child:
    """A session in a process of its own."""

    def __init__(self, name, binaries, number):
        self.name = name
        self.text = ""
        environment = dict(os.environ, **{PORT: str(FIRST_PORT + number)})
        command = [sys.executable, os.path.abspath(__file__), "--session", name, binaries]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )

    def finish(self, end_s):
        try:
            self.text, _ = self.process.communicate(timeout=max(0.1, end_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.end()
            self.text, _ = self.process.communicate()
        if self.process.returncode not in (0, 1, STALLED) or (self.process.returncode and not self.failed()):
            self.text += f"FAIL  {self.name:<14} ended early, status {self.process.returncode}\n"

    def failed(self):
        return [line for line in self.text.splitlines() if line.startswith("FAIL ")]

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


def run_group(names, binaries, first, end_s):
    """All of them at once."""
    children = []
    try:
        for i, name in enumerate(names):
            children.append(Child(name, binaries, first + i))
        for child in children:
            child.finish(end_s)
    finally:
        for child in children:
            child.end()
    return children


def run_all(names, binaries):
    """A session that failed while the host stood still proves nothing: again, and that is said. The last run counts."""
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    children = run_group(names, binaries, 0, begin + LIMIT_S)
    n_again = 0
    for _ in range(REPEATS):
        stalled = [child for child in children if child.process.returncode == STALLED]
        if not stalled:
            break
        for child in stalled:
            n_again += 1
            print(f"again interop/{child.name:<20} repeated: {child.text.splitlines()[-1].strip()}")
            for line in child.failed():
                print("   ", line)
        good = [child for child in children if child not in stalled]
        first = len(names) + n_again  # ports
        children = good + run_group([child.name for child in stalled], binaries, first, time.monotonic() + LIMIT_S)
    n = n_failed = 0
    for child in sorted(children, key=lambda c: len(c.failed())):  # failures at the end, with the programs' last words
        print(child.text, end="")
        n_failed += len(child.failed())
        n += sum(line.startswith(("ok ", "FAIL ")) for line in child.text.splitlines())
    where = "its own loopback" if INSIDE in os.environ else "the default route"
    repeated = f", {n_again} repeated after a stall" if n_again else ""
    took_s = time.monotonic() - begin
    print(f"{len(names)} sessions on {where}, {n} checks, {n_failed} failed{repeated}, {took_s:.0f} s")
    return 1 if n_failed else 0


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--session":
        return run_session(sys.argv[2], sys.argv[3])
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        import can  # noqa: F401
        import msgpack  # noqa: F401  (python-can needs it for this bus)
    except ImportError as error:
        skip(f"{error}; install python3-can and python3-msgpack")
    if INSIDE not in os.environ:
        run_in_namespace()
        if not has_default_route():
            skip("neither a network namespace nor a default route, python-can cannot join its group")
    import vendor_cases

    names = sys.argv[2:] or list(vendor_cases.SESSIONS)
    unknown = [name for name in names if name not in vendor_cases.SESSIONS]
    if unknown:
        print("no such session:", *unknown, "- there are:", *vendor_cases.SESSIONS, file=sys.stderr)
        return 2
    return run_all(names, os.path.abspath(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
