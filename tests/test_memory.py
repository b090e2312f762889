"""The arena: views, growth, what a forked process sees, what is given back."""

from __future__ import annotations

import gc
import os

import numpy as np
import pytest

from brian2lava.engine.memory import GrowingArray, arena, shared_with_children

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is not there")


def in_child(action) -> None:
    """Do ``action`` in a forked process and wait for it."""
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def test_blocks_are_zero_aligned_and_apart():
    blocks = [arena().allocate(n) for n in (1, 64, 100, 5000, 70_000, 3 << 20)]
    for block in blocks:
        assert block.address % 64 == 0
        assert not block.array(np.uint8, block.nbytes).any()
    for one, other in zip(blocks[:-1], blocks[1:], strict=True):
        one.array(np.uint8, one.nbytes)[:] = 255
        assert not other.array(np.uint8, other.nbytes).any()


def test_a_block_that_is_used_again_is_zero():
    for nbytes in (64, 4096, 1 << 17, 5 << 20):
        block = arena().allocate(nbytes)
        block.array(np.uint8, nbytes)[:] = 7
        del block
        gc.collect()
        assert not arena().allocate(nbytes).array(np.uint8, nbytes).any()


def test_a_view_keeps_its_block():
    block = arena().allocate(800)
    view = block.array(np.float64, 100)
    view[:] = 3
    del block
    gc.collect()
    others = [arena().allocate(800).array(np.float64, 100) for _ in range(50)]
    for other in others:
        other[:] = 5
    assert (view == 3).all()


def test_a_view_larger_than_its_block_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        arena().allocate(64).array(np.float64, 1000)


def test_growing_keeps_what_is_there_and_shows_zeros_behind():
    array = GrowingArray(3, np.float64)
    array[:] = [1, 2, 3]
    array.resize(100_000)
    assert array[:3].tolist() == [1, 2, 3]
    assert not array[3:].any()
    array.resize(2)
    array.resize(4)
    assert array[:].tolist() == [1, 2, 0, 0]


def test_rows_keep_their_places_when_they_get_wider():
    array = GrowingArray((2, 3), np.int32)
    array[:] = [[1, 2, 3], [4, 5, 6]]
    array.resize((3, 4))
    assert array[:].tolist() == [[1, 2, 3, 0], [4, 5, 6, 0], [0, 0, 0, 0]]


def test_an_engine_grows_the_array_through_its_cell():
    array = GrowingArray(0, np.int32)
    array.reserve(10)
    array._block.array(np.int32, 10)[:] = range(10)
    array.rows_cell[0] = 10
    assert array[:].tolist() == list(range(10))
    array.reserve(1 << 20)
    assert array[:].tolist() == list(range(10))


@needs_fork
def test_a_forked_process_has_arrays_of_its_own():
    array = GrowingArray(1000, np.float64)
    array[:] = 1

    def write() -> None:
        assert (array[:] == 1).all()
        array[:] = 2

    in_child(write)
    assert (array[:] == 1).all()


@needs_fork
def test_a_process_that_is_meant_to_share_does():
    array = GrowingArray(1000, np.float64)

    def write() -> None:
        array[:] = 2

    with shared_with_children():
        in_child(write)
    assert (array[:] == 2).all()


def test_room_comes_back():
    def used() -> int:
        arrays = [GrowingArray(50_000, np.float64) for _ in range(20)]
        assert len(arrays) == 20
        return arena()._top

    first = used()
    gc.collect()
    for _ in range(20):
        assert used() <= first
        gc.collect()
