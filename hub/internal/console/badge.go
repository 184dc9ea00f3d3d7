package console

import "html/template"

// tones are the colour and the drawing (static/icons.svg) of a status: what it means for who looks.
var tones = map[string]string{
	"order.open": "idle", "order.pending": "wait", "order.authorized": "hold", "order.paid": "ok", "order.partially_refunded": "back",
	"order.refunded": "back", "order.canceled": "idle", "order.expired": "idle", "order.needs_attention": "alarm", "order.disputed": "alarm",
	"order.accepted": "hold", "capture.pending": "wait", "capture.succeeded": "ok", "capture.failed": "bad",

	"attempt.created": "wait", "attempt.unknown": "odd", "attempt.requires_action": "act", "attempt.requires_confirmation": "act", "attempt.pending": "wait",
	"attempt.requires_capture": "hold", "attempt.succeeded": "ok", "attempt.failed": "bad", "attempt.canceled": "idle",

	"refund.pending": "wait", "refund.succeeded": "back", "refund.failed": "bad", "refund.unknown": "odd",
	"dispute.inquiry": "wait", "dispute.open": "odd", "dispute.won": "ok", "dispute.lost": "bad", "dispute.closed": "idle",
	"operation.pending": "wait", "operation.succeeded": "ok", "operation.declined": "bad", "operation.not_sent": "idle", "operation.unknown": "odd",

	"verdict.genuine": "ok", "verdict.forged": "bad", "verdict.cannot_check": "odd", "verdict.not_ours": "idle",
	"callback.applied": "ok", "callback.no_news": "idle", "callback.ignored": "idle", "callback.unmatched": "wait", "callback.foreign": "idle",
	"callback.failed": "odd", "callback.parked": "odd", "callback.owed": "wait", "callback.unconfirmed": "odd",
	"key.active": "ok", "key.expired": "idle", "key.revoked": "idle",
	"endpoint.enabled": "ok", "endpoint.failing": "odd", "endpoint.disabled": "hold",
	"notification.pending": "wait", "notification.retrying": "wait", "notification.delivered": "ok", "notification.failed": "odd", "notification.disabled": "hold",
	"provider.up": "ok", "provider.degraded": "hold", "provider.down": "bad", "provider.starting": "wait", "provider.disabled": "idle",

	"finding.ok": "ok", "finding.wrong": "bad",

	"user.active": "ok", "user.disabled": "idle",
	"audit.begun": "odd", "audit.done": "ok", "audit.failed": "bad", "audit.refused": "bad",
}

// badge is a status: shape, colour and word, so that colour is never all there
// is. Its code is in the title.
func (s *server) badge(lang, noun, status string) template.HTML {
	key := noun + "." + status
	tone, ok := tones[key]
	word := text(lang, "status."+key)
	if !ok {
		tone, word = "idle", status // one that this hub does not know
	}
	return template.HTML(`<span class="badge ` + tone + `" title="` + template.HTMLEscapeString(status) + `">` + string(s.icon(tone)) + template.HTMLEscapeString(word) + `</span>`)
}
