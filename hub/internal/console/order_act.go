package console

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
)

func (s *server) orderActRoutes() []route {
	var out []route
	for _, verb := range []string{"refund", "capture", "cancel", "resolve", "correct"} {
		path, role := "/orders/:id/"+verb, access.Operator
		if verb == "correct" { // which changes what is on record
			role = access.Admin
		}
		out = append(out, route{fiber.MethodGet, path, role, s.askAct(verb)}, route{fiber.MethodPost, path, role, s.doAct(verb)})
	}
	return append(out,
		route{fiber.MethodPost, "/orders/:id/sync", access.Operator, s.syncOrder},
		route{fiber.MethodPost, "/orders/:id/callbacks/:cb/replay", access.Operator, s.replayOfOrder},
		route{fiber.MethodPost, "/orders/:id/notifications/:ntf/resend", access.Operator, s.resendOfOrder},
	)
}

func (s *server) askAct(verb string) func(*fiber.Ctx, *page) error {
	return func(c *fiber.Ctx, p *page) error {
		o, err := s.DB.Order(c.UserContext(), "", c.Params("id"))
		if err != nil {
			return err
		}
		f := &actForm{Order: o, Verb: verb, State: stateOf(o), Key: ledger.NewID("act", p.Now), Only: c.Query("reason")}
		s.aim(f, c.Query("attempt"), c.Query("currency"))
		if verb == "correct" && !f.find(c.Query("movement")) {
			return ledger.ErrNotFound("movement of this order")
		}
		return s.showAct(c, p, f)
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
			f.State, f.Seen = stateOf(o), o.RefundableIn(f.Currency).Amount
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
		f.State, f.Seen = stateOf(f.Order), f.RefundableIn(f.Currency).Amount
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
	if f.Verb == "correct" {
		_, err := s.Payments.Correct(ctx, f.ID, f.correction(), ledger.Operator{Name: p.User.Email, Why: f.Why(p)})
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
		in := payments.RefundInput{AttemptID: attempt, Amount: ledger.Minor(f.Minor), Reason: f.Why(p), ExpectedRefundable: &f.Seen}
		if f.Currency != f.Order.Currency {
			in.Currency = f.Currency
		}
		return s.Payments.Refund(ctx, caller, f.ID, in)
	case "capture":
		return s.Payments.Capture(ctx, caller, f.ID, payments.CaptureInput{AttemptID: attempt, Amount: ledger.Minor(f.Minor)})
	}
	return s.Payments.Cancel(ctx, caller, f.ID, payments.CancelInput{AttemptID: attempt})
}
