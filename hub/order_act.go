package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/clock"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
)

// act is what the commands share by which a person acts on an order.
type act struct {
	attempt, why  string
	amount        string // in minor units, as typed
	currency      string
	all, override bool

	money ledger.Amount // what amount and all say
}

// actCommands ask the provider for an order's sake, as its app does and under
// the same laws, while hubs run or not.
func actCommands() []*cobra.Command {
	var refund, capture, cancel act
	commands := []*cobra.Command{
		refund.command("refund ID --reason TEXT", "Give money of an order back",
			`Give money of an order back: a part (--amount, in minor units), or all that is left
(--all). One of them has to be said.

A second payment of an order is given back by naming its attempt, and money that
the provider took in another currency than the order's by naming that. What a dispute
holds back is not refunded: the payer would be paid twice. --override-dispute does
it all the same; no app can.`,
			func(ctx context.Context, s *payments.Service, c payments.Caller, id string) (payments.Answer, error) {
				return s.Refund(ctx, c, id, payments.RefundInput{AttemptID: refund.attempt, Amount: refund.money, Currency: refund.currency, Reason: refund.why})
			}),
		capture.command("capture ID --reason TEXT", "Take money that an order holds", "",
			func(ctx context.Context, s *payments.Service, c payments.Caller, id string) (payments.Answer, error) {
				return s.Capture(ctx, c, id, payments.CaptureInput{AttemptID: capture.attempt, Amount: capture.money})
			}),
		cancel.command("cancel ID --reason TEXT", "Release the money that an order holds, or close it unpaid", "",
			func(ctx context.Context, s *payments.Service, c payments.Caller, id string) (payments.Answer, error) {
				return s.Cancel(ctx, c, id, payments.CancelInput{AttemptID: cancel.attempt})
			}),
	}
	for i, a := range []*act{&refund, &capture} {
		flags := commands[i].Flags()
		flags.StringVar(&a.amount, "amount", "", "how much, in minor units: 1050 is 10.50 USD, or 1050 JPY")
		flags.BoolVar(&a.all, "all", false, "all that is left")
		commands[i].MarkFlagsOneRequired("amount", "all")
		commands[i].MarkFlagsMutuallyExclusive("amount", "all")
	}
	commands[0].Flags().StringVar(&refund.currency, "currency", "", "of the money to give back, as EUR; without it, the order's")
	commands[0].Flags().BoolVar(&refund.override, "override-dispute", false, "refund also what is disputed")
	return append(commands, &cobra.Command{
		Use: "sync ID", Short: "Read the provider's truth about an order now", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withProvidersOf(c.Context(), args[0], func(s *payments.Service) error {
				o, err := s.SyncOrder(c.Context(), args[0])
				if err != nil {
					return err
				}
				return printOrder(c, o)
			})
		},
	})
}

func (a *act) command(use, short, long string, do func(context.Context, *payments.Service, payments.Caller, string) (payments.Answer, error)) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.readAmount(c); err != nil {
				return err
			}
			return withProvidersOf(c.Context(), args[0], func(s *payments.Service) error {
				// A key of its own: who runs the command twice means it twice.
				caller, err := s.Operate(c.Context(), args[0], ledger.NewID(ledger.OperationID, time.Now()), "",
					ledger.Operator{Name: person(), Why: a.why, OverrideDispute: a.override})
				if err != nil {
					return err
				}
				answer, err := do(c.Context(), s, caller, args[0])
				if err != nil {
					return err
				}
				return errors.Join(printOrder(c, answer.Order), told(answer))
			})
		},
	}
	c.Flags().StringVar(&a.attempt, "attempt", "", "which attempt; without it, the one that it can be about")
	c.Flags().StringVar(&a.why, "reason", "", "why; the order's timeline keeps it")
	_ = c.MarkFlagRequired("reason")
	return c
}

// readAmount reads the flags of a command that has them.
func (a *act) readAmount(c *cobra.Command) (err error) {
	switch {
	case c.Flags().Lookup("amount") == nil:
	case a.all:
		a.money = ledger.All()
	default:
		a.money, err = ledger.ParseMinor(a.amount)
	}
	return err
}

func printOrder(c *cobra.Command, o *ledger.Order) error {
	_, err := fmt.Fprintln(c.OutOrStdout(), string(api.Render(o)))
	return err
}

// told is how the act itself ended, where that is not well.
func told(a payments.Answer) error {
	op := a.Operation
	switch {
	case op.Open():
		return fmt.Errorf("the outcome of the %s is unknown: the hub finds it out; `hub order show %s` tells", op.Kind, a.Order.ID)
	case op.Outcome == ledger.OutcomeNotSent:
		return fmt.Errorf("the provider could not be reached and nothing was sent: try again")
	case op.Outcome == ledger.OutcomeDeclined && op.Failure != nil:
		return fmt.Errorf("the provider refused the %s: %s: %s", op.Kind, op.Failure.Code, op.Failure.Message)
	case op.Outcome == ledger.OutcomeDeclined:
		return fmt.Errorf("the provider refused the %s", op.Kind)
	}
	return nil
}

// withProvidersOf runs what asks the providers of an order. They are started
// for it, beside those of a hub that may be running.
func withProvidersOf(ctx context.Context, orderID string, do func(*payments.Service) error) error {
	return withClock(ctx, func(h *hub, db *postgres.DB, now *clock.Clock) error {
		o, err := db.Order(ctx, "", orderID)
		if err != nil {
			return payments.NotFound(err, "order")
		}
		configs, err := h.providers(ctx, db)
		if err != nil {
			return err
		}
		configs = slices.DeleteFunc(configs, func(p providers.Config) bool {
			return !slices.ContainsFunc(o.Attempts, func(a *ledger.Attempt) bool { return a.Provider == p.Name })
		})
		registry, err := h.registry(h.config.PluginFolders(), h.log, configs)
		if err != nil {
			return err
		}
		defer func() {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.config.Server.ShutdownTimeout)
			defer cancel()
			registry.Stop(stop)
		}()
		if err := errors.Join(registry.Start(ctx), h.checkTimeScale(registry)); err != nil {
			return err
		}
		return do(payments.New(payments.Options{
			DB: db, Providers: registry, PublicURL: h.config.Server.PublicURL, CallTimeout: h.config.CallTimeout,
			Now: now.Now, CheckClock: now.Trusted, OrderTTL: h.config.OrderTTL, TimeScale: h.config.TimeScale, Logger: h.log, Render: api.Render,
		}))
	})
}
