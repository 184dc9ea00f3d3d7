package console

import (
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"github.com/superpayhub/superpay/web"
)

// shared are the templates that every screen can use.
var shared = []string{"layout.html", "parts.html"}

// parse reads all screens, once in each language.
func (s *server) parse() (map[string]map[string]*template.Template, error) {
	const dir = "templates/console"
	files, err := fs.Glob(web.Templates, dir+"/*.html")
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]*template.Template{}
	for lang := range languages {
		base := template.New("console").Funcs(s.functions(lang)).Option("missingkey=error")
		for _, name := range shared {
			if base, err = base.ParseFS(web.Templates, dir+"/"+name); err != nil {
				return nil, err
			}
		}
		all[lang] = map[string]*template.Template{}
		for _, file := range files {
			screen := strings.TrimSuffix(path.Base(file), ".html")
			t, err := base.Clone()
			if err == nil {
				t, err = t.ParseFS(web.Templates, file)
			}
			if err != nil {
				return nil, fmt.Errorf("template %s: %w", screen, err)
			}
			all[lang][screen] = t
		}
	}
	return all, nil
}

// functions are what templates can call in a language. What depends on the
// reader besides (the zone, the time) are methods of the page.
func (s *server) functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t":         func(key string, args ...any) template.HTML { return markup(lang, key, args...) },
		"badge":     func(noun string, status any) template.HTML { return s.badge(lang, noun, fmt.Sprint(status)) },
		"icon":      s.icon,
		"money":     money,
		"moneytext": moneyText,
		"id":        func(value string) template.HTML { return s.copyable(lang, value, value) },
		"shortid":   func(value string) template.HTML { return s.copyable(lang, value, short(value)) },
		"shorten":   short,
		"maskurl":   maskURL,
		"endpoint":  endpointStatus,
		"deref":     func(text *string) string { return *text },
		"visible":   visible,
		"foreign":   func(text string) template.HTML { return foreign(lang, text) },
		"asset":     s.Assets.URL,
		"url":       s.url,
		"list":      func(values ...any) []any { return values },
		"link":      func(path, query string) template.URL { return template.URL(s.url(path) + question(query)) }, // query is encoded
		"alarm": func(text template.HTML) template.HTML { // what a person has to look at, where there is little room
			return template.HTML(`<span class="badge alarm" title="needs_attention">`) + s.icon("alarm") + text + "</span>"
		},
		"clip":  func(text string) template.HTML { return clip(text) },
		"plain": visibleLines,
		"minus": func(amount int64, currency string, exponent int) template.HTML {
			return money(-amount, currency, exponent)
		},
		"amount":  grouped,
		"count":   func(n int64) string { return grouped(n, 0) },
		"reasons": reasons,
		"known":   known,
		"targets": func(link string) string {
			return map[string]string{"replay": "callbacks", "resend": "notifications"}[link]
		},
		"publicurl": func() string { return s.PublicURL },
	}
}

// icon is a drawing of static/icons.svg. The word beside it says what it means.
func (s *server) icon(name string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="icon" aria-hidden="true"><use href="%s#%s"/></svg>`, s.Assets.URL("icons.svg"), template.HTMLEscapeString(name)))
}
