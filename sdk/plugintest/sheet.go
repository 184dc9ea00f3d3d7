package plugintest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// sheet is what one rule is answered on, for one flow.
type sheet struct {
	T
	*exam
	name  string // in exam.json
	flow  sdk.Flow
	paper *FlowPaper
}

// fatalf ends the rule: what follows would only repeat it.
func (s *sheet) fatalf(format string, args ...any) {
	s.Helper()
	s.Errorf(format, args...)
	s.FailNow()
}

func (s *sheet) must(what string, err error) {
	s.Helper()
	if err != nil {
		s.fatalf("%s: %s (%s)", what, err, class(err))
	}
}

// within bounds a call as the hub does.
func (s *sheet) within(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.ctx, d)
}

// class is what the hub makes of an outcome.
func class(err error) string {
	var (
		rejected *sdk.RejectedError
		notSent  *sdk.NotSentError
		mismatch *sdk.MismatchError
		settings *sdk.SettingsError
	)
	switch {
	case err == nil:
		return "an answer"
	case errors.As(err, &rejected):
		return "Rejected"
	case errors.As(err, &notSent):
		return "NotSent"
	case errors.As(err, &mismatch):
		return "Mismatch"
	case errors.As(err, &settings):
		return "SettingsError"
	case errors.Is(err, sdk.ErrNotFound):
		return "ErrNotFound"
	}
	return unknown
}

const unknown = "unknown"

// books is the stand-in's account of the money.
func (s *sheet) books() standin.Books {
	s.Helper()
	ctx, cancel := s.within(patience)
	defer cancel()
	b, err := s.stand.Books(ctx)
	s.must("the stand-in's books", err)
	return b
}

// gained lists what is only in the later books, less what moved no money.
func gained(before, after []standin.Entry) (fresh []standin.Entry) {
	for _, e := range after {
		if e.Status != "failed" && !slices.ContainsFunc(before, func(o standin.Entry) bool { return o.ID == e.ID }) {
			fresh = append(fresh, e)
		}
	}
	return fresh
}

// wantOne demands that exactly one movement of that amount has come into the books.
func (s *sheet) wantOne(what string, before, after []standin.Entry, amount sdk.Money) {
	s.Helper()
	fresh := gained(before, after)
	if len(fresh) != 1 {
		s.Errorf("the stand-in's books show %d new %ss, want 1: %+v", len(fresh), what, fresh)
		return
	}
	if !entryIs(fresh[0], amount) {
		s.Errorf("the stand-in's books show a %s of %s %s, asked was %s", what, fresh[0].Amount, fresh[0].Currency, amount)
	}
}

func entryIs(e standin.Entry, m sdk.Money) bool {
	const finest = 6 // decimals that any currency may have
	got, err := sdk.ParseDecimal(e.Amount, e.Currency, finest)
	return err == nil && got.Equal(m)
}
