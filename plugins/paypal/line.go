package main

import (
	"strconv"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// breakdown is what a capture or refund comes to in the seller's balance. The names
// "receivable" are those of a balance in another currency than the payment's
// (payments_payment_v2: seller_receivable_breakdown, seller_payable_breakdown).
type breakdown struct {
	Gross           *amount `json:"gross_amount"`
	Fee             *amount `json:"paypal_fee"`
	FeeReceivable   *amount `json:"paypal_fee_in_receivable_currency"`
	Receivable      *amount `json:"receivable_amount"`                 // net, of a capture
	NetInReceivable *amount `json:"net_amount_in_receivable_currency"` // net, of a refund
}

// fee is the fee in the payment's currency. One that is not told, or not readable,
// must not hide the money.
func (b breakdown) fee() sdk.Money {
	fee, err := b.Fee.money()
	if err != nil {
		return sdk.Money{}
	}
	return fee
}

// lines is the one line of a capture or refund, both amounts positive; none where
// PayPal does not tell what it comes to.
func (b breakdown) lines(kind sdk.LineKind, id string, of sdk.Money, at time.Time) []sdk.Line {
	line := sdk.Line{ID: id, Kind: kind, Gross: of, Fee: b.fee(), At: at}
	net, err := b.Receivable.money()
	if b.Receivable == nil {
		net, err = b.NetInReceivable.money()
	}
	if err != nil {
		return nil
	}
	if net.Currency != "" && net.Currency != of.Currency {
		fee, err := b.FeeReceivable.money()
		if err != nil || fee.Currency != net.Currency && !line.Fee.IsZero() {
			return nil // its fee is told in the payment's currency only
		}
		line.Gross, line.Fee = net, fee
		line.Gross.Amount += fee.Amount
		return []sdk.Line{line}
	}
	if b.Gross == nil && line.Fee.IsZero() {
		return nil
	}
	return []sdk.Line{line}
}

// lines are the movements of the seller's money that PayPal tells of a dispute. They
// have no ids of their own. Where a refund is listed that is about the same money, its
// line counts, and these count for nothing but their fees.
func (d *dispute) lines(refunded bool) (lines []sdk.Line) {
	for i, m := range d.Movements {
		value, err := m.Amount.money()
		if m.Party != "SELLER" || err != nil || value.IsZero() {
			continue
		}
		value.Amount = max(value.Amount, -value.Amount)
		if m.Type == "DEBIT" {
			value.Amount = -value.Amount
		}
		line := sdk.Line{ID: d.ID + ":" + strconv.Itoa(i), Kind: sdk.LineDispute, Type: m.Reason, Gross: value, At: m.At.Time}
		if m.isFee() {
			line.Kind, line.Fee = sdk.LineFee, value
			line.Fee.Amount, line.Gross.Amount = -value.Amount, 0
		}
		if refunded {
			line.Gross.Amount = 0
		}
		lines = append(lines, line)
	}
	return lines
}
