package onemachine

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/boxoffice/boxoffice/standalone/supervisor"
)

// environment is ours, with what is given here in addition; a variable that somebody has set wins over a made-up one.
func environment(additions ...map[string]string) []string {
	result := os.Environ()
	for _, variables := range additions {
		for name, value := range variables {
			result = append(result, name+"="+value)
		}
	}
	return result
}

// product is what the product's programs read.
func (s Settings) product(databaseURL string, secrets map[string]string) map[string]string {
	variables := map[string]string{
		"BOXOFFICE_PUBLIC_URL":   s.url(s.HTTP),
		"BOXOFFICE_SANDBOX_URL":  s.url(s.Sandbox),
		"BOXOFFICE_SANDBOX_DATA": filepath.Join(s.Data, "sandbox.db"),
		"BOXOFFICE_INBOX_FOLDER": filepath.Join(s.Data, "inbox"),
	}
	maps.Copy(variables, secrets)
	for name := range variables {
		if value := os.Getenv(name); value != "" {
			variables[name] = value
		}
	}
	maps.Copy(variables, map[string]string{
		"BOXOFFICE_DATABASE_URL":       databaseURL,
		"BOXOFFICE_TEMPORAL_ADDRESS":   s.temporalAddress(),
		"BOXOFFICE_TEMPORAL_NAMESPACE": s.Namespace,
		"BOXOFFICE_HTTP_ADDRESS":       s.HTTP,
		"BOXOFFICE_SANDBOX_ADDRESS":    s.Sandbox,
		"BOXOFFICE_CODEC_ADDRESS":      s.Codec,
		"BOXOFFICE_INBOX_ADDRESS":      s.Inbox,
	})
	return variables
}

// The times to stop add up, with three seconds for PostgreSQL, to less than the fifteen seconds that Ctrl-C may take.

func (s Settings) temporal(databaseURL string, product map[string]string) supervisor.Program {
	return supervisor.Program{
		Name: "Temporal", Path: s.Standalone, Arguments: []string{"temporal"}, Log: s.log("temporal"),
		Environment: environment(map[string]string{
			"BOXOFFICE_DATABASE_URL":        databaseURL,
			"BOXOFFICE_TEMPORAL_ADDRESS":    s.temporalAddress(),
			"BOXOFFICE_TEMPORAL_UI_ADDRESS": s.TemporalUI,
			"BOXOFFICE_TEMPORAL_NAMESPACE":  s.Namespace,
			"BOXOFFICE_CODEC_ENDPOINT":      s.codecEndpoint(product),
		}),
		Ready:        func(ctx context.Context) error { return s.AwaitTemporal(ctx, s.temporalAddress()) },
		StartTimeout: 2 * time.Minute, // on a slow disk the first schema takes its time
		StopTimeout:  5 * time.Second,
	}
}

func (s Settings) boxoffice(command string, product map[string]string) supervisor.Program {
	return supervisor.Program{
		Name: "boxoffice " + command, Path: s.Boxoffice, Arguments: []string{command}, Log: s.log(command),
		Environment: environment(product),
	}
}

func (s Settings) sandbox(product map[string]string) supervisor.Program {
	program := s.boxoffice("sandbox", product)
	program.Ready = supervisor.Answers(s.url(s.Sandbox) + "/livez")
	program.StopTimeout = 2 * time.Second
	return program
}

func (s Settings) inbox(product map[string]string) supervisor.Program {
	program := s.boxoffice("inbox", product)
	program.Ready = supervisor.Answers(s.url(s.Inbox) + "/")
	program.StopTimeout = 2 * time.Second
	return program
}

func (s Settings) everythingElse(product map[string]string) supervisor.Program {
	program := s.boxoffice("run", product)
	program.Ready = supervisor.Answers(s.url(s.HTTP) + "/readyz")
	program.StopTimeout = 5 * time.Second
	return program
}

// codecEndpoint is the URL that the browser with the Temporal UI asks to decode payloads.
func (s Settings) codecEndpoint(product map[string]string) string {
	if value := os.Getenv("BOXOFFICE_CODEC_ENDPOINT"); value != "" {
		return value
	}
	return s.url(s.Codec) + "/" + product["BOXOFFICE_CODEC_TOKEN"]
}

// awaitExternalTemporal fails with one line if nobody listens where a Temporal server should be.
func (s Settings) awaitExternalTemporal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", s.ExternalTemporal)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("BOXOFFICE_TEMPORAL_ADDRESS: no Temporal server answers: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
