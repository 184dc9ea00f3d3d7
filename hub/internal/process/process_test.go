//go:build unix

package process

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func start(t *testing.T, script string) (*Process, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command("sh", "-c", script)
	cmd.Stdout = &out
	p, err := Start(cmd)
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p, &out
}

func TestStart_TellsHowItEnded(t *testing.T) {
	p, out := start(t, "echo hello; exit 3")
	<-p.Done()
	require.ErrorContains(t, p.Err(), "exit status 3")
	require.Equal(t, "hello\n", out.String())
	p.Kill()
	require.NoError(t, p.Stop(t.Context()))
	_, err := Start(exec.Command("/nowhere"))
	require.Error(t, err)
}

func TestStop_AsksFirst(t *testing.T) {
	p, out := start(t, `trap 'echo bye; exit 0' TERM; while :; do sleep 0.01; done`)
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, p.Stop(t.Context()))
	require.Equal(t, "bye\n", out.String())
	require.ErrorContains(t, p.Err(), "exit status 0")
}

func TestStop_KillsWhoDoesNotListenAndWhatItStarted(t *testing.T) {
	p, out := start(t, `trap '' TERM; sleep 60 & echo $!; wait; sleep 60`)
	time.Sleep(100 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, p.Stop(ctx), "killed")
	child := strings.TrimSpace(out.String())
	require.NotEmpty(t, child)
	require.Eventually(t, func() bool {
		state, _ := exec.Command("ps", "-o", "stat=", "-p", child).Output()
		return len(state) == 0 || state[0] == 'Z' // whoever inherited it has not looked yet
	}, time.Second, 10*time.Millisecond)
}
