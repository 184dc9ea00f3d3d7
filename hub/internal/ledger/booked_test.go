package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/superpayhub/superpay/sdk"
)

// balances sums up what the journal says each account holds, by currency.
func (r *record) balances() map[string]int64 {
	sums := map[string]int64{}
	for _, p := range r.Postings {
		sums[p.Account+" "+p.Currency] += p.Amount
	}
	for account, sum := range sums {
		if sum == 0 {
			delete(sums, account)
		}
	}
	return sums
}

func line(id string, gross, fee int64, currency string) sdk.Line {
	return sdk.Line{
		ID: id, Gross: sdk.Money{Amount: gross, Currency: currency, Exponent: 2}, Fee: sdk.Money{Amount: fee, Currency: currency, Exponent: 2},
		AvailableAt: t0.Add(48 * time.Hour),
	}
}

// TestBooked_InAnotherCurrency: dollars that the provider books in euros stand in
// the journal as they stand in the provider's balance: what it holds is euros, less
// its fees, and no dollars.
func TestBooked_InAnotherCurrency(t *testing.T) {
	r := recorded(t, sdk.CaptureAutomatic)
	p := captured("ch_1", 1000)
	read := func() {
		t.Helper()
		r.write(t, Apply(r.Order, r.env, read(r.Order, p)))
	}
	read()
	require.Equal(t, map[string]int64{"provider:stripe USD": 1000, "app:app_1 USD": -1000}, r.balances(), "not booked yet")

	p.Captures.Items[0].Lines = []sdk.Line{line("txn_1", 920, 57, "EUR")}
	read()
	require.Equal(t, map[string]int64{
		"provider:stripe EUR": 920 - 57, "fees:stripe EUR": 57, "fx:stripe USD": 1000, "fx:stripe EUR": -920, "app:app_1 USD": -1000,
	}, r.balances())
	require.True(t, r.Order.Captures[0].AvailableAt.Equal(t0.Add(48*time.Hour)))

	p.Refunds.Items = []sdk.Refund{{
		ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(400), Lines: []sdk.Line{line("txn_2", -372, -11, "EUR")},
	}}
	read()
	require.Equal(t, int64(920-57-372+11), r.balances()["provider:stripe EUR"])
	require.Zero(t, r.balances()["provider:stripe USD"])
	require.Equal(t, int64(57-11), r.balances()["fees:stripe EUR"], "some of the fee came back")

	// Lost after a refund: the provider takes all, and gives back what was refunded.
	lost := sdk.Dispute{ID: "dp_1", CaptureID: "ch_1", Status: sdk.DisputeOpen, Amount: usd(1000), FundsWithdrawn: true, Lines: []sdk.Line{line("txn_3", -925, 1500, "EUR")}}
	p.Disputes.Items = []sdk.Dispute{lost}
	read()
	require.Equal(t, int64(920-57-372+11-925-1500), r.balances()["provider:stripe EUR"])
	lost.Status, lost.Withdrawn, lost.Lines = sdk.DisputeLost, usd(600), append(lost.Lines, line("txn_4", 370, 0, "EUR"))
	p.Disputes.Items = []sdk.Dispute{lost}
	read()
	require.Equal(t, map[string]int64{
		"provider:stripe EUR": 920 - 57 - 372 + 11 - 925 - 1500 + 370, "fees:stripe EUR": 57 - 11 + 1500,
		"fx:stripe EUR": -(920 - 372 - 925 + 370),
	}, r.balances(), "the app owes nothing and is owed nothing")

	p.Captures.Items[0].Lines[0].Gross.Currency = "GBP"
	read()
	require.Equal(t, int64(57), r.balances()["fees:stripe EUR"]-1500+11, "lines in two currencies tell nothing")
}

// TestBooked_InItsOwnCurrency: then lines tell the fee and when the money is there,
// and nothing of the amount.
func TestBooked_InItsOwnCurrency(t *testing.T) {
	r := recorded(t, sdk.CaptureAutomatic)
	p := captured("ch_1", 1000)
	p.Captures.Items[0].Lines = []sdk.Line{line("txn_1", 1000, 59, "USD")}
	r.write(t, Apply(r.Order, r.env, callback(r.Order, p)))
	require.Equal(t, map[string]int64{"provider:stripe USD": 941, "fees:stripe USD": 59, "app:app_1 USD": -1000}, r.balances())
	again := Apply(r.Order, r.env, callback(r.Order, captured("ch_1", 1000)))
	require.True(t, again.Empty(), "news without lines take nothing back")

	p.Captures.Items[0].Lines = []sdk.Line{line("txn_1", 1000, 70, "USD")}
	change := Apply(r.Order, r.env, callback(r.Order, p))
	require.True(t, change.Order.Attempts[0].ReadWanted, "another fee than is known needs a read")
	require.Empty(t, change.Postings)
}

// TestBooked_AnyHistory: whatever movements are booked in whatever order, as what,
// the provider's account holds per currency what its lines sum up to, and what was
// not booked.
func TestBooked_AnyHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := recorded(rt, sdk.CaptureAutomatic)
		p := captured("ch_1", 1000)
		lines := func(gross int64) []sdk.Line {
			currency := rapid.SampledFrom([]string{"", "USD", "EUR", "JPY"}).Draw(rt, "currency")
			if currency == "" {
				return nil
			}
			return []sdk.Line{line("txn_1", gross*9/10, rapid.Int64Range(-30, 60).Draw(rt, "fee"), currency)}
		}
		for range rapid.IntRange(1, 12).Draw(rt, "reads") {
			switch rapid.IntRange(0, 2).Draw(rt, "what") {
			case 0:
				p.Captures.Items[0].Lines = lines(1000)
			case 1:
				p.Refunds.Items = []sdk.Refund{{
					ID: "re_1", Amount: usd(250), Lines: lines(-250),
					Status: rapid.SampledFrom(movementStatuses).Draw(rt, "status"),
				}}
			case 2:
				withdrawn := rapid.Bool().Draw(rt, "withdrawn")
				p.Disputes.Items = []sdk.Dispute{{
					ID: "dp_1", Amount: usd(1000), FundsWithdrawn: withdrawn, Lines: lines(-1000),
					Status: rapid.SampledFrom([]sdk.DisputeStatus{sdk.DisputeOpen, sdk.DisputeWon, sdk.DisputeLost}).Draw(rt, "dispute"),
				}}
			}
			if rapid.Bool().Draw(rt, "fresh") {
				r.write(rt, Apply(r.Order, r.env, read(r.Order, p)))
			} else {
				r.write(rt, Apply(r.Order, r.env, callback(r.Order, p)))
			}
		}
		want := map[string]int64{}
		add := func(effect int64, b Booked) {
			want["USD"] += effect
			if gross := b.converted("USD"); gross.Currency != "" {
				want["USD"] -= effect
				want[gross.Currency] += gross.Amount
			}
			want[b.FeeCurrency] -= b.Fee
		}
		for _, c := range r.Order.Captures {
			add(c.Amount, c.Booked)
		}
		for _, x := range r.Order.Refunds {
			if x.Status == sdk.MovementSucceeded {
				add(-x.Amount, x.Booked)
			}
		}
		for _, x := range r.Order.Disputes {
			add(-x.Gone(), x.Booked)
		}
		sums := r.balances()
		for currency, sum := range want {
			require.Equal(rt, sum, sums["provider:stripe "+currency], currency)
		}
	})
}
