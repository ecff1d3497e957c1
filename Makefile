# make without a target lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build run test test-unit test-scenarios test-js test-python conformance-real e2e-real bench-mock bench-gateway bin/test/fluidmcp images lint dashboards fmt compose-up compose-down clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

build: ## compile every program into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/ ./cmd/* ./services/*/cmd/*

run: ## answer requests on http://localhost:8099 with a mock model
	go run ./cmd/fluidmcp run examples/vllm-mock-config.json --file --start-server

# The race detector needs a C compiler; without one the tests run all the same and the first line says so.
race := $(if $(shell command -v cc),-race)

# The clients wait more than they work, so they are tested beside the packages. The scenarios come after them: some need a machine
# that has time. What go test skips it does not tell, so the last lines do.
test: ## everything that CI tests
	@$(MAKE) --no-print-directory -j3 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) test-unit test-js test-python
	@$(MAKE) --no-print-directory test-scenarios
	@docker version >/dev/null 2>&1 || echo "SKIPPED the compose stack: no Docker engine answers; FLUIDMCP_REQUIRE_DOCKER=1 makes that a failure"
	@command -v python3 >/dev/null || echo "SKIPPED what needs Python: python3 is not installed; FLUIDMCP_REQUIRE_PYTHON=1 makes that a failure"
	@command -v node >/dev/null || echo "SKIPPED the JavaScript client: node is not installed; FLUIDMCP_REQUIRE_NODE=1 makes that a failure"

# Tests wait too, so twice as many packages as there are processors are tested at a time. A program with the race detector sleeps a
# second before it exits, unless told not to. go vet is part of make lint.
# Those that take longest begin first, or the others would have to wait for them in the end.
longest := ./services/supervisor ./services/gateway ./services/mockvllm
busy = $(shell expr 2 '*' "$$(getconf _NPROCESSORS_ONLN)")

test-unit: ## the unit tests of every package, with the race detector
	@$(if $(race),,echo "no C compiler: testing without the race detector")
	GORACE=atexit_sleep_ms=0 go test $(race) -vet=off -p $(busy) -parallel 8 $(longest) ./...
	@# It reads files outside of its module, which Go's test cache does not watch, hence -count=1.
	go test -count=1 ./tools/dashboards/...

# The scenarios drive programs and images that Go's test cache does not know of, hence -count=1. Most of them wait most of the
# time, so four go on at once, after those that must be alone.
test-scenarios: ## the scenarios against the binary and the compose stack
	go test -count=1 -vet=off -parallel 4 -timeout 60m ./integration/...

# What the clients are tested against. It has no prerequisites here: go build knows best whether it is up to date.
bin/test/fluidmcp:
	go build $(race) -o $@ ./cmd/fluidmcp

test-js: bin/test/fluidmcp ## the JavaScript client, in Node, Deno and Chromium
	FLUIDMCP_BIN=$(CURDIR)/$< clients/js/check.sh

test-python: bin/test/fluidmcp ## the Python client, on the oldest and the newest Python that run here
	FLUIDMCP_BIN=$(CURDIR)/$< clients/python/check.sh

# Opt-in: it installs 6 GiB and takes one to two minutes for each profile. PROFILES="default tools" takes only these.
conformance-real: ## compare the golden exchanges with a real vLLM on the CPU
	go run ./tools/conformance real .cache/vllm $(PROFILES)

# BENCH_DRIFT=10m has the run that looks for drift take ten minutes.
bench-mock: ## measure what an answer and a stream of the mock model cost
	go test -timeout 80m -run '^$$' -bench . ./services/mockvllm/bench

# Opt-in: some minutes, and 6 GiB of disk for a vLLM on the first run. VLLM_CACHE is where that is put.
VLLM_CACHE ?= $(CURDIR)/.cache/vllm
e2e-real: ## take a real vLLM on the CPU through its life, under the supervisor and behind the gateway
	tools/conformance/serve.sh $(VLLM_CACHE) --install
	VLLM_CACHE=$(VLLM_CACHE) go test -tags real -count=1 -v -timeout 40m -run 'TestReal$$' ./integration

# Opt-in: it takes a minute for each gateway and round. ARGS="--only nginx,ours --rounds 1" takes less, see tools/gatewaybench.
bench-gateway: ## measure the gateway beside nginx, HAProxy and others
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/ ./services/gateway/cmd/gateway ./tools/gatewaybench
	bin/gatewaybench $(ARGS)

images: ## build the three images from their Dockerfiles
	scripts/images.sh release

lint: ## what CI checks before it tests
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted, see make fmt:"; echo "$$unformatted"; exit 1; fi
	GOWORK=off go list -test -deps ./... >/dev/null # the workspace would hide what go.mod lacks
	go vet ./... ./integration/... ./examples/clients/openai_go ./tools/dashboards/...
	CGO_ENABLED=0 GOOS=windows go build -o /dev/null ./services/mockvllm/cmd/mockvllm # people test on what they have
	lint=$$(scripts/tools.sh golangci-lint) && $$lint run ./... && (cd integration && $$lint run -c ../.golangci.yml ./...) && \
		(cd examples/clients/openai_go && $$lint run -c ../../../.golangci.yml) && cd tools/dashboards && $$lint run -c ../../.golangci.yml ./...

dashboards: ## write the Grafana dashboards anew from tools/dashboards
	go run ./tools/dashboards deploy/grafana/dashboards

fmt: ## format every Go file
	gofmt -w .

compose-up: ## start the containers and wait until they are healthy
	docker compose up --build --detach --wait

compose-down: ## stop and remove the containers; volumes stay
	docker compose down

clean: ## remove what build and tests left in the tree
	rm -rf bin dist
