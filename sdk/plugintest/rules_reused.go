package plugintest

import (
	"slices"

	"github.com/superpayhub/superpay/sdk"
)

// keyReused sends a key again, with another request. A provider refuses that, or it
// answers as it did the first time.
func keyReused(s *sheet) {
	ctx, cancel := s.within(patience)
	defer cancel()
	if createsItself(s.paper, s.flow) && s.repeats(sdk.OpCreate) {
		first := s.attempt(s.paper.Success).create()
		second := s.attempt(s.paper.Success, func(r *sdk.CheckoutRequest) {
			r.Key = first.request.Key
			r.Amount.Amount += 100
		})
		p, err := s.client.CreateCheckout(ctx, second.request)
		if s.answersReused(sdk.OpCreate, err) {
			first.isTold("CreateCheckout", p)
			if len(p.Refs) == 0 || p.Refs[0] != first.payment.Refs[0] || !p.Amount.Equal(first.request.Amount) {
				s.Errorf("the key had made %v of %s, and asked again, for %s, CreateCheckout answers %v of %s", first.payment.Refs, first.request.Amount, second.request.Amount, p.Refs, p.Amount)
			}
		}
	}
	if !s.flow.Can(sdk.CanRefundPart) || !s.repeats(sdk.OpRefund) {
		return
	}
	a := s.paid()
	if a.request.CaptureMode == sdk.CaptureManual {
		a.take(a.request.Amount)
	}
	asked := a.refund(s.part(a.request.Amount))
	made, err := s.client.Refund(ctx, asked)
	s.must("Refund", err)
	other := asked
	other.RefundID, other.Refund.Amount = s.id("ref"), asked.Refund.Amount+100
	re, err := s.client.Refund(ctx, other)
	if s.answersReused(sdk.OpRefund, err) && (re.ID != made.ID || !re.Amount.Equal(asked.Refund) || !slices.Contains([]string{"", asked.RefundID}, re.RefundID)) {
		s.Errorf("the key had made the refund %+v, and asked again, for %s of %s, Refund answers %+v", *made, other.Refund, other.RefundID, *re)
	}
}

// answersReused reports whether the provider answered as the first time. No refusal
// says that nothing happened: something did, under this key.
func (s *sheet) answersReused(kind sdk.OperationKind, err error) bool {
	s.Helper()
	switch got := class(err); got {
	case "an answer":
		return true
	case "Mismatch", unknown:
	default:
		s.Errorf("%s: the key is sent with another request, and it is %s (%v), want Mismatch or the first answer", kind, got, err)
	}
	return false
}

// isTold demands that an answer about this payment holds its own names, whatever the
// question was, or none.
func (a *attempt) isTold(what string, p *sdk.Payment) {
	a.Helper()
	for name, pair := range map[string][2]string{
		"AttemptID": {p.AttemptID, a.request.AttemptID}, "InstanceID": {p.InstanceID, a.request.InstanceID},
	} {
		if pair[0] != pair[1] && (pair[0] != "" || a.paper.NoSearch == "" && createsItself(a.paper, a.flow)) {
			a.Errorf("%s: the provider keeps the %s %q, and the plugin says %q", what, name, pair[1], pair[0])
		}
	}
}

// tellsWhose: whose a payment is says the provider, not the question.
func tellsWhose(s *sheet) {
	ctx, cancel := s.within(patience)
	defer cancel()
	n := s.mail.count()
	theirs := s.paid(func(r *sdk.CheckoutRequest) { r.InstanceID = otherInstance })
	if theirs.request.CaptureMode == sdk.CaptureManual {
		theirs.take(theirs.request.Amount)
	}
	theirs.isTold("GetPayment of another hub's payment", theirs.read())
	asked := theirs.named()
	asked.AttemptID = s.id("att")
	if p, err := s.client.GetPayment(ctx, asked); err == nil {
		theirs.isTold("GetPayment for another attempt", p)
	} else if class(err) != "ErrNotFound" {
		s.Errorf("GetPayment by the refs of another hub's payment is %s: %v", class(err), err)
	}
	for _, c := range s.quiet(n) {
		if s.lack(s.name).callbacks {
			break
		}
		res := s.judge(c)
		for _, f := range res.Facts {
			named := slices.ContainsFunc(f.Payment.Refs, func(r sdk.Ref) bool { return slices.Contains(theirs.payment.Refs, r) })
			if named && f.Payment.InstanceID == instance {
				s.Errorf("event %s is of another hub's payment, and its fact says that it is of this one: %+v", res.Type, f.Payment)
			}
		}
	}
	if !s.flow.Can(sdk.CanRefund) {
		return
	}
	refund := theirs.refund(s.part(theirs.request.Amount))
	refund.InstanceID = theirs.request.InstanceID
	made, err := s.client.Refund(ctx, refund)
	s.must("Refund of another hub", err)
	re, err := s.client.GetRefund(ctx, sdk.GetRefundRequest{PaymentRequest: theirs.named(), ProviderID: made.ID, RefundID: s.id("ref"), CaptureID: refund.CaptureID})
	s.must("GetRefund of another hub's", err)
	if re.InstanceID == instance || re.RefundID != "" && re.RefundID != refund.RefundID {
		s.Errorf("GetRefund of %s, which another hub made, says that it is %q of hub %q", refund.RefundID, re.RefundID, re.InstanceID)
	}
}
