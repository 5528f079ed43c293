# What a person or CI runs. The work is in Scripts/; this file only names it.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup build install run test lint bench fuzz fuzz-differential simulate soak flood model constant-time clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

setup: ## install the system packages that are missing (apt, with sudo where not root)
	@Scripts/setup

build: setup ## build the handfast command, optimised, as .build/release/handfast
	@echo "Building handfast in release mode; the first time takes some minutes."
	@swift build -c release --product handfast --static-swift-stdlib

PREFIX ?= /usr/local

install: build ## put the command, which brings Swift's own libraries, under PREFIX=/usr/local
	@install -D -m 755 .build/release/handfast $(DESTDIR)$(PREFIX)/bin/handfast
	@echo "Installed $(DESTDIR)$(PREFIX)/bin/handfast"

run: build ## see two nodes meet, talk, crash, recover and part; KEEP=1 leaves them running
	@exec Scripts/demo

test: setup lint ## lint, build and run every test; ends with "N passed, N failed"
	@Scripts/test

lint: ## check the format and the project's habits
	@swift format lint -r -s Sources Tests Benchmarks/Sources Fuzz/Driver Fuzz/Targets Fuzz/Tests \
		Simulation/Driver Simulation/Model Simulation/Nodes Simulation/History Simulation/Tests \
		Package.swift Benchmarks/Package.swift Fuzz/Package.swift Simulation/Package.swift
	@Scripts/check-habits

bench: ## measure beside libsodium, libsignal, redis and others; writes a table, JSON and a chart to Benchmarks/results
	@Scripts/setup libolm-dev libsignal-protocol-c-dev libssl-dev redis-server mosquitto
	@Scripts/python-venv anoncreds==0.2.3
	@echo "Building the benchmarks in release mode; the first time takes some minutes."
	@cd Benchmarks && swift build -c release && exec .build/release/Benchmarks results ../.build/python-venv/bin/python $(ONLY)

fuzz: setup ## fuzz every decoder and opener, TIME=60 seconds each; stops at the first finding
	@Scripts/fuzz

simulate: setup ## nodes and relays under random faults, SEEDS=100000 schedules or TIME seconds; SEED=n tells one
	@Scripts/simulate

soak: build ## a relay and two nodes at half load for TIME=3600 seconds; nothing may grow but the ledgers
	@Scripts/python-venv
	@.build/python-venv/bin/python Scripts/soak .build/release/handfast --seconds $${TIME:-3600} \
		--json Benchmarks/results/soak.json

flood: ## let 10,000 strangers press a relay, and tell what a relationship that stands keeps of its throughput
	@$(MAKE) --no-print-directory bench ONLY=flood

model: setup ## let Spin visit every state of delivery, commit and restore that Spec/models allows
	@Scripts/model

fuzz-differential: build ## hold the readers of Swift and Python against each other, TIME=60 seconds; SEED=N repeats a run
	@Scripts/python-venv
	@.build/python-venv/bin/python Interop/python/tests/differential.py .build/release/handfast \
		--seconds $${TIME:-60} $${SEED:+--seed $$SEED}

constant-time: ## let valgrind look for branches and addresses that depend on secrets
	@Scripts/setup valgrind
	@Scripts/constant-time

clean: ## remove everything that was built
	rm -rf .build Benchmarks/.build Benchmarks/results Fuzz/.build Simulation/.build
