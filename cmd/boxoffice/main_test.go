package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/store/storetest"
)

// asBinary makes the test binary behave as the product's.
const asBinary = "TEST_AS_BINARY"

func TestMain(m *testing.M) {
	if os.Getenv(asBinary) != "" {
		main()
		return
	}
	storetest.Main(m)
}

// boxoffice is the binary with nothing but the given variables in its environment.
func boxoffice(t *testing.T, environment []string, arguments ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), self, arguments...)
	command.Dir = t.TempDir()
	// Built with -cover, it would complain on stderr of having no folder.
	command.Env = append([]string{asBinary + "=1", "GOCOVERDIR=" + command.Dir}, environment...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 20 * time.Second
	return command
}

// ends runs the binary to its end.
func ends(t *testing.T, environment []string, arguments ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	command := boxoffice(t, environment, arguments...)
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestWhoeverAsksForNoRoleIsToldOfThemAll(t *testing.T) {
	for _, arguments := range [][]string{{}, {"sell"}, {"run", "api"}, {"--help"}, {"audit", "-all"}} {
		code, stdout, stderr := ends(t, nil, arguments...)
		require.Equal(t, 2, code, arguments)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "usage: boxoffice ROLE")
		for _, name := range []string{"run", "api", "worker", "codec", "sandbox", "migrate", "seed", "audit", "reconcile", "cases", "messages", "events", "seats", "vouchers", "presales", "members", "version"} {
			require.Contains(t, stderr, "\n  "+name+" ", arguments)
		}
		require.Equal(t, len(roles)+1, strings.Count(stderr, "\n"), "a line each")
	}
}

func TestEveryMistakeInTheEnvironmentIsToldAtOnce(t *testing.T) {
	code, stdout, stderr := ends(t, []string{
		"BOXOFFICE_DATABASE_URL=mysql://secret-user@127.0.0.1", "BOXOFFICE_ENCRYPTION_KEYS=k1:c2VjcmV0LWtleQ==",
		"BOXOFFICE_LOG_FORMAT=xml", "BOXOFFICE_SANDBOX_KEY=secret-short", "BOXOFFICE_HTTP_ADDRESS=nowhere",
	}, "run")
	require.Equal(t, 2, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "boxoffice run: the environment is not right:")
	for _, name := range []string{
		"DATABASE_URL", "TEMPORAL_ADDRESS", "ENCRYPTION_KEYS", "LOG_FORMAT", "SANDBOX_KEY", "SANDBOX_MERCHANT",
		"SANDBOX_CALLBACK_KEY", "CODEC_TOKEN", "HTTP_ADDRESS",
	} {
		require.Contains(t, stderr, "BOXOFFICE_"+name+": ")
	}
	require.NotContains(t, stderr, "secret", "no value of a secret is repeated")
}

func TestARoleNeedsOnlyWhatItUses(t *testing.T) {
	code, _, stderr := ends(t, nil, "audit")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "BOXOFFICE_DATABASE_URL")
	for _, name := range []string{"TEMPORAL", "SANDBOX", "CODEC"} {
		require.NotContains(t, stderr, name)
	}
	code, stdout, stderr := ends(t, nil, "version")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "boxoffice "+version)
}

// databaseRole is the environment of a role that needs only a database.
func databaseRole(t *testing.T) (environment []string, url string) {
	t.Helper()
	url = storetest.Database(t)
	return []string{"BOXOFFICE_DATABASE_URL=" + url, "BOXOFFICE_ENCRYPTION_KEYS=" + encryption.NewKey("k1")}, url
}

func TestTheDatabaseIsMigratedSeededAndAudited(t *testing.T) {
	environment, url := databaseRole(t)
	for _, role := range []string{"migrate", "migrate", "seed", "seed"} {
		code, stdout, stderr := ends(t, environment, role)
		require.Zero(t, code, "%s: %s", role, stderr)
		require.Empty(t, stdout)
		for line := range strings.Lines(stderr) {
			require.True(t, json.Valid([]byte(line)), "%s logs %q", role, line)
		}
	}
	code, stdout, stderr := ends(t, environment, "audit")
	require.Zero(t, code, stderr)
	require.Equal(t, "every invariant holds\n", stdout)

	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), "SET session_replication_role = replica") // past every guard
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "UPDATE stock SET held = held + 1, free = free - 1 WHERE ticket_type_id = (SELECT min(ticket_type_id) FROM stock)")
	require.NoError(t, err)
	code, stdout, stderr = ends(t, environment, "audit")
	require.Equal(t, 1, code)
	require.NotContains(t, stdout, "every invariant holds")
	require.NotEmpty(t, stdout, "a line for what is violated")
	require.Contains(t, stderr, errViolated.Error())
}

func TestADatabaseThatIsNotThereEndsARole(t *testing.T) {
	code, stdout, stderr := ends(t, []string{
		"BOXOFFICE_DATABASE_URL=postgres://nobody:canary-password@127.0.0.1:9/none", "BOXOFFICE_ENCRYPTION_KEYS=" + encryption.NewKey("k1"),
	}, "audit")
	require.Equal(t, 1, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, `"msg":"stopped"`)
	require.NotContains(t, stderr, "canary-password")
}

// serving is a role that runs until it is told to stop.
type serving struct {
	command *exec.Cmd
	lines   *bufio.Scanner
}

func serve(t *testing.T, environment []string, role string) *serving {
	t.Helper()
	command := boxoffice(t, environment, role)
	stderr, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	return &serving{command, bufio.NewScanner(stderr)}
}

// address waits for the line that says where the role listens.
func (s *serving) address(t *testing.T) string {
	t.Helper()
	for s.lines.Scan() {
		var line struct {
			Address string `json:"address"`
		}
		require.NoError(t, json.Unmarshal(s.lines.Bytes(), &line), s.lines.Text())
		if line.Address != "" {
			return line.Address
		}
	}
	t.Fatal("the role ended without listening")
	return ""
}

// stops tells the role to stop and wants it to do so without a complaint.
func (s *serving) stops(t *testing.T) {
	t.Helper()
	require.NoError(t, s.command.Process.Signal(syscall.SIGTERM))
	for s.lines.Scan() {
		require.NotContains(t, s.lines.Text(), `"level":"ERROR"`)
	}
	require.NoError(t, s.command.Wait())
}

func TestTheCodecServerRunsUntilItIsToldToStop(t *testing.T) {
	s := serve(t, []string{
		"BOXOFFICE_ENCRYPTION_KEYS=" + encryption.NewKey("k1"), "BOXOFFICE_CODEC_ADDRESS=127.0.0.1:0", "BOXOFFICE_CODEC_TOKEN=" + codecToken,
	}, "codec")
	origin := "http://" + s.address(t)
	response, _ := ask(t, http.MethodPost, origin+"/"+codecToken+"/decode", strings.NewReader(`{"payloads":[]}`))
	require.Equal(t, http.StatusOK, response.StatusCode)
	s.stops(t)
}

func TestTheSandboxKeepsItsLedgerWhenItStops(t *testing.T) {
	const key = "request-key-of-the-test"
	environment := []string{
		"BOXOFFICE_SANDBOX_ADDRESS=127.0.0.1:0", "BOXOFFICE_SANDBOX_MERCHANT=test", "BOXOFFICE_SANDBOX_KEY=" + key,
		"BOXOFFICE_SANDBOX_CALLBACK_KEY=callback-key-of-the-test", "BOXOFFICE_SANDBOX_DATA=" + filepath.Join(t.TempDir(), "sandbox.db"),
	}
	for range 2 { // the second finds the file of the first free
		s := serve(t, environment, "sandbox")
		control := gateway.NewControl("http://"+s.address(t), "test", key)
		_, err := control.Books(t.Context())
		require.NoError(t, err)
		control.Close()
		s.stops(t)
	}
}

func TestARoleThatCannotListenEnds(t *testing.T) {
	code, _, stderr := ends(t, []string{
		"BOXOFFICE_ENCRYPTION_KEYS=" + encryption.NewKey("k1"), "BOXOFFICE_CODEC_TOKEN=" + codecToken,
		"BOXOFFICE_CODEC_ADDRESS=192.0.2.1:80", // an address no machine has
	}, "codec")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, `"msg":"stopped"`)
}
