package sandbox

import (
	"cmp"
	"slices"
)

// balanceTransaction is a line in the merchant's balance. It is shown where it
// is expanded, and always inside a dispute.
type balanceTransaction struct {
	ID                string           `json:"id"`
	Object            string           `json:"object"`
	Amount            int64            `json:"amount"`
	AvailableOn       int64            `json:"available_on"`
	Created           int64            `json:"created"`
	Currency          string           `json:"currency"`
	Description       text             `json:"description"`
	ExchangeRate      *float64         `json:"exchange_rate"`
	Fee               int64            `json:"fee"`
	FeeDetails        []map[string]any `json:"fee_details"`
	Net               int64            `json:"net"`
	ReportingCategory string           `json:"reporting_category"`
	Source            string           `json:"source"`
	Status            string           `json:"status"`
	Type              string           `json:"type"`
}

// booked is a line with what hangs on its amount, fee and time, in the currency of
// the balance.
func (s *Server) booked(t balanceTransaction, why string) balanceTransaction {
	if to := s.opts.BalanceCurrency; to != "" && to != t.Currency {
		rate := 0.92
		t.Amount, t.Fee = changed(t.Amount, t.Currency, to), changed(t.Fee, t.Currency, to)
		t.Currency, t.ExchangeRate = to, &rate
	}
	t.Object, t.Status, t.Net, t.AvailableOn = "balance_transaction", "pending", t.Amount-t.Fee, t.Created+2*24*3600
	t.FeeDetails = []map[string]any{}
	if t.Fee > 0 {
		t.FeeDetails = append(t.FeeDetails, map[string]any{
			"amount": t.Fee, "application": nil, "currency": t.Currency, "description": why, "type": "stripe_fee",
		})
	}
	return t
}

// changed is an amount in another currency, at 0.92 for 1.
func changed(amount int64, from, to string) int64 {
	amount *= 92
	for range places(to) {
		amount *= 10
	}
	for range places(from) {
		amount /= 10
	}
	return amount / 100
}

// chargeLine is the charge's line, from when it is booked: of the whole charge, even
// where a part was captured, if the release of the rest has a line of its own.
func (s *Server) chargeLine(ch *charge) balanceTransaction {
	kind := "charge"
	if _, card := ch.PaymentMethodDetails["card"]; !card {
		kind = "payment"
	}
	amount := ch.AmountCaptured
	if s.opts.BookReleases {
		amount = ch.Amount
	}
	return s.booked(balanceTransaction{
		ID: string(ch.BalanceTransaction), Amount: amount, Fee: ch.fee(), Created: ch.Created, Currency: ch.Currency,
		Description: ch.Description, ReportingCategory: "charge", Source: ch.ID, Type: kind,
	}, "Stripe processing fees")
}

// fee is near what Stripe takes: 2.9 % and 30 of a currency with cents.
func (ch *charge) fee() int64 {
	fee := ch.AmountCaptured * 29 / 1000
	switch {
	case isOneOf(wholeHundred, ch.Currency):
		fee = (fee + 3000) / 100 * 100
	case places(ch.Currency) == 2:
		fee += 30
	case places(ch.Currency) == 3:
		fee = (fee + 300) / 10 * 10
	}
	return min(fee, ch.AmountCaptured)
}

// book writes what was taken into the balance, now or later.
func (s *Server) book(ch *charge) {
	ch.Books = s.bookedAt(ch)
	if ch.Books == 0 {
		ch.BalanceTransaction = text(newID("txn_3"))
	}
}

// refundLine is the refund's line: the fee of the charge is not given back.
func (s *Server) refundLine(r *refund) balanceTransaction {
	category := "refund"
	if r.Release {
		category = "partial_capture_reversal"
	}
	return s.booked(balanceTransaction{
		ID: string(r.BalanceTransaction), Amount: -r.Amount, Created: r.Created, Currency: r.Currency,
		ReportingCategory: category, Source: r.ID, Type: "refund",
	}, "")
}

// failureLine is the line by which the money of a refund that failed comes back.
func (s *Server) failureLine(r *refund) balanceTransaction {
	return s.booked(balanceTransaction{
		ID: string(r.FailureTransaction), Amount: r.Amount, Created: r.Created, Currency: r.Currency,
		ReportingCategory: "refund_failure", Source: r.ID, Type: "refund_failure",
	}, "")
}

// withdrawal is a dispute's line; taking the money costs a fee, giving it back
// costs none.
func (s *Server) withdrawal(d *dispute, amount int64) balanceTransaction {
	t := balanceTransaction{
		ID: newID("txn_1"), Amount: amount, Created: s.now(), Currency: d.Currency, Description: text("Chargeback withdrawal for " + d.Charge),
		ReportingCategory: "dispute", Source: d.ID, Type: "adjustment",
	}
	if amount > 0 {
		t.Description, t.ReportingCategory = text("Chargeback reversal for "+d.Charge), "dispute_reversal"
	} else if places(d.Currency) == 2 {
		t.Fee = 1500
	}
	return s.booked(t, "Dispute fee")
}

func (t *balanceTransaction) key() string { return t.ID }
func (t *balanceTransaction) made() int64 { return t.Created }

// transactions gathers the lines: each is kept with what it is about.
func (s *Server) transactions() *table[*balanceTransaction] {
	var lines []balanceTransaction
	for _, ch := range s.state.Charges.rows {
		if ch.BalanceTransaction != "" {
			lines = append(lines, s.chargeLine(ch))
		}
	}
	for _, r := range s.state.Refunds.rows {
		if r.BalanceTransaction != "" {
			lines = append(lines, s.refundLine(r))
		}
		if r.FailureTransaction != "" {
			lines = append(lines, s.failureLine(r))
		}
	}
	for _, d := range s.state.Disputes.rows {
		lines = append(lines, d.BalanceTransactions...)
	}
	slices.SortStableFunc(lines, func(a, b balanceTransaction) int { return cmp.Compare(a.Created, b.Created) })
	var all table[*balanceTransaction]
	for i := range lines {
		all.add(&lines[i])
	}
	return &all
}

func (s *Server) getTransaction(c *call) (any, *apiError) {
	if e := c.done(); e != nil {
		return nil, e
	}
	return get(s.transactions(), "balance transaction", "id", c.id)
}

func (s *Server) listTransactions(c *call) (any, *apiError) {
	source, kind := c.text("source", 255), c.text("type", 200)
	return page(c, c.listing(), s.transactions(), "balance_transaction", func(t *balanceTransaction) bool {
		return (source == "" || t.Source == source) && (kind == "" || t.Type == kind)
	})
}
