// Command healthcheck asks whether a service answers: `healthcheck http://127.0.0.1:8080/readyz` wants status 200,
// `healthcheck tcp://127.0.0.1:8090` wants to connect. It exits with 0 or 1. The image it is in has no shell and no curl.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// patience is how long an answer may take.
const patience = 2 * time.Second

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: healthcheck http://host:port/path | tcp://host:port")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	err := check(ctx, os.Args[1])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// check returns nil when the service at the address answers as it should.
func check(ctx context.Context, address string) error {
	target, err := url.Parse(address)
	if err != nil {
		return err
	}
	switch target.Scheme {
	case "tcp":
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", target.Host)
		if err != nil {
			return err
		}
		return connection.Close()
	case "http", "https":
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	default:
		return fmt.Errorf("cannot check %q", address)
	}
}
