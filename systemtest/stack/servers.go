package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/boxoffice/boxoffice/store/localpostgres"
	"github.com/boxoffice/boxoffice/store/localpostgres/freeport"
)

// namespaces is how many stacks one Temporal server can serve in a test process.
const namespaces = 160

// Servers are a PostgreSQL and a Temporal server, shared by the stacks of a test process.
type Servers struct {
	// DatabaseURL is that of the server's own database; stacks make theirs beside it.
	DatabaseURL string
	// Temporal is host:port.
	Temporal string

	Postgres *Process
	Engine   *Process

	folder string
	mu     sync.Mutex
	used   int
}

// StartServers starts both; durable makes PostgreSQL wait for the disk. Stop them.
func StartServers(t testing.TB, folder string, durable bool) (*Servers, error) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	data, err := localpostgres.TemporaryFolder()
	if err != nil {
		return nil, err
	}
	standalone := Binary(t, "boxoffice-standalone")
	ports, err := freeport.Find(2)
	if err != nil {
		return nil, err
	}
	s := &Servers{folder: data}
	args := []string{"postgres", "--data", filepath.Join(data, "data"), "--port", strconv.Itoa(ports[0])}
	if !durable {
		args = append(args, "--fast")
	}
	s.Postgres = &Process{Name: "postgres", program: standalone, args: args, log: filepath.Join(folder, "postgres.log")}
	url, err := s.Postgres.Start(true)
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.DatabaseURL = strings.TrimSpace(url)
	s.Temporal = fmt.Sprintf("127.0.0.1:%d", ports[1])
	s.Engine = &Process{
		Name: "temporal", program: standalone, log: filepath.Join(folder, "temporal.log"),
		args: []string{"temporal", "--address", s.Temporal, "--no-ui", "--namespace", strings.Join(names(), ",")},
		env:  []string{"BOXOFFICE_DATABASE_URL=" + s.DatabaseURL},
	}
	if _, err := s.Engine.Start(true); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Stop stops both and removes the data.
func (s *Servers) Stop() error {
	if s.Engine != nil {
		s.Engine.Stop()
	}
	if s.Postgres != nil {
		s.Postgres.Stop()
	}
	return os.RemoveAll(s.folder)
}

// RestartEngine starts Temporal again after it was killed, and waits until it is ready.
func (s *Servers) RestartEngine() error {
	_, err := s.Engine.Start(true)
	return err
}

// RestartPostgres starts PostgreSQL again on the same port and data.
func (s *Servers) RestartPostgres() error {
	_, err := s.Postgres.Start(true)
	return err
}

func names() []string {
	list := make([]string, namespaces)
	for i := range list {
		list[i] = fmt.Sprintf("stack-%03d", i)
	}
	return list
}

// namespace hands out one that no other stack of this process has.
func (s *Servers) namespace() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used == namespaces {
		return "", fmt.Errorf("more than %d stacks in one test process", namespaces)
	}
	s.used++
	return names()[s.used-1], nil
}
