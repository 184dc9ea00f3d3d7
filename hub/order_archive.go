package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/postgres"
)

func archiveCommand() *cobra.Command {
	var before, to string
	c := &cobra.Command{
		Use: "archive --before DATE --to FILE", Short: "Move the timelines of old orders into a file", Args: cobra.NoArgs,
		Long: `Move the timelines of old orders into a file (gzip, one order a line): of orders
that nothing happened to since that day, and that wait for nothing. They are a third
of the database, and PostgreSQL uses their room again. Orders, money, operations and
the books stay; one line stays in each timeline, which names the file. 'hub order
restore' puts them back. Hubs may run meanwhile. If this is broken off, run it again
with another file.`,
		Example: `  hub order archive --before 2025-01-01 --to timelines-2024.jsonl.gz`,
		RunE: func(c *cobra.Command, _ []string) error {
			day, err := time.Parse(time.DateOnly, before)
			if youngest := time.Now().AddDate(0, 0, -postgres.ArchiveDays); err != nil || !day.Before(youngest) {
				return fmt.Errorf("--before %s: want a day before %s, as 2025-01-01", before, youngest.Format(time.DateOnly))
			}
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				f, err := create(to)
				if err != nil {
					return fmt.Errorf("--to: %w", err)
				}
				defer f.Close()
				var orders, lines int
				err = db.ArchiveTimelines(c.Context(), day, person(), filepath.Base(to), func(all []postgres.Timeline) error { return keep(f, all) },
					func(o, l int) { orders, lines = orders+o, lines+l })
				fmt.Fprintf(c.OutOrStdout(), "%d lines of %d orders are in %s now, and no longer in the database\n", lines, orders, to)
				return errors.Join(err, f.Close())
			})
		},
	}
	c.Flags().StringVar(&before, "before", "", "the day (UTC), three months ago or more, from which on nothing may have happened to an order")
	c.Flags().StringVar(&to, "to", "", "the file, which must not exist yet")
	_ = c.MarkFlagRequired("before")
	_ = c.MarkFlagRequired("to")
	return c
}

// create makes a file that is there after a power cut, too.
func create(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = folder.Sync()
		_ = folder.Close()
	}
	if err != nil && runtime.GOOS != "windows" { // which has no such thing
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// keep writes some timelines to disk, as a member of the file that can be read
// whatever comes after it.
func keep(f *os.File, all []postgres.Timeline) error {
	z := gzip.NewWriter(f)
	lines := json.NewEncoder(z)
	for _, t := range all {
		if err := lines.Encode(t); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Sync()
}

// restoreStep is how many orders are put back at once.
const restoreStep = 500

func restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Put the timelines back that 'hub order archive' moved into a file", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withDatabase(c.Context(), func(_ *hub, db *postgres.DB) error {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				var orders, strangers int
				err = read(f, func(all []postgres.Timeline) error {
					n, err := db.RestoreTimelines(c.Context(), all)
					orders, strangers = orders+len(all)-n, strangers+n
					return err
				})
				fmt.Fprintf(c.OutOrStdout(), "the timelines of %d orders are in the database\n", orders)
				if strangers > 0 {
					err = errors.Join(err, fmt.Errorf("%d more are of orders that this database does not have", strangers))
				}
				return err
			})
		},
	}
}

// read gives the timelines of a file, some at a time.
func read(f io.Reader, each func([]postgres.Timeline) error) error {
	z, err := gzip.NewReader(f)
	if errors.Is(err, io.EOF) {
		return nil // nothing was archived
	}
	if err != nil {
		return fmt.Errorf("this is no archive of timelines: %w", err)
	}
	var some []postgres.Timeline
	for lines := bufio.NewReader(z); ; {
		line, err := lines.ReadBytes('\n')
		if err == nil {
			var t postgres.Timeline
			if err := json.Unmarshal(line, &t); err != nil || t.OrderID == "" {
				return fmt.Errorf("this is no archive of timelines: %.80q", line)
			}
			if some = append(some, t); len(some) < restoreStep {
				continue
			}
		}
		if len(some) > 0 {
			if failed := each(some); failed != nil {
				return failed
			}
		}
		switch some = nil; {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case err != nil:
			return fmt.Errorf("the file ends in the middle (%w): what was cut off was never taken out of the database", err)
		}
	}
}
