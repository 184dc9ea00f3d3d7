package telemetry

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Hidden stands where a secret was.
const Hidden = "[secret]"

// minSecret keeps a short value, which may be an ordinary word, from blanking
// the log.
const minSecret = 6

// Secrets are values that must not be logged. More may be added at any time.
type Secrets struct {
	mu       sync.Mutex
	known    map[string]bool
	replacer atomic.Pointer[strings.Replacer]
}

// Add registers values, in every spelling that a log gives them: plain or
// escaped in a URL, each of them quoted by an error, by the log, or by both.
func (s *Secrets) Add(values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]bool{}
	}
	for _, v := range values {
		if len(v) < minSecret {
			continue
		}
		for _, plain := range []string{v, url.QueryEscape(v), url.PathEscape(v), url.UserPassword("", v).String()[1:]} {
			for _, spelled := range []string{plain, quoted(plain), quoted(quoted(plain)), inJSON(plain), inJSON(quoted(plain))} {
				s.known[spelled] = true
			}
		}
	}
	all := make([]string, 0, len(s.known))
	for v := range s.known {
		all = append(all, v)
	}
	// The longest first: a secret may begin as another one does.
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(all))
	for _, v := range all {
		pairs = append(pairs, v, Hidden)
	}
	s.replacer.Store(strings.NewReplacer(pairs...))
}

// quoted is what %q makes of a text, without the quotes.
func quoted(v string) string {
	q := strconv.Quote(v)
	return q[1 : len(q)-1]
}

// inJSON is what JSON makes of it; slog leaves <, > and & as they are.
func inJSON(v string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // a string: cannot fail
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(b.String()), `"`), `"`)
}

// Scrub replaces every registered value.
func (s *Secrets) Scrub(text string) string {
	if r := s.replacer.Load(); r != nil {
		return r.Replace(text)
	}
	return text
}

// Writer scrubs what is written through it, a whole record at a time.
func (s *Secrets) Writer(w io.Writer) io.Writer { return scrubbing{s, w} }

type scrubbing struct {
	secrets *Secrets
	to      io.Writer
}

func (w scrubbing) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.to, w.secrets.Scrub(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

var (
	secretWords = []string{"secret", "password", "passwd", "token", "key", "authorization", "cookie", "credential", "signature"}
	publicNames = []string{"publishable", "public", "idempotency", "hint"}
)

// SecretName reports whether a setting or an attribute of that name is to be
// hidden whatever its value.
func SecretName(name string) bool {
	name = strings.ToLower(name)
	in := func(words []string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
	}
	return in(secretWords) && !in(publicNames)
}
