package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
)

func docsServer() *server {
	s := &server{Options: Options{PublicURL: "https://hub.example/x", BasePath: "/x"}, app: fiber.New()}
	root := s.app.Group("/x")
	root.Get("/", s.root)
	root.Get("/docs", s.docs)
	root.Get("/metrics", s.guardMetrics, func(c *fiber.Ctx) error { return c.SendString("metrics") })
	register(root, s)
	return s
}

func page(t *testing.T) string {
	t.Helper()
	res, err := docsServer().app.Test(httptest.NewRequest(http.MethodGet, "/x/docs", nil))
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode, string(b))
	return string(b)
}

// found lists what matches in the sources of some folders, tests apart.
func found(t *testing.T, pattern string, folders ...string) []string {
	t.Helper()
	var out []string
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, folder)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
				out = append(out, m[1])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Every code that the hub can answer with is explained, and no other.
func TestDocs_HaveEveryErrorCode(t *testing.T) {
	inCode := found(t, `(?:Conflictf\(|newProblem\([^,"]+, |(?:Invalid|Conflict|NotFound|Unauthorized|Forbidden|TooMany|Rejected|Unavailable), Code: |\.Code = |const Code\w+ = )"([a-z_]+)"`, "../ledger", "../payments", "../notifications", ".")
	require.Greater(t, len(inCode), 25)
	for _, status := range []int{400, 401, 404, 405, 413, 415, 431} { // of the HTTP layer, by codeOf
		inCode = append(inCode, codeOf(status))
	}
	slices.Sort(inCode)
	var explained []string
	for _, c := range codes {
		explained = append(explained, c.Name)
		require.NotEmpty(t, c.Means+c.Do, c.Name)
	}
	slices.Sort(explained)
	require.Equal(t, slices.Compact(inCode), explained)
}

func TestDocs_ExplainEveryValue(t *testing.T) {
	s, html := docsServer(), page(t)
	doc := s.api.OpenAPI()
	for thing, words := range statuses {
		var said []string
		for _, w := range words {
			said = append(said, w.Name)
		}
		require.ElementsMatch(t, valuesOf(doc.Components.Schemas.Map()[thing].Properties["status"]), said, thing)
	}
	var reasons []string
	for _, w := range attention {
		reasons = append(reasons, w.Name)
	}
	all := found(t, `(?m)^\t[A-Z]\w+ += "([a-z]+(?:_[a-z]+)*)"(?:$| +// )`, "../ledger")
	for _, reason := range reasons {
		require.Contains(t, all, reason)
	}
	text, err := os.ReadFile("../ledger/attention.go")
	require.NoError(t, err)
	_, list, _ := strings.Cut(string(text), "// Reasons for attention.")
	list, _, _ = strings.Cut(list, "\n)")
	inLedger := regexp.MustCompile(`= "(\w+)"`).FindAllStringSubmatch(list, -1)
	require.NotEmpty(t, inLedger)
	for _, m := range inLedger {
		require.Contains(t, reasons, m[1])
	}
	for _, failure := range found(t, `Failure(?:\w+ += |{Code: )"([a-z_]+)"`, "../../../sdk", "../payments") {
		require.Contains(t, html, "<tr><td><code>"+failure+"</code></td>", "Failure codes")
	}
	require.Equal(t, s.money, asksForMoney)
}

// Every field and parameter that anybody meets has a meaning, and every type a section.
func TestDocs_ExplainEveryField(t *testing.T) {
	s, html := docsServer(), page(t)
	doc := s.api.OpenAPI()
	for name, schema := range doc.Components.Schemas.Map() {
		for field, p := range schema.Properties {
			require.NotEmpty(t, p.Description, "%s.%s: add a doc tag, or a line to words", name, field)
		}
		helper := strings.HasSuffix(name, "Body") || strings.HasSuffix(name, "List") || strings.HasSuffix(name, "Page") || name == "Pay"
		require.True(t, helper || strings.Contains(html, `<section id="`+name+`">`), "%s has no section", name)
	}
	for key := range words {
		if name, field, ok := strings.Cut(key, "."); ok {
			schema := doc.Components.Schemas.Map()[name]
			require.NotNil(t, schema, key)
			require.NotNil(t, schema.Properties[field], key)
		}
	}
	for path, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op == nil {
				continue
			}
			require.Contains(t, html, `<section id="`+op.OperationID+`">`)
			for _, p := range op.Parameters {
				require.NotEmpty(t, p.Description, "%s %s", path, p.Name)
			}
			for status, r := range op.Responses {
				require.NotEmpty(t, r.Description, "%s %s", path, status)
				require.False(t, op == item.Get && strings.Contains(r.Description, "rejected"), path)
			}
		}
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(html, -1) {
		require.Contains(t, html, `id="`+m[1]+`"`)
	}
	require.NotContains(t, html, "`")
	require.Contains(t, html, "<code>provider_rejected</code>")
}

func TestRootLeadsToTheDocs(t *testing.T) {
	res, err := docsServer().app.Test(httptest.NewRequest(http.MethodGet, "/x/", nil))
	require.NoError(t, err)
	require.Equal(t, 302, res.StatusCode)
	require.Equal(t, "/x/docs", res.Header.Get("Location"))
}

func TestMetricsAreForThisMachine(t *testing.T) {
	s := docsServer()
	s.app = fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error { return problemOf(err, "", nil).write(c) }})
	s.app.Get("/metrics", s.guardMetrics, func(c *fiber.Ctx) error { return c.SendString("metrics") })
	ask := func(setting, forwarded string) int {
		s.MetricsFor = setting
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		res, err := s.app.Test(r) // from 0.0.0.0: not this machine
		require.NoError(t, err)
		return res.StatusCode
	}
	require.Equal(t, 403, ask("loopback", ""))
	require.Equal(t, 403, ask("", "127.0.0.1"))
	require.Equal(t, 200, ask("public", ""))
	require.Equal(t, 404, ask("off", ""))
}
