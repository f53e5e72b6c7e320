/* SPDX-License-Identifier: MIT */
/* Names, numbers and order of the charging protocol on the virtual plug. Pure. */
#include "sim/plug.h"

#include "plug_msgs.h"

#define BIT(msg) (UINT32_C(1) << (msg))

unsigned cp_nominal_V(enum cp_state state)
{
	switch (state) {
	case CP_A:
		return 12;
	case CP_B:
		return 9;
	case CP_C:
		return 6;
	case CP_D:
		return 3;
	case CP_E_F:
		break;
	}
	return 0;
}

const char *cp_name(enum cp_state state)
{
	switch (state) {
	case CP_A:
		return "A";
	case CP_B:
		return "B";
	case CP_C:
		return "C";
	case CP_D:
		return "D";
	case CP_E_F:
		break;
	}
	return "E_or_F";
}

const char *v2g_msg_name(enum v2g_msg msg)
{
	static const char *const names[V2G_N_MSGS + 1] = {
		"SupportedAppProtocol",
		"SessionSetup",
		"ServiceDiscovery",
		"PaymentServiceSelection",
		"Authorization",
		"ChargeParameterDiscovery",
		"CableCheck",
		"PreCharge",
		"PowerDelivery",
		"CurrentDemand",
		"WeldingDetection",
		"SessionStop",
		"none",
	};

	return msg <= V2G_NONE ? names[msg] : "?";
}

/* Looks a number up in the value table of a signal, so that the database stays the only list of names. */
static const char *value_name(const struct msg_layout *l, const char *signal, int64_t number)
{
	uint16_t i, k;

	for (i = 0; i < l->n_fields; i++) {
		if (strcmp(l->fields[i].signal, signal) != 0)
			continue;
		for (k = 0; k < l->fields[i].n_values; k++) {
			if (l->fields[i].values[k].number == number)
				return l->fields[i].values[k].name;
		}
	}
	return "?";
}

const char *v2g_code_name(unsigned code)
{
	return value_name(&plug_layouts[0][PLUG_SESSION_SETUP_RES], "Response_Code", code);
}

const char *v2g_protocol_name(enum v2g_protocol protocol)
{
	return value_name(&plug_layouts[0][PLUG_SUPPORTED_APP_PROTOCOL_RES], "Protocol", protocol);
}

const char *v2g_status_name(unsigned status)
{
	return value_name(&plug_layouts[0][PLUG_CURRENT_DEMAND_RES], "Status_Code", status);
}

uint32_t v2g_allowed_after(enum v2g_msg last, bool is_finished, bool is_started)
{
	uint32_t stop = BIT(V2G_SESSION_STOP);

	if (!is_finished && last < V2G_NONE)
		return BIT(last) | (last >= V2G_SESSION_SETUP ? stop : 0);
	switch (last) {
	case V2G_SUPPORTED_APP_PROTOCOL: /* a repeated handshake: the first answer may have been lost */
		return BIT(V2G_SUPPORTED_APP_PROTOCOL) | BIT(V2G_SESSION_SETUP);
	case V2G_SESSION_SETUP:
		return BIT(V2G_SERVICE_DISCOVERY) | stop;
	case V2G_SERVICE_DISCOVERY:
		return BIT(V2G_PAYMENT_SERVICE_SELECTION) | stop;
	case V2G_PAYMENT_SERVICE_SELECTION:
		return BIT(V2G_AUTHORIZATION) | stop;
	case V2G_AUTHORIZATION:
		return BIT(V2G_CHARGE_PARAMETER_DISCOVERY) | stop;
	case V2G_CHARGE_PARAMETER_DISCOVERY:
		return BIT(V2G_CABLE_CHECK) | stop;
	case V2G_CABLE_CHECK:
		return BIT(V2G_PRE_CHARGE) | stop;
	case V2G_PRE_CHARGE:
		return BIT(V2G_PRE_CHARGE) | BIT(V2G_POWER_DELIVERY) | stop;
	case V2G_POWER_DELIVERY:
		return is_started ? BIT(V2G_CURRENT_DEMAND) | BIT(V2G_POWER_DELIVERY)
				  : BIT(V2G_WELDING_DETECTION) | stop;
	case V2G_CURRENT_DEMAND:
		return BIT(V2G_CURRENT_DEMAND) | BIT(V2G_POWER_DELIVERY);
	case V2G_WELDING_DETECTION:
		return BIT(V2G_WELDING_DETECTION) | stop;
	case V2G_SESSION_STOP:
	case V2G_N_MSGS:
		break;
	}
	return BIT(V2G_SUPPORTED_APP_PROTOCOL);
}
