package payments_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestProof_OfACarelessPlugin: what a plugin proves in vain is not believed. Its
// provider holds an unpaid payment, and somebody says by one request that it is paid.
func TestProof_OfACarelessPlugin(t *testing.T) {
	t.Parallel()
	body := func(_ context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
		var result sdk.CallbackResult
		return &result, json.Unmarshal(r.Body, &result)
	}
	for name, careless := range map[string]func(forged *sdk.CallbackResult) func(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error){
		"checks no signature": func(*sdk.CallbackResult) func(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			return body
		},
		"checks one if it is there": func(forged *sdk.CallbackResult) func(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			return func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
				if len(r.Headers) > 0 {
					return &sdk.CallbackResult{Verdict: sdk.Forged}, nil
				}
				return body(ctx, r)
			}
		},
		"believes the query": func(forged *sdk.CallbackResult) func(context.Context, sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			return func(_ context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
				if strings.Contains(r.Query, "status=paid") {
					return forged, nil
				}
				return &sdk.CallbackResult{Verdict: sdk.Genuine}, nil
			}
		},
	} {
		for _, proof := range []sdk.Proof{sdk.ProofSignedBody, sdk.ProofSecretAddress, sdk.ProofNone, ""} {
			e := paytest.New(t, paytest.Options{Provider: paytest.NewProvider().Change(func(d *sdk.Description) { d.Proof = proof })})
			o := e.Checkout(paytest.FlowPage)
			paid := *e.Provider.Honest.Payment(o.Attempts[0].ID)
			paid.Status = sdk.Succeeded
			paid.Captures = sdk.Captures{Complete: true, Items: []sdk.Capture{{ID: "cap-forged", Status: sdk.MovementSucceeded, Amount: o.Money(o.Amount), At: e.Clock.Now()}}}
			forged := e.Fact("evt-forged", o.Attempts[0].ID, true, paid)
			e.Provider.Script(func(s *paytest.Script) { s.HandleCallback = careless(&forged) })
			raw, err := json.Marshal(forged)
			require.NoError(t, err)
			for range 2 {
				_, _, err = e.Service.Callback(t.Context(), paytest.Name, sdk.CallbackRequest{Method: "POST", Path: "/callback/scripted", Query: "status=paid", Body: raw})
				require.NoError(t, err)
				e.Due()
				require.Equal(t, ledger.OrderOpen, e.Order(o.ID).Status, "%s, proof %q", name, proof)
			}
			require.Empty(t, e.Order(o.ID).Captures)
			require.NotEmpty(t, e.Provider.Calls("GetPayment"), "it is read")
			p, _ := e.Registry.Get(paytest.Name)
			doubt := p.State().Doubt
			require.Equal(t, proof == sdk.ProofSignedBody, doubt != "", doubt)
		}
	}
}

// TestProof_WhatHeldIsDoubted: a plugin believes signed callbacks, and a parameter. It
// was believed until somebody came with that.
func TestProof_WhatHeldIsDoubted(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	first, second := e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowPage)
	e.Told(e.Provider.Honest.Pay(first.Attempts[0].ID))
	require.Equal(t, ledger.OrderPaid, e.Order(first.ID).Status)
	require.Empty(t, e.Provider.Calls("GetPayment"), "what is proven is not read")

	more := *e.Provider.Honest.Payment(second.Attempts[0].ID)
	more.Status = sdk.Succeeded
	more.Captures = sdk.Captures{Complete: true, Items: []sdk.Capture{{ID: "cap-forged", Status: sdk.MovementSucceeded, Amount: second.Money(second.Amount)}}}
	forged := e.Fact("evt-forged", second.Attempts[0].ID, true, more)
	e.Provider.Script(func(s *paytest.Script) {
		s.HandleCallback = func(ctx context.Context, r sdk.CallbackRequest) (*sdk.CallbackResult, error) {
			if strings.Contains(r.Query, "status=paid") {
				return &forged, nil
			}
			return e.Provider.Signed(ctx, r)
		}
	})
	_, _, err := e.Service.Callback(t.Context(), paytest.Name, sdk.CallbackRequest{Method: "POST", Path: "/callback/scripted", Query: "status=paid"})
	require.NoError(t, err)
	e.Told(&more)
	require.Equal(t, ledger.OrderOpen, e.Order(second.ID).Status)
	e.Due()
	require.Equal(t, ledger.OrderOpen, e.Order(second.ID).Status)
	require.NotEmpty(t, e.Provider.Calls("GetPayment"))
}

// TestProof_NoneIsPaidByARead: a provider that signs nothing and names an id has its
// payments read, each time it calls, and an order is paid by what is read.
func TestProof_NoneIsPaidByARead(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{Provider: paytest.NewProvider().Change(func(d *sdk.Description) { d.Proof = sdk.ProofNone })})
	o := e.Checkout(paytest.FlowPage)
	call := func(refs ...sdk.Ref) {
		_, err := e.Callback(sdk.CallbackResult{Verdict: sdk.Genuine, Facts: []sdk.Fact{{Payment: sdk.Payment{Refs: refs}}}})
		require.NoError(t, err)
	}
	call(sdk.Ref{Kind: "payment", Value: "of nobody"})
	e.Due()
	require.Empty(t, e.Provider.Calls("GetPayment"), "an id that nobody knows costs no call")
	e.Provider.Honest.Pay(o.Attempts[0].ID)
	for range 5 {
		call(o.Attempts[0].Refs[0])
	}
	e.Due()
	require.Equal(t, ledger.OrderPaid, e.Order(o.ID).Status)
	require.LessOrEqual(t, len(e.Provider.Calls("GetPayment")), 2, "five calls at once are one reason to read")
	for _, r := range e.Provider.Calls("GetPayment") {
		request, ok := r.Request.(sdk.PaymentRequest)
		require.True(t, ok)
		require.Zero(t, request.Amount, "a read is not told what was asked for")
	}
}

// TestProof_APluginThatAnswersWithWhatWasAsked: the payer paid less, and the plugin
// says that it is as asked. The read does not tell it what that was.
func TestProof_APluginThatAnswersWithWhatWasAsked(t *testing.T) {
	t.Parallel()
	e := paytest.New(t, paytest.Options{})
	o := e.Checkout(paytest.FlowPage)
	e.Provider.Script(func(s *paytest.Script) {
		s.GetPayment = func(ctx context.Context, r sdk.PaymentRequest) (*sdk.Payment, error) {
			p, err := e.Provider.Honest.GetPayment(ctx, r)
			if err == nil {
				p.Status, p.Amount = sdk.Succeeded, r.Amount
				p.Captures = sdk.Captures{Complete: true, Items: []sdk.Capture{{ID: "cap-1", Status: sdk.MovementSucceeded, Amount: r.Amount, At: e.Clock.Now()}}}
			}
			return p, err
		}
	})
	_ = e.Service.Sync(t.Context(), o.Attempts[0].ID)
	require.NotEqual(t, ledger.OrderPaid, e.Order(o.ID).Status)
	require.Zero(t, e.Order(o.ID).Captured)
}
