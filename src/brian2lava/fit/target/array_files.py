"""NPZ and MAT files -> arrays by name. Sizes are looked up before anything is unpacked."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brian2lava.errors import FitError

#: Bytes of all arrays of a file together, unpacked: 10^7 samples of six values.
MOST_UNPACKED = 1 << 29
_NUMERIC = {
    "double", "single", "logical", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
    "uint64",
}  # fmt: skip


def read_npz(name: str, data: bytes, columns: Sequence[str] | None = None) -> Mapping[str, Any]:
    """The arrays of an NPZ file.

    Raises
    ------
    FitError
        It is no such file, or has Python objects in it, or is too large when unpacked.
    """
    _no_columns(name, columns)
    found: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            _check_unpacked(name, sum(member.file_size for member in members))
            for member in members:
                with archive.open(member) as stream:
                    _check_header(name, member, stream)
                with archive.open(member) as stream:
                    found[member.filename[: -len(".npy")]] = np.lib.format.read_array(
                        stream, allow_pickle=False
                    )
    except FitError:
        raise
    except Exception as problem:
        # zipfile, zlib and NumPy each have exceptions of their own for damaged files
        raise FitError(
            f"{name} can't be read as NPZ: {problem}. Save it again with numpy.savez."
        ) from None
    return found


def _check_header(name: str, member: zipfile.ZipInfo, stream: Any) -> None:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    if dtype.hasobject:
        raise FitError(
            f"{name}: {member.filename!r} has Python objects, which are never unpickled. Save plain"
            " numbers; trains of different lengths as arrays of their own, spikes_1, spikes_2."
        )
    size = int(np.prod([int(n) for n in shape], dtype=object)) * dtype.itemsize
    if size > member.file_size:
        raise FitError(f"{name}: {member.filename!r} is damaged; it is shorter than it says.")


def read_mat(name: str, data: bytes, columns: Sequence[str] | None = None) -> Mapping[str, Any]:
    """The numeric arrays of a MAT file (to version 7); structures and cells are passed over.

    Raises
    ------
    FitError
        It is no such file, has version 7.3, or is too large when unpacked.
    """
    _no_columns(name, columns)
    from scipy import io as scipy_io

    if data[:8] == b"\x89HDF\r\n\x1a\n" or data[:19] == b"MATLAB 7.3 MAT-file":
        raise FitError(f"{name} is a MAT file of version 7.3; save it with '-v7'.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # names, shapes and kinds, without unpacking
            listed = scipy_io.whosmat(io.BytesIO(data))
            wanted = [key for key, _, kind in listed if kind in _NUMERIC]
            sizes = [np.prod([int(n) for n in shape], dtype=object) * 8
                     for _, shape, kind in listed if kind in _NUMERIC]  # fmt: skip
            _check_unpacked(name, int(sum(sizes)))
            loaded = scipy_io.loadmat(io.BytesIO(data), variable_names=wanted) if wanted else {}
    except FitError:
        raise
    except Exception as problem:
        # SciPy lets the exceptions of zlib, struct and NumPy through
        raise FitError(
            f"{name} can't be read as MAT: {problem or type(problem).__name__}. Save it again with"
            " '-v7'."
        ) from None
    return {key: _flat(loaded[key]) for key in wanted if key in loaded}


def _flat(array: Any) -> Any:
    """MATLAB has no arrays of one dimension."""
    return array.ravel() if array.ndim == 2 and 1 in array.shape else array


def _check_unpacked(name: str, size: int) -> None:
    if size > MOST_UNPACKED:
        raise FitError(
            f"{name} has {size / 2**20:.0f} MiB when unpacked; {MOST_UNPACKED >> 20} MiB are the"
            " most. Save fewer samples."
        )


def _no_columns(name: str, columns: Sequence[str] | None) -> None:
    if columns is not None:
        raise FitError(f"{name}: columns= is for text; the arrays of this file have names.")
