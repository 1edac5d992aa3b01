package onemachine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"
)

// What a killed predecessor leaves behind is gone within moments; a port that is busy for longer is somebody else's.
const portPatience = 3 * time.Second

// use is one address that we need to ourselves.
type use struct {
	address  string
	what     string
	variable string
	portOnly bool // the variable holds only the port
}

func (s Settings) uses() []use {
	uses := []use{
		{address: s.HTTP, what: "the web pages and the API", variable: "BOXOFFICE_HTTP_ADDRESS"},
		{address: s.Sandbox, what: "the sandbox gateway", variable: "BOXOFFICE_SANDBOX_ADDRESS"},
		{address: s.Codec, what: "the codec server of the Temporal UI", variable: "BOXOFFICE_CODEC_ADDRESS"},
		{address: s.Inbox, what: "the local inbox", variable: "BOXOFFICE_INBOX_ADDRESS"},
	}
	if s.usesOwnTemporal() {
		uses = append(uses,
			use{address: s.temporalAddress(), what: "Temporal", variable: "BOXOFFICE_TEMPORAL_PORT", portOnly: true},
			use{address: s.TemporalUI, what: "the Temporal UI", variable: "BOXOFFICE_TEMPORAL_UI_ADDRESS"})
	}
	return uses
}

func (s Settings) postgresUse() use {
	return use{
		address: net.JoinHostPort(loopback, strconv.Itoa(s.PostgresPort)),
		what:    "PostgreSQL", variable: "BOXOFFICE_POSTGRES_PORT", portOnly: true,
	}
}

// checkPorts fails with one line if an address cannot be ours.
func (s Settings) checkPorts(ctx context.Context) error {
	seen := map[string]use{}
	for _, one := range s.uses() {
		if other, twice := seen[dialable(one.address)]; twice {
			return fmt.Errorf("%s is to be both %s and %s: change %s or %s",
				one.address, other.what, one.what, other.variable, one.variable)
		}
		seen[dialable(one.address)] = one
	}

	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.patience, portPatience))
	defer cancel()
	for _, one := range s.uses() {
		if err := one.awaitFree(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (u use) awaitFree(ctx context.Context) error {
	for {
		listener, err := net.Listen("tcp", u.address)
		if err == nil {
			return listener.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%s cannot listen on %s, see %s: %w", u.what, u.address, u.variable, err)
		}
		select {
		case <-ctx.Done():
			return u.busy()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (u use) busy() error {
	return fmt.Errorf("%s, needed for %s, is in use by another program: stop that program, or choose another port, such as %s=%s",
		u.address, u.what, u.variable, u.suggestion())
}

// suggestion is the next free address above the busy one.
func (u use) suggestion() string {
	host, text, _ := net.SplitHostPort(u.address)
	number, _ := strconv.Atoi(text)
	for candidate := number + 1; candidate < min(number+100, 65536); candidate++ {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(candidate)))
		if err != nil {
			continue
		}
		_ = listener.Close()
		if u.portOnly {
			return strconv.Itoa(candidate)
		}
		return net.JoinHostPort(host, strconv.Itoa(candidate))
	}
	return "<another one>"
}
