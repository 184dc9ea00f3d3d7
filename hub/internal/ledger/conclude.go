package ledger

import "github.com/superpayhub/superpay/sdk"

// Concludes reports whether a payment that reads so tells how an operation of
// that kind ended, though the record said the same before: an event may have
// been faster. A status that it was to change tells nothing.
func Concludes(kind sdk.OperationKind, s sdk.Status) bool {
	switch s {
	case sdk.Succeeded, sdk.Failed, sdk.Canceled:
		return true
	case sdk.Pending:
		return kind != sdk.OpCancel
	case sdk.RequiresCapture:
		return kind == sdk.OpConfirm || kind == sdk.OpCreate
	}
	return kind == sdk.OpCreate
}
