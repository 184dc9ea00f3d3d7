package ledger

import (
	"testing"

	"github.com/superpayhub/superpay/sdk"
)

// BenchmarkApply is a transition: an order that waits is paid.
func BenchmarkApply(b *testing.B) {
	o, env := created(b, sdk.CaptureAutomatic)
	n := News{AttemptID: o.Attempts[0].ID, Source: FromCallback, Payment: captured("ch_1", 1000)}
	for b.Loop() {
		if c := Apply(o, env, n); c.Empty() {
			b.Fatal("nothing changed")
		}
	}
}
