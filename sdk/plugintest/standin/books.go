package standin

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Books is the stand-in's own account of the money, in words no provider owns.
// A test compares them with the hub's ledger: what is in one and not in the
// other was lost or doubled on the way.
type Books struct {
	Payments []Entry `json:"payments"`
	Captures []Entry `json:"captures"`
	Refunds  []Entry `json:"refunds"`
	Disputes []Entry `json:"disputes"`
}

// Entry is one line of the books. For a payment, ID and PaymentID are the same.
type Entry struct {
	ID        string            `json:"id"`
	PaymentID string            `json:"payment_id"`
	Status    string            `json:"status"`
	Amount    string            `json:"amount"`   // exact, in major units: "10.00", JPY "1000", KWD "1.250"
	Currency  string            `json:"currency"` // ISO 4217, upper case
	Metadata  map[string]string `json:"metadata"`
	Created   time.Time         `json:"created"`
}

// of returns the lines of one payment; "" is all.
func (b Books) of(payment string) Books {
	for _, lines := range []*[]Entry{&b.Payments, &b.Captures, &b.Refunds, &b.Disputes} {
		if payment != "" {
			*lines = slices.DeleteFunc(*lines, func(e Entry) bool { return e.PaymentID != payment })
		}
	}
	return b
}

// Decimal writes an integer amount of minor units as a decimal with the given
// number of places. Books carry text so that no reader rounds through a float.
func Decimal(minor int64, places int) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	digits := strconv.FormatInt(minor, 10)
	if places <= 0 {
		return sign + digits
	}
	if missing := places + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	return sign + digits[:len(digits)-places] + "." + digits[len(digits)-places:]
}
