package main

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/once"
)

const (
	disputesPath = "/v1/customer/disputes"

	maxDisputed = 10 // captures of one payment that are asked about
	maxDisputes = 20 // of one payment; a longer list is reported as not complete
)

type disputeList struct {
	Items []struct {
		ID string `json:"dispute_id"`
	} `json:"items"`
	Links []link `json:"links"`
}

type dispute struct {
	ID      string  `json:"dispute_id"`
	Status  string  `json:"status"`
	Stage   string  `json:"dispute_life_cycle_stage"`
	Reason  string  `json:"reason"`
	Amount  *amount `json:"dispute_amount"`
	DueBy   moment  `json:"seller_response_due_date"`
	Created moment  `json:"create_time"`
	Outcome struct {
		Code string `json:"outcome_code"`
	} `json:"dispute_outcome"`
	Movements []moneyMovement `json:"money_movements"`
}

type moneyMovement struct {
	Party  string  `json:"affected_party"`
	Type   string  `json:"type"`
	Reason string  `json:"reason"`
	Amount *amount `json:"amount"`
	At     moment  `json:"initiated_time"`
}

var disputeForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,255}$`)

// complete reads what an order does not carry. Refunds are in it. Disputes are
// asked for only of captures that the hub knows: money that it first hears of
// is too young to be disputed, and must not wait for another service.
func (p *Provider) complete(ctx context.Context, out *sdk.Payment, known []sdk.Ref) error {
	out.Refunds.Complete = out.Captures.Complete && len(out.Expect) == 0
	if !slices.ContainsFunc(out.Captures.Items, taken) {
		out.Disputes.Complete = out.Captures.Complete
		return nil
	}
	if ref(known, kindCapture) == "" {
		return nil
	}
	out.Disputes.Complete = true
	for i, c := range out.Captures.Items {
		if !taken(c) {
			continue
		}
		if i >= maxDisputed || !idForm.MatchString(c.ID) {
			out.Disputes.Complete = false
			break
		}
		if err := p.addDisputes(ctx, out, c); err != nil {
			return err
		}
	}
	return nil
}

func taken(c sdk.Capture) bool { return c.Status == sdk.MovementSucceeded }

// addDisputes reads the disputes of a capture. An app without the permission
// for disputes is answered 403: then they are not read, and the rest is told.
func (p *Provider) addDisputes(ctx context.Context, out *sdk.Payment, c sdk.Capture) error {
	var list disputeList
	err := p.api.send(ctx, get(disputesPath+"?page_size=50&disputed_transaction_id="+c.ID), &list)
	switch status := statusOf(err); {
	case status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		out.Disputes.Complete = false
		return nil
	case err != nil:
		return outcome("list disputes", err)
	}
	next := func(l link) bool { return l.Rel == "next" }
	out.Disputes.Complete = out.Disputes.Complete && list.Items != nil && !slices.ContainsFunc(list.Links, next)
	for _, item := range list.Items {
		if len(out.Disputes.Items) >= maxDisputes || !disputeForm.MatchString(item.ID) {
			out.Disputes.Complete = false
			return nil
		}
		d := dispute{}
		err := p.api.send(ctx, get(disputesPath+"/"+item.ID), &d) // the list tells no money
		if err == nil && (d.ID != item.ID || d.Status == "") {
			err = once.ErrUnreadable
		}
		m, moneyErr := d.Amount.money()
		if err == nil {
			err = moneyErr
		}
		if err != nil {
			return outcome("read dispute", err)
		}
		if m.IsZero() {
			m = c.Amount // untold: then it is all of it
		}
		told := sdk.Dispute{
			ID: d.ID, CaptureID: c.ID, Status: d.standing(), Amount: m, Reason: strings.ToLower(d.Reason),
			FundsWithdrawn: d.withdrawn() && !refunded(out, c.ID, m), Fee: d.fee(), DueBy: d.DueBy.Time, At: d.Created.Time,
		}
		if told.FundsWithdrawn {
			told.Withdrawn = d.gone(m)
		}
		told.Lines = d.lines(d.withdrawn() && !told.FundsWithdrawn)
		out.Disputes.Items = append(out.Disputes.Items, told)
	}
	return nil
}

func (d *dispute) standing() sdk.DisputeStatus {
	if d.Status != "RESOLVED" {
		if d.Stage == "INQUIRY" {
			return sdk.DisputeInquiry // buyer and seller talk; no funds moved
		}
		return sdk.DisputeOpen
	}
	switch d.Outcome.Code {
	case "RESOLVED_BUYER_FAVOUR", "ACCEPTED":
		return sdk.DisputeLost
	case "RESOLVED_SELLER_FAVOUR", "DENIED":
		return sdk.DisputeWon
	}
	return sdk.DisputeClosed // canceled by the buyer, paid out by PayPal, none
}

// withdrawn reports whether the money is gone at the moment: by the movements
// that PayPal tells, without its fees, else by the stage. PayPal holds the
// money of a claim until it decides.
func (d *dispute) withdrawn() bool {
	net, told := d.moved(func(m moneyMovement) bool { return !m.isFee() })
	if told {
		return net.Amount < 0
	}
	switch d.standing() {
	case sdk.DisputeLost, sdk.DisputeOpen:
		return true
	}
	return false
}

// gone is how much of the disputed money that is: what the movements sum up to, in
// its currency; all of it where they do not tell.
func (d *dispute) gone(m sdk.Money) sdk.Money {
	net, told := d.moved(func(m moneyMovement) bool { return !m.isFee() })
	if told && net.Currency == m.Currency {
		net.Amount = -net.Amount
		return net
	}
	return m
}

// fee is what PayPal keeps for the dispute, as far as it tells.
func (d *dispute) fee() sdk.Money {
	net, _ := d.moved(moneyMovement.isFee)
	net.Amount = -net.Amount
	return net
}

func (m moneyMovement) isFee() bool { return strings.HasSuffix(m.Reason, "_FEE") }

// moved sums up such of the seller's money as PayPal tells of; what went out is
// negative.
func (d *dispute) moved(such func(moneyMovement) bool) (net sdk.Money, told bool) {
	for _, m := range d.Movements {
		if m.Party != "SELLER" || !such(m) {
			continue
		}
		a, err := m.Amount.money()
		if err != nil {
			continue
		}
		value := max(a.Amount, -a.Amount)
		if m.Type == "DEBIT" {
			value = -value
		}
		a.Amount = net.Amount + value
		net, told = a, true
	}
	return net, told
}

// refunded reports whether the same money is in the list of refunds already: a
// dispute may end with a refund to the buyer, or be what a bank took the money
// back for, and money goes out once.
func refunded(out *sdk.Payment, captureID string, m sdk.Money) bool {
	return slices.ContainsFunc(out.Refunds.Items, func(r sdk.Refund) bool {
		return r.CaptureID == captureID && r.RefundID == "" && r.Status == sdk.MovementSucceeded && (r.Reversed || r.Amount.Equal(m))
	})
}
