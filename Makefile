# make demo   train and test on generated shapes, from a bare clone
# make test   lint and tests, from a bare clone
# make long   the long tests, which make test leaves out
# make site   the documentation as a site, in build/site
# make notebooks   runs the notebooks anew, and stores what they show
# make matrix   these, and the oldest and the newest versions that setup.cfg allows
# make mmdet-tests MMDET=CLONE   mmdet's own tests on the operators that are served here
# make adapters   the tools of others around it, with the real packages (FiftyOne: 0.8 GB)
# make parity   the peers' numbers beside ours, on mmcv-lite and on compiled mmcv

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILED := .venv-mmcv
ADAPTERS := .venv-adapters
DEMO := work_dirs/demo

# One thread in each process: two processes of two threads each on two cores wait for each
# other. Files, and not tests, are shared out, for what a file prepares is prepared once;
# in their own order, for the files of one or two tests, otherwise last, take longest.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 \
    --dist loadfile --no-loadscope-reorder

PIP = python -m pip install --disable-pip-version-check --progress-bar off

.PHONY: install demo test long lint site notebooks matrix mmdet-tests adapters parity clean

install: $(VENV)/installed

# The last step puts another build of OpenCV over opencv-python, in the same version: it
# holds the same module with the contrib modules, for selective search, and without libGL
# and friends, which a bare Debian lacks. Both builds own the folder cv2, so the order
# counts; opencv-python stays installed by name, for the packages that ask for it, and
# taking it out would take the shared files along.
$(VENV)/installed: setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "error: Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	    -c constraints.txt -e '.[lite,dev]'
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	    --force-reinstall --no-deps \
	    "opencv-contrib-python-headless==$$(sed -n 's/^opencv-python==//p' constraints.txt)"
	@touch $@

demo: install
	$(BIN)/frcnn make-shapes --out data/shapes
	$(BIN)/python tools/train.py configs/frcnn_r18_c4_shapes.py --work-dir $(DEMO) --seed 0
	$(BIN)/python tools/test.py configs/frcnn_r18_c4_shapes.py \
	    "$$(cat $(DEMO)/last_checkpoint)" --work-dir $(DEMO) --show-dir $(DEMO)/pictures
	@echo "pictures, ground truth beside detections: $(DEMO)/pictures"

lint: install
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

test: lint
	$(PYTEST) -m 'not long'

# Tests that take long: of exported files, tools, clusters, and the commands of docs/.
long: install
	$(PYTEST) -m long

notebooks: install
	$(BIN)/python tools/run_notebooks.py

# uv makes an environment for each row, and removes it again; that of compiled mmcv is make
# parity's, if it is there.
matrix: long
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/matrix.py --write docs/versions.md \
	    $(if $(wildcard $(COMPILED)/installed),--compiled $(COMPILED))

# A clone of mmdet at v3.3.0, whose tests are no part of its wheel.
mmdet-tests: install
	@test -d "$(MMDET)/tests" || { echo 'error: name a clone: make mmdet-tests MMDET=CLONE'; exit 1; }
	$(BIN)/$(PIP) parameterized
	$(BIN)/python tools/mmdet_tests.py "$(MMDET)" --write docs/reuse_in_mmdet.md

# Some pins of constraints.txt are too new for these tools; nothing is pinned here.
$(ADAPTERS)/installed: setup.cfg
	$(PYTHON) -m venv $(ADAPTERS)
	$(ADAPTERS)/bin/$(PIP) -e '.[lite,supervision,sahi,mlflow,wandb,fiftyone]' \
	    'pytest>=8' tensorboard
	@touch $@

# FiftyOne downloads a MongoDB, or uses that of FIFTYONE_DATABASE_URI.
adapters: $(ADAPTERS)/installed
	$(ADAPTERS)/bin/python -c 'import fiftyone, mlflow, sahi, supervision, wandb'
	$(ADAPTERS)/bin/python -m pytest tests/adapters

# mmcv with its own operators, built here: ten minutes to an hour, and a C++ compiler. Built in
# isolation it would find no torch and leave the operators out without a word.
$(COMPILED)/installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(COMPILED)
	$(COMPILED)/bin/$(PIP) -c constraints.txt torch torchvision \
	    'setuptools<80' wheel ninja psutil
	MMCV_WITH_OPS=1 $(COMPILED)/bin/$(PIP) -c constraints.txt --no-build-isolation \
	    'mmcv==2.1.0'
	$(COMPILED)/bin/$(PIP) -c constraints.txt --no-build-isolation -e '.[compiled,dev]'
	@touch $@

parity: install $(COMPILED)/installed
	$(BIN)/python tools/check_parity.py --write docs/interop.md \
	    --python $(BIN)/python --python $(COMPILED)/bin/python

clean:
	rm -rf $(VENV) $(COMPILED) $(ADAPTERS) work_dirs data/shapes build *.egg-info

# The pages of docs/, the notebooks, the configs and the API as a site, in build/site; a
# link that leads nowhere fails.
site: install
	$(BIN)/mkdocs build
