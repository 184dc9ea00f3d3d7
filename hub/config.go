package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/config"
)

func configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print a settings file with every setting, explained",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(c.OutOrStdout(), config.Example)
			return err
		},
	}
}
