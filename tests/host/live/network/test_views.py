"""Connections from where another process sits. Namespaces are made here and end with their only process."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wizard.host.live.network import answer_connect, answer_request, end_children
from wizard.host.questions import (
    Connect,
    Connected,
    ConnectFailed,
    NotAnswered,
    NotReplied,
    Replied,
    Request,
    View,
    Why,
)

WWW = 33

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another view needs root")
needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None,
    reason="needs root, unshare(1) and ip(8)",
)

# Runs inside the namespaces: serves HTTP on one port and on one unix socket below a private mount, and waits.
INSIDE = """
import os, socket, sys, threading
folder, chroot = sys.argv[1:3]
tcp = socket.create_server(("127.0.0.1", 0), backlog=64)
if chroot:
    os.chroot(chroot)
unix = socket.socket(socket.AF_UNIX)
unix.bind(folder + "/app.sock")
unix.listen(64)
def serve(listener):
    while True:
        connection, _ = listener.accept()
        if connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 6\\r\\n\\r\\ninside")
        connection.close()
for listener in (tcp, unix):
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
print(tcp.getsockname()[1], flush=True)
sys.stdin.read()
"""


class Inside:
    def __init__(self, pid: int, port: int, path: str) -> None:
        self.pid = pid
        self.endpoint = f"127.0.0.1:{port}"
        self.path = path


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter."""
    path = Path(tempfile.mkdtemp(prefix="wizard-view-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@contextlib.contextmanager
def inside(folder: Path, *, chroot: bool = False) -> Iterator[Inside]:
    """A process in a network and mount namespace of its own, with a private mount over `folder`."""
    mount = "" if chroot else 'mount -t tmpfs none "$1"; '
    script = f'ip link set lo up; {mount}exec "$3" -I -c "$4" "$2" "$5"'
    shown = "/" if chroot else str(folder)
    arguments = [str(folder), shown, sys.executable, INSIDE, str(folder) if chroot else ""]
    process = subprocess.Popen(
        ["unshare", "-n", "-m", "sh", "-c", script, "sh", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Inside(process.pid, int(process.stdout.readline()), f"unix:{shown.rstrip('/')}/app.sock")
    finally:
        with process:
            process.kill()


def connect(endpoint: str, view: View, seconds: float = 5.0) -> Connected | ConnectFailed | NotAnswered:
    return asyncio.run(answer_connect(Connect(endpoint, view, seconds)))


def errno_of(endpoint: str, view: View, seconds: float = 5.0) -> int | None:
    answer = connect(endpoint, view, seconds)
    assert isinstance(answer, ConnectFailed), answer
    return answer.errno


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


@contextlib.contextmanager
def listening(path: Path) -> Iterator[str]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(64)
        yield f"unix:{path}"


# --- as another user ------------------------------------------------------------------------------------------


@needs_root
def test_a_socket_below_a_closed_folder_is_denied_to_the_gateway(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o700)
    with listening(folder / "closed" / "app.sock") as endpoint:
        (folder / "closed" / "app.sock").chmod(0o666)
        assert isinstance(connect(endpoint, View()), Connected)
        assert errno_of(endpoint, View(WWW, WWW)) == errno.EACCES
        (folder / "closed").chmod(0o711)
        assert isinstance(connect(endpoint, View(WWW, WWW)), Connected)


@needs_root
def test_groups_of_the_gateway_count(folder: Path) -> None:
    with listening(folder / "app.sock") as endpoint:
        (folder / "app.sock").chmod(0o660)
        os.chown(folder / "app.sock", 0, 12345)
        assert errno_of(endpoint, View(WWW, WWW)) == errno.EACCES
        assert isinstance(connect(endpoint, View(WWW, WWW, (WWW, 12345))), Connected)
        assert isinstance(connect(endpoint, View(WWW, 12345)), Connected)


@needs_root
def test_a_user_without_a_group_does_not_keep_ours(folder: Path) -> None:
    with listening(folder / "app.sock") as endpoint:
        (folder / "app.sock").chmod(0o660)
        assert errno_of(endpoint, View(WWW)) == errno.EACCES
        assert errno_of(endpoint, View(54321)) == errno.EACCES


@needs_root
def test_a_request_as_the_gateway(folder: Path) -> None:
    with listening(folder / "app.sock") as endpoint:
        (folder / "app.sock").chmod(0o600)
        answer = asyncio.run(answer_request(Request(endpoint, "/", view=View(WWW, WWW))))
    assert isinstance(answer, NotReplied)
    assert (answer.phase, answer.errno) == ("connecting", errno.EACCES)


@needs_root
def test_the_errnos_are_the_same_from_there(folder: Path) -> None:
    view = View(WWW, WWW)
    assert errno_of(f"unix:{folder}/missing.sock", view) == errno.ENOENT
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert errno_of("{}:{}".format(*unused.getsockname()), view) == errno.ECONNREFUSED
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as first:
        server.bind(str(folder / "full.sock"))
        server.listen(0)
        (folder / "full.sock").chmod(0o666)
        first.connect(str(folder / "full.sock"))
        assert errno_of(f"unix:{folder}/full.sock", view) == errno.EAGAIN


def test_our_own_user_needs_no_child() -> None:
    async def walk(endpoint: str) -> list[int]:
        view = View(os.geteuid(), os.getegid(), tuple(os.getgroups()), os.getpid())
        assert isinstance(await answer_connect(Connect(endpoint, view)), Connected)
        return children(os.getpid())

    before = children(os.getpid())
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert asyncio.run(walk("{}:{}".format(*server.getsockname()))) == before


# --- one child for many, and its end --------------------------------------------------------------------------


@needs_root
def test_many_connections_share_one_child_that_ends_with_the_loop() -> None:
    before = set(children(os.getpid()))

    async def walk(endpoint: str) -> tuple[list[object], set[int]]:
        view = View(WWW, WWW)
        answers = await asyncio.gather(*(answer_connect(Connect(endpoint, view)) for _ in range(30)))
        return list(answers), set(children(os.getpid())) - before

    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        answers, started = asyncio.run(walk("{}:{}".format(*server.getsockname())))
    assert all(isinstance(answer, Connected) for answer in answers)
    assert len(started) == 1
    assert set(children(os.getpid())) - before == set()


@needs_root
def test_a_lost_child_is_replaced() -> None:
    async def walk(endpoint: str) -> None:
        view = View(WWW, WWW)
        before = set(children(os.getpid()))
        assert isinstance(await answer_connect(Connect(endpoint, view)), Connected)
        (child,) = set(children(os.getpid())) - before
        os.kill(child, 9)
        await asyncio.sleep(0.05)
        assert isinstance(await answer_connect(Connect(endpoint, view)), Connected)
        end_children()
        assert set(children(os.getpid())) == before

    with socket.create_server(("127.0.0.1", 0)) as server:
        asyncio.run(walk("{}:{}".format(*server.getsockname())))


@needs_root
def test_silence_and_cancellation_leave_nothing_behind() -> None:
    def open_files() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    async def walk(full: str, free: str) -> None:
        view = View(WWW, WWW)
        assert isinstance(await answer_connect(Connect(free, view)), Connected)
        before = open_files()
        silent = await answer_connect(Connect(full, view, 0.2))
        assert isinstance(silent, ConnectFailed)
        assert silent.errno is None
        tasks = [asyncio.create_task(answer_connect(Connect(free, view))) for _ in range(10)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(answer, Connected) for answer in answers) == 5
        await asyncio.sleep(0.1)
        assert open_files() == before

    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        with socket.create_server(("127.0.0.1", 0), backlog=64) as free:
            asyncio.run(walk("{}:{}".format(*server.getsockname()), "{}:{}".format(*free.getsockname())))


ENDS = """
import asyncio, os, sys
from wizard.host.live.network import answer_connect
from wizard.host.questions import Connect, View
async def walk():
    print(type(await answer_connect(Connect(sys.argv[1], View(33, 33)))).__name__)
    print(open(f"/proc/self/task/{os.getpid()}/children").read(), flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(walk())
"""


@needs_root
def test_the_child_does_not_outlive_a_killed_parent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = "{}:{}".format(*server.getsockname())
        ended = subprocess.run([sys.executable, "-c", ENDS, endpoint], capture_output=True, check=False, timeout=30)
    word, child = ended.stdout.split()
    assert (word, ended.returncode) == (b"Connected", -9)
    process = Path("/proc") / child.decode()
    for _ in range(200):
        if not process.exists():
            break
        time.sleep(0.05)
    assert not process.exists()


# --- in other namespaces --------------------------------------------------------------------------------------


@needs_namespaces
def test_the_network_and_the_mounts_of_a_process(folder: Path) -> None:
    with inside(folder) as process:
        view = View(within=process.pid)
        assert errno_of(process.endpoint, View()) == errno.ECONNREFUSED
        assert isinstance(connect(process.endpoint, view), Connected)
        assert errno_of(process.path, View()) == errno.ENOENT
        assert isinstance(connect(process.path, view), Connected)
        for endpoint in (process.endpoint, process.path):
            answer = asyncio.run(answer_request(Request(endpoint, "/", view=view)))
            assert isinstance(answer, Replied)
            assert answer.body == b"inside"


@needs_namespaces
def test_the_root_of_a_process(folder: Path) -> None:
    with inside(folder, chroot=True) as process:
        assert process.path == "unix:/app.sock"
        assert errno_of(process.path, View()) == errno.ENOENT
        assert isinstance(connect(process.path, View(within=process.pid)), Connected)


@needs_namespaces
def test_a_rule_for_one_user_is_met_by_that_user_only(folder: Path) -> None:
    if shutil.which("nft") is None or shutil.which("nsenter") is None:
        pytest.skip("needs nft(8) and nsenter(1)")
    rules = (
        "table inet t {{\n chain out {{\n  type filter hook output priority 0;\n"
        "  meta skuid {} tcp dport {} reject with tcp reset\n }}\n}}\n"
    )
    with inside(folder) as process:
        text = rules.format(WWW, process.endpoint.rpartition(":")[2])
        nft = ["nsenter", "-t", str(process.pid), "-n", "nft", "-f", "-"]
        if subprocess.run(nft, input=text.encode(), capture_output=True, check=False, timeout=20).returncode:
            pytest.skip("this kernel has no nf_tables")
        assert isinstance(connect(process.endpoint, View(within=process.pid)), Connected)
        assert errno_of(process.endpoint, View(WWW, WWW, within=process.pid)) == errno.ECONNREFUSED
        assert isinstance(connect(process.endpoint, View(34, 34, within=process.pid)), Connected)


def test_a_process_that_is_gone() -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    answer = connect("127.0.0.1:1", View(within=ended.pid))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.MISSING


# --- without rights -------------------------------------------------------------------------------------------


OPEN_TO_ALL = all(
    folder.stat().st_mode & 0o001
    for path in (Path(sys.executable), Path(__file__).resolve())
    for folder in path.parents
)


def ask_without_rights(view: View) -> NotAnswered | Connected | ConnectFailed:
    """Ask as nobody, in a forked process where the tests run as root."""
    if os.geteuid() != 0:
        return connect("127.0.0.1:1", view)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            sys.executable = "/usr/bin/python3"  # one that nobody may run
            answer = connect("127.0.0.1:1", view)
            if isinstance(answer, NotAnswered):
                os.write(writer, f"{answer.why}|{answer.detail}|{answer.errno}|{answer.grant}".encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        why, detail, code, grant = pipe.read().split("|")
    return NotAnswered(Why(why), detail, int(code), grant)


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="needs an interpreter that everybody may run")
@pytest.mark.skipif(not OPEN_TO_ALL, reason="nobody may not run the interpreter below a closed folder such as /root")
def test_another_user_is_denied_without_rights_and_names_the_grant() -> None:
    answer = ask_without_rights(View(12345, 12345))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.DENIED
    assert answer.grant == "run as root (sudo gateway-wizard)"
    assert "uid 12345" in answer.detail


def test_the_namespaces_of_another_users_process_are_denied_without_rights() -> None:
    answer = ask_without_rights(View(within=1))
    assert isinstance(answer, NotAnswered)
    assert answer.why is Why.DENIED
    assert "process 1" in answer.detail
