package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// rollRows is how many rows `hub encryption roll` reads at once, and rewrites
// in one statement.
const rollRows = 200

func encryptionCommand() *cobra.Command {
	c := &cobra.Command{Use: "encryption", Short: "The key that secrets in the database are encrypted with"}
	c.AddCommand(&cobra.Command{
		Use: "roll", Short: "Encrypt everything with the newest key, so that the older ones can be dropped", Args: cobra.NoArgs,
		Long: `Encrypt everything with the newest key, so that the older ones can be dropped.

 1. Give every hub both keys in HUB_ENCRYPTION_KEY, the old one first: OLD,NEW
 2. then the new one first: NEW,OLD
 3. Run this command with NEW,OLD. It works beside the hubs, in small batches,
    and can be broken off and begun again.
 4. When it says so, give every hub NEW alone.

With one hub, or with all of them stopped at once, step 1 is not needed: it is
there so that no hub meets what another wrote with a key that it does not know.`,
		RunE: func(c *cobra.Command, _ []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error { return roll(c, db) })
		},
	})
	return c
}

// roll goes over everything twice: what the second time finds was written with
// an older key meanwhile.
func roll(c *cobra.Command, db *postgres.DB) error {
	out := c.OutOrStdout()
	lost, late := 0, 0
	for pass := range 2 {
		sums := map[string]postgres.Rolled{}
		err := db.RollKeys(c.Context(), rollRows, func(r postgres.Rolled) {
			sums[r.Column] = r
			if r.Seen > 0 && pass == 0 {
				fmt.Fprintf(out, "%s: %d seen, %d rewritten\n", r.Column, r.Seen, r.Rewritten)
			}
		})
		if err != nil {
			return fmt.Errorf("%w; what is done is done: run it again", err)
		}
		lost, late = 0, 0
		for _, r := range sums {
			lost, late = lost+r.Lost, late+r.Rewritten
		}
	}
	switch {
	case lost > 0:
		return fmt.Errorf("%d values cannot be opened with any of these keys: add the key that they were written with to HUB_ENCRYPTION_KEY, and run it again", lost)
	case late > 0:
		return fmt.Errorf("%d values were written with an older key meanwhile: a hub still has it first in HUB_ENCRYPTION_KEY. Put the new key first there, restart it, and run this again", late)
	}
	_, err := fmt.Fprintln(out, "everything is encrypted with the newest key: the older ones can be dropped from HUB_ENCRYPTION_KEY")
	return err
}
