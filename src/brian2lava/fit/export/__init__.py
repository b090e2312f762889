"""What becomes of a fit: scripts, a model entry, a report, figures, and how to do it again."""

from brian2lava.fit.export.brian2_script import brian2_script
from brian2lava.fit.export.entry import entry, settings_of
from brian2lava.fit.export.folder import Exported, export, exports
from brian2lava.fit.export.lava_script import lava_script
from brian2lava.fit.export.report import html_report
from brian2lava.fit.export.request import Request
from brian2lava.fit.export.winner import Winner, spike_lines

__all__ = [
    "Exported",
    "Request",
    "Winner",
    "brian2_script",
    "entry",
    "export",
    "exports",
    "html_report",
    "lava_script",
    "settings_of",
    "spike_lines",
]
