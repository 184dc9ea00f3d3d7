package payments_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/api"
	"github.com/superpayhub/superpay/hub/internal/devpg"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
	"github.com/superpayhub/superpay/sdk"
)

func fenceTwice(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	before, _, mark := lost(b, e)
	count(e)
	first := fence(e)
	e.Provider.Script(func(s *paytest.Script) {
		s.List = func(context.Context, sdk.ListRequest) (*sdk.ListPage, error) { return &sdk.ListPage{Next: "more"}, nil }
	})
	require.True(t, page(e))
	e.Clock.Advance(time.Second)
	count(e)
	underWay, err := e.DB.ClaimSchedules(t.Context(), e.Clock.Now(), 30, e.Service.Running())
	require.NoError(t, err)
	require.Len(t, underWay, 1)
	b.restore() // the fence and the count go with it
	require.Empty(t, fence(e).ID)
	refused(t, refund(e, "lost", before.ID, 4_000), "history_lost")
	count(e)
	second := fence(e)
	require.NotEqual(t, first.ID, second.ID)
	require.Equal(t, postgres.FenceClosed, second.State)
	require.WithinDuration(t, mark, second.Mark, 0)
	e.Provider.Script(func(s *paytest.Script) { s.List = nil })
	require.NoError(t, e.Service.List(t.Context(), underWay[0]))
	require.Equal(t, postgres.FenceClosed, fence(e).State, "what was read before the second loss is lost again")
	lists(e)
	require.Equal(t, postgres.FenceOpen, fence(e).State)

	// And once more, of a backup that was taken afterwards.
	count(e)
	b.dump()
	e.Clock.Advance(time.Minute)
	count(e)
	b.restore()
	count(e)
	require.NotEqual(t, second.ID, fence(e).ID)
	require.Equal(t, postgres.FenceClosed, fence(e).State)
}

// fenceTellsAgain: an order was canceled where the provider cannot cancel, and
// another one changes before the hub has noticed that history was lost.
func fenceTellsAgain(t *testing.T, b *backup) { tellsAgain(t, b, false) }

// fenceTellsWithoutAList: the same where the provider's list cannot be read.
func fenceTellsWithoutAList(t *testing.T, b *backup) { tellsAgain(t, b, true) }

func tellsAgain(t *testing.T, b *backup, forbidden bool) {
	e := b.began(paytest.Options{Service: func(o *payments.Options) { o.Render = api.Render }})
	e.Listen()
	canceled, changed, rest := e.Checkout(paytest.FlowBare), e.Checkout(paytest.FlowPage), e.Checkout(paytest.FlowCharge)
	e.Clock.Advance(time.Second)
	count(e)
	b.dump()
	e.Clock.Advance(time.Minute)
	count(e)
	_, err := e.Service.Cancel(t.Context(), e.Caller(), canceled.ID, payments.CancelInput{})
	require.NoError(t, err)
	require.Equal(t, ledger.OrderCanceled, e.Order(canceled.ID).Status)
	told := e.Order(canceled.ID).AppVersion()
	b.restore()
	if forbidden {
		e.Provider.Script(func(s *paytest.Script) {
			s.List = func(context.Context, sdk.ListRequest) (*sdk.ListPage, error) {
				return nil, sdk.Rejected(sdk.Failure{Code: sdk.FailureProviderCredentials, ProviderCode: "403", Message: "the key may not list"})
			}
		})
	}
	e.Clock.Advance(time.Second)
	e.Told(e.Provider.Honest.Pay(changed.Attempts[0].ID))
	require.Zero(t, e.DB.VersionFloor())
	count(e)
	require.Positive(t, e.DB.VersionFloor())
	lists(e)
	for _, o := range []*ledger.Order{canceled, changed} {
		o = e.Order(o.ID)
		all := e.Notified(o.ID)
		require.NotEmpty(t, all)
		require.Contains(t, all[len(all)-1], fmt.Sprintf(`"status":%q`, o.Status))
		require.Contains(t, all[len(all)-1], fmt.Sprint(`"version":`, o.AppVersion()))
		require.Greater(t, o.AppVersion(), told)
	}
	require.Equal(t, ledger.OrderOpen, e.Order(canceled.ID).Status)
	require.Len(t, e.Notified(rest.ID), 1, "nothing of it can be lost that the provider does not know")
	notified := e.Count(`SELECT count(*) FROM notifications`)
	require.NoError(t, e.DB.RaiseVersions(t.Context(), e.Clock.Now().Add(-time.Hour), e.Clock.Now()))
	_, err = payments.CloseMoneyOut(t.Context(), e.DB, []string{paytest.Name}, e.Clock.Now().Add(-time.Minute), "tester", "once more", e.Clock.Now())
	require.NoError(t, err)
	lists(e)
	require.Equal(t, notified, e.Count(`SELECT count(*) FROM notifications`), "nobody is told twice")
	e.Verified()
}

func fenceOverRestarts(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	provider, clock := e.Provider, e.Clock
	o := paytest.Options{DatabaseURL: b.url, Provider: provider, Clock: clock}
	before, _, mark := lost(b, e)
	count(e)
	var read []string
	provider.Script(func(s *paytest.Script) {
		s.List = func(_ context.Context, r sdk.ListRequest) (*sdk.ListPage, error) {
			if r.Since.After(mark) || r.Since.Equal(mark) {
				t.Errorf("the list begins at %s", r.Since)
			}
			read = append(read, r.Cursor)
			next := map[string]string{"": "two", "two": "three"}[r.Cursor]
			return &sdk.ListPage{Next: next}, nil
		}
	})
	require.True(t, page(e))
	for range 3 { // each of them runs for a moment
		clock.Advance(20 * time.Second)
		e = paytest.New(t, o)
		require.NoError(t, e.DB.CameUp(t.Context(), paytest.Name, clock.Now(), payments.ListOverlap))
		require.Equal(t, postgres.FenceClosed, fence(e).State)
		watch(e)
		refused(t, refund(e, "lost", before.ID, 4_000), "history_lost")
	}
	read = nil
	for fence(e).Closed() {
		require.True(t, page(e))
	}
	require.Contains(t, read, "two", "the list goes on where it was")
	require.Contains(t, read, "three")
	require.NoError(t, refund(e, "new", before.ID, 1_000))
}

func fenceAtStart(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	clock := e.Clock
	o := paytest.Options{DatabaseURL: b.url, Provider: e.Provider, Clock: clock}
	before, _, _ := lost(b, e)
	o.Clock.Advance(time.Hour)
	e = paytest.New(t, o)
	require.NoError(t, e.DB.CameUp(t.Context(), paytest.Name, clock.Now(), payments.ListOverlap))
	watch(e)
	refused(t, refund(e, "lost", before.ID, 4_000), "history_lost")
	require.Contains(t, fence(e).Reason, "has no record of")
	lists(e)
	require.Equal(t, postgres.FenceOpen, fence(e).State)
	id := fence(e).ID

	// What a person was told of is no evidence at the next start.
	o.Clock.Advance(3 * time.Hour)
	require.NoError(t, e.DB.Seen(t.Context(), []string{paytest.Name}, clock.Now()))
	e = paytest.New(t, o)
	watch(e)
	require.NoError(t, refund(e, "new", before.ID, 1_000))
	require.Equal(t, id, fence(e).ID)
}

func fenceOfTheTail(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	before := e.Checkout(paytest.FlowCharge)
	count(e)
	e.Clock.Advance(time.Second)
	count(e)
	mark := e.Clock.Now()
	b.dump()
	require.NoError(t, refund(e, "lost", before.ID, 4_000))
	b.restore()
	e.Clock.Advance(time.Second)
	count(e)
	require.Equal(t, postgres.FenceClosed, fence(e).State)
	require.WithinDuration(t, mark, fence(e).Mark, 0)
}

func fenceWithoutLoss(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	count(e)

	// The acknowledgement of a count was lost.
	e.Count(`WITH u AS (UPDATE witness SET n = n + 1 RETURNING 1) SELECT count(*) FROM u`)
	count(e)
	// Another PostgreSQL of the same history: a switchover.
	e.Count(`WITH u AS (UPDATE witness SET timeline = '00000009', system = '1' RETURNING 1) SELECT count(*) FROM u`)
	watch(e)
	// A replica, which does not take the write.
	_, err := e.SQL.Exec(`ALTER DATABASE ` + strings.TrimPrefix(mustParse(t, b.url).Path, "/") + ` SET default_transaction_read_only = on`)
	require.NoError(t, err)
	_, err = e.SQL.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	require.NoError(t, err)
	require.Error(t, e.Service.Count(t.Context()))
	require.False(t, e.Service.Alarmed())
	_, err = e.SQL.Exec(`SET default_transaction_read_only = off; ALTER DATABASE ` + strings.TrimPrefix(mustParse(t, b.url).Path, "/") + ` RESET default_transaction_read_only`)
	require.NoError(t, err)
	_, _ = e.SQL.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	require.Eventually(t, func() bool { return e.Service.Count(t.Context()) == nil }, 10*time.Second, 10*time.Millisecond)
	// A plugin that crashes.
	p, _ := e.Registry.Get(paytest.Name)
	p.TakeDown()()
	require.NoError(t, e.DB.CameUp(t.Context(), paytest.Name, e.Clock.Now(), payments.ListOverlap))
	lists(e)
	count(e)
	require.NoError(t, refund(e, "mine", o.ID, 4_000))
	require.Empty(t, fence(e).ID)
}

func fenceOfARefund(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	before := e.Checkout(paytest.FlowCharge)
	b.dump()
	e.Clock.Advance(time.Minute)
	require.NoError(t, refund(e, "lost", before.ID, 4_000))
	b.restore()
	e.Clock.Advance(time.Minute)
	e = paytest.New(t, paytest.Options{DatabaseURL: b.url, Provider: e.Provider, Clock: e.Clock})
	require.NoError(t, e.DB.CameUp(t.Context(), paytest.Name, e.Clock.Now(), payments.ListOverlap))
	watch(e)
	refused(t, refund(e, "lost", before.ID, 4_000), "history_lost")
	require.Contains(t, fence(e).Reason, "ref_")
}

// fenceUnsigned: whoever can write a provider's metadata may copy ids, and closes
// nothing by that.
func fenceUnsigned(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	before := e.Checkout(paytest.FlowCharge)
	b.dump()
	e.Clock.Advance(time.Minute)
	require.NoError(t, refund(e, "lost", before.ID, 4_000))
	gone := e.Checkout(paytest.FlowCharge)
	b.restore()
	for _, o := range []*ledger.Order{before, gone} {
		e.Provider.Honest.Edit(o.Attempts[0].ID, func(p *sdk.Payment) {
			p.Digest = ""
			for i := range p.Refunds.Items {
				p.Refunds.Items[i].Digest = ""
			}
		})
	}
	e.Clock.Advance(time.Minute)
	e = paytest.New(t, paytest.Options{DatabaseURL: b.url, Provider: e.Provider, Clock: e.Clock})
	require.NoError(t, e.DB.CameUp(t.Context(), paytest.Name, e.Clock.Now(), payments.ListOverlap))
	watch(e)
	require.Empty(t, fence(e).ID)
	list(t, e)
	require.Empty(t, fence(e).ID)
}

func fenceNotRaised(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	count(e)
	e.Checkout(paytest.FlowCharge)
	e.Count(`WITH u AS (UPDATE orders SET version = 1 WHERE id <> $1 RETURNING 1) SELECT count(*) FROM u`, o.ID)
	tx, err := e.SQL.Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`LOCK TABLE fences IN EXCLUSIVE MODE`)
	require.NoError(t, err)
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.Error(t, e.Service.Count(short))
	require.True(t, e.Service.Alarmed())
	refused(t, refund(e, "mine", o.ID, 1_000), "history_lost")
	require.NoError(t, tx.Rollback())
	count(e)
	require.False(t, e.Service.Alarmed())
	require.Equal(t, postgres.FenceClosed, fence(e).State)
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

func TestFence_OfAServer(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	b := newBackup(t, server)
	e := b.began(paytest.Options{})
	o := e.Checkout(paytest.FlowCharge)
	count(e)
	again := func(before func(dir string)) {
		t.Helper()
		server.Kill()
		before(filepath.Join(server.Dir(), "data"))
		var err error
		server, err = devpg.Start(context.Background(), devpg.Options{Dir: server.Dir(), Unsafe: true})
		require.NoError(t, err)
		running := server
		t.Cleanup(running.Kill)
		require.Eventually(t, func() bool { return e.Service.Count(t.Context()) == nil }, 30*time.Second, 50*time.Millisecond)
	}
	copied := t.TempDir()
	again(func(dir string) { require.NoError(t, exec.Command("cp", "-a", dir, copied).Run()) })
	require.Empty(t, fence(e).ID)
	require.NoError(t, refund(e, "first", o.ID, 1_000))
	e.Clock.Advance(time.Second)
	count(e)
	again(func(dir string) {
		require.NoError(t, os.Rename(dir, dir+".away"))
		require.NoError(t, exec.Command("cp", "-a", filepath.Join(copied, "data"), dir).Run())
	})
	require.Equal(t, postgres.FenceClosed, fence(e).State)
	refused(t, refund(e, "first", o.ID, 1_000), "history_lost")
}
