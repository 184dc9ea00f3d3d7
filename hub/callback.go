package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/clock"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

func callbackCommand() *cobra.Command {
	c := &cobra.Command{Use: "callback", Short: "The inbox: what providers called about, and what came of it"}
	c.AddCommand(callbackListCommand(), callbackShowCommand(), callbackReplayCommand())
	return c
}

func callbackListCommand() *cobra.Command {
	var f postgres.CallbackFilter
	var since time.Duration
	list := &cobra.Command{
		Use: "list", Short: "List callbacks, the newest first", Args: cobra.NoArgs,
		Example: `  hub callback list --outcome parked
  hub callback list --provider stripe --since 24h`,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.Outcome != "" && !slices.Contains(ledger.CallbackOutcomes, ledger.CallbackOut(f.Outcome)) {
				return fmt.Errorf("--outcome must be one of %v", ledger.CallbackOutcomes)
			}
			if f.Limit < 1 || f.Limit > 1000 {
				return fmt.Errorf("--limit must lie between 1 and 1000")
			}
			if since > 0 {
				f.From = time.Now().Add(-since)
			}
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				all, err := db.Callbacks(c.Context(), f)
				if err != nil {
					return err
				}
				out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(out, "ID\tRECEIVED\tPROVIDER\tTYPE\tOUTCOME\tTRIES\tORDER\tNOTE")
				for _, cb := range all {
					fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", cb.ID, cb.ReceivedAt.Format(time.RFC3339), cb.Provider, cb.Type, cb.Outcome, cb.Tries,
						cmp.Or(cb.OrderID, "-"), clip(cb.Note, 80))
				}
				if err := out.Flush(); err != nil || len(all) < f.Limit {
					return err
				}
				_, err = fmt.Fprintf(c.ErrOrStderr(), "there may be more: --before %s\n", all[len(all)-1].ID)
				return err
			})
		},
	}
	flags := list.Flags()
	flags.StringVar(&f.Outcome, "outcome", "", "only this outcome: "+strings.Trim(fmt.Sprint(ledger.CallbackOutcomes), "[]"))
	flags.StringVar(&f.Verdict, "verdict", "", "only this verdict of the plugin")
	flags.StringVar(&f.Provider, "provider", "", "only of this provider")
	flags.StringVar(&f.Type, "type", "", "only of this type, in the provider's words")
	flags.StringVar(&f.OrderID, "order", "", "only of this order")
	flags.DurationVar(&since, "since", 0, "only what came in that time, as 24h")
	flags.StringVar(&f.Before, "before", "", "only what came before this callback")
	flags.IntVar(&f.Limit, "limit", 50, "how many at most")
	return list
}

func clip(text string, limit int) string {
	if len(text) > limit {
		return strings.ToValidUTF8(text[:limit], "") + "..."
	}
	return text
}

func callbackShowCommand() *cobra.Command {
	var body bool
	show := &cobra.Command{
		Use: "show ID", Short: "Print a callback", Args: cobra.ExactArgs(1),
		Long: `Print a callback.

Its body is printed only with --body: it names payers, and may be written to no
log. Headers are never printed: they hold signatures.`,
		RunE: func(c *cobra.Command, args []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				cb, err := db.Callback(c.Context(), "", args[0])
				if err != nil {
					return payments.NotFound(err, "callback")
				}
				text, err := json.MarshalIndent(cb, "", "  ")
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintln(c.OutOrStdout(), string(text)); err != nil || !body {
					return err
				}
				return printBody(c.OutOrStdout(), cb)
			})
		},
	}
	show.Flags().BoolVar(&body, "body", false, "print what the provider sent, too")
	return show
}

func printBody(to io.Writer, cb *ledger.Callback) error {
	if cb.Raw == nil {
		_, err := fmt.Fprintln(to, "its body was erased, or none of the encryption keys fits")
		return err
	}
	var r sdk.CallbackRequest
	if err := json.Unmarshal(cb.Raw, &r); err != nil {
		return fmt.Errorf("callback %s: %w", cb.ID, err)
	}
	_, err := fmt.Fprintf(to, "%s %s\n%s\n", r.Method, r.Path, r.Body)
	return err
}

// replayPatience is how long a running hub is given to do as it was asked.
const replayPatience = 20 * time.Second

func callbackReplayCommand() *cobra.Command {
	var why string
	replay := &cobra.Command{
		Use: "replay ID... --why TEXT", Short: "Have callbacks checked and applied once more", Args: cobra.MinimumNArgs(1),
		Long: `Have callbacks checked and applied once more, as on the day that they came.

The running hub does it, for it has the plugins. Repeating that is harmless. The
order's timeline keeps who and why.`,
		Example: `  hub callback replay cb_... --why "the plugin was mended"`,
		RunE: func(c *cobra.Command, args []string) error {
			return withClock(c.Context(), func(h *hub, db *postgres.DB, now *clock.Clock) error {
				s := payments.New(payments.Options{DB: db, Now: now.Now, Logger: h.log, TimeScale: h.config.TimeScale})
				for _, id := range args {
					cb, err := replayed(c.Context(), s, db, id, why)
					if err != nil {
						return fmt.Errorf("callback %s: %w", id, err)
					}
					if _, err := fmt.Fprintf(c.OutOrStdout(), "callback %s is %s %s\n", id, cb.Outcome, cb.Note); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	replay.Flags().StringVar(&why, "why", "", "what was found and done")
	_ = replay.MarkFlagRequired("why")
	return replay
}

// replayed asks for a replay and waits until a hub has made it.
func replayed(ctx context.Context, s *payments.Service, db *postgres.DB, id, why string) (*ledger.Callback, error) {
	cb, err := db.Callback(ctx, "", id)
	if err != nil {
		return nil, payments.NotFound(err, "callback")
	}
	if err := s.AskReplay(ctx, cb, person(), why, s.Now().UTC()); err != nil {
		return nil, err
	}
	for end := time.Now().Add(replayPatience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		now, err := db.Callback(ctx, "", id)
		if err != nil || now.UpdatedAt.After(cb.UpdatedAt) {
			return now, err
		}
	}
	return nil, fmt.Errorf("it is asked for, and no hub has done it yet: is one running, and is provider %s up? It is done as soon as that is so", cb.Provider)
}
