package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// movement is what captures, refunds and disputes have in common.
type movement struct {
	table, id, attemptID, provider, currency string
	exponent, posted, feeExponent            int
	mismatch                                 string // the reason raised where it is not in the order's unit
}

func (c *checker) movements() (all []movement) {
	for _, x := range c.o.Captures {
		all = append(all, movement{"captures", x.ID, x.AttemptID, x.Provider, x.Currency, x.Exponent, x.Posted, x.FeeExponent, AmountMismatch})
	}
	for _, x := range c.o.Refunds {
		all = append(all, movement{"refunds", x.ID, x.AttemptID, x.Provider, x.Currency, x.Exponent, x.Posted, x.FeeExponent, RefundMismatch})
	}
	for _, x := range c.o.Disputes {
		all = append(all, movement{"disputes", x.ID, x.AttemptID, x.Provider, x.Currency, x.Exponent, x.Posted, x.FeeExponent, DisputeMismatch})
	}
	return all
}

// owners checks that each row names an attempt of the order, and the provider
// and the app that the attempt and the order name.
func (c *checker) owners() {
	of := func(table, id, attemptID, provider string) {
		a := c.attempts[attemptID]
		if a == nil {
			c.doubt(LawOwner, id, table+".attempt_id", "an attempt of the order", attemptID)
			return
		}
		c.equal(LawOwner, id, table+".provider", a.Provider, provider)
	}
	for _, m := range c.movements() {
		of(m.table, m.id, m.attemptID, m.provider)
	}
	for _, op := range c.o.Operations {
		c.equal(LawOwner, op.ID, "operations.app_id", c.o.AppID, op.AppID)
		if op.AttemptID != nil && c.attempts[*op.AttemptID] == nil {
			c.doubt(LawOwner, op.ID, "operations.attempt_id", "an attempt of the order", *op.AttemptID)
		}
	}
	for _, e := range c.Events {
		if e.AttemptID != "" && c.attempts[e.AttemptID] == nil {
			c.doubt(LawOwner, e.ID, "events.attempt_id", "an attempt of the order", e.AttemptID)
		}
	}
	for _, cb := range c.Callbacks {
		if !slices.ContainsFunc(c.o.Attempts, func(a *Attempt) bool { return a.Provider == cb.Provider }) {
			c.doubt(LawOwner, cb.ID, "callbacks.provider", "a provider of the order's attempts", cb.Provider)
		}
	}
	if a := c.o.Current(); a != nil {
		c.equal(LawOwner, "", "orders.provider", a.Provider, c.o.Provider)
		c.equal(LawOwner, "", "orders.flow", a.Flow, c.o.Flow)
		c.equal(LawOwner, "", "orders.mode", a.Mode, c.o.Mode)
	}
}

// currencies checks the digits of the order's currency, and that amounts in that
// currency have them, unless a person was told that one does not fit.
func (c *checker) currencies() {
	if exponent, ok := sdk.Exponent(c.o.Currency); ok {
		c.equal(LawCurrency, "", "orders.exponent", exponent, c.o.Exponent)
	} else {
		c.doubt(LawCurrency, "", "orders.currency", "a code of ISO 4217", c.o.Currency)
	}
	for _, m := range c.movements() {
		told := slices.ContainsFunc(c.o.Attention, func(x Attention) bool { return x.AttemptID == m.attemptID && x.Reason == m.mismatch })
		if m.currency == c.o.Currency && !told {
			c.equal(LawCurrency, m.id, m.table+".exponent", c.o.Exponent, m.exponent)
		}
	}
}

// totals compares what is stored with what the movements add up to.
func (c *checker) totals() {
	want := c.o.clone()
	sum(want)
	for i, a := range c.o.Attempts {
		w := want.Attempts[i]
		c.equal(LawTotals, a.ID, "attempts.authorized", w.Authorized, a.Authorized)
		c.equal(LawTotals, a.ID, "attempts.captured", w.Captured, a.Captured)
		c.equal(LawTotals, a.ID, "attempts.refunded", w.Refunded, a.Refunded)
		c.equal(LawTotals, a.ID, "attempts.reserved", w.Reserved, a.Reserved)
		c.equal(LawTotals, a.ID, "attempts.disputed", w.Disputed, a.Disputed)
	}
	// From what the attempts should say, so that one wrong attempt is one doubt.
	c.equal(LawTotals, "", "orders.authorized", want.Authorized, c.o.Authorized)
	c.equal(LawTotals, "", "orders.captured", want.Captured, c.o.Captured)
	c.equal(LawTotals, "", "orders.refunded", want.Refunded, c.o.Refunded)
	c.equal(LawTotals, "", "orders.disputed", want.Disputed, c.o.Disputed)
	c.equal(LawTotals, "", "orders.refundable", want.Refundable, c.o.Refundable)
}

// statuses computes the order's status from its attempts and movements. An open
// order whose time is up stays open until it is looked at.
func (c *checker) statuses() {
	o := c.o.clone()
	sum(o)
	want := statusOf(o, c.o.UpdatedAt)
	if c.o.Status != want && c.o.Status != statusOf(o, c.o.CreatedAt) {
		c.doubt(LawStatus, "", "orders.status", want, c.o.Status)
	}
	for _, a := range c.o.Attempts {
		if a.Status == sdk.Succeeded && !slices.ContainsFunc(c.o.Captures, func(x *Capture) bool {
			return x.AttemptID == a.ID && x.Status == sdk.MovementSucceeded
		}) {
			c.doubt(LawStatus, a.ID, "attempts.status", "not succeeded: no capture of it did", a.Status)
		}
	}
}

// refs compares the names that an attempt has with the rows that lead to it.
func (c *checker) refs() {
	for _, a := range c.o.Attempts {
		for _, name := range a.Refs {
			i := slices.IndexFunc(c.Refs, func(r *Ref) bool { return r.Provider == a.Provider && r.Kind == name.Kind && r.Value == name.Value })
			if i < 0 {
				c.doubt(LawRefs, a.ID, "attempts.refs", "a row of refs for "+name.Kind+" "+name.Value, nil)
				continue
			}
			row := c.Refs[i]
			c.equal(LawRefs, name.Kind+" "+name.Value, "refs.attempt_id", a.ID, row.AttemptID)
			c.equal(LawRefs, name.Kind+" "+name.Value, "refs.order_id", c.o.ID, row.OrderID)
		}
	}
}

// notices compares what apps were told last. What never changes is compared
// always, the rest where nothing changed since.
func (c *checker) notices() {
	for _, n := range c.Notices {
		c.equal(LawOwner, n.ID, "notifications.app_id", c.o.AppID, n.AppID)
		c.equal(LawOwner, n.ID, "notifications.endpoint_id", "an endpoint of "+c.o.AppID, "an endpoint of "+n.EndpointApp)
		if n.Version > c.o.AppVersion() {
			c.doubt(LawNotices, n.ID, "orders.version", fmt.Sprint("at least ", n.Version), c.o.AppVersion())
		}
		if n.Payload != "" {
			c.payload(n)
		}
	}
}

func (c *checker) payload(n *NoticeRow) {
	var told struct {
		Data map[string]any `json:"data"`
	}
	d := json.NewDecoder(strings.NewReader(n.Payload))
	d.UseNumber()
	if err := d.Decode(&told); err != nil {
		c.doubt(LawNotices, n.ID, "notifications.payload", "JSON", err)
		return
	}
	values := map[string]any{"id": c.o.ID, "reference": c.o.Reference, "amount": c.o.Amount, "currency": c.o.Currency, "exponent": c.o.Exponent}
	if valueText(told.Data["id"]) == c.o.ID && n.Version == c.o.AppVersion() {
		values["status"], values["captured"], values["refunded"] = c.o.Status, c.o.Captured, c.o.Refunded
		values["authorized"], values["disputed"], values["refundable"] = c.o.Authorized, c.o.Disputed, c.o.Refundable
	}
	for field, found := range values {
		if said, ok := told.Data[field]; ok {
			c.equal(LawNotices, n.ID, "orders."+field, said, found)
		}
	}
}
