package onemachine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Settings say what runs where. Addresses are host:port.
type Settings struct {
	// Data is the folder of everything that lasts.
	Data string
	// Boxoffice is the path of the product's binary.
	Boxoffice string
	// Standalone is the path of a binary whose subcommand `temporal` is the Temporal server.
	Standalone string
	// AwaitTemporal returns nil when the Temporal server at the address can be used.
	AwaitTemporal func(ctx context.Context, address string) error

	// DatabaseURL is the product's database on a server that runs already; empty means to start one.
	DatabaseURL  string
	PostgresPort int
	// ExternalTemporal is the address of a Temporal server that runs already; empty means to start one.
	ExternalTemporal string
	TemporalPort     int
	TemporalUI       string
	Namespace        string

	HTTP    string
	Sandbox string
	Codec   string
	Inbox   string

	// patience is how long a busy port may stay busy; 0 means three seconds.
	patience time.Duration
	// fast lets PostgreSQL not wait for the disk.
	fast bool
}

const loopback = "127.0.0.1"

// FromEnvironment reads the settings from environment variables, whose defaults are those of the product.
func FromEnvironment(getenv func(string) string) (Settings, error) {
	postgresPort, postgresErr := port(getenv, "BOXOFFICE_POSTGRES_PORT", 54329)
	temporalPort, temporalErr := port(getenv, "BOXOFFICE_TEMPORAL_PORT", 7233)
	settings := Settings{
		Data:             cmp.Or(getenv("BOXOFFICE_DATA"), ".boxoffice"),
		Boxoffice:        getenv("BOXOFFICE_BINARY"),
		DatabaseURL:      getenv("BOXOFFICE_DATABASE_URL"),
		PostgresPort:     postgresPort,
		ExternalTemporal: getenv("BOXOFFICE_TEMPORAL_ADDRESS"),
		TemporalPort:     temporalPort,
		TemporalUI:       cmp.Or(getenv("BOXOFFICE_TEMPORAL_UI_ADDRESS"), "127.0.0.1:8233"),
		Namespace:        cmp.Or(getenv("BOXOFFICE_TEMPORAL_NAMESPACE"), "default"),
		HTTP:             cmp.Or(getenv("BOXOFFICE_HTTP_ADDRESS"), "127.0.0.1:8080"),
		Sandbox:          cmp.Or(getenv("BOXOFFICE_SANDBOX_ADDRESS"), "127.0.0.1:8090"),
		Codec:            cmp.Or(getenv("BOXOFFICE_CODEC_ADDRESS"), "127.0.0.1:8234"),
		Inbox:            cmp.Or(getenv("BOXOFFICE_INBOX_ADDRESS"), "127.0.0.1:8025"),
	}
	return settings, errors.Join(postgresErr, temporalErr)
}

func port(getenv func(string) string, variable string, fallback int) (int, error) {
	value := getenv(variable)
	if value == "" {
		return fallback, nil
	}
	number, err := strconv.Atoi(value)
	if err != nil || number < 1 || number > 65535 {
		return 0, fmt.Errorf("%s must be a port number, not %q", variable, value)
	}
	return number, nil
}

// complete makes paths absolute and finds the product's binary.
func (s *Settings) complete() error {
	var err error
	if s.Data, err = filepath.Abs(s.Data); err != nil {
		return err
	}
	if s.Standalone == "" {
		if s.Standalone, err = os.Executable(); err != nil {
			return err
		}
	}
	if s.Boxoffice == "" {
		s.Boxoffice = filepath.Join(filepath.Dir(s.Standalone), "boxoffice")
	}
	info, err := os.Stat(s.Boxoffice)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no %s: build it with `make build`, or set BOXOFFICE_BINARY to where it is", s.Boxoffice)
	} else if err == nil && (info.IsDir() || info.Mode()&0o111 == 0) {
		return fmt.Errorf("%s is not a program", s.Boxoffice)
	}
	return err
}

func (s Settings) temporalAddress() string {
	if s.ExternalTemporal != "" {
		return s.ExternalTemporal
	}
	return net.JoinHostPort(loopback, strconv.Itoa(s.TemporalPort))
}

func (s Settings) secretsFile() string       { return filepath.Join(s.Data, "secrets.env") }
func (s Settings) logs() string              { return filepath.Join(s.Data, "logs") }
func (s Settings) log(name string) string    { return filepath.Join(s.logs(), name+".log") }
func (s Settings) postgresFolder() string    { return filepath.Join(s.Data, "postgres") }
func (s Settings) url(address string) string { return "http://" + dialable(address) }
func (s Settings) usesOwnPostgres() bool     { return s.DatabaseURL == "" }
func (s Settings) usesOwnTemporal() bool     { return s.ExternalTemporal == "" }

// dialable turns an address to listen on into one to connect to.
func dialable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = loopback
	}
	return net.JoinHostPort(host, port)
}
