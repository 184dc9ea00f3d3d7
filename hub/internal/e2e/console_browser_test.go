package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestConsole_InABrowser: signing in with scripts and without, and the keys.
func TestConsole_InABrowser(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	h := open(t, nil)
	eval := func(js string) string {
		t.Helper()
		out, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](js))
		require.NoError(t, err)
		return out
	}

	b.scripts(false)
	b.signIn(h)
	b.do("change the language without scripts", click(`button[name="lang"]`), appears(`html[lang="zh-Hans"]`), click(`button[name="lang"]`), appears(`html[lang="en"]`))
	b.do("sign out without scripts", click("details.user summary"), click("details.user form button"), appears("#email"))

	b.scripts(true)
	b.do("show the password", chromedp.Navigate(h.Console.URL+"/sign-in"), fill("#password", "x"), click(`[data-reveal]`), appears(`#password[type="text"]`))
	b.signIn(h)
	b.do("nothing before a key", chromedp.Navigate(h.Console.URL+"/people"), appears("h1"))
	b.do("the list of keys opens and closes", chromedp.KeyEvent("?"), appears("#keys[open]"), chromedp.KeyEvent("\x1b"), chromedp.WaitNotVisible(chromedp.CSS("#keys")))
	b.do("j goes to the first row", chromedp.KeyEvent("j"))
	require.Contains(t, eval(`document.activeElement.closest("tr") ? document.activeElement.tagName : document.activeElement.outerHTML`), "A")
	b.do("Enter opens it", chromedp.KeyEvent("\r"), appears("dl.facts"))
	b.do("no key works while one types", chromedp.Navigate(h.Console.URL+"/people/new"), click("#name"), chromedp.KeyEvent("j?g"))
	require.Equal(t, "j?g", eval(`document.querySelector("#name").value`))
	require.Equal(t, "false", eval(`String(document.querySelector("#keys").open)`))
	_, err := h.database().Exec(`UPDATE users SET keys = false`)
	require.NoError(t, err)
	b.do("the profile turns them off", chromedp.Navigate(h.Console.URL+"/people"), appears("h1"), chromedp.KeyEvent("j"))
	require.Equal(t, "BODY", eval(`document.activeElement.tagName`))
}
