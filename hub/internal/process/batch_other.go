//go:build !linux

package process

// Batch does nothing here.
func Batch() error { return nil }
