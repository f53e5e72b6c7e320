# SPDX-License-Identifier: MIT
"""A bench of python-can clients and our programs on one UDP bus, and a judge of what passes there.

Client   a python-can program: hears every frame, ticks every 100 ms
Judge    strict listener: identifier, kind, exact length, value ranges, reserved bits, of EVSE 3.2 and PEV 2.0-ex
Bench    runs clients and processes until a condition holds; nothing sleeps for a fixed time

The tables are written from the description of the interfaces, not from our databases, so that both are compared.
"""
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

import can

PERIOD_S = 0.1
ASK_S = 0.2
INDEX = 1
EVSE_BASE_MASK = 0x00FFFFFF


class Failure(Exception):
    """What went wrong, in a sentence."""


class Client:
    """python-can hears itself on this bus; a client that minds has to look at what it sent."""

    def __init__(self, group, port):
        self.bus = can.Bus(interface="udp_multicast", channel=group, port=port, hop_limit=0)
        self.due_s = time.monotonic()

    def transmit(self, identifier, data, is_extended, **more):
        self.bus.send(
            can.Message(arbitration_id=identifier, data=data, is_extended_id=is_extended, check=True, **more)
        )

    def on_message(self, message, now):
        raise NotImplementedError

    def on_tick(self, now):
        """Every 100 ms."""

    def close(self):
        self.bus.shutdown()


def approach(value, target, step_up, step_down):
    """One step of a ramp."""
    if value < target:
        return min(value + step_up, target)
    return max(value - step_down, target)


def show(message):
    kind = "%08X" if message.is_extended_id else "%03X"
    tail = "R" if message.is_remote_frame else bytes(message.data).hex().upper()
    return f"{kind % message.arbitration_id}#{tail}"


# --- tables ------------------------------------------------------------------------------------------------

FLAG = (0, 1)
ANY = None
PERCENT = range(101)
FUNCTIONS = (0, 1, 2, 4, 8)


class Rule:
    """One message: fields are (start, bits, allowed values or ANY); every other bit has to be 0."""

    def __init__(self, name, dlc, *fields):
        self.name = name
        self.dlc = dlc
        self.fields = fields
        self.used = 0
        for start, bits, _ in fields:
            self.used |= ((1 << bits) - 1) << start

    def complaint(self, data):
        if len(data) != self.dlc:
            return f"length {len(data)}, not {self.dlc}"
        raw = int.from_bytes(data, "little")
        if raw & ~self.used:
            return f"reserved bits {raw & ~self.used:#x}"
        for start, bits, allowed in self.fields:
            value = raw >> start & (1 << bits) - 1
            if allowed is not ANY and value not in allowed:
                return f"value {value} at bit {start}"
        return None


def words(n, bits=16):
    return [(i * bits, bits, ANY) for i in range(n)]


def flags(*starts):
    return [(start, 1, FLAG) for start in starts]


EVSE_32 = {
    0x63000: Rule("Power_Modules_Status", 8, *words(2), (32, 16, ANY), (48, 8, FLAG), (56, 8, ANY)),
    0x63001: Rule("DC_Power_Parameters", 8, *words(4)),
    0x63002: Rule("Sequence_Control", 3, *flags(0, 1, 8, 9, 10, 16)),
    0x63201: Rule("ADM_CS_SECC_Outputs", 8, *flags(0, 1, 2, 3)),
    0x6B000: Rule("Advantics_Controller_Status", 1, (0, 8, range(13))),
    0x6B001: Rule("New_Charge_Session", 2, (0, 8, range(8)), (8, 8, range(4))),
    0x6B002: Rule("Charge_Status_Change", 1, (0, 8, FLAG)),
    0x6B003: Rule("DC_Power_Control", 7, *words(3), (48, 4, FUNCTIONS), *flags(53, 54, 55)),
    0x6B004: Rule("Charge_Session_Finished", 1, (0, 8, FLAG)),
    0x6B005: Rule("Emergency_Stop", 1, (0, 8, (1, 3))),
    0x6B100: Rule("EV_Information_Battery", 3, (0, 16, ANY), (16, 8, PERCENT)),
    0x6B101: Rule("EV_Information_Voltages", 4, *words(2)),
    0x6B102: Rule("EV_Information_Charge_Limits", 8, *words(4)),
    0x6B103: Rule("EV_Information_Discharge_Limits", 8, *words(4)),
    0x6B200: Rule("ADM_CO_CUI1_Inputs", 8, *flags(*range(6)), (32, 32, ANY)),
    0x6B201: Rule("ADM_CS_SECC_Inputs", 8, *flags(*range(4)), (40, 24, ANY)),
    0x6B300: Rule("OCPP_Control", 2, *words(1)),
}

PEV_20EX = {
    0x600: Rule(
        "EVSE_Information", 6, (0, 8, range(11)), (8, 8, range(5)), (16, 8, range(6)), (24, 16, ANY), (40, 1, FLAG)
    ),
    0x601: Rule("AC_Control", 1, (0, 1, FLAG)),
    0x602: Rule("DC_Control", 1, (0, 1, FLAG)),
    0x603: Rule(
        "CCS_Extra_Information", 6, (0, 16, range(1001)), (16, 8, range(251)), (24, 8, (0, 3, 6, 9, 12)),
        (32, 8, ANY), (40, 2, (0, 1, 2)),
    ),
    0x604: Rule("ADM_CS_EVCC_Inputs", 6, *flags(*range(5)), (8, 40, ANY)),
    0x610: Rule("EV_Information", 3, (0, 8, PERCENT), (8, 16, ANY)),
    0x611: Rule("AC_Status", 1, (0, 1, FLAG)),
    0x612: Rule("DC_Status1", 8, *words(2)),  # the vendor's simulator sends 8, the last four 0
    0x613: Rule("DC_Status2", 5, *flags(0, 1), (8, 32, ANY)),
    0x614: Rule("EV_Energy_Request", 6, *words(3)),
    0x615: Rule("EV_V2X_Energy_Request", 4, *words(2)),
    0x616: Rule("EV_Extra_BPT_Information", 4, (0, 32, ANY)),
}
PEV_ANY = range(0x600, 0x620)


class Judge(Client):
    """Notes every complaint, and when each message was seen by the kernel."""

    MAX_COMPLAINTS = 8

    def __init__(self, group, port, evse=None, pev=None):
        super().__init__(group, port)
        self.evse = evse
        self.pev = pev
        self.complaints = []
        self.seen = {}  # number without index: [(time of the kernel in s, data)]

    def rule_of(self, message):
        number = message.arbitration_id
        if message.is_extended_id:
            base = number & EVSE_BASE_MASK
            if self.evse is None or base >> 12 not in (0x63, 0x6B):
                return base, None, None
            if number >> 24 != INDEX:
                return base, None, f"index {number >> 24}"
            return base, self.evse.get(base), None if base in self.evse else "unknown in this version"
        if self.pev is None or number not in PEV_ANY:
            return number, None, None if number in PEV_ANY else "unknown identifier of 11 bits"
        return number, self.pev.get(number), None if number in self.pev else "unknown in this version"

    def on_message(self, message, now):
        number, rule, complaint = self.rule_of(message)
        data = bytes(message.data)
        if message.is_remote_frame or message.is_error_frame or message.is_fd:
            complaint = "no data frame of a classical bus"
        elif rule is not None:
            complaint = rule.complaint(data)
        if complaint and len(self.complaints) < self.MAX_COMPLAINTS:
            self.complaints.append(f"{show(message)}: {complaint}")
        self.seen.setdefault(number, []).append((message.timestamp, data))

    def changes(self, number, byte=0):
        """Values of a byte over time, each once while it stays."""
        values = []
        for _, data in self.seen.get(number, []):
            if len(data) > byte and (not values or values[-1] != data[byte]):
                values.append(data[byte])
        return values

    def datas(self, number):
        return [data for _, data in self.seen.get(number, [])]

    def intervals(self, number):
        times = [t for t, _ in self.seen.get(number, [])]
        return [b - a for a, b in zip(times, times[1:])]


# --- programs and the loop ---------------------------------------------------------------------------------


class Program:
    def __init__(self, bench, name, arguments):
        self.name = name
        self.control = os.path.join(bench.folder, name)
        self.errors = self.control + ".err"
        path = os.path.join(bench.binaries, arguments[0])
        command = [path, *arguments[1:], "--can", bench.url, "--control", self.control]
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)

    def last_words(self):
        with open(self.errors, encoding="utf-8", errors="replace") as errors:
            return "".join(errors.readlines()[-6:])


class Bench:
    def __init__(self, binaries, group, port):
        self.binaries = binaries
        self.group = group
        self.port = port
        self.url = f"udp:{group}:{port}"
        self.folder = tempfile.mkdtemp(prefix="vendor-")
        self.clients = []
        self.programs = {}
        self.stall_s = 0.0  # longest time that this process was not run when it wanted to be

    def add(self, kind, *arguments, **more):
        client = kind(self.group, self.port, *arguments, **more)
        self.clients.append(client)
        return client

    def start(self, name, *arguments):
        self.programs[name] = Program(self, name, arguments)
        return self.programs[name]

    def ask(self, name, *request):
        """Answer of the control socket, or None."""
        command = [os.path.join(self.binaries, "chargectl"), self.programs[name].control, *request]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def tell(self, name, *request):
        """Repeats the request until it is taken: the program may just be starting, or the plug locked."""
        next_s = 0.0

        def is_taken():
            nonlocal next_s
            if time.monotonic() < next_s:
                return False
            next_s = time.monotonic() + ASK_S
            return self.ask(name, *request) is not None

        self.until(is_taken, 15, f"{name} takes '{' '.join(request)}'")

    def step(self, limit_s):
        """Until something arrived or limit_s of the monotonic clock."""
        now = time.monotonic()
        due = min([limit_s] + [c.due_s for c in self.clients])
        select.select([c.bus for c in self.clients], [], [], max(0.0, due - now))
        if self.clients:
            self.stall_s = max(self.stall_s, time.monotonic() - due)
        for client in self.clients:
            message = client.bus.recv(0)
            while message is not None:
                client.on_message(message, time.monotonic())
                message = client.bus.recv(0)
            now = time.monotonic()
            if now >= client.due_s:
                client.due_s += PERIOD_S * (1 + (now - client.due_s) // PERIOD_S)
                client.on_tick(now)

    def until(self, condition, seconds, what):
        """Runs everything until the condition holds; a Failure when it does not within these seconds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= end:
                raise Failure(f"not within {seconds:g} s: {what}")
            self.step(end)
            self.look_at_programs()
        return True

    def never(self, condition, seconds, what):
        """Runs everything for these seconds, in which the condition must not hold."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                raise Failure(what)
            self.step(end)
            self.look_at_programs()

    def look_at_programs(self):
        for program in self.programs.values():
            status = program.process.poll()
            if status is not None:
                raise Failure(f"{program.name} ended by itself, status {status}")

    def terminate(self, name, seconds):
        """SIGTERM; runs on until the program has ended. Its exit status and how long it took."""
        process = self.programs.pop(name).process
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.until(lambda: process.poll() is not None, seconds, f"{name} ends after SIGTERM")
        took = time.monotonic() - begin
        self.drain()
        return process.returncode, took

    def drain(self):
        """What is still in the sockets."""
        self.step(time.monotonic())

    def last_words(self):
        return [f"{p.name}: {line}" for p in self.programs.values() for line in p.last_words().splitlines()]

    def close(self):
        for program in self.programs.values():
            program.process.terminate()
        for program in self.programs.values():
            try:
                program.process.wait(3)
            except subprocess.TimeoutExpired:
                program.process.kill()
                program.process.wait()
        for client in self.clients:
            client.close()
        shutil.rmtree(self.folder, ignore_errors=True)
