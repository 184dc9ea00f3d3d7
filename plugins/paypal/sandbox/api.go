package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// call is one API request.
type call struct {
	r    *http.Request
	id   string // from the path
	body []byte
	full bool // Prefer: return=representation

	strict bool // a field that PayPal does not know is refused
}

// object is anything PayPal gives an id and can be answered with. Without full
// it shows the little that return=minimal does.
type object interface {
	key() string
	render(s *Server, full bool) any
}

// answer is a verb's success. A body, if there is one, goes before obj.
type answer struct {
	status int
	obj    object
	body   any
}

// verb carries out a call under the server's lock.
type verb func(*call) (answer, *apiError)

// endpoint is a verb and how it deals with request ids.
type endpoint struct {
	do    verb
	keeps time.Duration // how long request ids are stored; 0 does not read them
	alone bool          // a second call on the path, whatever its id, is refused while one is in progress
	bare  bool          // it has no body, and needs no Content-Type
	quiet bool          // answers 204 and nothing, unless the whole object is asked for
}

const maxRequestID = 108

func (s *Server) api(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{
			r: r, id: r.PathValue("id"), full: strings.Contains(r.Header.Get("Prefer"), "return=representation"), strict: s.opts.Strict,
		}
		if problem := s.admit(c, e); problem != nil {
			writeError(w, problem)
			return
		}
		requestID := r.Header.Get("PayPal-Request-Id")
		if e.keeps > 0 && len(requestID) > maxRequestID {
			writeError(w, malformed("INVALID_STRING_LENGTH", "PayPal-Request-Id", requestID).in("header"))
			return
		}
		if e.keeps == 0 || s.off["idempotency"] {
			requestID = ""
		}
		if requestID == "" && !e.alone {
			standin.Pause(r.Context())
			s.run(w, c, e)
			return
		}
		s.once(w, c, e, requestID)
	})
}

// once runs a call under its request id, or answers with how the object of the
// first one stands now. It does not look at the body: PayPal is not known to
// compare, so a reused id must not pass for safe.
func (s *Server) once(w http.ResponseWriter, c *call, e endpoint, requestID string) {
	key := c.r.URL.Path + " " + requestID
	inProgress := key
	if e.alone {
		inProgress = c.r.URL.Path
	}
	first, free := s.state.Keys.take(key, inProgress, requestID != "", s.opts.Now())
	switch {
	case !free && e.alone:
		writeError(w, unprocessable("ORDER_COMPLETION_IN_PROGRESS", "The order is being completed by an earlier request."))
		return
	case !free:
		writeError(w, conflict("PREVIOUS_REQUEST_IN_PROGRESS", "A previous request on this resource is in progress."))
		return
	case first != "":
		s.mu.Lock()
		defer s.mu.Unlock()
		c.answer(w, e, http.StatusOK, s.state.find(first).render(s, c.full))
		return
	}
	made := ""
	defer func() { s.state.Keys.give(key, inProgress, requestID != "", made, s.opts.Now().Add(e.keeps)) }() // also when do panics
	standin.Pause(c.r.Context())
	made = s.run(w, c, e)
}

// answer writes a success.
func (c *call) answer(w http.ResponseWriter, e endpoint, status int, body any) {
	if e.quiet && !c.full {
		status, body = http.StatusNoContent, nil
	}
	write(w, status, body)
}

// run carries out a call, has its effects on disk and answers. It returns the
// id of what was made, "" if the call was refused: a refusal leaves the request
// id unused.
func (s *Server) run(w http.ResponseWriter, c *call, e endpoint) (made string) {
	status, body, problem := func() (int, any, *apiError) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sweep()
		if c.r.Method == http.MethodPost && len(s.state.Orders) >= maxOrders {
			return 0, nil, full()
		}
		done, problem := e.do(c)
		switch {
		case problem != nil:
			return 0, nil, problem
		case done.obj != nil:
			made, done.body = done.obj.key(), done.obj.render(s, c.full)
		}
		return done.status, done.body, nil
	}()
	if c.r.Method != http.MethodGet {
		s.saved() // also after a refusal, which may have cost an attempt
	}
	if problem != nil {
		writeError(w, problem)
		return ""
	}
	c.answer(w, e, status, body)
	return made
}

// admit checks the token and reads the body.
func (s *Server) admit(c *call, e endpoint) *apiError {
	token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return unauthenticated()
	}
	if !s.knowsToken(token) {
		return oauthError("invalid_token", "Token signature verification failed")
	}
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return malformed("MALFORMED_REQUEST_JSON", "", "")
	}
	c.body = bytes.TrimSpace(body)
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if e.bare && len(c.body) == 0 {
		return nil
	}
	if (c.r.Method == http.MethodPost || c.r.Method == http.MethodPatch) && kind != "application/json" {
		return unsupportedMedia()
	}
	return nil
}

// read decodes the body into v. PayPal ignores fields that it does not know; a
// strict stand-in refuses them, so that a misspelt custom_id does not go unnoticed.
func (c *call) read(v any) *apiError {
	if len(c.body) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(c.body))
	if c.strict {
		decoder.DisallowUnknownFields()
	}
	err := decoder.Decode(v)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return malformed("INVALID_PARAMETER_SYNTAX", "/"+strings.ReplaceAll(wrongType.Field, ".", "/"), "")
	case err != nil:
		_, field, _ := strings.Cut(err.Error(), "unknown field ")
		return malformed("MALFORMED_REQUEST_JSON", strings.Trim(field, `"`), "")
	case decoder.More():
		return malformed("MALFORMED_REQUEST_JSON", "", "")
	}
	return nil
}

// encode writes what PayPal does: compact, and "<", ">" and "&" as they are. A
// reader that encodes a callback anew with Go's defaults changes such a body.
func encode(v any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func write(w http.ResponseWriter, status int, body any) {
	if w.Header().Get("Paypal-Debug-Id") == "" {
		w.Header().Set("Paypal-Debug-Id", newDebugID())
	}
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body))
}

func writeError(w http.ResponseWriter, e *apiError) {
	w.Header().Set("Paypal-Debug-Id", e.DebugID)
	if e.oauth != nil {
		write(w, e.status, e.oauth)
		return
	}
	write(w, e.status, e)
}
