package stack

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/store/localpostgres/child"
)

// Process is one running program with a log of its own.
type Process struct {
	Name string

	program string
	args    []string
	env     []string
	log     string

	mu      sync.Mutex
	cmd     *exec.Cmd
	running *child.Process
}

// Binary finds a program of ours; `make build` makes it.
func Binary(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv("BOXOFFICE_BIN")
	if folder == "" {
		folder = filepath.Join(Root(t), "bin")
	}
	file := filepath.Join(folder, name)
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%s is missing: run `make build` first", file)
	}
	return file
}

// Root is the root folder of the project.
func Root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; folder != "/"; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "docker-compose.yml")); err == nil {
			return folder
		}
		if _, err := os.Stat(filepath.Join(folder, ".git")); err == nil {
			return folder
		}
	}
	t.Fatal("the root of the project was not found")
	return ""
}

// Start starts the program; its output goes to the end of its log. With awaitLine, the first line on
// its standard output is returned once it is there.
func (p *Process) Start(awaitLine bool) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	defer log.Close()
	cmd := exec.Command(p.program, p.args...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stderr = log
	var lines *bufio.Reader
	if awaitLine {
		out, err := cmd.StdoutPipe()
		if err != nil {
			return "", err
		}
		lines = bufio.NewReader(out)
	} else {
		cmd.Stdout = log
	}
	running, err := child.Start(cmd, syscall.SIGTERM)
	if err != nil {
		return "", err
	}
	line := ""
	if awaitLine {
		type read struct {
			line string
			err  error
		}
		first := make(chan read, 1)
		go func() {
			line, err := lines.ReadString('\n')
			first <- read{line, err}
		}()
		select {
		case r := <-first:
			if r.err != nil {
				return "", fmt.Errorf("%s ended before it was ready: see %s", p.Name, p.log)
			}
			line = r.line
		case <-time.After(90 * time.Second):
			_ = cmd.Process.Kill()
			return "", fmt.Errorf("%s is not ready after 90 s: see %s", p.Name, p.log)
		}
	}
	p.cmd, p.running = cmd, running
	return line, nil
}

// PID is the process id, 0 when it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Kill ends the process at once, as kill -9 does, and waits until it is gone.
func (p *Process) Kill() { p.end(syscall.SIGKILL, 0) }

// Stop asks the process to end, and kills it when it takes too long.
func (p *Process) Stop() { p.end(syscall.SIGTERM, 20*time.Second) }

func (p *Process) end(signal syscall.Signal, patience time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(signal)
	if patience > 0 {
		select {
		case <-p.running.Exited():
		case <-time.After(patience):
			_ = p.cmd.Process.Kill()
		}
	}
	<-p.running.Exited()
	p.cmd = nil
}

// Eventually asks until the condition holds, and fails the test when it does not within a time.
func Eventually(t testing.TB, within time.Duration, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %s: %s", within, what)
		case <-tick.C:
		}
	}
}
