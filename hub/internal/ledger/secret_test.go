package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/sdk"
)

// TestSecret_DerivesOneKeyForEachRequest: everything that tells two requests of
// apps apart tells their keys apart, and nothing else does.
func TestSecret_DerivesOneKeyForEachRequest(t *testing.T) {
	s := NewSecret([]byte("a secret of the hub"))
	key := s.ProviderKey("app_1", sdk.OpRefund, "key")
	require.Equal(t, key, s.ProviderKey("app_1", sdk.OpRefund, "key"))
	require.Regexp(t, `^[0-9a-f]{32}$`, key)
	others := []string{
		s.ProviderKey("app_2", sdk.OpRefund, "key"), s.ProviderKey("app_1", sdk.OpCapture, "key"),
		s.ProviderKey("app_1", sdk.OpRefund, "key2"), s.ProviderKey("app_", sdk.OpRefund, "1key"),
		s.ProviderKey("app_1r", "efund", "key"), NewSecret([]byte("another")).ProviderKey("app_1", sdk.OpRefund, "key"),
		s.KeyHash("app_1", "key"),
	}
	for i, other := range others {
		require.NotEqual(t, key, other, i)
	}
}

// TestOperation_PartKey: each part of an operation has a key of its own, by what
// it acts on, also where the operation is known by its id.
func TestOperation_PartKey(t *testing.T) {
	key := NewSecret([]byte("a secret of the hub")).ProviderKey("app_1", sdk.OpRefund, "key")
	op := &Operation{ID: "op_1", DerivedKey: &key}
	own := &Operation{ID: "op_1"}
	require.Regexp(t, `^[0-9a-f]{32}$`, op.PartKey("ch_1"))
	require.Equal(t, op.PartKey("ch_1"), op.PartKey("ch_1"))
	require.NotEqual(t, op.PartKey("ch_1"), op.PartKey("ch_2"))
	require.NotEqual(t, op.PartKey("ch_1"), op.ProviderKey())
	require.NotEqual(t, op.PartKey("ch_1"), own.PartKey("ch_1"))
}

// TestSecret_ProvesWhatTheHubWrote: a digest fits what it was made of, in
// whatever units a provider tells it, and nothing else.
func TestSecret_ProvesWhatTheHubWrote(t *testing.T) {
	now := time.Now()
	s := NewSecret([]byte("a secret of the hub"))
	c := PaymentClaim{
		InstanceID: "hub", AppID: "app_1", OrderID: NewID(OrderID, now), AttemptID: NewID(AttemptID, now), Reference: "INV-1",
		KeyHash: s.KeyHash("app_1", "key"), Flow: "browser", CaptureMode: sdk.CaptureManual, Amount: sdk.Money{Amount: 500, Currency: "ISK", Exponent: 0},
	}
	flows := []sdk.Flow{
		{Name: "server", CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual}},
		{Name: "browser", CaptureModes: []sdk.CaptureMode{sdk.CaptureAutomatic, sdk.CaptureManual}},
	}
	p := &sdk.Payment{Amount: sdk.Money{Amount: 50000, Currency: "ISK", Exponent: 2}, InstanceID: "hub", Digest: s.SignPayment(c)}
	p.OrderID, p.AttemptID, p.AppID, p.Reference, p.KeyHash = c.OrderID, c.AttemptID, c.AppID, c.Reference, c.KeyHash
	proven, ok := s.PaymentClaim(p, flows)
	require.True(t, ok)
	require.Equal(t, "browser", proven.Flow)
	require.Equal(t, sdk.CaptureManual, proven.CaptureMode)
	_, ok = s.PaymentClaim(p, flows[:1])
	require.False(t, ok, "of another flow, whose checks are others")
	for name, change := range map[string]func(*sdk.Payment){
		"amount": func(p *sdk.Payment) { p.Amount.Amount += 100 }, "currency": func(p *sdk.Payment) { p.Amount.Currency = "USD" },
		"attempt": func(p *sdk.Payment) { p.AttemptID = NewID(AttemptID, now) }, "order": func(p *sdk.Payment) { p.OrderID = NewID(OrderID, now) },
		"app": func(p *sdk.Payment) { p.AppID = "app_2" }, "reference": func(p *sdk.Payment) { p.Reference = "INV-2" },
		"key": func(p *sdk.Payment) { p.KeyHash = "" }, "hub": func(p *sdk.Payment) { p.InstanceID = "hub2" },
		"digest": func(p *sdk.Payment) { p.Digest = p.Digest[:31] + "x" }, "no digest": func(p *sdk.Payment) { p.Digest = "" },
		"no currency": func(p *sdk.Payment) { p.Amount, p.Digest = sdk.Money{}, "" },
	} {
		forged := *p
		change(&forged)
		_, ok := s.PaymentClaim(&forged, flows)
		require.False(t, ok, name)
	}
	_, ok = NewSecret([]byte("another")).PaymentClaim(p, flows)
	require.False(t, ok)
	_, ok = Secret{}.PaymentClaim(p, flows)
	require.False(t, ok)

	r := RefundClaim{InstanceID: "hub", AttemptID: c.AttemptID, RefundID: NewID(RefundID, now), KeyHash: "4b", Amount: c.Amount}
	said := sdk.Refund{InstanceID: "hub", RefundID: r.RefundID, KeyHash: "4b", Amount: c.Amount, Digest: s.SignRefund(r)}
	_, ok = s.RefundClaim(c.AttemptID, said)
	require.True(t, ok)
	_, ok = s.RefundClaim(NewID(AttemptID, now), said)
	require.False(t, ok, "of another payment")
	said.Amount.Amount--
	_, ok = s.RefundClaim(c.AttemptID, said)
	require.False(t, ok, "of another amount")
}
