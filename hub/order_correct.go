package main

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func correctCommand() *cobra.Command {
	var in ledger.Correction
	var why string
	c := &cobra.Command{
		Use: "correct ID --movement ID --was N (--amount N | --void) --why TEXT", Short: "Correct the amount of a capture, refund or dispute",
		Long: `Correct what is on record of one movement of money, after a look at the provider.

Nothing posted is changed: the journal undoes the wrong amount and posts the right
one. --was is the amount on record, so that nothing is corrected that changed since.
--void says that it never happened. --provider-id names a refund whose answer was
lost and that is there at the provider. What the provider says when it is read next
counts for more. The order's timeline keeps who and why.`,
		Example: `  hub order correct ord_... --movement cap_... --was 1000000 --amount 10000 --why "10.00 in the dashboard"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withDatabase(c.Context(), func(h *hub, db *postgres.DB) error {
				s := payments.New(payments.Options{DB: db, Render: api.Render, Logger: h.log, TimeScale: h.config.TimeScale})
				o, err := s.Correct(c.Context(), args[0], in, ledger.Operator{Name: person(), Why: why})
				if err != nil {
					return err
				}
				return printOrder(c, o)
			})
		},
	}
	c.Flags().StringVar(&in.MovementID, "movement", "", "the capture, refund or dispute: its id at the hub or at the provider")
	c.Flags().Var((*minorFlag)(&in.Was), "was", "the amount on record, in minor units")
	c.Flags().Var((*minorFlag)(&in.Is.Amount), "amount", "the right amount, in minor units")
	c.Flags().StringVar(&in.Is.Currency, "currency", "", "its currency; without it, the one on record")
	c.Flags().BoolVar(&in.Void, "void", false, "it never happened")
	c.Flags().StringVar(&in.ProviderID, "provider-id", "", "the refund's id at the provider, where the hub has none")
	c.Flags().StringVar(&why, "why", "", "what was found")
	for _, required := range []string{"movement", "was", "why"} {
		_ = c.MarkFlagRequired(required)
	}
	c.MarkFlagsOneRequired("amount", "void")
	c.MarkFlagsMutuallyExclusive("amount", "void")
	return c
}

// minorFlag is a flag with an amount in minor units, as a person writes it: a
// leading zero is refused, for programs read it as octal.
type minorFlag int64

var plainInteger = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,11})$`)

func (f *minorFlag) String() string { return "" }
func (f *minorFlag) Type() string   { return "minor" }

func (f *minorFlag) Set(text string) error {
	if !plainInteger.MatchString(text) {
		return fmt.Errorf("%q is no amount: write minor units as digits alone, 1050 for 10.50 USD", text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	*f = minorFlag(n)
	return err
}
