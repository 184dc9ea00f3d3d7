//go:build unix

package postgres

import (
	"net"
	"syscall"
)

// peek looks at a socket without taking anything from it.
type peek struct {
	raw  syscall.RawConn
	look func(fd uintptr) bool // kept, so that a look allocates nothing
	n    int
	err  error
}

func newSocket(c net.Conn) *socket {
	s := &socket{Conn: c}
	inner, ok := c.(syscall.Conn)
	if !ok {
		return s
	}
	raw, err := inner.SyscallConn()
	if err != nil {
		return s
	}
	p := &s.peek
	p.raw = raw
	var peeked [1]byte
	p.look = func(fd uintptr) bool {
		p.n, _, p.err = syscall.Recvfrom(int(fd), peeked[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return true
	}
	return s
}

// stale reports whether the other side has closed an idle connection, or sent
// what nobody asked for (PostgreSQL says why it closes): it must not be used
// again. It costs one system call that does not wait. Only who holds the
// connection may ask.
func (s *socket) stale() bool {
	p := &s.peek
	if p.raw == nil {
		return false
	}
	if err := p.raw.Read(p.look); err != nil || p.n > 0 {
		return true
	}
	waits := p.err == syscall.EAGAIN || p.err == syscall.EWOULDBLOCK || p.err == syscall.EINTR
	return !waits
}
