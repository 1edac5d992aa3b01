package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/localpostgres/freeport"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	productNamespace = "boxoffice"
	rivalNamespace   = "rivals"
)

// stack is the product and its servers, running. The rivals use the same servers.
type stack struct {
	folder   string // data and logs
	product  string // bin/boxoffice
	env      []string
	url      string
	temporal string
	gateway  *gateway.Control
	bank     sandboxSettings

	productDB, rivalDB string // URLs

	postgres, engine, sandbox, run *process
}

// sandboxSettings are what a merchant knows of a sandbox gateway.
type sandboxSettings struct {
	url, merchant, key, callbackKey string
}

// startStack starts everything below folder, PostgreSQL with its durability. extra is added to the environment of the product's service.
func startStack(ctx context.Context, bin, folder string, events []ticketing.Event, extra []string) (_ *stack, err error) {
	s := &stack{folder: folder}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.product, err = binary(bin, "boxoffice"); err != nil {
		return nil, err
	}
	standalone, err := binary(bin, "boxoffice-standalone")
	if err != nil {
		return nil, err
	}
	var server string
	s.postgres, server, err = launch(folder, "postgres", nil, true, standalone, "postgres", "--data", filepath.Join(folder, "postgres"))
	if err != nil {
		return nil, err
	}
	free, err := freeport.Addresses(1)
	if err != nil {
		return nil, err
	}
	s.temporal = free[0]
	s.engine, _, err = launch(folder, "temporal", []string{"BOXOFFICE_DATABASE_URL=" + server}, true, standalone,
		"temporal", "--address", s.temporal, "--no-ui", "--namespace", productNamespace+","+rivalNamespace)
	if err != nil {
		return nil, err
	}
	if s.productDB, err = createDatabase(ctx, server, productDBName); err != nil {
		return nil, err
	}
	if s.rivalDB, err = createDatabase(ctx, server, rivalDBName); err != nil {
		return nil, err
	}
	if err := s.configure(); err != nil {
		return nil, err
	}
	if out, err := s.role("migrate"); err != nil {
		return nil, fmt.Errorf("boxoffice migrate: %w\n%s", err, out)
	}
	if err := s.seed(ctx, events); err != nil {
		return nil, err
	}
	if s.sandbox, _, err = launch(folder, "sandbox", s.env, false, s.product, "sandbox"); err != nil {
		return nil, err
	}
	if err := awaitOK(ctx, s.bank.url+"/livez", s.sandbox); err != nil {
		return nil, err
	}
	if s.run, _, err = launch(folder, "run", append(s.env, extra...), false, s.product, "run"); err != nil {
		return nil, err
	}
	return s, awaitOK(ctx, s.url+"/readyz", s.run)
}

// configure chooses ports and secrets.
func (s *stack) configure() error {
	addresses, err := freeport.Addresses(3)
	if err != nil {
		return err
	}
	web, bank, codec := addresses[0], addresses[1], addresses[2]
	s.url = "http://" + web
	s.bank = sandboxSettings{url: "http://" + bank, merchant: "M" + rand.Text()[:10], key: rand.Text(), callbackKey: rand.Text()}
	s.gateway = gateway.NewControl(s.bank.url, s.bank.merchant, s.bank.key)
	s.env = []string{
		"BOXOFFICE_DATABASE_URL=" + s.productDB,
		"BOXOFFICE_TEMPORAL_ADDRESS=" + s.temporal,
		"BOXOFFICE_TEMPORAL_NAMESPACE=" + productNamespace,
		"BOXOFFICE_HTTP_ADDRESS=" + web,
		"BOXOFFICE_PUBLIC_URL=" + s.url,
		"BOXOFFICE_ORDERS_PER_SECOND=0",   // all buyers have one address here
		"BOXOFFICE_MAIL_PER_SECOND=10000", // it goes to the local inbox
		"BOXOFFICE_ENCRYPTION_KEYS=" + encryption.NewKey("bench"),
		"BOXOFFICE_SANDBOX_URL=" + s.bank.url,
		"BOXOFFICE_SANDBOX_ADDRESS=" + bank,
		"BOXOFFICE_SANDBOX_MERCHANT=" + s.bank.merchant,
		"BOXOFFICE_SANDBOX_KEY=" + s.bank.key,
		"BOXOFFICE_SANDBOX_CALLBACK_KEY=" + s.bank.callbackKey,
		"BOXOFFICE_SANDBOX_DATA=" + filepath.Join(s.folder, "sandbox.db"),
		"BOXOFFICE_INBOX_FOLDER=" + filepath.Join(s.folder, "inbox"),
		"BOXOFFICE_CODEC_ADDRESS=" + codec,
		"BOXOFFICE_CODEC_TOKEN=" + rand.Text(),
	}
	return nil
}

// role runs a role of the product that ends by itself.
func (s *stack) role(name string) ([]byte, error) {
	cmd := exec.Command(s.product, name)
	cmd.Env = append(os.Environ(), s.env...)
	return cmd.CombinedOutput()
}

func (s *stack) seed(ctx context.Context, events []ticketing.Event) error {
	var keys string
	for _, v := range s.env {
		if value, ok := cutSetting(v, "BOXOFFICE_ENCRYPTION_KEYS"); ok {
			keys = value
		}
	}
	ring, err := encryption.ParseKeyring(keys)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Config{URL: s.productDB, Keyring: ring, MaxConnections: 2})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.SeedCatalogue(ctx, events...)
}

// alive returns an error if a process has ended.
func (s *stack) alive() error {
	for _, p := range []*process{s.postgres, s.engine, s.sandbox, s.run} {
		if err := p.alive(); err != nil {
			return err
		}
	}
	return nil
}

// stop ends every process, the last started first.
func (s *stack) stop() {
	for _, p := range []*process{s.run, s.sandbox, s.engine, s.postgres} {
		if p != nil {
			p.stop()
		}
	}
}

func createDatabase(ctx context.Context, server, name string) (string, error) {
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	address, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	address.Path = "/" + name
	return address.String(), nil
}

// awaitOK waits until a process answers with 200.
func awaitOK(ctx context.Context, address string, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		response, err := http.Get(address)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := p.alive(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer %s, see %s", p.name, address, p.log)
		case <-tick.C:
		}
	}
}
