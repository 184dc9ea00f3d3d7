// Package pgproxy stands between a program and PostgreSQL and loses connections
// at chosen moments: before a statement reaches PostgreSQL, after PostgreSQL
// finished it and before its answer comes back, or after the answer. It reads
// just enough of the protocol to know which statement is on its way and when
// PostgreSQL is done with it. It is for tests and chaos runs.
package pgproxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Moment says when a connection is lost.
type Moment int

// The moments of a statement.
const (
	// Before: the statement does not reach PostgreSQL.
	Before Moment = iota
	// Unanswered: PostgreSQL finishes the statement, and its commit if it is not
	// part of a transaction. The answer does not come back.
	Unanswered
	// After: the answer comes back, and then the connection ends.
	After
)

// Moments are all of them.
var Moments = []Moment{Before, Unanswered, After}

func (m Moment) String() string { return [...]string{"before", "unanswered", "after"}[m] }

// Rule says which statements lose their connection, and when.
type Rule struct {
	Moment Moment
	Match  func(sql string) bool // of a statement's text; see Writes
	Skip   int                   // so many that match are left alone first
	Times  int                   // how many lose their connection; 1 if 0

	// Reset ends the connection with a TCP reset, not an orderly close.
	Reset bool
	// Then runs, if it is set, when PostgreSQL is done (Before: when the statement
	// was held back) and before the program notices anything.
	Then func()
}

// Writes matches statements that write one of the tables.
func Writes(tables ...string) func(sql string) bool {
	writes := regexp.MustCompile(`(?i)\b(insert\s+into|update|delete\s+from)\s+(` + strings.Join(tables, "|") + `)\b`)
	return writes.MatchString
}

// Contains matches statements with that text, a regular expression.
func Contains(text string) func(sql string) bool {
	return regexp.MustCompile(text).MatchString
}

// Cut is a rule at work.
type Cut struct {
	rule Rule
	done chan struct{} // closed when the last connection of the rule has ended

	mu          sync.Mutex
	skip, times int // what is left
	hits, ended int
	over        *sync.Cond // with mu, of ended
}

// Hits is how many connections the rule has ended. It waits for those that are about
// to end: who asks sends nothing into one of them afterwards.
func (c *Cut) Hits() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.ended < c.hits {
		c.over.Wait()
	}
	return c.hits
}

// Done is closed when the rule has ended as many connections as it should.
func (c *Cut) Done() <-chan struct{} { return c.done }

// takes reports whether the rule ends the connection of one of the statements,
// and counts it.
func (c *Cut) takes(statements []string) bool {
	if !slices.ContainsFunc(statements, c.rule.Match) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.times == 0:
		return false
	case c.skip > 0:
		c.skip--
		return false
	}
	c.times--
	c.hits++
	return true
}

// end counts a connection that has ended.
func (c *Cut) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended++
	c.over.Broadcast()
	if c.times == 0 && c.ended == c.hits {
		close(c.done)
	}
}

// Proxy is a running proxy.
type Proxy struct {
	url      string
	target   string
	listener net.Listener

	mu       sync.Mutex
	cuts     []*Cut
	sessions map[*session]bool
	closed   bool
	running  sync.WaitGroup
}

// Start begins to stand in front of the database of a URL, on a port of its own
// on this machine. TLS is not spoken.
func Start(databaseURL string) (*Proxy, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("the database's URL must name a host, as postgres://user:password@host:5432/name")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the database proxy: %w", err)
	}
	p := &Proxy{target: hostPort(u), listener: listener, sessions: map[*session]bool{}}
	u.Host = listener.Addr().String()
	q := u.Query()
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	p.url = u.String()
	p.running.Go(p.accept)
	return p, nil
}

func hostPort(u *url.URL) string { return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "5432")) }

// Redirect has new connections go to another server, and ends those that there are.
func (p *Proxy) Redirect(databaseURL string) error {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.target = hostPort(u)
	p.mu.Unlock()
	p.CutAll()
	return nil
}

// URL is the database's through the proxy.
func (p *Proxy) URL() string { return p.url }

// Cut has a rule obeyed from now on. Rules are asked in the order in which they
// came.
func (p *Proxy) Cut(r Rule) *Cut {
	c := &Cut{rule: r, done: make(chan struct{}), skip: r.Skip, times: max(1, r.Times)}
	c.over = sync.NewCond(&c.mu)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts = append(p.cuts, c)
	return c
}

// Lift ends all rules.
func (p *Proxy) Lift() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts = nil
}

// CutAll ends all connections at once, whatever they are doing.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.sessions {
		s.end(false)
	}
}

// Sessions is how many connections there are.
func (p *Proxy) Sessions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sessions)
}

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.CutAll()
	p.running.Wait()
}

const (
	dialTime = 10 * time.Second // that PostgreSQL may take to accept a connection
	// While PostgreSQL is away a program can still reach the proxy, and would try
	// again at once, all the time.
	awayTime = 100 * time.Millisecond
)

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve runs one connection until either side ends it.
func (p *Proxy) serve(client net.Conn) {
	dial := net.Dialer{Timeout: dialTime}
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := dial.DialContext(context.Background(), "tcp", target)
	if err != nil {
		time.Sleep(awayTime)
		_ = client.Close()
		return
	}
	s := &session{proxy: p, client: client, server: server, statements: map[string]string{}, portals: map[string]string{}}
	p.mu.Lock()
	if p.closed {
		s.end(false)
	}
	p.sessions[s] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.sessions, s)
		p.mu.Unlock()
	}()
	s.run()
}

// cutOf finds the rule that ends the connection of one of the statements.
func (p *Proxy) cutOf(statements []string) *Cut {
	p.mu.Lock()
	cuts := slices.Clone(p.cuts)
	p.mu.Unlock()
	for _, c := range cuts {
		if c.takes(statements) {
			return c
		}
	}
	return nil
}
