package ledger

import (
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Attempt is one try at one provider. Amounts are in the order's currency and
// exponent and are sums of movements.
type Attempt struct {
	ID            string          `json:"id"`
	OrderID       string          `json:"order_id"`
	Provider      string          `json:"provider"`
	Plugin        string          `json:"plugin"`
	Flow          string          `json:"flow"`
	Mode          sdk.Mode        `json:"mode"`
	CaptureMode   sdk.CaptureMode `json:"capture_mode"`
	Status        sdk.Status      `json:"status"`
	Failure       *sdk.Failure    `json:"failure"`
	Authorized    int64           `json:"authorized"`
	Captured      int64           `json:"captured"`
	Refunded      int64           `json:"refunded"`
	Reserved      int64           `json:"reserved"`
	Disputed      int64           `json:"disputed"`
	Abandoned     bool            `json:"abandoned"`
	CaptureBefore time.Time       `json:"capture_before,omitzero"`
	HonoredUntil  time.Time       `json:"honored_until,omitzero"` // a capture of what is authorised may be refused after it
	ExpiresAt     time.Time       `json:"expires_at,omitzero"`
	Refs          []sdk.Ref       `json:"refs"`
	Candidates    []sdk.Ref       `json:"candidates"` // what a callback says may be its payment; believed only after a read
	Approved      bool            `json:"approved"`   // the payer approved, and nothing was done about it yet
	Continues     int             `json:"continues"`  // how often the hub confirmed by itself
	Payer         *sdk.Payer      `json:"payer"`
	MovedAt       time.Time       `json:"moved_at,omitzero"` // when its status last changed by what the provider said
	DueAt         time.Time       `json:"due_at,omitzero"`
	LeasedUntil   time.Time       `json:"leased_until,omitzero"` // until then, at most, a worker has it to itself
	ReadWanted    bool            `json:"read_wanted"`           // something was said that only a fresh read can settle
	Owed          []Owed          `json:"owed,omitempty"`        // what events said and no source has shown yet
	Tries         int             `json:"tries"`                 // looks since its last news
	Failures      int             `json:"failures"`              // looks in a row that failed
	WarnedFor     time.Time       `json:"warned_for,omitzero"`   // the HonoredUntil or CaptureBefore that its app was warned of
	CreatedAt     time.Time       `json:"created_at"`
	UpdatedAt     time.Time       `json:"updated_at"`

	NextAction *sdk.NextAction `json:"-"` // encrypted at rest
	Opaque     []byte          `json:"-"` // encrypted at rest
}

// Statuses of an attempt that no provider reports.
const (
	AttemptCreated sdk.Status = "created" // recorded, not answered yet
	AttemptUnknown sdk.Status = "unknown" // asked, and the answer was lost
)

// Attempt returns the order's attempt of that id, or nil.
func (o *Order) Attempt(id string) *Attempt {
	for _, a := range o.Attempts {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// Live reports whether the attempt can still become money.
func (a *Attempt) Live() bool {
	return a.Status != sdk.Failed && a.Status != sdk.Canceled && a.Status != sdk.Succeeded
}

// Closable reports whether there is something to cancel: it can still become
// money and was not given up, or money is held by it.
func (a *Attempt) Closable() bool {
	return a.Status == sdk.RequiresCapture || a.Live() && !a.Abandoned
}

// waiting reports whether a read is wanted that no worker has begun yet. What
// is heard meanwhile leaves no trace, for that read will see it; so a read that
// somebody else began before cannot stand for it. Once a worker is at it, the
// next word makes the attempt due again and the read under way stale.
func (a *Attempt) waiting(now time.Time) bool {
	return a.ReadWanted && (!now.Before(a.LeasedUntil) || a.DueAt.Before(a.LeasedUntil))
}

// Refundable is what may still be asked back of this attempt, in the order's
// currency.
func (a *Attempt) Refundable() int64 {
	return max(0, a.Captured-a.Refunded-a.Reserved-a.Disputed)
}

// Ref returns the attempt's first ref of that kind.
func (a *Attempt) Ref(kind string) (string, bool) {
	i := slices.IndexFunc(a.Refs, func(r sdk.Ref) bool { return r.Kind == kind })
	if i < 0 {
		return "", false
	}
	return a.Refs[i].Value, true
}
