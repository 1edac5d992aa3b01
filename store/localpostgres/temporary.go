package localpostgres

import (
	"context"
	"os"
	"path/filepath"
)

// StartTemporary starts a fast server with data that is gone after Stop: one per test binary, with a schema or database
// per test. The caller must Stop it.
func StartTemporary(ctx context.Context) (*Server, error) {
	parent, err := os.MkdirTemp("", "boxoffice-postgres-")
	if err != nil {
		return nil, err
	}
	// The server may have to run as another user than we: let it pass. The data folder itself stays closed.
	if err := os.Chmod(parent, 0o711); err != nil { //nolint:gosec // see above
		return nil, err
	}
	server, err := Start(ctx, Options{DataFolder: filepath.Join(parent, "data"), Fast: true})
	if err != nil {
		_ = os.RemoveAll(parent)
		return nil, err
	}
	server.temporary = parent
	return server, nil
}
