package ledger

import (
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Prefixes of ids. An id is a prefix and a lower-case ULID.
const (
	OrderID     = "ord"
	AttemptID   = "att"
	CaptureID   = "cap"
	RefundID    = "ref"
	DisputeID   = "dis"
	OperationID = "op"
	CallbackID  = "cb"
	EventID     = "evt"
	PostingID   = "pst"
)

// NewID makes an id. The random part is fresh for each (not counted up from
// the last one), so that an id cannot be guessed from its neighbours.
// Only the timeline's lines are counted up: they are never asked for by id, and
// must keep the order they were made in.
func NewID(prefix string, now time.Time) string {
	if prefix == EventID {
		counting.Lock()
		defer counting.Unlock()
		return prefix + "_" + strings.ToLower(ulid.MustNew(ulid.Timestamp(now), counting.entropy).String())
	}
	return prefix + "_" + strings.ToLower(ulid.MustNew(ulid.Timestamp(now), rand.Reader).String())
}

var counting = struct {
	sync.Mutex
	entropy *ulid.MonotonicEntropy
}{entropy: ulid.Monotonic(rand.Reader, 0)}

// FirstID is the lowest id that can be made at that time: ids hold it, to the
// millisecond.
func FirstID(prefix string, at time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(at)) // of our era: cannot fail
	return prefix + "_" + strings.ToLower(id.String())
}

// IDBegin is how many letters of an id, after its prefix, tell its time to about
// 17 minutes: 2^20 ms.
const IDBegin = 6

// BegunBetween are the first and the last moment at which ids that begin like
// this were made: the prefix and IDBegin letters.
func BegunBetween(begin string) (from, to time.Time) {
	_, letters, _ := strings.Cut(begin, "_")
	id, err := ulid.ParseStrict(strings.ToUpper(letters) + strings.Repeat("0", ulid.EncodedSize-len(letters)))
	if err != nil {
		return time.Time{}, time.Time{}
	}
	from = ulid.Time(id.Time()).UTC()
	return from, from.Add(1<<20*time.Millisecond - 1)
}

// ValidID reports whether s has the form of an id with that prefix.
func ValidID(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if !ok || rest != strings.ToLower(rest) {
		return false
	}
	_, err := ulid.ParseStrict(strings.ToUpper(rest))
	return err == nil
}
