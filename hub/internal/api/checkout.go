package api

import (
	"context"
	"time"

	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/sdk"
)

// Key is the Idempotency-Key that every request for money carries.
type Key struct {
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$" patternDescription:"printable ASCII without spaces" doc:"Yours, new for each new request. Repeating a request with the same key is harmless"`
}

// OptionalKey makes a request that asks for no money harmless to repeat.
type OptionalKey struct {
	IdempotencyKey string `header:"Idempotency-Key" minLength:"1" maxLength:"200" pattern:"^[!-~]+$" patternDescription:"printable ASCII without spaces" doc:"Yours, new for each new request. With it, repeating the request makes nothing twice and is answered as the first time"`
}

// Pay is how an order is to be paid.
type Pay struct {
	Provider string            `json:"provider" minLength:"1" maxLength:"40" doc:"As GET /v1/providers names it" example:"stripe"`
	Flow     string            `json:"flow" minLength:"1" maxLength:"40" example:"checkout_session"`
	Capture  string            `json:"capture,omitempty" enum:"automatic,manual" default:"automatic"`
	Input    map[string]string `json:"input,omitempty" doc:"The flow's own inputs"`
}

func (p Pay) input() payments.AttemptInput {
	return payments.AttemptInput{Provider: p.Provider, Flow: p.Flow, Capture: sdk.CaptureMode(p.Capture), Input: p.Input}
}

// CheckoutInput is a new order.
type CheckoutInput struct {
	Key
	Body struct {
		Reference string `json:"reference" minLength:"1" maxLength:"200" doc:"Your own name of the order, unique in your app" example:"invoice-1001"`
		Amount    int64  `json:"amount" minimum:"1" maximum:"999999999999" doc:"In minor units: 1050 is 10.50 USD, or 1050 JPY" example:"1050"`
		Currency  string `json:"currency" pattern:"^[A-Z]{3}$" patternDescription:"ISO 4217 code in upper case" example:"USD"`
		Pay
		ReturnURL   string            `json:"return_url,omitempty" maxLength:"2000" doc:"Where the payer's browser comes back to, with order_id and status added. It proves nothing: read the order. Absent: the hub shows a page of its own" example:"https://shop.example/thanks"`
		CancelURL   string            `json:"cancel_url,omitempty" maxLength:"2000" doc:"return_url if absent"`
		ExpiresAt   time.Time         `json:"expires_at,omitempty" doc:"When the order closes unpaid; 23 hours ahead if absent"`
		Description string            `json:"description,omitempty" maxLength:"500"`
		LineItems   []LineItem        `json:"line_items,omitempty" maxItems:"100"`
		Customer    *Customer         `json:"customer,omitempty"`
		Metadata    map[string]string `json:"metadata,omitempty" doc:"Yours; at most 40 keys"`
	}
}

// LineItem is one line of what is bought.
type LineItem struct {
	Name     string `json:"name" minLength:"1" maxLength:"200"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000"`
	Amount   int64  `json:"amount" minimum:"0" maximum:"999999999999" doc:"Of one, in minor units"`
}

// Customer is what you tell of the payer.
type Customer struct {
	Email string `json:"email,omitempty" maxLength:"320"`
	Name  string `json:"name,omitempty" maxLength:"200"`
}

func (s *server) checkout(ctx context.Context, in *CheckoutInput) (*OrderOutput, error) {
	b := in.Body
	p := payments.CheckoutInput{
		AttemptInput: b.input(), Reference: b.Reference, Amount: b.Amount, Currency: b.Currency, ReturnURL: b.ReturnURL,
		CancelURL: b.CancelURL, ExpiresAt: b.ExpiresAt, Description: b.Description, Metadata: b.Metadata,
	}
	for _, l := range b.LineItems {
		p.LineItems = append(p.LineItems, sdk.LineItem(l))
	}
	if b.Customer != nil {
		p.Customer = sdk.Customer(*b.Customer)
	}
	a, err := s.Payments.Checkout(ctx, caller(ctx, in.IdempotencyKey), p)
	return answered(a, err, 201)
}

// CheckoutAgainInput is another attempt on an open order.
type CheckoutAgainInput struct {
	Key
	OrderID
	Body struct {
		Pay
		Amount   int64  `json:"amount,omitempty" minimum:"1" maximum:"999999999999" doc:"What the order is for from now on, in minor units. It can change as long as providers refused every attempt so far"`
		Currency string `json:"currency,omitempty" pattern:"^[A-Z]{3}$" patternDescription:"ISO 4217 code in upper case" doc:"Likewise, with the amount"`

		Customer *Customer `json:"customer,omitempty" doc:"The payer from now on, as with the order; left out: as it is"`
	}
}

func (s *server) checkoutAgain(ctx context.Context, in *CheckoutAgainInput) (*OrderOutput, error) {
	p := payments.AgainInput{
		AttemptInput: in.Body.input(), Amount: in.Body.Amount, Currency: in.Body.Currency, Customer: (*sdk.Customer)(in.Body.Customer),
	}
	a, err := s.Payments.CheckoutAgain(ctx, caller(ctx, in.IdempotencyKey), in.ID, p)
	return answered(a, err, 201)
}
