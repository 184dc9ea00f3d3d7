//go:build unix

package postgres

import (
	"syscall"
)

// stale reports whether the other side has closed an idle connection, or sent
// what nobody asked for (PostgreSQL says why it closes): it must not be used
// again. It costs one system call that does not wait.
func (s *socket) stale() bool {
	inner, ok := s.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := inner.SyscallConn()
	if err != nil {
		return true
	}
	var peeked [1]byte
	var n int
	var peekErr error
	err = raw.Read(func(fd uintptr) bool {
		n, _, peekErr = syscall.Recvfrom(int(fd), peeked[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return true
	})
	if err != nil || n > 0 {
		return true
	}
	waits := peekErr == syscall.EAGAIN || peekErr == syscall.EWOULDBLOCK || peekErr == syscall.EINTR
	return !waits
}
