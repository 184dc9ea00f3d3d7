package sdk

// Keys of the provider's metadata under which what the hub knows travels. The
// first two are needed; the others let a hub whose database was restored from a
// backup recognize what it made. A plugin keeps what the provider has room for.
// The hub believes the others only where the digest proves them.
const (
	MetadataAttempt   = "superpay_attempt"
	MetadataInstance  = "superpay_hub"
	MetadataOrder     = "superpay_order"
	MetadataRefund    = "superpay_refund"
	MetadataApp       = "superpay_app"
	MetadataReference = "superpay_reference"
	MetadataKey       = "superpay_key"    // a hash of the app's key
	MetadataDigest    = "superpay_digest" // the hub's signature of the rest, and of the amount
)

// HubMetadata returns what belongs in the provider's metadata, by the keys above.
// What is empty is left out, so a request of an earlier hub stays as it was.
func (r CheckoutRequest) HubMetadata() map[string]string {
	return filledIn(map[string]string{
		MetadataAttempt: r.AttemptID, MetadataInstance: r.InstanceID, MetadataOrder: r.OrderID, MetadataApp: r.AppID,
		MetadataReference: r.Reference, MetadataKey: r.KeyHash, MetadataDigest: r.Digest,
	})
}

// HubMetadata returns what belongs in the refund's metadata.
func (r RefundRequest) HubMetadata() map[string]string {
	return filledIn(map[string]string{
		MetadataRefund: r.RefundID, MetadataAttempt: r.AttemptID, MetadataInstance: r.InstanceID, MetadataKey: r.KeyHash, MetadataDigest: r.Digest,
	})
}

// ReadMetadata fills in what the provider's metadata say of a payment. Those of a
// refund only name its payment: their hash and digest are the refund's.
func (p *Payment) ReadMetadata(m map[string]string) {
	p.AttemptID = m[MetadataAttempt]
	p.InstanceID = m[MetadataInstance]
	if m[MetadataRefund] != "" {
		return
	}
	p.OrderID = m[MetadataOrder]
	p.AppID = m[MetadataApp]
	p.Reference = m[MetadataReference]
	p.KeyHash = m[MetadataKey]
	p.Digest = m[MetadataDigest]
}

// ReadMetadata fills in what the provider's metadata say of a refund.
func (r *Refund) ReadMetadata(m map[string]string) {
	r.RefundID = m[MetadataRefund]
	r.InstanceID = m[MetadataInstance]
	r.KeyHash = m[MetadataKey]
	r.Digest = m[MetadataDigest]
}

// Finds reports whether metadata are those of the payment that is looked for.
func (r PaymentRequest) Finds(m map[string]string) bool {
	return m[MetadataInstance] == r.InstanceID &&
		(m[MetadataAttempt] == r.AttemptID || r.FindKeyHash != "" && m[MetadataKey] == r.FindKeyHash)
}

func filledIn(m map[string]string) map[string]string {
	for k, v := range m {
		if v == "" {
			delete(m, k)
		}
	}
	return m
}
