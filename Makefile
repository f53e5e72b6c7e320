# SPDX-License-Identifier: MIT
# One Makefile. V chooses the variant (release, debug, asan, tsan, cov); objects go to build/$(V)/obj, programs
# to build/$(V)/bin, generated code to build/gen. `make help` lists the targets.

V       ?= release
PREFIX  ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
VERSION := 0.1.0

B   := build/$(V)
GEN := build/gen

BASE := -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch-enum -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wundef
BASE_release := -O2 -g
BASE_debug   := -O0 -g
BASE_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
BASE_tsan    := -O1 -g -fsanitize=thread
BASE_cov     := -O0 -g --coverage
BASE_lint    := -O1 -g -fanalyzer -Werror
BASE_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LINK_asan    := -fsanitize=address,undefined
LINK_tsan    := -fsanitize=thread
LINK_cov     := --coverage
WERROR       := $(if $(CI),-Werror)
CPPFLAGS += -I. -Iinclude -I$(GEN) -DFORECOURT_VERSION='"$(VERSION)"'
ALL_CFLAGS = $(BASE) $(BASE_$(V)) $(WERROR) -fPIC -MMD -MP $(CFLAGS)
LDLIBS_ALL = -linih -lsocketcan -ldl -lm $(LDLIBS)

# --- sources -----------------------------------------------------------------------------------------------
# Pure: no system call, no allocation, plain C11. check-pure reads their objects.
CORE_SRC := lib/core/lease_hold.c lib/core/out_queue.c lib/core/log.c lib/core/opts.c lib/core/frame_text.c lib/core/ctl.c
CODEC_SRC := dbc/dbc_codec.c
EVSE_SRC := $(addprefix evse-ctrl/,evse_conf.c evse_ctl.c evse_grant.c evse_guard.c evse_limits.c evse_point.c evse_power.c \
	evse_seq.c evse_session.c evse_site.c evse_states.c evse_station.c evse_wire.c)
PEV_SRC  := $(addprefix pev-ctrl/,pev_conf.c pev_contactors.c pev_ctl.c pev_drive.c pev_guard.c pev_limits.c \
	pev_point.c pev_send.c pev_session.c pev_states.c pev_supervise.c pev_wire.c)
SIM_SRC  := $(addprefix sim/,evcc.c evcc_conf.c evcc_ctl.c evcc_power.c evcc_safety.c evcc_states.c evcc_v2g.c \
	evcc_v2g_ask.c evcc_wire.c model_charger.c model_pair.c model_vehicle.c path.c physics.c plug.c \
	plug_tx.c secc.c secc_conf.c secc_ctl.c secc_plug.c secc_power.c secc_states.c secc_v2g.c \
	secc_v2g_answer.c secc_wire.c sim_opts.c sim_stack.c sim_stack_conf.c sim_stack_fault.c \
	sim_vehicle.c sim_vehicle_conf.c world.c)
POINT_SRC := $(addprefix sim/,sim_run_point.c sim_run_replay_log.c sim_run_replay_hw.c sim_run_replay_cmp.c)
GEN_SRC  := $(addprefix $(GEN)/,evse_msgs.c pev_msgs.c plug_msgs.c site_msgs.c)
POLICY_SRC := $(addprefix site-ctrl/policies/,edf.c fair.c fair_need.c fcfs.c plan.c policies.c priority.c \
	ready.c sllf.c)
SITE_SRC := $(addprefix site-ctrl/,alloc_check.c alloc_kit.c alloc_kit_fill.c alloc_kit_level.c \
	alloc_kit_level_row.c alloc_kit_rows.c alloc_kit_sort.c alloc_lp.c alloc_lp_factor.c alloc_price.c \
	alloc_price_steady.c alloc_price_tree.c alloc_run.c lease.c site.c site_calm.c site_conf.c site_ctl.c \
	site_ctl_say.c site_cycle.c site_grant.c site_hold.c site_limits.c site_model.c site_model_angle.c \
	site_model_compile.c site_model_terms.c site_rows.c site_show.c site_tell.c site_want.c site_wire.c)
GATE_SRC := $(addprefix gateways/,gate_backoff.c gate_bridge.c gate_command.c gate_queue.c gate_record.c \
	gate_state.c gate_tariff.c gate_url.c)
SITE_MON_SRC := $(addprefix monitor/,site_mon_model.c site_mon_model_history.c site_mon_model_names.c \
	site_mon_view.c site_mon_view_detail.c site_mon_view_events.c site_mon_view_list.c \
	site_mon_view_plot.c site_mon_view_points.c site_mon_view_tree.c site_mon_view_words.c)
VBUS_SRC := $(addprefix lib/can/,can_bus_virtual.c can_hub_fault.c can_hub_wire.c can_udp_codec.c \
	can_filter_set.c can_hold.c can_rx_clock.c can_url.c)
MON_SRC  := $(addprefix monitor/,explain.c explain_evse.c explain_evse_power.c explain_pev.c explain_pev_power.c explain_scene.c \
	explain_text.c mon_facts.c mon_facts_evse.c mon_facts_pev.c mon_grid.c mon_history.c mon_metrics.c \
	mon_model.c mon_model_ask.c mon_model_event.c mon_model_evse.c mon_model_pev.c mon_model_state.c \
	mon_model_watch.c mon_session.c mon_view.c mon_view_detail.c mon_view_events.c mon_view_evse.c \
	mon_view_frame.c mon_view_head.c mon_view_help.c mon_view_list.c mon_view_messages.c \
	mon_view_panel.c mon_view_pev.c mon_view_plot.c mon_view_text.c)
PURE_SRC := $(CORE_SRC) $(CODEC_SRC) $(VBUS_SRC) $(EVSE_SRC) $(PEV_SRC) $(SIM_SRC) $(POINT_SRC) $(MON_SRC) $(SITE_SRC) \
	$(POLICY_SRC) $(GATE_SRC) $(SITE_MON_SRC) $(GEN_SRC)

# Shells: these may use the operating system.
PARSE_SRC := $(addprefix dbc/,dbc_parse.c dbc_lex.c dbc_text.c dbc_section.c dbc_attr.c dbc_link.c)
DBC_SRC   := $(PARSE_SRC) $(addprefix dbc/,dbc_table.c dbc_text_out.c dbc_list.c dbc_check.c dbc_diff.c dbc_frames.c)
CAN_SRC   := $(addprefix lib/can/,can_bus.c can_bus_rx.c can_bus_socketcan.c can_bus_socketcan_tx.c \
	can_bus_udp.c can_bus_udp_tx.c can_link.c can_port.c can_port_tx.c can_rx_batch.c)
LINUX_SRC := $(addprefix lib/linux/,app.c app_args.c app_help.c app_keys.c app_units.c conf_ini.c ctl_server.c first_number.c \
	log_stderr.c loop.c notify.c plug_load.c run.c trace.c)
MON_SHELL_SRC := $(addprefix monitor/,bus_log_args.c bus_log_convert.c bus_log_count.c bus_log_cut.c bus_log_decode.c bus_log_dict.c \
	bus_log_dict_dbc.c bus_log_dict_own.c bus_log_filter.c bus_log_find.c bus_log_half.c bus_log_out.c \
	bus_log_print.c bus_log_record.c bus_log_replay.c bus_log_report.c bus_log_report_band.c \
	bus_log_report_card.c bus_log_report_html.c bus_log_report_plot.c bus_log_report_read.c \
	bus_log_report_script.c bus_log_report_series.c bus_log_report_session.c bus_log_report_style.c \
	bus_log_report_table.c bus_log_report_text.c bus_log_report_timing.c bus_log_report_track.c \
	bus_log_rotate.c bus_log_stats.c bus_log_sync.c log_read.c log_read_asc.c log_read_candump.c \
	log_read_fast.c log_write.c mon_app.c mon_app_feed.c mon_app_live.c mon_app_opts.c mon_app_out.c mon_app_replay.c \
	mon_app_screen.c mon_curses.c mon_journal.c mon_serve.c mon_sqlite.c mon_text.c mon_text_out.c \
	mon_text_snap.c)
REPLAY_SRC := $(addprefix sim/,sim_run_replay.c sim_run_replay_opts.c sim_run_replay_text.c)
SITE_SHELL_SRC := $(addprefix site-ctrl/,load_conf.c load_csv.c load_keys.c load_net.c load_point.c \
	load_schedule.c load_schedule_read.c load_site.c policy_host.c policy_host_child.c)
LOT_SRC := $(addprefix sim/,sim_run_lot.c sim_run_lot_csv.c sim_run_lot_judge.c sim_run_lot_policy.c \
	sim_run_lot_sim.c sim_run_lot_text.c sim_run_site.c sim_run_site_car.c sim_run_site_judge.c \
	sim_run_site_link.c)
GATE_SHELL_SRC := $(addprefix gateways/,mqtt_gw_bridge.c mqtt_gw_conf.c mqtt_gw_evse.c mqtt_gw_json_in.c \
	mqtt_gw_json_out.c mqtt_gw_link.c mqtt_gw_link_client.c mqtt_gw_operator.c mqtt_gw_publish.c \
	mqtt_gw_secret.c)
SITE_MON_SHELL_SRC := $(addprefix monitor/,site_mon_app.c site_mon_app_names.c site_mon_app_opts.c \
	site_mon_app_screen.c site_mon_text.c)
SHELL_SRC := $(DBC_SRC) $(CAN_SRC) $(LINUX_SRC) $(MON_SHELL_SRC) $(REPLAY_SRC) $(SITE_SHELL_SRC) $(LOT_SRC) $(GATE_SHELL_SRC) \
	$(SITE_MON_SHELL_SRC)
LIB_SRC   := $(PURE_SRC) $(SHELL_SRC)

PROGS := evse-ctrl pev-ctrl secc-sim evcc-sim sim-run chargectl dbc bus-log evse-monitor pev-monitor \
	site-ctrl site-monitor mqtt-gw
MAIN_evse-ctrl := evse-ctrl/main.c
MAIN_pev-ctrl  := pev-ctrl/main.c
MAIN_secc-sim  := sim/secc_main.c
MAIN_evcc-sim  := sim/evcc_main.c
MAIN_sim-run   := sim/sim_run.c
MAIN_chargectl := lib/linux/chargectl.c
MAIN_dbc       := dbc/dbc_main.c
MAIN_bus-log   := monitor/bus_log_main.c
MAIN_evse-monitor := monitor/evse_monitor_main.c
MAIN_pev-monitor  := monitor/pev_monitor_main.c
MAIN_site-ctrl := site-ctrl/main.c
MAIN_site-monitor := monitor/site_monitor_main.c
MAIN_mqtt-gw := gateways/mqtt_gw_main.c
# Libraries that only these need.
LIBS_site-monitor := -lncursesw -ltinfo
LIBS_mqtt-gw := -lmosquitto -ljansson
LIBS_evse-monitor := -lncursesw -ltinfo
LIBS_pev-monitor  := $(LIBS_evse-monitor)

# Tests, benches and fuzzers are found by name: one that is forgotten in a list would be a check that cannot fail.
TEST_SRC  := $(wildcard tests/unit/test_*.c) $(wildcard tests/scenario/test_*.c)
TESTS     := $(patsubst tests/%.c,$(B)/tests/%,$(TEST_SRC))
TEST_LIB  := $(filter-out tests/lib/malloc_count.c,$(wildcard tests/lib/*.c)) # that one is preloaded, not linked
BENCH_SRC := $(wildcard bench/bench_*.c)
BENCHES   := $(patsubst bench/%.c,$(B)/bench/%,$(BENCH_SRC))
BENCH_LIB := $(wildcard bench/proc_*.c tests/lib/proc_*.c)
FUZZ_SRC  := $(wildcard tests/fuzz/fuzz_*.c)
SOAK_SRC  := $(wildcard tests/soak/soak_*.c)
# Looks on for tests/run.sh in every variant: always the same program.
STALL_WATCH := build/release/tests/stall_watch

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

# --- programs ----------------------------------------------------------------------------------------------
.PHONY: all install clean help
all: $(addprefix $(B)/bin/,$(PROGS))
ifeq ($(V),release)
	@mkdir -p bin
	@for p in $(PROGS); do ln -sf ../$(B)/bin/$$p bin/$$p; done
endif

# Pure files see plain C11; the shells ask for the GNU and Linux interfaces.
$(call obj,$(SHELL_SRC)) $(call obj,$(foreach p,$(PROGS),$(MAIN_$(p)))) $(call obj,$(sort $(TEST_SRC) $(TEST_LIB) $(BENCH_SRC) $(BENCH_LIB) $(FUZZ_SRC) $(SOAK_SRC))): \
	CPPFLAGS += -D_GNU_SOURCE

$(B)/obj/%.o: %.c | $(GEN)/.stamp
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(B)/libforecourt.a: $(call obj,$(LIB_SRC))
	@rm -f $@
	$(AR) rcs $@ $^

define program
$(B)/bin/$(1): $(call obj,$(MAIN_$(1))) $(B)/libforecourt.a
	@mkdir -p $$(@D)
	$$(CC) $$(BASE_$(V)) $$(LINK_$(V)) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS_ALL) $$(LIBS_$(1))
endef
$(foreach p,$(PROGS),$(eval $(call program,$(p))))

# --- generated code: one codec per family of databases -----------------------------------------------------
EVSE_DBC := $(foreach v,3.0 3.1 3.2 3.3 3.5 3.6,$(v)=dbc/evse_v$(v).dbc)
PEV_DBC  := $(foreach v,2.0-ex 2.0 2.1 2.2 2.4 2.5,$(v)=dbc/pev_v$(v).dbc)
PLUG_DBC := 1=dbc/plug.dbc
SITE_DBC := 1=dbc/site.dbc

DBC2C_SRC := $(addprefix dbc/,dbc2c.c dbc2c_model.c dbc2c_code.c dbc2c_emit.c)
build/tools/dbc2c: $(DBC2C_SRC) $(PARSE_SRC) dbc/dbc2c.h dbc/dbc_parse.h dbc/dbc_lex.h
	@mkdir -p $(@D)
	$(CC) -I. -Iinclude -D_GNU_SOURCE $(BASE) -O1 -g -o $@ $(DBC2C_SRC) $(PARSE_SRC) -lm

$(GEN)/.stamp: build/tools/dbc2c $(wildcard dbc/*.dbc)
	@mkdir -p $(GEN)
	build/tools/dbc2c evse $(GEN) $(EVSE_DBC)
	build/tools/dbc2c pev $(GEN) $(PEV_DBC)
	build/tools/dbc2c plug $(GEN) $(PLUG_DBC)
	build/tools/dbc2c site $(GEN) $(SITE_DBC)
	@touch $@
$(GEN_SRC): $(GEN)/.stamp

# --- tests -------------------------------------------------------------------------------------------------
.PHONY: tests benches screens screen-logs check mutate unit asan tsan cov check-pure check-rx-only check-layers check-abi check-vcan check-interop fuzz bench lint format man
tests: $(TESTS) $(STALL_WATCH) $(B)/tests/replay/make_logs
benches: $(BENCHES)

$(B)/tests/%: $(B)/obj/tests/%.o $(call obj,$(TEST_LIB)) $(B)/libforecourt.a
	@mkdir -p $(@D)
	$(CC) $(BASE_$(V)) $(LINK_$(V)) $(LDFLAGS) -o $@ $^ -lcmocka -Wl,--as-needed -lsqlite3 -lvterm -lmosquitto -ljansson $(LDLIBS_ALL)

$(B)/bench/%: $(B)/obj/bench/%.o $(call obj,$(BENCH_LIB)) $(B)/libforecourt.a
	@mkdir -p $(@D)
	$(CC) $(BASE_$(V)) $(LINK_$(V)) $(LDFLAGS) -o $@ $^ $(LDLIBS_ALL) $(LIBS_$*)
# The allocator's has random sites of the tests' kind.
$(B)/bench/bench_alloc: $(call obj,tests/lib/alloc_rig.c)
# The monitor's bench watches it in a terminal.
LIBS_bench_monitor := -lvterm
LIBS_bench_site_monitor := -lvterm
$(B)/bench/bench_monitor: $(call obj,tests/lib/term_rig.c) | $(B)/bin/evse-monitor
$(B)/bench/bench_site_monitor: $(call obj,tests/lib/term_rig.c) | $(B)/bin/site-monitor

# The tests of real processes run the programs, and count their heap calls by a preloaded library.
$(addprefix $(B)/tests/unit/,test_evse_process test_evse_process_start test_site_process test_site_three): | \
	$(addprefix $(B)/bin/,evse-ctrl pev-ctrl site-ctrl) $(B)/tests/lib/malloc_count.so
$(addprefix $(B)/tests/unit/,test_mqtt_gw test_mqtt_gw_tls test_mqtt_gw_operator): | $(addprefix $(B)/bin/,mqtt-gw evse-ctrl)
$(B)/tests/lib/malloc_count.so: tests/lib/malloc_count.c tests/lib/malloc_count.h
	@mkdir -p $(@D)
	$(CC) -I. -D_GNU_SOURCE $(BASE) -O2 -fPIC -shared -o $@ $<

$(STALL_WATCH): tests/stall_watch.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(BASE) -O2 -pthread -o $@ $<

# The golden screens run the monitors on logs of simulated sessions; `screens` makes the pictures of the documentation
# and `screen-logs` the logs anew.
$(addprefix $(B)/tests/unit/,test_mon_process test_screen_golden test_screen_term test_screen_text): | $(addprefix $(B)/bin/,evse-monitor pev-monitor)
$(addprefix $(B)/tests/unit/,test_screen_site test_screen_site_text): | $(B)/bin/site-monitor
SHOT_SRC := tests/screen/shoot.c tests/screen/make_logs.c tests/screen/make_site_log.c
$(call obj,$(SHOT_SRC)): CPPFLAGS += -D_GNU_SOURCE
screens: $(B)/tests/screen/shoot | $(addprefix $(B)/bin/,evse-monitor pev-monitor site-monitor)
	@mkdir -p docs/screens
	$< docs/screens
screen-logs: $(B)/tests/screen/make_logs $(B)/tests/screen/make_site_log
	for p in $^; do $$p tests/screen || exit 1; done

# Every bench after the other; each prints our figure beside a floor's or a peer's from the same run.
$(B)/bench/bench_process: | $(B)/bin/evse-ctrl
$(addprefix $(B)/bench/,bench_log bench_lot bench_replay) $(addprefix $(B)/tests/unit/,test_bus_log test_bus_log_live test_sim_lot_program test_sim_site): | \
	$(addprefix $(B)/bin/,bus-log sim-run dbc)
bench: $(BENCHES)
	@for b in $(BENCHES); do echo "--- $$b"; $$b || exit 1; done

# Programs for a real vcan (inside user-mode Linux where the host has none) and for python-can; exit status 77: skipped.
HOST_SRC := $(wildcard tests/vcan/test_*.c) tests/interop/can_peer.c
$(call obj,$(HOST_SRC)): CPPFLAGS += -D_GNU_SOURCE
$(patsubst tests/%.c,$(B)/tests/%,$(HOST_SRC)): $(B)/tests/%: $(B)/obj/tests/%.o $(B)/libforecourt.a
	@mkdir -p $(@D)
	$(CC) $(BASE_$(V)) $(LINK_$(V)) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS_ALL)
VCAN_TESTS := $(patsubst tests/%.c,$(B)/tests/%,$(filter tests/vcan/%,$(HOST_SRC)))
check-vcan: $(VCAN_TESTS) | $(STALL_WATCH)
	status=0; for t in $^; do tests/run.sh --command vcan/$${t##*/} tests/vcan/run.sh $$t || status=1; done; exit $$status
check-interop: $(B)/tests/interop/can_peer $(addprefix $(B)/bin/,dbc evse-ctrl pev-ctrl secc-sim evcc-sim chargectl) | $(STALL_WATCH)
	tests/run.sh --command interop/dbc /usr/bin/python3 tests/interop/dbc_judge.py $(B)/bin/dbc
	tests/run.sh --command interop/python-can /usr/bin/python3 tests/interop/udp_python_can.py $<
	tests/run.sh --once --command interop/vendor-like /usr/bin/python3 tests/interop/vendor_session.py $(B)/bin

# Fuzzers: libFuzzer needs clang; the seconds of each run are bounded so that `check` is.
FUZZ_SECONDS ?= 10
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/fuzz/%,$(FUZZ_SRC))
build/fuzz/fuzz/%: build/fuzz/obj/tests/fuzz/%.o $(patsubst %.c,build/fuzz/obj/%.o,$(TEST_LIB)) build/fuzz/libforecourt.a
	@mkdir -p $(@D)
	clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(LDLIBS_ALL) -lcmocka -Wl,--as-needed -lsqlite3 -lvterm -ljansson
fuzz-build:
	$(MAKE) V=fuzz CC=clang $(FUZZERS)
fuzz: fuzz-build
	tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZERS)

# The long versions of what check does in part: hours of virtual time, a million sites.
SOAK_HOURS ?= 10000
SOAK_SITES ?= 1000000
.PHONY: soak verify
soak: $(B)/tests/soak/soak_lease $(B)/tests/unit/test_alloc_properties $(B)/tests/scenario/test_lease_chaos
	$(B)/tests/soak/soak_lease $(SOAK_HOURS)
	LEASE_STEPS=1000000 $(B)/tests/scenario/test_lease_chaos
	$(B)/tests/unit/test_alloc_properties --count $(SOAK_SITES)
# The model of the leases, to completion; and that it finds every rule that is left out.
verify:
	verify/run.sh

check-pure: $(call obj,$(PURE_SRC))
	tests/pure.sh $^
# The monitors only listen: nothing that sends is linked into them.
check-rx-only: $(addprefix $(B)/bin/,evse-monitor pev-monitor site-monitor)
	tests/rx_only.sh $^
check-layers: all $(TESTS)
	awk -f tests/layers.awk $$(find $(B)/obj -name '*.d')

# Plug-ins as a stranger builds them, with the installed headers alone, and the host's loader on them.
$(call obj,tests/abi/test_abi.c): CPPFLAGS += -D_GNU_SOURCE
check-abi: $(B)/tests/abi/test_abi
	CC="$(CC)" tests/run.sh --command abi/plug-ins tests/abi/run.sh $< $(B)/abi

# Unit and scenario tests of one variant, one line per program, and the checks of the house.
check: all $(TESTS) $(STALL_WATCH)
	tests/run.sh unit $(filter $(B)/tests/unit/%,$(TESTS))
	tests/run.sh scenario $(filter $(B)/tests/scenario/%,$(TESTS))
	SIM_RUN=$(B)/bin/sim-run tests/run.sh --once --command replay tests/replay/run.sh
ifeq ($(V),release)
	$(MAKE) check-pure check-rx-only check-layers check-abi
endif
asan:
	$(MAKE) V=asan check
tsan:
	$(MAKE) V=tsan check
cov:
	$(MAKE) V=cov check
	tests/cov.sh build/cov
mutate:
	tests/mutate.sh
lint:
	cppcheck -q --enable=warning,portability --error-exitcode=1 --suppress=ctunullpointer --suppress=ctuuninitvar \
		--suppress=nullPointer:dbc/dbc2c_emit.c --suppress=arrayIndexOutOfBoundsCond:lib/can/can_hub_fault.c -I. -Iinclude -I$(GEN) \
		evse-ctrl pev-ctrl site-ctrl gateways sim lib dbc/*.c monitor
	$(MAKE) V=lint CC=gcc $(patsubst %.c,build/lint/obj/%.o,$(EVSE_SRC) $(PEV_SRC) $(SIM_SRC) $(CORE_SRC) $(CAN_SRC) $(LINUX_SRC) $(MON_SRC) \
		$(SITE_SRC) $(POLICY_SRC) $(SITE_SHELL_SRC) $(GATE_SRC) $(GATE_SHELL_SRC) $(SITE_MON_SRC) $(SITE_MON_SHELL_SRC) $(LOT_SRC) \
		$(filter-out monitor/bus_log_report_read.c,$(MON_SHELL_SRC))) # that one: takes a list of the struct for a leak

format:
	clang-format -i $(shell git ls-files '*.c' '*.h')
man:
	mandoc -T lint -W warning docs/man/*

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include/forecourt $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man5
	install -m 755 $(addprefix $(B)/bin/,$(PROGS)) $(DESTDIR)$(PREFIX)/bin
	install -m 644 include/forecourt/*.h $(DESTDIR)$(PREFIX)/include/forecourt
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 docs/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
clean:
	rm -rf build bin
help:
	@echo 'all           programs into bin/ (V=release|debug|asan|tsan|cov)'
	@echo 'install       to $$(DESTDIR)$$(PREFIX); clean removes everything built'
	@echo 'check         unit and scenario tests, and check-pure check-rx-only check-layers check-abi'
	@echo 'asan tsan cov the same tests with sanitizers; cov fails under 100 % lines of guards and codecs'
	@echo 'check-vcan    the SocketCAN back end and a session on a real vcan'
	@echo 'check-interop against python-can, and sessions with customers like the vendor'\''s simulators'
	@echo 'fuzz          every fuzzer for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'soak          10,000 virtual hours of leases, a million random sites; half an hour'
	@echo 'verify        the model of the leases by SPIN, to completion; two minutes'
	@echo 'bench         our figures beside a floor from the same run'
	@echo 'screens       the screenshots of the monitors in docs/screens; screen-logs: the logs that they show'
	@echo 'mutate        flips operators of the guards and expects a failing test'
	@echo 'lint format man   cppcheck and -fanalyzer, clang-format, man page check'

-include $(shell find build/$(V)/obj -name '*.d' 2>/dev/null)
