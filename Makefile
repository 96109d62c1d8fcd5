# What a developer does with this repository. `make` alone lists it.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.release=$(VERSION)

# Nothing has to be installed but npm: the linter is built from source at the version pinned in tools/, buf comes with the packages of web/.
BUF  := web/node_modules/.bin/buf
LINT := $(GO) tool -modfile=tools/lint.mod golangci-lint

# Packages tested at a time: one more than there are cores, as tests of networks mostly wait.
AT_ONCE ?= $(shell expr $$(nproc) + 1)
# What npm leaves behind when the packages that web/package-lock.json pins are there; and the SDK's generated messages.
NPM    := web/node_modules/.package-lock.json
WEBGEN := web/packages/dure/src/gen

# How long `make fuzz` spends on each target; `make test-all` takes less.
FUZZTIME ?= 10s
# Packages where goroutines meet; `make test-all` runs them under the race detector.
RACE := $(addsuffix /...,$(addprefix ./,$(wildcard ledger/state consensus internal/store internal/simnet index api client gateway node)))

.DEFAULT_GOAL := help
.PHONY: web device-c microbench up demo-car test test-all lint generate generated bench fuzz race nocgo e2e torture packages build clean help

up: build ## Build, then run a network of four members on this machine until Ctrl-C
	@bin/dure up

demo-car: build ## Play the story of a forged firmware on the network of make up, which must run
	@bin/dure demo car

test: ## Vet and test everything that needs no root and no servers
	$(GO) vet ./...
	$(GO) test -vet off -p $(AT_ONCE) -timeout 5m ./...

test-all: packages lint generated web race nocgo ## Everything else: lint, generated code, TypeScript, races, fuzzing, end to end, Cortex-M
	@$(MAKE) --no-print-directory fuzz FUZZTIME=5s
	@$(MAKE) --no-print-directory e2e device-c

lint: $(NPM) ## Run golangci-lint and lint the proto files
	$(LINT) run ./...
	$(BUF) lint

generate: $(NPM) ## Make gen/ and the SDK's messages again from proto/, and the built apps from web/
	$(BUF) lint
	$(BUF) generate
	npm --prefix web run build --workspace apps/wallet

generated: $(NPM) ## Check that gen/ and the SDK's messages are what proto/ says
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
		$(BUF) generate -o "$$fresh" && diff -r gen "$$fresh/gen" && diff -r $(WEBGEN) "$$fresh/$(WEBGEN)" && echo "ok  	gen/ and $(WEBGEN) are current" || \
		{ echo "gen/ or $(WEBGEN) differs from proto/: run make generate and commit the result" >&2; exit 1; }

web: $(NPM) ## Check and test the TypeScript of web/, and that the built apps are what it says
	npm --prefix web run check
	npm --prefix web test
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
		WALLET_OUT="$$fresh" npm --prefix web run build --workspace apps/wallet && diff -rq api/web/apps/wallet "$$fresh" && echo "ok  	api/web/apps/wallet is current" || \
		{ echo "api/web/apps/wallet differs from web/: run make generate and commit the result" >&2; exit 1; }

$(NPM): web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

race: ## Test the concurrent packages under the race detector
	$(if $(RACE),CGO_ENABLED=1 $(GO) test -race -vet off -p $(AT_ONCE) -timeout 10m $(RACE),@echo "no concurrent packages")

nocgo: ## Test what is different in a build without cgo
	CGO_ENABLED=0 $(GO) test ./client/hardware

fuzz: ## Fuzz every target for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

e2e: ## End-to-end tests with real processes and PostgreSQL; some need root
	$(GO) test -tags e2e -count 1 -timeout 25m ./internal/e2e/... ./index/...

device-c: ## The C library cross-built for Cortex-M: its sizes and times, and its vectors on an emulated core
	@out=$$(mktemp -d) && trap 'rm -rf "$$out"' EXIT && $(MAKE) -s --no-print-directory -j2 -C client/device-c size time OUT="$$out"
	$(GO) test -tags e2e -count 1 -run TestOnACortexM4 ./client/device-c

# How long make torture goes on, from which seed (empty: by chance), and more flags of internal/torture/cmd/torture.
MINUTES ?= 30
SEED    ?=
TORTURE ?=

torture: build ## Faults on real processes for MINUTES (30), with a report in torture.md; SEED repeats a run
	$(GO) run ./internal/torture/cmd/torture -minutes $(MINUTES) $(if $(SEED),-seed $(SEED)) $(TORTURE)

# More flags of dure bench table, such as --only for some rows.
BENCH ?=

bench: build ## Run the benchmarks and write their figures into docs/performance.md (an hour and a half)
	@out=$$(mktemp -d) && trap 'rm -rf "$$out"' EXIT && $(MAKE) -s --no-print-directory -C client/device-c size OUT="$$out" >"$$out/sizes" && \
		bin/dure bench table --page docs/performance.md --sizes "$$out/sizes" $(BENCH)

microbench: ## Run the Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

packages: ## Install the Debian packages that test-all uses, when root and missing
	@.ci/packages

build: ## Build bin/dure
	$(GO) build -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/dure ./cmd/dure

clean: ## Remove what was built and the development network
	rm -rf bin coverage dev

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
