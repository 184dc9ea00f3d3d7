package plugin

import (
	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

func toPayment(p *sdk.Payment) *pb.Payment {
	return &pb.Payment{
		AttemptId: p.AttemptID, InstanceId: p.InstanceID, OrderId: p.OrderID, AppId: p.AppID,
		Reference: p.Reference, KeyHash: p.KeyHash, Digest: p.Digest, Refs: each(p.Refs, toRef),
		Mode: string(p.Mode), Status: string(p.Status), Amount: toMoney(p.Amount),
		Authorized: toMoney(p.Authorized), Capturable: toMoney(p.Capturable),
		CaptureBefore: toTime(p.CaptureBefore), HonoredUntil: toTime(p.HonoredUntil), ExpiresAt: toTime(p.ExpiresAt),
		Captures:   &pb.Captures{Complete: p.Captures.Complete, Items: each(p.Captures.Items, toCapture)},
		Refunds:    &pb.Refunds{Complete: p.Refunds.Complete, Items: each(p.Refunds.Items, toRefundItem), LeftOut: p.Refunds.LeftOut},
		Disputes:   &pb.Disputes{Complete: p.Disputes.Complete, Items: each(p.Disputes.Items, toDispute)},
		Expect:     each(p.Expect, toExpectation),
		NextAction: toNextAction(p.NextAction), Failure: toFailure(p.Failure), Opaque: p.Opaque, Payer: toPayer(p.Payer),
	}
}

func fromPayment(p *pb.Payment) *sdk.Payment {
	captures, refunds, disputes := p.GetCaptures(), p.GetRefunds(), p.GetDisputes()
	return &sdk.Payment{
		AttemptID: p.GetAttemptId(), InstanceID: p.GetInstanceId(), OrderID: p.GetOrderId(), AppID: p.GetAppId(),
		Reference: p.GetReference(), KeyHash: p.GetKeyHash(), Digest: p.GetDigest(), Refs: each(p.GetRefs(), fromRef),
		Mode: sdk.Mode(p.GetMode()), Status: sdk.Status(p.GetStatus()), Amount: fromMoney(p.GetAmount()),
		Authorized: fromMoney(p.GetAuthorized()), Capturable: fromMoney(p.GetCapturable()),
		CaptureBefore: fromTime(p.GetCaptureBefore()), HonoredUntil: fromTime(p.GetHonoredUntil()), ExpiresAt: fromTime(p.GetExpiresAt()),
		Captures:   sdk.Captures{Complete: captures.GetComplete(), Items: each(captures.GetItems(), fromCapture)},
		Refunds:    sdk.Refunds{Complete: refunds.GetComplete(), Items: each(refunds.GetItems(), fromRefundItem), LeftOut: refunds.GetLeftOut()},
		Disputes:   sdk.Disputes{Complete: disputes.GetComplete(), Items: each(disputes.GetItems(), fromDispute)},
		Expect:     each(p.GetExpect(), fromExpectation),
		NextAction: fromNextAction(p.GetNextAction()), Failure: fromFailure(p.GetFailure()), Opaque: p.GetOpaque(), Payer: fromPayer(p.GetPayer()),
	}
}

func toCapture(c sdk.Capture) *pb.Capture {
	return &pb.Capture{
		Id: c.ID, Status: string(c.Status), Amount: toMoney(c.Amount), Fee: toMoney(c.Fee), At: toTime(c.At),
		PendingReason: c.PendingReason, Lines: each(c.Lines, toLine),
	}
}

func fromCapture(c *pb.Capture) sdk.Capture {
	return sdk.Capture{
		ID: c.GetId(), Status: sdk.MovementStatus(c.GetStatus()), Amount: fromMoney(c.GetAmount()), Fee: fromMoney(c.GetFee()), At: fromTime(c.GetAt()),
		PendingReason: c.GetPendingReason(), Lines: each(c.GetLines(), fromLine),
	}
}

func toRefundItem(r sdk.Refund) *pb.RefundResult { return toRefund(&r) }

func toRefund(r *sdk.Refund) *pb.RefundResult {
	return &pb.RefundResult{
		Id: r.ID, RefundId: r.RefundID, InstanceId: r.InstanceID, CaptureId: r.CaptureID, Status: string(r.Status),
		Amount: toMoney(r.Amount), Failure: toFailure(r.Failure), At: toTime(r.At), Reversed: r.Reversed,
		KeyHash: r.KeyHash, Digest: r.Digest, Lines: each(r.Lines, toLine),
	}
}

func fromRefundItem(r *pb.RefundResult) sdk.Refund { return *fromRefund(r) }

func fromRefund(r *pb.RefundResult) *sdk.Refund {
	return &sdk.Refund{
		ID: r.GetId(), RefundID: r.GetRefundId(), InstanceID: r.GetInstanceId(), CaptureID: r.GetCaptureId(), Status: sdk.MovementStatus(r.GetStatus()),
		Amount: fromMoney(r.GetAmount()), Failure: fromFailure(r.GetFailure()), At: fromTime(r.GetAt()), Reversed: r.GetReversed(),
		KeyHash: r.GetKeyHash(), Digest: r.GetDigest(), Lines: each(r.GetLines(), fromLine),
	}
}

func toDispute(d sdk.Dispute) *pb.Dispute {
	return &pb.Dispute{
		Id: d.ID, CaptureId: d.CaptureID, Status: string(d.Status), Amount: toMoney(d.Amount),
		FundsWithdrawn: d.FundsWithdrawn, Withdrawn: toMoney(d.Withdrawn), Fee: toMoney(d.Fee), Reason: d.Reason, DueBy: toTime(d.DueBy), At: toTime(d.At),
		Lines: each(d.Lines, toLine),
	}
}

func fromDispute(d *pb.Dispute) sdk.Dispute {
	return sdk.Dispute{
		ID: d.GetId(), CaptureID: d.GetCaptureId(), Status: sdk.DisputeStatus(d.GetStatus()), Amount: fromMoney(d.GetAmount()),
		FundsWithdrawn: d.GetFundsWithdrawn(), Withdrawn: fromMoney(d.GetWithdrawn()), Fee: fromMoney(d.GetFee()), Reason: d.GetReason(), DueBy: fromTime(d.GetDueBy()), At: fromTime(d.GetAt()),
		Lines: each(d.GetLines(), fromLine),
	}
}

func toLine(l sdk.Line) *pb.Line {
	return &pb.Line{
		Id: l.ID, Kind: string(l.Kind), Type: l.Type, Gross: toMoney(l.Gross), Fee: toMoney(l.Fee),
		At: toTime(l.At), AvailableAt: toTime(l.AvailableAt),
	}
}

func fromLine(l *pb.Line) sdk.Line {
	return sdk.Line{
		ID: l.GetId(), Kind: sdk.LineKind(l.GetKind()), Type: l.GetType(), Gross: fromMoney(l.GetGross()), Fee: fromMoney(l.GetFee()),
		At: fromTime(l.GetAt()), AvailableAt: fromTime(l.GetAvailableAt()),
	}
}

func toNextAction(a *sdk.NextAction) *pb.NextAction {
	if a == nil {
		return nil
	}
	return &pb.NextAction{
		Type: string(a.Type), Url: a.URL, Method: a.Method, Fields: a.Fields, Client: a.Client, Kind: a.Kind, Data: a.Data,
	}
}

func fromNextAction(a *pb.NextAction) *sdk.NextAction {
	if a == nil {
		return nil
	}
	return &sdk.NextAction{
		Type: sdk.NextActionType(a.Type), URL: a.Url, Method: a.Method, Fields: a.Fields, Client: a.Client, Kind: a.Kind, Data: a.Data,
	}
}

func toFailure(f *sdk.Failure) *pb.Failure {
	if f == nil {
		return nil
	}
	return &pb.Failure{Code: f.Code, ProviderCode: f.ProviderCode, Message: f.Message}
}

func fromFailure(f *pb.Failure) *sdk.Failure {
	if f == nil {
		return nil
	}
	return &sdk.Failure{Code: f.Code, ProviderCode: f.ProviderCode, Message: f.Message}
}

func toPayer(p *sdk.Payer) *pb.Payer {
	if p == nil {
		return nil
	}
	return &pb.Payer{Email: p.Email, Name: p.Name, Country: p.Country}
}

func fromPayer(p *pb.Payer) *sdk.Payer {
	if p == nil {
		return nil
	}
	return &sdk.Payer{Email: p.Email, Name: p.Name, Country: p.Country}
}

func toListPage(p *sdk.ListPage) *pb.ListPage {
	return &pb.ListPage{
		Payments: each(p.Payments, func(q sdk.Payment) *pb.Payment { return toPayment(&q) }),
		Next:     p.Next,
	}
}

func fromListPage(p *pb.ListPage) *sdk.ListPage {
	return &sdk.ListPage{
		Payments: each(p.GetPayments(), func(q *pb.Payment) sdk.Payment { return *fromPayment(q) }),
		Next:     p.GetNext(),
	}
}
