"""Detectors that a user would pick instead, each trained by a script of its own.

    python SCRIPT DATA.json DETECTIONS.json --minutes N --seed S

``DATA.json`` has ``classes`` and the splits ``train``, ``val`` and ``test``: of each
picture ``image``, ``width``, ``height``, ``boxes`` (x1, y1, x2, y2, in pixels) and
``labels``. ``DETECTIONS.json`` gets the ``minutes`` it took, and what was ``found``
in each test picture: ``boxes``, ``labels`` and ``scores``. A script may run in an
environment without ours, so it imports nothing of this repository but ``common`` (and
``ours.py`` and ``mmdet_frcnn.py`` the package).
"""
