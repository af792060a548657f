# make demo   train and test on generated shapes, from a bare clone
# make test   lint and tests, from a bare clone

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := work_dirs/demo

.PHONY: install demo test lint clean

install: $(VENV)/installed

# opencv-python needs libGL and friends, which a bare Debian lacks; the headless build
# of the same version holds the same module without them
$(VENV)/installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 12) else "error: Python 3.11 or 3.12 is needed, $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	    -c constraints.txt -e '.[lite,dev]'
	@$(BIN)/python -c 'import cv2' 2>/dev/null || \
	    $(BIN)/python -m pip install --disable-pip-version-check --force-reinstall \
	    --no-deps "opencv-python-headless==$$(sed -n 's/^opencv-python==//p' constraints.txt)"
	@touch $@

demo: install
	$(BIN)/python tools/make_shapes.py --out data/shapes
	$(BIN)/python tools/train.py configs/frcnn_r18_c4_shapes.py --work-dir $(DEMO) --seed 0
	$(BIN)/python tools/test.py configs/frcnn_r18_c4_shapes.py \
	    "$$(cat $(DEMO)/last_checkpoint)" --work-dir $(DEMO) --show-dir $(DEMO)/pictures
	@echo "pictures, ground truth beside detections: $(DEMO)/pictures"

lint: install
	$(BIN)/ruff check .

test: lint
	$(BIN)/python -m pytest

clean:
	rm -rf $(VENV) work_dirs data/shapes build *.egg-info
