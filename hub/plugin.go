package main

import "github.com/spf13/cobra"

func pluginCommand() *cobra.Command {
	c := &cobra.Command{Use: "plugin", Short: "Write, try, examine, install and show plugins"}
	c.AddCommand(pluginNewCommand(), pluginDevCommand(), pluginCheckCommand(), pluginInstallCommand(), pluginListCommand())
	return c
}
