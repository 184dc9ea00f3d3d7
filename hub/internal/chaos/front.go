package chaos

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// front is one address before all hubs, as a load balancer is: each connection
// goes to the next hub that takes it.
type front struct {
	url      string
	listener net.Listener
	hubs     []string
	next     atomic.Int64
	mu       sync.Mutex
	open     map[net.Conn]bool
}

func openFront(hubs []string) (*front, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &front{url: "http://" + listener.Addr().String(), listener: listener, open: map[net.Conn]bool{}}
	for _, base := range hubs {
		f.hubs = append(f.hubs, strings.TrimPrefix(base, "http://"))
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go f.pass(conn)
		}
	}()
	return f, nil
}

// pass joins a connection with a hub that is up, until either ends.
func (f *front) pass(from net.Conn) {
	defer f.forget(from)
	f.remember(from)
	for range f.hubs {
		to, err := net.Dial("tcp", f.hubs[int(f.next.Add(1))%len(f.hubs)])
		if err != nil {
			continue
		}
		defer f.forget(to)
		f.remember(to)
		go func() {
			_, _ = io.Copy(to, from)
			f.forget(to)
		}()
		_, _ = io.Copy(from, &impatient{to})
		return
	}
}

// maxSilence is how long a load balancer waits for a hub to answer.
const maxSilence = 5 * time.Second

// impatient reads from a hub, and gives up on one that says nothing.
type impatient struct{ net.Conn }

func (c *impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(maxSilence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (f *front) remember(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open[c] = true
}

func (f *front) forget(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.open, c)
	_ = c.Close()
}

func (f *front) close() {
	_ = f.listener.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.open {
		_ = c.Close()
	}
}
