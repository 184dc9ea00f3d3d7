package dev

import (
	"fmt"
	"net"
	"strconv"

	"github.com/superpayhub/superpay/hub/internal/devpg"
)

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// wantedPort is the port that was asked for, or a free one.
func wantedPort(port int) (int, error) {
	if port == 0 {
		return devpg.FreePort()
	}
	if err := devpg.Free(port); err != nil {
		return 0, fmt.Errorf("port %d cannot be used: stop what listens there, or set PORT to another (0 picks one): %w", port, err)
	}
	return port, nil
}

// neighbor is the address of a port beside the hub's, so that it is the same at
// every start; another one if it is taken or the hub's was picked anyway.
func (h *House) neighbor(distance int) string {
	if port := h.options.Port + distance; h.options.Port != 0 && port < 1<<16 && devpg.Free(port) == nil {
		return local(port)
	}
	return local(0)
}
