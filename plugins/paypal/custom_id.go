package main

import (
	"strings"
	"unicode/utf8"

	"github.com/superpayhub/superpay/sdk"
)

// maxCustomID is PayPal's limit.
const maxCustomID = 127

// customID is what a payment carries of ours: the id of the attempt, and of the
// hub, so that two hubs on one account know their own. PayPal has one field for
// both. It is shown in captures and events, and stays as short as the versions
// before expect it; what else the hub knows stands in referenceID.
func customID(id, instance string) string {
	if instance == "" {
		return id
	}
	return id + ":" + instance
}

// readCustomID takes it apart. What was made before hubs named themselves has
// only the first part.
func readCustomID(custom string) (id, instance string) {
	parts := strings.SplitN(custom, ":", 3)
	if len(parts) > 1 {
		instance = parts[1]
	}
	return parts[0], instance
}

// referenceID is what an order carries beside its custom_id: the hub's ids of the
// order and the app, the hash of the app's key, the digest, and the app's own
// reference, as far as PayPal has room for it.
func referenceID(r sdk.CheckoutRequest) string {
	if r.Digest == "" {
		return r.OrderID
	}
	id := strings.Join([]string{r.OrderID, r.AppID, r.KeyHash, r.Digest}, ":")
	whole := id + ":" + r.Reference
	switch {
	case utf8.RuneCountInString(whole) <= maxReferenceID:
		return whole
	case len(id) < maxReferenceID: // the hub may know the reference itself
		return id + ":"
	}
	return r.OrderID
}

// readReferenceID takes it apart. In the client flow the payer may have written
// it: only the digest proves what it says.
func readReferenceID(out *sdk.Payment, reference string) {
	parts := strings.SplitN(reference, ":", 5)
	if len(parts) == 5 {
		out.OrderID = parts[0]
		out.AppID = parts[1]
		out.KeyHash = parts[2]
		out.Digest = parts[3]
		out.Reference = parts[4]
	}
}

// refundCustomID is what a refund carries of ours, as far as PayPal has room. The
// refund object's pattern has no ":" (payments_payment_v2: ^[A-Za-z0-9-_.,]*$).
func refundCustomID(r sdk.RefundRequest) string {
	id := r.RefundID
	if r.InstanceID != "" {
		id += "." + r.InstanceID
	}
	whole := id + "." + r.KeyHash + "." + r.Digest
	if r.Digest == "" || len(whole) > maxCustomID {
		return id
	}
	return whole
}

// readRefundID fills in what a refund's custom_id says: one of this version, or of
// those before, which joined with ":".
func readRefundID(out *sdk.Refund, custom string) {
	joint := "."
	if strings.Contains(custom, ":") {
		joint = ":"
	}
	parts := append(strings.SplitN(custom, joint, 4), "", "", "")
	out.RefundID = parts[0]
	out.InstanceID = parts[1]
	if parts[3] != "" {
		out.KeyHash, out.Digest = parts[2], parts[3]
	}
}

// unnamed takes our names from a refund that PayPal or the merchant made: PayPal
// passes the payment's custom_id on to it.
func unnamed(r *sdk.Refund) {
	r.RefundID, r.InstanceID, r.KeyHash, r.Digest = "", "", "", ""
}
