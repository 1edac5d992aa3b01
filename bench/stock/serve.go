package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/store"
)

// Where a server finds its database and its keys.
const (
	databaseVariable = "BOXOFFICE_STOCK_DATABASE_URL"
	keysVariable     = "BOXOFFICE_STOCK_ENCRYPTION_KEYS"
)

// serve is the API in a process of its own, so that its processor time is not that of its viewers: streams only, for there
// is nobody to take an order. It says where it listens and then, for every line it is sent, what it has used, until
// there are no more.
func serve(ctx context.Context, _ options) error {
	ring, err := encryption.ParseKeyring(os.Getenv(keysVariable))
	if err != nil {
		return err
	}
	asked := &questions{}
	db, err := store.Open(ctx, store.Config{URL: os.Getenv(databaseVariable), Keyring: ring, Tracer: asked})
	if err != nil {
		return err
	}
	defer db.Close()
	gateways, err := payment.NewRegistry()
	if err != nil {
		return err
	}
	server, err := api.New(api.Config{
		Address: "127.0.0.1:0", PublicURL: "http://127.0.0.1", Store: db, Payments: gateways, Identity: ring,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	if err := server.Open(); err != nil {
		return err
	}
	fmt.Println("http://" + server.Addr().String())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var own syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
			return err
		}
		fmt.Println(asked.Load(), own.Utime.Nano()+own.Stime.Nano())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(lines.Err(), server.Shutdown(ctx), <-server.Err())
}

// questions counts the statements that are sent to the database.
type questions struct{ atomic.Int64 }

var _ pgx.BatchTracer = (*questions)(nil)

// TraceQueryStart implements [pgx.QueryTracer].
func (q *questions) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	q.Add(1)
	return ctx
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (q *questions) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements [pgx.BatchTracer].
func (q *questions) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery implements [pgx.BatchTracer].
func (q *questions) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) { q.Add(1) }

// TraceBatchEnd implements [pgx.BatchTracer].
func (q *questions) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// served is a server that runs in a process of its own.
type served struct {
	url string
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startServer starts this program once more, as the server.
func (s *scene) startServer(ctx context.Context) (*served, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &served{cmd: exec.CommandContext(ctx, program, "-serve")}
	p.cmd.Env = append(os.Environ(), databaseVariable+"="+s.server.URL(databaseName), keysVariable+"="+s.keyring)
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	line, err := p.out.ReadString('\n')
	p.url = strings.TrimSpace(line)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the server says no address: %w", err), p.stop())
	}
	return p, nil
}

// stop ends the server.
func (p *served) stop() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// used is what a server has used since it was started.
type used struct {
	at        time.Time
	questions int64
	cpu       time.Duration
}

// used asks the server what it has used.
func (p *served) used() (used, error) {
	u := used{at: time.Now()}
	if _, err := fmt.Fprintln(p.in); err != nil {
		return u, err
	}
	line, err := p.out.ReadString('\n')
	if err == nil {
		_, err = fmt.Sscan(line, &u.questions, &u.cpu)
	}
	return u, err
}
