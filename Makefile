# The index of what can be done here: `make help`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Variables of your own: PORT, DATA_DIR, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, HUB_DATABASE_URL.
BENCH ?=
PARTS ?= .
PICTURES ?= bin/screenshots

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build $(if $(HUB_DATABASE_URL),,postgres) ## Run everything: PostgreSQL, stand-ins, hub, shop (PORT=58081)
	@exec bin/hub dev

.PHONY: build
build: ## Build hub, plugins, shop and sandbox into bin/
	@echo "building hub, plugins, shop and sandbox into bin/ (the first time takes a minute) ..."
	@go build -o bin/ ./hub ./hub/tools/...
	@go build -o bin/plugins/ ./plugins/...

.PHONY: test
test: $(if $(HUB_TEST_DATABASE_URL),,postgres) chromium node ## Run all tests with the race detector
	go test -race -p 3 -parallel 4 -timeout 20m ./...

.PHONY: exam-broken
exam-broken: ## Ask every rule of the plugins' exam of every plugin that is broken on purpose (takes 5 minutes)
	@EXAM_BROKEN=1 go test ./sdk/plugintest/template/acmepay -run '^TestExam_AllAgainstAll$$' -count=1 -v -parallel 6 -timeout 20m | grep -E '^ *--- FAIL|_test.go|^--- |^FAIL|^ok'

.PHONY: books
books: $(if $(HUB_TEST_DATABASE_URL),,postgres) ## Pay in all ways, in all cases, and print the hub's books beside the providers'
	@go test ./hub/internal/e2e -run '^TestBooks$$' -count=1 -v | grep -E '^ |^--- |^FAIL|^ok'

.PHONY: races
races: $(if $(HUB_TEST_DATABASE_URL),,postgres) ## Run what two hubs may do at the same moment 1,000 times (REPEAT=)
	@REPEAT=$(or $(REPEAT),1000) go test ./hub/internal/e2e -run '^TestRaces$$' -count=1 -v

.PHONY: lost
lost: $(if $(HUB_TEST_DATABASE_URL),,postgres) ## Restore a backup under a hub that has made payments since (LOST=1000 at each provider), and time their return
	@LOST=$(or $(LOST),1000) go test ./hub/internal/e2e -run '^TestRecover_ManyLost$$' -count=1 -v -timeout 40m | grep -E '^ |^--- |^FAIL|^ok'

.PHONY: flood
flood: $(if $(HUB_TEST_DATABASE_URL),,postgres) ## Send EVENTS=10000 events of one payment at once, and count its reads
	@EVENTS=$(or $(EVENTS),10000) go test ./hub/internal/payments -run '^TestOwed_AFlood$$' -count=1 -v | grep -E '^--- |^FAIL|^ok'

.PHONY: chaos
chaos: build postgres ## Run the campaign of faults (ORDERS=10000 SEED=now; ORDER=n runs one of them again)
	@exec bin/chaos

.PHONY: screenshots
screenshots: $(if $(HUB_TEST_DATABASE_URL),,postgres) chromium ## Take pictures of every screen of the console into PICTURES=folder
	@.ci/fonts.sh
	@SCREENSHOTS="$(abspath $(PICTURES))" go test ./hub/internal/e2e -run '^TestScreenshots$$' -count=1 -v | grep -E '^ |^--- |^FAIL|^ok'

.PHONY: lint
lint: ## Check format, vet, staticcheck, go.mod and generated code
	@.ci/lint.sh

.PHONY: generate
generate: protoc ## Generate code, openapi.json and the drawing of the states anew
	@.ci/generate.sh .

.PHONY: bench
bench: build postgres ## Measure the hub beside what else would do its work (BENCH="-short -rows checkout"; -rows overload,strangers,memory,hubs,growth take longer)
	@bin/bench $(BENCH)

.PHONY: bench-parts
bench-parts: ## Measure the parts: plugin call, signature, decoding, transition, template (PARTS=pattern)
	go test -run '^$$' -bench '$(PARTS)' -benchmem ./hub/internal/providers ./hub/internal/ledger ./hub/internal/console ./plugins/...

.PHONY: bench-console
bench-console: postgres ## Time the console's queries and pages with 1,000,000 orders (ORDERS=n; takes 15 minutes)
	go test -run '^$$' -bench Console -benchtime 50x -timeout 60m ./hub/internal/postgres

.PHONY: postgres
postgres: ## Make sure that PostgreSQL's programs are there
	@.ci/postgres.sh

.PHONY: chromium
chromium: ## Make sure that a browser is there for the tests
	@.ci/chromium.sh

.PHONY: node
node: ## Make sure that Node is there for the tests, and the packages of the modules in Node
	@.ci/node.sh

.PHONY: protoc
protoc: ## Make sure that protoc is there for the generated code
	@.ci/protoc.sh

.PHONY: clean
clean: ## Remove what was built; the data folder stays
	@rm -rf bin
