package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func recoverCommand() *cobra.Command {
	status := &cobra.Command{
		Use: "status", Short: "Show whose money-out is closed, what was read since, and what waits for a person", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error { return recoverStatus(c, db) })
		},
	}
	c := &cobra.Command{
		Use: "recover", Short: "A database that went back in time: what is closed, and since when",
		Long: `A database that went back in time: what is closed, and since when.

When a backup was restored, or a standby was promoted that lagged, payments and
refunds that were answered are on no record. A running hub notices it within a
second; one that starts notices it by the newest payments that the providers
list. Then no money goes out of any account until the provider's list since then
was read, at most 10 minutes. Whoever restores a backup while no hub runs says
so with "hub recover start", before the hubs start.`,
		Args: cobra.NoArgs, RunE: status.RunE,
	}
	c.AddCommand(status, recoverStartCommand(), recoverOpenCommand())
	return c
}

// recoverStatus prints the fences with their lists.
func recoverStatus(c *cobra.Command, db *postgres.DB) error {
	fences, err := db.Fences(c.Context())
	if err != nil {
		return err
	}
	schedules, err := db.Schedules(c.Context())
	if err != nil {
		return err
	}
	unmatched, err := db.Unmatched(c.Context(), maxUnmatched)
	if err != nil {
		return err
	}
	waiting, err := db.Waiting(c.Context())
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	if len(fences) == 0 {
		fmt.Fprintln(out, "No history was ever lost: money-out of all providers is open.")
	} else {
		fmt.Fprintln(out, "PROVIDER\tMONEY-OUT\tSINCE\tON RECORD UP TO\tBECAUSE\tLIST\tPAYMENTS\tREAD\tON NO RECORD\tENDED")
	}
	for _, f := range fences {
		list := postgres.Schedule{}
		for _, s := range schedules {
			if s.Provider == f.Provider && s.Kind == postgres.ListFence {
				list = s
			}
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s (%s)\t%s\t%d\t%d\t%d\t%s\n", f.Provider, fenceWord(f), f.At.UTC().Format(time.DateTime), f.Mark.UTC().Format(time.DateTime),
			f.Reason, f.Who, listWord(list), list.Listed, f.Checked, f.Found, endedWord(f))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(c.OutOrStdout(), "Waiting for a person: %d payments of no order (`hub provider unmatched`), %d orders that need attention\n", len(unmatched), waiting.Orders)
	return nil
}

func fenceWord(f postgres.Fence) string {
	switch f.State {
	case postgres.FenceClosed:
		return "closed"
	case postgres.FenceEach:
		return "of orders that were read"
	}
	return "open"
}

func listWord(s postgres.Schedule) string {
	switch {
	case s.Error != "":
		return s.Error
	case s.Since == nil:
		return "read"
	case s.Cursor != "":
		return "at " + s.Cursor[:min(len(s.Cursor), 40)]
	}
	return "at its begin"
}

func endedWord(f postgres.Fence) string {
	if f.OpenedAt == nil {
		return "-"
	}
	return f.OpenedAt.UTC().Format(time.DateTime) + ": " + f.Opened
}

func recoverStartCommand() *cobra.Command {
	var since, why string
	var names []string
	c := &cobra.Command{
		Use: "start --since TIME --why TEXT", Short: "Close money-out until what happened since that time was read at the providers", Args: cobra.NoArgs,
		Example: `  hub recover start --since 2026-11-29T06:00:00Z --why "the backup of 6:00 was restored"`,
		RunE: func(c *cobra.Command, _ []string) error {
			at, err := time.Parse(time.RFC3339, since)
			if err != nil {
				return errors.New("--since is not a time: write it as 2026-11-29T06:00:00Z")
			}
			return withDatabase(c.Context(), func(h *hub, db *postgres.DB) error {
				if err := h.chosen(c.Context(), db, &names); err != nil {
					return err
				}
				audit, act := byCommand(db, "recover.start", strings.Join(names, ","))
				act.Why = why
				act.Data = map[string]any{"since": at}
				err := audit.Do(c.Context(), act, func() error {
					_, err := payments.CloseMoneyOut(c.Context(), db, names, at, person(), why, time.Now().UTC())
					return err
				})
				if err != nil {
					return err
				}
				return recoverStatus(c, db)
			})
		},
	}
	c.Flags().StringVar(&since, "since", "", "the `time` up to which everything is on record: that of the backup")
	c.Flags().StringVar(&why, "why", "", "what happened")
	c.Flags().StringSliceVar(&names, "provider", nil, "`name` of a provider; may be repeated; without it, all of them")
	_ = c.MarkFlagRequired("since")
	_ = c.MarkFlagRequired("why")
	return c
}

// chosen checks the names of providers, and takes all of them if none is named.
func (h *hub) chosen(ctx context.Context, db *postgres.DB, names *[]string) error {
	if len(*names) > 0 {
		return h.known(ctx, db, *names)
	}
	all, err := h.providers(ctx, db)
	for _, p := range all {
		*names = append(*names, p.Name)
	}
	return err
}

func recoverOpenCommand() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use: "open PROVIDER --why TEXT", Short: "Open a provider's money-out though not everything was read", Args: cobra.ExactArgs(1),
		Example: `  hub recover open stripe --why "all payments of the day were compared by hand"`,
		RunE: func(c *cobra.Command, args []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				audit, act := byCommand(db, "recover.open", args[0])
				act.Why = why
				return audit.Do(c.Context(), act, func() error {
					return payments.OpenMoneyOut(c.Context(), db, args[0], person(), why, time.Now().UTC())
				})
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "why that is safe")
	_ = c.MarkFlagRequired("why")
	return c
}
