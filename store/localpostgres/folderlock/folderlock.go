// Package folderlock keeps two processes from using one data folder at the same time. A lock goes with the process that
// holds it, however that ends, so a lock file left behind means nothing.
package folderlock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Lock is held until Release.
type Lock struct{ file *os.File }

// TakenError says that another process holds the lock.
type TakenError struct {
	Path string
	// PID of the holder, 0 if it is not known.
	PID int
}

func (e *TakenError) Error() string {
	if e.PID == 0 {
		return "another process holds " + e.Path
	}
	return fmt.Sprintf("process %d holds %s", e.PID, e.Path)
}

// Take takes the lock at once or fails with a [*TakenError]. The file is created when missing and never removed.
func Take(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &TakenError{Path: path, PID: holder(file)}
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := sign(file); err != nil {
		_ = file.Close()
		return nil, err
	}
	return &Lock{file: file}, nil
}

// Release gives the lock free. Releasing twice is allowed.
func (l *Lock) Release() { _ = l.file.Close() }

// sign writes our process id into the file, for the message that others get.
func sign(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func holder(file *os.File) int {
	content, err := io.ReadAll(io.LimitReader(file, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0
	}
	return pid
}
