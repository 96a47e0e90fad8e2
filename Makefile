# Two commands: `make run` and `make test`. Each sets up what is missing first, and only that.
.PHONY: run test dev build release format sqlx psql setup bench

run: ## the demo schools on http://localhost:3000
	@scripts/run

test: ## everything that must hold before a change is accepted
	@scripts/test

dev: ## run, and rebuild on change
	@scripts/run watch

build: setup ## the front end and a server for development
	@scripts/build dev

release: setup ## what is installed: target/release/quorate and target/site
	@scripts/build release

format: ## format the Rust sources
	@scripts/format

sqlx: setup ## renew .sqlx after a change of a query or a migration
	@scripts/sqlx

psql: ## psql on the running server, as ROLE=web (worker, live, auditor, backup, migrator, cache, jobs, bus)
	@scripts/psql "$(or $(ROLE),web)"

setup:
	@scripts/setup run

bench: ## how fast, beside its peers: half an hour, or ONLY=live QUICK=1 in under a minute
	@bench/run
