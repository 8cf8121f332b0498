# Every target in three lines or fewer; what is longer is a script in .ci/.
SHELL := bash
PYTHON ?= python3
export PYTHON
export SEALCAST_HOME ?= $(CURDIR)/var
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' Makefile)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name what; do printf '  make %-15s %s\n' "$$name" "$$what"; done

env: .venv/.runtime .venv/.developer ## make .venv from the hash-locked requirements

.venv/.runtime: requirements.txt
	@.ci/env runtime

.venv/.developer: .ci/requirements.txt .venv/.runtime
	@.ci/env developer

run: .venv/.runtime ## start Sealcast with its demo; Ctrl-C stops it, a second run keeps the data
	@exec .ci/serve

reset: ## remove SEALCAST_HOME (default var/): keys, people, videos, all of it
	@.ci/reset

seed: .venv/.runtime ## make the key ring, the database and the people of the demo
	@.ci/seed

code: .venv/.runtime ## print the sign-in code of a demo person: make code WHO=officer@sealcast.example
	@SEALCAST_DEMO=1 $(PY) manage.py code $(WHO)

test: env ## run everything: lint, types, imports, migrations, tests on SQLite and on PostgreSQL
	@.ci/test

check: lint types imports migrations ## run what needs no test run

lint: env ## look for faults of style and safety, and for unformatted files
	@.venv/bin/ruff check && .venv/bin/ruff format --check

types: env ## check the types, strictly
	@.ci/at-home .venv/bin/mypy --no-incremental

imports: env ## check the stairs and the doors
	@.venv/bin/lint-imports --no-cache

migrations: env ## check that the models and the migrations agree
	@.ci/at-home $(PY) manage.py makemigrations --check --dry-run

fix: env ## mend and format what can be mended by a tool
	@.venv/bin/ruff check --fix; .venv/bin/ruff format

shots: env ## take the screenshots of every page again, into docs/screens/
	@.ci/at-home $(PY) -m pytest tests/screens.py -q -p no:cacheprovider

law: ## list each law that the code cites, with the function that keeps it
	@$(PYTHON) .ci/law.py

prove-hours: env ## ask for ten million sends whether one is outside the hours: SEED=1 SENDS=10000000
	@.ci/at-home $(PY) -m benchmarks.prove_hours

lock: ## resolve requirements.in again and write the hash-locked files (needs uv)
	@.ci/lock

bench-import: env ## import 100,000 rows, 3 % of them bad: ROWS= SEED= ENGINE=sqlite|postgres
	@$(PY) -m benchmarks.import_rows

bench-gate: env ## judge a million people set-wise, beside a plain statement: PEOPLE= SEED= ROUNDS=
	@$(PY) -m benchmarks.gate

bench-tokens: env ## check a token and authorise a range, beside one SELECT: CALLS= ROUNDS= LINKS=
	@$(PY) -m benchmarks.tokens

bench-dead-links: env ## does an answer's time tell a wrong link from a dead one: CALLS= LINKS= SEED=
	@$(PY) -m benchmarks.dead_links

prove-gate: env ## look for a message that left after a no: SEED= STEPS= PROCESSES= ENGINE=
	@$(PY) -m benchmarks.prove_gate

prove-words: env ## read the corpus of answers and 14,000 spellings of the seven words: SEED=1
	@$(PY) -m benchmarks.prove_words

learn-words: env ## learn from the corpus which answers resemble a no: consent/words/learned.json
	@$(PY) -m benchmarks.learn_words

bench-seal: env ## seal and store at five sizes of chunk, beside openssl speed: ROUNDS= MIB=
	@$(PY) -m benchmarks.seal

bench-serve: env ## serve a sealed 100 MB over TLS 1.3, beside nginx: NGINX_PATH= ROUNDS= ENGINE=
	@$(PY) -m benchmarks.serve

prove-anonymity: env ## compare what leaves under 100 sets of contacts, look for 10,000 canaries: SEED= SETS= CANARIES= ENGINE=
	@$(PY) -m benchmarks.prove_anonymity

bench-anonymise: env ## search a script for a million people beside Presidio: PEOPLE= SEED= ROUNDS= PRESIDIO=its python
	@$(PY) -m benchmarks.anonymise

bench-recall: env ## find identifiers of 55 classes and near misses, beside Presidio: EACH= SEED= SHOW= PRESIDIO=its python
	@$(PY) -m benchmarks.recall

prove-crash: env ## kill workers while they make and send: SEED= KILLS= PEOPLE= WORKERS= ENGINE=
	@$(PY) -m benchmarks.prove_crash

bench-campaign: env ## enqueue and settle many people, only the wire faked: RECIPIENTS= ENGINE=
	@$(PY) -m benchmarks.campaign

prove-video: env ## personalise films of many kinds and look for a seam: SEED=1 CASES=24
	@$(PY) -m benchmarks.prove_video

bench-personalise: env ## personalise beside a full re-encode, and count bytes a person: ROUNDS=5 N= HEIGHT=
	@$(PY) -m benchmarks.video

bench-play: env ## from the click to the first frame in Chromium, beside nginx: NGINX_PATH= ROUNDS= ENGINE=
	@$(PY) -m benchmarks.play

prove-players: env ## play and seek a recipient's video in Chromium, Firefox and WebKitGTK: ONLY= SHOTS= ENGINE=
	@$(PY) -m benchmarks.prove_players

bench-video: env ## all figures of the videos in one table: ROUNDS= PEOPLE= CONTACTS= NGINX_PATH= PRESIDIO= PRESIDIO_MODEL= ONLY=
	@$(PY) -m benchmarks.table

prove-refresh: env ## let 8 processes meet one expired token on both engines: SEED=1 ROUNDS=500
	@ENGINE=sqlite $(PY) -m benchmarks.prove_refresh
	@ENGINE=postgres $(PY) -m benchmarks.prove_refresh

prove-oauth: env ## try the attacks on the return of an OAuth sign-in, and count what passes
	@$(PY) -m benchmarks.prove_oauth

bench-sync: env ## read a simulated CRM beside plain requests: CONTACTS=1000000 ENGINE= LATENCY_MS=
	@$(PY) -m benchmarks.sync

prove-sync: env ## kill readers of a CRM and begin again: SEED=1 KILLS=30 PEOPLE= ENGINE=sqlite|postgres
	@$(PY) -m benchmarks.prove_sync

prove-sdks: env ## let the vendors' own clients drive the stand-ins; jsforce needs node 20 and npm
	@$(PY) -m benchmarks.prove_sdks

bench-dispatch: env ## send 5,000 to a stub of 50 ms, beside the same client alone: MESSAGES= LATENCY_MS= ROUNDS= WORKERS=
	@$(PY) -m benchmarks.dispatch

prove-dispatch: env ## kill senders while they send, look for a message twice or lost: SEED=1 KILLS=10 MESSAGES= WORKERS=
	@$(PY) -m benchmarks.prove_dispatch

bench-inbox: env ## post signed events to the production server: RATE=500 SECONDS=60 CLIENTS= WORKERS= THREADS=
	@$(PY) -m benchmarks.intake
