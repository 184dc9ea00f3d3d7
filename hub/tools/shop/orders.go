package main

import (
	"net/http"
	"net/url"
	"strings"
)

// Limits of the list of orders.
const (
	listedOrders = 20
	readOrders   = 300
)

// orders lists the latest orders of this shop: other apps may share its key.
func (s *shop) orders(w http.ResponseWriter, r *http.Request) {
	type row struct {
		order
		Look        look
		Total, Made string
	}
	var rows []row
	cursor := ""
	for read := 0; read < readOrders && len(rows) < listedOrders; read += 100 {
		var page struct {
			Data []order
			Next string
		}
		if err := s.hub.get(r.Context(), "/v1/orders?limit=100"+cursor, &page); err != nil {
			s.failed(w, r, err, failedAs{What: "The orders could not be read"})
			return
		}
		for _, o := range page.Data {
			if o.sane() && strings.HasPrefix(o.Reference, referencePrefix) && len(rows) < listedOrders {
				rows = append(rows, row{o, o.look(), money(o.Amount, o.Currency, o.Exponent), o.CreatedAt.UTC().Format("2 Jan, 15:04")})
			}
		}
		if page.Next == "" {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
	s.render(w, r, http.StatusOK, "orders", rows)
}
