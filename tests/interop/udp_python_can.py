#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The UDP bus against python-can's udp_multicast, both ways.

usage: udp_python_can.py CAN_PEER
Exit status 0 passed, 1 failed, 77 skipped (with the reason on the last line).

python-can goes where the route of the group leads. In a network namespace of its own that is made the loopback.
Without one the interface of the default route is used, with a hop limit of 0 so that nothing leaves the host.
"""
import os
import select
import subprocess
import sys
import time

GROUP = "239.74.163.78"
PORT = 20000 + os.getpid() % 20000
TIMEOUT_S = 5.0
INSIDE = "FORECOURT_INTEROP_IFACE"


def skip(reason):
    print("skipped:", reason)
    sys.exit(77)


def default_route_interface():
    with open("/proc/net/route", encoding="ascii") as routes:
        for line in routes.readlines()[1:]:
            field = line.split()
            if field[1] == "00000000":
                return field[0]
    return None


def run_in_namespace():
    """Runs this script again on a loopback of its own; returns when that is not possible."""
    setup = "ip link set lo up && ip route add 224.0.0.0/4 dev lo"
    command = ["unshare", "-rn", "sh", "-c", setup]
    quiet = subprocess.DEVNULL
    if subprocess.run(command, stdout=quiet, stderr=quiet, check=False).returncode == 0:
        os.environ[INSIDE] = "lo"
        command[-1] += ' && exec "$@"'
        os.execvp(command[0], command + ["sh", sys.executable] + sys.argv)


class Peer:
    """The C side."""

    def __init__(self, program, url):
        self.process = subprocess.Popen(
            [program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False, bufsize=0
        )
        self.rest = b""
        if self.line() != "ready":
            raise SystemExit("the peer did not start")

    def line(self):
        end = time.monotonic() + TIMEOUT_S
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not more:
                return None
            self.rest += more
        text, self.rest = self.rest.split(b"\n", 1)
        return text.decode()

    def send(self, text):
        self.process.stdin.write(text.encode() + b"\n")

    def finish(self):
        self.process.stdin.close()
        last = self.line()
        return last, self.process.wait(TIMEOUT_S)


def cases(can):
    def message(arbitration_id, **more):
        return can.Message(arbitration_id=arbitration_id, check=True, **more)

    def short(arbitration_id, **more):
        return message(arbitration_id, is_extended_id=False, **more)

    return [
        ("123#1122334455667788", short(0x123, data=bytes.fromhex("1122334455667788"))),
        ("000#", short(0)),
        ("7FF#00", short(0x7FF, data=[0])),
        ("180A0001#FF80", message(0x180A0001, data=[255, 128])),
        ("00000123#C1C2C3", message(0x123, data=[0xC1, 0xC2, 0xC3])),
        ("1FFFFFFF#", message(0x1FFFFFFF)),
        ("123#R4", short(0x123, is_remote_frame=True, dlc=4)),
        ("180A0001#R", message(0x180A0001, is_remote_frame=True)),
        ("20000040#0000000000000000", short(0x40, is_error_frame=True, data=bytes(8))),
    ]


def describe(m):
    kind = (m.is_extended_id, m.is_remote_frame, m.is_error_frame, m.is_fd)
    return (m.arbitration_id, kind, m.dlc, bytes(m.data))


def next_foreign(bus, own):
    """python-can hears itself; leave those out."""
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end:
        got = bus.recv(0.5)
        if got is not None and describe(got) not in own:
            return got
    return None


def python_to_c(can, bus, peer):
    n = 0
    for text, message in cases(can):
        message.timestamp = 1.5
        message.channel = "a channel"
        bus.send(message)
        got = peer.line()
        if got != text:
            raise SystemExit(f"sent by python-can: {text}; arrived as {got}")
        n += 1
    # Not for a classical bus: counted, and the next frame is not disturbed.
    bus.send(can.Message(arbitration_id=1, is_fd=True, data=bytes(64)))
    bus.send(can.Message(arbitration_id=0x7AA, is_extended_id=False))
    if peer.line() != "7AA#":
        raise SystemExit("the frame after a CAN FD frame did not arrive")
    return n


def c_to_python(can, bus, peer):
    n = 0
    for text, message in cases(can):
        before = time.time()
        peer.send(text)
        got = next_foreign(bus, ())
        if got is None or describe(got) != describe(message):
            raise SystemExit(f"sent by us: {text}; arrived as {got}")
        if not before - 1 < got.timestamp < time.time() + 1:
            raise SystemExit(f"time stamp {got.timestamp} is not near now")
        n += 1
    return n


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: udp_python_can.py CAN_PEER")
    try:
        import can
        import msgpack  # noqa: F401  (python-can needs it for this bus)
    except ImportError as error:
        skip(f"{error}; install python3-can and python3-msgpack")
    if INSIDE not in os.environ:
        run_in_namespace()
    interface = os.environ.get(INSIDE) or default_route_interface()
    if interface is None:
        skip("neither a network namespace nor a default route, python-can cannot join its group")

    ours = f"udp:{GROUP}:{PORT}?iface={interface}&ttl=0"
    sender = can.Bus(interface="udp_multicast", channel=GROUP, port=PORT, hop_limit=0)
    peer = Peer(sys.argv[1], ours)
    n_in = python_to_c(can, sender, peer)
    sender.shutdown()
    receiver = can.Bus(interface="udp_multicast", channel=GROUP, port=PORT, hop_limit=0)
    n_out = c_to_python(can, receiver, peer)
    receiver.shutdown()
    last, status = peer.finish()
    if (last, status) != ("bad 1", 0):
        raise SystemExit(f"the peer ended with {last!r}, exit status {status}; expected one dropped datagram")
    print(f"python-can {can.__version__} on {interface}: {n_in} frames in, {n_out} out, CAN FD dropped")


if __name__ == "__main__":
    main()
