"""Recordings: what is read, and what is refused with which words."""

from __future__ import annotations

import contextlib
import io
import pickle
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brian2lava.errors import FitError
from brian2lava.fit.target import crossings, read_recording, read_recording_bytes
from brian2lava.fit.target import recording as module
from brian2lava.fit.target.labels import read_label

CURRENT = np.repeat([0.0, 200.0, 0.0, 250.0], 50)
VOLTAGE = np.full(200, -70.0)
VOLTAGE[[60, 80, 160, 180]] = 20.0
SPIKES = [6e-3, 8e-3, 16e-3, 18e-3]
TIME = np.arange(200) * 0.1


def table(*columns: tuple[str, Any], separator: str = ",") -> bytes:
    lines = [separator.join(name for name, _ in columns)]
    length = max(len(values) for _, values in columns)
    for k in range(length):
        lines.append(separator.join(repr(float(v[k])) if k < len(v) else "" for _, v in columns))
    return "\n".join(lines).encode()


GOOD = table(("t (ms)", TIME), ("I (pA)", CURRENT), ("V (mV)", VOLTAGE))


def check(target: Any) -> None:
    assert target.dt == pytest.approx(1e-4)
    assert target.unit == "A"
    (sweep,) = target.sweeps
    np.testing.assert_allclose(sweep.current, CURRENT * 1e-12)
    np.testing.assert_allclose(sweep.voltage, VOLTAGE * 1e-3)
    np.testing.assert_allclose(sweep.spikes[0], SPIKES)


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def mat(arrays: dict[str, Any], **options: Any) -> bytes:
    from scipy.io import savemat

    stream = io.BytesIO()
    savemat(stream, arrays, **options)
    return stream.getvalue()


# ---------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("text", "kind", "unit"),
    [
        ("I (pA)", "current", "pA"), ("current_nA", "current", "nA"), ("V_mV", "voltage", "mV"),
        ("time_ms", "time", "ms"), ("t [s]", "time", "s"), ("Vm [mV]", "voltage", "mV"),
        ("stimulus current (µA)", "current", "µA"), ("v_mv", "voltage", "mv"),
        ("spike_times_ms", "spikes", "ms"), ("spikes 3", "spikes", None), ("dt", "dt", None),
        ("fs_kHz", "rate", "kHz"), ("V_mV_2", "voltage", "mV"), ("Ch1 (pA)", "current", "pA"),
        ("trial 2 membrane potential / mV", "voltage", "mV"), ("I", "current", None),
        ("temperature", "other", None), ("", "other", None), ("I (1)", "current", "1"),
    ],
)  # fmt: skip
def test_names_say_what_columns_are(text: str, kind: str, unit: str | None) -> None:
    label = read_label(text)
    assert (label.kind, label.unit) == (kind, unit)


@pytest.mark.parametrize(
    ("name", "factor"),
    [("I (A)", 1), ("I (mA)", 1e-3), ("I (uA)", 1e-6), ("I_nA", 1e-9), ("i_pa", 1e-12),
     ("V (V)", 1), ("V (µV)", 1e-6), ("t (us)", 1e-6), ("t (sec)", 1), ("spikes (ms)", 1e-3)],
)  # fmt: skip
def test_units_are_what_they_are(name: str, factor: float) -> None:
    assert read_label(name).factor({}) == pytest.approx(factor)


# ---------------------------------------------------------------- what is read
def test_a_table_is_read(tmp_path: Path) -> None:
    place = tmp_path / "cell 7.csv"
    place.write_bytes(GOOD)
    target = read_recording(place)
    check(target)
    assert (target.name, target.source) == ("cell 7", "recording cell 7.csv")
    check(read_recording_bytes("a.csv", b"\xef\xbb\xbf" + GOOD))


def test_tables_have_many_forms() -> None:
    text = GOOD.decode()
    check(read_recording_bytes("a.tsv", text.replace(",", "\t").encode()))
    check(read_recording_bytes("a.csv", text.replace("\n", "\r\n").encode()))
    check(read_recording_bytes("a.csv", text.replace(",", ";").replace(".", ",").encode()))
    check(read_recording_bytes("a.dat", text.replace(",", "  ").encode()))
    check(read_recording_bytes("a.csv", ("# rig 3\n\n# July\n" + text).encode()))
    rows = text.partition("\n")[2]
    check(read_recording_bytes("a.csv", ("# t (ms), I (pA), V (mV)\n" + rows).encode()))
    names = ["t (ms)", "I (pA)", "V (mV)"]
    check(read_recording_bytes("a.csv", rows.encode(), columns=names))
    numbered = table(("", range(200)), ("I", CURRENT), ("V", VOLTAGE))
    units = {"current": "pA", "voltage": "mV"}
    check(read_recording_bytes("a.csv", numbered, dt=1e-4, units=units))


def test_times_may_begin_anywhere() -> None:
    late = table(
        ("t (s)", 3 + TIME * 1e-3), ("I (nA)", CURRENT * 1e-3), ("spikes (s)", [3.006, 3.018])
    )
    target = read_recording_bytes("a.csv", late)
    np.testing.assert_allclose(target.sweeps[0].spikes[0], [6e-3, 18e-3])
    assert target.sweeps[0].voltage is None


def test_spikes_may_be_marks() -> None:
    marks = np.zeros(200)
    marks[[60, 80, 160, 180]] = 1
    data = table(("t (ms)", TIME), ("I (pA)", CURRENT), ("spikes", marks))
    np.testing.assert_allclose(read_recording_bytes("a.csv", data).sweeps[0].spikes[0], SPIKES)


def test_one_current_with_several_answers_is_repeats() -> None:
    other = np.roll(VOLTAGE, 3)
    for data in (
        table(("t (ms)", TIME), ("I (pA)", CURRENT), ("V (mV)", VOLTAGE), ("V (mV)", other)),
        table(("t (ms)", TIME), ("I1_pA", CURRENT), ("V1_mV", VOLTAGE), ("I2_pA", CURRENT),
              ("V2_mV", other)),
    ):  # fmt: skip
        (sweep,) = read_recording_bytes("a.csv", data).sweeps
        assert len(sweep.spikes) == 2
        np.testing.assert_allclose(sweep.spikes[1], np.add(SPIKES, 3e-4))
    arrays = {"dt_ms": 0.1, "current_pA": CURRENT, "voltage_mV": [VOLTAGE, other]}
    (sweep,) = read_recording_bytes("a.npz", npz(**arrays)).sweeps
    np.testing.assert_allclose(sweep.spikes[1], np.add(SPIKES, 3e-4))


def test_several_currents_are_sweeps() -> None:
    arrays = {
        "fs_kHz": 10.0,
        "current_pA": np.stack([CURRENT, 2 * CURRENT]).T,
        "voltage_mV": np.stack([VOLTAGE, np.roll(VOLTAGE, 3)]).T,
    }
    for target in (
        read_recording_bytes("a.npz", npz(**arrays)),
        read_recording_bytes("a.mat", mat(arrays)),
        read_recording_bytes("a.mat", mat(arrays, do_compression=True)),
    ):
        first, second = target.sweeps
        np.testing.assert_allclose(second.current, 2e-12 * CURRENT)
        np.testing.assert_allclose(first.spikes[0], SPIKES)
        assert target.dt == pytest.approx(1e-4)


def test_spike_trains_of_different_lengths() -> None:
    arrays = {"dt": 1e-4, "current_pA": CURRENT, "spikes_1": [0.001], "spikes_2": [0.002, 0.003]}
    units = {"time": "s"}
    (sweep,) = read_recording_bytes("a.npz", npz(**arrays), units=units).sweeps
    assert [train.tolist() for train in sweep.spikes] == [[0.001], [0.002, 0.003]]
    (sweep,) = read_recording_bytes(
        "a.mat", mat({"dt": 1e-4, "I_pA": CURRENT, "spikes_s": [[0.001, np.nan], [0.002, 0.003]]}),
        units=units,
    ).sweeps  # fmt: skip
    assert [train.tolist() for train in sweep.spikes] == [[0.001], [0.002, 0.003]]


def test_a_voltage_alone_and_a_current_without_unit() -> None:
    flat = npz(dt_ms=0.1, current_pA=CURRENT, voltage_mV=np.full(200, -70.0))
    assert read_recording_bytes("a.npz", flat, spike_threshold=None).sweeps[0].spikes == ()
    bare = npz(dt_ms=0.1, current=CURRENT, voltage_mV=VOLTAGE)
    assert read_recording_bytes("a.npz", bare, units={"current": "1"}).unit == "1"


def test_spans_are_passed_on() -> None:
    target = read_recording_bytes("a.csv", GOOD, train=[(0, 0.005)], held_out=[(0.01, 0.015)])
    assert target.held_out == ((0.01, 0.015),)


# ---------------------------------------------------------------- crossings
def test_noise_at_the_threshold_is_one_spike() -> None:
    voltage = np.array([-70, -1, 1, -1, 1, -70, 1, -4, 1, -6, 1, 1]) * 1e-3
    assert crossings(voltage).tolist() == [2, 6, 10]
    assert crossings(np.array([10, 20, -70, 20]) * 1e-3).tolist() == [3]
    assert crossings(np.full(5, -0.07)).size == 0


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=60), st.floats(-0.05, 0.05))
def test_crossings_are_what_the_slow_way_finds(values: list[float], threshold: float) -> None:
    armed, found = values[0] < threshold, []
    for k, value in enumerate(values[1:], start=1):
        if armed and value >= threshold:
            found.append(k)
            armed = False
        elif value < threshold - 5e-3:
            armed = True
    assert crossings(np.array(values), threshold).tolist() == found


# ---------------------------------------------------------------- what is refused
def bad(name: str, data: bytes, says: str, **options: Any) -> Any:
    return pytest.param(name, data, options, says, id=says[:40])


BAD = [
    bad("a.csv", b"", "a.csv is empty"),
    bad("a.csv", b"\n\n", "no line with numbers"),
    bad("a.csv", b"t (ms),I (pA),V (mV)\n", "and no numbers"),
    bad("a.csv", GOOD.split(b"\n")[0] + b"\n0,1,2\n", "has 1 sample"),
    bad("a.csv", b"0,1,2\n1,2,3\n", "no line that names its columns"),
    bad("a.csv", "t (ms),I (µA)\n".encode("latin-1"), "no text in UTF-8: byte 0xb5 at 10"),
    bad("a.csv", GOOD.decode().encode("utf-16"), "UTF-16"),
    bad("a.csv", b"t\0(ms)\n" * 9, "null bytes"),
    bad("a.csv", bytes(range(256)) * 9, "UTF-8|null bytes"),
    bad("a.csv", GOOD.replace(b"0.5,", b"0.5x,"), "line 7, column 1: '0.5x' is no number"),
    bad("a.csv", GOOD + b"\n1,2,3,4", "line 202: 4 cells, and 3 columns"),
    bad("a.csv", GOOD.replace(b"I (pA)", b"I"), r"'I' has no unit \(values from 0 to 250\)"),
    bad("a.csv", GOOD.replace(b"pA", b"parsec"), "'parsec' is no unit that is known"),
    bad("a.csv", GOOD.replace(b"pA", b"mV"), "a current can't be in 'mV'"),
    bad("a.csv", GOOD.replace(b"pA", b"nA").replace(b"200.0", b"2000.0"), "none that a neuron has"),
    bad("a.csv", GOOD.replace(b"mV", b"V"), "reaches 70 V.* Is the unit right"),
    bad("a.csv", GOOD.replace(b"(ms)", b"(s)"), "0.1 s between samples"),
    bad("a.csv", GOOD.replace(b"t (ms)", b"number"), "there is no time; found 'number'"),
    bad("a.csv", GOOD.replace(b"I (pA)", b"x"), "there is no current; found 't \\(ms\\)', 'x'"),
    bad("a.csv", GOOD.replace(b"V (mV)", b"x"), "neither a voltage nor spike times"),
    bad("a.csv", GOOD.replace(b"\n5.0,", b"\n5.9,"), "not evenly spaced"),
    bad("a.csv", table(("t (ms)", TIME[::-1]), ("I (pA)", CURRENT), ("V (mV)", VOLTAGE)),
        "does not increase"),
    bad("a.csv", table(("t (ms)", TIME), ("I (pA)", CURRENT), ("V (mV)", VOLTAGE[:-9])),
        "'I \\(pA\\)' has 200 samples and 'V \\(mV\\)' 191"),
    bad("a.csv", table(("t (ms)", TIME[:-9]), ("I (pA)", CURRENT), ("V (mV)", VOLTAGE)),
        "191 times, and the current 200"),
    bad("a.csv", GOOD.replace(b"200.0,", b"nan,", 1), "sample 50 is nan"),
    bad("a.csv", GOOD.replace(b"200.0,", b"inf,", 1), "sample 50 is inf"),
    bad("a.csv", table(("t (ms)", TIME), ("I (pA)", CURRENT), ("V (mV)", VOLTAGE - 50)),
        r"no spike: the voltage reaches -30.0 mV and never crosses 0 mV.*spike_threshold"),
    bad("a.csv", table(("t (ms)", TIME), ("I (pA)", CURRENT), ("spikes (s)", [6.0])),
        "spikes from 6 to 6 s, in a recording from 0 to 0.02 s"),
    bad("a.csv", GOOD, "dt=0.001 s was given, and the recording has 0.0001", dt=1e-3),
    bad("a.csv", GOOD, "units of 'volt'", units={"volt": "mV"}),
    bad("a.csv", table(("I1_pA", CURRENT), ("I2_pA", CURRENT), ("V_mV", VOLTAGE)),
        "2 currents and 1 answers", dt=1e-4),
    bad("a.xlsx", GOOD, "end in '.xlsx' can't be read; there are .csv"),
    bad("recording", GOOD, "end in 'nothing'"),
    bad("a.npz", GOOD, "can't be read as NPZ"),
    bad("a.npz", npz(dt_ms=0.1, current_pA=CURRENT, voltage_mV=VOLTAGE)[:2000], "read as NPZ"),
    bad("a.npz", npz(I_pA=np.array(["a", "b"])), "has no numbers"),
    bad("a.npz", npz(I_pA=np.zeros((2, 2, 2))), "one or two dimensions"),
    bad("a.npz", npz(I_pA=np.ones(10, complex)), "has no numbers"),
    bad("a.npz", npz(dt=[1.0, 2], I_pA=CURRENT, V_mV=VOLTAGE), "'dt' has 2 values"),
    bad("a.npz", npz(I_pA=np.zeros(10**7 + 1, np.int8)), "10000001 samples; 10000000 are the most"),
    bad("a.npz", npz(I_pA=CURRENT), "columns= is for text", columns=["a"]),
    bad("a.mat", GOOD, "can't be read as MAT"),
    bad("a.mat", mat({"name": "x", "cell": {"I": 1}}), "there is no current; found nothing"),
    bad("a.mat", b"MATLAB 7.3 MAT-file, Platform" + bytes(500), "version 7.3; save it with"),
    bad("a.nwb", GOOD, r"NWB|brian2lava\[nwb\]"),
    bad("a.abf", GOOD, r"ABF|brian2lava\[abf\]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "options", "says"), BAD)
def test_bad_recordings_say_what_is_wrong(
    name: str, data: bytes, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(FitError, match=says):
        read_recording_bytes(name, data, **options)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="No such file"):
        read_recording(tmp_path / "nothing.csv")
    with pytest.raises(FitError, match="is no file"):
        read_recording(tmp_path)


def test_too_many_bytes_are_not_even_read(tmp_path: Path, monkeypatch: Any) -> None:
    place = tmp_path / "a.csv"
    with place.open("wb") as file:
        file.truncate(module.MOST_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(FitError, match="512 MiB are the most"):
        read_recording(place)


def test_too_many_rows_of_text() -> None:
    with pytest.raises(FitError, match="rows; 10000000 are the most"):
        read_recording_bytes("a.csv", b"I_pA,V_mV\n" + b"1,2\n" * (10**7 + 2000), dt=1e-4)


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("unpickled"),))


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    stream = io.BytesIO()
    np.savez(stream, I_pA=np.array([Bomb(), Bomb()], object))
    with pytest.raises(FitError, match="never unpickled"):
        read_recording_bytes("a.npz", stream.getvalue())
    for name in module.READERS:
        with pytest.raises(FitError):
            read_recording_bytes(f"a{name}", pickle.dumps(Bomb()))
    assert not list(tmp_path.iterdir())


def test_a_zip_bomb_is_not_unpacked() -> None:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("I_pA.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(9):
            member.write(bytes(64 << 20))
    with pytest.raises(FitError, match="576 MiB when unpacked; 512 MiB are the most"):
        read_recording_bytes("a.npz", stream.getvalue())


def test_a_header_that_promises_more_than_there_is() -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("I_pA.npy", stream.getvalue() + bytes(80))
    with pytest.raises(FitError, match="shorter than it says"):
        read_recording_bytes("a.npz", packed.getvalue())


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.sampled_from(sorted(module.READERS)), st.binary(max_size=300))
def test_garbage_is_an_error_of_ours(suffix: str, data: bytes) -> None:
    with pytest.raises(FitError):
        read_recording_bytes("garbage" + suffix, data)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.data())
def test_damaged_files_are_an_error_of_ours(data: st.DataObject) -> None:
    arrays = {"dt_ms": 0.1, "current_pA": CURRENT, "voltage_mV": VOLTAGE}
    name, whole = data.draw(
        st.sampled_from([("a.npz", npz(**arrays)), ("a.mat", mat(arrays)), ("a.csv", GOOD)])
    )
    damaged = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=20)):
        damaged[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FitError):
        read_recording_bytes(name, bytes(damaged))


# ---------------------------------------------------------------- with the extras
def test_nwb() -> None:
    h5py = pytest.importorskip("h5py", reason="h5py, of the extra nwb, is not installed")
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for place, kind, values in (
            ("acquisition/response", "CurrentClampSeries", VOLTAGE),
            ("stimulus/presentation/step", "CurrentClampStimulusSeries", CURRENT),
        ):
            series = file.create_group(place)
            series.attrs["neurodata_type"] = kind
            series.create_dataset("data", data=values).attrs["conversion"] = (
                1e-3 if "response" in place else 1e-12
            )
            series.create_dataset("starting_time", data=0.0).attrs["rate"] = 10_000.0
            series.create_dataset("sweep_number", data=4)
    check(read_recording_bytes("a.nwb", stream.getvalue()))


def test_abf_without_a_command(tmp_path: Path) -> None:
    reason = "pyabf, of the extra abf, is not installed"
    writer = pytest.importorskip("pyabf.abfWriter", reason=reason)
    writer.writeABF1(np.tile(VOLTAGE, (2, 30)), str(tmp_path / "a.abf"), 10_000.0, units="mV")
    with pytest.raises(FitError, match="a current in ''; a recording of current clamp"):
        read_recording(tmp_path / "a.abf")


class Amplifier:
    """What pyabf gives of a file with two sweeps."""

    dataRate, sweepList = 10_000, [0, 1]
    sweepUnitsY, sweepUnitsC = "mV", "pA"

    def __init__(self, path: str) -> None:
        assert Path(path).read_bytes() == b"as if"

    def setSweep(self, sweep: int) -> None:
        self.sweepY, self.sweepC = np.roll(VOLTAGE, sweep), CURRENT * (1 + sweep)


def test_abf_with_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    module_ = types.SimpleNamespace(ABF=Amplifier)
    monkeypatch.setitem(sys.modules, "pyabf", module_)
    first, second = read_recording_bytes("a.abf", b"as if").sweeps
    np.testing.assert_allclose(first.spikes[0], SPIKES)
    np.testing.assert_allclose(second.spikes[0], np.add(SPIKES, 1e-4))
    np.testing.assert_allclose(second.current, CURRENT * 2e-12)


@pytest.mark.parametrize(("name", "extra"), [("a.nwb", "nwb"), ("a.abf", "abf")])
def test_missing_packages_are_named(name: str, extra: str, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    monkeypatch.setitem(sys.modules, "pyabf", None)
    with pytest.raises(FitError, match=rf'pip install "brian2lava\[{extra}\]"'):
        read_recording_bytes(name, b"anything")
