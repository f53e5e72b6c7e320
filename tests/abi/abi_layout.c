/* SPDX-License-Identifier: MIT */
/*
 * Prints size and offsets of everything that crosses the plug-in border in ABI 1.0, one per line. Compiled against
 * the frozen headers and against the present ones: offsets must agree, sizes may only grow.
 */
#include <forecourt/plugin.h>
#include <forecourt/power_module.h>
#include <forecourt/vehicle_hw.h>

#include <stdio.h>

#define SIZE(type) printf("size " #type " %zu\n", sizeof(struct type))
#define AT(type, member)                                                            \
	printf("at " #type "." #member " %zu %zu\n", offsetof(struct type, member), \
	       sizeof(((struct type *)0)->member))

static void print_forecourt_option(void)
{
	SIZE(forecourt_option);
	AT(forecourt_option, name);
	AT(forecourt_option, unit);
	AT(forecourt_option, def);
	AT(forecourt_option, help);
}

static void print_forecourt_kv(void)
{
	SIZE(forecourt_kv);
	AT(forecourt_kv, key);
	AT(forecourt_kv, value);
}

static void print_forecourt_host(void)
{
	SIZE(forecourt_host);
	AT(forecourt_host, size);
	AT(forecourt_host, index);
	AT(forecourt_host, ctx);
	AT(forecourt_host, log);
	AT(forecourt_host, send);
}

static void print_forecourt_plugin(void)
{
	SIZE(forecourt_plugin);
	AT(forecourt_plugin, magic);
	AT(forecourt_plugin, abi_major);
	AT(forecourt_plugin, abi_minor);
	AT(forecourt_plugin, record_size);
	AT(forecourt_plugin, kind);
	AT(forecourt_plugin, name);
	AT(forecourt_plugin, version);
	AT(forecourt_plugin, ops);
	AT(forecourt_plugin, ops_size);
	AT(forecourt_plugin, state_size);
	AT(forecourt_plugin, options);
	AT(forecourt_plugin, n_options);
	AT(forecourt_plugin, option_stride);
}

static void print_pm_setpoint(void)
{
	SIZE(pm_setpoint);
	AT(pm_setpoint, size);
	AT(pm_setpoint, mode);
	AT(pm_setpoint, v_mV);
	AT(pm_setpoint, i_max_mA);
	AT(pm_setpoint, i_min_mA);
	AT(pm_setpoint, p_max_W);
	AT(pm_setpoint, v_load_mV);
	AT(pm_setpoint, is_closed);
	AT(pm_setpoint, is_bleeding);
	AT(pm_setpoint, range);
	AT(pm_setpoint, clear_fault);
	AT(pm_setpoint, is_urgent);
	AT(pm_setpoint, valid_until_us);
	AT(pm_setpoint, seq);
	AT(pm_setpoint, reserved);
}

static void print_pm_caps(void)
{
	SIZE(pm_caps);
	AT(pm_caps, size);
	AT(pm_caps, flags);
	AT(pm_caps, v_min_mV);
	AT(pm_caps, v_max_mV);
	AT(pm_caps, i_charge_max_mA);
	AT(pm_caps, i_discharge_max_mA);
	AT(pm_caps, p_max_W);
	AT(pm_caps, v_step_mV);
	AT(pm_caps, i_step_mA);
	AT(pm_caps, i_lowest_mA);
	AT(pm_caps, ramp_mV_per_s);
	AT(pm_caps, ramp_mA_per_s);
	AT(pm_caps, off_current_mA);
	AT(pm_caps, wake_us);
	AT(pm_caps, off_us);
	AT(pm_caps, watchdog_us);
	AT(pm_caps, range_change_us);
	AT(pm_caps, n_buses);
	AT(pm_caps, bitrate);
}

static void print_pm_status(void)
{
	SIZE(pm_status);
	AT(pm_status, size);
	AT(pm_status, state);
	AT(pm_status, v_mV);
	AT(pm_status, i_mA);
	AT(pm_status, t_vi_us);
	AT(pm_status, avail_v_min_mV);
	AT(pm_status, avail_v_max_mV);
	AT(pm_status, avail_i_max_mA);
	AT(pm_status, avail_i_min_mA);
	AT(pm_status, avail_p_W);
	AT(pm_status, temp_hot_mdegC);
	AT(pm_status, temp_inlet_mdegC);
	AT(pm_status, t_avail_us);
	AT(pm_status, insulation_ohm);
	AT(pm_status, insulation_valid);
	AT(pm_status, t_iso_us);
	AT(pm_status, is_ready);
	AT(pm_status, is_off_confirmed);
	AT(pm_status, is_v_reached);
	AT(pm_status, is_closed);
	AT(pm_status, limit_by);
	AT(pm_status, faults);
	AT(pm_status, faults_stop);
	AT(pm_status, faults_latched);
	AT(pm_status, demand_mains_cut);
	AT(pm_status, n_expected);
	AT(pm_status, n_online);
	AT(pm_status, n_on);
	AT(pm_status, n_derated);
	AT(pm_status, n_faulted);
	AT(pm_status, n_silent);
	AT(pm_status, seq_done);
	AT(pm_status, vendor_code);
	AT(pm_status, rx_age_us);
	AT(pm_status, tx_fail);
	AT(pm_status, reserved);
}

static void print_pm_module(void)
{
	SIZE(pm_module);
	AT(pm_module, size);
	AT(pm_module, address);
	AT(pm_module, state);
	AT(pm_module, v_mV);
	AT(pm_module, i_mA);
	AT(pm_module, avail_i_mA);
	AT(pm_module, temp_mdegC);
	AT(pm_module, faults);
	AT(pm_module, rx_age_us);
	AT(pm_module, serial);
}

static void print_power_module_ops(void)
{
	SIZE(power_module_ops);
	AT(power_module_ops, init);
	AT(power_module_ops, fini);
	AT(power_module_ops, caps);
	AT(power_module_ops, set);
	AT(power_module_ops, status);
	AT(power_module_ops, rx);
	AT(power_module_ops, tick);
	AT(power_module_ops, next_us);
	AT(power_module_ops, filters);
	AT(power_module_ops, module);
	AT(power_module_ops, live);
	AT(power_module_ops, fd);
	AT(power_module_ops, io);
}

static void print_vh_command(void)
{
	SIZE(vh_command);
	AT(vh_command, size);
	AT(vh_command, is_closed);
	AT(vh_command, is_urgent);
	AT(vh_command, is_in_session);
	AT(vh_command, i_request_mA);
	AT(vh_command, clear_fault);
	AT(vh_command, valid_until_us);
	AT(vh_command, phase);
	AT(vh_command, reserved);
}

static void print_vh_caps(void)
{
	SIZE(vh_caps);
	AT(vh_caps, size);
	AT(vh_caps, v_min_mV);
	AT(vh_caps, v_max_mV);
	AT(vh_caps, i_charge_max_mA);
	AT(vh_caps, i_discharge_max_mA);
	AT(vh_caps, capacity_Wh);
	AT(vh_caps, contactor_delay_us);
	AT(vh_caps, open_limit_mA);
	AT(vh_caps, has_feedback);
}

static void print_vh_status(void)
{
	SIZE(vh_status);
	AT(vh_status, size);
	AT(vh_status, is_hv_ready);
	AT(vh_status, battery_mV);
	AT(vh_status, inlet_mV);
	AT(vh_status, current_mA);
	AT(vh_status, t_vi_us);
	AT(vh_status, is_closed);
	AT(vh_status, t_closed_us);
	AT(vh_status, soc_permille);
	AT(vh_status, capacity_Wh);
	AT(vh_status, i_charge_max_mA);
	AT(vh_status, i_discharge_max_mA);
	AT(vh_status, v_target_mV);
	AT(vh_status, temp_mdegC);
	AT(vh_status, t_bms_us);
	AT(vh_status, faults);
	AT(vh_status, faults_stop);
	AT(vh_status, stop_request);
	AT(vh_status, energy_target_Wh);
	AT(vh_status, energy_max_Wh);
	AT(vh_status, energy_min_Wh);
	AT(vh_status, v2x_min_Wh);
	AT(vh_status, v2x_max_Wh);
	AT(vh_status, departure_s);
}

static void print_vehicle_hw_ops(void)
{
	SIZE(vehicle_hw_ops);
	AT(vehicle_hw_ops, init);
	AT(vehicle_hw_ops, fini);
	AT(vehicle_hw_ops, caps);
	AT(vehicle_hw_ops, set);
	AT(vehicle_hw_ops, status);
	AT(vehicle_hw_ops, rx);
	AT(vehicle_hw_ops, tick);
	AT(vehicle_hw_ops, next_us);
	AT(vehicle_hw_ops, filters);
	AT(vehicle_hw_ops, live);
	AT(vehicle_hw_ops, fd);
	AT(vehicle_hw_ops, io);
}

int main(void)
{
	print_forecourt_option();
	print_forecourt_kv();
	print_forecourt_host();
	print_forecourt_plugin();
	print_pm_setpoint();
	print_pm_caps();
	print_pm_status();
	print_pm_module();
	print_power_module_ops();
	print_vh_command();
	print_vh_caps();
	print_vh_status();
	print_vehicle_hw_ops();
	return 0;
}
