/* SPDX-License-Identifier: MIT */
/*
 * Feeds a monitor's model from a line of words, for tests of what reads the model:
 *
 *   Message.Signal=number   sets a member (in our units) of a message that is sent from now on, every 100 ms.
 *                           Names may be cut short where they stay the first that fits; spaces separate words.
 *   Message                 the same without setting anything
 *   -Message                is not sent any more
 *   once:Message            sent once, now
 *   +250                    250 ms pass
 *   down, up                the bus goes down, comes back
 *
 * What was set is sent before time passes, and at the end. A word that fits nothing fails the test.
 */
#ifndef TESTS_MON_SCRIPT_H
#define TESTS_MON_SCRIPT_H

#include "monitor/mon_model.h"

struct mon_script {
	struct mon_model model;
	unsigned point;
	int64_t now_us;
	bool is_sent[MON_MAX_MSGS];
	bool is_due;			    /* something was set and is not sent yet */
	uint64_t content[MON_MAX_MSGS][16]; /* the messages' structs */
};

void mon_script_init(struct mon_script *s, enum mon_side side, unsigned version, const struct mon_sink *sink);
void mon_script_run(struct mon_script *s, const char *words);

/* A pistol that charges: both halves speak. */
#define EVSE_IDLE "Advantics.State=1 Power_Modules.System=0 +500 "
#define EVSE_CHARGING                                                                                  \
	EVSE_IDLE                                                                                      \
	"Advantics.State=2 +500 Advantics.State=3 New_Charge.Comm=2 +300 -New_Charge "                 \
	"Power_Modules.System=1 Advantics.State=4 +300 Advantics.State=5 +300 Advantics.State=6 +100 " \
	"Advantics.State=7 DC_Power_Control.Power=8 DC_Power_Control.Output=1 "                        \
	"DC_Power_Control.Current_Range_Max=100000 Power_Modules.Present_V=400000 "                    \
	"Power_Modules.Present_C=100000 Power_Modules.Insul=200000 +1000 "
#define PEV_IDLE "EVSE_Info.Comm=1 DC_Control.Close=0 EV_Info.State=400 DC_Status1 DC_Status2 +500 "
#define PEV_CHARGING                                                                                       \
	PEV_IDLE "EVSE_Info.Comm=2 EVSE_Info.Protocol=3 EVSE_Info.Max=200000 +500 EVSE_Info.Comm=3 +200 "  \
		 "EVSE_Info.Comm=4 +200 EVSE_Info.Comm=5 +200 EVSE_Info.Comm=6 +200 EVSE_Info.Comm=7 "     \
		 "DC_Control.Close=1 DC_Status2.Contact=1 DC_Status2.Batt=400000 DC_Status2.Inlet=400000 " \
		 "DC_Status1.Max_C=100000 DC_Status1.Present=100000 +1000 "

#endif
