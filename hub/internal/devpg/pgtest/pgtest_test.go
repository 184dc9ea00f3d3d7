package pgtest

import (
	"bufio"
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
)

// userVariable makes this test binary, run again, one more test process: see user.
const userVariable = "SUPERPAY_PGTEST_USER"

func TestMain(m *testing.M) {
	if os.Getenv(userVariable) != "" {
		user()
		return
	}
	os.Exit(m.Run())
}

// user joins the shared cluster, prints its URL, and dies without a word when stdin is closed.
func user() {
	member, err := shared()
	if err != nil {
		member.address = err.Error()
	}
	say(os.Stdout, member.address)
	runtime.GC() // must not cost the lock
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func open(t *testing.T, address string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestNew_DatabasesDoNotSeeEachOther(t *testing.T) {
	one, two := open(t, New(t)), open(t, New(t))
	for _, db := range []*sql.DB{one, two} {
		_, err := db.Exec(`CREATE TABLE orders (id int)`)
		require.NoError(t, err)
	}
	_, err := one.Exec(`INSERT INTO orders VALUES (1)`)
	require.NoError(t, err)

	var inOne, inTwo int
	require.NoError(t, one.QueryRow(`SELECT count(*) FROM orders`).Scan(&inOne))
	require.NoError(t, two.QueryRow(`SELECT count(*) FROM orders`).Scan(&inTwo))
	require.Equal(t, []int{1, 0}, []int{inOne, inTwo})
}

func TestNew_DropsItsDatabase(t *testing.T) {
	var name, address string
	t.Run("inner", func(t *testing.T) {
		address = New(t)
		require.NoError(t, open(t, address).QueryRow(`SELECT current_database()`).Scan(&name))
	})
	require.True(t, strings.HasPrefix(name, prefix), name)
	var found bool
	base, err := server()
	require.NoError(t, err)
	require.NotEqual(t, base, address)
	require.NoError(t, open(t, base).QueryRow(`SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&found))
	require.False(t, found)
}

func TestNew_UsesTheGivenServer(t *testing.T) {
	server := Server(t)
	t.Setenv("HUB_TEST_DATABASE_URL", server.URL()+"&options=-cstatement_timeout%3D1234")
	var timeout, name string
	db := open(t, New(t))
	require.NoError(t, db.QueryRow(`SELECT current_setting('statement_timeout'), current_database()`).Scan(&timeout, &name))
	require.Equal(t, "1234ms", timeout)
	require.True(t, strings.HasPrefix(name, prefix), name)
}

// Three processes in a temp folder of their own: two join at the same time, one joins later, all
// die without saying so, and nothing is left.
func TestShared_OneServerForAllProcessesAndNoneAfterwards(t *testing.T) {
	temp, err := os.MkdirTemp("", "superpay-shared-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	require.NoError(t, os.Chmod(temp, 0o755))
	t.Setenv("TMPDIR", temp)
	at := sharedHome()

	first, second := startUser(t), startUser(t)
	address := first.address(t)
	require.Equal(t, address, second.address(t))
	first.kill(t)
	time.Sleep(2 * quietLooks * lookEvery)
	require.NoError(t, execute(address, `SELECT 1`), "one user is left, so the server must be there")
	third := startUser(t)
	require.Equal(t, address, third.address(t))
	second.kill(t)
	third.kill(t)

	owner, err := filelock.Open(filepath.Join(at.cluster(), "owner.lock"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return owner.TryExclusive() == nil }, 20*time.Second, lookEvery)
	require.NoFileExists(t, at.address())
	require.NoFileExists(t, filepath.Join(at.cluster(), "data", "postmaster.pid"), "the server ended in order")
	require.Error(t, execute(address, `SELECT 1`))
	require.NoError(t, owner.Close())

	again := startUser(t) // the next run starts it anew, on the same port
	require.Equal(t, address, again.address(t))
	again.kill(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	users, err := take(ctx, at.users(), (*filelock.Lock).TryExclusive)
	require.NoError(t, err)
	require.NoError(t, users.Close())
	require.Eventually(t, func() bool { return execute(address, `SELECT 1`) != nil }, 20*time.Second, lookEvery)
}

type process struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func startUser(t *testing.T) process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), userVariable+"=1")
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return process{cmd, bufio.NewReader(out)}
}

func (p process) address(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(line, "postgres://"), line)
	return strings.TrimSpace(line)
}

func (p process) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Kill())
	_ = p.cmd.Wait()
}
