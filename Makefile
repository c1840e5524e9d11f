# Ranvier: `make demo` sets up and runs the main job, `make test` runs all tests, `make help` lists the rest.

# ---- settings ------------------------------------------------------------------------------------------------
PREFIX   ?= /usr/local
DESTDIR  ?=
BUILD    ?= build
ifeq ($(origin CC),default)
CC        = gcc
endif
FUZZ_CC  ?= clang
OPTIMISE ?= -O3
SANITIZE ?=
PACKAGES  = gcc libc6-dev pkg-config libhdf5-dev libgsl-dev liblua5.4-dev libcairo2-dev libsdl2-dev liblz4-dev libzstd-dev zlib1g-dev librandom123-dev libmetis-dev libjansson-dev libcmocka-dev fonts-dejavu-core xvfb xdotool libx11-dev x11-xkb-utils

VERSION  := $(shell sed -n 's/^\#define RV_VERSION "\(.*\)"/\1/p' sim/ranvier.h)
ROOMS    := sim neurons learning io viz hw
MODULES   = hdf5-serial gsl lua5.4 cairo sdl2 liblz4 libzstd zlib jansson
# METIS has no pkg-config file
PLAIN_LIBS = -lmetis
# One rounding per operation, on every CPU: contraction or fast-math would break the promise of equal spikes.
FLAGS     = -std=gnu17 $(OPTIMISE) -g -fopenmp -fPIC -ffp-contract=off -fno-math-errno -Wall -Wextra -I. $(SANITIZE)
# Sweeps and learning: keep selections as selections, so that the loops over neurons and synapses are vectorised; no result changes.
SWEEPS   ?= -fno-thread-jumps -fno-trapping-math
$(BUILD)/neurons/%.o $(BUILD)/learning/%.o $(BUILD)/hw/loihi%.o: FLAGS += $(SWEEPS)
# What compiles a plug-in, but for where the headers are
PLUGIN_FLAGS = -shared -fPIC -std=gnu17 -O3 -ffp-contract=off -fno-math-errno $(SWEEPS)
# asked once, and only by the recipes that need it: nothing may be installed yet when make starts
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(MODULES)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell pkg-config --libs $(MODULES)) $(PLAIN_LIBS))$(PKG_LIBS)

# for C programs the first of them; the rest for plug-ins
HEADERS  := sim/ranvier.h sim/plugin.h sim/model.h sim/rule.h sim/products.h sim/random.h sim/vector.h neurons/membrane.h neurons/integrate.h neurons/escape.h sim/exp.h
LIB_SRC  := $(wildcard $(ROOMS:%=%/*.c))
LIB_OBJ   = $(LIB_SRC:%.c=$(BUILD)/%.o)
TESTS    := $(wildcard tests/test_*.c tests/*/test_*.c)
TEST_BIN  = $(TESTS:%.c=$(BUILD)/%)
SMALL    := sim/test_definition sim/test_value sim/test_statistics learning/test_stdp neurons/test_single neurons/test_izhikevich networks/test_net8 sim/test_watch viz/test_feed
# what the thread sanitizer sees: libgomp's threads it cannot follow
THREADED := viz/test_history viz/test_feed viz/test_live viz/test_frames viz/test_window viz/test_window_keys viz/test_window_mouse
TEST_OBJ  = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
FUZZERS  := $(patsubst %.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH    := $(wildcard tests/bench/bench_*.c)
BENCH_BIN = $(BENCH:%.c=$(BUILD)/%)

MAKEFLAGS += --no-print-directory
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

# ---- what people call ----------------------------------------------------------------------------------------
.PHONY: help deps all demo test asan tsan memcheck fuzz bench bench-peers install uninstall clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

deps: ## install what is missing (apt, as root or through sudo)
	@sh tests/support/install_packages.sh $(PACKAGES)

all: $(BUILD)/ranvier $(BUILD)/libranvier.a $(BUILD)/libranvier.so $(BUILD)/ranvier.pc ## build the command and the libraries

demo: all ## the main job: a published network, its rates beside the published ones, a file and a figure
	@$(BUILD)/ranvier run examples/brunel_2000.lua check=1 figure=brunel.png --out brunel.h5
	@echo
	@echo "Results are in brunel.h5, the figure is brunel.png. Go on with:"
	@echo "  $(BUILD)/ranvier stats brunel.h5                     rates, CV, correlations"
	@echo "  $(BUILD)/ranvier plot brunel.h5 -o raster.svg        another figure"
	@echo "  $(BUILD)/ranvier run examples/brunel_2000.lua regime=SIfast figure=fast.png"

test: all $(TEST_BIN) ## build and run all tests
	@sh tests/support/run_tests.sh $(BUILD) $(TEST_BIN)

asan: ## the tests under the address and undefined-behaviour sanitizers
	@$(MAKE) BUILD=$(BUILD)/asan OPTIMISE="-O1 -fno-omit-frame-pointer" SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined" test

tsan: ## the threads of the window under the thread sanitizer
	@$(MAKE) BUILD=$(BUILD)/tsan OPTIMISE=-O1 SANITIZE=-fsanitize=thread $(THREADED:%=$(BUILD)/tsan/tests/%)
	@for t in $(THREADED); do echo "thread sanitizer $$t"; setarch -R $(BUILD)/tsan/tests/$$t >$(BUILD)/tsan.log 2>&1 || { grep -vE '^\[ (RUN|      OK)' $(BUILD)/tsan.log | tail -n 60; exit 1; }; done

memcheck: $(SMALL:%=$(BUILD)/tests/%) ## the small suites under valgrind
	@sh tests/support/install_packages.sh valgrind
	@for t in $(SMALL); do echo "valgrind $$t"; \
		valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite $(BUILD)/tests/$$t >$(BUILD)/memcheck.log 2>&1 || { tail -n 40 $(BUILD)/memcheck.log; exit 1; }; done

fuzz: all ## the readers of files under libFuzzer (clang), each for FUZZ_SECONDS (60)
	@sh tests/support/install_packages.sh clang libclang-rt-dev libomp-dev
	@$(MAKE) BUILD=$(BUILD)/fuzz CC="$(FUZZ_CC)" SWEEPS= OPTIMISE="-O1 -fno-omit-frame-pointer" SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" $(FUZZERS)
	@sh tests/fuzz/run_fuzz.sh $(BUILD) $(FUZZERS)

bench: all $(BENCH_BIN) ## measure: speed, memory, ratios
	@sh tests/bench/run_bench.sh $(BUILD) $(BENCH_BIN)

bench-peers: $(BUILD)/tests/bench/bench_networks ## the same networks in Brian 2, where it is installed
	@sh tests/bench/run_peers.sh $(BUILD)

install: all ## install under PREFIX (default /usr/local), below DESTDIR if set
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/sim $(DESTDIR)$(PREFIX)/include/neurons
	install -m 755 $(BUILD)/ranvier $(DESTDIR)$(PREFIX)/bin/ranvier
	install -m 644 $(BUILD)/libranvier.a $(BUILD)/libranvier.so $(DESTDIR)$(PREFIX)/lib
	sed 's|^prefix=.*|prefix=$(PREFIX)|' $(BUILD)/ranvier.pc > $(DESTDIR)$(PREFIX)/lib/pkgconfig/ranvier.pc
	install -m 644 $(filter sim/%,$(HEADERS)) $(DESTDIR)$(PREFIX)/include/sim
	install -m 644 $(filter neurons/%,$(HEADERS)) $(DESTDIR)$(PREFIX)/include/neurons

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/ranvier $(DESTDIR)$(PREFIX)/lib/libranvier.a $(DESTDIR)$(PREFIX)/lib/libranvier.so
	rm -f $(DESTDIR)$(PREFIX)/lib/pkgconfig/ranvier.pc $(HEADERS:%=$(DESTDIR)$(PREFIX)/include/%)

clean: ## remove everything that was built
	rm -rf $(BUILD)

# ---- how it is made ------------------------------------------------------------------------------------------
$(BUILD)/.deps: Makefile
	@$(MAKE) deps && mkdir -p $(@D) && touch $@

$(BUILD)/%.o: %.c | $(BUILD)/.deps
	@mkdir -p $(@D)
	@echo '  CC  $<'; $(CC) $(FLAGS) $(PKG_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libranvier.a: $(LIB_OBJ)
	@echo '  AR  $@'; rm -f $@; ar rcs $@ $^

$(BUILD)/libranvier.so: $(LIB_OBJ)
	@echo '  LD  $@'; $(CC) $(FLAGS) -shared $^ -o $@ $(PKG_LIBS) -lm

$(BUILD)/ranvier: $(BUILD)/main.o $(BUILD)/libranvier.a
	@echo '  LD  $@'; $(CC) $(FLAGS) -rdynamic $^ -o $@ $(PKG_LIBS) -lm

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(TEST_OBJ) $(BUILD)/libranvier.a
	@echo '  LD  $@'; $(CC) $(FLAGS) $^ -o $@ $(PKG_LIBS) -lcmocka -lm

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libranvier.a
	@echo '  LD  $@'; $(CC) $(FLAGS) -fsanitize=fuzzer $^ -o $@ $(PKG_LIBS) -lm

$(BUILD)/ranvier.pc: Makefile sim/ranvier.h | $(BUILD)/.deps
	@printf 'prefix=%s\nlibdir=$${prefix}/lib\nincludedir=$${prefix}/include\nplugin=$(PLUGIN_FLAGS) -I$${includedir}\n\nName: ranvier\nDescription: simulator of spiking neural networks\nVersion: %s\nRequires.private: %s\nLibs: -L$${libdir} -lranvier\nLibs.private: $(PLAIN_LIBS) -fopenmp -lm\nCflags: -I$${includedir}\n' \
		'$(PREFIX)' '$(VERSION)' '$(MODULES)' > $@

-include $(LIB_OBJ:.o=.d) $(TEST_OBJ:.o=.d) $(TEST_BIN:=.d) $(BENCH_BIN:=.d) $(BUILD)/main.d
