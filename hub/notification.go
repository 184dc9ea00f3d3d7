package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/clock"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// resendAtOnce bounds one statement of `hub notification resend --since`.
const resendAtOnce = 1000

func notificationCommand() *cobra.Command {
	c := &cobra.Command{Use: "notification", Short: "Notifications to apps"}
	c.AddCommand(notificationListCommand(), notificationResendCommand(),
		&cobra.Command{
			Use: "show ID", Short: "Print a notification: what was sent, and how each try went", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error { return showNotification(c, db, args[0]) })
			},
		},
		&cobra.Command{
			Use: "endpoints", Short: "List the apps' webhook endpoints, those that are disabled or fail first", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error { return listEndpoints(c, db) })
			},
		},
	)
	return c
}

// narrow gives a command the flags of a filter.
func narrow(c *cobra.Command, f *postgres.NotificationFilter) (app *string, since *string) {
	c.Flags().StringVar(&f.OrderID, "order", "", "only those of this order's `id`")
	c.Flags().StringVar(&f.EndpointID, "endpoint", "", "only those for this endpoint's `id`")
	c.Flags().StringVar(&f.Type, "type", "", "only those of this `type`, as order.paid")
	return c.Flags().String("app", "", "only those of the app of this `name`"),
		c.Flags().String("since", "", "only those made since this `time`, as 2027-01-31, 2027-01-31T08:00:00Z, or 6h ago as 6h")
}

// complete fills in what the flags only name.
func complete(c *cobra.Command, db *postgres.DB, f *postgres.NotificationFilter, app, since string) (err error) {
	if app != "" {
		a, err := db.AppByName(c.Context(), app)
		if err != nil {
			return noSuch(err, "app", app)
		}
		f.AppID = a.ID
	}
	if since != "" {
		f.From, err = ago(since, time.Now().UTC())
	}
	return err
}

// ago reads a time, a date, or how long ago it was.
func ago(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return now, fmt.Errorf("--since %s: must be a time, as 2027-01-31 or 2027-01-31T08:00:00Z, or how long ago, as 6h", text)
	}
	return now.Add(-d), nil
}

func notificationListCommand() *cobra.Command {
	f := postgres.NotificationFilter{}
	c := &cobra.Command{
		Use: "list", Short: "List notifications, the newest first", Args: cobra.NoArgs,
		Example: "  hub notification list --app shop --state failed --since 24h",
	}
	app, since := narrow(c, &f)
	c.Flags().StringVar(&f.State, "state", "", "only those that are pending, delivered or failed")
	c.Flags().StringVar(&f.Before, "before", "", "only those before this `id`: the last of the page before")
	c.Flags().IntVar(&f.Limit, "limit", 50, "how many at most")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if f.Limit < 1 || f.Limit > 1000 {
			return errors.New("--limit: must lie between 1 and 1000")
		}
		return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
			if err := complete(c, db, &f, *app, *since); err != nil {
				return err
			}
			all, err := db.Notifications(c.Context(), f)
			if err != nil {
				return err
			}
			out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(out, "ID\tTYPE\tORDER\tSTATE\tTRIES\tMADE\tNEXT\tLAST")
			for _, n := range all {
				fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", n.ID, n.Type, cmp.Or(n.OrderID, "-"), n.State, n.Tries, when(&n.CreatedAt), when(n.DueAt), last(n.LastStatus, n.LastError))
			}
			return out.Flush()
		})
	}
	return c
}

// last is how a try went, in a table.
func last(status int, failure string) string {
	if status == 0 {
		return cmp.Or(failure, "-")
	}
	return strconv.Itoa(status)
}

func showNotification(c *cobra.Command, db *postgres.DB, id string) error {
	n, tries, err := db.Notification(c.Context(), "", id)
	if err != nil {
		return payments.NotFound(err, "notification")
	}
	w := c.OutOrStdout()
	fmt.Fprintf(w, "%s is %s: %s of order %s, version %d, for endpoint %s; next try: %s\n%s\n",
		n.ID, n.State, n.Type, cmp.Or(n.OrderID, "-"), n.Version, n.EndpointID, when(n.DueAt), n.Payload)
	for _, t := range tries {
		fmt.Fprintf(w, "\n%s  %s  %s  %d ms  next: %s\n", when(&t.At), t.URL, last(t.Status, t.Error), t.TookMS, when(t.NextAt))
		if t.Answer != nil && *t.Answer != "" {
			fmt.Fprintf(w, "%q\n", *t.Answer) // quoted: it is others' text
		}
	}
	return nil
}

func notificationResendCommand() *cobra.Command {
	f := postgres.NotificationFilter{}
	c := &cobra.Command{
		Use: "resend ID | resend --since TIME", Short: "Send a notification again, or all that failed since a time", Args: cobra.MaximumNArgs(1),
		Example: "  hub notification resend --app shop --since 2027-01-31",
	}
	app, since := narrow(c, &f)
	c.RunE = func(c *cobra.Command, args []string) error {
		if (len(args) == 1) == (*since != "") {
			return errors.New("name one notification, or all that failed --since a time")
		}
		return withClock(c.Context(), func(_ *hub, db *postgres.DB, now *clock.Clock) error {
			if len(args) == 1 {
				return resendOne(c, db, now, args[0])
			}
			if err := complete(c, db, &f, *app, *since); err != nil {
				return err
			}
			return resendFailed(c, db, now, f)
		})
	}
	return c
}

func resendOne(c *cobra.Command, db *postgres.DB, now *clock.Clock, id string) error {
	err := db.ResendNotification(c.Context(), "", id, now.Now().UTC())
	if errors.Is(err, postgres.ErrDisabled) {
		return fmt.Errorf("%w: its app has to enable it first (POST /v1/webhook_endpoints/{id}/enable)", err)
	}
	if err != nil {
		return payments.NotFound(err, "notification")
	}
	_, err = fmt.Fprintln(c.OutOrStdout(), "it is sent again")
	return err
}

func resendFailed(c *cobra.Command, db *postgres.DB, now *clock.Clock, f postgres.NotificationFilter) error {
	var sum int64
	for {
		n, err := db.ResendFailed(c.Context(), f, now.Now().UTC(), resendAtOnce)
		if err != nil {
			return err
		}
		if sum += n; n < resendAtOnce {
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d are sent again\n", sum)
			return err
		}
	}
}

// maxEndpointsListed bounds `hub notification endpoints`; what needs a look
// comes first.
const maxEndpointsListed = 1000

func listEndpoints(c *cobra.Command, db *postgres.DB) error {
	all, err := db.AllEndpoints(c.Context(), maxEndpointsListed)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tAPP\tADDRESS\tFAILING SINCE\tDISABLED\tREASON")
	for _, e := range all {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, e.App, e.URL, when(e.FailingSince), when(e.DisabledAt), cmp.Or(e.DisabledReason, "-"))
	}
	return out.Flush()
}
