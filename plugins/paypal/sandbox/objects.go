package sandbox

import (
	"encoding/json"
	"time"
)

// Statuses of orders.
const (
	created             = "CREATED"
	payerActionRequired = "PAYER_ACTION_REQUIRED"
	approved            = "APPROVED"
	completed           = "COMPLETED" // also of captures and refunds
	voided              = "VOIDED"    // also of authorizations
)

// Statuses of captures and authorizations.
const (
	pending           = "PENDING"
	declined          = "DECLINED"
	failed            = "FAILED" // of refunds
	partiallyRefunded = "PARTIALLY_REFUNDED"
	refunded          = "REFUNDED"
	captured          = "CAPTURED"
	partiallyCaptured = "PARTIALLY_CAPTURED"
)

// funding is what the payer chose to pay with, by what will become of it.
type funding string

const (
	good         funding = "approve"
	declinedOnce funding = "instrument_declined" // the capture is refused, and the payer must choose again
	eCheck       funding = "echeck"              // the capture is pending: a bank transfer takes days
	reviewed     funding = "review"              // the capture is pending: PayPal looks at it
	byHand       funding = "manual"              // the capture is pending: the merchant has to accept it
	unconfirmed  funding = "unilateral"          // the capture is pending: the merchant's address is not confirmed
	badCapture   funding = "capture_declined"    // the order completes with a declined capture
	gone         funding = "gone_after_honor"    // a capture is declined once the honor period is over
)

// order is PayPal's aggregate: all that happens to the money is part of a unit
// of it. What the state file keeps beyond PayPal's own fields begins with "_".
type order struct {
	ID      string    `json:"id"`
	Intent  string    `json:"intent"`
	Status  string    `json:"status"`
	Units   []*unit   `json:"purchase_units"`
	Created time.Time `json:"create_time"`
	Updated time.Time `json:"update_time"`

	ReturnURL string    `json:"_return_url"`
	CancelURL string    `json:"_cancel_url"`
	BySource  bool      `json:"_by_source"` // made with payment_source.paypal, so its link is payer-action
	Immediate bool      `json:"_immediate"` // no eCheck
	Visited   bool      `json:"_visited"`
	Approved  bool      `json:"_approved"` // at some time
	Funding   funding   `json:"_funding"`
	Declines  int       `json:"_declines"`
	Deadline  time.Time `json:"_deadline"`
	Gone      bool      `json:"_gone"` // it ran out unapproved, and PayPal no longer knows it
}

type unit struct {
	ReferenceID    string          `json:"reference_id"`
	Amount         money           `json:"amount"`
	Breakdown      json.RawMessage `json:"breakdown,omitempty"`
	Payee          payee           `json:"payee"`
	Description    string          `json:"description,omitempty"`
	CustomID       string          `json:"custom_id,omitempty"`
	InvoiceID      string          `json:"invoice_id,omitempty"`
	SoftDescriptor string          `json:"soft_descriptor,omitempty"`
	Items          json.RawMessage `json:"items,omitempty"`
	Shipping       json.RawMessage `json:"shipping,omitempty"`

	Authorizations []*authorization `json:"_authorizations"`
	Captures       []*capture       `json:"_captures"`
	Refunds        []*refund        `json:"_refunds"`

	order *order
}

type payee struct {
	Email      string `json:"email_address,omitempty"`
	MerchantID string `json:"merchant_id,omitempty"`
}

type authorization struct {
	ID      string    `json:"id"`
	Status  string    `json:"status"`
	Amount  money     `json:"amount"`
	Expires time.Time `json:"expiration_time"`
	Created time.Time `json:"create_time"`
	Updated time.Time `json:"update_time"`
	Parent  string    `json:"_parent,omitempty"` // of a reauthorization: the first authorization

	unit *unit
}

type capture struct {
	ID            string    `json:"id"`
	Status        string    `json:"status"`
	Reason        string    `json:"reason"`
	Amount        money     `json:"amount"`
	Final         bool      `json:"final_capture"`
	InvoiceID     string    `json:"invoice_id"`
	Authorization string    `json:"_authorization"` // "" if the order was captured directly
	Created       time.Time `json:"create_time"`
	Updated       time.Time `json:"update_time"`

	Disputes []*dispute `json:"_disputes"`

	unit *unit
}

// refund is money back, by the merchant or, if Reversal, by PayPal.
type refund struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Amount    money     `json:"amount"`
	Fee       money     `json:"paypal_fee"`            // that PayPal gives back to the merchant
	Total     money     `json:"total_refunded_amount"` // of the capture, with this one
	CustomID  string    `json:"custom_id"`
	InvoiceID string    `json:"invoice_id"`
	Note      string    `json:"note_to_payer"`
	Reversal  bool      `json:"_reversal"`
	Capture   string    `json:"_capture"`
	Created   time.Time `json:"create_time"`
	Updated   time.Time `json:"update_time"`

	unit *unit
}

type dispute struct {
	ID      string    `json:"dispute_id"`
	Status  string    `json:"status"`
	Stage   string    `json:"dispute_life_cycle_stage"`
	Outcome string    `json:"outcome_code"`
	Amount  money     `json:"dispute_amount"`
	Created time.Time `json:"create_time"`
	Updated time.Time `json:"update_time"`

	capture *capture
}

func (o *order) key() string         { return o.ID }
func (a *authorization) key() string { return a.ID }
func (c *capture) key() string       { return c.ID }
func (r *refund) key() string        { return r.ID }
func (d *dispute) key() string       { return d.ID }
