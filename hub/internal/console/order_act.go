package console

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/sdk"
)

func (s *server) orderActRoutes() []route {
	var out []route
	for _, verb := range []string{"refund", "capture", "cancel", "resolve"} {
		path := "/orders/:id/" + verb
		out = append(out, route{fiber.MethodGet, path, access.Operator, s.askAct(verb)}, route{fiber.MethodPost, path, access.Operator, s.doAct(verb)})
	}
	return append(out,
		route{fiber.MethodPost, "/orders/:id/sync", access.Operator, s.syncOrder},
		route{fiber.MethodPost, "/orders/:id/callbacks/:cb/replay", access.Operator, s.replayOfOrder},
		route{fiber.MethodPost, "/orders/:id/notifications/:ntf/resend", access.Operator, s.resendOfOrder},
	)
}

// actForm is the form of one act on an order, as it is shown and as it comes
// back. Nothing is done before it was reviewed.
type actForm struct {
	*ledger.Order
	Verb    string
	Attempt *ledger.Attempt // that it is about
	Letter  string
	Left    int64 // what can be asked for at most
	Minor   int64 // what is asked for

	All      bool // of what is left, or Amount
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
	return fmt.Sprintf("%s-%d-%d-%d-%d-%d", o.Status, o.Authorized, o.Captured, o.Refunded, o.Refundable, len(o.Attention))
}

// presets are reasons that can be chosen.
var presets = map[string][]string{
	"refund":  {"asked", "duplicate", "out_of_stock", "fraud"},
	"capture": {"delivered"},
	"cancel":  {"asked", "out_of_stock", "fraud"},
	"resolve": {"checked", "refunded", "informed"},
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

func (s *server) askAct(verb string) func(*fiber.Ctx, *page) error {
	return func(c *fiber.Ctx, p *page) error {
		o, err := s.DB.Order(c.UserContext(), "", c.Params("id"))
		if err != nil {
			return err
		}
		f := &actForm{Order: o, Verb: verb, State: stateOf(o), Seen: o.Refundable, Key: ledger.NewID("act", p.Now), All: true, Only: c.Query("reason")}
		s.aim(f, c.Query("attempt"))
		return s.showAct(c, p, f)
	}
}

// aim picks the attempt that the act is about, and what is left of it.
func (s *server) aim(f *actForm, attemptID string) {
	fits := map[string]func(*ledger.Attempt) bool{
		"refund":  func(a *ledger.Attempt) bool { return a.Captured > 0 },
		"capture": func(a *ledger.Attempt) bool { return a.Status == sdk.RequiresCapture },
		"cancel":  func(a *ledger.Attempt) bool { return a.Live() && !a.Abandoned },
	}[f.Verb]
	for _, a := range f.Attempts {
		if fits == nil || !fits(a) || attemptID != "" && a.ID != attemptID {
			continue
		}
		if f.Attempt == nil || f.Verb == "refund" && f.Attempt.Refundable() == 0 {
			f.Attempt = a
		}
	}
	if f.Attempt == nil {
		return
	}
	f.Letter = letter(f.Order, f.Attempt.ID)
	switch f.Verb {
	case "refund":
		if f.Left = f.Attempt.Refundable(); f.Override {
			f.Left = max(0, f.Attempt.Captured-f.Attempt.Refunded-f.Attempt.Reserved)
		}
	case "capture":
		f.Left = f.Attempt.Authorized
	}
}

func (s *server) showAct(c *fiber.Ctx, p *page, f *actForm) error {
	if f.HasAmount() && f.Attempt == nil {
		return ledger.Conflictf("wrong_state", "nothing of this order can be %sed now", strings.TrimSuffix(f.Verb, "e"))
	}
	p.Title, p.Screen = p.T("act."+f.Verb+".title")+" · "+visible(f.Reference), "orders"
	if len(p.Problems) > 0 {
		return s.again(c, p, "act", f)
	}
	return s.render(c, p, "act", f)
}

// doAct checks what was sent, shows it once more, and does it when that was
// confirmed.
func (s *server) doAct(verb string) func(*fiber.Ctx, *page) error {
	return func(c *fiber.Ctx, p *page) error {
		o, err := s.DB.Order(c.UserContext(), "", c.Params("id"))
		if err != nil {
			return err
		}
		f := s.readAct(c, p, o, verb)
		confirmed := c.FormValue("confirm") == "1"
		if f.State != stateOf(o) && !(confirmed && verb != "resolve") && len(p.Problems) == 0 {
			p.blame("reason", "act.moved")
			f.State, f.Seen = stateOf(o), o.Refundable
		}
		if len(p.Problems) > 0 {
			return s.showAct(c, p, f)
		}
		if !confirmed {
			f.Review = true
			return s.showAct(c, p, f)
		}
		return s.confirmedAct(c, p, f)
	}
}

// readAct reads the form and says what is wrong with it, field by field.
func (s *server) readAct(c *fiber.Ctx, p *page, o *ledger.Order, verb string) *actForm {
	f := &actForm{
		Order: o, Verb: verb, All: c.FormValue("part") != "1", Amount: strings.TrimSpace(c.FormValue("amount")), Preset: c.FormValue("preset"),
		Reason: strings.TrimSpace(c.FormValue("reason")), Override: c.FormValue("override") == "1" && p.May("admin"), Key: c.FormValue("key"),
		Only: c.FormValue("only"), State: c.FormValue("state"),
	}
	f.Seen, _ = strconv.ParseInt(c.FormValue("seen"), 10, 64)
	s.aim(f, c.FormValue("attempt"))
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
	if f.Minor = f.Left; !f.All {
		m, err := sdk.ParseDecimal(f.Amount, o.Currency, o.Exponent)
		example := sdk.Money{Amount: min(f.Left, 1999), Exponent: o.Exponent}.Decimal()
		switch {
		case err != nil || m.Amount <= 0:
			p.blame("amount", "act.error.amount", example)
		case m.Amount > f.Left && !(c.FormValue("confirm") == "1"): // a repetition of what was done is answered from the record
			p.blame("amount", "act.error.much", moneyText(f.Left, o.Currency, o.Exponent))
		}
		f.Minor = m.Amount
	}
	return f
}

// confirmedAct does it, and leads back to the order, which says how it went.
func (s *server) confirmedAct(c *fiber.Ctx, p *page, f *actForm) error {
	var answer payments.Answer
	err := s.act(c, p, "order."+f.Verb, f.ID, f.Why(p), func() (err error) {
		answer, err = s.runAct(c, p, f)
		if err == nil && answer.Operation != nil && answer.Operation.Outcome == ledger.OutcomeDeclined {
			return declined(answer.Operation)
		}
		return err
	})
	var told *ledger.Error
	if errors.As(err, &told) && told.Kind != ledger.Rejected && told.Kind != ledger.NotFound {
		f.Review = false
		if !p.blamed(err) {
			p.Problems = append(p.Problems, problem{"reason", visible(told.Message)})
		}
		f.State, f.Seen = stateOf(f.Order), f.Order.Refundable
		return s.showAct(c, p, f)
	}
	switch {
	case told != nil && told.Kind == ledger.Rejected:
		s.flash(c, "act.declined", visible(told.Message))
	case err != nil:
		return err
	case answer.Operation != nil && answer.Operation.Open():
		s.flash(c, "act.unknown")
	case f.HasAmount():
		s.flash(c, "act."+f.Verb+".done", moneyText(f.Minor, f.Currency, f.Exponent))
	default:
		s.flash(c, "act."+f.Verb+".done")
	}
	return s.redirect(c, "/orders/"+f.ID)
}

// declined is what the provider said instead of doing it.
func declined(op *ledger.Operation) error {
	e := &ledger.Error{Kind: ledger.Rejected, Code: "provider_rejected", OrderID: op.OrderID}
	if op.Failure != nil {
		e.ProviderCode, e.Message = op.Failure.ProviderCode, op.Failure.Message
	}
	return e
}

func (s *server) runAct(c *fiber.Ctx, p *page, f *actForm) (payments.Answer, error) {
	ctx := c.UserContext()
	if f.Verb == "resolve" {
		_, err := s.Payments.Resolve(ctx, f.ID, f.Only, p.User.Email, f.Why(p))
		return payments.Answer{}, err
	}
	by := ledger.Operator{Name: p.User.Email, Why: f.Why(p), OverrideDispute: f.Override}
	caller, err := s.Payments.Operate(ctx, f.ID, f.Key, p.RequestID, by)
	if err != nil {
		return payments.Answer{}, err
	}
	attempt := ""
	if f.Attempt != nil {
		attempt = f.Attempt.ID
	}
	switch f.Verb {
	case "refund":
		return s.Payments.Refund(ctx, caller, f.ID, payments.RefundInput{AttemptID: attempt, Amount: f.Minor, Reason: f.Why(p), ExpectedRefundable: &f.Seen})
	case "capture":
		return s.Payments.Capture(ctx, caller, f.ID, payments.CaptureInput{AttemptID: attempt, Amount: f.Minor})
	}
	return s.Payments.Cancel(ctx, caller, f.ID, payments.CancelInput{AttemptID: attempt})
}

// syncOrder asks the provider how it stands.
func (s *server) syncOrder(c *fiber.Ctx, p *page) error {
	id := c.Params("id")
	before, err := s.DB.Order(c.UserContext(), "", id)
	if err != nil {
		return err
	}
	var after *ledger.Order
	err = s.act(c, p, "order.sync", id, "", func() (err error) {
		after, err = s.Payments.SyncOrder(c.UserContext(), id)
		return err
	})
	var told *ledger.Error
	switch {
	case errors.As(err, &told) && told.Kind != ledger.NotFound:
		s.flash(c, "sync.failed", visible(told.Message))
	case notFound(err):
		return err
	case err != nil:
		s.Logger.WarnContext(c.UserContext(), "an operator's sync failed", "order", id, "error", err)
		s.flash(c, "sync.failed", p.T("sync.later"))
	case after.Version == before.Version:
		s.flash(c, "sync.same")
	default:
		s.flash(c, "sync.news")
	}
	return s.redirect(c, "/orders/"+id)
}
