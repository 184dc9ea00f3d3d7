package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed pages
var pages embed.FS

const (
	cookieName = "superpay_shop"
	maxForm    = 32 << 10
)

// formKeys are the random keys that the shop writes into its forms.
var formKeys = regexp.MustCompile(`^[0-9a-f]{32}$`)

// shop answers the pages.
type shop struct {
	hub     *hub
	book    *book
	public  string // where the payer's browser finds the shop, without a last slash
	base    string // its path, "" or "/shop"
	sandbox string // where it finds the providers' stand-ins; "" without them
	origin  string // of the sandbox
	hosts   []string
	policy  string
	secure  bool
	pages   map[string]*template.Template
	log     *slog.Logger
}

// newShop makes the handler; sandbox may be nil.
func newShop(h *hub, public, sandbox *url.URL, addr string, log *slog.Logger) (http.Handler, error) {
	s := &shop{
		hub: h, book: newBook(), public: public.String(), base: public.EscapedPath(), hosts: []string{public.Host, addr},
		secure: public.Scheme == "https", pages: map[string]*template.Template{}, log: log,
	}
	if sandbox != nil {
		s.sandbox, s.origin = sandbox.String(), sandbox.Scheme+"://"+sandbox.Host
	}
	s.policy = contentPolicy(public, s.origin)
	for _, name := range []string{"shop", "order", "orders", "message"} {
		t, err := template.New("layout.html").Funcs(template.FuncMap{"clip": clip, "sentence": sentence}).
			ParseFS(pages, "pages/layout.html", "pages/pictures.html", "pages/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		s.pages[name] = t
	}
	origins := http.NewCrossOriginProtection()
	if err := origins.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("SHOP_PUBLIC_URL: %w", err)
	}
	origins.SetDenyHandler(http.HandlerFunc(s.foreign))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.front)
	mux.HandleFunc("POST /buy", s.form(s.buy))
	mux.HandleFunc("GET /orders", s.orders)
	mux.HandleFunc("GET /order/{id}", s.withOrder(s.showOrder))
	mux.HandleFunc("POST /order/{id}/refund", s.form(s.withOrder(s.refund)))
	mux.HandleFunc("POST /order/{id}/capture", s.form(s.withOrder(s.capture)))
	mux.HandleFunc("POST /order/{id}/cancel", s.form(s.withOrder(s.cancel)))
	mux.HandleFunc("POST /order/{id}/pay", s.form(s.withOrder(s.payAgain)))
	mux.HandleFunc("GET /order/{id}/back", s.withOrder(s.comeFromClient))
	mux.HandleFunc("POST /order/{id}/back", s.form(s.withOrder(s.comeFromClient)))
	mux.HandleFunc("GET /paid-with", s.paidWith)
	mux.HandleFunc("POST /paid-with", s.form(s.paidWith))
	mux.HandleFunc("GET /return", s.comeBack("return"))
	mux.HandleFunc("GET /cancelled", s.comeBack("cancelled"))
	mux.HandleFunc("GET /style.css", static("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /icon.svg", static("icon.svg", "image/svg+xml"))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.message(w, r, http.StatusNotFound, message{Title: "There is nothing here", Text: "The page you asked for does not exist."})
	})
	return s.guard(origins.Handler(http.StripPrefix(s.base, mux))), nil
}

// contentPolicy lets a page load our own style and picture, and nothing else:
// no script at all. A form may lead to a provider's page (browsers check the
// redirect after a form too): https, or http where the shop itself is local.
func contentPolicy(public *url.URL, sandbox string) string {
	forms := "'self' https:"
	if loopbackHost(public.Hostname()) {
		forms += " http://127.0.0.1:* http://localhost:*"
	}
	if sandbox != "" {
		forms += " " + sandbox
	}
	return "default-src 'none'; style-src 'self'; img-src 'self'; form-action " + forms +
		"; base-uri 'none'; frame-ancestors 'none'"
}

// guard sets what every answer carries, bounds every request, and refuses a
// foreign name for this address, which DNS rebinding would use.
func (s *shop) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", s.policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		if !slices.Contains(s.hosts, r.Host) && !strings.HasSuffix(r.URL.Path, "/healthz") {
			http.Error(w, "This shop is not known by that name.", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		ctx, cancel := context.WithTimeout(r.Context(), hubTimeout+10*time.Second)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// form lets only our own pages post. The cookie is SameSite=Lax, so another
// site's form comes without it; the origin check stands before this one.
func (s *shop) form(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie(cookieName); err != nil {
			s.foreign(w, r)
			return
		}
		if err := r.ParseForm(); err != nil {
			status := http.StatusBadRequest
			if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
				status = http.StatusRequestEntityTooLarge
			}
			s.message(w, r, status, message{Title: "That form could not be read", Text: "Nothing was bought. Open the page again and try once more."})
			return
		}
		if !formKeys.MatchString(r.PostForm.Get("key")) {
			s.message(w, r, http.StatusBadRequest, message{Title: "That form is not ours", Text: "It carries no key. Nothing was bought. Open the page again."})
			return
		}
		next(w, r)
	}
}

func (s *shop) foreign(w http.ResponseWriter, r *http.Request) {
	s.message(w, r, http.StatusForbidden, message{
		Title: "That did not come from this shop",
		Text:  "Nothing was done. Open the shop, allow its cookie, and try again.",
	})
}

// withOrder reads the order of the path: what the address says proves nothing.
func (s *shop) withOrder(next func(http.ResponseWriter, *http.Request, *order)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if !orderIDs.MatchString(id) {
			s.message(w, r, http.StatusNotFound, message{Title: "No such order", Text: "That is not the number of an order."})
			return
		}
		o, err := s.hub.order(r.Context(), id)
		if err != nil {
			s.failed(w, r, err, failedAs{What: "The order could not be read", Order: id, Retry: s.again(r)})
			return
		}
		next(w, r, o)
	}
}

func (s *shop) comeBack(from string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("order_id")
		if !orderIDs.MatchString(id) {
			s.message(w, r, http.StatusBadRequest, message{Mood: "wait", Title: "Welcome back", Text: "We were not told which order you come from. Your orders know."})
			return
		}
		http.Redirect(w, r, s.base+"/order/"+id+"?from="+from, http.StatusSeeOther)
	}
}

// render writes a page, whole or not at all.
func (s *shop) render(w http.ResponseWriter, r *http.Request, status int, page string, data any) {
	if _, err := r.Cookie(cookieName); err != nil {
		http.SetCookie(w, &http.Cookie{
			Name: cookieName, Value: newKey(), Path: s.base + "/", MaxAge: 30 * 24 * 3600,
			HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
		})
	}
	var b bytes.Buffer
	err := s.pages[page].Execute(&b, struct {
		Base, Page, Sandbox string
		Data                any
	}{s.base, page, s.sandbox, data})
	if err != nil {
		s.log.Error("page", "page", page, "error", err)
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

func static(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		b, err := pages.ReadFile("pages/" + name)
		if err != nil {
			http.Error(w, "missing", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(b)
	}
}

// newKey makes the random key of a form: repeating the form repeats the key.
func newKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
