# The front door. `make` says what there is.

# The checkout's own Node (tools/node-runtime) comes first, whatever Node runs npm.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
SHELL := /bin/sh
# npm writes this one when an installation is complete.
INSTALLED := node_modules/.package-lock.json
JEST := node --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js

.DEFAULT_GOAL := help
.PHONY: help quickstart test check unit e2e build single-file image release bench bench-peers format lint clean deps test-deps

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

quickstart: build ## build an image, push it, pull it, look inside
	@tools/install-test-deps.sh runc uidmap busybox-static
	@tools/quickstart.sh

test: test-deps check build unit e2e ## everything: lint, format, types, unit and end-to-end tests

check: deps ## lint, format and types, without changing anything
	oxlint --type-aware --deny-warnings
	node tools/check-imports.ts
	biome format .
	tsc --noEmit

# What the tests' threads and children, which run from the sources, would compile and strip of types at every start.
unit: export NODE_COMPILE_CACHE := $(CURDIR)/.cache/compiled
unit: deps ## unit tests
	$(JEST) --selectProjects unit --maxWorkers=100% $(JEST_FLAGS)

e2e: build ## end-to-end tests: the CLI as a user runs it
	$(JEST) --selectProjects e2e --maxWorkers=2 $(JEST_E2E_FLAGS)

build: deps ## bundle the CLI and the library into dist/
	node tools/build.ts

single-file: build ## one executable that needs no Node, in dist-single/ (ARCH=x64 or arm64)
	node tools/single-file.ts $(if $(ARCH),--arch $(ARCH))

# The same commit on the same base gives the same image.
BUILD_IMAGE = SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) bin/slipway build --reproducible --file packaging/Dockerfile \
  --build-arg VERSION=$$(node -p 'require("./package.json").version') --tag slipway:latest $(IMAGE_FLAGS)

image: build ## Slipway's own container image, built by Slipway (IMAGE_FLAGS: flags of build)
	node tools/single-file.ts --unpacked
	$(BUILD_IMAGE) dist-single

release: build ## all that is published, in dist-single/: package, executables, image of both platforms
	rm -rf dist-single
	node tools/single-file.ts --unpacked --arch x64
	node tools/single-file.ts --unpacked --arch arm64
	$(BUILD_IMAGE) --platform linux/amd64,linux/arm64 --output type=oci,dest=dist-single/slipway-image.tar dist-single
	rm -r dist-single/program-linux-*
	npm pack --silent --pack-destination dist-single
	cd dist-single && rm slipway-*.sha256 && sha256sum slipway-* > SHA256SUMS

bench: build ## measure against peers
	node bench/run.ts

bench-peers: deps ## fetch the newest builders to measure against; BUILDKIT_SOURCE=FOLDER builds BuildKit too
	@tools/fetch-bench-peers.sh .cache/bench-peers

format: deps ## format all sources
	biome format --write .

lint: deps ## lint, and the check of the import list
	oxlint --type-aware --deny-warnings
	node tools/check-imports.ts

clean: ## remove what was built
	rm -rf dist dist-single oclif.manifest.json coverage .cache/compiled

deps: $(INSTALLED)

test-deps: deps
	@tools/install-test-deps.sh
	@tools/fetch-newer-peers.sh .cache/newer-peers

$(INSTALLED): package-lock.json tools/node-runtime/package.json
	npm ci --no-audit --no-fund
	@touch $@
