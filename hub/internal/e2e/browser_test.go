package e2e

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/dev"
)

// chromium finds a browser. Without one the story cannot be told, and in CI
// that is a failure.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium: `make chromium` installs it")
	}
	t.Skip("no Chromium: `make chromium` installs it")
	return ""
}

// tab is a real browser with one tab.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"))) // starts it, with no end of its own
	return &tab{t, ctx}
}

// do takes steps, and tells what the page says if one fails.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	limited, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(limited, steps...); err != nil {
		text, _ := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("body")))
		b.t.Fatalf("%s: %v; the page says:\n%s", what, err, text)
	}
}

func click(css string) chromedp.Action[chromedp.Void] { return chromedp.Click(chromedp.CSS(css)) }
func appears(css string) chromedp.Action[chromedp.Void] {
	return chromedp.WaitVisible(chromedp.CSS(css))
}

func fill(css, value string) chromedp.Action[chromedp.Void] {
	return chromedp.SetValue(chromedp.CSS(css), value)
}

// TestBrowser_ANewcomerPaysInTheShop with a test card, and gets a part back.
func TestBrowser_ANewcomerPaysInTheShop(t *testing.T) {
	t.Parallel()
	b := newTab(t)
	h := open(t, func(o *dev.Options) { o.Shop = true })
	b.do("open the shop", chromedp.Navigate(h.ShopURL))
	b.do("choose and buy", click(`label[for="product-coffee"]`), click(`input[name="way"][value^="stripe/checkout_session"]`), click(`form.shop button.wide`), appears(`input[name="card_number"]`))
	b.do("pay", fill(`#card_number`, visa), click(`button[value="card"]`), appears(`section.state[data-status="paid"]`))
	var page struct{ Data []order }
	decode(t, h.ask("GET", "/v1/orders", "", nil).raw, &page)
	require.Len(t, page.Data, 1)
	require.Equal(t, "paid", page.Data[0].Status)
	b.do("refund a part", fill("#amount", "1.00"), click(`form.refund button`), appears(`section.state[data-status="partially_refunded"]`))
	require.Equal(t, int64(100), h.until(page.Data[0].ID, "partially_refunded").Refunded)
}
