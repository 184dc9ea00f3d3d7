package console

import (
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// teller turns rows into lines.
type teller struct {
	s     *server
	p     *page
	d     *orderData
	app   string
	story postgres.Story
}

func (t *teller) tell(audit []postgres.AuditEntry) []line {
	var out []line
	for _, e := range t.story.Events {
		out = append(out, t.event(e))
	}
	for _, cb := range t.story.Callbacks {
		out = append(out, t.callback(cb))
	}
	for _, n := range t.story.Notifications {
		out = append(out, t.notification(n)...)
	}
	out = append(out, t.postings()...)
	for _, a := range audit {
		if a.Action == "order.sync" || a.Outcome == "refused" { // the rest stands in the order's own events, with who and why
			out = append(out, line{
				ID: a.ID, At: a.At, Kind: "people", Drawing: "people",
				Says: t.t("story.person", a.Who, t.says("action."+a.Action, a.Action), t.s.badge(t.p.Lang, "audit", a.Outcome)), Refs: []string{a.RequestID},
			})
		}
	}
	return out
}

func (t *teller) t(key string, args ...any) template.HTML { return markup(t.p.Lang, key, args...) }

// says is a text, or what there is instead if nobody wrote one.
func (t *teller) says(key, instead string) string {
	if hasText(key) {
		return t.p.T(key)
	}
	return visible(instead)
}

// happened is what an event's data may hold.
type happened struct {
	ID         string       `json:"id"`
	ProviderID string       `json:"provider_id"`
	RefundID   string       `json:"refund_id"`
	Operation  string       `json:"operation"`
	Callback   string       `json:"callback"`
	Kind       string       `json:"kind"`
	Amount     *int64       `json:"amount"`
	Currency   string       `json:"currency"`
	Was        string       `json:"was"`
	Reason     string       `json:"reason"`
	Pending    string       `json:"pending_reason"`
	Who        string       `json:"who"`
	Why        string       `json:"why"`
	Failure    *sdk.Failure `json:"failure"`
}

// event tells a line of the ledger's own timeline.
func (t *teller) event(e ledger.Event) line {
	raw, _ := json.Marshal(e.Data)
	var h happened
	_ = json.Unmarshal(raw, &h)
	noun, what, _ := strings.Cut(e.Kind, ".")
	l := line{ID: e.ID, At: e.At, Letter: letter(t.d.Order, e.AttemptID), Kind: "money", Drawing: noun}
	if len(e.Data) > 0 {
		l.Detail = string(raw)
	}
	for _, ref := range []string{h.ID, h.ProviderID, h.RefundID, h.Operation, h.Callback, e.RequestID} {
		if ref != "" {
			l.Refs = append(l.Refs, ref)
		}
	}
	lang := t.p.Lang
	switch {
	case what == "started":
		l.Kind, l.Drawing, l.Says = "calls", "calls", t.started(e, noun, h)
	case noun == "operation":
		l.Kind, l.Drawing = "calls", "calls"
		l.Says = t.t("story.answer", t.says("operation."+h.Kind, h.Kind), t.s.badge(lang, "operation", what), t.took(h.Operation, e.At))
	case noun == "attention" && what == "resolved":
		l.Kind, l.Drawing = "people", "people"
		if reason := t.says("attention."+h.Reason, h.Reason); h.Who == "" {
			l.Says = t.t("story.resolved.itself", reason)
		} else {
			l.Says = t.t("story.resolved", h.Who, reason, foreign(lang, h.Why))
		}
	case noun == "attention":
		l.Kind, l.Drawing, l.Says = "people", "alarm", t.t("story.attention", t.says("attention."+what, what))
	case noun == "order" && what == "created":
		l.Kind, l.Drawing, l.Says = "calls", "calls", t.t("story.created", t.app, moneyText(t.d.Amount, t.d.Currency, t.d.Exponent))
	case noun == "order" && slices.Contains(orderStatuses, what):
		l.Drawing, l.Says = "status", t.t("story.status", t.s.badge(lang, "order", what))
	case noun == "event":
		l.Kind, l.Drawing = "callbacks", "callbacks"
		l.Says = template.HTML(template.HTMLEscapeString(t.says("event."+e.Kind, e.Kind)))
		if h.ID != "" {
			l.Says = t.t("story.note", l.Says, foreign(t.p.Lang, h.ID))
		}
	case noun == "payment" && tones["attempt."+what] != "":
		l.Drawing, l.Says = "status", t.t("story.payment", t.s.badge(lang, "attempt", what))
	default:
		l.Says = template.HTML(template.HTMLEscapeString(t.says("event."+e.Kind, e.Kind)))
		if h.Who != "" {
			l.Kind, l.Drawing, l.Says = "people", "people", t.t("story.person.why", h.Who, l.Says, foreign(lang, h.Why))
		}
	}
	if h.Amount != nil && noun != "order" {
		l.Says = t.t("story.money", l.Says, t.signed(noun, what, *h.Amount, h.Currency))
	}
	if h.Pending != "" {
		l.Says = t.t("story.note", l.Says, foreign(lang, h.Pending))
	}
	if f := h.Failure; f != nil {
		l.Says = t.t("story.failure", l.Says, f.Code, foreign(lang, f.Message))
	}
	if hasText("source."+string(e.Source)) && noun != "attention" && what != "started" && noun != "operation" && what != "created" {
		l.Says = t.t("story.source", l.Says, t.p.T("source."+string(e.Source)))
	}
	return l
}

// started tells who asked a provider for what.
func (t *teller) started(e ledger.Event, verb string, h happened) template.HTML {
	provider := ""
	if a := t.d.Attempt(e.AttemptID); a != nil {
		provider = a.Provider + "." + a.Flow
	}
	asked := t.t("story.asked", provider, t.says("verb."+verb, verb))
	switch {
	case h.Who != "":
		return t.t("story.person.why", h.Who, asked, foreign(t.p.Lang, h.Why))
	case e.Source == ledger.FromApp:
		return t.t("story.for", t.app, asked)
	}
	return asked
}

// took is how long an operation took.
func (t *teller) took(operation string, end time.Time) string {
	for _, op := range t.story.Operations {
		if op.ID == operation {
			return t.p.duration(end.Sub(op.FirstSentAt).Abs())
		}
	}
	return "–"
}

// signed is an amount as it changed what we hold.
func (t *teller) signed(noun, what string, amount int64, currency string) template.HTML {
	exponent := t.d.Exponent
	if currency != t.d.Currency {
		if e, ok := sdk.Exponent(currency); ok {
			exponent = e
		}
	}
	if what == "fee" || (noun == "refund" || noun == "dispute") && what != "settled" {
		amount = -amount
	}
	if amount < 0 {
		return template.HTML("\u2212") + money(-amount, currency, exponent)
	}
	return template.HTML("+") + money(amount, currency, exponent)
}

func (t *teller) callback(cb *ledger.Callback) line {
	l := line{
		ID: cb.ID, At: cb.ReceivedAt, Kind: "callbacks", Drawing: "callbacks", Link: "replay", Target: cb.ID,
		Says: t.t("story.callback", cb.Provider, foreign(t.p.Lang, cb.Type), t.s.badge(t.p.Lang, "callback", string(cb.Outcome))), Refs: []string{cb.EventID},
	}
	if cb.Note != "" {
		l.Says = t.t("story.note", l.Says, foreign(t.p.Lang, cb.Note))
	}
	return l
}

// notification tells each try to tell the app; one that was not tried yet is a
// line too.
func (t *teller) notification(n postgres.ToldApp) []line {
	var out []line
	next := ""
	if n.State == "pending" && !n.DueAt.IsZero() {
		next = n.DueAt.In(t.p.Zone).Format("15:04:05")
	}
	for i, try := range n.Tries { // the newest first
		l := line{
			ID: try.ID, At: try.At, Kind: "notifications", Drawing: "notifications", Refs: []string{n.ID},
			Detail: fmt.Sprintf("%s · %s · %d ms %s", n.ID, n.URL, try.TookMS, try.Error),
		}
		number := len(n.Tries) - i
		status := strconv.Itoa(try.Status)
		if try.Status == 0 {
			status = t.p.T("story.no_answer")
		}
		l.Says = t.t("story.told", t.app, n.Type, int(n.Version), status, number)
		if i == 0 && !n.Disabled {
			l.Link, l.Target = "resend", n.ID
		}
		if i == 0 && next != "" {
			l.Says = t.t("story.next", l.Says, next)
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		l := line{ID: n.ID, At: n.CreatedAt, Kind: "notifications", Drawing: "notifications", Says: t.t("story.to_tell", t.app, n.Type, int(n.Version)), Refs: []string{n.ID}}
		if next != "" {
			l.Says = t.t("story.next", l.Says, next)
		}
		out = append(out, l)
	}
	return out
}

// postings tells each group of the journal in one line: it sums to zero.
func (t *teller) postings() []line {
	var out []line
	groups := map[string]int{}
	for _, x := range t.story.Postings {
		key := x.MovementID + " " + x.Stage
		account := x.Account
		if account == "app:"+t.d.AppID {
			account = "app:" + t.app
		}
		says := template.HTML(template.HTMLEscapeString(account)) + " "
		if x.Amount > 0 {
			says += "+"
		}
		says += money(x.Amount, x.Currency, x.Exponent)
		i, ok := groups[key]
		if !ok {
			groups[key] = len(out)
			_, stage, _ := strings.Cut(x.Stage, ".")
			out = append(out, line{ID: x.ID, At: x.At, Kind: "postings", Drawing: "postings", Says: t.t("story.posted", t.says("stage."+stage, stage), says), Refs: []string{x.MovementID}})
			continue
		}
		out[i].Says += ", " + says
	}
	return out
}
