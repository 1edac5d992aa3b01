package onemachine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/store/localpostgres"
	"github.com/boxoffice/boxoffice/store/localpostgres/freeport"
)

// output can be read while the machine writes it.
type output struct {
	mutex   sync.Mutex
	content bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.content.Write(p)
}

func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.content.String()
}

// newSettings uses free ports, a folder that PostgreSQL can reach, and this test binary as every program.
func newSettings(t *testing.T) Settings {
	t.Helper()
	if _, err := localpostgres.Find(); err != nil {
		t.Skip(err)
	}
	folder, err := localpostgres.TemporaryFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	t.Setenv("TEST_TRACE", filepath.Join(folder, "trace"))
	ports, err := freeport.Find(7)
	if err != nil {
		t.Fatal(err)
	}
	at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	return Settings{
		Data: filepath.Join(folder, "data"), Boxoffice: os.Args[0], Standalone: os.Args[0], AwaitTemporal: dialTemporal,
		PostgresPort: ports[0], TemporalPort: ports[1], TemporalUI: at(ports[2]), Namespace: "default",
		HTTP: at(ports[3]), Sandbox: at(ports[4]), Codec: at(ports[5]), Inbox: at(ports[6]),
		fast: true,
	}
}

// running is a machine that is ready.
type running struct {
	out     *output
	stop    context.CancelFunc
	stopped chan error
}

func start(t *testing.T, settings Settings) *running {
	t.Helper()
	stop, cancel := context.WithCancel(context.Background())
	r := &running{out: &output{}, stop: cancel, stopped: make(chan error, 1)}
	go func() { r.stopped <- Run(stop, context.Background(), settings, r.out) }()
	deadline := time.After(60 * time.Second)
	for !strings.Contains(r.out.String(), "is ready") {
		select {
		case err := <-r.stopped:
			cancel()
			t.Fatalf("ended with %v\n%s", err, r.out)
		case <-deadline:
			cancel()
			t.Fatalf("does not become ready\n%s", r.out)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Cleanup(func() {
		r.stop()
		_ = r.await(t)
	})
	return r
}

func (r *running) await(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.stopped:
		r.stopped <- err // for the cleanup
		return err
	case <-time.After(15 * time.Second):
		t.Fatalf("does not stop within 15 s\n%s", r.out)
		return nil
	}
}

func traced(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile(os.Getenv("TEST_TRACE"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(strings.ReplaceAll(string(content), " stops", "-stops"))
}

func TestStartsInOrderAndStopsInReverse(t *testing.T) {
	settings := newSettings(t)
	machine := start(t, settings)
	for _, part := range []string{"http://" + settings.HTTP + "/", "/api/openapi.yaml", "http://" + settings.TemporalUI, "http://" + settings.Sandbox, settings.Data, "guests"} {
		if !strings.Contains(machine.out.String(), part) {
			t.Errorf("%q is not said:\n%s", part, machine.out)
		}
	}
	machine.stop()
	if err := machine.await(t); err != nil {
		t.Error(err)
	}
	want := []string{"temporal", "migrate", "seed", "sandbox", "inbox", "run", "run-stops", "inbox-stops", "sandbox-stops", "temporal-stops"}
	if got := traced(t); !slices.Equal(got, want) {
		t.Errorf("order = %v", got)
	}
}

func TestSecretsAreMadeOnceAndPassedOn(t *testing.T) {
	settings := newSettings(t)
	machine := start(t, settings)
	seen := environmentOf(t, settings.HTTP)
	machine.stop()
	_ = machine.await(t)

	info, err := os.Stat(settings.secretsFile())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("secrets.env: %v, %v", info.Mode(), err)
	}
	first, err := readVariables(settings.secretsFile())
	if err != nil {
		t.Fatal(err)
	}
	for name := range generated {
		if first[name] == "" || seen[name] != first[name] {
			t.Errorf("%s = %q, the program sees %q", name, first[name], seen[name])
		}
	}
	if !strings.Contains(seen["BOXOFFICE_DATABASE_URL"], "/boxoffice?") || seen["BOXOFFICE_PUBLIC_URL"] != "http://"+settings.HTTP {
		t.Errorf("the program sees %v", seen)
	}

	again := start(t, settings)
	again.stop()
	_ = again.await(t)
	if second, _ := readVariables(settings.secretsFile()); second["BOXOFFICE_ENCRYPTION_KEYS"] != first["BOXOFFICE_ENCRYPTION_KEYS"] {
		t.Error("the second start made new keys: the first one's data is lost")
	}

	if err := os.Remove(settings.secretsFile()); err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), t.Context(), settings, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "secrets.env is missing") {
		t.Errorf("without its keys: %v", err)
	}
}

func environmentOf(t *testing.T, address string) map[string]string {
	t.Helper()
	response, err := http.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	for line := range strings.Lines(string(body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		variables[name] = value
	}
	return variables
}

func TestFailedStepShowsWhyAndStopsTheRest(t *testing.T) {
	t.Setenv("TEST_MIGRATE_FAILS", "yes")
	settings := newSettings(t)
	out := &output{}
	err := Run(t.Context(), t.Context(), settings, out)
	if err == nil || !strings.Contains(err.Error(), settings.log("migrate")) {
		t.Errorf("error = %v", err)
	}
	if !strings.Contains(out.String(), "the schema is from the future") {
		t.Errorf("the reason is not shown:\n%s", out)
	}
	if got := traced(t); !slices.Equal(got, []string{"temporal", "migrate", "temporal-stops"}) {
		t.Errorf("order = %v", got)
	}
}

func TestBusyPortsAreNamedWithTheVariable(t *testing.T) {
	for variable, address := range map[string]func(Settings) string{
		"BOXOFFICE_HTTP_ADDRESS=127.0.0.1:": func(s Settings) string { return s.HTTP },
		"BOXOFFICE_SANDBOX_ADDRESS=":        func(s Settings) string { return s.Sandbox },
		"BOXOFFICE_CODEC_ADDRESS=":          func(s Settings) string { return s.Codec },
		"BOXOFFICE_INBOX_ADDRESS=":          func(s Settings) string { return s.Inbox },
		"BOXOFFICE_TEMPORAL_UI_ADDRESS=":    func(s Settings) string { return s.TemporalUI },
		"BOXOFFICE_TEMPORAL_PORT=":          func(s Settings) string { return s.temporalAddress() },
		"BOXOFFICE_POSTGRES_PORT=":          func(s Settings) string { return s.postgresUse().address },
	} {
		t.Run(variable, func(t *testing.T) {
			settings := newSettings(t)
			settings.patience = 100 * time.Millisecond
			listener, err := net.Listen("tcp", address(settings))
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			err = Run(t.Context(), t.Context(), settings, io.Discard)
			if err == nil || !strings.Contains(err.Error(), variable) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestSecondMachineOnOneFolderIsRefused(t *testing.T) {
	settings := newSettings(t)
	start(t, settings)
	err := Run(t.Context(), t.Context(), settings, io.Discard)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("already runs on %s (process %d)", settings.Data, os.Getpid())) {
		t.Errorf("error = %v", err)
	}
}

func TestMissingBinaryIsNamed(t *testing.T) {
	settings := newSettings(t)
	settings.Boxoffice = filepath.Join(t.TempDir(), "boxoffice")
	err := Run(t.Context(), t.Context(), settings, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "BOXOFFICE_BINARY") {
		t.Errorf("error = %v", err)
	}
}

func TestEverythingStopsWithTheDatabase(t *testing.T) {
	settings := newSettings(t)
	machine := start(t, settings)
	pid, err := os.ReadFile(filepath.Join(settings.postgresFolder(), "cluster", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	var postmaster int
	if _, err := fmt.Sscan(string(pid), &postmaster); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(postmaster, syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if err := machine.await(t); err == nil || !strings.Contains(err.Error(), settings.log("postgres")) {
		t.Errorf("error = %v", err)
	}
	if got := traced(t); !slices.Contains(got, "run-stops") {
		t.Errorf("order = %v", got)
	}
}

func TestExistingServersAreUsed(t *testing.T) {
	postgres, err := localpostgres.StartTemporary(t.Context())
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = postgres.Stop(context.Background()) })
	temporal, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer temporal.Close()

	settings := newSettings(t)
	settings.DatabaseURL = postgres.URL("shop") // does not exist yet
	settings.ExternalTemporal = temporal.Addr().String()
	start(t, settings)
	seen := environmentOf(t, settings.HTTP)
	if seen["BOXOFFICE_DATABASE_URL"] != settings.DatabaseURL || seen["BOXOFFICE_TEMPORAL_ADDRESS"] != settings.ExternalTemporal {
		t.Errorf("the program sees %s and %s", seen["BOXOFFICE_DATABASE_URL"], seen["BOXOFFICE_TEMPORAL_ADDRESS"])
	}
	if got := traced(t); slices.Contains(got, "temporal") {
		t.Errorf("order = %v", got)
	}
	if err := ensureDatabase(t.Context(), settings.DatabaseURL); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(settings.postgresFolder()); !errors.Is(err, os.ErrNotExist) {
		t.Error("a server of our own was made")
	}
}

func TestGoesOnAfterKill(t *testing.T) {
	settings := newSettings(t)
	_, temporalPort, _ := net.SplitHostPort(settings.temporalAddress())
	command := exec.Command(os.Args[0], "up")
	command.Env = append(os.Environ(),
		"BOXOFFICE_DATA="+settings.Data, "BOXOFFICE_BINARY="+settings.Boxoffice,
		fmt.Sprintf("BOXOFFICE_POSTGRES_PORT=%d", settings.PostgresPort), "BOXOFFICE_TEMPORAL_PORT="+temporalPort,
		"BOXOFFICE_TEMPORAL_UI_ADDRESS="+settings.TemporalUI, "BOXOFFICE_HTTP_ADDRESS="+settings.HTTP,
		"BOXOFFICE_SANDBOX_ADDRESS="+settings.Sandbox, "BOXOFFICE_CODEC_ADDRESS="+settings.Codec,
		"BOXOFFICE_INBOX_ADDRESS="+settings.Inbox)
	out := &output{}
	command.Stdout = out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(60 * time.Second)
	for !strings.Contains(out.String(), "is ready") {
		select {
		case <-deadline:
			t.Fatalf("does not become ready\n%s", out)
		case <-time.After(10 * time.Millisecond):
		}
	}
	_ = command.Process.Kill()
	_ = command.Wait()

	// At once, on the same ports and folder: nothing of the killed one may be in the way.
	machine := start(t, settings)
	machine.stop()
	if err := machine.await(t); err != nil {
		t.Error(err)
	}
}
