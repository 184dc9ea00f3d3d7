package main

import (
	"context"
	"fmt"
	"time"
)

// withPgbench adds PostgreSQL alone: the same statements by pgbench.
func (b *bench) withPgbench(r *row, record func(context.Context) (*script, error)) *row {
	if _, err := findPgbench(); err != nil {
		fmt.Printf("Without the rows of PostgreSQL alone: %v\n", err)
		return r
	}
	numbers := []int{r.clients}
	if r.clients > 32 {
		numbers = []int{32, r.clients} // its best is not always at the most clients
	}
	for _, clients := range numbers {
		r.entries = append(r.entries, b.pgbenchEntry(fmt.Sprintf("PostgreSQL alone, %d clients", clients), r.work, clients, record))
	}
	return r
}

func (b *bench) pgbenchEntry(name, work string, clients int, record func(context.Context) (*script, error)) *entry {
	var s *script
	var first, per int
	return &entry{
		name: name,
		prepare: func(ctx context.Context, n int) (err error) {
			if s == nil {
				if s, err = record(ctx); err != nil {
					return err
				}
			}
			per = max(1, n*2/3/clients)
			if first = b.copied + 1; work == "checkout" {
				b.copied += per * clients
				return nil
			}
			_, _, err = b.copies(ctx, b.open, per*clients)
			return err
		},
		run: func(ctx context.Context, _ int, _ time.Duration) (result, error) {
			return b.pgbench(ctx, s, clients, first-1, per)
		},
	}
}
