package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/connect"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func providerConnectCommand() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use: "connect NAME", Short: "Make or mend the webhook endpoint at a provider, and check credentials and permissions", Args: cobra.ExactArgs(1),
		Long: `Make or mend the webhook endpoint at a provider: its address, its events and the
version of its API. Credentials and their permissions are checked on the way.

The secret or id of an endpoint that was made is stored, encrypted, where the console
keeps the provider's settings; hubs that run take it within seconds. Of a provider
that is set up in a file or the environment it is printed, once, to be put there.
It can be run again at any time: what is right stays as it is.`,
		Example: "  hub provider connect stripe\n  hub provider connect paypal --check",
		RunE: func(c *cobra.Command, args []string) error {
			return withDatabase(c.Context(), func(h *hub, db *postgres.DB) error {
				return h.connectProvider(c.Context(), db, args[0], !check, c.OutOrStdout())
			})
		},
	}
	c.Flags().BoolVar(&check, "check", false, "only look, and change nothing")
	return c
}

func (h *hub) connectProvider(ctx context.Context, db *postgres.DB, name string, repair bool, out io.Writer) error {
	configs, err := h.providers(ctx, db)
	if err != nil {
		return err
	}
	registry, err := h.registry(h.config.PluginFolders(), h.log, configs)
	if err != nil {
		return err
	}
	connector := h.connector(db, registry)
	do, action := connector.Look, "provider.check"
	if repair {
		do, action = connector.Repair, "provider.connect"
	}
	audit, act := byCommand(db, action, name)
	var result connect.Result
	err = audit.Do(ctx, act, func() error {
		result, err = do(ctx, name, act.Who)
		return err
	})
	h.printConnected(out, name, result)
	switch {
	case err != nil:
		return said(err)
	case !result.OK():
		return errors.New("something is not as it should be")
	}
	return nil
}

// printConnected shows what came of it. A secret that only a person can store is
// printed, because nobody can be told it again.
func (h *hub) printConnected(out io.Writer, name string, r connect.Result) {
	for _, f := range r.Findings {
		mark := "ok   "
		if !f.OK {
			mark = "WRONG"
		}
		fmt.Fprintf(out, "%s  %-12s %s\n", mark, f.Subject, f.Text)
	}
	if len(r.Stored) > 0 {
		fmt.Fprintf(out, "\nStored, encrypted: %s\n", strings.Join(r.Stored, ", "))
	}
	if len(r.ByHand) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s is set up in %s. Put this there, restart the hubs, and run this again:\n\n", name, h.config.ProviderOrigin(name))
	for _, field := range slices.Sorted(maps.Keys(r.ByHand)) {
		fmt.Fprintf(out, "    HUB_PROVIDERS__%s__SETTINGS__%s=%s\n", strings.ToUpper(name), strings.ToUpper(field), r.ByHand[field])
	}
}
