package console

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"

	"github.com/superpayhub/superpay/sdk"
)

// secretName are names of headers and fields whose values let in whoever has
// them, or would let them sign.
var secretName = regexp.MustCompile(`(?i)signature|secret|token|authorization|cookie|password|api.?key|private.?key|transmission-sig|^sig$|[-_]sig$`)

// secretValue are values that show by themselves what they are.
var secretValue = regexp.MustCompile(`(?:(?:sk|rk|spk|whsec)_|[a-z]+_[A-Za-z0-9]+_secret_)[A-Za-z0-9_+/=-]{8,}|(?i:Bearer|Basic) [A-Za-z0-9._~+/=-]{8,}`)

// masked hides a secret but for its last four characters, by which it can be
// told from others. A short one is hidden whole.
func masked(value string) string {
	if runes := []rune(value); len(runes) >= 12 {
		return "••••" + string(runes[len(runes)-4:])
	}
	return "••••"
}

// maskText hides what looks like a secret anywhere in a text.
func maskText(text string) string { return secretValue.ReplaceAllStringFunc(text, masked) }

// maskHeaders are the lines as they came, without the secrets.
func maskHeaders(headers []sdk.Header) []sdk.Header {
	out := make([]sdk.Header, len(headers))
	for i, h := range headers {
		if out[i] = (sdk.Header{Name: h.Name, Value: maskText(h.Value)}); secretName.MatchString(h.Name) {
			out[i].Value = masked(h.Value)
		}
	}
	return out
}

var jsonPair = regexp.MustCompile(`("(?:[^"\\]|\\.)*")(\s*:\s*)("(?:[^"\\]|\\.)*")`)

// maskBody is a body as it came, without the secrets: JSON with a field a line,
// in the order that it had; a form field by field; else as a text.
func maskBody(body []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, body, "", "  ") == nil {
		text := jsonPair.ReplaceAllStringFunc(out.String(), func(pair string) string {
			m := jsonPair.FindStringSubmatch(pair)
			var name, value string
			if json.Unmarshal([]byte(m[1]), &name) != nil || json.Unmarshal([]byte(m[3]), &value) != nil || value == "" || !secretName.MatchString(name) {
				return pair
			}
			return m[1] + m[2] + `"` + masked(value) + `"`
		})
		return maskText(text)
	}
	if bytes.ContainsRune(body, '=') && !bytes.ContainsAny(body, " \n<{") {
		return maskForm(string(body))
	}
	return maskText(string(body))
}

// maskForm hides the secrets of a form or of an address's query.
func maskForm(text string) string {
	fields := strings.Split(text, "&")
	for i, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		if plain, err := url.QueryUnescape(name); err != nil || secretName.MatchString(plain) {
			fields[i] = name + "=" + masked(value)
		}
	}
	return maskText(strings.Join(fields, "&"))
}
