"""What a run on a chip tells the user at once, through Brian2's logger; the report has it all."""

from __future__ import annotations

from collections import Counter

from brian2.utils.logger import get_logger

from brian2lava.chip.quantise import Quantised
from brian2lava.chip.quantise.warn import without_bound
from brian2lava.device.chip_runs import Kept

logger = get_logger(__name__)
_ALL = "print(brian2lava.report()) shows all."


def tell(kept: Kept, before: Kept | None) -> None:
    """Log what is flagged, once, and what left its range in this run.

    Parameters
    ----------
    kept, before : Kept
        What this run of the network left, and the last one of the same objects.
    """
    alive = before is not None and any(known() is not None for known in before.objects.values())
    earlier = before if alive else None
    if earlier is None or earlier.quantised.warnings != kept.quantised.warnings:
        _tell_flags(kept)
    counts = Counter(kept.counts)
    counts.subtract({} if earlier is None else earlier.counts)
    for (name, counter), count in counts.items():
        if count > 0:
            logger.warn(
                f"'{name}': states {counter} {count:,} times in this run, as on the chip. {_ALL}"
                f" {_remedy(kept.quantised, name)}",
                "overflow",
            )


def _remedy(quantised: Quantised, name: str) -> str:
    stop = "Use set_device('lava', overflow='raise') to stop there"
    if name not in quantised.scales:
        return f"{stop}."
    scale = quantised.scales[name]
    return f"{stop}, or scales={{{name!r}: ...}} with a number below {scale:.6g}."


def _tell_flags(kept: Kept) -> None:
    found = news(kept.quantised)
    if not found:
        return
    more = f"{len(found)} values are flagged, the worst:" if len(found) > 1 else "flagged:"
    logger.warn(f"On {kept.chip} {more} {worst_of(kept.quantised)} {_ALL}", "flagged")


def news(quantised: Quantised) -> list[str]:
    """The report's warnings without that which every neuron without leak has."""
    known = {without_bound(population.name) for population in quantised.network.populations}
    return [warning for warning in quantised.warnings if warning not in known]


def worst_of(quantised: Quantised) -> str:
    """The warning of the register with the greatest error; else the first one that is news."""
    errors = [abs(row.error) for row in quantised.rows if row.flagged]  # they come first
    return quantised.warnings[errors.index(max(errors))] if errors else news(quantised)[0]
