"""Reports of harness in Python."""

from ._report import Report, ReportError, read_report

__all__ = ["Report", "ReportError", "read_report"]
