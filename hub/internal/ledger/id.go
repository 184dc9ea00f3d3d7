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
		return prefix + "_" + strings.ToLower(lines.next(ulid.Timestamp(now)).String())
	}
	return prefix + "_" + strings.ToLower(ulid.MustNew(ulid.Timestamp(now), rand.Reader).String())
}

// counter makes ids that rise, whatever order their times come in: changes that
// are decided at once ask in turns, each with the time at which it began. A time
// far from the last one is another clock, and begins anew.
type counter struct {
	sync.Mutex
	last    uint64 // ms
	entropy *ulid.MonotonicEntropy
}

var lines = counter{entropy: ulid.Monotonic(rand.Reader, 0)}

const sameClock = 1000 // ms

func (c *counter) next(ms uint64) ulid.ULID {
	c.Lock()
	defer c.Unlock()
	if ms > c.last || c.last-ms > sameClock {
		c.last = ms
	}
	return ulid.MustNew(c.last, c.entropy)
}

// FirstID is the lowest id that can be made at that time: ids hold it, to the
// millisecond.
func FirstID(prefix string, at time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(at)) // of our era: cannot fail
	return prefix + "_" + strings.ToLower(id.String())
}

// MadeAt is when a valid id was made.
func MadeAt(id string) time.Time {
	_, letters, _ := strings.Cut(id, "_")
	parsed, err := ulid.ParseStrict(strings.ToUpper(letters))
	if err != nil {
		return time.Time{}
	}
	return ulid.Time(parsed.Time()).UTC()
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

// idTime is when an id was made, to the millisecond; false if it is none.
func idTime(id string) (time.Time, bool) {
	_, letters, _ := strings.Cut(id, "_")
	parsed, err := ulid.ParseStrict(strings.ToUpper(letters))
	if err != nil {
		return time.Time{}, false
	}
	return ulid.Time(parsed.Time()).UTC(), true
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
