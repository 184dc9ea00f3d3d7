package payments

import (
	"context"
	"encoding/json"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

// Erase forgets the payer of an order that is settled, and touches no money:
// on the order, in the inbox, and in the notifications that were sent of it.
// Repeating it is harmless, and finishes what was broken off.
func (s *Service) Erase(ctx context.Context, orderID, who, why string) (*ledger.Order, postgres.Forgotten, error) {
	if err := checkText("why", why, 500, false); err != nil {
		return nil, postgres.Forgotten{}, err
	}
	for range maxTries {
		o, err := s.DB.Order(ctx, "", orderID)
		if err != nil {
			return nil, postgres.Forgotten{}, NotFound(err, "order")
		}
		change, err := o.Erase(who, why, forget, s.env())
		if err != nil {
			return nil, postgres.Forgotten{}, err
		}
		if !change.Empty() {
			written, err := s.commit(ctx, change)
			if err != nil {
				return nil, postgres.Forgotten{}, err
			}
			if !written {
				continue
			}
		}
		// The notice of the change tells what there is to tell now; those before
		// it still name the payer.
		forgotten, err := s.DB.Forget(ctx, orderID)
		return change.Order, forgotten, err
	}
	return nil, postgres.Forgotten{}, errStale
}

// forget takes the payer out of a request that never left. It may still be
// sent, as if it had been asked for so.
func forget(kind sdk.OperationKind, request []byte) []byte {
	switch kind {
	case sdk.OpCreate:
		var r sdk.CheckoutRequest
		if json.Unmarshal(request, &r) == nil {
			r.Customer, r.Description, r.LineItems, r.Metadata = sdk.Customer{}, "", nil, nil
			return encode(r)
		}
	case sdk.OpConfirm:
		var r sdk.ConfirmRequest
		if json.Unmarshal(request, &r) == nil {
			r.Return = nil
			return encode(r)
		}
	case sdk.OpRefund:
		var r sdk.RefundRequest
		if json.Unmarshal(request, &r) == nil {
			r.Reason = ""
			return encode(r)
		}
	}
	return request
}
