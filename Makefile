.DEFAULT_GOAL := help
.PHONY: help demo build create-model create-models codegen-check check audit test test-setup kube-test soak fuzz
.PHONY: bench bench-insert bench-setup clean-demo

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## a sample shop from a throw-away Postgres into ./lake, and a report from it
	scripts/demo.sh

build: ## the binary target/release/project
	cargo build --release -p project_cli

# A table may be called anything: `make` shall expand no `$` in a name, and the names go through the environment.
ifneq ($(filter create-model create-models,$(MAKECMDGOALS)),)
MODEL_VARIABLES := TABLE TABLES KIND SCHEMA PARTITION_BY TASK
$(foreach name,$(MODEL_VARIABLES),$(eval override export $(name) := $$(value $(name))))
endif

CODEGEN := cargo build --quiet --workspace --bin project_codegen && target/debug/project_codegen

create-model: ## from a table to a task: TABLE=orders [KIND=batch|stream|huge] [SCHEMA=public] [PARTITION_BY=created_at] [TASK=name]
	@$(CODEGEN) create-model

create-models: ## the same for several: TABLES='orders "Order Lines"' [KIND=...] [SCHEMA=...]
	@$(CODEGEN) create-models

codegen-check: ## fails when the database has drifted from the files that create-model has generated
	@$(CODEGEN) codegen-check

check: ## format, lints, documentation, dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps
	scripts/install_cargo_deny.sh
	target/tools/bin/cargo-deny --locked check bans licenses sources
	@test $$(wc -l < ARCHITECTURE.md) -le 80 || { echo "ARCHITECTURE.md has more than 80 lines" >&2; exit 1; }

audit: ## known vulnerabilities and abandoned crates; needs the internet and fails when it cannot reach it
	scripts/install_cargo_deny.sh
	target/tools/bin/cargo-deny --locked check advisories

test-setup: ## what the tests need: Postgres, a browser, Python packages in target/test-venv, programs in target/tools
	scripts/install_postgres.sh
	scripts/python_venv.sh target/test-venv "800 MB" tests/requirements.txt tests/requirements_operations.txt
	scripts/install_operations_tools.sh
	scripts/install_diesel_cli.sh
	scripts/install_browser.sh

test: test-setup ## everything, against a real Postgres and a local AWS stand-in that it starts itself
	cargo test --workspace
	target/test-venv/bin/python -m unittest discover -s tests -p 'test_*.py'

kube-test: ## --then against a real API server of Kubernetes, which is built once (half an hour); KUBE_RECORD=1 records it
	scripts/install_operations_tools.sh
	scripts/install_kube_apiserver.sh
	cargo clippy --workspace --features project_kube/real-api-server --test api_server -- -D warnings
	cargo test --workspace --features project_kube/real-api-server --test api_server

soak: export KILL_ROUNDS ?= 200
soak: export CONSTANT_SUM_ROUNDS ?= 40
soak: export STORE_FAULTS ?= all
soak: test-setup ## what chance decides, for much longer: KILL_ROUNDS (200), CONSTANT_SUM_ROUNDS (40), STORE_FAULTS (all)
	cargo test --workspace --test end_to_end -- killed constant_sum --nocapture

fuzz: ## the decoder against bytes that no server sent, for FUZZ_SECONDS (60)
	scripts/fuzz.sh

SCALE ?= 1
RUNS ?= 5

bench-setup: ## what the benchmark needs: Python packages in target/bench-venv
	scripts/python_venv.sh target/bench-venv "1 GB" project_bench/requirements.txt

bench: bench-setup ## timings beside the peers, and the README's table of them; SCALE=10 for the long table
	cargo build --release --workspace --bin project --bin typed_path
	cargo bench -p project_bench --bench decoder --bench writers
	target/bench-venv/bin/python project_bench/run.py --scale=$(SCALE) --runs=$(RUNS) $(if $(filter 1,$(SCALE)),--write-readme)

bench-insert: build ## the way back into Postgres beside psql's \copy, 2 million rows; prints a table
	python3 project_bench/insert.py $(if $(INSERT_RUNS),--runs=$(INSERT_RUNS))

clean-demo: ## remove the lake of the demo
	rm -rf lake
