package postgres

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func BenchmarkStale(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(b, err)
	defer c.Close()
	s := newSocket(c)
	b.ReportAllocs()
	for b.Loop() {
		if s.stale() {
			b.Fatal("stale")
		}
	}
}
