package child

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func TestStopWaitsForTheChild(t *testing.T) {
	process, err := Start(exec.Command("sleep", "60"), syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Err(); err != nil {
		t.Errorf("a running child has ended with %v", err)
	}
	if err := process.Stop(t.Context(), syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if process.Err() == nil {
		t.Error("a child ended by a signal counts as successful")
	}
}

func TestStopKillsTheStubborn(t *testing.T) {
	// The shell announces that it ignores the signal before the test sends it.
	command := exec.Command("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 60; done")
	output, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	command.Stdout = writer
	process, err := Start(command, syscall.SIGKILL)
	_ = writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := output.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := process.Stop(ctx, syscall.SIGTERM); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v", err)
	}
	// Only when the whole group is gone does nobody hold the writing end any more.
	if err := output.SetReadDeadline(time.Now().Add(10 * time.Second)); err == nil {
		if _, err := output.Read(make([]byte, 16)); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a grandchild survived")
		}
	}
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	if _, err := Start(exec.Command("/nonexistent"), syscall.SIGKILL); err == nil {
		t.Error("no error")
	}
}
