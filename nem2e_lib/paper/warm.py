"""Programs of a run that share one import: ``python -m nem2e_lib.paper.warm MODULE …`` is ``python -m MODULE …``.

Every notebook is two programs, its runner and its kernel, and each would import for seconds what twenty others import.
Here the first that asks starts a process beside it which imports once (`PROGRAMS`, `ROOMS`), and that process forks one
for each program that is asked for: with the caller's arguments, environment, folder and streams. It ends when the
process of `OWNER` has ended, which is make's. Where it cannot be had programs run as ever; so they do elsewhere than on
Linux, where libraries begin threads that a fork would lack.

What passes between them, over a socket in the folder of `WHERE`: the caller's streams as descriptors and one line of
JSON; then ``{"pid"}`` once the program runs, and ``{"status"}`` when it has ended. A caller that sends `INTERRUPT`
passes on Ctrl-C; one that goes away takes its program with it.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from multiprocessing.sharedctypes import RawValue
from pathlib import Path
from pkgutil import walk_packages
from select import select
from typing import Any, NoReturn

from nem2e_lib.error import Nem2eError
from nem2e_lib.terminal import program

WHERE, OWNER, PEAK = "NEM2E_WARM", "NEM2E_WARM_OWNER", "NEM2E_PEAK"
"""Environment: the folder of the socket, whose process it lives for, and a file that takes the most memory in kB."""
COSTS, CALLED = "NEM2E_COSTS", "NEM2E_CALLED"
"""Environment: a table that takes a row (`COLUMNS`) for each program that has ended, and what it is called there."""
COLUMNS = ("program", "processor_s", "wall_s", "peak_mb", "compiled_s")
COMPILING = ("/jax/core/compile/jaxpr_to_mlir_module_duration", "/jax/core/compile/backend_compile_duration")
"""What JAX calls the seconds in which it makes programs, or loads those that it made before."""
SOCKET, LOCK, LOG = "socket", "starting", "log"
"""Files in that folder."""
PARENT = "JPY_PARENT_PID"
"""By which a kernel ends with the process that started it: here the caller does, and takes the kernel with it."""
INTERRUPT = b"!"
PATIENCE_S, POLL_S, WATCH_S = 10.0, 0.05, 1.0
"""How long a caller waits for somebody to listen; how often programs are looked after, and callers' own parents."""
PROGRAMS = ("papermill", "nbformat", "nbconvert", "ipykernel.kernelapp", "matplotlib_inline.backend_inline", "pingouin")
ROOMS = ("data", "training", "rivals", "analysis", "refiner", "figures", "charts", "site", "paper")
"""What is imported: the notebooks' tools, and every module in these rooms of the library."""
SLOW = "rfc3987_syntax"
"""jsonschema would compile a grammar of web addresses with it, for seconds, which no notebook is checked for."""


# --- The side that asks ---


def main() -> None:
    """Run the module that the command line names, warm where that is possible."""
    folder = os.environ.get(WHERE, "")
    with program():
        line = _server(Path(folder).resolve()) if folder and possible() else None
        status = _asked(line) if line else None
    if status is not None:
        _leave_as(status)
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def possible() -> bool:
    """Whether programs can be begun warm on this system."""
    return sys.platform == "linux"


def _leave_as(status: int) -> NoReturn:
    """Leave as a program has left: with its exit code, or by the signal that ended it."""
    if status < 0:
        with suppress(OSError):  # of those that cannot be caught
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def _server(folder: Path) -> socket.socket | None:
    """Return a line to the process that forks, started if it is not there; None where it cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with chdir(folder):  # the address of a socket must be short
            line = socket.socket(socket.AF_UNIX)
            if not line.connect_ex(SOCKET):
                return line
        line.close()
        with suppress(FileExistsError):
            (folder / LOCK).touch(exist_ok=False)
            with (folder / LOG).open("wb") as log:
                command = [sys.executable, "-c", f"from {__spec__.name} import serve; serve()", str(folder)]
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        time.sleep(POLL_S)
    return None


def _asked(line: socket.socket) -> int | None:
    """Let a program run at the other end of a line and return how it ended; None where it has not begun.

    Ctrl-C goes to the program, which ends in its own way.
    """
    asked = {"argv": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd(), "umask": _umask()}
    with suppress(ConnectionError):
        socket.send_fds(line, [b" "], [0, 1, 2])
        line.sendall(json.dumps(asked).encode() + b"\n")
    signal.signal(signal.SIGINT, partial(_pass_on, line))
    told = _answers(line)
    if next(told, None) is None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return None
    ended = next(told, None)
    if ended is None:
        raise Nem2eError(f"{sys.argv[1]}: the process that ran it was ended from outside; start it again.")
    return int(ended["status"])


def _pass_on(line: socket.socket, *_: Any) -> None:
    with suppress(ConnectionError):
        line.sendall(INTERRUPT)


def _answers(line: socket.socket) -> Iterator[dict[str, int]]:
    """Yield what is answered until nothing more comes."""
    heard, parent = b"", os.getppid()
    while os.getppid() == parent:
        try:
            got = line.recv(4096) if select([line], [], [], WATCH_S)[0] else None
        except ConnectionError:
            return
        if got == b"":
            return
        *whole, heard = (heard + (got or b"")).split(b"\n")
        yield from map(json.loads, whole)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# --- The side that imports once, and forks ---


@dataclass
class Program:
    """A program that was asked for: who asked, with which streams, and what was read of it until now."""

    line: socket.socket
    streams: list[int]
    heard: bytes = b""
    pid: int = 0
    began: float = field(default_factory=time.monotonic)
    compiled: Any = field(default_factory=lambda: RawValue("d", 0.0))

    @property
    def asked(self) -> dict[str, Any] | None:
        """What is to be run, once all of it has been read."""
        head, end, _ = self.heard.partition(b"\n")
        return json.loads(head) if end else None


def serve() -> None:
    """Listen in the folder that the command line names, import, and fork a process for each program asked for."""
    folder, owner = Path(sys.argv[1]), int(os.environ[OWNER])
    with chdir(folder), socket.socket(socket.AF_UNIX) as door:
        door.bind(SOCKET)
        door.listen()
        own, began = os.getpid(), time.monotonic()
        try:
            _import()
            _begin_costs(time.monotonic() - began)
            asked = _fork_for(door, owner)
        finally:
            if os.getpid() == own:
                _tidy(folder)
    if asked is not None:
        _become(asked)


def _begin_costs(wall: float) -> None:
    """Begin the table of what programs cost with what importing has, where such a table is wanted."""
    import resource  # only where processes fork

    path = Path(os.environ.get(COSTS, ""))
    if path.name:
        with suppress(OSError):
            path.write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
        _cost("imports", resource.getrusage(resource.RUSAGE_SELF), wall)


def _tidy(folder: Path) -> None:
    """Take away the folder of the socket; a log in which something stands is kept."""
    kept = (LOG,) if (folder / LOG).stat().st_size else ()
    for name in {SOCKET, LOCK, LOG}.difference(kept):
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _import() -> None:
    from nem2e_lib.paper.reads import NEM2E  # not on the side that asks, which imports little

    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as in any kernel
    sys.modules.setdefault(SLOW, None)  # type: ignore[arg-type] # Python's own way to say that a module is not there
    rooms = [import_module(f"nem2e_lib.{room}") for room in ROOMS]
    inside = [found.name for room in rooms for found in walk_packages(room.__path__, f"{room.__name__}.")]
    for name in (*PROGRAMS, *inside):
        with suppress(ImportError):  # a program that needs it says so itself
            import_module(name)
    for name in inside:
        NEM2E.imports(name)  # as the code was when it was imported
    gc.collect()
    gc.freeze()  # forks share what is never looked through again


def _fork_for(door: socket.socket, owner: int) -> Program | None:
    """Fork for each that asks until the owner has ended; return None then, and in each fork what is to be run."""
    programs: list[Program] = []
    while programs or _lives(owner):
        ready, _, _ = select([door, *(one.line for one in programs)], [], [], POLL_S)
        for one in [one for one in programs if one.line in ready]:
            if not _hear(one):
                programs.remove(one)
            elif not one.pid and one.asked is not None:
                if _fork(one):
                    for other in programs:
                        if other is not one:
                            _close(other)
                    return one
                if one.heard.endswith(INTERRUPT):  # stopped before it was begun
                    _signal(one, signal.SIGINT)
        if door in ready:
            line, _ = door.accept()
            _, streams, _, _ = socket.recv_fds(line, 1, 3)
            programs.append(Program(line, streams))
        programs = [one for one in programs if not _ended(one)]
    return None


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _hear(one: Program) -> bool:
    """Read what a caller sends; end its program where the caller has gone, and tell whether it is still there."""
    try:
        got = one.line.recv(65536)
    except ConnectionError:  # it went without having read all that it was told
        got = b""
    if one.pid and INTERRUPT in got:
        _signal(one, signal.SIGINT)
    if got and not one.pid:
        one.heard += got
    if not got:
        if one.pid:
            _signal(one, signal.SIGKILL)
            _note(one, os.wait4(one.pid, 0)[2])
        _close(one)
    return bool(got)


def _signal(one: Program, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(one.pid, number)


def _close(one: Program) -> None:
    one.line.close()
    for stream in one.streams:
        os.close(stream)
    one.streams.clear()


def _fork(one: Program) -> bool:
    """Fork; tell whether this is the fork."""
    one.pid = os.fork()
    if one.pid:
        with suppress(ProcessLookupError, PermissionError):
            os.setpgid(one.pid, one.pid)  # before either goes on: a signal must find the group
        _tell(one, pid=one.pid)
        return False
    return True


def _ended(one: Program) -> bool:
    """Whether a program has ended; its caller is told how."""
    if not one.pid:
        return False
    pid, status, used = os.wait4(one.pid, os.WNOHANG)
    if not pid:
        return False
    _note(one, used)
    _tell(one, status=os.waitstatus_to_exitcode(status))
    _close(one)
    return True


def _note(one: Program, used: Any) -> None:
    """Write down what a program has cost, where its environment names files for that."""
    asked = one.asked or {}
    around, words = asked.get("environment", {}), asked.get("argv", [])
    if around.get(PEAK):
        with suppress(OSError):
            Path(around[PEAK]).write_text(f"{used.ru_maxrss}\n", encoding="utf-8")
    _cost(around.get(CALLED) or " ".join(words[:2]), used, time.monotonic() - one.began, one.compiled.value)


def _cost(called: str, used: Any, wall: float, compiled: float = 0.0) -> None:
    """Add a row to the table of what programs cost, where one is wanted."""
    path = Path(os.environ.get(COSTS, ""))
    if path.name:
        numbers = (used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1000, compiled)
        with suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(",".join([called, *(f"{number:.3f}" for number in numbers)]) + "\n")


def _tell(one: Program, **told: int) -> None:
    with suppress(ConnectionError):
        one.line.sendall(json.dumps(told).encode() + b"\n")


def _become(one: Program) -> None:
    """Be the program that was asked for, as if Python had been started for it."""
    asked: Mapping[str, Any] = one.asked or {}
    os.setpgid(0, 0)
    for target, stream in enumerate(one.streams):
        os.dup2(stream, target)
    _close(one)
    _open_streams()
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.environ.pop(PARENT, None)
    os.chdir(asked["folder"])
    os.umask(asked["umask"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = list(asked["argv"])
    _count_compiling(one.compiled)
    name = sys.argv[0]
    sys.modules.pop(name, None)  # it is run anew, under the name __main__
    try:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    finally:
        gc.freeze()


def _count_compiling(total: Any) -> None:
    """Add up the seconds that this program lets JAX compile, where the process that forked it reads them."""
    import jax

    def add(event: str, duration_secs: float, **_: Any) -> None:
        if event in COMPILING:
            total.value += duration_secs

    jax.monitoring.register_event_duration_secs_listener(add)


def _open_streams() -> None:
    """Open Python's streams anew: the old ones know what was at their ends."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, name)
        lines = 1 if os.isatty(number) or name == "stderr" else -1
        kept = {"encoding": old.encoding, "errors": old.errors, "closefd": False, "buffering": lines}
        fresh = open(number, "w" if number else "r", **kept)  # noqa: SIM115 # until the program ends
        setattr(sys, name, fresh)
        setattr(sys, f"__{name}__", fresh)


if __name__ == "__main__":
    main()
