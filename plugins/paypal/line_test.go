package main

import (
	"encoding/json"
	"testing"

	"github.com/superpayhub/superpay/plugins/paypal/sandbox"
	"github.com/superpayhub/superpay/sdk"
)

// TestLines_OfCapturesAndRefunds: what PayPal's breakdowns come to in the balance. A
// balance in another currency than the payment's is told in that.
func TestLines_OfCapturesAndRefunds(t *testing.T) {
	usd := func(minor int64) sdk.Money { return sdk.Money{Amount: minor, Currency: "USD", Exponent: 2} }
	const head = `{"id":"` + testCapture + `","status":"COMPLETED","amount":{"currency_code":"EUR","value":"99.99"},`
	for name, c := range map[string]struct {
		breakdown        string
		gross, fee, told sdk.Money // told beside the line
	}{
		"nothing":     {`{}`, sdk.Money{}, sdk.Money{}, sdk.Money{}},
		"no fee":      {`{"gross_amount":{"currency_code":"EUR","value":"99.99"}}`, eur(9999), sdk.Money{}, sdk.Money{}},
		"a fee":       {`{"gross_amount":{"currency_code":"EUR","value":"99.99"},"paypal_fee":{"currency_code":"EUR","value":"3.79"}}`, eur(9999), eur(379), eur(379)},
		"a bad fee":   {`{"gross_amount":{"currency_code":"EUR","value":"99.99"},"paypal_fee":{"currency_code":"EUR"}}`, eur(9999), sdk.Money{}, sdk.Money{}},
		"in dollars":  {`{"paypal_fee":{"currency_code":"EUR","value":"3.79"},"receivable_amount":{"currency_code":"USD","value":"104.00"},"paypal_fee_in_receivable_currency":{"currency_code":"USD","value":"4.10"}}`, usd(10810), usd(410), eur(379)},
		"half told":   {`{"paypal_fee":{"currency_code":"EUR","value":"3.79"},"receivable_amount":{"currency_code":"USD","value":"104.00"}}`, sdk.Money{}, sdk.Money{}, eur(379)},
		"nonsense":    {`{"paypal_fee":{"currency_code":"EUR","value":"3.79"},"receivable_amount":{"currency_code":"USD","value":"?"}}`, sdk.Money{}, sdk.Money{}, eur(379)},
		"the same":    {`{"paypal_fee":{"currency_code":"EUR","value":"3.79"},"receivable_amount":{"currency_code":"EUR","value":"96.20"}}`, eur(9999), eur(379), eur(379)},
		"a refund":    {`{"gross_amount":{"currency_code":"EUR","value":"99.99"},"paypal_fee":{"currency_code":"EUR","value":"3.40"}}`, eur(-9999), eur(-340), sdk.Money{}},
		"a refund in": {`{"paypal_fee":{"currency_code":"EUR","value":"3.40"},"net_amount_in_receivable_currency":{"currency_code":"USD","value":"104.00"},"paypal_fee_in_receivable_currency":{"currency_code":"USD","value":"3.60"}}`, usd(-10760), usd(-360), sdk.Money{}},
	} {
		var lines []sdk.Line
		var fee sdk.Money
		if c.gross.Amount < 0 {
			var r refund
			if err := json.Unmarshal([]byte(head+`"seller_payable_breakdown":`+c.breakdown+`}`), &r); err != nil {
				t.Fatal(err)
			}
			m, err := r.movement()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			lines = m.Lines
		} else {
			var p capture
			if err := json.Unmarshal([]byte(head+`"seller_receivable_breakdown":`+c.breakdown+`}`), &p); err != nil {
				t.Fatal(err)
			}
			m, err := p.movement()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			lines, fee = m.Lines, m.Fee
		}
		var line sdk.Line
		if len(lines) > 0 {
			line = lines[0]
		}
		if len(lines) > 1 || line.Gross != c.gross || line.Fee != c.fee || fee != c.told {
			t.Errorf("%s: %+v, and a fee of %s", name, lines, fee)
		}
	}
}

// TestLines_OfASale: what the balance shows of a payment, a refund of a part and a
// dispute of the rest adds up to what PayPal holds.
func TestLines_OfASale(t *testing.T) {
	t.Parallel()
	for name, keeps := range map[string]bool{"fees come back": false, "fees are kept": true} {
		h := newHouse(t, func(o *sandbox.Options) { o.Refunds.KeepFees = keeps })
		p := h.checkout("op_1")
		h.approve(p, "approve")
		paid, err := h.confirm("op_2", p, sdk.CaptureAutomatic)
		if err != nil {
			t.Fatal(err)
		}
		r, err := h.Refund(t.Context(), sdk.RefundRequest{
			PaymentRequest: paymentRequest("server", paid.Refs...), Key: "op_3", RefundID: "ref_1", CaptureID: paid.Captures.Items[0].ID, Refund: eur(4000),
		})
		if err != nil || len(r.Lines) != 1 || r.Lines[0].Gross != eur(-4000) || (r.Lines[0].Fee.Amount < 0) == keeps {
			t.Errorf("%s: %+v %v", name, r, err)
		}
		now := h.read("server", paid.Refs...)
		if len(now.Refunds.Items[0].Lines) != 1 || now.Refunds.Items[0].Lines[0] != r.Lines[0] {
			t.Errorf("%s: %+v, was %+v", name, now.Refunds.Items[0].Lines, r.Lines)
		}
	}
}

// TestLines_OfADispute: each movement of the seller's money, and nobody else's.
func TestLines_OfADispute(t *testing.T) {
	var d dispute
	const said = `{"dispute_id":"PP-D-1","status":"RESOLVED","money_movements":[
		{"affected_party":"SELLER","type":"DEBIT","reason":"DISPUTE_SETTLEMENT","amount":{"currency_code":"EUR","value":"99.99"},"initiated_time":"2026-03-01T12:00:00Z"},
		{"affected_party":"BUYER","type":"CREDIT","reason":"DISPUTE_SETTLEMENT","amount":{"currency_code":"EUR","value":"99.99"}},
		{"affected_party":"SELLER","type":"DEBIT","reason":"DISPUTE_SETTLEMENT_FEE","amount":{"currency_code":"EUR","value":"14.00"}},
		{"affected_party":"SELLER","type":"CREDIT","reason":"DISPUTE_SETTLEMENT","amount":{"currency_code":"EUR","value":"40.00"}}]}`
	if err := json.Unmarshal([]byte(said), &d); err != nil {
		t.Fatal(err)
	}
	lines := d.lines(false)
	if len(lines) != 3 || lines[0].Gross != eur(-9999) || lines[0].ID == lines[2].ID || lines[1].Fee != eur(1400) || lines[1].Gross != eur(0) || lines[2].Gross != eur(4000) || !lines[0].At.Equal(testNow) {
		t.Errorf("%+v", lines)
	}
	for i, l := range d.lines(true) {
		if l.Gross.Amount != 0 || l.Fee != lines[i].Fee || l.ID != lines[i].ID {
			t.Errorf("a refund is about the same money: %+v", l)
		}
	}
}
