package temporalserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/store/localpostgres"
	"github.com/boxoffice/boxoffice/store/localpostgres/child"
	"github.com/boxoffice/boxoffice/store/localpostgres/freeport"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// The test binary runs itself again as the process with the Temporal server, which a test can then kill.
const serverOptions = "TEMPORALSERVER_TEST_OPTIONS"

func TestMain(m *testing.M) {
	encoded := os.Getenv(serverOptions)
	if encoded == "" {
		os.Exit(m.Run())
	}
	var options Options
	if err := json.Unmarshal([]byte(encoded), &options); err != nil {
		panic(err)
	}
	if _, err := Start(context.Background(), options); err != nil {
		panic(err)
	}
	fmt.Println("ready")
	select {}
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func startPostgres(t *testing.T) *localpostgres.Server {
	t.Helper()
	server, err := localpostgres.StartTemporary(testContext(t))
	if errors.Is(err, localpostgres.ErrNotInstalled) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	return server
}

func testOptions(t *testing.T, postgres *localpostgres.Server) Options {
	t.Helper()
	ports, err := freeport.Find(2)
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		DatabaseURL:   postgres.URL("postgres"),
		Database:      "temporal",
		Address:       fmt.Sprintf("127.0.0.1:%d", ports[0]),
		UIAddress:     fmt.Sprintf("localhost:%d", ports[1]),
		CodecEndpoint: "http://127.0.0.1:8234/secret",
		Namespaces:    []string{"default"},
		LogLevel:      "error",
	}
}

func startInChild(t *testing.T, options Options) *child.Process {
	t.Helper()
	encoded, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	output, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), serverOptions+"="+string(encoded))
	command.Stdout, command.Stderr = writer, os.Stderr
	process, err := child.Start(command, syscall.SIGKILL)
	_ = writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Kill)
	if line, err := bufio.NewReader(output).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the server says %q, %v", line, err)
	}
	return process
}

func dial(t *testing.T, options Options) client.Client {
	t.Helper()
	connected, err := client.DialContext(testContext(t), client.Options{
		HostPort: options.Address, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connected.Close)
	return connected
}

var needsAttention = temporal.NewSearchAttributeKeyBool("NeedsAttention")

// waiting sets a search attribute and sleeps longer than it takes to kill and restart the server.
func waiting(ctx workflow.Context) (string, error) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, needsAttention.ValueSet(true)); err != nil {
		return "", err
	}
	return "slept", workflow.Sleep(ctx, 2*time.Second)
}

func startWorker(t *testing.T, connected client.Client) {
	t.Helper()
	testWorker := worker.New(connected, "test", worker.Options{})
	testWorker.RegisterWorkflow(waiting)
	if err := testWorker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(testWorker.Stop)
}

func TestWorkflowGoesOnAfterTheServerWasKilled(t *testing.T) {
	options := testOptions(t, startPostgres(t))
	first := startInChild(t, options)
	connected := dial(t, options)
	startWorker(t, connected)

	// At once after the very first start, with a search attribute, and eagerly: nothing may need a moment to settle.
	run, err := connected.ExecuteWorkflow(testContext(t), client.StartWorkflowOptions{
		ID: "waiting", TaskQueue: "test", EnableEagerStart: true,
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyString("OrderState").ValueSet("PENDING")),
	}, waiting)
	if err != nil {
		t.Fatal(err)
	}
	events := connected.GetWorkflowHistory(testContext(t), "waiting", run.GetRunID(), false, 0)
	started, err := events.Next()
	if err != nil {
		t.Fatal(err)
	}
	if !started.GetWorkflowExecutionStartedEventAttributes().GetEagerExecutionAccepted() {
		t.Error("the workflow was not started eagerly")
	}

	first.Kill()
	<-first.Exited()
	startInChild(t, options)
	var result string
	if err := run.Get(testContext(t), &result); err != nil || result != "slept" {
		t.Errorf("result %q, %v", result, err)
	}

	// The visibility store follows a moment later.
	query := "OrderState = 'PENDING' AND NeedsAttention = true AND ExecutionStatus = 'Completed'"
	for ctx := testContext(t); ; {
		found, err := connected.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
		if err != nil {
			t.Fatal(err)
		}
		if found.Count == 1 {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%d workflows are found by their search attributes", found.Count)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestStartsAndStopsInOneProcess(t *testing.T) {
	postgres := startPostgres(t)
	options := testOptions(t, postgres)

	// What a start leaves that was killed while it made the database.
	admin, err := pgx.Connect(testContext(t), postgres.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	if _, err := admin.Exec(testContext(t), "CREATE DATABASE temporal_unfinished"); err != nil {
		t.Fatal(err)
	}

	server, err := Start(testContext(t), options)
	if err != nil {
		t.Fatal(err)
	}
	settings := get(t, "http://"+options.UIAddress+"/api/v1/settings")
	if !strings.Contains(settings, `"Endpoint":"http://127.0.0.1:8234/secret"`) {
		t.Errorf("the UI does not know the codec server: %s", settings)
	}
	if page := get(t, "http://"+options.UIAddress+"/namespaces/default/workflows"); !strings.Contains(page, "<html") {
		t.Errorf("the UI answers %.200s", page)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	for _, address := range []string{options.Address, options.UIAddress} {
		if err := checkFree("a test", address); err != nil {
			t.Error(err)
		}
	}
}

func get(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(testContext(t), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestBusyAddressIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, err = Start(testContext(t), Options{
		DatabaseURL: "postgres://nobody@127.0.0.1:1/none", Database: "temporal",
		Address: listener.Addr().String(), Namespaces: []string{"default"},
	})
	if err == nil || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Errorf("error = %v", err)
	}
}

func TestAllMistakesAtOnceAndNoPassword(t *testing.T) {
	_, err := Start(testContext(t), Options{
		DatabaseURL: "postgres://user:s3cret@host:port:port/", Address: "7233", UIAddress: "localhost:ui", Namespaces: []string{"default"},
	})
	for _, want := range []string{"database URL", "name of the database", "Temporal address", "Temporal UI address"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Error("the error shows the password")
	}
}
