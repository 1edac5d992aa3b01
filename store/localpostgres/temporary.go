package localpostgres

import (
	"context"
	"os"
	"path/filepath"
)

// TemporaryFolder makes a folder for things that are gone soon, a server's data folder among them: the server may have to run as another
// user than we, and shall not put its data elsewhere for that. The data folder itself stays closed. The caller removes it.
func TemporaryFolder() (string, error) {
	folder, err := os.MkdirTemp("", "boxoffice-")
	if err != nil {
		return "", err
	}
	return folder, os.Chmod(folder, 0o711) //nolint:gosec // see above
}

// StartTemporary starts a fast server with data that is gone after Stop: one per test binary, with a schema or database
// per test. The caller must Stop it.
func StartTemporary(ctx context.Context) (*Server, error) {
	parent, err := TemporaryFolder()
	if err != nil {
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
