package standin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/superpayhub/superpay/sdk/plugintest/standin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDecimal_IsExact(t *testing.T) {
	t.Parallel()
	for want, in := range map[string][2]int64{
		"10.00": {1000, 2}, "1000": {1000, 0}, "1.250": {1250, 3}, "0.05": {5, 2}, "-0.05": {-5, 2}, "0.00": {0, 2},
		"92233720368547758.07": {9223372036854775807, 2},
	} {
		require.Equal(t, want, standin.Decimal(in[0], int(in[1])))
	}
}

func TestFaults_EachActionSpoilsItsAnswer(t *testing.T) {
	t.Parallel()
	var faults standin.Faults
	var log standin.Requests
	var effects atomic.Int64
	ts := httptest.NewServer(faults.Middleware(&log, func(r *http.Request) string { return r.URL.Path },
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			standin.Pause(r.Context())
			effects.Add(1)
			_, _ = io.WriteString(w, `{"amount": 1000, "list": [{"amount": 12345678901234567}]}`)
		})))
	defer ts.Close()
	ask := func(f standin.Fault) (int, string, error) {
		f.Times = 1
		_, err := faults.Add(f)
		require.NoError(t, err)
		resp, err := ts.Client().Post(ts.URL+"/v1/x", "text/plain", strings.NewReader("card=4242424242424242"))
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body), err
	}
	_, _, err := ask(standin.Fault{Action: standin.DropBefore})
	require.Error(t, err)
	require.Zero(t, effects.Load())
	status, _, err := ask(standin.Fault{Action: standin.Status, StatusCode: 503})
	require.NoError(t, err)
	require.Equal(t, 503, status)
	require.Zero(t, effects.Load())
	_, _, err = ask(standin.Fault{Action: standin.DropAfter})
	require.Error(t, err)
	require.EqualValues(t, 1, effects.Load())
	_, half, err := ask(standin.Fault{Action: standin.Cut})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NotEmpty(t, half)
	_, body, err := ask(standin.Fault{Action: standin.Empty})
	require.NoError(t, err)
	require.Empty(t, body)
	_, body, _ = ask(standin.Fault{Action: standin.Replace, Fields: map[string]any{"*.amount": 1}, Find: "list", With: "lies"})
	require.JSONEq(t, `{"amount": 1, "lies": [{"amount": 1}]}`, body)
	_, body, _ = ask(standin.Fault{Action: standin.Replace, Fields: map[string]any{"amount": "x"}})
	require.Contains(t, body, "12345678901234567", "other numbers stay exact")
	start := time.Now()
	_, _, err = ask(standin.Fault{Action: standin.Delay, DelayMS: 50})
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(start), 50*time.Millisecond)
	for _, r := range log.List() {
		require.NotContains(t, r.Body, "4242424242424242")
	}
}

// receiver collects callbacks and answers as told.
type receiver struct {
	mu     sync.Mutex
	got    []string
	answer func(n int) int
	server *httptest.Server
}

func newReceiver(t *testing.T, answer func(n int) int) *receiver {
	r := &receiver{answer: answer}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, string(body))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(r.answer(len(r.got)))
	}))
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.got...)
}

func (r *receiver) Target(string) string { return r.server.URL }

func (r *receiver) Sign(string, []byte, time.Time) http.Header { return http.Header{} }

func callback(i int) standin.Callback {
	return standin.Callback{ID: fmt.Sprint("c", i), Type: "paid", Body: fmt.Append(nil, i)}
}

// TestFaults_StaleReads: a read answers as before, for a while after its answer
// changed, and then as things are.
func TestFaults_StaleReads(t *testing.T) {
	t.Parallel()
	var faults standin.Faults
	var log standin.Requests
	var state atomic.Value
	state.Store("open")
	ts := httptest.NewServer(faults.Middleware(&log, func(r *http.Request) string { return r.URL.Path },
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, state.Load().(string)) })))
	defer ts.Close()
	read := func(path string) string {
		resp, err := ts.Client().Get(ts.URL + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(body)
	}
	for _, f := range []standin.Fault{{Action: standin.Stale}, {Action: standin.Stale, DelayMS: 1, Times: 1}, {Action: standin.Stale, DelayMS: 1, Method: "POST"}} {
		_, err := faults.Add(f)
		require.Error(t, err)
	}
	_, err := faults.Add(standin.Fault{Action: standin.Stale, Match: "pay_1", DelayMS: 120_000})
	require.NoError(t, err)
	_, err = faults.Add(standin.Fault{Action: standin.Stale, Match: "pay_2", DelayMS: 1})
	require.NoError(t, err)
	require.Equal(t, "open", read("/v1/payments/pay_1"))
	require.Equal(t, "open", read("/v1/refunds?payment=pay_1"), "a text in the query counts")
	require.Equal(t, "open", read("/v1/payments/pay_2"))
	state.Store("paid")
	require.Equal(t, "open", read("/v1/payments/pay_1"))
	require.Equal(t, "open", read("/v1/payments/pay_1"))
	require.Equal(t, "open", read("/v1/refunds?payment=pay_1"))
	require.Equal(t, "paid", read("/v1/payments/pay_1?expand=refunds"), "nobody has read this before")
	require.Equal(t, "paid", read("/v1/payments/pay_3"))
	require.Equal(t, "open", read("/v1/payments/pay_2"), "the first read after the change")
	require.Eventually(t, func() bool { return read("/v1/payments/pay_2") == "paid" }, time.Minute, 2*time.Millisecond)
	faults.Clear("pay_1")
	require.Equal(t, "paid", read("/v1/payments/pay_1"))
	require.GreaterOrEqual(t, faults.Bitten()[standin.Stale], 4)
}

// TestDeliverer_LosesForGood: what a fault loses is not released, and comes only
// when it is asked for by its id.
func TestDeliverer_LosesForGood(t *testing.T) {
	t.Parallel()
	a := newReceiver(t, func(int) int { return 200 })
	var faults standin.Faults
	_, err := faults.Add(standin.Fault{Callback: "*", Action: standin.Lose, Match: "lost"})
	require.NoError(t, err)
	d := standin.NewDeliverer(standin.DelivererOptions{Sender: a, Faults: &faults}, nil)
	defer d.Close()
	d.Send(standin.Callback{ID: "1", Type: "x", Body: []byte("lost")})
	d.Send(standin.Callback{ID: "2", Type: "x", Body: []byte("kept")})
	require.Zero(t, d.Release(standin.ReleaseOrder{}))
	require.Eventually(t, func() bool { return d.List()[1].State == standin.Delivered }, time.Minute, time.Millisecond)
	require.Equal(t, standin.Lost, d.List()[0].State)
	require.Zero(t, d.List()[0].Tries)
	require.NoError(t, d.Resend("1"))
	require.Eventually(t, func() bool { return d.List()[0].State == standin.Delivered }, time.Minute, time.Millisecond)
}

func TestDeliverer_RepeatsUntilAnswered(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, func(n int) int { return []int{500, 302, 200}[min(n, 3)-1] })
	d := standin.NewDeliverer(standin.DelivererOptions{Sender: r, Backoff: []time.Duration{1, 1, 1, 1}}, nil)
	defer d.Close()
	d.Send(callback(1))
	require.Eventually(t, func() bool { return d.List()[0].State == standin.Delivered }, 5*time.Second, time.Millisecond)
	require.Equal(t, 3, d.List()[0].Tries)
	require.Equal(t, 200, d.List()[0].LastStatus)
}

func TestDeliverer_GivesUpAndCanBeAskedAgain(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, func(n int) int { return map[bool]int{true: 500, false: 200}[n <= 3] })
	d := standin.NewDeliverer(standin.DelivererOptions{Sender: r, Backoff: []time.Duration{1, 1}}, nil)
	defer d.Close()
	d.Send(callback(1))
	require.Eventually(t, func() bool { return d.List()[0].State == standin.Exhausted }, 5*time.Second, time.Millisecond)
	require.NoError(t, d.Resend("c1"))
	require.Eventually(t, func() bool { return d.List()[0].State == standin.Delivered }, 5*time.Second, time.Millisecond)
}

func TestDeliverer_ReordersBySeed(t *testing.T) {
	t.Parallel()
	order := func(seed uint64) []string {
		r := newReceiver(t, func(int) int { return 200 })
		var faults standin.Faults
		_, err := faults.Add(standin.Fault{Callback: "*", Action: standin.Reorder, Count: 6, Seed: seed})
		require.NoError(t, err)
		d := standin.NewDeliverer(standin.DelivererOptions{Sender: r, Faults: &faults}, nil)
		defer d.Close()
		for i := range 6 {
			d.Send(callback(i))
		}
		require.Eventually(t, func() bool { return len(r.list()) == 6 }, 5*time.Second, time.Millisecond)
		return r.list()
	}
	require.Equal(t, []string{"5", "4", "3", "2", "1", "0"}, order(0))
	require.Equal(t, order(7), order(7))
	require.NotEqual(t, order(7), order(8))
}

func TestDeliverer_CloseLeavesNothingAndLosesNothing(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, func(int) int { return 500 })
	d := standin.NewDeliverer(standin.DelivererOptions{Sender: r, Backoff: []time.Duration{time.Hour}}, nil)
	for i := range 20 {
		d.Send(callback(i))
	}
	d.Close()
	d.Send(callback(99)) // ignored
	left := d.List()
	require.Len(t, left, 20)

	r.mu.Lock()
	r.answer = func(int) int { return 200 }
	r.mu.Unlock()
	again := standin.NewDeliverer(standin.DelivererOptions{Sender: r}, left)
	defer again.Close()
	require.Eventually(t, func() bool {
		for _, c := range again.List() {
			if c.State != standin.Delivered {
				return false
			}
		}
		return true
	}, 5*time.Second, time.Millisecond)
}

func TestStateFile_FlushIsOnDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "state.json")
	var mu sync.Mutex
	n := 0
	snapshot := func() ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		return json.Marshal(n)
	}
	logger := slog.New(slog.DiscardHandler)
	file, err := standin.OpenState(path, new(int), snapshot, logger)
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			mu.Lock()
			n++
			mine := n
			mu.Unlock()
			file.Touch()
			require.NoError(t, file.Flush())
			var kept int
			_, err := standin.OpenState(path, &kept, snapshot, logger)
			require.NoError(t, err)
			require.GreaterOrEqual(t, kept, mine)
		})
	}
	all.Wait()
}

func TestClient_TellsWhatTheDoorSaid(t *testing.T) {
	t.Parallel()
	var faults standin.Faults
	var log standin.Requests
	r := newReceiver(t, func(int) int { return 200 })
	d := standin.NewDeliverer(standin.DelivererOptions{Sender: r}, nil)
	defer d.Close()
	ts := httptest.NewServer(standin.Doors{
		Faults: &faults, Requests: &log, Callbacks: d, Books: func() standin.Books { return standin.Books{} },
		SetWebhook: func(string) error { return fmt.Errorf("no thanks") },
	}.Handler())
	defer ts.Close()
	c := standin.Client{BaseURL: ts.URL + "/", HTTP: ts.Client()}
	ctx := context.Background()
	_, err := c.Books(ctx)
	require.NoError(t, err)
	require.ErrorContains(t, c.SetWebhook(ctx, "x"), "no thanks")
	require.ErrorContains(t, c.AddFault(ctx, standin.Fault{Action: "x"}), "not an action")
	require.NoError(t, c.AddFault(ctx, standin.Fault{Action: standin.Empty}))
	require.NoError(t, c.ClearFaults(ctx))
	n, err := c.Release(ctx, standin.ReleaseOrder{})
	require.NoError(t, err)
	require.Zero(t, n)
}
