package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody is far above any real request and stops a runaway one.
const maxBody = 1 << 20

const troublePage = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"

// Middleware records each API request in log and lets the faults bite it. path
// turns a request's path into the one rules are written for, without the
// prefix under which the stand-in is mounted.
func (s *Faults) Middleware(log *Requests, path func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "body too large or cut", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		fault, bitten := s.forRequest(r, path(r), body)
		log.add(r, path(r), body, fault.Action)
		if !bitten {
			if rule := s.staleFor(r, path(r)); rule != nil {
				s.serveStale(rule, w, r, next)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		s.serve(fault, w, r, next)
	})
}

func (s *Faults) serve(f Fault, w http.ResponseWriter, r *http.Request, next http.Handler) {
	wait := time.Duration(f.DelayMS) * time.Millisecond
	if f.Action == DropBefore || f.Action == Status {
		time.Sleep(wait)
		if f.Action == DropBefore {
			drop(w)
		}
		answer(w, f.StatusCode, contentType(f.Body), []byte(f.Body))
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), pauseKey{}, wait))
	if f.Action == Delay {
		next.ServeHTTP(w, r)
		return
	}
	kept := &recorder{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(kept, r)
	switch f.Action {
	case DropAfter:
		drop(w)
	case Cut:
		cut(w, kept)
	case Empty:
		answer(w, http.StatusOK, "application/json", nil)
	case HTML:
		answer(w, http.StatusOK, "text/html; charset=utf-8", []byte(troublePage))
	case Replace:
		kept.copyHeader(w)
		w.WriteHeader(kept.status)
		_, _ = w.Write(lie(f, kept.body.Bytes()))
	}
}

// drop closes the connection. It lets one byte out first where it can: Go's
// client silently repeats a request whose kept-alive connection ended before
// the first byte, and the fault would never be felt.
func drop(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			_, _ = conn.Write([]byte("H"))
			_ = conn.Close()
		}
	}
	panic(http.ErrAbortHandler)
}

func cut(w http.ResponseWriter, kept *recorder) {
	kept.copyHeader(w)
	w.Header().Set("Content-Length", strconv.Itoa(kept.body.Len()))
	w.WriteHeader(kept.status)
	_, _ = w.Write(kept.body.Bytes()[:kept.body.Len()/2])
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
	panic(http.ErrAbortHandler)
}

func answer(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func contentType(body string) string {
	if json.Valid([]byte(body)) {
		return "application/json"
	}
	return "text/html; charset=utf-8"
}

// lie applies the fault's replacements to an answer.
func lie(f Fault, body []byte) []byte {
	if len(f.Fields) > 0 {
		var tree any
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		if decoder.Decode(&tree) == nil {
			for path, value := range f.Fields {
				replaceField(tree, strings.Split(path, "."), value)
			}
			body, _ = json.MarshalIndent(tree, "", "  ")
		}
	}
	if f.Find != "" {
		body = bytes.ReplaceAll(body, []byte(f.Find), []byte(f.With))
	}
	return body
}

func replaceField(node any, path []string, value any) {
	if path[0] == "*" && len(path) > 1 {
		replaceField(node, path[1:], value)
		for _, child := range children(node) {
			replaceField(child, path, value)
		}
		return
	}
	switch node := node.(type) {
	case map[string]any:
		old, there := node[path[0]]
		if !there {
			return
		}
		if len(path) == 1 {
			node[path[0]] = value
			return
		}
		replaceField(old, path[1:], value)
	case []any:
		var i int
		if _, err := fmt.Sscan(path[0], &i); err == nil && i >= 0 && i < len(node) && len(path) > 1 {
			replaceField(node[i], path[1:], value)
		}
	}
}

func children(node any) (all []any) {
	switch node := node.(type) {
	case map[string]any:
		for _, child := range node {
			all = append(all, child)
		}
	case []any:
		all = node
	}
	return all
}

// recorder keeps an answer so that a fault can spoil it.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *recorder) Header() http.Header         { return k.header }
func (k *recorder) WriteHeader(status int)      { k.status = status }
func (k *recorder) Write(b []byte) (int, error) { return k.body.Write(b) }

func (k *recorder) copyHeader(w http.ResponseWriter) {
	for name, values := range k.header {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Length")
}
