"""The commands, as functions; flags and what a user types are known here only.

Each takes its arguments, by default those of the process, and raises
:class:`~frcnn_plugin.errors.UserError` if something is wrong that the user can fix. It
returns its exit status, or what it made; then the status is 0.
"""
