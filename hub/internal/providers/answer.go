package providers

import (
	"fmt"
	"math"

	"github.com/superpayhub/superpay/sdk"
)

// UnreadableError says that an answer contradicts itself, so that nothing in it
// is believed: the answer counts as unknown. A callback's result is returned
// beside this error, for the caller to put aside; a list is returned without
// the payments that cannot be read, which are Payments.
type UnreadableError struct {
	Reason   string
	Payments []sdk.Payment
}

func (e *UnreadableError) Error() string {
	return "the plugin's answer contradicts itself: " + e.Reason
}

// maxMinor bounds one amount, in minor units, so that sums of amounts stay far
// inside of int64.
const maxMinor = math.MaxInt64 / 100

// check returns why an answer cannot be true, or nil. Every answer of a plugin
// passes here, whoever asked, before anything in it is used. It asks only what
// no provider can mean: that an amount is not the one asked for is for the
// ledger to record and flag.
func check(answer any) *UnreadableError {
	switch a := answer.(type) {
	case *sdk.Payment:
		return unreadable(checkPayment(a))
	case *sdk.Refund:
		return unreadable(checkRefund(a))
	case *sdk.CallbackResult:
		for i := range a.Facts {
			if err := checkPayment(&a.Facts[i].Payment); err != nil {
				return unreadable(err)
			}
		}
	case *sdk.ListPage:
		return checkPage(a)
	}
	return nil
}

func unreadable(err error) *UnreadableError {
	if err == nil {
		return nil
	}
	return &UnreadableError{Reason: err.Error()}
}

// checkPage takes what cannot be read out of a list: it does not hide the rest.
func checkPage(page *sdk.ListPage) *UnreadableError {
	var found *UnreadableError
	good := page.Payments[:0:0]
	for _, p := range page.Payments {
		err := checkPayment(&p)
		if err == nil {
			good = append(good, p)
			continue
		}
		if found == nil {
			found = unreadable(err)
		}
		found.Payments = append(found.Payments, p)
	}
	if found != nil {
		page.Payments = good
	}
	return found
}

func checkPayment(p *sdk.Payment) error {
	for _, m := range []sdk.Money{p.Amount, p.Authorized, p.Capturable} {
		if err := checkMoney(m, "an amount"); err != nil {
			return err
		}
	}
	seen := movements{}
	for _, c := range p.Captures.Items {
		if err := seen.add("capture", c.ID, c.Status, c.Amount); err != nil {
			return err
		}
		if err := checkBooked(c.Fee, c.Lines); err != nil {
			return err
		}
	}
	captured := seen.currencies
	for i := range p.Refunds.Items {
		r := &p.Refunds.Items[i]
		if err := seen.add("refund", r.ID, r.Status, r.Amount); err != nil {
			return err
		}
		if err := checkBooked(sdk.Money{}, r.Lines); err != nil {
			return err
		}
		if p.Captures.Complete && len(captured) > 0 && r.Status != sdk.MovementFailed && !captured[r.Amount.Currency] {
			return fmt.Errorf("refund %s is in %s, and nothing was captured in that", r.ID, r.Amount.Currency)
		}
	}
	for _, d := range p.Disputes.Items {
		if err := checkDispute(d); err != nil {
			return err
		}
	}
	return nil
}

func checkRefund(r *sdk.Refund) error {
	if err := checkBooked(sdk.Money{}, r.Lines); err != nil {
		return err
	}
	return (&movements{}).add("refund", r.ID, r.Status, r.Amount)
}

func checkDispute(d sdk.Dispute) error {
	what := "dispute " + d.ID
	if err := checkMoney(d.Amount, what); err != nil {
		return err
	}
	if d.FundsWithdrawn && d.Amount.Amount == 0 {
		return fmt.Errorf("%s withdrew money and names none", what)
	}
	if w := d.Withdrawn; w != (sdk.Money{}) {
		if err := checkMoney(w, what); err != nil {
			return err
		}
		if w.Currency != d.Amount.Currency || (w.Amount > 0) != d.FundsWithdrawn {
			return fmt.Errorf("%s says that %s of %s are withdrawn, and funds_withdrawn %t", what, w, d.Amount, d.FundsWithdrawn)
		}
	}
	return checkBooked(d.Fee, d.Lines)
}

// movements are those of one answer.
type movements struct {
	amounts    map[string]sdk.Money // by kind and id
	currencies map[string]bool      // of captures that did not fail
	sum        int64
}

// add takes one movement. What failed moved nothing and need not say how much;
// every other names a positive amount.
func (m *movements) add(kind, id string, status sdk.MovementStatus, amount sdk.Money) error {
	what := kind + " " + id
	if err := checkMoney(amount, what); err != nil {
		return err
	}
	if status == sdk.MovementFailed {
		return nil
	}
	if amount.Amount <= 0 {
		return fmt.Errorf("%s is of %s", what, amount)
	}
	if m.amounts == nil {
		m.amounts = map[string]sdk.Money{}
		m.currencies = map[string]bool{}
	}
	if known, ok := m.amounts[what]; ok && !known.Equal(amount) {
		return fmt.Errorf("%s is of %s and of %s", what, known, amount)
	}
	m.amounts[what] = amount
	if kind == "capture" {
		m.currencies[amount.Currency] = true
	}
	if m.sum > math.MaxInt64-amount.Amount {
		return fmt.Errorf("the amounts add up to more than can be counted")
	}
	m.sum += amount.Amount
	return nil
}

// maxLines bounds the balance lines of one movement.
const maxLines = 100

// checkBooked checks how a movement stands in the balance. What a provider keeps may be
// less than nothing, a rebate, and so may what it adds.
func checkBooked(fee sdk.Money, lines []sdk.Line) error {
	if len(lines) > maxLines {
		return fmt.Errorf("a movement has %d balance lines; %d is the most", len(lines), maxLines)
	}
	amounts := []sdk.Money{fee}
	for _, l := range lines {
		amounts = append(amounts, l.Gross, l.Fee)
	}
	for _, m := range amounts {
		if m.Amount < 0 && m.Amount != math.MinInt64 {
			m.Amount = -m.Amount
		}
		if err := checkMoney(m, "a fee or balance line"); err != nil {
			return err
		}
	}
	return nil
}

// checkMoney refuses what is no amount of money. Nothing at all is none, and
// allowed: the answer does not say.
func checkMoney(m sdk.Money, what string) error {
	switch {
	case m.IsZero():
		return nil
	case m.Amount < 0:
		return fmt.Errorf("%s is of %s", what, m)
	case m.Amount > maxMinor:
		return fmt.Errorf("%s is of more than can be counted", what)
	case !isCode(m.Currency):
		return fmt.Errorf("the currency of %s is no code", what)
	case m.Exponent < 0 || m.Exponent > 4:
		return fmt.Errorf("%s has %d decimals", what, m.Exponent)
	}
	if exponent, ok := sdk.Exponent(m.Currency); ok {
		if _, err := m.Rescale(exponent); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

// isCode reports whether a currency is written as ISO 4217 does. The hub need
// not know it.
func isCode(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range 3 {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}
