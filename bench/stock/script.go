package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/localpostgres"
)

// eavesdropper keeps the statements a store sends.
type eavesdropper struct {
	mu       sync.Mutex
	said     []statement
	settings map[string]string
}

type statement struct {
	sql    string
	values []any
}

var _ pgx.BatchTracer = (*eavesdropper)(nil)

func (e *eavesdropper) hear(sql string, values []any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.said = append(e.said, statement{sql, values})
}

// TraceQueryStart implements [pgx.QueryTracer].
func (e *eavesdropper) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	e.hear(data.SQL, data.Args)
	return ctx
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (e *eavesdropper) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements [pgx.BatchTracer].
func (e *eavesdropper) TraceBatchStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.settings = conn.Config().RuntimeParams
	return ctx
}

// TraceBatchQuery implements [pgx.BatchTracer].
func (e *eavesdropper) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	e.hear(data.SQL, data.Args)
}

// TraceBatchEnd implements [pgx.BatchTracer].
func (e *eavesdropper) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// overhear returns what a store sends to hold tickets, when it knows the event.
func (s *scene) overhear(ctx context.Context, t tickets) (*eavesdropper, error) {
	heard := &eavesdropper{}
	db, err := s.store(ctx, store.Config{Tracer: heard})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	for range 2 { // the second time it knows the event
		heard.said = nil
		result, err := db.Hold(ctx, t.ask(1))
		if err != nil {
			return nil, err
		}
		if result.Refusal != nil {
			return nil, fmt.Errorf("refused: %+v", *result.Refusal)
		}
	}
	return heard, nil
}

// script is a transaction for pgbench, with the values of its variables.
type script struct {
	program string
	file    string
	values  []string
	// settings are those of a connection of the store.
	settings string
}

// findPgbench finds pgbench beside the server, or on PATH.
func findPgbench() (string, error) {
	installed, err := localpostgres.Find()
	if err != nil {
		return "", err
	}
	if beside := filepath.Join(installed[0].Folder, "pgbench"); exec.Command(beside, "--version").Run() == nil {
		return beside, nil
	}
	return exec.LookPath("pgbench")
}

var parameter = regexp.MustCompile(`\$(\d+)`)

// writeScript writes the statements of a hold for pgbench. They are what the store sent, with the values it sent, but
// for the number of the order, which must be another one each time.
func (s *scene) writeScript(ctx context.Context, t tickets) (out script, err error) {
	if out.program, err = findPgbench(); err != nil {
		return out, err
	}
	heard, err := s.overhear(ctx, t)
	if err != nil {
		return out, err
	}
	conn, err := pgx.Connect(ctx, s.server.URL(databaseName))
	if err != nil {
		return out, err
	}
	defer conn.Close(ctx)
	for name, value := range heard.settings {
		out.settings += " -c " + name + "=" + value
	}
	out.file = filepath.Join(s.folder, "hold.sql")
	text := &strings.Builder{}
	fmt.Fprintln(text, `\set order random(1, 9000000000000000000)`)
	for i, statement := range heard.said {
		described, err := conn.Prepare(ctx, "s"+strconv.Itoa(i), statement.sql)
		if err != nil {
			return out, err
		}
		values := make([]string, len(statement.values))
		for j, value := range statement.values {
			encoded, err := conn.TypeMap().Encode(described.ParamOIDs[j], pgtype.TextFormatCode, value, []byte{})
			if err != nil {
				return out, err
			}
			name := fmt.Sprintf("v%d_%d", i, j+1)
			switch {
			case encoded == nil:
				kind, _ := conn.TypeMap().TypeForOID(described.ParamOIDs[j])
				values[j] = "NULL::" + kind.Name
			case j == 0 && isOrderNumber(value):
				values[j] = "lpad(:order, 26, '0')"
			default:
				values[j] = ":" + name
				out.values = append(out.values, name+"="+string(encoded))
			}
		}
		sql := parameter.ReplaceAllStringFunc(statement.sql, func(p string) string {
			n, _ := strconv.Atoi(p[1:])
			return values[n-1]
		})
		fmt.Fprintln(text, strings.TrimSpace(sql)+";")
	}
	if !strings.Contains(text.String(), "lpad(:order") {
		return out, errors.New("a hold does not begin with the number of its order")
	}
	return out, os.WriteFile(out.file, []byte(text.String()), 0o600)
}

func isOrderNumber(value any) bool {
	text, ok := value.(string)
	return ok && len(text) == 26
}

var (
	pgbenchCount   = regexp.MustCompile(`(?m)^number of transactions actually processed: (\d+)`)
	pgbenchRate    = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)
	pgbenchFailure = regexp.MustCompile(`(?m)^number of failed transactions: ([1-9][0-9]*)`)
)

// pgbench runs the script with so many clients. How long each transaction took it does not tell.
func (s *scene) pgbench(ctx context.Context, script script, clients int, window time.Duration) (round, error) {
	address, password, err := passwordless(s.server.URL(databaseName))
	if err != nil {
		return round{}, err
	}
	arguments := []string{
		"--no-vacuum", "--protocol=prepared", "--client=" + strconv.Itoa(clients), "--jobs=1", "--file=" + script.file,
		"--time=" + strconv.Itoa(max(1, int(window.Round(time.Second).Seconds()))),
	}
	for _, value := range script.values {
		arguments = append(arguments, "--define="+value)
	}
	cmd := exec.CommandContext(ctx, script.program, append(arguments, address)...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password, "PGOPTIONS="+script.settings)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return round{}, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	count, rate := pgbenchCount.FindSubmatch(out), pgbenchRate.FindSubmatch(out)
	if count == nil || rate == nil || pgbenchFailure.Match(out) || strings.Contains(string(out), "aborted") {
		return round{}, fmt.Errorf("pgbench:\n%s", out)
	}
	answers, err := strconv.Atoi(string(count[1]))
	if err != nil {
		return round{}, err
	}
	perSecond, err := strconv.ParseFloat(string(rate[1]), 64)
	if err != nil || answers == 0 {
		return round{}, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	return round{answers: answers, elapsed: time.Duration(float64(answers) / perSecond * float64(time.Second))}, nil
}
