package sdk

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
)

// Alteration is an inbound call as somebody could forge it after a genuine one.
type Alteration struct {
	What    string // in words, for people
	Request CallbackRequest
	// Outside is set where what was altered is not in the body. The plugin may read
	// the call as it read the genuine one, because it looks at none of that.
	Outside bool
}

// alteredBytes is how many bytes of a body are altered, one in each copy.
const alteredBytes = 16

// Alterations are copies of a genuine call, each altered in one place: in its body, in
// the method, the path, the query or a header. A plugin whose proof is
// ProofSignedBody believes none of them more than the genuine one: see Believed.
func Alterations(r CallbackRequest) []Alteration {
	var all []Alteration
	body := func(what string, b []byte) {
		altered := r
		altered.Body = b
		all = append(all, Alteration{What: what, Request: altered})
	}
	body("with an empty body", nil)
	body("with another body", []byte(`{"id":"evt_forged"}`))
	body("with one byte more", append(bytes.Clone(r.Body), '\n'))
	for i := 0; i < len(r.Body); i += max(1, len(r.Body)/alteredBytes) {
		b := bytes.Clone(r.Body)
		b[i] ^= 1
		body(fmt.Sprintf("with one bit of byte %d altered", i), b)
	}
	outside := func(what string, change func(*CallbackRequest)) {
		altered := r
		altered.Headers = slices.Clone(r.Headers)
		change(&altered)
		all = append(all, Alteration{What: what, Request: altered, Outside: true})
	}
	outside("by another method", func(r *CallbackRequest) { r.Method = otherThan(r.Method, "POST", "PUT") })
	outside("to another path", func(r *CallbackRequest) { r.Path += "/paid" })
	outside("without its query", func(r *CallbackRequest) { r.Query = "" })
	outside("with more in its query", func(r *CallbackRequest) { r.Query = joined(r.Query, "status=paid&paid=true&id=forged") })
	outside("with another query", func(r *CallbackRequest) { r.Query = alteredText(r.Query) })
	outside("without headers", func(r *CallbackRequest) { r.Headers = nil })
	for i, h := range r.Headers {
		outside("without the header "+h.Name, func(r *CallbackRequest) { r.Headers = slices.Delete(r.Headers, i, i+1) })
		outside("with another header "+h.Name, func(r *CallbackRequest) { r.Headers[i].Value = alteredText(h.Value) })
	}
	return all
}

// Believed reports whether a plugin believes an altered call more than it may: what
// was altered in the body is Genuine all the same, or what was altered outside of it
// is Genuine and says something else than the genuine call did.
func (a Alteration) Believed(genuine, altered *CallbackResult) bool {
	return altered.Verdict == Genuine && (!a.Outside || !reflect.DeepEqual(genuine, altered))
}

func otherThan(a, b, c string) string {
	if a == b {
		return c
	}
	return b
}

func joined(query, more string) string {
	if query == "" {
		return more
	}
	return query + "&" + more
}

// alteredText is a text with its last character changed.
func alteredText(s string) string {
	if s == "" {
		return "x"
	}
	last := s[len(s)-1] ^ 1
	return s[:len(s)-1] + string(rune(last&0x7f))
}
