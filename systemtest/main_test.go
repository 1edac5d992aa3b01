// Package systemtest proves the promises of the whole product: the real
// binaries, a real PostgreSQL, a real Temporal server, the sandbox gateway and a
// real browser, over loopback.
package systemtest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/systemtest/stack"
)

var shared struct {
	once    sync.Once
	servers *stack.Servers
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.servers != nil {
		if err := shared.servers.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// servers are the PostgreSQL and Temporal that most tests share.
func servers(t testing.TB) *stack.Servers {
	t.Helper()
	shared.once.Do(func() {
		shared.servers, shared.err = stack.StartServers(t, filepath.Join(stack.Root(t), "artefacts", "logs", "servers"), false)
	})
	require.NoError(t, shared.err)
	return shared.servers
}

// ownServers are for a test that kills them.
func ownServers(t *testing.T) *stack.Servers {
	t.Helper()
	own, err := stack.StartServers(t, filepath.Join(stack.Root(t), "artefacts", "logs", t.Name()+"-servers"), false)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, own.Stop()) })
	return own
}

const (
	soon = 10 * time.Second // for what normally takes milliseconds
	long = 60 * time.Second // for what waits for a time-out of its own
)
