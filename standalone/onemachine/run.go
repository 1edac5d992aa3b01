package onemachine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/boxoffice/boxoffice/standalone/supervisor"
	"github.com/boxoffice/boxoffice/store/localpostgres"
	"github.com/boxoffice/boxoffice/store/localpostgres/folderlock"
)

// machine is what runs.
type machine struct {
	Settings
	say        func(format string, values ...any)
	supervisor *supervisor.Supervisor
	postgres   *localpostgres.Server // nil for a server that is not ours
	variables  map[string]string     // what the product's programs read
	begun      bool                  // something was started
}

// Run starts everything, says on out what it does, and keeps it running until stop ends; then it stops everything in
// reverse order. When kill ends too, it does not wait for anybody any more. It returns nil after an orderly stop.
func Run(stop, kill context.Context, settings Settings, out io.Writer) error {
	if err := settings.complete(); err != nil {
		return err
	}
	lock, err := settings.takeFolder()
	if err != nil {
		return err
	}
	defer lock.Release()

	var writing sync.Mutex
	say := func(format string, values ...any) {
		writing.Lock()
		defer writing.Unlock()
		fmt.Fprintf(out, format+"\n", values...)
	}
	m := &machine{Settings: settings, say: say}
	m.supervisor = supervisor.New(func(line string) { say("%s", line) })

	began := time.Now()
	err = m.start(stop)
	if err == nil {
		m.banner(time.Since(began))
		err = m.watch(stop)
	} else if ended, ok := errors.AsType[*supervisor.EndedError](err); ok && ended.LastLines != "" {
		say("\n%s wrote last:\n    %s\n", ended.Program.Name, strings.ReplaceAll(ended.LastLines, "\n", "\n    "))
	}
	return errors.Join(err, m.stop(kill))
}

// takeFolder makes the data folder and keeps others out of it.
func (s Settings) takeFolder() (*folderlock.Lock, error) {
	if err := os.MkdirAll(s.Data, 0o755); err != nil {
		return nil, err
	}
	// PostgreSQL may run as another user and has to pass; what is secret inside is closed by itself.
	if info, err := os.Stat(s.Data); err != nil {
		return nil, err
	} else if err := os.Chmod(s.Data, info.Mode().Perm()|0o711); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.logs(), 0o700); err != nil {
		return nil, err
	}
	lock, err := folderlock.Take(filepath.Join(s.Data, "lock"))
	if taken, ok := errors.AsType[*folderlock.TakenError](err); ok {
		return nil, fmt.Errorf("another one already runs on %s (process %d): stop it, or set BOXOFFICE_DATA to another folder", s.Data, taken.PID)
	}
	return lock, err
}

func (m *machine) start(ctx context.Context) error {
	m.say("boxoffice starts in %s; the logs are in %s", m.Data, m.logs())
	if err := m.checkPorts(ctx); err != nil {
		return err
	}
	secrets, err := m.secrets()
	if err != nil {
		return err
	}

	if m.usesOwnPostgres() {
		m.say("  PostgreSQL on port %d", m.PostgresPort)
	} else {
		m.say("  using the database of BOXOFFICE_DATABASE_URL")
	}
	m.begun = true
	var databaseURL string
	if m.postgres, databaseURL, err = m.startPostgres(ctx); err != nil {
		return err
	}
	if m.postgres != nil && m.postgres.Folder() != m.postgresFolder() {
		m.say("    its data is in %s: the user it runs as cannot reach %s", m.postgres.Folder(), m.Data)
	}

	m.variables = m.product(databaseURL, secrets)
	if m.usesOwnTemporal() {
		m.say("  Temporal and its UI")
		err = m.supervisor.Start(ctx, m.temporal(databaseURL, m.variables))
	} else {
		m.say("  using the Temporal server at %s", m.ExternalTemporal)
		err = m.awaitExternalTemporal(ctx)
	}
	if err != nil {
		return err
	}

	m.say("  database schema")
	if err := m.supervisor.Run(ctx, m.boxoffice("migrate", m.variables)); err != nil {
		return err
	}
	m.say("  demo catalogue")
	if err := m.supervisor.Run(ctx, m.boxoffice("seed", m.variables)); err != nil {
		return err
	}
	m.say("  sandbox gateway")
	if err := m.supervisor.Start(ctx, m.sandbox(m.variables)); err != nil {
		return err
	}
	m.say("  local inbox")
	if err := m.supervisor.Start(ctx, m.inbox(m.variables)); err != nil {
		return err
	}
	m.say("  boxoffice: web, API, worker")
	return m.supervisor.Start(ctx, m.everythingElse(m.variables))
}

// watch returns when everything shall be stopped: nil because somebody wants it.
func (m *machine) watch(stop context.Context) error {
	var postgresEnded <-chan struct{}
	if m.postgres != nil {
		postgresEnded = m.postgres.Exited()
	}
	select {
	case <-stop.Done():
		return nil
	case <-postgresEnded:
		return fmt.Errorf("PostgreSQL ended by itself, see %s", m.log("postgres"))
	}
}

func (m *machine) stop(kill context.Context) error {
	if !m.begun {
		return nil
	}
	m.say("stopping …")
	m.supervisor.StopAll(kill)
	if m.postgres != nil {
		ctx, cancel := context.WithTimeout(kill, 3*time.Second)
		defer cancel()
		if err := m.postgres.Stop(ctx); err != nil {
			return err
		}
	}
	m.say("stopped")
	return nil
}
