package payments

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// fingerprint identifies a request: the same key with another body is refused.
type fingerprint struct {
	hash string
	// What can be compared where the database has lost the request, and only the
	// provider told of it. An amount of 0 is all that there was.
	kind                         sdk.OperationKind
	orderID, reference, currency string
	amount                       int64
}

func newFingerprint(kind sdk.OperationKind, orderID string, body any) fingerprint {
	b, _ := json.Marshal(body) // plain data: cannot fail
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", kind, orderID, b))
	return fingerprint{hash: hex.EncodeToString(sum[:]), kind: kind, orderID: orderID}
}

// of sets what is asked for beside the order.
func (f fingerprint) of(amount int64, currency, reference string) fingerprint {
	f.amount = amount
	f.currency = currency
	f.reference = reference
	return f
}

// asked reports whether an operation on record is what the request asks for.
func (f fingerprint) asked(o *ledger.Order, op *ledger.Operation) bool {
	if op.RequestHash != "" || op.KeyHash == nil {
		return op.RequestHash == f.hash
	}
	amount, currency := o.Amount, o.Currency
	if op.RefundID != nil {
		r := o.Refund(*op.RefundID)
		amount, currency = r.Amount, r.Currency
	}
	return op.Kind == f.kind && (f.orderID == "" || f.orderID == o.ID) && (f.reference == "" || f.reference == o.Reference) &&
		(f.currency == "" || f.currency == currency) && (f.amount == 0 || f.amount == amount)
}
