package dev

import (
	"bytes"
	"io"
	"sync"
)

// maxLine bounds what is kept of a line that does not end.
const maxLine = 64 << 10

// logs joins what several programs say, a whole line at a time.
type logs struct {
	mu sync.Mutex
	to io.Writer
}

// named puts a name before every line.
func (l *logs) named(name string) io.Writer { return &lines{logs: l, prefix: name + " | "} }

type lines struct {
	*logs
	prefix string
	rest   []byte // of a line that has not ended
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		end := bytes.IndexByte(l.rest, '\n')
		if end < 0 && len(l.rest) < maxLine {
			return len(p), nil
		}
		if end < 0 {
			end = len(l.rest) - 1
		}
		if _, err := l.to.Write(append([]byte(l.prefix), l.rest[:end+1]...)); err != nil {
			return 0, err
		}
		l.rest = append(l.rest[:0], l.rest[end+1:]...)
	}
}
