package onemachine

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary plays every program of the machine, and, as `up`, the machine itself.
func TestMain(m *testing.M) {
	played := map[string]func(){
		"temporal": func() { serve(os.Getenv("BOXOFFICE_TEMPORAL_ADDRESS")) },
		"sandbox":  func() { serve(os.Getenv("BOXOFFICE_SANDBOX_ADDRESS")) },
		"inbox":    func() { serve(os.Getenv("BOXOFFICE_INBOX_ADDRESS")) },
		"run":      func() { serve(os.Getenv("BOXOFFICE_HTTP_ADDRESS")) },
		"migrate": func() {
			trace("migrate")
			if os.Getenv("TEST_MIGRATE_FAILS") != "" {
				fmt.Println("the schema is from the future")
				os.Exit(1)
			}
		},
		"seed": func() { trace("seed") },
		"up": func() {
			settings, err := FromEnvironment(os.Getenv)
			if err == nil {
				settings.AwaitTemporal = dialTemporal
				err = Run(context.Background(), context.Background(), settings, os.Stdout)
			}
			fmt.Println(err)
		},
	}
	if len(os.Args) > 1 && played[os.Args[1]] != nil {
		played[os.Args[1]]()
		return
	}
	os.Exit(m.Run())
}

// trace notes what happened, in order, in a file that all programs share.
func trace(what string) {
	file, err := os.OpenFile(os.Getenv("TEST_TRACE"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = file.WriteString(what + "\n")
	_ = file.Close()
}

// serve answers every request with the program's environment until SIGTERM.
func serve(address string) {
	name := os.Args[1]
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer cancel()
	trace(name)
	go func() {
		_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, strings.Join(os.Environ(), "\n"))
		}))
	}()
	<-ctx.Done()
	trace(name + " stops")
}

func dialTemporal(ctx context.Context, address string) error {
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}
