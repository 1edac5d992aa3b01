package temporalserver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"go.temporal.io/api/enums/v1"
)

const (
	loopback    = "127.0.0.1"
	clusterName = "active"

	// The number of history shards is written into the database once and never changes: enough for what one machine
	// can do, few enough to start quickly.
	historyShards = 4

	// Retention is how long finished workflows stay visible; what matters for longer is in the product's own database.
	retention = 7 * 24 * time.Hour
)

// SearchAttributes are what an operator can search workflows by. They are the ones `boxoffice migrate` registers at a
// Temporal server that is not ours.
var SearchAttributes = map[string]enums.IndexedValueType{
	"OrderState":     enums.INDEXED_VALUE_TYPE_KEYWORD,
	"EventId":        enums.INDEXED_VALUE_TYPE_KEYWORD,
	"Organiser":      enums.INDEXED_VALUE_TYPE_KEYWORD,
	"Provider":       enums.INDEXED_VALUE_TYPE_KEYWORD,
	"Amount":         enums.INDEXED_VALUE_TYPE_INT,
	"NeedsAttention": enums.INDEXED_VALUE_TYPE_BOOL,
}

// Options say where the server keeps its data and where it listens.
type Options struct {
	// DatabaseURL is any database on the PostgreSQL server to use, with a user that may create databases, or that
	// owns the two databases if they exist already.
	DatabaseURL string
	// Database holds the workflows; a second one named <Database>_visibility holds what searches look at.
	Database string
	// Address is the IP address and port of the gRPC frontend.
	Address string
	// UIAddress is the IP address and port of the web UI; empty means no UI.
	UIAddress string
	// CodecEndpoint is the URL that an operator's browser asks to decode payloads, without the final /decode; empty
	// means that the UI shows them as they are stored.
	CodecEndpoint string
	// MetricsAddress serves Prometheus metrics of the server itself at /metrics; empty means none.
	MetricsAddress string
	// Namespaces to register.
	Namespaces []string
	// LogLevel of the server's own JSON log on standard error: debug, info, warn, error.
	LogLevel string
}

func (o Options) validate() error {
	var mistakes []error
	if address, err := url.Parse(o.DatabaseURL); err != nil || address.Host == "" {
		// The parser's own message would repeat the URL and with it the password.
		mistakes = append(mistakes, errors.New("the database URL must look like postgres://user:password@host:port/database"))
	}
	if o.Database == "" {
		mistakes = append(mistakes, errors.New("the name of the database is missing"))
	}
	if len(o.Namespaces) == 0 {
		mistakes = append(mistakes, errors.New("at least one namespace is needed"))
	}
	for what, address := range map[string]string{
		"Temporal": o.Address, "Temporal UI": o.UIAddress, "Temporal metrics": o.MetricsAddress,
	} {
		if address == "" && what != "Temporal" {
			continue
		}
		if parsed, err := netip.ParseAddrPort(address); err != nil || parsed.Port() == 0 {
			mistakes = append(mistakes, fmt.Errorf("the %s address %q must be an IP address and a port, such as 127.0.0.1:7233", what, address))
		}
	}
	if address, err := url.Parse(o.CodecEndpoint); err != nil || (o.CodecEndpoint != "" && address.Host == "") {
		mistakes = append(mistakes, fmt.Errorf("the codec endpoint %q must be a URL", o.CodecEndpoint))
	}
	return errors.Join(mistakes...)
}

// numeric replaces the name of this machine, and an empty host, by the IP address that the server's settings need.
func numeric(address string) string {
	switch host, port, err := net.SplitHostPort(address); {
	case err == nil && host == "localhost":
		return net.JoinHostPort(loopback, port)
	case err == nil && host == "":
		return net.JoinHostPort("0.0.0.0", port)
	default:
		return address
	}
}

// checkFree fails with one clear line if somebody listens on the address already.
func checkFree(what, address string) error {
	if address == "" {
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%s cannot listen on %s: %w", what, address, err)
	}
	return listener.Close()
}
