"""Runs one test: `run.py errors no_space`. The working directory is the test's own, and has an empty `queue`."""

import importlib
import sys

getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(*sys.argv[3:])
