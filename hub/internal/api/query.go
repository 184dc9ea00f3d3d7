package api

import (
	"net/url"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// strangeQuery returns what is wrong with the query of a request: a name that the
// call does not have, or one that is there twice. It would be ignored, and another
// thing done than was meant: a refund of all, a list of all orders.
func strangeQuery(ctx huma.Context) error {
	u := ctx.URL()
	if u.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return &huma.ErrorDetail{Location: "query", Message: "cannot be read: escape what is no letter, digit or one of -_.~"}
	}
	for name, values := range query {
		known := slices.ContainsFunc(ctx.Operation().Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name })
		switch {
		case !known:
			return &huma.ErrorDetail{Location: "query." + name, Message: "this call has no such parameter"}
		case len(values) > 1:
			return &huma.ErrorDetail{Location: "query." + name, Message: "is there more than once"}
		}
	}
	return nil
}
