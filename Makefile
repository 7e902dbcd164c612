# `make` alone lists the targets. Go is all they need; conformance also needs Node.js
# (20 or later), browser and screenshots need Chromium, up and down need Docker.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CONFIG   ?= ringbridge.yaml
FUZZTIME ?= 10s
HISTORIES ?= 20000
SEED     ?= 0
SEEDS    ?= 5
CALLS    ?= 1000000
CHECKS   ?= 5000
KILLS    ?= 300
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse --verify --quiet HEAD 2>/dev/null || true)

# The version comes by -ldflags, so Go need not ask git (which refuses in a checkout
# that belongs to another user).
export GOFLAGS := $(strip $(filter-out -buildvcs%,$(GOFLAGS)) -buildvcs=false)

# Packages where goroutines share something.
RACE := ./pkg/bus/... ./pkg/people/... ./pkg/view/... ./pkg/bitrix/... ./pkg/callfile/... ./pkg/service/... ./services/ingress/... \
        ./services/resolver/... ./services/writer/... ./services/reconciler/... ./services/analytics/... ./services/callcounter/... ./services/console/... ./services/ringbridge/...

# They run one thing after the other, watch other processes, or go the ways of the other
# tests a hundred times: the detector would see nothing new in minutes.
RACE_SKIP := ^(TestSimulation|TestHistoriesThatOnceFailedEndWell|TestEveryFaultAtEveryStage|TestKilled|TestTwoProcesses|TestInTheBrowser|TestASearchThatFindsLittle)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- use it ---

.PHONY: build
build: ## Build bin/ringbridge
	go build -trimpath -ldflags '-X main.version=$(VERSION) -X main.commit=$(COMMIT)' -o bin/ringbridge ./services/ringbridge

.PHONY: demo
demo: build ## A simulated portal, simulated calls and the whole pipeline; nothing to configure
	bin/ringbridge demo

.PHONY: run
run: build ## Run the services with CONFIG=ringbridge.yaml
	bin/ringbridge run --config '$(CONFIG)'

.PHONY: up
up: ## Build the image and start it with ./ringbridge.yaml (needs Docker; see deploy/README.md)
	VERSION='$(VERSION)' COMMIT='$(COMMIT)' docker compose up --build --detach

.PHONY: down
down: ## Stop what `make up` started; the data stay
	docker compose --profile cluster down

# --- change it ---

# LEAVE_OUT=PATTERN leaves tests out of `make test` that another step runs.
LEAVE_OUT ?=

.PHONY: test
test: ## Every test of the three modules; those in a browser where there is one
	go test -timeout 15m $(if $(LEAVE_OUT),-skip '$(LEAVE_OUT)') work
	@$(if $(LEAVE_OUT),true,command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null) || \
		echo 'SKIPPED: the console in a real browser. Install chromium and run `make browser`.' >&2
	@[ -n '$(LEAVE_OUT)' ] || [ -d '$(BROWSER_TOOLS)/node_modules/axe-core' ] || \
		echo 'SKIPPED: the accessibility of the console in a real browser. `make browser` fetches axe-core.' >&2

# What the browser tests need beside Chromium: axe-core, pinned.
BROWSER_TOOLS := services/ringbridge/testdata/browser

$(BROWSER_TOOLS)/node_modules/.package-lock.json: $(BROWSER_TOOLS)/package-lock.json
	cd $(BROWSER_TOOLS) && timeout 120 npm ci --silent

.PHONY: browser
browser: $(BROWSER_TOOLS)/node_modules/.package-lock.json ## The console in real Chromium, as people use it, with axe-core (needs Chromium, Node.js, npm)
	RINGBRIDGE_BROWSER=required go test -count=1 -timeout 20m ./services/ringbridge -run '^TestInTheBrowser'

.PHONY: storybook
storybook: ## Every page of the console in every state, as files, into bin/storybook
	rm -rf bin/storybook
	go test -count=1 ./services/console/pages -run '^TestStorybook$$' -storybook '$(CURDIR)/bin/storybook'
	@echo "open bin/storybook/index.html"

.PHONY: screenshots
screenshots: ## The README's pictures of the console anew, from the storybook (needs Chromium)
	RINGBRIDGE_BROWSER=required go test -count=1 ./services/ringbridge -run '^TestInTheBrowserTheReadmesPicturesAreTaken$$' -pictures '$(CURDIR)/services/console/pages/screenshots'

.PHONY: race
race: ## The tests of the concurrent packages under the race detector (needs a C compiler)
	go test -race -timeout 15m -skip '$(RACE_SKIP)' $(RACE)

.PHONY: lint
lint: bin/golangci-lint ## gofmt, go vet (also of what the fault tests build), golangci-lint
	@bad=$$(gofmt -l pkg schemas services); [ -z "$$bad" ] || { echo "not gofmt'ed:"; echo "$$bad"; exit 1; }
	go vet work
	go vet -tags faults work
	bin/golangci-lint run ./pkg/... ./schemas/... ./services/...

# Its version is pinned in a module of its own, so that the program's modules don't
# carry a linter's dependencies. The first build takes a minute or two.
bin/golangci-lint: tools/go.mod tools/go.sum
	cd tools && GOWORK=off go build -o ../bin/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: scenarios
scenarios: ## Write RULES.md, ARTICLE.md, the README's part and the scenarios' lower halves anew from the decision table
	cd pkg && go test -count=1 ./rules -update

.PHONY: generated
generated: ## Fail when those pages are not what the table says (and put them right)
	@old=$$(mktemp -d); trap 'rm -rf "$$old"' EXIT; \
	cp -R pkg/rules README.md "$$old"; \
	$(MAKE) --no-print-directory scenarios; \
	{ diff -ru "$$old/rules" pkg/rules && diff -u "$$old/README.md" README.md; } || \
		{ echo "a page was stale: read the difference and commit it"; exit 1; }

.PHONY: conformance
conformance: ## Drive the simulated portal with the vendor's own JavaScript SDK (needs Node.js, npm)
	pkg/bitrix/bitrixtest/conformance/run.sh

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME=10s
	@grep -rEo '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' pkg schemas services | sort | \
	while IFS=: read -r file target; do \
		target=$${target#func }; echo "== $$target ($${file%/*})"; \
		go test "./$${file%/*}" -run '^$$' -fuzz "^$$target\$$" -fuzztime '$(FUZZTIME)' </dev/null; \
	done

.PHONY: bench
bench: ## Every benchmark
	go test -run '^$$' -bench . -benchmem -timeout 30m work

.PHONY: scale
scale: ## A start on CALLS=1000000 stored calls: time until ready, memory (Linux; 6 GB of disk, half an hour)
	go test -count=1 -v -timeout 120m ./services/ringbridge -run '^$$' -bench '^BenchmarkStoredCalls$$' -benchtime 1x -scale $(CALLS)

.PHONY: pages
pages: ## Every page of the console beside CALLS=1000000 stored calls: milliseconds each (Linux; disk and time as for scale)
	go test -count=1 -v -timeout 120m ./services/ringbridge -run '^$$' -bench '^BenchmarkPagesOfStoredCalls$$' -benchtime 20x -scale $(CALLS)

.PHONY: idle
idle: build ## Time until ready and memory of the idle program, five runs (Linux)
	deploy/measure-idle.sh

.PHONY: simulate
simulate: ## Whole histories of calls against a faulty portal; HISTORIES=20000, SEED=0 takes the clock's; one history tells its story
	go test -count=1 -v -timeout 60m ./services/ringbridge -run '^TestHistoriesThatOnceFailedEndWell$$|^TestSimulation$$' -histories $(HISTORIES) -seed $(SEED)

.PHONY: faults
faults: ## Every way a portal breaks at every moment of a call, SEEDS=5 times (15 s each)
	go test -count=1 -timeout 60m ./services/ringbridge -run '^TestEveryFaultAtEveryStage' -fault-seeds $(SEEDS)

.PHONY: models
models: ## The model-based tests, CHECKS=5000 histories each
	@for package in $$(grep -rl --include='*_test.go' 'rapid\.Check' pkg services | xargs -n1 dirname | sort -u); do \
		tests=$$(grep -lE 'rapid\.Check' "$$package"/*_test.go | xargs awk '/^func Test/ {name = $$2; sub(/\(.*/, "", name)} /rapid\.Check/ {print name}' | sort -u | paste -sd'|'); \
		go test -count=1 -timeout 60m "./$$package" -run "^($$tests)\$$" -rapid.checks $(CHECKS); \
	done

.PHONY: kills
kills: ## Kill KILLS=300 real processes at named points and at random; SEED=0 takes the clock's
	go test -tags faults -count=1 -timeout 60m ./services/ringbridge -run '^(TestTheListOfKillPointsIsWhatIsPassed|TestKilledAtNamedPointsNothingIsLostOrDoubled)$$' -kills $(KILLS) -seed $(SEED) -v

.PHONY: variants
variants: ## Turn on deliberately wrong versions of the program, one at a time: a test must fail under each
	go test -count=1 -tags faults ./pkg/fault -run '^TestEveryWrongVariantIsCaught$$' -v

.PHONY: ci
ci: ## All that must hold before a merge, as .ci/run does it
	.ci/run

.PHONY: clean
clean: ## Remove what was built; ./data stays
	rm -rf bin pkg/bitrix/bitrixtest/conformance/node_modules $(BROWSER_TOOLS)/node_modules
	find pkg schemas services -name '*.test' -type f -delete
