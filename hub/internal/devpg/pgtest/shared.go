package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/superpayhub/superpay/hub/internal/devpg/filelock"
)

const pollEvery = 20 * time.Millisecond

// shared joins the cluster once in a process and for as long as the process lives.
var shared = sync.OnceValues(join)

// membership keeps the lock reachable beside the address: a garbage collected file is a closed one.
type membership struct {
	address string
	users   *filelock.Lock
}

func sharedHome() home {
	return home(filepath.Join(tempDir(), "superpay-pgtest-"+strconv.Itoa(os.Getuid())))
}

// join makes this process a user of the shared cluster, which is started if need be.
func join() (membership, error) {
	at := sharedHome()
	if err := at.make(); err != nil {
		return membership{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()

	users, err := take(ctx, at.users(), (*filelock.Lock).TryShared)
	if err != nil {
		return membership{}, fmt.Errorf("wait for the last keeper to end: %w", err)
	}
	address, err := findOrStart(ctx, at)
	return membership{address, users}, err
}

// findOrStart lets one process at a time look for the server, so that one only starts it.
func findOrStart(ctx context.Context, at home) (string, error) {
	starting, err := take(ctx, at.starting(), (*filelock.Lock).TryExclusive)
	if err != nil {
		return "", fmt.Errorf("wait for another process to start the keeper: %w", err)
	}
	defer starting.Close()
	if address, err := os.ReadFile(at.address()); err == nil && execute(string(address), `SELECT 1`) == nil {
		return string(address), nil
	}
	return startKeeper(ctx, at)
}

// startKeeper runs this test binary again as the keeper and waits for its one line: a URL or an error.
func startKeeper(ctx context.Context, at home) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	answer, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer answer.Close()
	// Stdin and stderr stay nil: `go test` would wait for whoever else holds its own.
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), keeperVariable+"="+string(at))
	cmd.Stdout = write
	ownSession(cmd)
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		return "", err
	}
	defer func() { _ = cmd.Process.Release() }() // it outlives us
	if deadline, ok := ctx.Deadline(); ok {
		_ = answer.SetReadDeadline(deadline)
	}
	line, err := bufio.NewReader(answer).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the keeper gave no answer, see %s: %w", at.log(), err)
	}
	line = strings.TrimSpace(line)
	if message, failed := strings.CutPrefix(line, failure); failed {
		message, _ = strconv.Unquote(message) // it may have many lines
		return "", errors.New(message)
	}
	return line, nil
}

// take opens a lock and tries it until it is ours or the context ends.
func take(ctx context.Context, path string, try func(*filelock.Lock) error) (*filelock.Lock, error) {
	lock, err := filelock.Open(path)
	if err != nil {
		return nil, err
	}
	for {
		err := try(lock)
		if err == nil {
			return lock, nil
		}
		if !errors.Is(err, filelock.ErrHeld) {
			_ = lock.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			_ = lock.Close()
			return nil, fmt.Errorf("%s: %w", path, ctx.Err())
		case <-time.After(pollEvery):
		}
	}
}

// home is the folder that the processes of one user share.
type home string

func (h home) users() string    { return filepath.Join(string(h), "users") }
func (h home) starting() string { return filepath.Join(string(h), "starting") }
func (h home) address() string  { return filepath.Join(string(h), "url") }
func (h home) log() string      { return filepath.Join(string(h), "keeper.log") }
func (h home) cluster() string  { return filepath.Join(string(h), "postgres") }

// make makes the folder, and refuses one that somebody else put into the temp folder for us.
func (h home) make() error {
	err := os.Mkdir(string(h), 0o755)
	if err == nil {
		return os.Chmod(string(h), 0o755) // whatever the umask: PostgreSQL's user must get through
	}
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(string(h))
	if err != nil {
		return err
	}
	if !info.IsDir() || !ours(info) {
		return fmt.Errorf("%s belongs to somebody else: set TMPDIR or HUB_TEST_DATABASE_URL", string(h))
	}
	return nil
}

// write replaces a file for us alone to read, in one step.
func write(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// say is the keeper's one line to the process that started it.
func say(to io.Writer, line string) { _, _ = io.WriteString(to, line+"\n") }
