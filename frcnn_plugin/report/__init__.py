"""``report.html``: the results of a run on one page, which needs no other file."""

from .report_hook import ReportHook

__all__ = ['ReportHook']
