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

// TestBrowser_ANewcomerPaysInTheShop with a test card, and gets a part back.
func TestBrowser_ANewcomerPaysInTheShop(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	h := open(t, func(o *dev.Options) { o.Shop = true })
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(h.ShopURL)))
	do := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := chromedp.Do(limited, steps...); err != nil {
			text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
			t.Fatalf("%s: %v; the page says:\n%s", what, err, text)
		}
	}
	click := func(css string) chromedp.Action[chromedp.Void] { return chromedp.Click(chromedp.CSS(css)) }
	seen := func(css string) chromedp.Action[chromedp.Void] { return chromedp.WaitVisible(chromedp.CSS(css)) }

	do("choose and buy", click(`label[for="product-coffee"]`), click(`input[name="way"][value^="stripe/checkout_session"]`), click(`form.shop button.wide`), seen(`input[name="card_number"]`))
	do("pay", chromedp.SetValue(chromedp.CSS(`#card_number`), visa), click(`button[value="card"]`), seen(`section.state[data-status="paid"]`))
	var page struct{ Data []order }
	decode(t, h.ask("GET", "/v1/orders", "", nil).raw, &page)
	require.Len(t, page.Data, 1)
	require.Equal(t, "paid", page.Data[0].Status)
	do("refund a part", chromedp.SetValue(chromedp.CSS("#amount"), "1.00"), click(`form.refund button`), seen(`section.state[data-status="partially_refunded"]`))
	require.Equal(t, int64(100), h.until(page.Data[0].ID, "partially_refunded").Refunded)
}
