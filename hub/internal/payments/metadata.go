package payments

import (
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// signCheckout puts into a request what a hub that has forgotten the payment
// knows it again by.
func (s *Service) signCheckout(r *sdk.CheckoutRequest, o *ledger.Order, op *ledger.Operation) {
	r.AppID = o.AppID
	r.Reference = o.Reference
	r.KeyHash = s.DB.Secret().HashOf(o, op)
	r.Digest = s.DB.Secret().SignPayment(ledger.PaymentClaim{
		InstanceID: r.InstanceID, AppID: r.AppID, OrderID: r.OrderID, AttemptID: r.AttemptID,
		Reference: r.Reference, KeyHash: r.KeyHash, Flow: r.Flow, CaptureMode: r.CaptureMode, Amount: r.Amount,
	})
}

// signRefund does the same for a refund.
func (s *Service) signRefund(r *sdk.RefundRequest, o *ledger.Order, op *ledger.Operation) {
	r.KeyHash = s.DB.Secret().HashOf(o, op)
	r.Digest = s.DB.Secret().SignRefund(ledger.RefundClaim{
		InstanceID: r.InstanceID, AttemptID: r.AttemptID, RefundID: r.RefundID, KeyHash: r.KeyHash, Amount: r.Refund,
	})
}
