"""One page of results: ``report.html``, which holds all that it shows."""

from .report_hook import ReportHook

__all__ = ['ReportHook']
