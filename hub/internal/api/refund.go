package api

import (
	"context"
	"time"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/sdk"
)

// RefundInput says how much to give back.
type RefundInput struct {
	Key
	OrderID
	Body struct {
		AttemptID          string `json:"attempt_id,omitempty" maxLength:"60" doc:"The attempt with money left if absent"`
		Amount             *int64 `json:"amount,omitempty" minimum:"1" maximum:"999999999999" doc:"All that is left if absent"`
		Currency           string `json:"currency,omitempty" minLength:"3" maxLength:"3" doc:"Of the amount. The order's if absent: money that was taken in another has to be named"`
		Reason             string `json:"reason,omitempty" maxLength:"500"`
		ExpectedRefundable *int64 `json:"expected_refundable,omitempty" minimum:"0" doc:"Refuse if that is not what is refundable by now, of the currency, over all attempts"`
	}
}

// RefundOutput answers with a refund.
type RefundOutput struct {
	Status int
	Body   Refund
}

func (s *server) refund(ctx context.Context, in *RefundInput) (*RefundOutput, error) {
	b := in.Body
	a, err := s.Payments.Refund(ctx, caller(ctx, in.IdempotencyKey), in.ID, payments.RefundInput{
		AttemptID: b.AttemptID, Amount: amountOf(b.Amount), Currency: b.Currency, Reason: b.Reason, ExpectedRefundable: b.ExpectedRefundable,
	})
	if err != nil {
		return nil, err
	}
	status, err := outcome(a, 201)
	if err != nil {
		return nil, err
	}
	r := a.Order.RequestOf(a.Refund)
	if len(r.Parts) > 1 && (r.Status == sdk.MovementPending || r.Status == ledger.RefundUnknown) && status == 201 {
		status = 202 // the rest of it is still to be asked for
	}
	return &RefundOutput{status, refundOf(r)}, nil
}

// RefundID is the path of a refund.
type RefundID struct {
	ID string `path:"id" maxLength:"60"`
}

func (s *server) getRefund(ctx context.Context, in *RefundID) (*RefundOutput, error) {
	o, err := s.DB.OrderOfRefund(ctx, caller(ctx, "").App.ID, in.ID)
	if err != nil {
		return nil, payments.NotFound(err, "refund")
	}
	r := o.Refund(in.ID)
	if r == nil {
		return nil, ledger.ErrNotFound("refund")
	}
	return &RefundOutput{200, refundOf(o.RequestOf(r))}, nil
}

// ListRefundsInput says where the list begins.
type ListRefundsInput struct {
	UpdatedSince time.Time `query:"updated_since" required:"true" doc:"Changed at or after. Begin the next time a minute before the last updated_at that you have"`
	Cursor       string    `query:"cursor" maxLength:"90"`
	Limit        int       `query:"limit" default:"20" minimum:"1" maximum:"100"`
}

// RefundPage is one page of refunds, by the time of their last change.
type RefundPage struct {
	Body struct {
		Data []Refund `json:"data"`
		Next string   `json:"next,omitempty"`
	}
}

func (s *server) listRefunds(ctx context.Context, in *ListRefundsInput) (*RefundPage, error) {
	from, err := placeOf(ledger.RefundID, in.UpdatedSince, in.Cursor)
	if err != nil {
		return nil, err
	}
	changed, err := s.DB.RefundsChanged(ctx, caller(ctx, "").App.ID, from, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &RefundPage{}
	out.Body.Data = []Refund{}
	for i, c := range changed {
		if i == in.Limit {
			out.Body.Next = cursorOf(changed[i-1].ID, changed[i-1].At)
			break
		}
		out.Body.Data = append(out.Body.Data, refundOf(c.Order.RequestOf(c.Order.Refund(c.RefundID))))
	}
	return out, nil
}
