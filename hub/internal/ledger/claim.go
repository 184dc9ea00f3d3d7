package ledger

import (
	"crypto/subtle"
	"strconv"

	"github.com/superpayhub/superpay/sdk"
)

// PaymentClaim is what the hub wrote into a provider's metadata when it asked
// for a payment. Whoever has all of it may have copied it, into another payment
// too; so the amount is part of it.
type PaymentClaim struct {
	InstanceID, AppID, OrderID, AttemptID string
	Reference                             string
	KeyHash                               string // empty where no app asked
	Flow                                  string
	CaptureMode                           sdk.CaptureMode
	Amount                                sdk.Money
}

// RefundClaim is what the hub wrote into a refund's metadata.
type RefundClaim struct {
	InstanceID, AttemptID, RefundID string
	KeyHash                         string // empty where no app asked
	Amount                          sdk.Money
}

// SignPayment returns the digest of a claim. It is empty where the amount cannot
// be written in the currency's own units.
func (s Secret) SignPayment(c PaymentClaim) string {
	amount, ok := signedAmount(c.Amount)
	if !ok {
		return ""
	}
	return s.derive("payment", c.InstanceID, c.AppID, c.OrderID, c.AttemptID, c.Reference, c.KeyHash, c.Flow, string(c.CaptureMode), amount, c.Amount.Currency)
}

// SignRefund returns the digest of a refund's claim, as SignPayment does.
func (s Secret) SignRefund(c RefundClaim) string {
	amount, ok := signedAmount(c.Amount)
	if !ok {
		return ""
	}
	return s.derive("refund", c.InstanceID, c.AttemptID, c.RefundID, c.KeyHash, amount, c.Amount.Currency)
}

// PaymentClaim returns what a provider says that the hub wrote into a payment's
// metadata, and whether the hub did write it, for this very amount. The digest
// covers the flow and the capture mode as well. The metadata do not hold these, for
// not every provider has room: PaymentClaim tries each of flows, and returns the one
// for which the digest is right.
func (s Secret) PaymentClaim(p *sdk.Payment, flows []sdk.Flow) (PaymentClaim, bool) {
	c := PaymentClaim{
		InstanceID: p.InstanceID, AppID: p.AppID, OrderID: p.OrderID, AttemptID: p.AttemptID,
		Reference: p.Reference, KeyHash: p.KeyHash, Amount: p.Amount,
	}
	if p.Digest == "" || !ValidID(AttemptID, c.AttemptID) || !ValidID(OrderID, c.OrderID) {
		return c, false
	}
	for _, f := range flows {
		for _, mode := range f.CaptureModes {
			c.Flow, c.CaptureMode = f.Name, mode
			if same(s.SignPayment(c), p.Digest) {
				return c, true
			}
		}
	}
	return c, false
}

// RefundClaim is PaymentClaim for a refund of an attempt.
func (s Secret) RefundClaim(attemptID string, r sdk.Refund) (RefundClaim, bool) {
	c := RefundClaim{InstanceID: r.InstanceID, AttemptID: attemptID, RefundID: r.RefundID, KeyHash: r.KeyHash, Amount: r.Amount}
	return c, ValidID(RefundID, c.RefundID) && same(s.SignRefund(c), r.Digest)
}

// same compares digests in constant time. An empty one equals nothing.
func same(want, got string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1
}

// signedAmount writes an amount in the units of ISO 4217: providers may answer
// in units of their own.
func signedAmount(m sdk.Money) (string, bool) {
	exponent, ok := sdk.Exponent(m.Currency)
	if !ok {
		return "", false
	}
	own, err := m.Rescale(exponent)
	if err != nil {
		return "", false
	}
	return strconv.FormatInt(own.Amount, 10), true
}
