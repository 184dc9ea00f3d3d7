package payments

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// AttemptInput is how an order is to be paid.
type AttemptInput struct {
	Provider string            `json:"provider"`
	Flow     string            `json:"flow"`
	Capture  sdk.CaptureMode   `json:"capture"`
	Input    map[string]string `json:"input"`
}

// AgainInput is a further attempt, and what the order is for from now on: where
// providers refused every attempt so far, that can change. Zero: as it is.
type AgainInput struct {
	AttemptInput
	Amount   int64         `json:"amount,omitempty"`
	Currency string        `json:"currency,omitempty"`
	Customer *sdk.Customer `json:"customer,omitempty"` // nil: as it is
}

// CheckoutInput is a new order and its first attempt.
type CheckoutInput struct {
	AttemptInput
	Reference   string            `json:"reference"`
	Amount      int64             `json:"amount"`
	Currency    string            `json:"currency"`
	ReturnURL   string            `json:"return_url"`
	CancelURL   string            `json:"cancel_url"`
	ExpiresAt   time.Time         `json:"expires_at"`
	Description string            `json:"description"`
	LineItems   []sdk.LineItem    `json:"line_items"`
	Customer    sdk.Customer      `json:"customer"`
	Metadata    map[string]string `json:"metadata"`
}

// plain writes what can be written in several ways in one: two requests that ask for
// the same are the same.
func (in *CheckoutInput) plain() {
	in.AttemptInput.plain()
	in.Reference = strings.TrimSpace(in.Reference)
	in.ExpiresAt = in.ExpiresAt.UTC()
	if len(in.LineItems) == 0 {
		in.LineItems = nil
	}
	if len(in.Metadata) == 0 {
		in.Metadata = nil
	}
}

func (in *AttemptInput) plain() {
	if len(in.Input) == 0 {
		in.Input = nil
	}
}

// Checkout makes an order and starts its first attempt.
func (s *Service) Checkout(ctx context.Context, c Caller, in CheckoutInput) (Answer, error) {
	if err := s.ClockRight(); err != nil {
		return Answer{}, err
	}
	in.plain()
	h := newFingerprint(sdk.OpCreate, "", in).of(in.Amount, in.Currency, in.Reference)
	p, err := s.provider(c.App, in.Provider)
	if err != nil {
		return s.recorded(ctx, c, h, err)
	}
	if !p.Up() {
		return s.recorded(ctx, c, h, down(p.Name()))
	}
	exponent, err := s.checkOrder(in, p.State().Mode)
	if err != nil {
		return s.recorded(ctx, c, h, err)
	}
	spec, flow, err := newAttempt(p, &in.AttemptInput, sdk.Money{Amount: in.Amount, Currency: in.Currency, Exponent: exponent})
	if err != nil {
		return s.recorded(ctx, c, h, err)
	}
	if s.DB.VersionFloor() > 0 {
		// The database went back once: the key may be one that only a provider
		// told of, which no new key of an operation runs into.
		a, known, err := s.onRecord(ctx, c, h)
		if known || err != nil {
			return a, err
		}
	}
	env := s.env()
	o := &ledger.Order{
		AppID: c.App.ID, Reference: in.Reference, Amount: in.Amount, Currency: in.Currency, Exponent: exponent,
		Description: in.Description, LineItems: in.LineItems, Customer: in.Customer, Metadata: in.Metadata,
		ReturnURL: in.ReturnURL, CancelURL: in.CancelURL, ExpiresAt: in.ExpiresAt.UTC().Truncate(time.Microsecond),
	}
	if in.ExpiresAt.IsZero() {
		o.ExpiresAt = env.Now.Add(s.OrderTTL)
	}
	change, op := ledger.Create(o, spec, s.ask(c, h, p), env)
	prepare(op, s.checkoutRequest(o, *op.AttemptID, op, in.Input, flow))
	return s.start(ctx, c, h, change, op)
}

// recorded still answers what is on record under the key, where the request
// would be refused by now: a time has come closer, a provider is down.
func (s *Service) recorded(ctx context.Context, c Caller, f fingerprint, refusal error) (Answer, error) {
	a, known, err := s.onRecord(ctx, c, f)
	if !known && err == nil {
		return a, refusal
	}
	return a, err
}

// CheckoutAgain adds another attempt to an open order. What can still be
// canceled of the earlier ones is canceled first.
func (s *Service) CheckoutAgain(ctx context.Context, c Caller, orderID string, in AgainInput) (Answer, error) {
	if err := s.ClockRight(); err != nil {
		return Answer{}, err
	}
	p, err := s.provider(c.App, in.Provider)
	if err != nil {
		return Answer{}, err
	}
	in.plain()
	if in.Customer != nil {
		if err := checkCustomer(*in.Customer); err != nil {
			return Answer{}, err
		}
	}
	h := newFingerprint(sdk.OpCreate, orderID, in)
	if !p.Up() {
		return s.recorded(ctx, c, h, down(p.Name()))
	}
	if err := s.closeEarlier(ctx, c, orderID, h.hash); err != nil {
		return Answer{}, err
	}
	return s.decide(ctx, c, orderID, h, func(o *ledger.Order) (ledger.Change, *ledger.Operation, error) {
		amount, err := in.amount(o)
		if err != nil {
			return ledger.Change{}, nil, err
		}
		spec, flow, err := newAttempt(p, &in.AttemptInput, amount)
		if err != nil {
			return ledger.Change{}, nil, err
		}
		spec.Amount, spec.Customer = amount, in.Customer
		change, op, err := o.Checkout(spec, s.ask(c, h, p), s.env())
		if err == nil {
			prepare(op, s.checkoutRequest(change.Order, *op.AttemptID, op, in.Input, flow))
		}
		return change, op, err
	})
}

// amount is what an order is for with a further attempt.
func (in *AgainInput) amount(o *ledger.Order) (sdk.Money, error) {
	m := o.Money(o.Amount)
	if in.Currency != "" && in.Currency != m.Currency {
		exponent, ok := sdk.Exponent(in.Currency)
		if !ok {
			return m, ledger.Invalidf("currency", "must be an ISO 4217 code in upper case, as USD")
		}
		if in.Amount == 0 {
			return m, ledger.Invalidf("amount", "say how much it is in %s", in.Currency)
		}
		m.Currency, m.Exponent = in.Currency, exponent
	}
	if in.Amount != 0 {
		if err := ledger.Minor(in.Amount).Check(); err != nil {
			return m, err
		}
		m.Amount = in.Amount
	}
	return m, nil
}

// closeEarlier cancels the attempts that could still be paid, unless the
// request is a repeat of one on record.
func (s *Service) closeEarlier(ctx context.Context, c Caller, orderID, hash string) error {
	o, err := s.DB.Order(ctx, c.App.ID, orderID)
	if err != nil {
		return NotFound(err, "order")
	}
	if _, _, err := s.DB.OrderOfKey(ctx, c.App.ID, c.IdempotencyKey); !errors.Is(err, postgres.ErrNotFound) {
		return err
	}
	for _, a := range o.Attempts {
		if a.Status != sdk.RequiresAction && a.Status != sdk.RequiresConfirmation || a.Abandoned || o.Status != ledger.OrderOpen {
			continue
		}
		p, ok := s.Providers.Get(a.Provider)
		if !ok || !p.Up() {
			return ledger.Conflictf("attempt_open", "attempt %s cannot be closed while its provider is down", a.ID)
		}
		flow, _ := p.Description().Flow(a.Flow)
		if !flow.Can(sdk.CanCancel) {
			continue
		}
		hub := Caller{App: c.App, RequestID: c.RequestID}
		did, err := s.cancelAttempt(ctx, hub, o, a, ledger.Ask{RequestID: c.RequestID, Source: ledger.FromHub, Lease: s.lease, RequestHash: hash})
		if err != nil {
			return err
		}
		if did.Operation.Outcome == ledger.OutcomeNotSent {
			return down(p.Name())
		}
		if now := did.Order.Attempt(a.ID); now.Live() && !now.Abandoned {
			return ledger.Conflictf("attempt_open", "attempt %s could not be closed and can still be paid; read the order and try again", a.ID)
		}
	}
	return nil
}

// newAttempt checks how an order is to be paid against what the plugin offers.
func newAttempt(p *providers.Provider, in *AttemptInput, amount sdk.Money) (ledger.NewAttempt, sdk.Flow, error) {
	d := p.Description()
	flow, err := checkFlow(d, in, amount)
	if err != nil {
		return ledger.NewAttempt{}, flow, err
	}
	return ledger.NewAttempt{
		Provider: p.Name(), Plugin: d.Name, Flow: flow.Name, Mode: p.State().Mode, CaptureMode: in.Capture,
	}, flow, nil
}

func (s *Service) checkoutRequest(o *ledger.Order, attemptID string, op *ledger.Operation, input map[string]string, flow sdk.Flow) sdk.CheckoutRequest {
	a := o.Attempt(attemptID)
	r := sdk.CheckoutRequest{
		AttemptID: attemptID, InstanceID: s.DB.InstanceID(), OrderID: o.ID, Key: op.ProviderKey(), Flow: flow.Name,
		Amount: o.Money(o.Amount), CaptureMode: a.CaptureMode, Input: input,
		URLs:      s.back(a),
		CreatedAt: a.CreatedAt, ExpiresAt: o.ExpiresAt, Description: o.Description, LineItems: o.LineItems,
		Customer: o.Customer, Metadata: o.Metadata,
	}
	s.signCheckout(&r, o, op)
	return r
}

// back is where an attempt's provider sends the payer's browser, and calls the hub.
func (s *Service) back(a *ledger.Attempt) sdk.URLs {
	to := s.PublicURL + "/return/" + a.ID
	return sdk.URLs{Return: to, Cancel: to + "?cancel=1", Callback: s.PublicURL + "/callback/" + a.Provider}
}
