package payments

import (
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// keyHash is what providers' metadata tell of the app's key of an operation;
// empty where the hub itself asks.
func (s *Service) keyHash(op *ledger.Operation) string {
	switch {
	case op.KeyHash != nil:
		return *op.KeyHash
	case op.IdempotencyKey != nil:
		return s.DB.Secret().KeyHash(op.AppID, *op.IdempotencyKey)
	}
	return ""
}

// signCheckout puts into a request what a hub that has forgotten the payment
// knows it again by.
func (s *Service) signCheckout(r *sdk.CheckoutRequest, o *ledger.Order, op *ledger.Operation) {
	r.AppID = o.AppID
	r.Reference = o.Reference
	r.KeyHash = s.keyHash(op)
	r.Digest = s.DB.Secret().SignPayment(ledger.PaymentClaim{
		InstanceID: r.InstanceID, AppID: r.AppID, OrderID: r.OrderID, AttemptID: r.AttemptID,
		Reference: r.Reference, KeyHash: r.KeyHash, Flow: r.Flow, CaptureMode: r.CaptureMode, Amount: r.Amount,
	})
}

// signRefund does the same for a refund.
func (s *Service) signRefund(r *sdk.RefundRequest, op *ledger.Operation) {
	r.KeyHash = s.keyHash(op)
	r.Digest = s.DB.Secret().SignRefund(ledger.RefundClaim{
		InstanceID: r.InstanceID, AttemptID: r.AttemptID, RefundID: r.RefundID, KeyHash: r.KeyHash, Amount: r.Refund,
	})
}
