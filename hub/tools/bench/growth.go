package main

import (
	"context"
	"fmt"
	"math"
	"strings"
)

// growth measures the hub alone with more and more orders in its database, each
// with the ten lines of a paid one, and draws what an operation costs.
func growth(ctx context.Context, b *bench) error {
	works := []string{"checkout", "callback", "refund", "order read", "order list, 20"}
	cost := map[string][]float64{}
	for _, size := range b.sizes {
		if err := b.grow(ctx, size); err != nil {
			return err
		}
		var bytes int64
		if err := b.db.QueryRowContext(ctx, `SELECT pg_database_size(current_database())`).Scan(&bytes); err != nil {
			return err
		}
		fmt.Printf("%d orders, %.1f GB\n", size, float64(bytes)/(1<<30))
		for _, r := range []*row{b.checkoutRow(usualClients), b.callbackRow(usualClients), b.refundRow(usualClients), b.readRow(usualClients), b.listRow(usualClients)} {
			r.entries = r.entries[:1]
			if err := b.measure(ctx, r); err != nil {
				return err
			}
			r.print()
			cost[r.work] = append(cost[r.work], r.entries[0].each(func(x result) float64 {
				return millis(x.usage.database) / max(1, float64(x.done))
			}).middle)
		}
	}
	fmt.Println("CPU of PostgreSQL for each operation, in ms, by the number of orders:")
	for _, w := range works {
		most := 0.0
		for _, c := range cost[w] {
			most = math.Max(most, c)
		}
		for i, c := range cost[w] {
			fmt.Printf("  %-16s %9d %7.3f %s\n", w, b.sizes[i], c, strings.Repeat("#", int(math.Round(40*c/math.Max(most, 1e-9)))))
		}
	}
	fmt.Println()
	return nil
}

// grow fills the database up to so many paid orders.
func (b *bench) grow(ctx context.Context, size int) error {
	var now int
	if err := b.db.QueryRowContext(ctx, `SELECT count(*) FROM orders`).Scan(&now); err != nil {
		return err
	}
	if size <= now {
		return nil
	}
	if _, _, err := b.copies(ctx, b.paid, size-now); err != nil {
		return err
	}
	_, err := b.db.ExecContext(ctx, `VACUUM (ANALYZE)`)
	return err
}
