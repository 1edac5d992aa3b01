package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/boxoffice/boxoffice/store/localpostgres/child"
)

// process is one running program with a log of its own.
type process struct {
	name    string
	log     string
	running *child.Process
}

// launch starts a program. With awaitLine it returns the first line on its standard output once that is there.
func launch(folder, name string, env []string, awaitLine bool, program string, args ...string) (*process, string, error) {
	p := &process{name: name, log: filepath.Join(folder, name+".log")}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, "", err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	if !awaitLine {
		p.running, err = child.Start(cmd, syscall.SIGTERM)
		return p, "", err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer out.Close()
	cmd.Stdout = in
	p.running, err = child.Start(cmd, syscall.SIGTERM)
	_ = in.Close()
	if err != nil {
		return nil, "", err
	}
	_ = out.SetReadDeadline(time.Now().Add(90 * time.Second))
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.stop()
		said, _ := os.ReadFile(p.log)
		return nil, "", fmt.Errorf("%s is not ready: %w\n%s", name, err, said)
	}
	return p, strings.TrimSpace(line), nil
}

// pid is the id of the process.
func (p *process) pid() int { return p.running.PID() }

// stop asks the process to end, and kills it when it takes too long.
func (p *process) stop() {
	_ = syscall.Kill(p.pid(), syscall.SIGTERM)
	select {
	case <-p.running.Exited():
	case <-time.After(20 * time.Second):
		_ = syscall.Kill(p.pid(), syscall.SIGKILL)
		<-p.running.Exited()
	}
}

// alive returns an error if it has ended.
func (p *process) alive() error {
	select {
	case <-p.running.Exited():
		said, _ := os.ReadFile(p.log)
		return fmt.Errorf("%s has ended:\n%s", p.name, said)
	default:
		return nil
	}
}

// binary finds a program of ours; `make build` makes it.
func binary(folder, name string) (string, error) {
	file, err := filepath.Abs(filepath.Join(folder, name))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%s is missing: run `make build` first", file)
	}
	return file, nil
}
