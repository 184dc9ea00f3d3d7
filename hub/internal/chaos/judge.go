package chaos

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func decode(raw string, out any) error { return json.Unmarshal([]byte(raw), out) }

// theirs is what the providers' books say of one attempt.
type theirs struct {
	payments, captures, refunds, disputes []standin.Entry
}

// judge compares the books with the hub's orders, and with what was asked and
// told. It replaces what was found before.
func (c *campaign) judge(r *Report, views map[string]*view) error {
	r.Findings, r.Attempts, r.Flagged = nil, 0, map[string]int{}
	if err := c.readListed(); err != nil {
		return err
	}
	books := map[string]*theirs{} // by attempt
	of := func(attempt string) *theirs {
		if books[attempt] == nil {
			books[attempt] = &theirs{}
		}
		return books[attempt]
	}
	for _, stand := range c.stands {
		b, err := stand.Books(c.ctx)
		if err != nil {
			return err
		}
		attempts := map[string]string{} // of payments
		for _, e := range slices.Concat(b.Payments, b.Captures) {
			attempts[e.PaymentID] = e.Metadata[sdk.MetadataAttempt]
		}
		for _, e := range b.Payments {
			of(attempts[e.PaymentID]).payments = append(of(attempts[e.PaymentID]).payments, e)
		}
		for _, e := range b.Captures {
			of(attempts[e.PaymentID]).captures = append(of(attempts[e.PaymentID]).captures, e)
		}
		for _, e := range b.Refunds {
			of(attempts[e.PaymentID]).refunds = append(of(attempts[e.PaymentID]).refunds, e)
		}
		for _, e := range b.Disputes {
			of(attempts[e.PaymentID]).disputes = append(of(attempts[e.PaymentID]).disputes, e)
		}
	}
	delete(books, nobody)
	for _, o := range c.orders {
		v := views[o.reference]
		if v == nil {
			if o.last.ID != "" && !c.forgotten(o, books) {
				r.find(lost, o, "the order %s is not there any more", o.last.ID)
			}
			continue
		}
		r.Attempts += len(v.Attempts)
		for _, x := range v.Attention {
			r.Flagged[x.Reason]++
		}
		(&trial{r: r, o: o, v: v}).run(books)
		for _, a := range v.Attempts {
			delete(books, a.ID)
		}
	}
	for attempt, t := range books {
		for _, e := range t.captures {
			if e.Status == "succeeded" && !c.listed[attempt] {
				r.find(lost, nil, "%s %s %s was paid for attempt %q, which no order has", e.ID, e.Amount, e.Currency, attempt)
			}
		}
	}
	return nil
}

// trial judges one order.
type trial struct {
	r *Report
	o *order
	v *view
}

func (t *trial) run(books map[string]*theirs) {
	defer t.excuse(len(t.r.Findings))
	captures, back := t.taken(books), []int64{}
	for i := range t.v.Attempts {
		a, b := &t.v.Attempts[i], books[t.v.Attempts[i].ID]
		if b == nil {
			b = &theirs{}
		}
		captures += t.captures(a, b)
		back = append(back, t.refunds(a, b)...)
		t.stuck(a, b)
		if a.Flow != "client" && a.Flow != "checkout_session" && len(b.payments) > 1 {
			t.r.find(doubled, t.o, "attempt %s has %d payments at the provider: %s ...", a.ID, len(b.payments), b.payments[0].ID)
		}
	}
	if captures > t.o.yes {
		t.r.find(doubled, t.o, "the payer agreed %d times and was charged %d times", t.o.yes, captures)
	}
	t.asked(back)
	t.totals(books)
	t.contradicted()
	t.notified()
	switch {
	case t.v.NeedsAttention:
	case t.v.is("open") && !t.v.ExpiresAt.IsZero() && time.Now().After(t.v.ExpiresAt.Add(2*time.Second)):
		t.r.find(stuck, t.o, "is open after its time")
	case t.v.is("open") && t.o.canceled && len(t.v.Attempts) == 1 && !t.o.lostAny("cancel"):
		t.r.find(stuck, t.o, "was canceled, and is open")
	}
}

// minor reads an amount of the books.
func minor(e standin.Entry) int64 {
	exponent, _ := sdk.Exponent(e.Currency)
	m, err := sdk.ParseDecimal(e.Amount, e.Currency, exponent)
	if err != nil {
		return -1
	}
	return m.Amount
}

// captures compares the money taken, and returns how often that was.
func (t *trial) captures(a *attempt, b *theirs) (n int) {
	var sum int64
	for _, e := range b.captures {
		if e.Status != "succeeded" {
			continue
		}
		n++
		sum += minor(e)
		if e.Currency != t.v.Currency {
			t.r.find(unbalanced, t.o, "%s is in %s", e.ID, e.Currency)
		}
	}
	switch {
	case sum > a.Captured:
		t.r.find(lost, t.o, "attempt %s: the provider took %d, the hub knows of %d", a.ID, sum, a.Captured)
	case sum < a.Captured:
		t.r.find(unbalanced, t.o, "attempt %s: the hub says that %d were taken, the provider %d", a.ID, a.Captured, sum)
	}
	return n
}

// refunds compares each by its id, and returns the amounts that went back.
func (t *trial) refunds(a *attempt, b *theirs) (amounts []int64) {
	for _, e := range b.refunds {
		if e.Status == "succeeded" {
			amounts = append(amounts, minor(e))
		}
		i := slices.IndexFunc(t.v.Refunds, func(x refund) bool { return x.ProviderID == e.ID })
		switch {
		case i < 0:
			t.r.find(lost, t.o, "the refund %s of %s is not known to the hub", e.ID, e.Amount)
		case t.v.Refunds[i].Status != e.Status || t.v.Refunds[i].Amount != minor(e):
			t.r.find(unbalanced, t.o, "the refund %s is %s %s at the provider, and %s %d at the hub", e.ID, e.Status, e.Amount, t.v.Refunds[i].Status, t.v.Refunds[i].Amount)
		}
	}
	return amounts
}

// stuck finds what has not come to an end, and is not flagged. What is pending
// at the provider waits for the provider.
func (t *trial) stuck(a *attempt, b *theirs) {
	if t.v.NeedsAttention {
		return
	}
	waits := a.Status == "pending" && slices.ContainsFunc(b.captures, func(e standin.Entry) bool { return e.Status == "pending" })
	if (a.Status == "created" || a.Status == "unknown" || a.Status == "pending") && !waits {
		t.r.find(stuck, t.o, "attempt %s is %s", a.ID, a.Status)
	}
	for _, p := range b.payments {
		switch {
		case p.Status == "requires_confirmation" && t.v.is("open") && !a.Abandoned && a.Failure == nil:
			t.r.find(stuck, t.o, "attempt %s was approved, and nobody takes it", a.ID)
		case p.Status == "requires_capture" && a.Status != "requires_capture":
			t.r.find(stuck, t.o, "attempt %s holds money at the provider and is %s", a.ID, a.Status)
		case p.Status == "canceled" && a.Status != "canceled" && a.Status != "failed":
			t.r.find(stuck, t.o, "attempt %s is canceled at the provider and %s at the hub", a.ID, a.Status)
		}
	}
}

// asked compares what went back with what was asked for, each key once.
func (t *trial) asked(back []int64) {
	wanted := slices.Concat(t.o.back, t.o.pressed)
	rest := 0
	var sum int64
	for _, amount := range back {
		sum += amount
		if i := slices.Index(wanted, amount); i >= 0 {
			wanted = slices.Delete(wanted, i, i+1)
		} else {
			rest++
		}
	}
	for _, w := range wanted {
		if w == 0 {
			rest--
		}
	}
	if rest > 0 {
		t.r.find(doubled, t.o, "%d refunds went back that nobody asked for: %v, asked %v, by the dashboard %v", rest, back, t.o.back, t.o.pressed)
	}
	if sum > t.v.Captured {
		t.r.find(doubled, t.o, "%d went back of %d", sum, t.v.Captured)
	}
	for _, a := range t.o.asks {
		if a.verb != "refund" || a.id == "" {
			continue
		}
		i := slices.IndexFunc(t.v.Refunds, func(x refund) bool { return x.ID == a.id })
		switch {
		case i < 0 && t.o.c.lost(a): // what the provider has of it is compared by itself
		case i < 0:
			t.r.find(lost, t.o, "the app was told of the refund %s, which is not there", a.id)
		case (t.v.Refunds[i].Status == "pending" || t.v.Refunds[i].Status == "unknown") && !t.v.NeedsAttention:
			t.r.find(stuck, t.o, "the refund %s is %s", a.id, t.v.Refunds[i].Status)
		}
	}
}

// ours is what the books call a dispute's end.
var ours = map[string][]string{"needs_response": {"open"}, "under_review": {"open"}, "won": {"won", "closed"}, "lost": {"lost"}}

// totals compares the order's sums with its lines, and its disputes with the books.
func (t *trial) totals(books map[string]*theirs) {
	var captured, refunded, given, disputed int64
	known := map[string]bool{}
	for _, a := range t.v.Attempts {
		captured, refunded = captured+a.Captured, refunded+a.Refunded
	}
	for _, x := range t.v.Refunds {
		if x.Status == "succeeded" {
			given += x.Amount
		}
		if x.ProviderID != "" && known[x.ProviderID] {
			t.r.find(doubled, t.o, "the hub has the refund %s twice", x.ProviderID)
		}
		known[x.ProviderID] = true
	}
	if captured != t.v.Captured || refunded != t.v.Refunded || given != t.v.Refunded {
		t.r.find(unbalanced, t.o, "captured %d, of attempts %d; refunded %d, of attempts %d, of refunds %d", t.v.Captured, captured, t.v.Refunded, refunded, given)
	}
	var of []standin.Entry
	for _, a := range t.v.Attempts {
		if b := books[a.ID]; b != nil {
			of = append(of, b.disputes...)
			for _, e := range b.disputes {
				if e.Status != "won" {
					disputed += minor(e)
				}
			}
			for _, e := range b.refunds {
				delete(known, e.ID)
			}
		}
	}
	delete(known, "")
	for id := range known {
		t.r.find(unbalanced, t.o, "the hub has the refund %s, the provider does not", id)
	}
	switch {
	case len(of) > len(t.v.Disputes):
		t.r.find(lost, t.o, "%d disputes at the provider, %d at the hub", len(of), len(t.v.Disputes))
	case len(of) < len(t.v.Disputes) || disputed != t.v.Disputed:
		t.r.find(unbalanced, t.o, "%d disputes about %d at the provider, %d about %d at the hub", len(of), disputed, len(t.v.Disputes), t.v.Disputed)
	case len(of) == 1 && !slices.Contains(ours[of[0].Status], t.v.Disputes[0].Status):
		t.r.find(unbalanced, t.o, "a dispute is %s at the provider and %s at the hub", of[0].Status, t.v.Disputes[0].Status)
	}
}
