package payments

import (
	"context"
	"errors"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
	"github.com/superpayhub/superpay/sdk"
)

// paymentClaim is what a payment's metadata say, and whether this hub wrote them
// for that amount and one of the flows of the provider.
func (s *Service) paymentClaim(provider string, payment *sdk.Payment) (ledger.PaymentClaim, bool) {
	p, ok := s.Providers.Get(provider)
	if !ok {
		return ledger.PaymentClaim{}, false
	}
	return s.DB.Secret().PaymentClaim(payment, p.Description().Flows)
}

// adopt puts a payment on record again that this hub made and that its database
// has lost. It reports false, and does nothing, where the metadata do not prove
// that, or the payment fits nowhere: it is for a person to look at. Adopting one
// that is on record changes nothing.
func (s *Service) adopt(ctx context.Context, p *providers.Provider, payment *sdk.Payment) (bool, error) {
	if _, ours := s.given(ledger.AttemptID, payment.AttemptID, payment.InstanceID); !ours {
		return false, nil
	}
	x := ledger.Adoption{Provider: p.Name(), Plugin: p.Description().Name, Payment: payment, TTL: s.OrderTTL}
	for range maxTries {
		o, claim, err := s.orderOfLost(ctx, p, payment)
		if o == nil && err == nil && claim.AttemptID == "" {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		x.Claim = claim
		flow, _ := p.Description().Flow(claim.Flow)
		x.Browser = flow.Can(sdk.CreatedByBrowser)
		adopted, err := s.adoptInto(ctx, o, x)
		switch {
		case err == nil && adopted:
			s.Logger.WarnContext(ctx, "a payment that the database had lost is on record again", "provider", p.Name(), "order", claim.OrderID,
				"attempt", claim.AttemptID, "status", payment.Status)
			return true, s.DB.AdoptUnmatched(ctx, p.Name(), claim.AttemptID, "adopted", s.now())
		case errors.Is(err, postgres.ErrHashUsed):
			x.HashTaken = true
		case err != nil && !errors.Is(err, postgres.ErrStale) && !errors.Is(err, postgres.ErrReferenceUsed):
			return false, err
		}
	}
	return false, errors.New("the order of lost payment " + payment.AttemptID + " is being changed by others")
}

// orderOfLost returns what the metadata of a lost payment prove, and the order
// that it goes to: its own, or the one that took its reference meanwhile; nil if
// there is neither. The claim is empty if nothing is proven, its app is gone, or
// the order has no room.
func (s *Service) orderOfLost(ctx context.Context, p *providers.Provider, payment *sdk.Payment) (*ledger.Order, ledger.PaymentClaim, error) {
	none := ledger.PaymentClaim{}
	o, err := s.DB.Order(ctx, "", payment.OrderID)
	if err != nil && !errors.Is(err, postgres.ErrNotFound) {
		return nil, none, err
	}
	said := *payment
	if said.Reference == "" && o != nil {
		said.Reference = o.Reference // the provider had no room for it; the digest decides
	}
	claim, proven := s.paymentClaim(p.Name(), &said)
	if !proven || o != nil && o.AppID != claim.AppID {
		return nil, none, nil
	}
	if _, err := s.DB.AppByID(ctx, claim.AppID); err != nil {
		if errors.Is(err, postgres.ErrNotFound) {
			err = nil
		}
		return nil, none, err
	}
	if o == nil {
		o, err = s.DB.OrderOfReference(ctx, claim.AppID, claim.Reference)
		if err != nil && !errors.Is(err, postgres.ErrNotFound) {
			return nil, none, err
		}
	}
	if o != nil && len(o.Attempts) >= ledger.MaxAttempts {
		return nil, none, nil
	}
	return o, claim, nil
}

// adoptInto records the adoption, and reports whether the order was as it was read.
// Where the app has repeated its request, and the repeat is not answered yet, the
// payment is what it asked for.
func (s *Service) adoptInto(ctx context.Context, o *ledger.Order, x ledger.Adoption) (bool, error) {
	// Apps were told of later versions than an order that is made anew has.
	if made := ledger.MadeAt(x.Claim.AttemptID); s.DB.VersionFloor() < made.UnixMilli() {
		if err := s.DB.RaiseVersions(ctx, made, s.now()); err != nil {
			return false, err
		}
	}
	if o != nil && o.Attempt(x.Claim.AttemptID) != nil {
		return true, nil
	}
	if op := s.askedAgain(o, x.Claim); op != nil {
		after, err := s.apply(ctx, o, nil, ledger.News{
			AttemptID: *op.AttemptID, Source: ledger.FromRead, Payment: x.Payment, Lost: &x.Claim, Hint: true,
			Operation: &ledger.Result{ID: op.ID, Arrived: true},
		})
		return err == nil && after.Attempt(x.Claim.AttemptID) != nil, err // the repeat may have been answered meanwhile
	}
	return s.commit(ctx, ledger.Adopt(o, x, s.env()))
}

// askedAgain returns the open operation by which the app asks for a lost payment
// once more, under the same key; nil if there is none.
func (s *Service) askedAgain(o *ledger.Order, claim ledger.PaymentClaim) *ledger.Operation {
	if o == nil || claim.KeyHash == "" {
		return nil
	}
	for _, op := range o.Operations {
		if op.Kind == sdk.OpCreate && op.Open() && op.AttemptID != nil && s.DB.Secret().HashOf(o, op) == claim.KeyHash {
			return op
		}
	}
	return nil
}
