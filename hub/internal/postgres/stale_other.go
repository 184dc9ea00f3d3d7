//go:build !unix

package postgres

import "net"

type peek struct{}

func newSocket(c net.Conn) *socket { return &socket{Conn: c} }

// stale is not known here: the first statement after PostgreSQL closed an idle
// connection is lost.
func (s *socket) stale() bool { return false }
