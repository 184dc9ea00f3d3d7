package ledger

import (
	"time"

	"github.com/superpayhub/superpay/sdk"
)

// Booked is how a movement stands in the merchant's balance at the provider, in the
// currency of that balance, which need not be the movement's.
type Booked struct {
	Fee         int64     `json:"fee"` // what the provider kept, negative: gave back; 0 where it did not say (yet)
	FeeCurrency string    `json:"fee_currency"`
	FeeExponent int       `json:"fee_exponent"`
	Gross       *int64    `json:"gross"`                 // by how much the balance rose, before the fee, in FeeCurrency; nil: not told
	AvailableAt time.Time `json:"available_at,omitzero"` // from when it can be paid out
}

// bookedOf sums up the lines of a movement; without any, or with some that cannot be
// summed up, only its fee is told.
func bookedOf(fee sdk.Money, lines []sdk.Line) Booked {
	if len(lines) == 0 || lines[0].Gross.Currency == "" {
		return Booked{Fee: fee.Amount, FeeCurrency: fee.Currency, FeeExponent: fee.Exponent}
	}
	out, gross := Booked{FeeCurrency: lines[0].Gross.Currency, FeeExponent: lines[0].Gross.Exponent}, int64(0)
	if exponent, known := sdk.Exponent(out.FeeCurrency); known {
		out.FeeExponent = exponent
	}
	for _, l := range lines {
		g, err := l.Gross.Rescale(out.FeeExponent)
		f, feeErr := l.Fee.Rescale(out.FeeExponent)
		if err != nil || feeErr != nil || g.Currency != out.FeeCurrency || !l.Fee.IsZero() && f.Currency != out.FeeCurrency {
			return bookedOf(fee, nil)
		}
		gross += g.Amount
		out.Fee += f.Amount
		if l.AvailableAt.After(out.AvailableAt) {
			out.AvailableAt = l.AvailableAt
		}
	}
	out.Gross, out.AvailableAt = &gross, out.AvailableAt.UTC().Truncate(time.Microsecond) // as it is kept
	return out
}

func (b Booked) fee() sdk.Money {
	if b.Fee == 0 {
		return sdk.Money{}
	}
	return sdk.Money{Amount: b.Fee, Currency: b.FeeCurrency, Exponent: b.FeeExponent}
}

// converted is the gross of what was paid in another currency than the balance has;
// nothing where it is the same, or was not told.
func (b Booked) converted(currency string) sdk.Money {
	if b.Gross == nil || b.FeeCurrency == currency {
		return sdk.Money{}
	}
	return sdk.Money{Amount: *b.Gross, Currency: b.FeeCurrency, Exponent: b.FeeExponent}
}

// taken is what is posted of it: nothing as long as the movement did not succeed.
func (b Booked) taken(s sdk.MovementStatus) Booked {
	if s != sdk.MovementSucceeded {
		return Booked{}
	}
	return b
}

// booked learns how a movement stands in the balance. Most news do not say; another
// fee or gross than is known needs a fresh read.
func (d *decision) booked(a *Attempt, n News, noun, id string, row *Booked, told Booked, fresh bool) {
	if told.Gross == nil { // it tells the fee, if anything
		if told.Fee == 0 && row.Fee == 0 || told.FeeCurrency == "" {
			return
		}
		if told.FeeCurrency == row.FeeCurrency {
			told.Gross, told.AvailableAt = row.Gross, row.AvailableAt
		}
	}
	if told.AvailableAt.IsZero() {
		told.AvailableAt = row.AvailableAt
	}
	newFee := !told.fee().Equal(row.fee())
	newGross := (told.Gross == nil) != (row.Gross == nil) || told.Gross != nil && (*told.Gross != *row.Gross || told.FeeCurrency != row.FeeCurrency)
	known := row.Fee != 0 && newFee || row.Gross != nil && newGross
	switch {
	case !newFee && !newGross && told.AvailableAt.Equal(row.AvailableAt):
		return
	case known && !fresh:
		d.soon[a.ID] = true
		return
	}
	*row = told
	if newFee {
		d.record(a, n, noun+".fee", map[string]any{"id": id, "amount": told.Fee, "currency": told.FeeCurrency})
	}
}

// conversions records for each movement what is posted of it in the currency of the
// balance, where that changed: because of its lines, or of its own currency.
func (d *decision) conversions() {
	for i, x := range d.o.Captures {
		was := Capture{}
		if i < len(d.before.Captures) {
			was = *d.before.Captures[i]
		}
		d.conversion(x.AttemptID, "capture", x.ProviderID, was.converted(was.Currency), x.converted(x.Currency))
	}
	for i, x := range d.o.Refunds {
		was := Refund{}
		if i < len(d.before.Refunds) {
			was = *d.before.Refunds[i]
		}
		if x.ProviderID != nil { // else its name, and what hangs on it, went to another
			d.conversion(x.AttemptID, "refund", *x.ProviderID, was.converted(was.Currency), x.converted(x.Currency))
		}
	}
	for i, x := range d.o.Disputes {
		was := Dispute{}
		if i < len(d.before.Disputes) {
			was = *d.before.Disputes[i]
		}
		d.conversion(x.AttemptID, "dispute", x.ProviderID, was.converted(was.Currency), x.converted(x.Currency))
	}
}

func (d *decision) conversion(attemptID, noun, id string, was, is sdk.Money) {
	if was == is {
		return
	}
	data := map[string]any{"id": id, "amount": is.Amount, "currency": is.Currency}
	d.record(d.o.Attempt(attemptID), News{Source: FromHub}, noun+".settled", data)
}
