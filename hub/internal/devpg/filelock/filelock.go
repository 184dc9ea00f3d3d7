// Package filelock is an advisory lock on a file that the operating system lets go when its
// holder dies, however it dies. That makes it the one safe answer to "is the owner still alive?":
// a pid written in a file may long belong to another process.
package filelock

import (
	"errors"
	"os"
)

// ErrHeld says that another open Lock, in this or in another process, stands in the way.
var ErrHeld = errors.New("the lock is held by another")

// A Lock is an open lock file, locked or not. Child processes do not inherit it.
type Lock struct{ file *os.File }

// Open opens the lock file, making it if need be, without locking it. The file is never removed:
// a removed lock file lets two holders in.
func Open(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return &Lock{file: file}, nil
}

// TryExclusive locks out everybody else or returns ErrHeld at once.
func (l *Lock) TryExclusive() error { return tryLock(l.file, true) }

// TryShared locks out exclusive holders only, or returns ErrHeld at once.
func (l *Lock) TryShared() error { return tryLock(l.file, false) }

// Unlock lets go; the Lock can be taken again.
func (l *Lock) Unlock() error { return unlock(l.file) }

// Close lets go and closes the file.
//
// It unlocks first: a child that is being forked at this moment still holds the
// file, and with it the lock, until it executes its program.
func (l *Lock) Close() error {
	_ = unlock(l.file) // nothing may be locked
	return l.file.Close()
}

// SetNote writes text into the file for others to read, such as the holder's pid. It only informs.
func (l *Lock) SetNote(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(text), 0)
	return err
}

// Note reads what the holder wrote.
func (l *Lock) Note() string {
	text := make([]byte, 256)
	n, _ := l.file.ReadAt(text, 0) // io.EOF is the rule: the note is shorter than the buffer
	return string(text[:n])
}
