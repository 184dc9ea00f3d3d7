package console

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/assets"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/hub/internal/providers"
)

// front is a console without a house, at a time that stands still.
func front(t *testing.T) (*fiber.App, *postgres.DB) {
	t.Helper()
	keys, err := postgres.ParseKeys("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	require.NoError(t, err)
	db, err := postgres.Open(t.Context(), postgres.Options{URL: pgtest.Migrated(t), Keys: keys})
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	registry, err := providers.New(providers.Options{Dirs: []string{t.TempDir()}, Logger: slog.New(slog.DiscardHandler)}, nil)
	require.NoError(t, err)
	app, now := fiber.New(fiber.Config{Immutable: true}), time.Now()
	New(Options{
		DB: db, Providers: registry, Assets: assets.Load("/static"), PublicURL: "https://pay.example.com", Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return now },
	}).Mount(app)
	return app, db
}

// TestLimit_OfOneAddress: whoever asks too much at once is told so.
func TestLimit_OfOneAddress(t *testing.T) {
	app, _ := front(t)
	for i := range 2 * addressLimit {
		res, err := app.Test(httptest.NewRequest("GET", "/console/sign-in", nil), -1)
		require.NoError(t, err)
		require.Equal(t, 200, res.StatusCode, i)
	}
	res, err := app.Test(httptest.NewRequest("GET", "/console/sign-in", nil), -1)
	require.NoError(t, err)
	require.Equal(t, 429, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
}

// TestGone_SaysWhatIsSafe where the database is away: a page that needs none,
// in the reader's language.
func TestGone_SaysWhatIsSafe(t *testing.T) {
	app, db := front(t)
	ask := func(lang string) (*http.Response, string) {
		t.Helper()
		req := httptest.NewRequest("GET", "/console/profile", nil)
		req.Header.Set("Cookie", "__Host-superpay_session=abcdefghijklmnopqrstuvwxyz")
		req.Header.Set("Accept-Language", lang)
		res, err := app.Test(req, -1)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res, string(body)
	}
	res, _ := ask("en")
	require.Equal(t, 303, res.StatusCode, "with a database there is only no session")
	require.Equal(t, "max-age=31536000", res.Header.Get("Strict-Transport-Security"))
	for _, c := range res.Header.Values("Set-Cookie") {
		require.Regexp(t, `^__Host-.*; path=/; .*[Ss]ecure`, c)
	}

	require.NoError(t, db.Close())
	res, body := ask("en")
	require.Equal(t, 503, res.StatusCode)
	require.Contains(t, body, "Payments are safe")
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	res, body = ask("zh-CN")
	require.Equal(t, 503, res.StatusCode)
	require.Contains(t, body, "付款数据是安全的")
}
