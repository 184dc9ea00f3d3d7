package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// apiVersion is the one version the stand-in speaks; stripe-go v76 pins it.
const apiVersion = "2023-10-16"

// ownAccount is the account that the key is of. No other is connected to it.
const ownAccount = "acct_sandbox"

// call is one API request.
type call struct {
	*params
	s         *Server
	r         *http.Request
	id        string // from the path
	requestID string
	key       string
	paths     []string // to expand
	isList    bool
}

// verb carries out a call under the server's lock. It returns an object or a
// list to render.
type verb func(*call) (any, *apiError)

// api makes an endpoint of a verb that answers with objects of a kind.
func (s *Server) api(kind string, do verb) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{s: s, r: r, id: r.PathValue("id"), requestID: newID("req_"), key: r.Header.Get("Idempotency-Key")}
		w.Header().Set("Request-Id", c.requestID)
		w.Header().Set("Stripe-Version", apiVersion)
		if e := s.admit(r); e != nil {
			writeError(w, e)
			return
		}
		if e := s.permit(kind, r.Method); e != nil {
			writeError(w, e)
			return
		}
		c.isList = r.Method == http.MethodGet && c.id == ""
		if e := c.parse(kind); e != nil {
			writeError(w, e)
			return
		}
		if c.isList {
			if e := s.troubled(r.Context()); e != nil {
				writeError(w, e)
				return
			}
		}
		if r.Method != http.MethodPost || c.key == "" || s.off["idempotency"] {
			standin.Pause(r.Context())
			answer := s.run(c, do)
			write(w, answer.Status, answer.Body)
			return
		}
		w.Header().Set("Idempotency-Key", c.key)
		s.once(w, c, do)
	})
}

// once runs a call under its idempotency key, or replays the first answer.
func (s *Server) once(w http.ResponseWriter, c *call, do verb) {
	request := kept{Method: c.r.Method, Path: c.r.URL.Path, Params: withoutNumbers(c.values).Encode(), At: s.opts.Now()}
	first, e := s.state.Keys.take(c.key, request, s.turned().ReplayAny)
	switch {
	case e != nil:
		writeError(w, e)
		return
	case first != nil:
		w.Header().Set("Idempotent-Replayed", "true")
		write(w, first.Status, first.Body)
		return
	}
	var answer *kept
	defer func() { s.state.Keys.give(c.key, answer) }() // also when do panics
	standin.Pause(c.r.Context())
	ran := s.run(c, do)
	if ran.began {
		request.Status, request.Body = ran.Status, ran.Body
		answer = &request
	}
	write(w, ran.Status, ran.Body)
}

type ran struct {
	Status int
	Body   []byte
	began  bool
}

// run carries out a call and has its effects on disk before it is answered.
func (s *Server) run(c *call, do verb) ran {
	out := func() ran {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sweep()
		s.from = eventFrom{ID: text(c.requestID), IdempotencyKey: text(c.key)}
		defer func() { s.from = eventFrom{} }()
		if c.r.Method == http.MethodPost && s.state.full() {
			e := invalid("rate_limit", "", "The sandbox is full. Delete its state file to start afresh.")
			e.status = http.StatusTooManyRequests
			return failed(e)
		}
		obj, e := do(c)
		if e != nil {
			return failed(e)
		}
		if done, ok := obj.(map[string]any); ok {
			return ran{http.StatusOK, encode(done), true}
		}
		return ran{http.StatusOK, encode(s.render(obj, c.paths...)), true}
	}()
	if c.r.Method != http.MethodGet && out.began {
		s.saved()
	}
	return out
}

func failed(e *apiError) ran {
	return ran{e.status, encode(map[string]any{"error": e}), e.began}
}

// admit checks who asks and for which version.
func (s *Server) admit(r *http.Request) *apiError {
	key, _, ok := r.BasicAuth()
	if !ok {
		key, ok = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	if !ok || key == "" {
		e := invalid("", "", "You did not provide an API key. Provide it in the Authorization header, using Bearer auth.")
		e.status = http.StatusUnauthorized
		return e
	}
	if !same(key, s.opts.APIKey) {
		e := invalid("", "", "Invalid API Key provided: %s", masked(key))
		e.status = http.StatusUnauthorized
		return e
	}
	if version := r.Header.Get("Stripe-Version"); version != "" && version != apiVersion {
		return invalid("", "", "Invalid Stripe API version: %s. The sandbox serves %s only: have the client send `Stripe-Version: %s`.",
			version, apiVersion, apiVersion)
	}
	for _, header := range []string{"Stripe-Account", "Stripe-Context"} {
		if account := r.Header.Get(header); account != "" && account != ownAccount {
			e := invalid("account_invalid", "", "The provided key '%s' does not have access to account '%s' (or that account does not exist). "+
				"Application access may have been revoked.", masked(s.opts.APIKey), account)
			e.status = http.StatusForbidden
			return e
		}
	}
	if len(r.Header.Get("Idempotency-Key")) > 255 {
		return invalid("", "", "Idempotency keys can be up to 255 characters.")
	}
	return nil
}

// masked shows as little of a key as Stripe does, so an error can be logged.
func masked(key string) string {
	if len(key) < 16 {
		return "****"
	}
	return key[:8] + "****" + key[len(key)-4:]
}

func (c *call) parse(kind string) *apiError {
	values := c.r.URL.Query()
	if c.r.Method == http.MethodPost {
		body, err := io.ReadAll(io.LimitReader(c.r.Body, 1<<20))
		if err != nil {
			return invalid("", "", "The request body could not be read.")
		}
		read := func(body []byte) (url.Values, error) { return url.ParseQuery(string(body)) }
		if strings.HasPrefix(c.r.URL.Path, "/v2/") {
			read = formOf
		}
		if values, err = read(body); err != nil {
			return invalid("", "", "The request body could not be read: it is a form for API v1, and JSON for API v2.")
		}
	}
	c.params = newParams(values)
	c.paths = c.list("expand")
	kinds, e := expandedKinds(kind, c.paths, c.isList)
	for _, k := range kinds {
		if e == nil {
			e = c.s.permit(k, http.MethodGet)
		}
	}
	return e
}

// expandInList are the paths to expand in each object of a list.
func (c *call) expandInList() []string {
	inner := make([]string, len(c.paths))
	for i, path := range c.paths {
		inner[i] = strings.TrimPrefix(path, "data.")
	}
	return inner
}

func encode(v any) []byte {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err)
	}
	return data
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func writeError(w http.ResponseWriter, e *apiError) { write(w, e.status, failed(e).Body) }
