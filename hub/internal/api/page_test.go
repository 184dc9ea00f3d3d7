package api_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/access"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

// ids reads a list to its end, and returns the ids of its lines.
func (f *front) ids(path string, query url.Values) (ids []string) {
	f.T.Helper()
	for pages := 0; ; pages++ {
		require.Less(f.T, pages, 20, path)
		a := f.must("GET", path+"?"+query.Encode(), "")
		require.Equal(f.T, 200, a.Status, a.Body)
		for _, line := range a.Body["data"].([]any) {
			ids = append(ids, line.(map[string]any)["id"].(string))
		}
		next, more := a.Body["next"].(string)
		if !more {
			return ids
		}
		query.Set("cursor", next)
	}
}

// TestLists_OfWhatChanged: whoever heard nothing for a while lists what changed, in
// the sequence of the changes, and only that; however small the pages.
func TestLists_OfWhatChanged(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	var orders []string
	for n := range 6 {
		f.Clock.Advance(time.Second)
		id, _ := f.checkout(n).Body["id"].(string)
		orders = append(orders, id)
	}
	f.Clock.Advance(time.Minute)
	since := f.Clock.Now()
	var changed, refunds []string
	for _, at := range []int{4, 0, 2} {
		f.Clock.Advance(time.Second)
		o := f.Order(orders[at])
		f.Told(f.Provider.Honest.Pay(o.Attempts[0].ID))
	}
	for _, at := range []int{2, 4} { // once more, in another sequence; that at 0 stays where it is
		f.Clock.Advance(time.Second)
		a, err := f.Service.Refund(t.Context(), f.Caller(), orders[at], payments.RefundInput{Amount: ledger.Minor(10)})
		require.NoError(t, err)
		refunds = append(refunds, a.Refund.ID)
	}
	changed = []string{orders[0], orders[2], orders[4]}
	for _, limit := range []string{"1", "2", "100"} {
		query := func() url.Values {
			return url.Values{"limit": {limit}, "updated_since": {since.Format(time.RFC3339Nano)}}
		}
		require.Equal(t, changed, f.ids("/v1/orders", query()), limit)
		require.Equal(t, refunds, f.ids("/v1/refunds", query()), limit)
		paid := query()
		paid.Set("status", "paid")
		require.Equal(t, changed[:1], f.ids("/v1/orders", paid), limit)
	}
	// Some that changed at the very same moment: none is left out, and none comes twice.
	f.Clock.Advance(time.Second)
	at := f.Clock.Now()
	for _, n := range []int{5, 1, 3} {
		f.Told(f.Provider.Honest.Pay(f.Order(orders[n]).Attempts[0].ID))
	}
	together := []string{orders[1], orders[3], orders[5]}
	for _, limit := range []string{"1", "2"} {
		require.Equal(t, together, f.ids("/v1/orders", url.Values{"limit": {limit}, "updated_since": {at.Format(time.RFC3339Nano)}}), limit)
	}
	// A change while somebody pages: the line moves to the end, and none is hidden.
	query := url.Values{"limit": {"1"}, "updated_since": {since.Format(time.RFC3339Nano)}}
	first := f.must("GET", "/v1/orders?"+query.Encode(), "")
	f.Clock.Advance(time.Second)
	_, err := f.Service.Refund(t.Context(), f.Caller(), orders[0], payments.RefundInput{Amount: ledger.Minor(10)})
	require.NoError(t, err)
	query.Set("cursor", first.Body["next"].(string))
	require.Equal(t, append([]string{orders[2], orders[4]}, append(together, orders[0])...), f.ids("/v1/orders", query))
	all := f.ids("/v1/orders", url.Values{"updated_since": {"2020-01-01T00:00:00Z"}})
	require.ElementsMatch(t, orders, all)
	require.NotEqual(t, orders, all)
	require.Equal(t, 422, f.must("GET", "/v1/refunds", "").Status, "it begins nowhere")

	other, err := f.DB.EnsureApp(t.Context(), "app_2", "another shop", []string{"*"}, f.Clock.Now())
	require.NoError(t, err)
	f.key = access.NewKey()
	require.NoError(t, f.DB.AddKey(t.Context(), postgres.NewKey{ID: "key_2", AppID: other.ID, Hint: access.Hint(f.key), Hash: access.HashKey(f.key), CreatedAt: f.Clock.Now()}))
	for _, list := range []string{"/v1/orders", "/v1/refunds"} {
		require.Empty(t, f.ids(list, url.Values{"updated_since": {"2020-01-01T00:00:00Z"}}), "another app's")
	}
}

// TestLists_TakeNoCursorOfTheirOwnMaking: any text is a place in a sequence of
// strings; its page would be an end that is none, or a beginning without end.
func TestLists_TakeNoCursorOfTheirOwnMaking(t *testing.T) {
	t.Parallel()
	f := newFront(t, nil)
	id, _ := f.checkout(1).Body["id"].(string)
	event := f.ids("/v1/orders/"+id+"/events", url.Values{})[0]
	lists := []string{
		"/v1/orders?", "/v1/orders?updated_since=2020-01-01T00:00:00Z&", "/v1/refunds?updated_since=2020-01-01T00:00:00Z&",
		"/v1/orders/" + id + "/events?", "/v1/callbacks?", "/v1/notifications?",
	}
	for _, list := range lists {
		for _, cursor := range []string{"abc", "xx", "0", "ord_", "ord_0", id + "0", "1.", ".", "x." + id, "ORD_" + id[4:], "att_" + id[4:], "%00", "%2527"} {
			a := f.must("GET", list+"cursor="+cursor, "")
			require.Equal(t, 422, a.Status, list+cursor)
			require.Equal(t, "cursor", a.Body["param"], list+cursor)
		}
	}
	for _, good := range []string{lists[0] + "cursor=" + id, lists[1] + "cursor=1700000000000000." + id, lists[3] + "cursor=" + event} {
		require.Equal(t, 200, f.must("GET", good, "").Status, good)
	}
	require.True(t, slices.Contains(f.ids("/v1/orders", url.Values{"cursor": {""}}), id), "an empty one is the first page")
}
