package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/boxoffice/boxoffice/store/localpostgres/child"
)

// Program is something to run.
type Program struct {
	// Name is what people read.
	Name string
	// Path of the binary.
	Path string
	// Arguments without the name of the binary.
	Arguments []string
	// Environment replaces ours.
	Environment []string
	// Log is the file that receives what the program writes; it is appended to.
	Log string
	// Ready returns nil as soon as the program does its work, or gives up when ctx ends. Nil means at once.
	Ready func(ctx context.Context) error
	// StartTimeout bounds Ready; 0 means one minute.
	StartTimeout time.Duration
	// StopTimeout is how long it may take to end after SIGTERM before it is killed; 0 means five seconds.
	StopTimeout time.Duration
}

// A log that has grown beyond this many bytes is put aside when its program starts.
const rotateBeyond = 32 << 20

// EndedError says that a program ended when it should not have, with the last lines it wrote.
type EndedError struct {
	Program Program
	// Cause is an *exec.ExitError, or nil if the program ended with exit code 0.
	Cause error
	// LastLines is what the program wrote last since it was started.
	LastLines string
}

func (e *EndedError) Error() string {
	how := "ended"
	if e.Cause != nil {
		how = fmt.Sprintf("failed (%v)", e.Cause)
	}
	return fmt.Sprintf("%s %s, see %s", e.Program.Name, how, e.Program.Log)
}

func (e *EndedError) Unwrap() error { return e.Cause }

// launched is one life of a program.
type launched struct {
	program  Program
	process  *child.Process
	logStart int64
}

func launch(program Program) (*launched, error) {
	if info, err := os.Stat(program.Log); err == nil && info.Size() > rotateBeyond {
		if err := os.Rename(program.Log, program.Log+".1"); err != nil {
			return nil, err
		}
	}
	// The child writes into the file itself: nothing is lost or blocked when we die.
	log, err := os.OpenFile(program.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	start, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	command := exec.Command(program.Path, program.Arguments...)
	command.Env = program.Environment
	command.Stdout, command.Stderr = log, log
	process, err := child.Start(command, syscall.SIGKILL)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program.Name, err)
	}
	return &launched{program: program, process: process, logStart: start}, nil
}

// awaitReady returns nil when the program is ready, an *EndedError when it ended first.
func (l *launched) awaitReady(ctx context.Context) error {
	if l.program.Ready == nil {
		return nil
	}
	timeout := l.program.StartTimeout
	if timeout == 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- l.program.Ready(ctx) }()
	select {
	case err := <-ready:
		if errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("%s is not ready after %v, see %s: %w", l.program.Name, timeout, l.program.Log, err)
		}
		return err
	case <-l.process.Exited():
		return l.ended()
	}
}

func (l *launched) ended() *EndedError {
	return &EndedError{Program: l.program, Cause: l.process.Err(), LastLines: l.lastLines(12)}
}

func (l *launched) stop(ctx context.Context) {
	timeout := l.program.StopTimeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_ = l.process.Stop(ctx, syscall.SIGTERM) // its error only says that it had to be killed
}

// lastLines returns at most so many lines of what this life of the program has written.
func (l *launched) lastLines(count int) string {
	file, err := os.Open(l.program.Log)
	if err != nil {
		return ""
	}
	defer file.Close()
	const most = 16 << 10
	start := l.logStart
	if size, err := file.Seek(0, io.SeekEnd); err == nil {
		start = max(start, size-most)
	}
	content, err := io.ReadAll(io.NewSectionReader(file, start, most))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
