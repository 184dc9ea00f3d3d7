package api

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
	"sort"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/filesystem"

	"github.com/superpayhub/superpay/web"
)

var docsPage = template.Must(template.ParseFS(web.Templates, "templates/docs.html"))

type docsCall struct {
	ID, Method, Path, Summary, Description string
	Fields                                 []docsField
	Answers                                []docsAnswer
}

type docsField struct {
	Name, Type, Doc string
	Required        bool
}

type docsAnswer struct{ Status, Doc string }

// docs shows the OpenAPI document to people: one page, nothing loaded from
// elsewhere.
func (s *server) docs(c *fiber.Ctx) error {
	doc := s.api.OpenAPI()
	var calls []docsCall
	for path, item := range doc.Paths {
		for method, op := range map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodDelete: item.Delete} {
			if op != nil {
				calls = append(calls, docsOf(doc, method, path, op))
			}
		}
	}
	// In the order of a payment's life.
	sort.Slice(calls, func(i, j int) bool { return slices.Index(s.calls, calls[i].ID) < slices.Index(s.calls, calls[j].ID) })
	var out bytes.Buffer
	err := docsPage.Execute(&out, map[string]any{
		"Base": s.BasePath, "URL": s.PublicURL, "Description": doc.Info.Description, "Calls": calls,
		"Order": fieldsOf(doc, &huma.Schema{Ref: "#/components/schemas/Order"}),
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	return c.Send(out.Bytes())
}

func (s *server) static() fiber.Handler {
	return filesystem.New(filesystem.Config{Root: http.FS(web.Static), PathPrefix: "static", MaxAge: 3600})
}

func docsOf(doc *huma.OpenAPI, method, path string, op *huma.Operation) docsCall {
	c := docsCall{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		c.Fields = append(c.Fields, docsField{p.Name + " (" + p.In + ")", typeOf(p.Schema), p.Description, p.Required})
	}
	if op.RequestBody != nil {
		c.Fields = append(c.Fields, fieldsOf(doc, op.RequestBody.Content[fiber.MIMEApplicationJSON].Schema)...)
	}
	for status, r := range op.Responses {
		c.Answers = append(c.Answers, docsAnswer{status, r.Description})
	}
	slices.SortFunc(c.Answers, func(a, b docsAnswer) int { return strings.Compare(a.Status, b.Status) })
	return c
}

// fieldsOf lists a schema's properties, the required ones first.
func fieldsOf(doc *huma.OpenAPI, s *huma.Schema) []docsField {
	if s.Ref != "" {
		s = doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	var out []docsField
	for name, p := range s.Properties {
		out = append(out, docsField{name, typeOf(p), p.Description, slices.Contains(s.Required, name)})
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Required != out[j].Required {
			return out[i].Required
		}
		return out[i].Name < out[j].Name
	})
	return out
}

func typeOf(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case s.Type == huma.TypeArray:
		return "list of " + typeOf(s.Items)
	case len(s.Enum) > 0:
		var v []string
		for _, e := range s.Enum {
			if text, ok := e.(string); ok {
				v = append(v, text)
			}
		}
		return strings.Join(v, " | ")
	}
	return s.Type
}
