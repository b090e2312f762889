"""The exceptions of brian2lava.

::

    BrianLavaError
    ├── OptionError          (ValueError)  an unknown option or value of set_device
    ├── NotSupported         (NotImplementedError)  what this version can't do, and what to do
    ├── ForeignArray         (RuntimeError)  an object was made before set_device("lava")
    ├── ProgramError         a StepProgram that breaks its own rules
    ├── CompileError         (RuntimeError)  the C++ compiler failed
    ├── EngineError          (RuntimeError)  compiled code reported an error
    ├── EngineDied           (RuntimeError)  the process that hosts the engine ended
    ├── OutOfArena           (MemoryError)  no room for arrays
    ├── ChipLimit            (ValueError)  a value that a register of the chip can't hold
    │   └── RuleError        a learning rule that can't be read or held (chip/learning/rule.py)
    ├── ChipOverflow         (ArithmeticError)  a state left its range and the policy was to raise
    └── FitError             (ValueError)  data or settings from which no fit or score can be made
"""

from __future__ import annotations


class BrianLavaError(Exception):
    """Anything that brian2lava raises on purpose."""


class OptionError(BrianLavaError, ValueError):
    """An unknown option or value; the message has the nearest valid one."""


class NotSupported(BrianLavaError, NotImplementedError):
    """Something that this version can't do; the message names the object and what to do."""


class ForeignArray(BrianLavaError, RuntimeError):
    """A Brian2 object was created before ``set_device("lava")``."""


class ProgramError(BrianLavaError):
    """A step program breaks one of its rules; an error in brian2lava itself."""


class CompileError(BrianLavaError, RuntimeError):
    """The C++ compiler failed; the message has its output and the Brian2 object and equation."""


class EngineError(BrianLavaError, RuntimeError):
    """Compiled code reported an error."""


class EngineDied(BrianLavaError, RuntimeError):
    """The process that hosts the engine ended in the middle of a run."""


class OutOfArena(BrianLavaError, MemoryError):
    """There is no room left for arrays."""


class ChipLimit(BrianLavaError, ValueError):
    """A value lies outside what the chip can hold; the message has object, value, limit, remedy."""


class ChipOverflow(BrianLavaError, ArithmeticError):
    """A state of a chip neuron left its range while overflow="raise" was set."""


class FitError(BrianLavaError, ValueError):
    """No fit or score can be made of this; the message names the data, the limit, the remedy."""
