package dev

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Free ports are looked for below the range that systems take the local ports
// of outgoing connections from: a hub that is killed gets the same one again.
const firstPort, portCount = 15000, 15000

// freePort picks a port that nobody listens on.
func freePort() (int, error) {
	for range 200 {
		port := firstPort + rand.IntN(portCount)
		if free(port) == nil {
			return port, nil
		}
	}
	return 0, errors.New("no free port found")
}

func free(port int) error {
	l, err := net.Listen("tcp", local(port))
	if err != nil {
		return err
	}
	return l.Close()
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// wantedPort is the port that was asked for, or a free one.
func wantedPort(port int) (int, error) {
	if port == 0 {
		return freePort()
	}
	if err := free(port); err != nil {
		return 0, fmt.Errorf("port %d cannot be used: stop what listens there, or set PORT to another (0 picks one): %w", port, err)
	}
	return port, nil
}

// neighbor is the address of a port beside the hub's, so that it is the same at
// every start; another one if it is taken or the hub's was picked anyway.
func (h *House) neighbor(distance int) string {
	if port := h.options.Port + distance; h.options.Port != 0 && port < 1<<16 && free(port) == nil {
		return local(port)
	}
	return local(0)
}
