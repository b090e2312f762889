"""What the two sides of a mailbox say to each other: commands, results, exceptions.

The host's side is :class:`Caller`, the side in the Lava process :func:`serve`.
"""

from __future__ import annotations

import ctypes
import pickle
import traceback
from collections.abc import Callable
from typing import Protocol

from brian2lava.engine.host import Executor, WorkerTraceback
from brian2lava.engine.memory import arena
from brian2lava.errors import EngineError
from brian2lava.processes.mailbox import ROOM, Mailbox

# kinds of requests
_EXECUTE, _FETCH, _LEAVE = range(3)
# kinds of replies
_RESULT, _EXCEPTION, _TOO_LONG, _STORED, _LEFT = range(5)

#: A server that nobody asks looks this often whether it shall go on (seconds).
_IDLE_SECONDS = 1.0


class _AwaitReply(Protocol):
    def __call__(self, mailbox: Mailbox) -> None: ...


class Caller:
    """Sends commands through a mailbox.

    Parameters
    ----------
    mailbox : Mailbox
    await_reply : callable
        Called with the mailbox; returns when the reply is there, raises when none will come.
    """

    def __init__(self, mailbox: Mailbox, await_reply: _AwaitReply) -> None:
        self._mailbox = mailbox
        self._await_reply = await_reply

    def call(self, command: tuple[object, ...]) -> object:
        """What the worker returns for ``command``; raises what it raises."""
        text = pickle.dumps(command, protocol=pickle.HIGHEST_PROTOCOL)
        room = arena().allocate(len(text)) if len(text) > ROOM else None
        self._mailbox.ask(_EXECUTE, text, room)
        kind, reply = self._reply()
        if kind == _TOO_LONG:
            kind, reply = self._fetch(*pickle.loads(reply))
        if kind == _EXCEPTION:
            raise _revived(*pickle.loads(reply))
        result: object = pickle.loads(reply)
        return result

    def _fetch(self, kind: int, nbytes: int) -> tuple[int, bytes]:
        room = arena().allocate(nbytes)
        self._mailbox.point(_FETCH, room.address, nbytes)
        self._reply()
        return kind, ctypes.string_at(room.address, nbytes)

    def leave(self) -> None:
        """Ask the server to return."""
        self._mailbox.ask(_LEAVE)
        self._reply()

    def _reply(self) -> tuple[int, bytes]:
        self._await_reply(self._mailbox)
        return self._mailbox.reply()


def serve(mailbox: Mailbox, worker: Executor, go_on: Callable[[], bool]) -> None:
    """Execute commands until the caller says leave, or ``go_on()`` is False while nothing comes."""
    long_reply = b""
    while True:
        if not mailbox.has_request(_IDLE_SECONDS):
            if not go_on():
                return
            continue
        kind, address, nbytes = mailbox.request()
        if kind == _LEAVE:
            mailbox.answer(_LEFT)
            return
        if kind == _FETCH:
            ctypes.memmove(address, long_reply, nbytes)
            mailbox.answer(_STORED)
            continue
        kind, reply = _outcome(worker, ctypes.string_at(address, nbytes))
        if len(reply) > ROOM:
            long_reply = reply
            kind, reply = _TOO_LONG, pickle.dumps((kind, len(reply)))
        mailbox.answer(kind, reply)


def _outcome(worker: Executor, text: bytes) -> tuple[int, bytes]:
    """Kind and text of the reply to one command; no exception leaves this function."""
    try:
        result = worker.execute(pickle.loads(text))
        return _RESULT, pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL)
    except BaseException as error:  # also SystemExit: a command must not end the process
        return _EXCEPTION, pickle.dumps((_portable(error), traceback.format_exc()))


def _portable(error: BaseException) -> BaseException:
    """``error`` if it survives pickling, otherwise an ``EngineError`` with its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return EngineError(f"{type(error).__name__}: {error}")
    return error


def _revived(error: BaseException, text: str) -> BaseException:
    error.__cause__ = WorkerTraceback(text)
    return error
