package main

import (
	"encoding/json"

	stripe "github.com/stripe/stripe-go/v76"

	"github.com/superpayhub/superpay/sdk"
)

// The readers of events. A movement has the same id and amount whichever event
// tells of it, so that order and repetition do not matter. Lists are marked not
// complete: an event shows one movement, never all.

// name is a reference to an object: its id, or the object where it is expanded.
type name string

func (n *name) UnmarshalJSON(b []byte) error {
	if id, ok := stripe.ParseID(b); ok {
		*n = name(id)
		return nil
	}
	var object struct {
		ID string `json:"id"`
	}
	err := json.Unmarshal(b, &object)
	*n = name(object.ID)
	return err
}

// identity is what every object of Stripe's that we look at has in common,
// whatever the API version.
type identity struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent name              `json:"payment_intent"`
	Charge        name              `json:"charge"`
	LatestCharge  name              `json:"latest_charge"`
}

// payment names the payment that an object belongs to, and says no more.
func (i identity) payment() sdk.Payment {
	p := sdk.Payment{}
	p.ReadMetadata(i.Metadata)
	switch i.Object {
	case "checkout.session":
		p.Refs = addRef(p.Refs, kindSession, i.ID)
	case "payment_intent":
		p.Refs = addRef(p.Refs, kindIntent, i.ID)
	}
	p.Refs = addRef(p.Refs, kindIntent, string(i.PaymentIntent))
	if i.Object == "charge" {
		p.Refs = addRef(p.Refs, kindCharge, i.ID)
	}
	p.Refs = addRef(p.Refs, kindCharge, string(i.Charge))
	p.Refs = addRef(p.Refs, kindCharge, string(i.LatestCharge))
	return p
}

// hintOf only says: go and read.
func hintOf(e event) (*sdk.Fact, error) {
	var i identity
	if err := json.Unmarshal(e.Data.Object, &i); err != nil {
		return nil, err
	}
	p := i.payment()
	if len(p.Refs) == 0 && p.AttemptID == "" {
		return nil, nil // nothing to read by
	}
	return &sdk.Fact{Payment: p, Expect: expected(e)}, nil
}

// sessionFact: a session names its PaymentIntent but not the charge, so that it
// carries no movement. Completed and unpaid is a delayed method or an
// authorisation; the session does not say which, so it is a hint.
func sessionFact(e event) (*sdk.Fact, error) {
	var s stripe.CheckoutSession
	if err := json.Unmarshal(e.Data.Object, &s); err != nil {
		return nil, err
	}
	if s.Mode != stripe.CheckoutSessionModePayment {
		return nil, nil
	}
	p := fromSession(&s)
	f := &sdk.Fact{Proven: p.Status != sdk.Pending, Payment: *p, Expect: expected(e)}
	if e.Type == "checkout.session.async_payment_failed" {
		// No cause here; payment_intent.payment_failed has it.
		f.Proven, f.Payment.Status = true, sdk.Failed
		f.Payment.Failure = decline("payment_intent_payment_attempt_failed", "")
	}
	f.Payment.Captures.Complete = false
	return f, nil
}

// intentFact: whether a declined intent of the Apple Pay flow is over is known
// to a read only, which is told what the payer was handed.
func intentFact(e event) (*sdk.Fact, error) {
	var pi stripe.PaymentIntent
	if err := json.Unmarshal(e.Data.Object, &pi); err != nil {
		return nil, err
	}
	p := fromIntent(&pi)
	if pi.Metadata[metadataFlow] == applePay.Name {
		p = fromApplePay(&pi, true)
		if p.Status == sdk.RequiresAction && p.Failure != nil {
			return hintOf(e)
		}
	}
	p.Captures.Complete = false
	return &sdk.Fact{Proven: true, Payment: *p, Expect: expected(e)}, nil
}

// chargeFact: PaymentIntents make charges too, and one that fails or expires is
// then not the end of the payment, so it is a hint. A charge without one (the
// token flow) is the payment itself.
func chargeFact(e event) (*sdk.Fact, error) {
	var ch stripe.Charge
	if err := json.Unmarshal(e.Data.Object, &ch); err != nil {
		return nil, err
	}
	hint, err := hintOf(e)
	if hint == nil || err != nil {
		return hint, err
	}
	over := e.Type == "charge.failed" || e.Type == "charge.expired"
	if over && !alone(&ch) {
		return hint, nil
	}
	p := fromCharge(&ch)
	p.Refs, p.Captures.Complete = hint.Payment.Refs, false
	if e.Type == "charge.expired" {
		p.Status, p.Authorized, p.Capturable = sdk.Canceled, sdk.Money{}, sdk.Money{}
	}
	return &sdk.Fact{Proven: true, Payment: *p, Expect: hint.Expect}, nil
}

// refundFact: a refund carries no status of the payment. Its attempt id is there
// if the hub made it. What may be the release of an authorisation is a hint: the
// read sees the charge beside it and can tell.
func refundFact(e event) (*sdk.Fact, error) {
	var re stripe.Refund
	if err := json.Unmarshal(e.Data.Object, &re); err != nil {
		return nil, err
	}
	f, err := hintOf(e)
	if f == nil || err != nil || mayBeRelease(&re) {
		return f, err
	}
	f.Proven = true
	f.Payment.Refunds.Items = []sdk.Refund{fromRefund(&re)}
	return f, nil
}

// disputeFact: the type knows better than the list of balance transactions
// whether the funds are gone.
func disputeFact(e event) (*sdk.Fact, error) {
	var d stripe.Dispute
	if err := json.Unmarshal(e.Data.Object, &d); err != nil {
		return nil, err
	}
	f, err := hintOf(e)
	if f == nil || err != nil {
		return f, err
	}
	dispute := fromDispute(&d)
	switch e.Type {
	case "charge.dispute.funds_withdrawn":
		if !dispute.FundsWithdrawn {
			dispute.FundsWithdrawn, dispute.Withdrawn = true, dispute.Amount
		}
	case "charge.dispute.funds_reinstated":
		if _, back := lines(&d); back == 0 { // else they tell how much
			dispute.FundsWithdrawn, dispute.Withdrawn = false, sdk.Money{}
		}
	}
	f.Proven = true
	f.Payment.Disputes.Items = []sdk.Dispute{dispute}
	return f, nil
}
