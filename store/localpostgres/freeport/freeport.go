// Package freeport finds ports for servers of this machine. It holds none of them: whoever is to listen on one should do so soon.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

const (
	host            = "127.0.0.1"
	lowest, highest = 10_000, 30_000
	tries           = 1000
)

// Find finds ports of 127.0.0.1 where nobody listens now, each another one. They are below the range from which systems take the
// ports of outgoing connections: one of those could come between now and the server's start, or its next one after it was killed.
func Find(count int) ([]int, error) {
	var ports []int
	for range tries {
		port := lowest + rand.IntN(highest-lowest) // any number will do
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			continue
		}
		defer listener.Close() // all at the end, so that the ports differ
		if ports = append(ports, port); len(ports) == count {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("found only %d of %d free ports between %d and %d on %s", len(ports), count, lowest, highest, host)
}

// Addresses finds ports as Find does, as addresses to listen on.
func Addresses(count int) ([]string, error) {
	ports, err := Find(count)
	addresses := make([]string, len(ports))
	for i, port := range ports {
		addresses[i] = net.JoinHostPort(host, strconv.Itoa(port))
	}
	return addresses, err
}
