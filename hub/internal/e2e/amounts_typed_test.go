package e2e

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/require"
)

// typed are amounts as somebody may send them, with 10.50 USD or 1050 minor units
// in mind.
var typed = []string{"", "0", "-0", "-100", "0500", "00001050", "0x10", "1_000", "10.505", "1.000", "10,50", "1,000.00", "1 000", "1e3", "ten"}

// TestAmounts_Typed: whatever takes an amount refuses what is none, or could be
// read in two ways, and moves nothing. What is left out means all of it in a JSON
// body alone.
func TestAmounts_Typed(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	console := h.admin()
	paid := h.charged(map[string]any{"amount": 200_000})
	held := h.charged(map[string]any{"amount": 200_000, "capture": "manual"})
	waits := h.checkout(nil)
	h.quiet()
	movement := h.ask("GET", "/v1/orders/"+paid.ID, "", nil)
	require.Equal(t, int64(200_000), movement.Refundable)
	var capture string
	require.NoError(t, h.query(`SELECT id FROM captures WHERE order_id = $1`, paid.ID).Scan(&capture))

	api := func(path, rest string) func(string) string {
		return func(text string) string {
			raw := "{" + rest + `"amount":` + text + "}"
			if text == "" {
				raw = ""
			}
			a, err := h.try("POST", path, unique("key"), raw)
			require.NoError(t, err)
			return fmt.Sprint(a.status)
		}
	}
	quoted := func(path string) func(string) string {
		return func(text string) string { return api(path, "")(`"` + text + `"`) }
	}
	query := func(path string) func(string) string {
		return func(text string) string {
			a, err := h.try("POST", path+"?amount="+url.QueryEscape(text), unique("key"), "{}")
			require.NoError(t, err)
			return fmt.Sprint(a.status)
		}
	}
	command := func(args ...string) func(string) string {
		return func(text string) string {
			all := args
			if text != "" {
				all = append(args[:len(args):len(args)], "--amount="+text)
			}
			out, err := h.operator(all...)
			require.Error(t, err, "%v: %s", all, out)
			return "exit 1"
		}
	}
	form := func(path string, fill url.Values) func(string) string {
		return func(text string) string {
			time.Sleep(150 * time.Millisecond) // the console answers nobody faster for long
			f := console.get(path).fields(t, strings.SplitN(path, "?", 2)[0])
			for k, v := range fill {
				f[k] = v
			}
			f.Set("amount", text)
			f.Set("reason", "typed")
			a := console.post(strings.SplitN(path, "?", 2)[0], f)
			require.Contains(t, a.body, "There is a problem", "%s %q", path, text)
			return fmt.Sprint(a.status)
		}
	}
	some, none := url.Values{"part": {"some"}}, url.Values{"part": {}}
	refunds := "/v1/orders/" + paid.ID + "/refunds"
	places := []struct {
		name string
		send func(string) string
		but  []string // what is an amount there
	}{
		{"API refund, amount", api(refunds, ""), nil},
		{"API refund, amount in quotes", quoted(refunds), nil},
		{"API refund, query", query(refunds), nil},
		{"API capture, amount", api("/v1/orders/"+held.ID+"/capture", ""), nil},
		{"API capture, query", query("/v1/orders/" + held.ID + "/capture"), nil},
		{"API checkout, amount", api("/v1/checkouts", `"reference":"typed","currency":"USD","provider":"stripe","flow":"checkout_session",`), nil},
		{"API further attempt, amount", api("/v1/orders/"+waits.ID+"/checkouts", `"provider":"stripe","flow":"checkout_session",`), []string{""}},
		{"hub order refund --amount", command("order", "refund", paid.ID, "--reason", "typed"), nil},
		{"hub order capture --amount", command("order", "capture", held.ID, "--reason", "typed"), nil},
		{"hub order correct --amount", command("order", "correct", paid.ID, "--movement", capture, "--was", "200000", "--why", "typed"), nil},
		{"console refund, a part", form("/orders/"+paid.ID+"/refund", some), nil},
		{"console refund, all and an amount", form("/orders/"+paid.ID+"/refund", url.Values{"part": {"all"}}), []string{""}},
		{"console refund, no choice", form("/orders/"+paid.ID+"/refund", none), nil},
		{"console capture, a part", form("/orders/"+held.ID+"/capture", some), nil},
		{"console correct", form("/orders/"+paid.ID+"/correct?movement="+capture, url.Values{"preset": {"checked"}}), nil},
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "amount\tabsent\t"+strings.Join(typed[1:], "\t"))
	for _, p := range places {
		row := p.name
		for _, text := range typed {
			said := "all"
			if !slices.Contains(p.but, text) {
				said = p.send(text)
				require.NotContains(t, []string{"200", "201", "202", "303", "500"}, said, "%s %q", p.name, text)
			}
			row += "\t" + said
		}
		fmt.Fprintln(out, row)
	}
	_ = out.Flush()
	require.Equal(t, 0, h.count(`SELECT count(*) FROM refunds`))
	require.Equal(t, 0, h.count(`SELECT count(*) FROM captures WHERE order_id = $1`, held.ID))
	require.Equal(t, 3, h.count(`SELECT count(*) FROM orders`))
	require.Equal(t, 1, h.count(`SELECT count(*) FROM attempts WHERE order_id = $1`, waits.ID))

	// What is meant is done.
	a := h.ask("POST", refunds, unique("key"), map[string]any{"amount": 1050})
	require.Equal(t, 201, a.status, a.raw)
	said, err := h.operator("order", "refund", paid.ID, "--amount", "1050", "--reason", "typed")
	require.NoError(t, err, said)
	require.Equal(t, int64(2100), h.until(paid.ID, "partially_refunded").Refunded)
	require.Equal(t, 303, console.act(paid.ID, "refund", url.Values{"part": {"some"}, "amount": {"10.5"}, "reason": {"typed"}}).status)
	require.Equal(t, 201, h.ask("POST", refunds, unique("key"), map[string]any{}).status, "a body that names none means all")
	require.Equal(t, int64(200_000), h.until(paid.ID, "refunded").Refunded)
	said, err = h.operator("order", "capture", held.ID, "--all", "--reason", "typed")
	require.NoError(t, err, said)
	require.Equal(t, int64(200_000), h.until(held.ID, "paid").Captured)
}
