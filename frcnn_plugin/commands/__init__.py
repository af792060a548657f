"""The commands, as functions; flags and what a user types are known here only.

Each takes its arguments, by default those of the process, and returns its exit status,
or what it made: then that is 0.
For what the user can fix it raises :class:`~frcnn_plugin.errors.UserError`, and so do
the functions that it calls.
"""

import time

STARTED = time.monotonic()  # the process, but for what Python itself needs
