package plugintest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// browser does not follow: a redirect leads back to a shop that is not there.
var browser = http.Client{
	Timeout:       patience,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// press sends one request as the payer's browser, and keeps what later steps need.
func (a *attempt) press(name string, step Step) {
	a.Helper()
	text := func(s string) string {
		filled, err := fill(s, a.vars)
		a.must("exam.json: "+name, err)
		return filled
	}
	body, form := text(step.Body), url.Values{}
	for k, v := range step.Form {
		form.Set(k, text(v))
	}
	method := step.Method
	if method == "" && (len(form) > 0 || body != "") {
		method = http.MethodPost
	}
	if len(form) > 0 {
		body = form.Encode()
	}
	r, err := http.NewRequestWithContext(a.Context(), method, text(step.URL), strings.NewReader(body))
	a.must("exam.json: "+name, err)
	if len(form) > 0 {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range step.Headers {
		r.Header.Set(k, text(v))
	}
	res, err := browser.Do(r)
	a.must("exam.json: "+name, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	a.must("exam.json: "+name, err)
	seen := res.Header.Get("Location") + "\n" + string(answer)
	switch {
	case res.StatusCode >= 500, res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusMethodNotAllowed:
		a.fatalf("exam.json: %s: %s %s answers %s: %.300s", name, r.Method, r.URL, res.Status, answer)
	}
	if to, query, ok := strings.Cut(res.Header.Get("Location"), "?"); ok && to == a.request.URLs.Return {
		a.back = &sdk.Return{Method: http.MethodGet, Query: query}
	}
	for variable, pattern := range step.Keep {
		re, err := regexp.Compile(pattern)
		a.must("exam.json: "+name+": keep "+variable, err)
		found := re.FindStringSubmatch(seen)
		if len(found) < 2 {
			a.fatalf("exam.json: %s: keep %s: nothing matches %q in the answer %s: %.300s", name, variable, pattern, res.Status, seen)
		}
		a.vars[variable] = found[1]
	}
}

// later lets happen at the provider what the case says happens afterwards.
func (a *attempt) later() {
	a.Helper()
	for i, step := range a.which.Then {
		a.know()
		a.press(fmt.Sprintf("then[%d]", i), step)
	}
}

// know fills in what the steps of Then may name: the payment's capture, refund and
// dispute. The stand-in says so, for a plugin may be blind.
func (a *attempt) know() {
	a.Helper()
	books := a.books()
	for name, entries := range map[string][]standin.Entry{"capture": books.Captures, "refund": books.Refunds, "dispute": books.Disputes} {
		for _, e := range entries {
			if a.owns(e) {
				a.vars[name] = e.ID
			}
		}
	}
}

// owns reports whether an entry of the stand-in's books is of this payment.
func (a *attempt) owns(e standin.Entry) bool {
	return slices.ContainsFunc(a.payment.Refs, func(r sdk.Ref) bool { return r.Value == e.PaymentID || r.Value == e.ID })
}
