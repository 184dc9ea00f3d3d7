package console

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// actForm is the form of one act on an order, as it is shown and as it comes
// back. Nothing is done before it was reviewed.
type actForm struct {
	*ledger.Order
	Verb     string
	Attempt  *ledger.Attempt // that it is about
	Letter   string
	Left     int64  // what can be asked for at most
	Minor    int64  // what is asked for
	Currency string // of both: a provider can take another than the order's
	Exponent int

	movement // correct: what it is about

	Part     string // "all" that is left, or "some": Amount
	Amount   string
	Preset   string
	Reason   string
	Override bool   // of a dispute
	State    string // of the order when the form was shown
	Seen     int64  // what was refundable when the form was shown
	Key      string // of the operation: pressed twice it is one

	Review bool
	Only   string // resolve: this reason alone
}

// stateOf is what a person decides on. The version moves for less.
func stateOf(o *ledger.Order) string {
	state := fmt.Sprintf("%s-%d-%d-%d-%d-%d", o.Status, o.Authorized, o.Captured, o.Refunded, o.Refundable, len(o.Attention))
	for _, x := range o.Attention {
		state += fmt.Sprintf("-%d", len(x.Said)) // grows with what does not fit
	}
	for _, a := range o.Attempts {
		for _, b := range o.Balances(a) {
			if b.Currency != o.Currency {
				state += fmt.Sprintf("-%s%d", b.Currency, b.Refundable())
			}
		}
	}
	return state
}

// presets are reasons that can be chosen.
var presets = map[string][]string{
	"refund":  {"asked", "duplicate", "out_of_stock", "fraud"},
	"capture": {"delivered"},
	"cancel":  {"asked", "out_of_stock", "fraud"},
	"resolve": {"checked", "refunded", "informed"},
	"correct": {"checked"},
}

// Presets are the reasons for this act.
func (f *actForm) Presets() []string { return presets[f.Verb] }

// Asked is the order's amount; the form has one of its own.
func (f *actForm) Asked() int64 { return f.Order.Amount }

// HasAmount: money is named.
func (f *actForm) HasAmount() bool { return f.Verb == "refund" || f.Verb == "capture" }

// CanOverride: disputes hold back what could be given back.
func (f *actForm) CanOverride() bool {
	return f.Verb == "refund" && f.Attempt != nil && f.Attempt.Disputed > 0
}

// Why is the reason in words.
func (f *actForm) Why(p *page) string {
	var parts []string
	if f.Preset != "" {
		parts = append(parts, p.T("why."+f.Preset))
	}
	if f.Reason != "" {
		parts = append(parts, f.Reason)
	}
	return strings.Join(parts, ": ")
}

// aim picks the attempt that the act is about, and what is left of it.
func (s *server) aim(f *actForm, attemptID, currency string) {
	f.Currency, f.Exponent = f.Order.Currency, f.Order.Exponent
	f.Seen = f.Order.Refundable
	fits := map[string]func(*ledger.Attempt) bool{
		"refund":  func(a *ledger.Attempt) bool { return f.Took(a) },
		"capture": capturable,
		"cancel":  (*ledger.Attempt).Closable,
	}[f.Verb]
	for _, a := range f.Attempts {
		if fits == nil || !fits(a) || attemptID != "" && a.ID != attemptID {
			continue
		}
		if f.Attempt == nil || f.Verb == "refund" && f.balance(f.Attempt, currency).Refundable() == 0 {
			f.Attempt = a
		}
	}
	if f.Attempt == nil {
		return
	}
	f.Letter = letter(f.Order, f.Attempt.ID)
	switch f.Verb {
	case "refund":
		b := f.balance(f.Attempt, currency)
		f.Left, f.Currency, f.Exponent = b.RefundableWith(f.Override), b.Currency, b.Exponent
		f.Seen = f.RefundableIn(b.Currency).Amount
	case "capture":
		f.Left = f.Attempt.Authorized
	}
}

// balance is the attempt's in the currency that a refund names; where none is
// named, the first with something left, the order's before others.
func (f *actForm) balance(a *ledger.Attempt, currency string) ledger.Balance {
	best := ledger.Balance{Currency: f.Order.Currency, Exponent: f.Order.Exponent}
	for i, b := range f.Balances(a) {
		if b.Currency == currency {
			return b
		}
		if i == 0 || best.RefundableWith(f.Override) == 0 && currency == "" {
			best = b
		}
	}
	return best
}

// readAct reads the form and says what is wrong with it, field by field.
func (s *server) readAct(c *fiber.Ctx, p *page, o *ledger.Order, verb string) *actForm {
	f := &actForm{
		Order: o, Verb: verb, Part: c.FormValue("part"), Amount: strings.TrimSpace(c.FormValue("amount")), Preset: c.FormValue("preset"),
		Reason: strings.TrimSpace(c.FormValue("reason")), Override: c.FormValue("override") == "1" && p.May("admin"), Key: c.FormValue("key"),
		Only: c.FormValue("only"), State: c.FormValue("state"),
	}
	s.aim(f, c.FormValue("attempt"), c.FormValue("currency"))
	f.Seen, _ = strconv.ParseInt(c.FormValue("seen"), 10, 64)
	f.readMovement(c, p)
	if !oneWord.MatchString(f.Key) {
		f.Key = ledger.NewID("act", p.Now)
	}
	if f.Preset != "" && !slices.Contains(presets[verb], f.Preset) {
		f.Preset = ""
	}
	if f.Preset == "" && f.Reason == "" {
		p.blame("reason", "act.error.reason")
	} else if len(f.Why(p)) > whyLength {
		p.blame("reason", "problem.why_long", whyLength)
	}
	if !f.HasAmount() || f.Attempt == nil {
		return f
	}
	switch {
	case f.Part == "all" && f.Amount != "":
		p.blame("amount", "act.error.both")
	case f.Part == "all":
		f.Minor = f.Left
	case f.Part == "some":
		f.Minor = p.readAmount(f.Amount, f.Currency, f.Exponent)
		if f.Minor > f.Left && c.FormValue("confirm") != "1" { // a repetition of what was done is answered from the record
			p.blame("amount", "act.error.much", moneyText(f.Left, f.Currency, f.Exponent))
		}
	default:
		p.blame("amount", "act.error.choose")
	}
	return f
}

// readAmount reads an amount that a person typed, in minor units. What is no amount,
// or can be read in two ways, is blamed on the field.
func (p *page) readAmount(text, currency string, exponent int) int64 {
	amount, err := ledger.ParseMajor(text, currency, exponent)
	if err != nil {
		var told *ledger.Error
		if errors.As(err, &told) && told.Code == ledger.AmbiguousAmount {
			p.blame("amount", "act.error.digits", text, strings.Replace(text, ".", "", 1), currency, exponent)
		} else {
			p.blame("amount", "act.error.amount", sdk.Money{Amount: 1999, Exponent: exponent}.Decimal())
		}
		return 0
	}
	return amount.Of(0)
}
