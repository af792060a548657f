"""Exact resume: a run that was stopped and continues is the run that was not stopped.

No random state is stored. Whatever is random follows from the seed and from where in
the run it is drawn: each iteration sets the generators of the process anew
(``loops.py``), and each sample is loaded with generators of its own (``loader.py``), so
that a run can begin at any batch, with any number of workers. The rest is in its
checkpoints, which are written whole (``checkpoint_hook.py``) and found again
(``latest_checkpoint.py``).
"""
