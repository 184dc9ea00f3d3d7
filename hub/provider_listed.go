package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

func providerListedCommand() *cobra.Command {
	return &cobra.Command{
		Use: "listed", Short: "Show up to when the providers' own lists were read, and what came of it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				all, err := db.Schedules(c.Context())
				if err != nil {
					return err
				}
				out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(out, "PROVIDER\tWHY\tKNOWN TO\tNEXT\tPAYMENTS\tNEWS\tNOT OURS\tERROR")
				for _, s := range all {
					fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", s.Provider, s.Kind, s.KnownTo.UTC().Format(time.DateTime), nextRun(s), s.Listed, s.News, s.NotOurs, dash(s.Error))
				}
				return out.Flush()
			})
		},
	}
}

func nextRun(s postgres.Schedule) string {
	switch {
	case s.Since != nil:
		return "under way"
	case s.DueAt == nil:
		return "-"
	}
	return s.DueAt.UTC().Format(time.DateTime)
}

// maxUnmatched bounds what is shown at once: settle some, and the others come.
const maxUnmatched = 500

func providerUnmatchedCommand() *cobra.Command {
	return &cobra.Command{
		Use: "unmatched", Short: "Show money at providers that belongs to no attempt of this hub", Args: cobra.NoArgs,
		Long: `Show money at providers that belongs to no attempt of this hub.

Such a payment carries this hub's name, and there is no record of it: the
database was set back, say, or the payer of an attempt paid twice. Refund it in
the provider's dashboard, or keep it, and then say so with "hub provider resolve".
Where OURS is "perhaps", the payment names an attempt and no hub, and another hub
on the same account may have made it.`,
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				all, err := db.Unmatched(c.Context(), maxUnmatched)
				if err != nil {
					return err
				}
				out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(out, "PROVIDER\tPAYMENT\tSTATUS\tCAPTURED\tREFUNDED\tOURS\tATTEMPT\tFIRST SEEN")
				for _, u := range all {
					money := func(n int64) sdk.Money { return sdk.Money{Amount: n, Currency: u.Currency, Exponent: u.Exponent} }
					sure := "yes"
					if !u.Certain {
						sure = "perhaps"
					}
					fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", u.Provider, u.Ref, u.Status, money(u.Captured), money(u.Refunded), sure,
						dash(u.AttemptID), u.FirstSeen.UTC().Format(time.DateTime))
				}
				return out.Flush()
			})
		},
	}
}

func providerResolveCommand() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "resolve PROVIDER KIND ID --why TEXT", Short: "Record that money that belongs to no attempt is settled", Args: cobra.ExactArgs(3),
		Example: `  hub provider resolve stripe payment_intent pi_... --why "refunded in the dashboard"`,
		RunE: func(c *cobra.Command, args []string) error {
			if why = strings.TrimSpace(why); why == "" || len(why) > 500 {
				return errors.New("--why is empty or longer than 500 bytes: say what was found and done")
			}
			who := cmp.Or(os.Getenv("SUDO_USER"), os.Getenv("USER"), "operator")
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				err := db.ResolveUnmatched(c.Context(), args[0], args[1]+" "+args[2], who+": "+why, time.Now().UTC())
				return payments.NotFound(err, "unmatched payment; `hub provider unmatched` lists them")
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "what was found and done")
	_ = c.MarkFlagRequired("why")
	return c
}
