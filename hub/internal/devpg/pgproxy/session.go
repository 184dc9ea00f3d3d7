package pgproxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// Message types of the protocol that matter here. See "Message Formats" in
// PostgreSQL's documentation.
const (
	msgParse    = 'P'
	msgBind     = 'B'
	msgDescribe = 'D'
	msgExecute  = 'E'
	msgClose    = 'C'
	msgSync     = 'S'
	msgQuery    = 'Q'
	msgReady    = 'Z' // from PostgreSQL: it is done with all before a Sync, or with a Query

	sslRequest    = 80877103
	gssRequest    = 80877104
	cancelRequest = 80877102

	maxMessage = 1 << 30 // bytes
)

// session is one connection through the proxy.
type session struct {
	proxy          *Proxy
	client, server net.Conn
	ended          sync.Once

	// Of the client's side alone: the texts of prepared statements and of portals
	// by name, what is held back until a Sync says that it is whole, and the
	// statements that are executed in it.
	statements map[string]string
	portals    map[string]string
	held       []byte
	executed   []string

	mu   sync.Mutex
	gone bool
	cut  *Cut // of the statement that PostgreSQL is working on
}

// run passes messages on in both directions until one side ends.
func (s *session) run() {
	defer s.end(false)
	from := bufio.NewReader(s.client)
	if !s.start(from) {
		return
	}
	var answers sync.WaitGroup
	answers.Go(s.answers)
	for s.request(from) == nil {
	}
	s.end(false)
	answers.Wait()
}

// end closes both sides; the client's with a TCP reset, if that is wanted.
func (s *session) end(reset bool) {
	s.ended.Do(func() {
		if tcp, ok := s.client.(*net.TCPConn); ok && reset {
			_ = tcp.SetLinger(0)
		}
		_ = s.client.Close()
		_ = s.server.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.gone = true
		if s.cut != nil {
			s.cut.end()
		}
	})
}

// start passes the first message on, which has no type. It reports whether
// others follow: a request to cancel stands alone.
func (s *session) start(from *bufio.Reader) bool {
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(from, head); err != nil {
			return false
		}
		length := binary.BigEndian.Uint32(head)
		code := binary.BigEndian.Uint32(head[4:])
		if length < 8 || length > maxMessage {
			return false
		}
		if code == sslRequest || code == gssRequest {
			if _, err := s.client.Write([]byte{'N'}); err != nil {
				return false
			}
			continue
		}
		message := make([]byte, length)
		copy(message, head)
		if _, err := io.ReadFull(from, message[8:]); err != nil {
			return false
		}
		_, err := s.server.Write(message)
		if code == cancelRequest {
			_, _ = io.Copy(io.Discard, s.server) // PostgreSQL closes when it has the request
			return false
		}
		return err == nil
	}
}

// message reads one message whole.
func message(from *bufio.Reader) (raw []byte, err error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[1:])
	if length < 4 || length > maxMessage {
		return nil, errors.New("a message of an impossible length")
	}
	raw = make([]byte, 1+length)
	copy(raw, head)
	_, err = io.ReadFull(from, raw[5:])
	return raw, err
}

// request takes one message of the client. What belongs to one statement is
// passed on together, so that a rule can hold it back whole.
func (s *session) request(from *bufio.Reader) error {
	raw, err := message(from)
	if err != nil {
		return err
	}
	body := raw[5:]
	switch raw[0] {
	case msgParse:
		name, rest := text(body)
		s.statements[name], _ = text(rest)
	case msgBind:
		portal, rest := text(body)
		name, _ := text(rest)
		s.portals[portal] = s.statements[name]
	case msgExecute:
		portal, _ := text(body)
		s.executed = append(s.executed, s.portals[portal])
	case msgQuery:
		sql, _ := text(body)
		s.executed = append(s.executed, sql)
	}
	s.held = append(s.held, raw...)
	switch raw[0] {
	case msgParse, msgBind, msgDescribe, msgExecute, msgClose:
		return nil // more belongs to it
	}
	whole, executed := s.held, s.executed
	s.held, s.executed = nil, nil
	return s.pass(whole, executed)
}

// pass sends statements to PostgreSQL, or ends the connection before.
func (s *session) pass(whole []byte, executed []string) error {
	cut := s.proxy.cutOf(executed)
	if cut != nil {
		s.mu.Lock()
		s.cut = cut
		if s.gone {
			cut.end()
		}
		s.mu.Unlock()
		if cut.rule.Moment == Before {
			s.lose(cut)
			return net.ErrClosed
		}
	}
	_, err := s.server.Write(whole)
	return err
}

// lose ends the connection as a rule says.
func (s *session) lose(cut *Cut) {
	if cut.rule.Then != nil {
		cut.rule.Then()
	}
	s.end(cut.rule.Reset)
}

// answers passes on what PostgreSQL says, but not the answer that a rule wants
// lost.
func (s *session) answers() {
	defer s.end(false)
	from := bufio.NewReader(s.server)
	to := bufio.NewWriter(s.client)
	for {
		raw, err := message(from)
		if err != nil {
			_ = to.Flush()
			return
		}
		s.mu.Lock()
		cut := s.cut
		s.mu.Unlock()
		if cut == nil || cut.rule.Moment == After {
			_, _ = to.Write(raw) // its error comes again with Flush
		}
		if from.Buffered() == 0 || cut != nil && raw[0] == msgReady {
			if err := to.Flush(); err != nil {
				return
			}
		}
		if cut != nil && raw[0] == msgReady {
			s.lose(cut)
			return
		}
	}
}

// text reads a text that ends with a zero byte, and returns what follows it.
func text(b []byte) (string, []byte) {
	at := bytes.IndexByte(b, 0)
	if at < 0 {
		return "", nil
	}
	return string(b[:at]), b[at+1:]
}
