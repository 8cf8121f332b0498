# Every target in three lines or fewer; what is longer is a script in .ci/.
SHELL := bash
PYTHON ?= python3
export PYTHON
.DEFAULT_GOAL := help
.PHONY: help env lock

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

env: .venv/.runtime .venv/.developer ## make .venv from the hash-locked requirements

.venv/.runtime: requirements.txt
	@.ci/env runtime

.venv/.developer: .ci/requirements.txt .venv/.runtime
	@.ci/env developer

lock: ## resolve requirements.in again and write the hash-locked files (needs uv)
	@.ci/lock
