package providers

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

func usd(n int64) sdk.Money { return sdk.Money{Amount: n, Currency: "USD", Exponent: 2} }

func taken(items ...sdk.Capture) *sdk.Payment {
	return &sdk.Payment{Status: sdk.Succeeded, Captures: sdk.Captures{Complete: true, Items: items}}
}

func one(m sdk.Money) sdk.Capture {
	return sdk.Capture{ID: "ch_1", Status: sdk.MovementSucceeded, Amount: m}
}

// TestCheck_WhatCannotBe: each of these contradicts arithmetic or the contract.
func TestCheck_WhatCannotBe(t *testing.T) {
	refunded := taken(one(usd(1000)))
	refunded.Refunds.Items = []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: sdk.Money{Amount: 5, Currency: "EUR", Exponent: 2}}}
	disputed := taken(one(usd(1000)))
	disputed.Disputes.Items = []sdk.Dispute{{ID: "dp_1", FundsWithdrawn: true, Amount: usd(0)}}
	large := usd(math.MaxInt64 / 100)
	many := taken()
	for i := range 101 {
		many.Captures.Items = append(many.Captures.Items, sdk.Capture{ID: string(rune('A' + i)), Status: sdk.MovementSucceeded, Amount: large})
	}
	two := one(usd(1000))
	two.Amount.Amount = 900
	for name, answer := range map[string]any{
		"negative refund":                 &sdk.Refund{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(-4000)},
		"refund of nothing":               &sdk.Refund{ID: "re_1", Status: sdk.MovementPending, Amount: usd(0)},
		"refund without a currency":       &sdk.Refund{ID: "re_1", Status: sdk.MovementSucceeded, Amount: sdk.Money{Amount: 5, Exponent: 2}},
		"negative capture":                taken(one(usd(-500))),
		"capture of nothing":              taken(one(sdk.Money{})),
		"too many decimals":               taken(one(sdk.Money{Amount: 1, Currency: "USD", Exponent: 7})),
		"negative decimals":               taken(one(sdk.Money{Amount: 1, Currency: "USD", Exponent: -1})),
		"more decimals than the currency": taken(one(sdk.Money{Amount: 1005, Currency: "USD", Exponent: 3})),
		"no code":                         taken(one(sdk.Money{Amount: 1, Currency: "usd", Exponent: 2})),
		"beyond counting":                 taken(one(usd(math.MaxInt64))),
		"sum beyond counting":             many,
		"one id, two amounts":             taken(one(usd(1000)), two),
		"refund of what was not captured": refunded,
		"withdrawn nothing":               disputed,
		"negative amount":                 &sdk.Payment{Amount: usd(-1)},
		"negative authorisation":          &sdk.Payment{Authorized: usd(-1)},
		"fee in no currency":              taken(sdk.Capture{ID: "ch_1", Status: sdk.MovementSucceeded, Amount: usd(1), Fee: sdk.Money{Amount: 1}}),
		"a callback's fact":               &sdk.CallbackResult{Facts: []sdk.Fact{{}, {Payment: *taken(one(usd(-1)))}}},
	} {
		t.Run(name, func(t *testing.T) { require.NotNil(t, check(answer)) })
	}
}

// TestCheck_WhatIsOnlyOdd: what does not fit what was asked is for the ledger.
func TestCheck_WhatIsOnlyOdd(t *testing.T) {
	for name, answer := range map[string]any{
		"another currency":           taken(one(sdk.Money{Amount: 1, Currency: "EUR", Exponent: 2})),
		"a currency we do not know":  taken(one(sdk.Money{Amount: 1, Currency: "QQQ", Exponent: 4})),
		"fewer decimals":             taken(one(sdk.Money{Amount: 1, Currency: "USD", Exponent: 0})),
		"a large amount":             taken(one(usd(9007199254740993))),
		"a refund that failed":       &sdk.Refund{ID: "re_1", Status: sdk.MovementFailed},
		"nothing said":               &sdk.Payment{},
		"a question without amount":  &sdk.Payment{Disputes: sdk.Disputes{Items: []sdk.Dispute{{ID: "dp_1", Status: sdk.DisputeInquiry}}}},
		"a rebate":                   taken(sdk.Capture{ID: "ch_1", Status: sdk.MovementSucceeded, Amount: usd(1), Fee: usd(-1)}),
		"a refund before its charge": &sdk.Payment{Refunds: sdk.Refunds{Items: []sdk.Refund{{ID: "re_1", Status: sdk.MovementSucceeded, Amount: usd(5)}}}},
	} {
		t.Run(name, func(t *testing.T) { require.Nil(t, check(answer)) })
	}
}

// TestCheck_AListKeepsTheRest: one payment that cannot be read does not hide the
// others.
func TestCheck_AListKeepsTheRest(t *testing.T) {
	page := &sdk.ListPage{Payments: []sdk.Payment{*taken(one(usd(1))), *taken(one(usd(-1))), *taken(one(usd(3)))}}
	found := check(page)
	require.NotNil(t, found)
	require.Len(t, found.Payments, 1)
	require.Equal(t, []sdk.Payment{*taken(one(usd(1))), *taken(one(usd(3)))}, page.Payments)
}
