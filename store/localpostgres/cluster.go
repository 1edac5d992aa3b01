package localpostgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/boxoffice/boxoffice/store/localpostgres/child"
	"github.com/boxoffice/boxoffice/store/localpostgres/folderlock"
)

// superuser owns every database of the cluster.
const superuser = "boxoffice"

// folder is where everything of one server lives.
type folder string

func (f folder) cluster() string      { return filepath.Join(string(f), "cluster") }
func (f folder) unfinished() string   { return filepath.Join(string(f), "cluster.unfinished") }
func (f folder) passwordFile() string { return filepath.Join(string(f), "password") }
func (f folder) lockFile() string     { return filepath.Join(string(f), "lock") }
func (f folder) log() string          { return filepath.Join(string(f), "server.log") }

// clusterMajor is the major version that wrote the cluster, 0 when there is none yet.
func (f folder) clusterMajor() (int, error) {
	content, err := os.ReadFile(filepath.Join(f.cluster(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(f.cluster()); err == nil {
			return 0, fmt.Errorf("%s exists but holds no PostgreSQL data: move it away (nothing was changed)", f.cluster())
		}
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("%s/PG_VERSION: %w", f.cluster(), err)
	}
	return major, nil
}

// lock makes sure that one process at a time uses the folder.
func (f folder) lock() (*folderlock.Lock, error) {
	lock, err := folderlock.Take(f.lockFile())
	if taken, ok := errors.AsType[*folderlock.TakenError](err); ok {
		return nil, fmt.Errorf("the PostgreSQL data in %s is in use by another process of ours (%d)", f, taken.PID)
	}
	return lock, err
}

func (f folder) password() (string, error) {
	content, err := os.ReadFile(f.passwordFile())
	if err != nil {
		return "", fmt.Errorf("the password of the database in %s: %w", f, err)
	}
	return strings.TrimSpace(string(content)), nil
}

// create makes a new cluster. A cluster appears under its name only when it is complete, so that a start that was
// killed halfway is repeated by the next one.
func (f folder) create(ctx context.Context, installation Installation, as account, syncToDisk bool) error {
	if err := os.RemoveAll(f.unfinished()); err != nil {
		return err
	}
	secret := make([]byte, 24)
	_, _ = rand.Read(secret) // never fails
	if err := os.WriteFile(f.passwordFile(), []byte(hex.EncodeToString(secret)+"\n"), 0o600); err != nil {
		return err
	}
	if err := as.give(f.passwordFile()); err != nil {
		return err
	}

	arguments := []string{
		"--pgdata=" + f.unfinished(), "--username=" + superuser, "--pwfile=" + f.passwordFile(),
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions",
	}
	if !syncToDisk {
		arguments = append(arguments, "--no-sync")
	}
	command := exec.Command(filepath.Join(installation.Folder, "initdb"), arguments...)
	command.Dir = string(f)
	command.SysProcAttr = as.attributes()
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	initdb, err := child.Start(command, syscall.SIGKILL)
	if err != nil {
		return fmt.Errorf("initdb: %w", err)
	}
	select {
	case <-initdb.Exited():
	case <-ctx.Done():
		initdb.Kill()
		<-initdb.Exited()
		return ctx.Err()
	}
	if err := initdb.Err(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLine(output.String()))
	}
	return os.Rename(f.unfinished(), f.cluster())
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
