/* SPDX-License-Identifier: MIT */
/*
 * The charging protocol on the virtual SECC: the server side of DIN 70121 and ISO 15118-2. Pure.
 *
 * Checks order and session of every request before it is answered (secc_v2g_answer.c): one out of order or with
 * a foreign session tag is answered with its failure code and ends the session.
 */
#include "sim/secc_priv.h"

#include <string.h>

#define BIT(msg) (UINT32_C(1) << (msg))

void secc_v2g_reset(struct secc *s)
{
	uint32_t n_tags = s->v2g.n_tags;

	memset(&s->v2g, 0, sizeof(s->v2g));
	s->v2g.n_tags = n_tags;
	s->v2g.last = V2G_NONE;
	s->v2g.is_finished = true;
	s->v2g.limits_us = FC_NEVER;
}

void secc_v2g_send(struct secc *s, int64_t now_us, enum plug_msg msg, const void *m, struct out_queue *out)
{
	struct can_frame f;

	s->count.n_clipped += msg_to_frame(&s->layout.plug[msg], m, (unsigned)s->cfg.index, &f);
	/* Fault injection: the code behind the tag, in every answer but the handshake's. */
	if (s->faked_answer != V2G_NONE && msg == v2g_answer_layout(s->faked_answer))
		f.data[2] = s->faked_code;
	plug_tx_frame(&s->tx, now_us, &f, out);
}

/* The head that all answers but the handshake's share: tag, code, and a status in the fourth byte. */
void secc_v2g_fail(struct secc *s, int64_t now_us, enum v2g_msg msg, uint8_t code, uint8_t status,
		   struct out_queue *out)
{
	const struct msg_layout *l = &s->layout.plug[v2g_answer_layout(msg)];
	union v2g_any m;
	struct can_frame f;

	memset(&m, 0, sizeof(m));
	if (msg == V2G_SUPPORTED_APP_PROTOCOL) {
		m.supported_app_protocol_res.handshake_code = V2G_HANDSHAKE_FAILED;
		secc_v2g_send(s, now_us, v2g_answer_layout(msg), &m, out);
		return;
	}
	msg_to_frame(l, &m, (unsigned)s->cfg.index, &f);
	f.data[0] = (uint8_t)s->v2g.tag;
	f.data[1] = (uint8_t)(s->v2g.tag >> 8);
	f.data[2] = code;
	if (msg >= V2G_CHARGE_PARAMETER_DISCOVERY && msg <= V2G_WELDING_DETECTION)
		f.data[3] = (uint8_t)(status << 4);
	if (msg == V2G_CABLE_CHECK)
		f.data[4] = s->v2g.isolation;
	plug_tx_frame(&s->tx, now_us, &f, out);
}

void secc_v2g_refuse(struct secc *s, int64_t now_us, enum v2g_msg msg, uint8_t code, enum secc_cause cause,
		     struct out_queue *out)
{
	secc_v2g_fail(s, now_us, msg, code, secc_cause_row(cause)->status, out);
	log_f(&s->log, LOG_NOTE, "refused request=%s code=%s", v2g_msg_name(msg), v2g_code_name(code));
	secc_end(s, now_us, cause, out);
}

/* After the end of a session the vehicle's questions still get their answer, and it may say goodbye. */
static void answer_closing(struct secc *s, int64_t now_us, enum v2g_msg msg, struct out_queue *out)
{
	const struct secc_cause_row *row = secc_cause_row(s->cause);

	if (msg == V2G_SESSION_STOP) {
		struct plug_session_stop_res a = {.session_tag = s->v2g.tag, .response_code = V2G_OK};

		secc_v2g_send(s, now_us, PLUG_SESSION_STOP_RES, &a, out);
	} else {
		secc_v2g_fail(s, now_us, msg, row->code, row->status, out);
	}
}

static void request(struct secc *s, int64_t now_us, enum v2g_msg msg, const struct can_frame *f,
		    struct out_queue *out)
{
	uint16_t tag = (uint16_t)(f->data[0] | f->data[1] << 8);
	bool has_tag = msg != V2G_SUPPORTED_APP_PROTOCOL && msg != V2G_SESSION_SETUP;
	union v2g_any q;

	if (s->state == SECC_CLOSING) {
		answer_closing(s, now_us, msg, out);
		return;
	}
	/* No connection, no answer. */
	if (!secc_state_row(s->state)->is_session)
		return;
	s->v2g.last_rx_us = now_us;
	if (has_tag && tag != s->v2g.tag) {
		secc_v2g_refuse(s, now_us, msg, V2G_FAILED_UNKNOWN_SESSION, SECC_CAUSE_UNKNOWN_SESSION, out);
		return;
	}
	if (!(v2g_allowed_after(s->v2g.last, s->v2g.is_finished, s->v2g.is_started) & BIT(msg))) {
		secc_v2g_refuse(s, now_us, msg, V2G_FAILED_SEQUENCE_ERROR, SECC_CAUSE_SEQUENCE_ERROR, out);
		return;
	}
	memset(&q, 0, sizeof(q));
	s->layout.plug[v2g_request_layout(msg)].unpack(&q, f->data);
	secc_v2g_answer(s, now_us, msg, &q, out);
}

static void extra_parameters(struct secc *s, const struct can_frame *f)
{
	struct plug_ev_charge_parameters m = {0};

	s->layout.plug[PLUG_EV_CHARGE_PARAMETERS].unpack(&m, f->data);
	s->vehicle.capacity_Wh = m.ev_energy_capacity_Wh;
	s->vehicle.energy_Wh = m.ev_energy_request_Wh;
	s->vehicle.p_max_W = m.ev_maximum_power_W;
	s->vehicle.soc_full_permille = m.full_state_of_charge_permille;
	s->vehicle.soc_bulk_permille = m.bulk_state_of_charge_permille;
}

bool secc_v2g_rx(struct secc *s, int64_t now_us, const struct can_frame *f, struct out_queue *out)
{
	unsigned offset = plug_offset(f);
	bool is_request = offset - PLUG_V2G_OFFSET < 2 * V2G_N_MSGS && !(offset & 1);

	if (!is_request && offset != (s->layout.plug[PLUG_EV_CHARGE_PARAMETERS].id & 0xFFFFu))
		return false;
	if (f->can_dlc != 8) {
		s->count.n_dropped++;
		return true;
	}
	if (is_request)
		request(s, now_us, (enum v2g_msg)((offset - PLUG_V2G_OFFSET) / 2), f, out);
	else
		extra_parameters(s, f);
	return true;
}

void secc_v2g_abandon(struct secc *s, int64_t now_us, struct out_queue *out)
{
	const struct secc_cause_row *row = secc_cause_row(s->cause);

	if (!s->v2g.is_start_pending)
		return;
	s->v2g.is_start_pending = false;
	secc_v2g_fail(s, now_us, V2G_POWER_DELIVERY, row->code, row->status, out);
}

void secc_v2g_slot(struct secc *s, int64_t now_us, struct out_queue *out)
{
	int64_t setup_us = (int64_t)s->cfg.setup_timeout_ms * FC_US_PER_MS;

	if (s->v2g.is_start_pending && s->state == SECC_WAITING_FOR_CHARGE &&
	    now_us - s->entered_us >= (int64_t)s->cfg.waiting_ms * FC_US_PER_MS) {
		s->v2g.is_start_pending = false;
		secc_v2g_answer_delivery(s, now_us, out);
	}
	if (!secc_state_row(s->state)->is_session)
		return;
	if (s->v2g.tag == 0 && now_us - s->session_us >= setup_us)
		secc_end(s, now_us, SECC_CAUSE_SETUP_TIMEOUT, out);
	else if (s->v2g.tag != 0 &&
		 now_us - s->v2g.last_rx_us >= (int64_t)s->cfg.sequence_timeout_ms * FC_US_PER_MS)
		secc_end(s, now_us, SECC_CAUSE_SEQUENCE_TIMEOUT, out);
}
