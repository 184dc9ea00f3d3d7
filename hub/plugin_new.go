package main

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/scaffold"
)

func pluginNewCommand() *cobra.Command {
	var o scaffold.Options
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Write the folder of a new plugin, which passes its exam at once",
		Example: `  hub plugin new acme                                        in this repository, as plugins/acme
  hub plugin new acme --dir ./acme --module example.com/acme  in a repository of its own`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.Name = args[0]
			o.Dir = cmp.Or(o.Dir, filepath.Join("plugins", o.Name))
			files, err := scaffold.Write(o)
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			for _, f := range files {
				fmt.Fprintln(out, f)
			}
			fmt.Fprintf(out, "\nNow: cd %s", o.Dir)
			if o.Module != "" {
				fmt.Fprint(out, ", say in go.mod where Superpay is, go mod tidy")
			}
			fmt.Fprintf(out, ", go test . and read README.md.\nTo pay with it, beside a running `hub dev` (make run): hub plugin dev %s\n", o.Dir)
			return nil
		},
	}
	c.Flags().StringVar(&o.Dir, "dir", "", "the folder to make; plugins/NAME if it is left out")
	c.Flags().StringVar(&o.Module, "module", "", "module path of a plugin outside this repository")
	return c
}
