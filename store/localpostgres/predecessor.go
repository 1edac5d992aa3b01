package localpostgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// awaitPredecessor waits until a server that a killed process left on the folder has shut down. We hold the lock of the
// folder, so such a server belongs to nobody any more; it is asked to end in case nobody has done that yet.
func (f folder) awaitPredecessor(ctx context.Context) error {
	pid, err := f.serverPID()
	if err != nil || pid == 0 {
		return err
	}
	if !f.isOurServer(pid) {
		// Left from before a crash of the machine; the number now belongs to some other process, which would make
		// PostgreSQL refuse to start.
		return os.Remove(f.pidFile())
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("PostgreSQL process %d still runs on %s and cannot be stopped: %w", pid, f, err)
	}
	for f.isOurServer(pid) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL process %d still runs on %s and does not end: %w", pid, f, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (f folder) pidFile() string { return filepath.Join(f.cluster(), "postmaster.pid") }

// serverPID is the process id of the server that last ran on the cluster, 0 when it ended cleanly.
func (f folder) serverPID() (int, error) {
	content, err := os.ReadFile(f.pidFile())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 {
		return 0, nil // cut off by a crash; PostgreSQL copes
	}
	return pid, nil
}

// isOurServer reports whether the process runs and was started on this cluster.
func (f folder) isOurServer(pid int) bool {
	commandLine, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat("/proc/self/cmdline"); err == nil {
			return false // this system has /proc, so the process is gone
		}
		commandLine, err = exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
		if err != nil {
			return false
		}
	}
	return strings.Contains(string(commandLine), f.cluster())
}
