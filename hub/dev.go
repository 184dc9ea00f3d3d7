package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/dev"
	"github.com/superpayhub/superpay/hub/internal/devpg"
)

// devStop bounds the end of `hub dev`: what is not over by then is killed.
const devStop = 9 * time.Second

func devCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine: PostgreSQL, the providers' stand-ins, the hub, a shop",
		Long: `Run everything on this machine: PostgreSQL, the providers' stand-ins, the hub, a shop.

  PORT                 of the hub; default 58081, 0 picks a free one; the shop and
                       the stand-ins take the two after it, if they are free
  DATA_DIR             where everything is kept between runs; default
                       ` + usualDir() + `
  HUB_DATABASE_URL     a PostgreSQL of your own
  STRIPE_SECRET_KEY    with STRIPE_WEBHOOK_SECRET: Stripe's test mode instead of the stand-in
  HUB_...              any other setting of the hub

While it runs, commands find its database with --dev: hub --dev app list`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDev(c.Context(), c.OutOrStdout()) },
	}
}

func runDev(ctx context.Context, out io.Writer) error {
	o, err := devOptions()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Data folder:", o.DataDir)
	o.LogWriter = os.Stderr
	house, err := dev.Start(ctx, o)
	if err != nil && ctx.Err() != nil {
		return nil // told to end while it started
	}
	if err != nil {
		return err
	}
	if err := house.Announce(); err != nil {
		return errors.Join(err, stopDev(house))
	}
	banner(out, house, o)
	select {
	case err = <-house.Died():
		err = fmt.Errorf("%w; stopping everything", err)
	case <-ctx.Done():
		fmt.Fprintln(out, "\nStopping ...")
	}
	return errors.Join(err, stopDev(house))
}

func stopDev(house *dev.House) error {
	ctx, cancel := context.WithTimeout(context.Background(), devStop)
	defer cancel()
	return house.Stop(ctx)
}

// devDir is the data folder of `hub dev`.
func devDir() string { return cmp.Or(os.Getenv("DATA_DIR"), usualDir()) }

// usualDir is the data folder unless another is named. The stand-in's payments
// mean nothing to Stripe: each has a folder of its own.
func usualDir() string {
	folder := "dev"
	if os.Getenv("STRIPE_SECRET_KEY") != "" {
		folder = "dev-stripe"
	}
	return filepath.Join(devpg.DefaultDir(), folder)
}

func devOptions() (dev.Options, error) {
	program, err := os.Executable()
	if err != nil {
		return dev.Options{}, err
	}
	o := dev.Options{
		BinDir:               filepath.Dir(program),
		DataDir:              devDir(),
		BasePath:             strings.TrimSuffix(os.Getenv("HUB_SERVER__BASE_PATH"), "/"),
		DatabaseURL:          os.Getenv("HUB_DATABASE_URL"),
		Shop:                 true,
		StripeSecretKey:      os.Getenv("STRIPE_SECRET_KEY"),
		StripeWebhookSecret:  os.Getenv("STRIPE_WEBHOOK_SECRET"),
		StripePublishableKey: os.Getenv("STRIPE_PUBLISHABLE_KEY"),
	}
	if o.Port, err = strconv.Atoi(cmp.Or(os.Getenv("PORT"), "58081")); err != nil || o.Port < 0 || o.Port > 65535 {
		return o, errors.New("PORT must be a port number, as 58081; 0 picks a free one")
	}
	switch {
	case o.StripeSecretKey == "" && o.StripeWebhookSecret != "":
		return o, errors.New("STRIPE_WEBHOOK_SECRET is set without STRIPE_SECRET_KEY: set both for Stripe itself, none for the stand-in")
	case o.StripeSecretKey != "" && o.StripeWebhookSecret == "":
		return o, fmt.Errorf("STRIPE_WEBHOOK_SECRET is missing: `stripe listen --forward-to localhost:%d%s/callback/stripe` prints it", o.Port, o.BasePath)
	case strings.Contains(o.StripeSecretKey, "_live_"):
		return o, errors.New("STRIPE_SECRET_KEY is a live key: `hub dev` takes only test keys, which begin with sk_test_")
	}
	return o, nil
}

// banner says what to do now, to somebody who has never seen this before.
func banner(out io.Writer, h *dev.House, o dev.Options) {
	row := func(what, value string) { fmt.Fprintf(out, "  %-11s %s\n", what, value) }
	fmt.Fprintln(out, "\nSuperpay is up.")
	fmt.Fprintln(out)
	row("Open", h.ShopURL)
	row("Pay with", "4242 4242 4242 4242, any future date, any CVC")
	fmt.Fprintln(out)
	row("Console", h.Console.URL)
	row("Sign in", h.Console.Email+"  "+h.Console.Password)
	fmt.Fprintln(out)
	row("API", h.BaseURL())
	row("API key", h.APIKey)
	row("API docs", h.BaseURL()+"/docs")
	if h.SandboxURL != "" {
		row("Stripe is", h.SandboxURL+"/stripe/dashboard (a stand-in: no account, no real money)")
	} else {
		row("Stripe is", "the real one, in test mode; callbacks come to "+h.BaseURL()+"/callback/stripe")
	}
	row("Details", filepath.Join(o.DataDir, "dev.json"))
	fmt.Fprintln(out, "\nCtrl-C stops it.")
	fmt.Fprintln(out)
}
