package plugintest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/superpayhub/superpay/sdk"
	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

// server is a listener of the exam's own.
type server struct {
	url      string
	listener net.Listener
	http     http.Server
}

func listen() (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &server{url: "http://" + l.Addr().String(), listener: l}, nil
}

func (s *server) serve(h http.Handler) {
	s.http = http.Server{Handler: h, ReadHeaderTimeout: patience, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.http.Serve(s.listener) }()
}

func (s *server) close() {
	_ = s.listener.Close()
	_ = s.http.Close()
}

// wire lies between the plugin and the stand-in: it sees what is sent, and
// disturbs it. So a stand-in needs no faults of its own to take part.
type wire struct {
	url    string // what the plugin takes for the provider
	ignore []string
	proxy  *httputil.ReverseProxy
	prefix string
	tap    atomic.Pointer[tap]
}

// tap is the wire during one rule.
type tap struct {
	requests standin.Requests
	faults   standin.Faults
	handler  http.Handler
	hungUp   chan time.Time // when the plugin gave up a request
	asked    chan struct{}  // a request that is no read has arrived whole
}

func (x *exam) openWire() error {
	u, err := url.Parse(x.stand.BaseURL)
	if err != nil {
		return err
	}
	s, err := listen()
	if err != nil {
		return err
	}
	w := &wire{url: s.url + u.Path, ignore: x.paper.IgnorePaths, prefix: u.Path}
	w.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: u.Scheme, Host: u.Host}) },
		// A slow provider has done its work before it answers late.
		ModifyResponse: func(r *http.Response) error { standin.Pause(r.Request.Context()); return nil },
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	x.wire = w
	w.clean()
	s.serve(w)
	x.closers = append(x.closers, s.close)
	return nil
}

// clean forgets what was seen and lifts every fault.
func (w *wire) clean() {
	t := &tap{hungUp: make(chan time.Time, 100), asked: make(chan struct{}, 1000)}
	t.handler = t.faults.Middleware(&t.requests, w.path, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			t.asked <- struct{}{}
		}
		w.forward(rw, r)
	}))
	w.tap.Store(t)
}

func (w *wire) path(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, w.prefix) }

// ServeHTTP implements http.Handler.
func (w *wire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if slices.ContainsFunc(w.ignore, func(p string) bool { return strings.HasPrefix(w.path(r), p) }) {
		w.forward(rw, r)
		return
	}
	t := w.tap.Load()
	stop := context.AfterFunc(r.Context(), func() { t.hungUp <- time.Now() })
	defer stop()
	t.handler.ServeHTTP(rw, r)
}

// forward asks the stand-in. It does not stop when the plugin gives up: what
// was sent was sent. The context can end all the same: with one that cannot, the
// proxy itself listens for the plugin's hanging up, and stops then.
func (w *wire) forward(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	w.proxy.ServeHTTP(rw, r.WithContext(ctx))
}

// disturb lets a fault bite every request that asks for something. Reads pass:
// one that fails beforehand proves that nothing was asked.
func (w *wire) disturb(f standin.Fault) {
	for _, f.Method = range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		w.add(f)
	}
}

func (w *wire) disturbReads(f standin.Fault) {
	f.Method = http.MethodGet
	w.add(f)
}

func (w *wire) add(f standin.Fault) {
	if _, err := w.tap.Load().faults.Add(f); err != nil {
		panic(err) // the exam's own rules are well-formed
	}
}

// asks are the requests seen that were no reads, without what differs by nature.
func (w *wire) asks() (out []standin.Request) {
	for _, r := range w.tap.Load().requests.List() {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			r.Time, r.Fault = time.Time{}, ""
			out = append(out, r)
		}
	}
	return out
}

// sent counts all requests seen.
func (w *wire) sent() int { return len(w.tap.Load().requests.List()) }

// mailbox is where the stand-in's callbacks go.
type mailbox struct {
	url   string
	close func()

	mu   sync.Mutex
	list []sdk.CallbackRequest
}

func openMailbox() (*mailbox, error) {
	s, err := listen()
	if err != nil {
		return nil, err
	}
	m := &mailbox{url: s.url + "/callback", close: s.close}
	s.serve(m)
	return m, nil
}

// ServeHTTP implements http.Handler.
func (m *mailbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		return
	}
	in := sdk.CallbackRequest{ReceivedAt: time.Now().UTC(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: body}
	in.Headers = append(in.Headers, sdk.Header{Name: "Host", Value: r.Host})
	for _, name := range sorted(r.Header) {
		for _, value := range r.Header[name] {
			in.Headers = append(in.Headers, sdk.Header{Name: name, Value: value})
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, in)
}

// since returns what has come after the first n.
func (m *mailbox) since(n int) []sdk.CallbackRequest {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list[n:])
}

func (m *mailbox) count() int { return len(m.since(0)) }
