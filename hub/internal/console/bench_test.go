package console

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/assets"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// BenchmarkTemplate renders the list of orders, a full page of them.
func BenchmarkTemplate(b *testing.B) {
	s := &server{Options: Options{Assets: assets.Load("/static")}, base: "/console"}
	all, err := s.parse()
	require.NoError(b, err)
	p := &page{Lang: "en", Zone: time.UTC, Now: time.Now().UTC(), base: s.base, Path: "/console/orders", User: &postgres.User{Name: "Ada", Email: "ada@example.com", Role: "admin"}}
	d := &ordersData{Filter: readOrderFilter(url.Values{}, p), More: true, Live: true}
	for i := range d.Filter.search.Limit {
		d.Rows = append(d.Rows, postgres.OrderRow{
			ID: fmt.Sprintf("ord_%026d", i), App: "shop", Reference: fmt.Sprint("invoice-", i), Status: "paid", Amount: 1050, Captured: 1050, Currency: "USD", Exponent: 2,
			Attention: json.RawMessage("[]"), Provider: "stripe", Flow: "checkout_session", Mode: "test", Email: "payer@example.com", CreatedAt: p.Now, UpdatedAt: p.Now,
		})
	}
	p.Data = d
	for b.Loop() {
		require.NoError(b, all["en"]["orders"].ExecuteTemplate(io.Discard, "layout", p))
	}
}
