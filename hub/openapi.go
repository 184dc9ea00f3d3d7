package main

import (
	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/api"
)

func openapiCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the API's OpenAPI document",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(api.OpenAPI())
			return err
		},
	}
}
