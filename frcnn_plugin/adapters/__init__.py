"""Other people's tools around our detectors; each module needs the tool it is for.

``sahi.py`` is a model of SAHI, ``fiftyone.py`` puts detections into samples of FiftyOne
and makes a data set of them. ``Prediction.to_supervision`` needs no module of its own.
"""
