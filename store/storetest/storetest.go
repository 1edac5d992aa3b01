package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/localpostgres"
)

// ServerVariable names the environment variable with the URL of a server to use.
const ServerVariable = "BOXOFFICE_TEST_DATABASE_URL"

// server is the PostgreSQL all tests of this process share, with a migrated database to copy from.
type server struct {
	url      string
	child    *localpostgres.Server
	template string
}

var start = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s := &server{url: os.Getenv(ServerVariable), template: randomName("template")}
	if s.url == "" {
		child, err := localpostgres.StartTemporary(ctx)
		if err != nil {
			return nil, err
		}
		s.child, s.url = child, child.URL("postgres")
	}
	if err := s.execute(ctx, "CREATE DATABASE "+s.template); err != nil {
		return s, err
	}
	template, err := store.Open(ctx, store.Config{URL: s.database(s.template)})
	if err != nil {
		return s, err
	}
	defer template.Close()
	return s, template.Migrate(ctx)
})

// started says whether start has run, so that Main does not start a server only to stop it.
var started sync.Once

// Main runs the tests of a package and stops the server afterwards. A package that uses storetest calls it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	used := true
	started.Do(func() { used = false })
	if used {
		if s, _ := start(); s != nil {
			s.stop()
		}
	}
	os.Exit(code)
}

func (s *server) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if s.child != nil {
		_ = s.child.Stop(ctx) // it ends with this process anyway
		return
	}
	_ = s.execute(ctx, "DROP DATABASE IF EXISTS "+s.template+" WITH (FORCE)") // a name left behind harms nobody
}

// Database creates an empty, migrated database that is dropped after the test, and returns its URL.
func Database(t testing.TB) string {
	t.Helper()
	started.Do(func() {})
	s, err := start()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	name := randomName("test")
	if err := s.execute(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+s.template); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.execute(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return s.database(name)
}

// Open opens a store on a database of its own.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenURL(t, Database(t))
}

// OpenURL opens a store on a database made by Database.
func OpenURL(t testing.TB, databaseURL string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: databaseURL, Keyring: Keyring()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Keyring is the keyring of every store Open returns.
var Keyring = sync.OnceValue(func() *encryption.Keyring {
	ring, err := encryption.ParseKeyring(encryption.NewKey("test"))
	if err != nil {
		panic(err) // a key of our own making
	}
	return ring
})

// execute runs a statement that cannot run inside a transaction.
func (s *server) execute(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

func (s *server) database(name string) string {
	u, err := url.Parse(s.url)
	if err != nil {
		return s.url // connecting says what is wrong with it
	}
	u.Path = "/" + name
	return u.String()
}

func randomName(kind string) string {
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails: the program ends first
	return fmt.Sprintf("boxoffice_%s_%s", kind, hex.EncodeToString(random))
}
