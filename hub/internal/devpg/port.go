package devpg

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Free ports are looked for below the range that systems take the local ports
// of outgoing connections from: a program that is killed gets the same one again.
const firstPort, portCount = 15000, 15000

// FreePort picks a port that nobody listens on.
func FreePort() (int, error) {
	for range 200 {
		port := firstPort + rand.IntN(portCount)
		if Free(port) == nil {
			return port, nil
		}
	}
	return 0, errors.New("no free port found")
}

// Free says why nobody can listen on a port now.
func Free(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}
