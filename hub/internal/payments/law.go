package payments

import (
	"bytes"

	"github.com/superpayhub/superpay/hub/internal/ledger"
)

// Broken are laws that a test has the service break, to see that the campaign
// finds it. The zero value keeps them all.
type Broken struct {
	KeyReuse bool // a repeat goes out under another key than the first sending
	Unknown  bool // an answer that was lost counts as a refusal
}

// repeated is the operation as it is sent again: the identical request under
// its own key.
func (s *Service) repeated(op *ledger.Operation) *ledger.Operation {
	if !s.Broken.KeyReuse {
		return op
	}
	other := *op
	other.Request = bytes.ReplaceAll(op.Request, []byte(op.ProviderKey()), []byte(ledger.NewID(ledger.OperationID, s.now())))
	return &other
}

// lost is the outcome of an operation whose answer did not come.
func (s *Service) lost() ledger.Outcome {
	if s.Broken.Unknown {
		return ledger.OutcomeDeclined
	}
	return ledger.OutcomeUnknown
}
