package payments_test

import (
	"database/sql"
	"net/url"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg"
	"github.com/superpayhub/superpay/hub/internal/devpg/pgtest"
	"github.com/superpayhub/superpay/hub/internal/ledger"
	"github.com/superpayhub/superpay/hub/internal/payments"
	"github.com/superpayhub/superpay/hub/internal/payments/paytest"
	"github.com/superpayhub/superpay/hub/internal/postgres"
)

type backup struct {
	t      *testing.T
	server *devpg.Server
	url    string
	file   string
}

var databases atomic.Int64

func newBackup(t *testing.T, server *devpg.Server) *backup {
	t.Helper()
	admin, err := sql.Open("postgres", server.URL())
	require.NoError(t, err)
	defer admin.Close()
	name := "hub" + string(rune('a'+databases.Add(1)))
	_, err = admin.Exec("CREATE DATABASE " + name)
	require.NoError(t, err)
	address, err := url.Parse(server.URL())
	require.NoError(t, err)
	address.Path = "/" + name
	return &backup{t: t, server: server, url: address.String(), file: filepath.Join(t.TempDir(), "dump.sql")}
}

func (b *backup) run(program string, args ...string) {
	b.t.Helper()
	out, err := exec.Command(b.server.Program(program), append(args, b.url)...).CombinedOutput()
	require.NoError(b.t, err, string(out))
}

func (b *backup) dump() { b.t.Helper(); b.run("pg_dump", "--clean", "--if-exists", "-f", b.file) }

func (b *backup) restore() {
	b.t.Helper()
	b.run("psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", b.file)
}

func (b *backup) began(o paytest.Options) *paytest.Env {
	b.t.Helper()
	o.DatabaseURL = b.url
	e := paytest.New(b.t, o)
	require.NoError(b.t, e.DB.CameUp(b.t.Context(), paytest.Name, e.Clock.Now(), payments.ListOverlap))
	lists(e)
	watch(e)
	return e
}

func watch(e *paytest.Env) {
	e.T.Helper()
	require.NoError(e.T, e.Service.Begin(e.T.Context()))
	count(e)
}

func count(all ...*paytest.Env) {
	for _, e := range all {
		e.T.Helper()
		require.NoError(e.T, e.Service.Count(e.T.Context()))
	}
}

func lists(e *paytest.Env) {
	e.T.Helper()
	for range 50 {
		if !page(e) {
			return
		}
	}
	e.T.Fatal("lists without end")
}

func page(e *paytest.Env) bool {
	e.T.Helper()
	due, err := e.DB.ClaimSchedules(e.T.Context(), e.Clock.Now(), 30, e.Service.Running())
	require.NoError(e.T, err)
	for _, l := range due {
		_ = e.Service.List(e.T.Context(), l)
	}
	return len(due) > 0
}

func fence(e *paytest.Env) postgres.Fence {
	e.T.Helper()
	all, err := e.DB.Fences(e.T.Context())
	require.NoError(e.T, err)
	if len(all) == 0 {
		return postgres.Fence{}
	}
	require.Len(e.T, all, 1)
	require.Equal(e.T, paytest.Name, all[0].Provider)
	return all[0]
}

func refund(e *paytest.Env, key, orderID string, amount int64) error {
	_, err := e.Service.Refund(e.T.Context(), e.Key(key), orderID, payments.RefundInput{Amount: ledger.Minor(amount)})
	return err
}

func sent(e *paytest.Env) int {
	return len(e.Provider.Calls("CreateCheckout", "Confirm", "Capture", "Refund"))
}

func lost(b *backup, e *paytest.Env, others ...*paytest.Env) (before *ledger.Order, gone string, mark time.Time) {
	b.t.Helper()
	all := append(others, e)
	before = e.Checkout(paytest.FlowCharge)
	count(all...)
	mark = e.Clock.Now()
	b.dump()
	e.Clock.Advance(time.Minute)
	count(all...)
	gone = e.Checkout(paytest.FlowCharge).Attempts[0].ID
	require.NoError(b.t, refund(e, "lost", before.ID, 4_000))
	count(all...)
	b.restore()
	e.Clock.Advance(time.Second)
	return before, gone, mark
}

func TestFence(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	for name, test := range map[string]func(*testing.T, *backup){
		"a restore closes, lists and opens":           fenceOfARestore,
		"apps are told what they may not know":        fenceTellsAgain,
		"apps are told also where no list is read":    fenceTellsWithoutAList,
		"a hub that has not noticed sends nothing":    fenceOfTwoHubs,
		"two restores in a row":                       fenceTwice,
		"the hub is restarted in between":             fenceOverRestarts,
		"restored while no hub ran":                   fenceAtStart,
		"without a list each order opens by its read": fenceWithoutList,
		"a list that is forbidden":                    fenceForbidden,
		"a provider that is down":                     fenceOfDown,
		"what never left may have left since":         fenceNotSent,
		"the provider tells of what never left":       fenceNotSentIsTold,
		"the last writes only are gone":               fenceOfTheTail,
		"the hub's own work waits":                    fenceOfOwnWork,
		"nothing is lost, and nothing closes":         fenceWithoutLoss,
		"a person closes and opens":                   fenceByHand,
		"only a refund is gone":                       fenceOfARefund,
		"what nobody signed is no evidence":           fenceUnsigned,
		"of all accounts that an app may use":         fenceOfAllAccounts,
		"a fence that cannot be raised yet":           fenceNotRaised,
		"apps are told after the list was read":       fenceOfNotifications,
	} {
		t.Run(name, func(t *testing.T) { test(t, newBackup(t, server)) })
	}
}

func fenceOfARestore(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	before, gone, mark := lost(b, e)
	sends := sent(e)
	const told = int64(1_000) // a version that no order of this test reaches by itself

	// Before anybody has counted: the commit itself finds that what was
	// confirmed is gone.
	refused(t, refund(e, "lost", before.ID, 4_000), "history_lost")
	require.Empty(t, fence(e).ID)
	require.NoError(t, e.DB.Seen(t.Context(), []string{paytest.Name}, e.Clock.Now()))
	count(e)
	f := fence(e)
	require.Equal(t, postgres.FenceClosed, f.State)
	require.WithinDuration(t, mark, f.Mark, 0, "the newest count that survived")
	require.Greater(t, e.Order(before.ID).AppVersion(), told, "apps keep the newest, and were told of what is gone")
	require.NoError(t, e.DB.Seen(t.Context(), []string{paytest.Name}, e.Clock.Now()))
	require.Zero(t, e.Count(`SELECT count(*) FROM schedules WHERE kind <> 'fence' AND known_to > $1`, mark), "the mark is not forgotten")

	refused(t, refund(e, "lost", before.ID, 4_000), "history_lost")
	_, err := e.Service.Checkout(t.Context(), e.Caller(), e.Input(paytest.FlowCharge))
	refused(t, err, "history_lost")
	require.Equal(t, sends, sent(e))
	page := e.Checkout(paytest.FlowPage) // its payer has to act first
	require.Equal(t, ledger.OrderOpen, page.Status)
	_, err = e.Callback(e.Fact("evt-1", page.Attempts[0].ID, true, *e.Provider.Honest.Pay(page.Attempts[0].ID)))
	require.NoError(t, err)
	require.Equal(t, ledger.OrderPaid, e.Order(page.ID).Status)

	lists(e)
	require.Equal(t, postgres.FenceOpen, fence(e).State)
	require.Equal(t, int64(4_000), e.Order(before.ID).Refunded, "it is read before money-out opens, not when it is due")
	e.Due()
	count(e)
	f = fence(e)
	require.Equal(t, postgres.FenceOpen, f.State)
	require.Equal(t, int64(1), f.Found)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM attempts WHERE id = $1 AND captured = 10000`, gone), "adopted")
	require.NoError(t, refund(e, "new", before.ID, 6_000))
	count(e)
	require.Equal(t, f.ID, fence(e).ID, "no evidence, no fence")
	e.Verified()
}

func fenceOfTwoHubs(t *testing.T, b *backup) {
	e := b.began(paytest.Options{})
	other, third := e.Second(), e.Second()
	require.NoError(t, third.Service.Begin(t.Context()))
	before, _, _ := lost(b, e, third)
	count(e)
	id := fence(e).ID
	count(third) // it finds the same, and one fence is enough
	require.Equal(t, e.DB.VersionFloor(), third.DB.VersionFloor())
	require.Equal(t, id, fence(e).ID)
	sends := sent(e)
	refused(t, refund(other, "lost", before.ID, 4_000), "history_lost")
	_, err := other.Service.Checkout(t.Context(), other.Caller(), other.Input(paytest.FlowCharge))
	refused(t, err, "history_lost")
	require.Equal(t, sends, sent(e))
	lists(other) // whoever reads the list opens it
	require.NoError(t, refund(other, "new", before.ID, 1_000))
	count(third)
	require.Equal(t, id, fence(e).ID)
}
