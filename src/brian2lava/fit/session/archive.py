"""Members of a zip file, read from strangers: every size is bounded before anything is made of it.

What a file says about its sizes is not believed: members are read in pieces, and reading stops
where more comes than was said. Arrays are NPY without pickled objects, of plain numbers, and as
long as their headers say.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.errors import FitError

#: Bytes of a whole file; of a member after unpacking it says :data:`SESSION_MEMBERS`.
MOST_FILE = 2 << 30
#: Members are written as they are. A compressed one may unpack to so many times its size.
MOST_RATIO = 50
#: Arrays of one file: 10 sweeps with 100 repeats each, many times over.
MOST_ARRAYS = 20_000
_PIECE = 1 << 20
_KINDS = ("float64", "float32", "int32", "int64", "uint8")
#: What reading a damaged zip file may raise.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)


@dataclass(frozen=True)
class Member:
    """A name in the zip file, and how large it may be when unpacked (bytes)."""

    name: str
    most: int


#: What a session's file consists of.
SESSION_MEMBERS = (
    Member("session.json", 256 << 20),
    Member("arrays.npz", 2 << 30),
    Member("history.sqlite", 256 << 20),
)


def packed(members: Mapping[str, bytes]) -> bytes:
    """A zip file of these members, not compressed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            # a fixed date: the same session is the same file
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data)
    return file.getvalue()


def unpacked(data: bytes, members: tuple[Member, ...], what: str) -> dict[str, bytes]:
    """The members of a zip file, which has just these.

    Raises
    ------
    FitError
        It is none, it is damaged, lacks a member or has others, or unpacks to too much.
    """
    if len(data) > MOST_FILE:
        raise FitError(f"{what} has {len(data)} bytes; {MOST_FILE} are the most.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [each.filename for each in archive.infolist()]
            if sorted(found) != sorted(member.name for member in members):
                shown = ", ".join(map(repr, found[:5])) or "nothing"
                raise FitError(
                    f"{what} holds {shown}, and a session holds"
                    f" {', '.join(member.name for member in members)}. It is damaged, or another"
                    " kind of file."
                )
            return {each.name: _member(archive, each, what) for each in members}
    except DAMAGE as error:
        if isinstance(error, FitError):
            raise
        raise FitError(f"{what} is damaged ({error}).") from error


def _member(archive: zipfile.ZipFile, member: Member, what: str) -> bytes:
    entry = archive.getinfo(member.name)
    if entry.file_size > member.most:
        raise FitError(
            f"{what}: {member.name!r} would unpack to {entry.file_size} bytes; {member.most} are"
            " the most."
        )
    if entry.file_size > max(MOST_RATIO * entry.compress_size, _PIECE):
        raise FitError(
            f"{what}: {member.name!r} would unpack from {entry.compress_size} to"
            f" {entry.file_size} bytes; {MOST_RATIO} times are the most."
        )
    pieces, size = [], 0
    with archive.open(entry) as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > entry.file_size:
                raise FitError(
                    f"{what}: {member.name!r} unpacks to more than the {entry.file_size} bytes that"
                    " it declares."
                )
            pieces.append(piece)
    if size != entry.file_size:
        raise FitError(f"{what} is damaged ({member.name!r} is shorter than it says).")
    return b"".join(pieces)


# ---------------------------------------------------------------- arrays
def packed_arrays(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as an NPZ file, not compressed."""
    return packed({f"{name}.npy": _npy(values) for name, values in arrays.items()})


def _npy(values: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(values), allow_pickle=False)
    return file.getvalue()


def unpacked_arrays(data: bytes, what: str) -> dict[str, Any]:
    """The arrays of an NPZ file, read-only.

    Raises
    ------
    FitError
        It is damaged, has too many arrays, others than of plain numbers, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if len(entries) > MOST_ARRAYS or len(names) < len(entries):
                raise FitError(
                    f"{what} holds {len(entries)} arrays; {MOST_ARRAYS} of different names are the"
                    " most."
                )
            total = sum(entry.file_size for entry in entries)
            if total > MOST_FILE:
                raise FitError(f"{what} would unpack to {total} bytes; {MOST_FILE} are the most.")
            return {
                entry.filename.removesuffix(".npy"): _array(
                    _member(archive, Member(entry.filename, MOST_FILE), what), entry.filename, what
                )
                for entry in entries
            }
    except DAMAGE as error:
        if isinstance(error, FitError):
            raise
        raise FitError(f"{what} is damaged ({error}).") from error


def _array(data: bytes, name: str, what: str) -> Any:
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise FitError(f"{what}: {name!r} is NPY {version[0]}.{version[1]}; 1.0 is read.")
    shape, fortran, kind = np.lib.format.read_array_header_1_0(stream)
    # objects would be unpickled, which runs what their author likes
    if kind.name not in _KINDS or kind.hasobject or fortran or len(shape) > 2:
        raise FitError(
            f"{what}: {name!r} is an array of {kind} in {len(shape)} dimensions; one of"
            f" {', '.join(_KINDS)} in up to 2 is read."
        )
    left = len(data) - stream.tell()
    if any(length < 0 for length in shape) or math.prod(shape) * kind.itemsize != left:
        raise FitError(f"{what}: {name!r} has {left} bytes, and says that its shape is {shape}.")
    return np.frombuffer(data, kind, offset=stream.tell()).reshape(shape)
