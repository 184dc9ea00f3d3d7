//go:build !unix

package postgres

// stale is not known here: the first statement after PostgreSQL closed an idle
// connection is lost.
func (s *socket) stale() bool { return false }
