package process

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestBatch_IsInherited(t *testing.T) {
	require.NoError(t, Batch())
	p, _ := start(t, "sleep 60")
	attr, err := unix.SchedGetAttr(p.Pid(), 0)
	require.NoError(t, err)
	require.EqualValues(t, unix.SCHED_BATCH, attr.Policy)
}
