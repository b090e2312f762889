"""Sums that synapses make on their targets: found in the statements, and made in one operation.

``x_post += f`` may be done for all synapses at once if nothing else is done with x. Statements come
from Brian2's generator, which reads a variable into a local one, works on that, and writes it back;
or from a chip's rendering, which does it in one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from brian2lava.program import step_program as program

#: Types that a graphics card adds to in one operation.
ADDED = frozenset({"double", "float", "int32_t", "int64_t"})
_INTEGERS = frozenset({"int32_t", "int64_t"})


def with_sums(
    operation: program.Pathway, ctype: Callable[[str], str], ordered: bool = False
) -> tuple[str, frozenset[program.Access]]:
    """The vector statements with sums in one operation, and the accesses that are sums.

    With ``ordered`` only sums of integers, whose order makes no difference.
    """
    statements = operation.statements
    text = statements.vector
    found = set()
    for access in sorted(statements.writes, key=lambda a: (a.array, a.index)):
        kind = ctype(access.array)
        if access.index == program.ELEMENT or kind not in (_INTEGERS if ordered else ADDED):
            continue
        if _touched_otherwise(statements, access):
            continue
        made = _one_line(text, access) or _local(text, access, kind)
        if made is not None:
            text = made
            found.add(access)
    return text, frozenset(found)


def _touched_otherwise(statements: program.Statements, access: program.Access) -> bool:
    """Whether the array is read or written through another index, or by scalar statements."""
    vector = {a for a in statements.reads | statements.writes if a.array == access.array}
    scalar = {a.array for a in statements.scalar_reads | statements.scalar_writes}
    return vector != {access} or access.array in scalar


def _local(text: str, access: program.Access, kind: str) -> str | None:
    """A variable that is read into a local one, only added to, and written back."""
    place = f"_ptr{access.array}[{access.index}]"
    lines = text.split("\n")
    loads = [re.fullmatch(rf"{kind} (\w+) = {re.escape(place)};", line) for line in lines]
    names = [match.group(1) for match in loads if match]
    if len(names) != 1 or sum(line.count(f"_ptr{access.array}[") for line in lines) != 2:
        return None
    name = names[0]
    word = re.compile(rf"\b{name}\b")
    made = []
    for line, load in zip(lines, loads):
        if load or line == f"{place} = {name};":
            continue
        added = re.fullmatch(rf"(\s*){name} ([+-])= (.*);", line)
        if added and not word.search(added.group(3)):
            sign = "-" if added.group(2) == "-" else ""
            made.append(f"{added.group(1)}b2l::add(&{place}, ({kind})({sign}({added.group(3)})));")
        elif word.search(line):
            return None
        else:
            made.append(line)
    return "\n".join(made)


def _one_line(text: str, access: program.Access) -> str | None:
    """The form in which a chip's synapses add: ``p[i] = (T)((U)p[i] + (U)(x));``."""
    place = re.escape(f"_ptr{access.array}[{access.index}]")
    pattern = re.compile(rf"^(\s*){place} = \(T\)\(\(U\){place} \+ \(U\)\((.*)\)\);$", re.MULTILINE)
    if text.count(f"_ptr{access.array}[") != 2 * len(pattern.findall(text)):
        return None
    target = f"_ptr{access.array}[{access.index}]"
    return pattern.sub(rf"\1b2l::add(&{target}, (T)(\2));", text)
