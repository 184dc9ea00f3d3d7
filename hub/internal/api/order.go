package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// Order is the resource that most calls answer with.
type Order struct {
	ID             string            `json:"id" example:"ord_01jd2v9q4x6m3k8n5p7r9s1t2w"`
	Reference      string            `json:"reference" doc:"The app's own name of it"`
	Status         string            `json:"status" enum:"open,pending,authorized,paid,partially_refunded,refunded,canceled,expired" doc:"See Statuses. Treat one that you do not know as not settled"`
	Amount         int64             `json:"amount" doc:"In minor units: 1050 is 10.50 USD, or 1050 JPY"`
	Currency       string            `json:"currency" doc:"ISO 4217" example:"USD"`
	Exponent       int               `json:"exponent" doc:"Digits of the minor unit"`
	Authorized     int64             `json:"authorized" doc:"Held by the payer's bank, not taken: what Capture may take"`
	Captured       int64             `json:"captured" doc:"Taken"`
	Refunded       int64             `json:"refunded" doc:"Given back"`
	Disputed       int64             `json:"disputed" doc:"Taken back by the payer's bank for now"`
	Refundable     int64             `json:"refundable" doc:"What a refund may ask for now"`
	NeedsAttention bool              `json:"needs_attention" doc:"Something about it has to be looked at by a person: attention says what. Do not ship before"`
	Attention      []Attention       `json:"attention" doc:"What a person has to look at, until an operator resolved it"`
	Accepted       []Attention       `json:"accepted,omitempty" doc:"What did not fit the order, and an operator accepted as payment all the same: the attempt's money tells what that is"`
	NextAction     *sdk.NextAction   `json:"next_action,omitempty" doc:"What the payer or client must do next"`
	Attempts       []Attempt         `json:"attempts" doc:"Tries to have it paid, the oldest first"`
	Refunds        []Refund          `json:"refunds" doc:"Money back, asked for here or made in the provider's dashboard"`
	Disputes       []Dispute         `json:"disputes" doc:"Challenges by the payer"`
	Description    string            `json:"description,omitempty" doc:"For the payer"`
	LineItems      []LineItem        `json:"line_items,omitempty" doc:"What is bought"`
	Customer       *Customer         `json:"customer,omitempty"`
	Metadata       map[string]string `json:"metadata,omitempty" doc:"Yours, as you gave it"`
	ReturnURL      string            `json:"return_url,omitempty" doc:"Where the payer's browser comes back to"`
	CancelURL      string            `json:"cancel_url,omitempty" doc:"Where it comes back to after it called off"`
	ExpiresAt      time.Time         `json:"expires_at" doc:"When it closes unpaid"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
	Version        int64             `json:"version" doc:"Grows with every change, and perhaps by much at once: the greater version is the newer one"`
}

// Attention is one thing that a person has to look at.
type Attention struct {
	Reason    string    `json:"reason" doc:"What is odd: see Reasons for attention"`
	AttemptID string    `json:"attempt_id,omitempty"`
	At        time.Time `json:"at" doc:"When it was noticed"`
}

// Attempt is one try at one provider.
type Attempt struct {
	ID            string          `json:"id"`
	Provider      string          `json:"provider" doc:"Whom it was tried with"`
	Flow          string          `json:"flow"`
	Mode          string          `json:"mode" enum:"live,test" doc:"test: no real money"`
	Capture       string          `json:"capture" enum:"automatic,manual"`
	Status        string          `json:"status" enum:"created,unknown,requires_action,requires_confirmation,pending,requires_capture,succeeded,failed,canceled"`
	Failure       *sdk.Failure    `json:"failure,omitempty"`
	PendingReason string          `json:"pending_reason,omitempty" doc:"Why the provider has not said yes or no yet, in its own word"`
	Authorized    int64           `json:"authorized" doc:"Held, not taken"`
	Captured      int64           `json:"captured" doc:"Taken"`
	Refunded      int64           `json:"refunded" doc:"Given back"`
	Money         []Balance       `json:"money" doc:"What moved, by currency: a provider can take another than was asked for, which the order's totals do not count"`
	CaptureBefore *time.Time      `json:"capture_before,omitempty" doc:"When an authorisation lapses"`
	HonoredUntil  *time.Time      `json:"honored_until,omitempty" doc:"Until when a capture of what is authorised is sure; later the provider may refuse it"`
	Abandoned     bool            `json:"abandoned,omitempty" doc:"Given up by the hub where the provider cannot cancel; watched until it ends"`
	References    []sdk.Ref       `json:"references" doc:"The provider's names of the payment"`
	NextAction    *sdk.NextAction `json:"next_action,omitempty" doc:"What the payer or client must do next, while there is something"`
	CreatedAt     time.Time       `json:"created_at"`
}

// Balance is what an attempt's money of one currency comes to.
type Balance struct {
	Currency   string `json:"currency" doc:"ISO 4217" example:"USD"`
	Exponent   int    `json:"exponent" doc:"Digits of the minor unit"`
	Captured   int64  `json:"captured" doc:"Taken"`
	Refunded   int64  `json:"refunded" doc:"Given back"`
	Reserved   int64  `json:"reserved" doc:"Asked to be given back, and not done yet"`
	Disputed   int64  `json:"disputed" doc:"Taken back by the payer's bank for now"`
	Refundable int64  `json:"refundable" doc:"What a refund that names this currency may ask for now"`
}

// Refund is money back.
type Refund struct {
	ID         string       `json:"id"`
	OrderID    string       `json:"order_id"`
	AttemptID  string       `json:"attempt_id"`
	Status     string       `json:"status" enum:"pending,succeeded,failed,unknown"`
	Origin     string       `json:"origin" enum:"hub,provider" doc:"provider: made in the provider's dashboard"`
	Amount     int64        `json:"amount" doc:"What was asked for"`
	Refunded   int64        `json:"refunded" doc:"What went back of it. Less than amount with the status failed: a part was refused, and those before it stand"`
	Currency   string       `json:"currency"`
	Exponent   int          `json:"exponent" doc:"Digits of the minor unit"`
	Reason     string       `json:"reason,omitempty" doc:"As you gave it"`
	Failure    *sdk.Failure `json:"failure,omitempty"`
	ProviderID string       `json:"provider_id,omitempty" doc:"The provider's id, as soon as it gave one"`
	Parts      []RefundPart `json:"parts,omitempty" doc:"The provider's refunds by which it is carried out, one after the other, where the money was captured in several pieces"`
	CreatedAt  time.Time    `json:"created_at"`
	UpdatedAt  time.Time    `json:"updated_at"`
}

// RefundPart is what one capture gives back of a refund.
type RefundPart struct {
	Status     string       `json:"status" enum:"pending,succeeded,failed,unknown"`
	Amount     int64        `json:"amount"`
	Failure    *sdk.Failure `json:"failure,omitempty"`
	ProviderID string       `json:"provider_id,omitempty" doc:"The provider's id, as soon as it gave one"`
}

// Dispute is a challenge of a capture.
type Dispute struct {
	ID             string    `json:"id"`
	Status         string    `json:"status" enum:"inquiry,open,won,lost,closed" doc:"inquiry: a question, no money moved; open: under discussion; won and lost: decided; closed: ended without a verdict"`
	Amount         int64     `json:"amount"`
	Currency       string    `json:"currency"`
	FundsWithdrawn bool      `json:"funds_withdrawn" doc:"The provider has taken money back, or holds it, for now: it counts in disputed"`
	Withdrawn      int64     `json:"withdrawn" doc:"How much of amount that is; less than all where a part was given back, such as what was refunded before"`
	Reason         string    `json:"reason,omitempty" doc:"The provider's word for why"`
	CreatedAt      time.Time `json:"created_at"`
}

func orderOf(o *ledger.Order) Order {
	out := Order{
		ID: o.ID, Reference: o.Reference, Status: string(o.Status), Amount: o.Amount, Currency: o.Currency, Exponent: o.Exponent,
		Authorized: o.Authorized, Captured: o.Captured, Refunded: o.Refunded, Disputed: o.Disputed, Refundable: o.Refundable,
		NeedsAttention: o.NeedsAttention, Attention: []Attention{}, Attempts: []Attempt{}, Refunds: []Refund{}, Disputes: []Dispute{},
		Description: o.Description, Metadata: o.Metadata, ReturnURL: o.ReturnURL, CancelURL: o.CancelURL,
		ExpiresAt: o.ExpiresAt, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt, Version: o.AppVersion(),
	}
	if o.Customer != (sdk.Customer{}) {
		c := Customer(o.Customer)
		out.Customer = &c
	}
	for _, l := range o.LineItems {
		out.LineItems = append(out.LineItems, LineItem(l))
	}
	for _, x := range o.Attention {
		if x.ResolvedAt.IsZero() {
			out.Attention = append(out.Attention, Attention{x.Reason, x.AttemptID, x.At})
		}
	}
	for _, x := range o.Accepted() {
		out.Accepted = append(out.Accepted, Attention{x.Reason, x.AttemptID, x.At})
	}
	for _, a := range o.Attempts {
		out.Attempts = append(out.Attempts, attemptOf(o, a))
	}
	if a := o.Current(); a != nil && a.Live() {
		out.NextAction = a.NextAction
	}
	for _, r := range o.Requests() {
		out.Refunds = append(out.Refunds, refundOf(r))
	}
	for _, d := range o.Disputes {
		out.Disputes = append(out.Disputes, Dispute{d.ID, string(d.Status), d.Amount, d.Currency, d.FundsWithdrawn, d.Gone(), d.Reason, d.CreatedAt})
	}
	return out
}

// Render writes an order for a notification: as GET answers, without what only
// the client that pays may see.
func Render(o *ledger.Order) []byte {
	out := orderOf(o)
	out.NextAction = nil
	for i := range out.Attempts {
		out.Attempts[i].NextAction = nil
	}
	b, _ := json.Marshal(out) // plain data: cannot fail
	return b
}

func attemptOf(o *ledger.Order, a *ledger.Attempt) Attempt {
	out := Attempt{
		ID: a.ID, Provider: a.Provider, Flow: a.Flow, Mode: string(a.Mode), Capture: string(a.CaptureMode), Status: string(a.Status),
		Failure: a.Failure, PendingReason: o.PendingReason(a.ID), Authorized: a.Authorized, Captured: a.Captured, Refunded: a.Refunded, Abandoned: a.Abandoned,
		References: a.Refs, NextAction: a.NextAction, CreatedAt: a.CreatedAt, Money: []Balance{},
	}
	for _, b := range o.Balances(a) {
		out.Money = append(out.Money, Balance{b.Currency, b.Exponent, b.Captured, b.Refunded, b.Reserved, b.Disputed, b.Refundable()})
	}
	if !a.CaptureBefore.IsZero() {
		out.CaptureBefore = &a.CaptureBefore
	}
	if !a.HonoredUntil.IsZero() {
		out.HonoredUntil = &a.HonoredUntil
	}
	return out
}

func refundOf(r ledger.Request) Refund {
	out := Refund{
		ID: r.ID, OrderID: r.OrderID, AttemptID: r.AttemptID, Status: string(r.Status), Origin: string(r.Origin), Amount: r.Amount, Refunded: r.Refunded,
		Currency: r.Currency, Exponent: r.Exponent, Reason: r.Reason, Failure: r.Failure, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		ProviderID: providerID(r.Refund),
	}
	if len(r.Parts) < 2 {
		return out
	}
	for _, p := range r.Parts {
		out.Parts = append(out.Parts, RefundPart{string(p.Status), p.Amount, p.Failure, providerID(p)})
		if p.UpdatedAt.After(out.UpdatedAt) {
			out.UpdatedAt = p.UpdatedAt
		}
	}
	return out
}

func providerID(r *ledger.Refund) string {
	if r.ProviderID == nil {
		return ""
	}
	return *r.ProviderID
}

// OrderOutput answers with an order. The status says how the asking went.
type OrderOutput struct {
	Status int
	Body   Order
}

// outcome turns how an operation ended into the answer's status, or an error.
func outcome(a payments.Answer, done int) (int, error) {
	op := a.Operation
	switch op.Outcome {
	case ledger.OutcomePending, ledger.OutcomeUnknown:
		return 202, nil
	case ledger.OutcomeNotSent:
		return 0, &ledger.Error{
			Kind: ledger.Unavailable, Code: "not_sent", OrderID: op.OrderID, RetryAfter: 2 * time.Second,
			Message: "the provider could not be reached and nothing was sent; repeat the request with the same Idempotency-Key",
		}
	case ledger.OutcomeDeclined:
		if op.Rejected && op.Failure != nil {
			return 0, &ledger.Error{
				Kind: ledger.Rejected, Code: "provider_rejected", OrderID: op.OrderID, ProviderCode: op.Failure.ProviderCode,
				Message: op.Failure.Code + ": " + op.Failure.Message + readAnew(op),
			}
		}
	}
	return done, nil
}

// readAnew tells an app that a refusal proved the record to be behind: the hub
// reads the payment, and the same request would be refused again until it has.
func readAnew(op *ledger.Operation) string {
	if !ledger.ProvesStale(op.Kind, op.Failure) {
		return ""
	}
	return " The provider's state differs from the hub's record, which is being read anew: read the order in a few seconds and decide again."
}

// answered is an order after an operation.
func answered(a payments.Answer, err error, done int) (*OrderOutput, error) {
	if err != nil {
		return nil, err
	}
	status, err := outcome(a, done)
	if err != nil {
		return nil, err
	}
	return &OrderOutput{status, orderOf(a.Order)}, nil
}

// OrderID is the path of an order.
type OrderID struct {
	ID string `path:"id" maxLength:"60" doc:"The order's id"`
}

func (s *server) getOrder(ctx context.Context, in *OrderID) (*OrderOutput, error) {
	o, err := s.DB.Order(ctx, caller(ctx, "").App.ID, in.ID)
	if err != nil {
		return nil, payments.NotFound(err, "order")
	}
	return &OrderOutput{200, orderOf(o)}, nil
}

// ListOrdersInput filters the list of orders.
type ListOrdersInput struct {
	Status    string    `query:"status" enum:"open,pending,authorized,paid,partially_refunded,refunded,canceled,expired" doc:"Only those"`
	Reference string    `query:"reference" maxLength:"200" doc:"Only the one with your name of it"`
	From      time.Time `query:"from" doc:"Created at or after"`
	To        time.Time `query:"to" doc:"Created before"`
	Cursor    string    `query:"cursor" maxLength:"90"`
	Limit     int       `query:"limit" default:"20" minimum:"1" maximum:"100"`

	UpdatedSince time.Time `query:"updated_since" doc:"Changed at or after, in the sequence of their changes, the oldest first: what notifications would have told. Begin the next time a minute before the last updated_at that you have"`
}

// OrderPage is one page of orders, the newest first.
type OrderPage struct {
	Body struct {
		Data []Order `json:"data"`
		Next string  `json:"next,omitempty" doc:"cursor of the next page; absent on the last"`
	}
}

func (s *server) listOrders(ctx context.Context, in *ListOrdersInput) (*OrderPage, error) {
	filter := postgres.OrderFilter{
		AppID: caller(ctx, "").App.ID, Status: in.Status, Reference: strings.TrimSpace(in.Reference), From: in.From, To: in.To, Limit: in.Limit + 1,
	}
	byChange := !in.UpdatedSince.IsZero()
	var err error
	if byChange {
		filter.Changed, err = placeOf(ledger.OrderID, in.UpdatedSince, in.Cursor)
	} else {
		filter.Before, err = in.Cursor, checkCursor(ledger.OrderID, in.Cursor)
	}
	if err != nil {
		return nil, err
	}
	orders, err := s.DB.Orders(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := &OrderPage{}
	out.Body.Data = []Order{}
	for i, o := range orders {
		if i == in.Limit {
			last := orders[i-1]
			if out.Body.Next = last.ID; byChange {
				out.Body.Next = cursorOf(last.ID, last.UpdatedAt)
			}
			break
		}
		out.Body.Data = append(out.Body.Data, orderOf(o))
	}
	return out, nil
}
