"""The hosts: commands reach the worker, and nothing that happens to a process harms the program."""

from __future__ import annotations

import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lava")
if sys.platform != "linux":
    pytest.skip("Lava hosts need Linux", allow_module_level=True)

from brian2lava.engine import host as host_module
from brian2lava.engine.host import InlineHost, WorkerTraceback, choose_host, interrupts_deferred
from brian2lava.engine.memory import arena
from brian2lava.errors import EngineDied, EngineError
from brian2lava.processes import forking, lava_host
from brian2lava.processes.lava_host import LavaHost

SOURCES = str(Path(host_module.__file__).parents[2])


@pytest.fixture(autouse=True)
def no_host_of_other_tests() -> Iterator[None]:
    """A process keeps its Lava host; the one that other tests used has another worker."""
    _close_shared_host()
    yield
    _close_shared_host()


def _close_shared_host() -> None:
    if lava_host._shared is not None:
        lava_host._shared.close()
        lava_host._shared = None


class Unpicklable(Exception):
    """Its pickle can't be read back: the constructor wants two arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


class Worker:
    """Does by name what the tests need."""

    def execute(self, command: tuple[object, ...]) -> object:
        name, *arguments = command
        return getattr(self, str(name))(*arguments)

    def echo(self, value: object) -> object:
        return value

    def pid(self) -> int:
        return os.getpid()

    def sleep(self, seconds: float) -> str:
        time.sleep(seconds)
        return "slept"

    def fail(self, text: str) -> None:
        raise LookupError(text)

    def fail_oddly(self) -> None:
        raise Unpicklable("odd", "ly")

    def leave(self) -> None:
        sys.exit(3)

    def add_one(self, address: int, count: int) -> None:
        import ctypes

        numbers = (ctypes.c_double * count).from_address(address)
        for index in range(count):
            numbers[index] += 1

    def ignores_interrupts(self) -> bool:
        return signal.getsignal(signal.SIGINT) is signal.SIG_IGN

    def read_file(self, number: int) -> bytes:
        return os.read(number, 10)

    def print(self, text: str) -> None:
        import ctypes

        print(text, "from Python")
        ctypes.CDLL(None).printf(f"{text} from C\n".encode())

    def kill(self, number: int) -> None:
        os.kill(os.getpid(), number)
        time.sleep(10)


@pytest.fixture
def host() -> Iterator[LavaHost]:
    host = LavaHost(Worker)
    yield host
    host.close()


def children() -> set[int]:
    """Process ids of the living children of this process, of all its threads."""
    found: set[int] = set()
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):  # it has ended in the meantime
            found.update(map(int, Path(f"/proc/self/task/{thread}/children").read_text().split()))
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def nothing_new_in_shared_memory(before: set[str]) -> bool:
    """Whether all files there now were there ``before``, when what other programs have is gone."""
    return wait_until(lambda: set(os.listdir("/dev/shm")) <= before)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


#: Hosts don't need Brian2: scripts that begin so don't import it.
WITHOUT_BRIAN = f"""
import sys, types
sys.modules["brian2lava"] = types.ModuleType("brian2lava")
sys.modules["brian2lava"].__path__ = [{SOURCES + "/brian2lava"!r}]
"""


def run_script(
    text: str, *options: str, start: str = WITHOUT_BRIAN, session: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a script, given on standard input, in a Python of its own; it can import this file."""
    path = os.pathsep.join([SOURCES, str(Path(__file__).parent)])
    return subprocess.run(
        [sys.executable, *options, "-"],
        input=start + textwrap.dedent(text),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=session,
    )


# --- commands and replies ---------------------------------------------------------------------


def test_commands_run_in_another_process(host: LavaHost) -> None:
    host.begin(10)
    assert host.execute(("pid",)) == host.pids["process model"] != os.getpid()
    assert [host.execute(("echo", n)) for n in range(50)] == list(range(50))
    host.end()


def test_runs_follow_each_other(host: LavaHost) -> None:
    pids = set()
    for steps in (1, 0, 10**12):
        host.begin(steps)
        pids.add(host.execute(("pid",)))
        host.end()
    assert len(pids) == 1


def test_runs_may_be_nested_and_commands_need_no_run(host: LavaHost) -> None:
    assert host.execute(("echo", 1)) == 1
    host.begin(2)
    host.begin(3)
    host.end()
    assert host.execute(("echo", 2)) == 2
    host.end()
    assert host.execute(("echo", 3)) == 3


@pytest.mark.parametrize("nbytes", [0, 60_000, 66_000, 5_000_000])
def test_long_commands_and_replies(host: LavaHost, nbytes: int) -> None:
    text = os.urandom(nbytes)
    assert host.execute(("echo", text)) == text


def test_arena_is_shared_also_where_it_grew_after_the_start(host: LavaHost) -> None:
    numbers = arena().allocate(8 * 1000).array(np.float64, 1000)
    numbers[:] = np.arange(1000)
    host.execute(("add_one", numbers.ctypes.data, 1000))
    np.testing.assert_array_equal(numbers, np.arange(1000) + 1)


def test_exceptions_come_with_their_traceback(host: LavaHost) -> None:
    with pytest.raises(LookupError, match="a name that tells") as caught:
        host.execute(("fail", "a name that tells"))
    assert isinstance(caught.value.__cause__, WorkerTraceback)
    assert "in fail" in str(caught.value.__cause__)
    assert "raise LookupError(text)" in str(caught.value.__cause__)
    assert host.execute(("echo", 1)) == 1


def test_exceptions_that_cannot_travel_become_engine_errors(host: LavaHost) -> None:
    with pytest.raises(EngineError, match="Unpicklable: oddly") as caught:
        host.execute(("fail_oddly",))
    assert "in fail_oddly" in str(caught.value.__cause__)


def test_a_command_cannot_end_the_process(host: LavaHost) -> None:
    with pytest.raises(SystemExit):
        host.execute(("leave",))
    assert host.execute(("echo", 1)) == 1


def test_a_worker_that_cannot_be_made_is_reported() -> None:
    def make_worker() -> Worker:
        raise LookupError("no such engine")

    before = children()
    with pytest.raises(LookupError, match="no such engine"):
        LavaHost(make_worker)
    assert wait_until(lambda: children() == before)


def test_round_trip_is_fast(host: LavaHost) -> None:
    host.begin(1)
    took = []
    for _ in range(500):
        start = time.perf_counter()
        host.execute(("echo", 1))
        took.append(time.perf_counter() - start)
    host.end()
    assert min(took) < 500e-6  # the median is about 55e-6 on an idle machine


# --- processes that die -----------------------------------------------------------------------


@pytest.mark.parametrize("role", ["process model", "runtime service"])
def test_killed_process_is_named_within_a_second(role: str) -> None:
    files, before = set(os.listdir("/dev/shm")), children()
    host = LavaHost(Worker)
    pids = host.pids
    host.begin(100)
    threading.Timer(0.2, os.kill, (pids[role], signal.SIGKILL)).start()
    start = time.monotonic()
    with pytest.raises(EngineDied, match=f"{role} .*was killed by SIGKILL .*'sleep'"):
        host.execute(("sleep", 30))
    assert time.monotonic() - start < 2.2
    host.end()
    assert all(gone(pid) for pid in pids.values())
    assert children() == before
    assert nothing_new_in_shared_memory(files)
    assert not host.alive


def test_killed_between_runs(host: LavaHost) -> None:
    os.kill(host.pids["process model"], signal.SIGKILL)
    assert wait_until(lambda: not host.alive)
    with pytest.raises(EngineDied, match="A new run starts another one"):
        host.begin(1)


def test_killed_at_the_end_of_a_run(host: LavaHost) -> None:
    host.begin(1)
    os.kill(host.pids["runtime service"], signal.SIGKILL)
    with pytest.raises(EngineDied, match="runtime service"):
        host.end()


def test_a_crash_is_named(host: LavaHost) -> None:
    with pytest.raises(EngineDied, match="was killed by SIGSEGV .*user's function"):
        host.execute(("kill", signal.SIGSEGV))


def test_the_next_run_gets_a_new_host() -> None:
    first, reason = choose_host("lava", Worker)
    assert (first.name, reason) == ("lava", None)
    assert choose_host("lava", Worker)[0] is first
    assert isinstance(first, LavaHost)
    with pytest.raises(EngineDied):
        first.execute(("kill", signal.SIGKILL))
    second, _ = choose_host("lava", Worker)
    assert second is not first
    assert second.execute(("echo", "works")) == "works"
    second.close()


def test_close_from_another_thread_ends_a_command() -> None:
    host = LavaHost(Worker)
    threading.Timer(0.1, host.close).start()
    with pytest.raises(EngineDied, match=r"closed|ended"):
        host.execute(("sleep", 30))
    assert wait_until(lambda: not host.alive)


# --- Ctrl-C -----------------------------------------------------------------------------------


def interrupt_after(seconds: float) -> None:
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()


@pytest.fixture
def keyboard() -> Iterator[None]:
    """Ctrl-C raises, also where the tests were started in the background: there it is ignored, and
    Brian2's own handler fails when it hands an interrupt on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("keyboard")
def test_interrupt_waits_for_the_command(host: LavaHost) -> None:
    host.begin(10)
    interrupt_after(0.05)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        host.execute(("sleep", 0.25))
    assert 0.2 < time.monotonic() - start < 10
    assert host.last_result == "slept"
    host.end()
    host.begin(10)
    assert host.execute(("echo", "next run")) == "next run"
    host.end()


@pytest.mark.usefixtures("keyboard")
def test_interrupt_waits_for_the_command_inline() -> None:
    inline = InlineHost(Worker())
    interrupt_after(0.05)
    with pytest.raises(KeyboardInterrupt):
        inline.execute(("sleep", 0.2))
    assert inline.last_result == "slept"


def test_interrupts_go_to_the_handler_that_was_there() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
    try:
        with interrupts_deferred():
            signal.raise_signal(signal.SIGINT)
            assert seen == []
        assert seen == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_signals_leave_the_mailbox_in_order(host: LavaHost) -> None:
    def ring(number: int, frame: object) -> None:
        raise TimeoutError("the user's alarm")

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(TimeoutError, match="the user's alarm"):
            host.execute(("sleep", 0.2))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert host.execute(("echo", "mine")) == "mine"


def test_lava_processes_ignore_the_terminal(host: LavaHost) -> None:
    assert host.execute(("ignores_interrupts",)) is True
    for pid in host.pids.values():
        os.kill(pid, signal.SIGINT)
    assert host.execute(("echo", 1)) == 1


def test_ctrl_c_in_a_terminal_stops_once_and_leaves_nothing() -> None:
    """The whole process group gets the signal, as from a terminal."""
    script = """
        import os, signal, threading
        from brian2lava.engine.host import choose_host
        from test_host import Worker
        host, _ = choose_host("lava", Worker)
        host.begin(1)
        threading.Timer(0.1, os.killpg, (0, signal.SIGINT)).start()
        try:
            host.execute(("sleep", 0.25))
        except KeyboardInterrupt:
            print("interrupted", host.last_result)
        host.end()
        print(host.execute(("echo", "again")), *host.pids.values())
    """
    done = run_script(script, session=True)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == "interrupted slept"
    assert second.startswith("again")
    assert all(gone(int(pid)) for pid in second.split()[1:])


# --- nothing stays ----------------------------------------------------------------------------


def test_close_leaves_nothing() -> None:
    files, before = set(os.listdir("/dev/shm")), children()
    host = LavaHost(Worker)
    host.execute(("echo", 1))
    pids = host.pids
    assert children() == before | set(pids.values())
    assert nothing_new_in_shared_memory(files)  # not even while it runs
    host.close()
    host.close()
    assert children() == before
    assert all(gone(pid) for pid in pids.values())


def test_a_host_that_never_ran_closes_too() -> None:
    start = time.monotonic()
    LavaHost(Worker).close()
    assert time.monotonic() - start < 10


def held() -> dict[str, int]:
    """What must not grow: handlers, Lava processes, threads, open files, children."""
    from lava.magma.core.process.process import ProcessServer

    gc.collect()
    return {
        "handlers": len(logging.getLogger().handlers),
        "compiler handlers": len(logging.getLogger("lava.magma.compiler.compiler").handlers),
        "lava processes": len(ProcessServer().processes),
        "threads": threading.active_count(),
        "files": len(os.listdir("/proc/self/fd")),
        "children": len(children()),
        "finalizers": len(multiprocessing.util._finalizer_registry),  # type: ignore[attr-defined]
    }


def test_fifty_hosts_leak_nothing() -> None:
    def once(ends_badly: bool) -> None:
        host = LavaHost(Worker)
        host.execute(("echo", 1))
        if ends_badly:
            with pytest.raises(EngineDied):
                host.execute(("kill", signal.SIGKILL))
        host.close()

    once(False)
    once(True)
    wait_until(lambda: threading.active_count() == 1, 1)
    before = held()
    for number in range(50):
        once(ends_badly=number % 10 == 0)
    assert wait_until(lambda: held() == before), (before, held())


def test_a_program_that_never_closes_ends_quietly_and_soon() -> None:
    script = """
        from brian2lava.engine.host import choose_host
        from test_host import Worker
        host, _ = choose_host("lava", Worker)
        host.begin(5)
        print(host.execute(("pid",)), *host.pids.values())
    """
    start = time.monotonic()
    done = run_script(script, "-W", "error::DeprecationWarning:multiprocessing")
    assert (done.stderr, done.returncode) == ("", 0)
    assert all(gone(int(pid)) for pid in done.stdout.split())
    assert time.monotonic() - start < 15


def test_a_killed_program_takes_its_lava_processes_along() -> None:
    script = """
        import os, signal
        from brian2lava.engine.host import choose_host
        from test_host import Worker
        host, _ = choose_host("lava", Worker)
        host.begin(5)
        print(host.execute(("pid",)), *host.pids.values(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    files = set(os.listdir("/dev/shm"))
    done = run_script(script)
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 3
    assert wait_until(lambda: all(gone(pid) for pid in pids))
    assert nothing_new_in_shared_memory(files)


def test_output_is_written_once() -> None:
    """What the program has printed but not written yet isn't written by its children as well."""
    script = """
        import atexit, sys
        from brian2lava.engine.host import choose_host
        from test_host import Worker
        atexit.register(print, "at exit")
        log = open(sys.argv[1] if len(sys.argv) > 1 else "/dev/stdout", "w")
        log.write("to a file\\n")
        sys.stdout.write("to the screen\\n")
        host, _ = choose_host("lava", Worker)
        host.execute(("echo", 1))
        host.close()
    """
    done = run_script(script)
    assert sorted(done.stdout.splitlines()) == ["at exit", "to a file", "to the screen"]


def test_what_a_worker_prints_is_seen_once_and_in_time() -> None:
    script = """
        import ctypes
        from brian2lava.engine.host import choose_host
        from test_host import Worker
        ctypes.CDLL(None).printf(b"before\\n")
        host, _ = choose_host("lava", Worker)
        host.begin(1)
        host.execute(("print", "run"))
        host.end()
        print("after", flush=True)
        host.close()
    """
    done = run_script(script)
    assert sorted(done.stdout.splitlines()[:-1]) == ["before", "run from C", "run from Python"]
    assert done.stdout.splitlines()[-1] == "after"


def test_files_of_the_program_are_not_kept_open(host: LavaHost) -> None:
    reader, writer = os.pipe()
    other = LavaHost(Worker)
    os.close(writer)
    assert os.read(reader, 1) == b""  # the end of the file: nobody else can write
    os.close(reader)
    other.close()


def test_numbers_that_lava_reuses_are_left_alone() -> None:
    """A file that is closed while Lava starts gives its number to a pipe of Lava's."""
    stale, other = os.pipe()
    files = forking._open_files()
    os.close(stale)
    os.close(other)
    reader, writer = os.pipe()
    assert (reader, writer) == (stale, other)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            forking._let_go_of(files)
            os.write(writer, b"reached")
        finally:
            os._exit(0)
    os.close(writer)
    assert os.read(reader, 10) == b"reached"
    os.close(reader)
    os.waitpid(child, 0)


def test_the_users_start_method_is_kept() -> None:
    script = """
        import multiprocessing
        from brian2lava.engine.host import choose_host
        from test_host import Worker
        host, _ = choose_host("lava", Worker)
        print(host.name, multiprocessing.get_start_method(allow_none=True))
        multiprocessing.set_start_method("spawn")
        host.close()
        host, _ = choose_host("lava", Worker)
        print(host.execute(("echo", host.name)), multiprocessing.get_start_method())
    """
    done = run_script(script)
    assert done.stdout.split() == ["lava", "None", "lava", "spawn"], done.stderr


# --- other threads, other processes -----------------------------------------------------------


def test_from_another_thread() -> None:
    """The host outlives the thread that started it."""
    hosts: list[LavaHost] = []

    def start() -> None:
        hosts.append(LavaHost(Worker))
        hosts[0].execute(("echo", 1))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert hosts[0].execute(("echo", 2)) == 2
    hosts[0].close()


def test_threads_take_turns(host: LavaHost) -> None:
    log: list[int] = []

    def run(number: int) -> None:
        host.begin(10)
        for _ in range(20):
            log.append(int(str(host.execute(("echo", number)))))
        host.end()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    turns = [log[i : i + 20] for i in range(0, 80, 20)]
    assert sorted(turns) == [[n] * 20 for n in range(4)]


def host_in_worker(_: int) -> tuple[str, str | None, int, int]:
    host, reason = choose_host("lava", Worker)
    return host.name, reason, int(str(host.execute(("pid",)))), os.getpid()


def test_pool_workers_run_inline() -> None:
    outer, _ = choose_host("lava", Worker)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # our own pool forks beside threads
        with multiprocessing.get_context("fork").Pool(2) as pool:
            results = pool.map(host_in_worker, range(4), chunksize=1)
    for name, reason, where, pid in results:
        assert name == "inline"
        assert reason is not None and "daemonic" in reason
        assert where == pid != os.getpid()
    assert outer.execute(("echo", "still here")) == "still here"
    outer.close()


def test_forked_programs_start_their_own() -> None:
    outer, _ = choose_host("lava", Worker)
    ours = outer.execute(("pid",))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            name, _, where, pid = pool.submit(host_in_worker, 0).result(timeout=30)
    assert name == "lava"
    assert where not in (ours, pid, os.getpid())
    assert wait_until(lambda: gone(where))
    assert outer.execute(("pid",)) == ours
    outer.close()


def test_a_bare_fork_neither_uses_nor_closes_it() -> None:
    script = """
        import os, sys
        from brian2lava.engine.host import choose_host
        from brian2lava.errors import EngineDied
        from test_host import Worker
        host, _ = choose_host("lava", Worker)
        if os.fork() == 0:
            try:
                host.execute(("echo", 1))
            except EngineDied as error:
                print("refused:", "forked" in str(error), flush=True)
            host.close()
            sys.exit(0)
        os.wait()
        print("ours:", host.execute(("echo", "alive")))
    """
    done = run_script(script, "-W", "ignore::DeprecationWarning")
    assert done.stdout.splitlines() == ["refused: True", "ours: alive"], done.stderr
    assert done.stderr == ""


# --- when Lava can't be -----------------------------------------------------------------------


def test_inline_on_request() -> None:
    host, reason = choose_host("inline", Worker)
    host.begin(3)
    assert (host.name, reason, host.execute(("pid",))) == ("inline", None, os.getpid())
    host.end()
    host.close()
    assert choose_host("inline", Worker)[0] is host


def test_other_systems_run_inline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    host, reason = choose_host("lava", Worker)
    assert host.name == "inline"
    assert reason == "Lava processes need Linux to share memory; this is darwin."


def test_without_lava_it_runs_inline() -> None:
    script = """
        import sys
        sys.modules["lava"] = None
        from brian2lava.engine.host import choose_host
        host, reason = choose_host("lava", type("Worker", (), {}))
        print(host.name, "|", reason)
    """
    done = run_script(script)
    assert done.stdout.startswith("inline | Lava can't be imported (ModuleNotFoundError"), (
        done.stderr
    )


def test_importing_the_hosts_does_not_import_lava() -> None:
    done = run_script(
        """
        import sys
        import brian2lava.engine.host
        print(any(name.split(".")[0] == "lava" for name in sys.modules))
        """,
        start="",
    )
    assert done.stdout.strip() == "False", done.stderr


def test_full_shared_memory_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    state = os.statvfs("/dev/shm")
    full = os.statvfs_result((*state[:3], 0, 0, *state[5:]))
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    with pytest.raises(EngineError, match=r"/dev/shm is full; .* 65536 bytes .*--shm-size"):
        LavaHost(Worker)


def test_process_limit_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    with pytest.raises(EngineError, match=r"allows no more processes \(ulimit -u\)"):
        LavaHost(Worker)
