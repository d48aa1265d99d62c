"""The command line calls nothing that only POSIX systems have, unless it asks first where it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
NAMES = {
    "os": {
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "WNOHANG", "chown", "chroot", "confstr"),
        *("fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid"),
        *("getpriority", "getuid", "initgroups", "killpg", "lchown", "lockf", "mkfifo", "mknod", "nice", "openpty"),
        *("posix_fallocate", "posix_spawn", "pread", "pwrite", "sched_getaffinity", "sched_setaffinity", "sched_yield"),
        *("sendfile", "setgid", "setpgid", "setpriority", "setsid", "setuid", "statvfs", "sync", "sysconf", "uname"),
        *("wait", "wait3", "wait4", "waitid"),
    },
    "signal": {
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP", "SIGUSR1"),
        *("SIGUSR2", "alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait", "siginterrupt"),
    },
    "time": {"tzset", "clock_gettime", "CLOCK_MONOTONIC"},
}
PLACES = ("/bin/", "/dev/", "/etc/", "/proc/", "/tmp/", "/usr/", "/var/")
PROGRAMS = {"bash", "cat", "chmod", "cp", "kill", "ln", "ls", "mv", "nice", "ps", "pkill", "rm", "sh", "tar", "which"}
KEYWORDS = {"preexec_fn", "start_new_session", "process_group"}
TEXT = {"read_text": 0, "write_text": 1}
"""Methods that read or write text, and how many arguments come before their encoding: Windows' own is not UTF-8."""


def asks(test: ast.AST) -> bool:
    """Whether a condition asks which system it is, or whether a name is there."""
    return any(name in ast.unparse(test) for name in ("sys.platform", "os.name", "hasattr(", "platform.system("))


def guarded(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a branch, a caught error, or a return before it in the same function keeps other systems from a node."""
    while node in parents:
        child, node = node, parents[node]
        if isinstance(node, ast.If | ast.IfExp) and child is not node.test and asks(node.test):
            return True
        if isinstance(node, ast.BoolOp) and any(asks(each) for each in node.values if each is not child):
            return True
        if isinstance(node, ast.Try) and child in node.body:
            caught = " ".join(ast.unparse(each.type) for each in node.handlers if each.type)
            if "ImportError" in caught or "AttributeError" in caught:
                return True
        if isinstance(node, ast.FunctionDef):
            before = [each for each in node.body if isinstance(each, ast.If) and each.lineno < child.lineno]
            if any(asks(each.test) and isinstance(each.body[-1], ast.Return | ast.Raise) for each in before):
                return True
    return False


def of_posix(node: ast.AST) -> Iterator[str]:
    """What of a node only POSIX has, or only it takes for granted."""
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names if each.name.split(".")[0] in MODULES)
    if isinstance(node, ast.ImportFrom) and node.module:
        yield from [node.module] if node.module in MODULES else []
        yield from (f"{node.module}.{each.name}" for each in node.names if each.name in NAMES.get(node.module, ()))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        yield from [ast.unparse(node)] if node.attr in NAMES.get(node.value.id, ()) else []
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(PLACES):
        yield repr(node.value)
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rsplit(".", 1)[-1]
        yield from (each.arg for each in node.keywords if each.arg in KEYWORDS)
        if called == "strftime" and "%-" in ast.unparse(node):
            yield "strftime %-"
        if called == "get_context" and any(word in ast.unparse(node) for word in ("'fork'", "'forkserver'")):
            yield "fork"
        if (
            called in ("Popen", "run", "check_output", "check_call")
            and node.args
            and isinstance(node.args[0], ast.List)
        ):
            first = node.args[0].elts[0]
            yield from [first.value] if isinstance(first, ast.Constant) and first.value in PROGRAMS else []
        if called in TEXT and len(node.args) <= TEXT[called] and not has(node, "encoding"):
            yield f"{called} without an encoding"
        if called == "open" and not has(node, "encoding") and not is_binary(node):
            yield "open without an encoding"


def has(call: ast.Call, name: str) -> bool:
    return any(each.arg == name for each in call.keywords)


def is_binary(call: ast.Call) -> bool:
    """Whether what is opened is bytes, or no file by its path: ``os.open``, or a member of an archive."""
    member = bool(call.args) and not isinstance(call.args[0], ast.Constant)
    if isinstance(call.func, ast.Attribute) and (member or ast.unparse(call.func.value) == "os"):
        return True
    given = [*call.args, *(word.value for word in call.keywords)]
    return any(isinstance(each, ast.Constant) and each.value in ("rb", "wb", "ab", "xb", "r+b") for each in given)


def found_in(source: str) -> list[str]:
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    told = {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        f"{getattr(node, 'lineno', 0)}: {what}"
        for node in ast.walk(tree)
        if node not in told
        for what in of_posix(node)
        if not guarded(node, parents)
    ]


def reached() -> list[Path]:
    """Every file that the command line can import, within functions too; the paper's own commands are make's."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "nem2e_lib").rglob("*.py")
    }
    waiting, seen = [name for name in files if name.startswith("nem2e_lib.cli")], set[str]()
    waiting.append("nem2e_lib.simulate.worker")  # started as a program of its own
    while waiting:
        name = waiting.pop()
        if name in seen or name.startswith("nem2e_lib.paper"):
            continue
        seen.add(name)
        for node in ast.walk(ast.parse(files[name].read_text(encoding="utf-8"))):
            targets = (
                [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
                if isinstance(node, ast.ImportFrom)
                else [each.name for each in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            waiting += [target for target in targets if target in files]
            waiting += [target.rpartition(".")[0] for target in targets if target.rpartition(".")[0] in files]
    return sorted(files[name] for name in seen)


REACHED = reached()


def test_most_of_the_library_is_reached() -> None:
    names = {path.relative_to(ROOT / "nem2e_lib").as_posix() for path in REACHED}
    assert {"terminal.py", "data/open/fetch.py", "training/devices.py", "simulate/worker.py"} <= names
    assert len(names) > 150


@pytest.mark.parametrize("path", REACHED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_call_of_posix_alone(path: Path) -> None:
    assert found_in(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import fcntl", ["1: fcntl"]),
        ("import os\nx = os.getuid()", ["2: os.getuid"]),
        ("from os import fork", ["1: os.fork"]),
        ("import signal\nsignal.SIGKILL", ["2: signal.SIGKILL"]),
        ("open('/dev/null', 'rb')", ["1: '/dev/null'"]),
        ("t.strftime('%-d')", ["1: strftime %-"]),
        ("Popen(['bash', '-c', x])", ["1: bash"]),
        ("run(x, start_new_session=True)", ["1: start_new_session"]),
        ("Path(x).read_text()", ["1: read_text without an encoding"]),
        ("p.write_text(text)", ["1: write_text without an encoding"]),
        ("open(x)", ["1: open without an encoding"]),
        ("p.open('w')", ["1: open without an encoding"]),
        ("p.open('rb')\np.write_text(text, encoding='utf-8')\np.read_text('utf-8')", []),
        ("import os\nn = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else 1", []),
        ("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None", []),
        ("def f():\n    if sys.platform == 'win32':\n        return\n    import fcntl", []),
        ("def f():\n    import fcntl\n    if sys.platform == 'win32':\n        return", ["2: fcntl"]),
        ("if sys.platform == 'linux':\n    signal.SIGKILL", []),
    ],
)
def test_it_finds_what_it_looks_for(source: str, found: list[str]) -> None:
    assert found_in(source) == found
