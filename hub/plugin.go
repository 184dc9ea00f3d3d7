package main

import "github.com/spf13/cobra"

func pluginCommand() *cobra.Command {
	c := &cobra.Command{Use: "plugin", Short: "Write, examine, install and show plugins"}
	c.AddCommand(pluginNewCommand(), pluginCheckCommand(), pluginInstallCommand(), pluginListCommand())
	return c
}
