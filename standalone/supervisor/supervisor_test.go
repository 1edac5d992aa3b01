package supervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary runs itself again as the program that is supervised: a small HTTP server that says its process id.
const role = "SUPERVISOR_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "server":
		http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid()) })
		fmt.Println("serving")
		fmt.Println(http.ListenAndServe(os.Getenv("ADDRESS"), nil))
	case "failure":
		for line := range 100 {
			fmt.Fprintln(os.Stderr, "line", line)
		}
		os.Exit(3)
	case "success":
		fmt.Println("done")
	}
}

type fixture struct {
	*Supervisor
	notices chan string
	folder  string
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	notices := make(chan string, 100)
	f := fixture{New(func(line string) { notices <- line }), notices, t.TempDir()}
	t.Cleanup(func() { f.StopAll(context.Background()) })
	return f
}

func (f fixture) program(role, address string) Program {
	return Program{
		Name: "the " + role, Path: os.Args[0], Log: filepath.Join(f.folder, role+".log"),
		Environment: append(os.Environ(), "SUPERVISOR_TEST_ROLE="+role, "ADDRESS="+address),
	}
}

func (f fixture) server(t *testing.T) (Program, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	program := f.program("server", address)
	program.Ready = Answers("http://" + address)
	return program, address
}

func (f fixture) await(t *testing.T, part string) string {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case line := <-f.notices:
			if strings.Contains(line, part) {
				return line
			}
		case <-deadline:
			t.Fatalf("nothing was said of %q", part)
		}
	}
}

func pidAt(t *testing.T, address string) int {
	t.Helper()
	response, err := http.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var pid int
	if _, err := fmt.Fscan(response.Body, &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestStartedProgramsAreReady(t *testing.T) {
	f := newFixture(t)
	program, address := f.server(t)
	if err := f.Start(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	pid := pidAt(t, address)
	f.StopAll(t.Context())
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
	log, err := os.ReadFile(program.Log)
	if err != nil || !strings.HasPrefix(string(log), "serving\n") {
		t.Errorf("log = %q, %v", log, err)
	}
}

func TestKilledProgramIsStartedAgain(t *testing.T) {
	f := newFixture(t)
	program, address := f.server(t)
	if err := f.Start(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	pid := pidAt(t, address)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	line := f.await(t, "starting it again")
	if !strings.Contains(line, program.Log) || !strings.Contains(line, "killed") || strings.Contains(line, "\n") {
		t.Errorf("line = %q", line)
	}
	f.await(t, "runs again")
	if again := pidAt(t, address); again == pid {
		t.Errorf("process %d again", again)
	}
}

func TestStopDuringThePauseStartsNothing(t *testing.T) {
	f := newFixture(t)
	program, address := f.server(t)
	if err := f.Start(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(pidAt(t, address), syscall.SIGKILL)
	f.await(t, "starting it again")
	f.StopAll(t.Context())
	if response, err := http.Get("http://" + address); err == nil {
		_ = response.Body.Close()
		t.Error("it was started again")
	}
}

func TestFailureShowsTheLastLines(t *testing.T) {
	f := newFixture(t)
	program := f.program("failure", "")
	if err := os.WriteFile(program.Log, []byte("from an earlier life\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program.Ready = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for what, err := range map[string]error{"Run": f.Run(t.Context(), program), "Start": f.Start(t.Context(), program)} {
		ended, ok := errors.AsType[*EndedError](err)
		if !ok {
			t.Fatalf("%s: error = %v", what, err)
		}
		if !strings.HasSuffix(ended.LastLines, "line 99") || strings.Contains(ended.LastLines, "earlier") {
			t.Errorf("%s: last lines = %q", what, ended.LastLines)
		}
		if !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), program.Log) {
			t.Errorf("%s: error = %v", what, err)
		}
	}
}

func TestRunWaitsForTheEnd(t *testing.T) {
	f := newFixture(t)
	program := f.program("success", "")
	if err := f.Run(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	if log, _ := os.ReadFile(program.Log); string(log) != "done\n" {
		t.Errorf("log = %q", log)
	}
}

func TestNotReadyInTimeIsStopped(t *testing.T) {
	f := newFixture(t)
	program, address := f.server(t)
	pids := make(chan int, 1)
	program.Ready = func(ctx context.Context) error {
		if err := Answers("http://" + address)(ctx); err != nil {
			return err
		}
		pids <- pidAt(t, address)
		<-ctx.Done()
		return ctx.Err()
	}
	program.StartTimeout = time.Second
	err := f.Start(t.Context(), program)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), program.Log) {
		t.Errorf("error = %v", err)
	}
	if pid := <-pids; !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		t.Error("process " + strconv.Itoa(pid) + " is still there")
	}
}
