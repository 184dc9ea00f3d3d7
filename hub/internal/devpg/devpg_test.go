package devpg_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/superpayhub/superpay/hub/internal/devpg"
)

// ownerVariable makes this test binary, run again, a hub that owns the folder it names: see TestMain.
const ownerVariable = "SUPERPAY_DEVPG_OWNER"

func TestMain(m *testing.M) {
	dir := os.Getenv(ownerVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	server, err := devpg.Start(context.Background(), devpg.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server.Pid())
	select {} // until killed
}

// home is a folder for a cluster that PostgreSQL's own user can reach even if the tests run as root.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "superpay-devpg-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return filepath.Join(dir, "postgres")
}

func start(t *testing.T, dir string) *devpg.Server {
	t.Helper()
	server, err := devpg.Start(context.Background(), devpg.Options{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(server.Kill)
	return server
}

func stop(t *testing.T, server *devpg.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, server.Stop(ctx))
}

func open(t *testing.T, server *devpg.Server) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", server.URL())
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func write(t *testing.T, server *devpg.Server, id int) {
	t.Helper()
	_, err := open(t, server).Exec(fmt.Sprintf(`CREATE TABLE IF NOT EXISTS kept (id int); INSERT INTO kept VALUES (%d)`, id))
	require.NoError(t, err)
}

func rows(t *testing.T, server *devpg.Server) (count int) {
	t.Helper()
	require.NoError(t, open(t, server).QueryRow(`SELECT count(*) FROM kept`).Scan(&count))
	return count
}

// gone waits until a process is no more (a zombie whose parent we are not counts as gone).
func gone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 30*time.Second, 20*time.Millisecond)
}

func TestServer_KeepsRowsOverRestartsAndCrashes(t *testing.T) {
	t.Parallel()
	dir := home(t)
	first := start(t, dir)
	write(t, first, 1)
	address := first.URL()
	stop(t, first)
	stop(t, first) // again is harmless

	second := start(t, dir)
	require.Equal(t, address, second.URL(), "port and password are kept")
	require.Equal(t, 1, rows(t, second))
	write(t, second, 2)
	second.Kill()
	second.Kill()
	select {
	case <-second.Done():
	default:
		t.Fatal("Kill returned before the server was gone")
	}

	third := start(t, dir)
	require.Equal(t, 2, rows(t, third), "what was committed survives kill -9")
	stop(t, third)
}

func TestServer_RecoversWhenOnlyThePostmasterIsKilled(t *testing.T) {
	t.Parallel()
	dir := home(t)
	first := start(t, dir)
	write(t, first, 1)
	busy := open(t, first)
	go func() { _, _ = busy.Exec(`SELECT pg_sleep(1)`) }() // a child that is slow to notice
	time.Sleep(100 * time.Millisecond)
	postmaster, err := os.FindProcess(first.Pid())
	require.NoError(t, err)
	require.NoError(t, postmaster.Kill())
	<-first.Done()
	stop(t, first) // frees the folder

	second := start(t, dir)
	require.Equal(t, 1, rows(t, second))
	stop(t, second)
}

func TestServer_IsSafeByDefault(t *testing.T) {
	t.Parallel()
	dir := home(t)
	server := start(t, dir)
	db := open(t, server)
	for setting, want := range map[string]string{
		"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on", "max_connections": "100",
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "password_encryption": "scram-sha-256",
		"server_encoding": "UTF8", "lc_messages": "C", "TimeZone": "UTC",
	} {
		var got string
		require.NoError(t, db.QueryRow(`SELECT current_setting($1)`, setting).Scan(&got))
		require.Equal(t, want, got, setting)
	}
	info, err := os.Stat(filepath.Join(dir, "password"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	stranger, err := sql.Open("postgres", strings.Replace(server.URL(), "superpay:", "superpay:not", 1))
	require.NoError(t, err)
	defer stranger.Close()
	require.ErrorContains(t, stranger.Ping(), "password authentication failed")
	stop(t, server)
}

// A hub in another process owns the folder, is refused to us, is killed, and leaves it usable.
func TestStart_OneOwnerUntilItDies(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("a server ends with its killed owner on Linux only")
	}
	dir := home(t)
	hub := exec.Command(os.Args[0])
	hub.Env = append(os.Environ(), ownerVariable+"="+dir)
	out, err := hub.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, hub.Start())
	t.Cleanup(func() { _ = hub.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	postmaster, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err, line)

	_, err = devpg.Start(context.Background(), devpg.Options{Dir: dir})
	require.ErrorIs(t, err, devpg.ErrOwned)
	require.ErrorContains(t, err, fmt.Sprintf("process %d", hub.Process.Pid))

	require.NoError(t, hub.Process.Kill())
	_ = hub.Wait()
	next := start(t, dir) // at once: the old server may still be shutting down
	gone(t, postmaster)
	write(t, next, 1)
	_, err = devpg.Start(context.Background(), devpg.Options{Dir: dir})
	require.ErrorIs(t, err, devpg.ErrOwned, "within one process too")
	stop(t, next)
}

func TestStart_StopsAServerThatOutlivedItsOwner(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("finds processes through /proc")
	}
	dir := home(t)
	first := start(t, dir)
	write(t, first, 1)
	devpg.Disown(first)

	second := start(t, dir)
	<-first.Done()
	require.NotEqual(t, first.Pid(), second.Pid())
	require.Equal(t, 1, rows(t, second))
	stop(t, second)

	// A pid file that names a living process which is no PostgreSQL stands in nobody's way.
	pidFile := filepath.Join(dir, "data", "postmaster.pid")
	require.NoError(t, os.WriteFile(pidFile, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644))
	stop(t, start(t, dir))
}

func TestStart_MovesToAnotherPortIfItsOwnIsTaken(t *testing.T) {
	t.Parallel()
	one, two := home(t), home(t)
	first := start(t, one)
	stop(t, start(t, two))
	port, err := os.ReadFile(filepath.Join(one, "port"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(two, "port"), port, 0o644))

	second := start(t, two)
	require.NotEqual(t, first.URL(), second.URL())
	require.NoError(t, open(t, second).Ping())
	stop(t, second)
	stop(t, first)
}
