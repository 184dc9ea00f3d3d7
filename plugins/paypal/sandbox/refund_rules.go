package sandbox

import "fmt"

// RefundRules is what becomes of the refunds that a merchant makes.
type RefundRules struct {
	// Status is PENDING or FAILED; "" and COMPLETED are the same. A pending refund
	// waits for a button of the dashboard.
	Status string `json:"status"`
	// KeepFees has PayPal keep the whole fee of the capture. Otherwise it gives the
	// percentage of what is refunded back, and keeps the fixed part.
	KeepFees bool `json:"keep_fees"`
}

// refundNews is the event that tells of a refund in each status.
var refundNews = map[string]string{
	completed: "PAYMENT.CAPTURE.REFUNDED", pending: "PAYMENT.REFUND.PENDING", failed: "PAYMENT.REFUND.FAILED",
}

// Check refuses a status that no refund can have.
func (r RefundRules) Check() error {
	if refundNews[r.status()] == "" {
		return fmt.Errorf("a refund cannot become %q, only %s, %s or %s", r.Status, completed, pending, failed)
	}
	return nil
}

func (r RefundRules) status() string {
	if r.Status == "" {
		return completed
	}
	return r.Status
}

// feeBack is how much of a capture's fee the merchant gets back with a further
// refund. Rounding never makes it more than the percentage of all refunds.
func (s *Server) feeBack(c *capture, minor int64) int64 {
	if s.refunds.KeepFees {
		return 0
	}
	all := minor
	given := int64(0)
	for _, r := range c.refunds() {
		if !r.Reversal {
			all += r.Amount.Minor
			given += r.Fee.Minor
		}
	}
	return max(0, percentage(min(all, c.Amount.Minor))-given)
}

// complete fills in what a state file from before refunds had a status lacks.
func (r *refund) complete() {
	if r.Status == "" {
		r.Status, r.Fee, r.Updated = completed, r.Amount.of(0), r.Created
	}
}

// settleRefund ends a pending refund. A failed one leaves its money with the
// merchant: the capture is as if it had not been.
func (s *Server) settleRefund(r *refund, to string) *apiError {
	if r.Status != pending {
		return unprocessable("NOT_PENDING", "The refund is "+r.Status+".")
	}
	r.Status, r.Updated = to, s.now()
	s.state.useRefundInvoice(r)
	paid, e := find[*capture](s, r.Capture)
	if e != nil {
		return e
	}
	s.setRefunded(paid)
	s.emit(refundNews[to], r)
	if to == completed {
		s.dropDisputes(paid)
	}
	return nil
}
