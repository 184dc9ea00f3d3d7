package main

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

// The library's types drop what matters here (authorizations, refunds, payee,
// custom_id of a capture), so PayPal's objects are read by our own, named and
// spelled as in its documents checkout_orders_v2 and payments_payment_v2.

type order struct {
	ID            string         `json:"id"`
	Status        string         `json:"status"`
	Intent        string         `json:"intent"`
	Created       moment         `json:"create_time"`
	PurchaseUnits []purchaseUnit `json:"purchase_units"`
	Payer         *payer         `json:"payer"`
	PaymentSource struct {
		PayPal *payer `json:"paypal"`
	} `json:"payment_source"`
	Links []link `json:"links"`
}

type purchaseUnit struct {
	ReferenceID string  `json:"reference_id"`
	Amount      *amount `json:"amount"`
	CustomID    string  `json:"custom_id"`
	Payee       struct {
		MerchantID string `json:"merchant_id"`
	} `json:"payee"`
	Instruction struct {
		Fees []json.RawMessage `json:"platform_fees"`
	} `json:"payment_instruction"`
	Payments struct {
		Authorizations []authorization `json:"authorizations"`
		Captures       []capture       `json:"captures"`
		Refunds        []refund        `json:"refunds"`
	} `json:"payments"`
}

type payer struct {
	Email string `json:"email_address"`
	Name  struct {
		Given   string `json:"given_name"`
		Surname string `json:"surname"`
	} `json:"name"`
	Address struct {
		Country string `json:"country_code"`
	} `json:"address"`
}

type authorization struct {
	ID         string  `json:"id"`
	Status     string  `json:"status"`
	Amount     *amount `json:"amount"`
	Created    moment  `json:"create_time"`
	Expiration moment  `json:"expiration_time"`
}

type capture struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	Amount    *amount   `json:"amount"`
	CustomID  string    `json:"custom_id"`
	Created   moment    `json:"create_time"`
	Final     bool      `json:"final_capture"` // what was left of the authorization was released
	Breakdown breakdown `json:"seller_receivable_breakdown"`
	Details   struct {
		Reason string `json:"reason"`
	} `json:"status_details"`
	Supplementary supplementary `json:"supplementary_data"`
}

type refund struct {
	ID       string  `json:"id"`
	Status   string  `json:"status"`
	Amount   *amount `json:"amount"`
	CustomID string  `json:"custom_id"`
	Created  moment  `json:"create_time"`
	Links    []link  `json:"links"`

	Breakdown breakdown `json:"seller_payable_breakdown"`
}

// supplementary tells what an object belongs to.
type supplementary struct {
	Related struct {
		Order         string `json:"order_id"`
		Authorization string `json:"authorization_id"`
		Capture       string `json:"capture_id"`
	} `json:"related_ids"`
}

// moment is a time of PayPal's. One that cannot be read is none: money must not
// go unseen for a date.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		m.Time, _ = time.Parse(time.RFC3339, s)
		m.Time = m.UTC()
	}
	return nil
}

// idForm is PayPal's form of an id. The library puts ids into addresses as they
// are, and an order's comes from the browser: "../v1/..." must not get there.
var idForm = regexp.MustCompile(`^[A-Z0-9]{1,36}$`)

// up returns the id of what an object was made of, by its link to it:
// .../v2/payments/captures/2GG279541U471931P.
func up(links []link, kind string) string {
	for _, l := range links {
		if dir, id := path.Split(l.Href); l.Rel == "up" && strings.HasSuffix(dir, "/"+kind+"/") && idForm.MatchString(id) {
			return id
		}
	}
	return ""
}

func (c *capture) movement() (sdk.Capture, error) {
	out := sdk.Capture{ID: c.ID, Status: sdk.MovementPending, At: c.Created.Time} // a status this version does not know, too
	switch c.Status {
	case "COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED":
		out.Status = sdk.MovementSucceeded
	case "DECLINED", "FAILED":
		out.Status = sdk.MovementFailed
	}
	if c.Status == "PENDING" {
		out.PendingReason = c.Details.Reason
	}
	var err error
	if out.Amount, err = c.Amount.money(); err != nil || c.ID == "" || c.Status == "" || out.Amount.IsZero() {
		return out, once.ErrUnreadable
	}
	out.Fee = c.Breakdown.fee()
	out.Lines = c.Breakdown.lines(sdk.LineCapture, c.ID, out.Amount, out.At)
	return out, nil
}

func (r *refund) movement() (sdk.Refund, error) {
	out := sdk.Refund{ID: r.ID, CaptureID: up(r.Links, "captures"), Status: r.standing(), At: r.Created.Time}
	readRefundID(&out, r.CustomID)
	if out.Status == sdk.MovementFailed {
		out.Failure = &sdk.Failure{Code: sdk.FailureDeclined, ProviderCode: r.Status, Message: "The refund was not accepted."}
	}
	var err error
	if out.Amount, err = r.Amount.money(); err != nil || r.ID == "" || r.Status == "" {
		return out, once.ErrUnreadable
	}
	for _, l := range r.Breakdown.lines(sdk.LineRefund, r.ID, out.Amount, out.At) {
		l.Gross.Amount, l.Fee.Amount = -l.Gross.Amount, -l.Fee.Amount // money out, and what PayPal gives back of its fee
		out.Lines = append(out.Lines, l)
	}
	return out, nil
}

// payerLink is where the payer approves: rel approve, payer-action where the
// order names PayPal as its payment source, redirect in a refusal.
func (p *Provider) payerLink(links []link) string {
	for _, l := range links {
		switch l.Rel {
		case "approve", "payer-action", "redirect":
			if p.isPayerPage(l.Href) {
				return l.Href
			}
		}
	}
	return ""
}

func (r *refund) standing() sdk.MovementStatus {
	switch r.Status {
	case "COMPLETED":
		return sdk.MovementSucceeded
	case "FAILED", "CANCELLED":
		return sdk.MovementFailed
	}
	return sdk.MovementPending
}
