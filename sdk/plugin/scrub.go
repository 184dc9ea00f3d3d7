package plugin

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// minSecret is the shortest value that is taken for a secret: replacing "a"
// everywhere would hide the text and not the value.
const minSecret = 6

// Scrubber replaces the secrets of a provider's settings by "[secret]". A nil
// Scrubber replaces nothing.
type Scrubber struct{ replacer *strings.Replacer }

// NewScrubber knows the values of the fields flagged Secret, and of settings
// that are no declared field: a secret under a mistyped name is one too.
func NewScrubber(fields []sdk.Field, settings sdk.Settings) *Scrubber {
	open := map[string]bool{}
	for _, f := range fields {
		open[f.Name] = !f.Secret
	}
	var secrets []string
	for name, value := range settings {
		if !open[name] {
			secrets = append(secrets, spellings(value)...)
		}
	}
	// Longest first: a secret that begins with another is replaced whole.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, "[secret]")
	}
	return &Scrubber{strings.NewReplacer(pairs...)}
}

// Text returns the text without the secrets.
func (s *Scrubber) Text(text string) string {
	if s == nil {
		return text
	}
	return s.replacer.Replace(text)
}

// spellings lists how a secret may appear: as it is, in a URL, inside a JSON
// string, and line by line where it has several (a PEM key).
func spellings(secret string) []string {
	var quoted bytes.Buffer
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	_ = e.Encode(secret) // a string always encodes

	all := append(strings.Split(secret, "\n"),
		secret, strings.TrimSpace(secret), url.QueryEscape(secret), url.PathEscape(secret),
		strings.Trim(strings.TrimSpace(quoted.String()), `"`))
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return len(s) < minSecret })
}
