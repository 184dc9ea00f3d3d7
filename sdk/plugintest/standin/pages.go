package standin

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed pages
var shared embed.FS

// Page is what the shared layout needs of every page.
type Page struct {
	Title    string
	Provider string // whose stand-in this is, e.g. "Stripe"
	Home     string // address of its dashboard; "" shows no link (a payer's page)
	Back     string // address of the shop that the visitor comes from, if any
	Data     any    // for the page's own template
}

// Pages are templates in the shared look: no script, no font, no picture and no
// request to anywhere else.
type Pages struct {
	set map[string]*template.Template
}

// ParsePages reads every *.html of fsys as a page named by its file, each
// defining "content" for the shared layout.
func ParsePages(fsys fs.FS) (*Pages, error) {
	style, err := shared.ReadFile("pages/style.css")
	if err != nil {
		return nil, err
	}
	funcs := template.FuncMap{"style": func() template.CSS { return template.CSS(style) }}
	layout, err := template.New("layout.html").Funcs(funcs).ParseFS(shared, "pages/layout.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(fsys, "*.html")
	if err != nil {
		return nil, err
	}
	pages := &Pages{set: map[string]*template.Template{}}
	for _, name := range names {
		page, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if _, err := page.ParseFS(fsys, name); err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		pages.set[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return pages, nil
}

// Render answers with the named page. It is built in full first, so a broken
// template is a 500 and not half a page.
func (p *Pages) Render(w http.ResponseWriter, status int, name string, page Page) {
	var out bytes.Buffer
	tmpl, ok := p.set[name]
	if !ok {
		http.Error(w, "no page "+name, http.StatusInternalServerError)
		return
	}
	if err := tmpl.Execute(&out, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w)
}
