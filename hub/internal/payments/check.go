package payments

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/sdk"
)

// Limits of a request. They are generous for people and small for machines.
const (
	maxLineItems = 100
	maxMetadata  = 40
)

// checkOrder checks what does not depend on the flow; it returns the
// currency's exponent.
func (s *Service) checkOrder(in CheckoutInput, mode sdk.Mode) (int, error) {
	if err := ledger.Minor(in.Amount).Check(); err != nil {
		return 0, err
	}
	exponent, ok := sdk.Exponent(in.Currency)
	if !ok {
		return 0, ledger.Invalidf("currency", "must be an ISO 4217 code in upper case, as USD")
	}
	for _, t := range []struct {
		param, value string
		max          int
		required     bool
	}{
		{"reference", in.Reference, 200, true},
		{"description", in.Description, 500, false},
	} {
		if err := checkText(t.param, t.value, t.max, t.required); err != nil {
			return 0, err
		}
	}
	if at := strings.IndexFunc(in.Reference, unseen); at >= 0 {
		r, _ := utf8.DecodeRuneInString(in.Reference[at:])
		return 0, ledger.Invalidf("reference", "has a character that nobody sees, U+%04X: two references that look the same would be two orders", r)
	}
	if err := checkCustomer(in.Customer); err != nil {
		return 0, err
	}
	if err := checkURL("return_url", in.ReturnURL, mode); err != nil {
		return 0, err
	}
	if err := checkURL("cancel_url", in.CancelURL, mode); err != nil {
		return 0, err
	}
	if now := s.now(); !in.ExpiresAt.IsZero() && (in.ExpiresAt.Before(now.Add(time.Minute)) || in.ExpiresAt.After(now.AddDate(0, 0, 90))) {
		return 0, ledger.Invalidf("expires_at", "must lie between one minute and 90 days ahead")
	}
	if err := checkLineItems(in.LineItems); err != nil {
		return 0, err
	}
	return exponent, checkMetadata(in.Metadata)
}

func checkLineItems(items []sdk.LineItem) error {
	if len(items) > maxLineItems {
		return ledger.Invalidf("line_items", "at most %d", maxLineItems)
	}
	for _, l := range items {
		if err := checkText("line_items.name", l.Name, 200, true); err != nil {
			return err
		}
		if l.Quantity < 1 || l.Quantity > 1_000_000 {
			return ledger.Invalidf("line_items.quantity", "must be between 1 and 1000000")
		}
		if l.Amount < 0 || l.Amount > ledger.MaxAmount {
			return ledger.Invalidf("line_items.amount", "must not be negative, and at most %d minor units", int64(ledger.MaxAmount))
		}
	}
	return nil
}

func checkMetadata(m map[string]string) error {
	if len(m) > maxMetadata {
		return ledger.Invalidf("metadata", "at most %d keys", maxMetadata)
	}
	for k, v := range m {
		if err := checkText("metadata key", k, 40, true); err != nil {
			return err
		}
		if strings.HasPrefix(k, "superpay_") {
			return ledger.Invalidf("metadata", "keys that begin with superpay_ belong to the hub")
		}
		if err := checkText("metadata."+k, v, 500, false); err != nil {
			return err
		}
	}
	return nil
}

// checkText bounds a text; control characters have no place in any of them.
func checkText(param, v string, limit int, required bool) error {
	switch {
	case required && strings.TrimSpace(v) == "":
		return ledger.Invalidf(param, "is required")
	case len(v) > limit:
		return ledger.Invalidf(param, "is longer than %d bytes", limit)
	case !utf8.ValidString(v):
		return ledger.Invalidf(param, "is not valid UTF-8")
	case strings.IndexFunc(v, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) >= 0:
		return ledger.Invalidf(param, "contains control characters")
	}
	return nil
}

// unseen reports whether a character of a name shows nothing, or only a space that
// is not the ordinary one.
func unseen(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) || unicode.IsSpace(r) && r != ' ' }

func checkCustomer(c sdk.Customer) error {
	if err := checkText("customer.email", c.Email, 320, false); err != nil {
		return err
	}
	if c.Email != "" && (strings.Count(c.Email, "@") != 1 || strings.ContainsAny(c.Email, " ,;<>")) {
		return ledger.Invalidf("customer.email", "is not an e-mail address")
	}
	return checkText("customer.name", c.Name, 200, false)
}

// checkURL demands https; plain http only leads to this machine, in test mode.
func checkURL(param, v string, mode sdk.Mode) error {
	if v == "" {
		return nil
	}
	if err := checkText(param, v, 2000, true); err != nil {
		return err
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ledger.Invalidf(param, "must be an absolute https URL")
	}
	if u.Scheme == "http" && (mode != sdk.Test || !loopback(u.Hostname())) {
		return ledger.Invalidf(param, "must be https; plain http is only for localhost, in test mode")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkFlow checks provider-specific input against what the plugin declares,
// and fills in defaults.
func checkFlow(d sdk.Description, in *AttemptInput, amount sdk.Money) (sdk.Flow, error) {
	flow, ok := d.Flow(in.Flow)
	if !ok {
		return flow, ledger.Invalidf("flow", "provider %s has no flow %q; GET /v1/providers lists them", in.Provider, in.Flow)
	}
	if in.Capture == "" {
		in.Capture = sdk.CaptureAutomatic
	}
	if !slices.Contains(flow.CaptureModes, in.Capture) {
		return flow, ledger.Invalidf("capture", "flow %s offers %v", flow.Name, flow.CaptureModes)
	}
	if len(flow.Currencies) > 0 && !slices.Contains(flow.Currencies, amount.Currency) {
		return flow, ledger.Invalidf("currency", "flow %s does not offer %s", flow.Name, amount.Currency)
	}
	for _, r := range flow.Amounts {
		if !r.Holds(amount) {
			return flow, ledger.Invalidf("amount", "flow %s takes %s; this is %s", flow.Name, r, amount)
		}
	}
	input, err := checkInput(flow.Inputs, in.Input)
	in.Input = input
	return flow, err
}

// checkInput checks values against declared fields; the result has the defaults.
func checkInput(fields []sdk.Field, input map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for name, v := range input {
		i := slices.IndexFunc(fields, func(f sdk.Field) bool { return f.Name == name })
		if i < 0 {
			return nil, ledger.Invalidf("input."+name, "is not an input of this flow; GET /v1/providers lists them")
		}
		limit := fields[i].MaxLen
		if limit == 0 {
			limit = 500
		}
		if err := checkText("input."+name, v, limit, false); err != nil {
			return nil, err
		}
		if len(fields[i].Options) > 0 && v != "" && !slices.Contains(fields[i].Options, v) {
			return nil, ledger.Invalidf("input."+name, "must be one of %s", strings.Join(fields[i].Options, ", "))
		}
		if v != "" {
			out[name] = v
		}
	}
	for _, f := range fields {
		if out[f.Name] == "" && f.Default != "" {
			out[f.Name] = f.Default
		}
		if out[f.Name] == "" && f.Required {
			return nil, ledger.Invalidf("input."+f.Name, "is required")
		}
	}
	return out, nil
}
