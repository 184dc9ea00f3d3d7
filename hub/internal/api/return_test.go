package api_test

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/sdk"
)

// TestReturn_CarriesWhatThePayerBringsBack: query and form reach the plugin as they
// came. What is no form, or too large, is left out, and the payer is sent on.
func TestReturn_CarriesWhatThePayerBringsBack(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	const form = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		method, query, kind, body string
		want                      *sdk.Return // nil: nothing is confirmed
	}{
		"link":       {"GET", "result=a%2fb&x=1&x=2", "", "", &sdk.Return{Method: "GET", Query: "result=a%2fb&x=1&x=2"}},
		"form":       {"POST", "cancel=0", form + "; charset=utf-8", "cres=eyJ%3D&b=+", &sdk.Return{Method: "POST", Query: "cancel=0", Body: []byte("cres=eyJ%3D&b=+")}},
		"nothing":    {"GET", "", "", "", nil},
		"no form":    {"POST", "", "application/json", `{"result":"x"}`, nil},
		"large form": {"POST", "", form, "result=" + strings.Repeat("x", 64<<10), nil},
	} {
		in := `{"reference":"` + name + `","amount":10000,"currency":"USD","provider":"` + paytest.Name + `","flow":"` + paytest.FlowReturn + `","return_url":"https://shop.example/back?of=1"}`
		a := f.must("POST", "/v1/checkouts", in, "Idempotency-Key", strings.ReplaceAll(name, " ", "-"))
		require.Equal(t, 201, a.Status, a.Body)
		attempt, _ := a.Body["attempts"].([]any)[0].(map[string]any)["id"].(string)
		before := len(f.Provider.Calls("Confirm"))
		r := httptest.NewRequest(c.method, "/return/"+attempt+"?"+c.query, strings.NewReader(c.body))
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		res, err := f.app.Test(r, int(time.Minute.Milliseconds()))
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		require.Equal(t, 303, res.StatusCode, name)
		require.True(t, strings.HasPrefix(res.Header.Get("Location"), "https://shop.example/back?of=1&order_id="), name)
		require.NotContains(t, res.Header.Get("Location"), "result", name)
		confirmed := f.Provider.Calls("Confirm")[before:]
		if c.want == nil {
			require.Empty(t, confirmed, name)
			continue
		}
		require.Len(t, confirmed, 1, name)
		require.Equal(t, c.want, confirmed[0].Request.(sdk.ConfirmRequest).Return, name)
	}
}
