package paymenttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Node lets a program for Node.js, of the test's folder, judge a gateway by a library that its merchants use. The program reads input as
// JSON on standard input; its argument is a file beside node_modules. It has a minute, and environment besides ours. Node returns
// what it said and what it complained of; err is an *exec.ExitError if it did not like what it saw. Without Node.js the test is skipped.
func Node(t *testing.T, gateway, program string, input any, environment ...string) (said []byte, complaints string, err error) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("Node.js is not installed")
	}
	beside := nodePackages(t, gateway)
	read, err := json.Marshal(input)
	require.NoError(t, err)
	patience, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(patience, node, program, beside)
	command.Stdin = bytes.NewReader(read)
	command.Env = append(os.Environ(), environment...)
	var out, wrong bytes.Buffer
	command.Stdout, command.Stderr = &out, &wrong
	err = command.Run()
	return out.Bytes(), wrong.String(), err
}

// nodePackages installs what package-lock.json names, outside of the source, once for every version of it. It returns the file
// beside node_modules.
func nodePackages(t *testing.T, gateway string) string {
	t.Helper()
	lock, err := os.ReadFile("package-lock.json")
	require.NoError(t, err)
	description, err := os.ReadFile("package.json")
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	hash := sha256.Sum256(append(lock, description...))
	folder := filepath.Join(cache, "boxoffice", "judges", gateway+"-"+hex.EncodeToString(hash[:8]))
	beside := filepath.Join(folder, "package.json")
	if _, err := os.Stat(beside); err == nil {
		return beside
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(folder), 0o755))
	fresh, err := os.MkdirTemp(filepath.Dir(folder), "installing-") //nolint:usetesting // beside what it becomes
	require.NoError(t, err)
	defer os.RemoveAll(fresh)
	require.NoError(t, os.WriteFile(filepath.Join(fresh, "package-lock.json"), lock, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(fresh, "package.json"), description, 0o600))
	install := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit")
	install.Dir = fresh
	said, err := install.CombinedOutput()
	require.NoError(t, err, string(said))
	if err := os.Rename(fresh, folder); err != nil && !errors.Is(err, fs.ErrExist) {
		_, err = os.Stat(beside) // somebody else was faster
		require.NoError(t, err)
	}
	return beside
}
