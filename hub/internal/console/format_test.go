package console

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/assets"
)

func TestMoney_HasTheCurrencysOwnDecimals(t *testing.T) {
	for want, amount := range map[string]struct {
		amount   int64
		exponent int
	}{
		"1,234.50": {123450, 2}, "1,200": {1200, 0}, "5.125": {5125, 3}, "0.00": {0, 2}, "\u22120.05": {-5, 2}, "\u2212100": {-100, 0},
		"123": {123, 0}, "1,000,000.01": {100000001, 2}, "\u221292,233,720,368,547,758.08": {-9223372036854775808, 2},
	} {
		require.Equal(t, want, grouped(amount.amount, amount.exponent))
	}
}

func TestTime_IsInTheReadersZone(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	p := &page{Lang: "zh", Zone: shanghai, Now: time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)} // the 22nd there
	require.Contains(t, p.Time(p.Now.Add(-10*time.Minute)), ">00:50:00<")
	require.Contains(t, p.Time(p.Now.Add(-2*time.Hour)), ">11月21日 23:00<")
	require.Contains(t, p.Time(p.Now.Add(-2*time.Hour)), `datetime="2026-11-21T15:00:00Z"`)
	require.Contains(t, p.Time(p.Now.AddDate(-1, 0, 0)), ">2025年11月22日 01:00<")
	require.Equal(t, "Asia/Shanghai (UTC+8)", p.ZoneName())
	require.Equal(t, "10 分钟前", p.Ago(p.Now.Add(-10*time.Minute)))
	p.Lang = "en"
	require.Contains(t, p.TimeFull(p.Now), ">22 Nov 2026 01:00:00<")
	require.Equal(t, "in 3 days", p.Ago(p.Now.Add(72*time.Hour)))
	require.EqualValues(t, "–", p.Time((*time.Time)(nil)))
}

// TestForeign_IsHarmless: what others wrote is shown, does nothing, and does
// not turn the page around.
func TestForeign_IsHarmless(t *testing.T) {
	out := string(foreign("en", "<script>alert(1)</script>\x00\u202eabc\u2066\x1b[31m"))
	require.NotContains(t, out, "<script")
	require.NotContains(t, out, "\u202e")
	require.NotContains(t, out, "\x00")
	require.Contains(t, out, "␀")
	long := string(foreign("en", strings.Repeat("名", 10000)))
	require.Contains(t, long, "<details")
	require.Contains(t, long, strings.Repeat("名", 200)+"…")
	require.NotContains(t, string(markup("en", "role.title", "<b>")), "<b>")
	s := &server{Options: Options{Assets: assets.Load("/static")}}
	require.NotContains(t, string(s.badge("en", "order", `x"><script>`)), "<script>")
	require.NotContains(t, string(s.copyable("en", `x"><script>`, `x"><script>`)), "<script>")
}

// TestLocal_LeadsNowhereElse: after signing in one comes back to our pages only.
func TestLocal_LeadsNowhereElse(t *testing.T) {
	s := &server{base: "/pay/console"}
	for _, good := range []string{"/pay/console", "/pay/console/orders?q=a%2Fb&status=paid", "/pay/console/orders/ord_1#evt_2"} {
		require.True(t, s.local(good), good)
	}
	for _, bad := range []string{
		"", "/", "//evil.example/pay/console", "https://evil.example/pay/console", "/pay/consolex", "/pay/console//evil", `/pay/console\evil`, "javascript:alert(1)",
		"/pay/console/\r\nSet-Cookie: a=b", "\t/pay/console", "/other",
	} {
		require.False(t, s.local(bad), bad)
	}
}

func TestToken_IsOfOneSessionAlone(t *testing.T) {
	a, b := newToken("one"), newToken("one")
	require.NotEqual(t, a, b, "a token that repeats can be guessed through compression")
	require.True(t, validToken("one", a))
	require.True(t, validToken("one", b))
	require.False(t, validToken("two", a))
	require.False(t, validToken("", newToken("")))
	require.False(t, validToken("one", ""))
	require.False(t, validToken("one", a[:len(a)-4]))
}
