package plugin

import (
	"github.com/superpayhub/superpay/sdk"
	pb "github.com/superpayhub/superpay/sdk/plugin/pluginv1"
)

func toCheckoutRequest(r sdk.CheckoutRequest) *pb.CheckoutRequest {
	return &pb.CheckoutRequest{
		AttemptId: r.AttemptID, InstanceId: r.InstanceID, OrderId: r.OrderID, Key: r.Key, Flow: r.Flow,
		Amount: toMoney(r.Amount), CaptureMode: string(r.CaptureMode), Input: r.Input, Urls: toURLs(r.URLs),
		CreatedAt: toTime(r.CreatedAt), ExpiresAt: toTime(r.ExpiresAt), Description: r.Description,
		LineItems: each(r.LineItems, func(l sdk.LineItem) *pb.LineItem {
			return &pb.LineItem{Name: l.Name, Quantity: l.Quantity, Amount: l.Amount}
		}),
		Customer: &pb.Customer{Email: r.Customer.Email, Name: r.Customer.Name},
		Metadata: r.Metadata, AppId: r.AppID, Reference: r.Reference, KeyHash: r.KeyHash, Digest: r.Digest,
	}
}

func fromCheckoutRequest(r *pb.CheckoutRequest) sdk.CheckoutRequest {
	return sdk.CheckoutRequest{
		AttemptID: r.GetAttemptId(), InstanceID: r.GetInstanceId(), OrderID: r.GetOrderId(), Key: r.GetKey(), Flow: r.GetFlow(),
		Amount: fromMoney(r.GetAmount()), CaptureMode: sdk.CaptureMode(r.GetCaptureMode()), Input: r.GetInput(), URLs: fromURLs(r.GetUrls()),
		CreatedAt: fromTime(r.GetCreatedAt()), ExpiresAt: fromTime(r.GetExpiresAt()), Description: r.GetDescription(),
		LineItems: each(r.GetLineItems(), func(l *pb.LineItem) sdk.LineItem {
			return sdk.LineItem{Name: l.GetName(), Quantity: l.GetQuantity(), Amount: l.GetAmount()}
		}),
		Customer: sdk.Customer{Email: r.GetCustomer().GetEmail(), Name: r.GetCustomer().GetName()},
		Metadata: r.GetMetadata(), AppID: r.GetAppId(), Reference: r.GetReference(), KeyHash: r.GetKeyHash(), Digest: r.GetDigest(),
	}
}

func toPaymentRequest(r sdk.PaymentRequest) *pb.PaymentRequest {
	return &pb.PaymentRequest{
		AttemptId: r.AttemptID, InstanceId: r.InstanceID, Flow: r.Flow, Refs: each(r.Refs, toRef),
		Amount: toMoney(r.Amount), CreatedAt: toTime(r.CreatedAt), Opaque: r.Opaque, FindKeyHash: r.FindKeyHash,
	}
}

func fromPaymentRequest(r *pb.PaymentRequest) sdk.PaymentRequest {
	return sdk.PaymentRequest{
		AttemptID: r.GetAttemptId(), InstanceID: r.GetInstanceId(), Flow: r.GetFlow(), Refs: each(r.GetRefs(), fromRef),
		Amount: fromMoney(r.GetAmount()), CreatedAt: fromTime(r.GetCreatedAt()), Opaque: r.GetOpaque(), FindKeyHash: r.GetFindKeyHash(),
	}
}

func toConfirmRequest(r sdk.ConfirmRequest) *pb.ConfirmRequest {
	return &pb.ConfirmRequest{
		Payment: toPaymentRequest(r.PaymentRequest), Key: r.Key, CaptureMode: string(r.CaptureMode), Input: r.Input, Urls: toURLs(r.URLs),
		PayerReturn: toReturn(r.Return),
	}
}

func toReturn(r *sdk.Return) *pb.PayerReturn {
	if r == nil {
		return nil
	}
	return &pb.PayerReturn{Method: r.Method, Query: r.Query, Body: r.Body}
}

func fromReturn(r *pb.PayerReturn) *sdk.Return {
	if r == nil {
		return nil
	}
	return &sdk.Return{Method: r.GetMethod(), Query: r.GetQuery(), Body: r.GetBody()}
}

func fromConfirmRequest(r *pb.ConfirmRequest) sdk.ConfirmRequest {
	return sdk.ConfirmRequest{
		PaymentRequest: fromPaymentRequest(r.GetPayment()), Key: r.GetKey(), CaptureMode: sdk.CaptureMode(r.GetCaptureMode()),
		Input: r.GetInput(), URLs: fromURLs(r.GetUrls()), Return: fromReturn(r.GetPayerReturn()),
	}
}

func toCaptureRequest(r sdk.CaptureRequest) *pb.CaptureRequest {
	return &pb.CaptureRequest{Payment: toPaymentRequest(r.PaymentRequest), Key: r.Key, Capture: toMoney(r.Capture)}
}

func fromCaptureRequest(r *pb.CaptureRequest) sdk.CaptureRequest {
	return sdk.CaptureRequest{PaymentRequest: fromPaymentRequest(r.GetPayment()), Key: r.GetKey(), Capture: fromMoney(r.GetCapture())}
}

func toCancelRequest(r sdk.CancelRequest) *pb.CancelRequest {
	return &pb.CancelRequest{Payment: toPaymentRequest(r.PaymentRequest), Key: r.Key}
}

func fromCancelRequest(r *pb.CancelRequest) sdk.CancelRequest {
	return sdk.CancelRequest{PaymentRequest: fromPaymentRequest(r.GetPayment()), Key: r.GetKey()}
}

func toRefundRequest(r sdk.RefundRequest) *pb.RefundRequest {
	return &pb.RefundRequest{
		Payment: toPaymentRequest(r.PaymentRequest), Key: r.Key, RefundId: r.RefundID, CaptureId: r.CaptureID,
		Refund: toMoney(r.Refund), Reason: r.Reason, KeyHash: r.KeyHash, Digest: r.Digest,
	}
}

func fromRefundRequest(r *pb.RefundRequest) sdk.RefundRequest {
	return sdk.RefundRequest{
		PaymentRequest: fromPaymentRequest(r.GetPayment()), Key: r.GetKey(), RefundID: r.GetRefundId(), CaptureID: r.GetCaptureId(),
		Refund: fromMoney(r.GetRefund()), Reason: r.GetReason(), KeyHash: r.GetKeyHash(), Digest: r.GetDigest(),
	}
}

func toGetRefundRequest(r sdk.GetRefundRequest) *pb.GetRefundRequest {
	return &pb.GetRefundRequest{
		Payment: toPaymentRequest(r.PaymentRequest), RefundId: r.RefundID, ProviderId: r.ProviderID, CaptureId: r.CaptureID,
	}
}

func fromGetRefundRequest(r *pb.GetRefundRequest) sdk.GetRefundRequest {
	return sdk.GetRefundRequest{
		PaymentRequest: fromPaymentRequest(r.GetPayment()), RefundID: r.GetRefundId(), ProviderID: r.GetProviderId(), CaptureID: r.GetCaptureId(),
	}
}

func toListRequest(r sdk.ListRequest) *pb.ListRequest {
	return &pb.ListRequest{Since: toTime(r.Since), Cursor: r.Cursor, Limit: int32(r.Limit)}
}

func fromListRequest(r *pb.ListRequest) sdk.ListRequest {
	return sdk.ListRequest{Since: fromTime(r.GetSince()), Cursor: r.GetCursor(), Limit: int(r.GetLimit())}
}
