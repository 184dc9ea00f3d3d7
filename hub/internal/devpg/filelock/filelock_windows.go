package filelock

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

var (
	kernel32     = syscall.NewLazyDLL("kernel32.dll")
	lockFileEx   = kernel32.NewProc("LockFileEx")
	unlockFileEx = kernel32.NewProc("UnlockFileEx")
)

const (
	failImmediately = 0x1
	exclusiveLock   = 0x2
	lockViolation   = syscall.Errno(33)
	lockedOffset    = 1 << 30 // Windows locks are mandatory: lock a byte behind the note, so that it stays readable
)

func tryLock(file *os.File, exclusive bool) error {
	flags := uintptr(failImmediately)
	if exclusive {
		flags |= exclusiveLock
	}
	at := syscall.Overlapped{Offset: lockedOffset}
	ok, _, err := lockFileEx.Call(file.Fd(), flags, 0, 1, 0, uintptr(unsafe.Pointer(&at)))
	if ok != 0 {
		return nil
	}
	if errors.Is(err, lockViolation) {
		return ErrHeld
	}
	return &os.PathError{Op: "lock", Path: file.Name(), Err: err}
}

func unlock(file *os.File) error {
	at := syscall.Overlapped{Offset: lockedOffset}
	if ok, _, err := unlockFileEx.Call(file.Fd(), 0, 1, 0, uintptr(unsafe.Pointer(&at))); ok == 0 {
		return err
	}
	return nil
}
