"""Where programs run: notebooks, pools, threads, workers of pytest, standard input, odd paths."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.networks.devices import needs_lava_device
from tests.networks.programs import environment, program, run_program

pytestmark = needs_lava_device


def _spikes(text: str, **options: object) -> list[int]:
    """The numbers in the line "spikes …" of a program's output."""
    done = run_program(text, **options)  # type: ignore[arg-type]
    line = next(line for line in done.stdout.splitlines() if line.startswith("spikes"))
    return [int(word) for word in line.split()[1:]]


def _expected(*sizes: int) -> list[int]:
    """What Brian2's runtime mode counts for networks of these sizes."""
    text = program(
        f"""
        for size in {list(sizes)}:
            net = network(size, name=f"cells{{size}}")
            net.run(30*ms)
            counts = globals().setdefault("counts", [])
            counts.append(net[f"cells{{size}}_spikes"].num_spikes)
        print("spikes", *counts)
        """,
        'prefs.codegen.target = "numpy"',
    )
    return _spikes(text)


@pytest.mark.parametrize("method", ("fork", "spawn"))
def test_four_networks_in_a_pool(method: str, tmp_path: Path) -> None:
    """Pool workers can't have children, so they run inline, and say so; before and after a run."""
    script = tmp_path / "sweep.py"
    script.write_text(
        program(
            """
            import multiprocessing

            def one(size):
                net = network(size, name=f"cells{size}")
                net.run(30*ms)
                report = device.report()
                assert report.host == "inline" and report.notes, report
                return net[f"cells{size}_spikes"].num_spikes

            if __name__ == "__main__":
                context = multiprocessing.get_context(sys.argv[1])
                with context.Pool(2) as pool:
                    first = pool.map(one, [5, 10, 15, 20])
                net = network(5)
                net.run(30*ms)
                assert device.report().host == "lava", device.report()
                with context.Pool(2) as pool:
                    second = pool.map(one, [5, 10, 15, 20])
                assert first == second and net["cells_spikes"].num_spikes == first[0]
                print("spikes", *first)
            """
        )
    )
    done = subprocess.run(
        [sys.executable, str(script), method],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert [int(word) for word in done.stdout.split()[1:]] == _expected(5, 10, 15, 20)


def test_from_a_thread() -> None:
    """The whole simulation in a thread that isn't the first."""
    text = program(
        """
        def work():
            net = network(12)
            net.run(30*ms)
            print("spikes", net["cells_spikes"].num_spikes)
            assert device.report().host == "lava"
        for _ in range(2):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        """
    )
    assert _spikes(text) == _expected(12)


@pytest.mark.parametrize("host", ("lava", "inline"))
def test_cells_of_a_notebook(host: str) -> None:
    """Cells run one by one in a namespace, inside a running event loop, with output replaced."""
    cells = [
        "from brian2 import *\nimport brian2lava",
        f"set_device('lava', host='{host}')",
        """
        group = NeuronGroup(12, 'dv/dt = (1.5 + 0.01*i - v)/(5*ms) : 1', threshold='v > 1',
                            reset='v = 0', method='exact')
        group.v = np.linspace(0, 0.9, 12)
        spikes = SpikeMonitor(group)
        """,
        "run(10*ms, report='text')",
        "run(20*ms)",
        "print('spikes', spikes.num_spikes)",
    ]
    text = textwrap.dedent(
        f"""
        import asyncio, code, io, sys

        async def notebook():
            shell = code.InteractiveInterpreter({{"__name__": "__main__"}})
            for cell in {[textwrap.dedent(cell) for cell in cells]!r}:
                kept, sys.stderr = sys.stderr, io.StringIO()
                shell.runcode(compile(cell, "<cell>", "exec"))
                said, sys.stderr = sys.stderr.getvalue(), kept
                assert "Traceback" not in said, said
                await asyncio.sleep(0)

        asyncio.run(notebook())
        """
    )
    assert _spikes(text) == _expected(12)


def test_in_ipython() -> None:
    """The same in IPython's own shell, where it is installed."""
    pytest.importorskip("IPython")
    body = program("net = network(12); net.run(30*ms); n = net['cells_spikes'].num_spikes")
    text = textwrap.dedent(
        f"""
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_cell({body!r}).raise_error()
        shell.run_cell("print('spikes', n)").raise_error()
        """
    )
    assert _spikes(text) == _expected(12)


def test_under_pytest_xdist(tmp_path: Path) -> None:
    """Two workers of pytest-xdist, a Lava process each."""
    pytest.importorskip("xdist")
    (tmp_path / "test_inner.py").write_text(
        program("del test  # pytest would take it for one of its own")
        + textwrap.dedent(
            """
            import pytest

            @pytest.mark.parametrize("size", (5, 6, 7, 8))
            def test_runs(size):
                net = network(size, name=f"cells{size}")
                net.run(30*ms)
                assert net[f"cells{size}_spikes"].num_spikes > size
                assert device.report().host == "lava"
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment({"PYTEST_ADDOPTS": ""}),
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_script_from_standard_input() -> None:
    """No file holds the source."""
    text = program("net = network(12); net.run(30*ms); print('spikes', len(net['cells_spikes'].t))")
    assert _spikes(text) == _expected(12)


def test_paths_with_spaces(tmp_path: Path) -> None:
    """Script, working folder, cache, temporary folder and a user's source file."""
    folder = tmp_path / "a folder with spaces & ünïcode"
    for name in ("work here", "the cache", "the tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "twice it.cpp").write_text("double twice(double x) { return 2*x; }\n")
    script = folder / "my script.py"
    script.write_text(
        program(
            f"""
            source = {str(folder / "twice it.cpp")!r}
            @implementation("cpp", "double twice(double x);", sources=[source])
            @check_units(x=1, result=1)
            def twice(x):
                raise NotImplementedError

            group = NeuronGroup(3, "v : 1")
            group.run_regularly("v = twice(i)")
            net = network(12)
            net.add(group)
            net.run(30*ms)
            assert list(group.v) == [0, 2, 4]
            print("spikes", net["cells_spikes"].num_spikes)
            """
        )
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder / "work here",
        capture_output=True,
        text=True,
        env=environment(
            {"BRIAN2LAVA_CACHE": str(folder / "the cache"), "TMPDIR": str(folder / "the tmp")}
        ),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert list((folder / "the cache").glob("*.so"))
    assert list((folder / "work here").iterdir()) == []
    assert [int(word) for word in done.stdout.split()[1:]] == _expected(12)


def test_other_systems_run_inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS and Windows the host is inline, and the report says why."""
    text = program(
        """
        real, sys.platform = sys.platform, "darwin"
        net = network(12)
        net.run(30*ms)
        report = device.report()
        assert report.host == "inline" and report.notes, report
        sys.platform = real
        print("spikes", net["cells_spikes"].num_spikes)
        """
    )
    assert _spikes(text) == _expected(12)


def test_with_little_address_space() -> None:
    """Under ``ulimit -v`` the arena is smaller, and things work."""
    if sys.platform != "linux":
        pytest.skip("ulimit -v is Linux's")
    text = program("net = network(12); net.run(30*ms); print('spikes', len(net['cells_spikes'].t))")
    limited = ("sh", "-c", 'ulimit -v 6000000; exec "$@"', "sh")
    assert _spikes(text, prefix=limited) == _expected(12)


def test_while_the_program_has_threads_and_event_loops() -> None:
    """Other threads go on while a network runs."""
    text = program(
        """
        ticks, done = [0], threading.Event()
        def tick():
            while not done.wait(0.005):
                ticks[0] += 1
        threading.Thread(target=tick).start()
        try:
            net = network(12)
            net.run(30*ms)
            before = ticks[0]
            long_run = network(2000, name="large")
            long_run.run(20*second)
            assert ticks[0] - before > 10, ticks
            print("spikes", net["cells_spikes"].num_spikes)
        finally:
            done.set()
        """
    )
    assert _spikes(text) == _expected(12)
