package pgtest

import "golang.org/x/sys/unix"

const (
	memory     = "/dev/shm"
	memoryFree = 4 << 30 // bytes; all tests at once use some 300 MB
)

// inMemory returns a folder in memory that has room for the tests' databases, or
// "" if there is none. A test makes a database or two, of 400 files each: in
// memory that takes two thirds of the time.
func inMemory() string {
	var files unix.Statfs_t
	if err := unix.Statfs(memory, &files); err != nil || files.Type != unix.TMPFS_MAGIC {
		return ""
	}
	var machine unix.Sysinfo_t
	if err := unix.Sysinfo(&machine); err != nil {
		return ""
	}
	room := min(files.Bavail*uint64(files.Bsize), machine.Totalram*uint64(machine.Unit)/2) //nolint:gosec // a block has a size
	if room < memoryFree {
		return ""
	}
	return memory
}
