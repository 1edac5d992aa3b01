package twiliotest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// Twilio publishes its OpenAPI document inside this npm package.
const (
	specPackage   = "@twilio/cli-core@9.0.0"
	specArchive   = "twilio-cli-core-9.0.0.tgz"
	specFile      = "package/src/services/twilio-api/twilio_api_v2010.json"
	specIntegrity = "FPHm5gXAUwM2oATmQi3AGYPFz4Urg5G5/vDkpUu5WqNuwueQaS93HwXjdX1OM+miuq0LMimdfbXDTLEp4Nsjfg==" // SHA-512 of the archive
	// maxSpec bounds the document, in bytes.
	maxSpec = 64 << 20
)

// PublishedSpec fetches the document that Twilio publishes, with npm, and keeps it for the next time outside of the source. Several
// may do so at once.
func PublishedSpec(ctx context.Context) ([]byte, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(cache, "boxoffice", "twilio")
	archive, err := os.ReadFile(filepath.Join(folder, specArchive))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if !genuine(archive) {
		if archive, err = fetch(ctx, folder); err != nil {
			return nil, err
		}
	}
	return unpack(archive)
}

// genuine says whether an archive is the one that was published.
func genuine(archive []byte) bool {
	sum := sha512.Sum512(archive)
	return base64.StdEncoding.EncodeToString(sum[:]) == specIntegrity
}

// fetch has npm fetch the archive into a folder of its own, so that nobody ever sees half of it.
func fetch(ctx context.Context, folder string) ([]byte, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	own, err := os.MkdirTemp(folder, "fetch-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(own) }()
	npm := exec.CommandContext(ctx, "npm", "pack", specPackage, "--silent", "--pack-destination", own)
	npm.Dir = own
	if said, err := npm.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack %s: %w: %s", specPackage, err, said)
	}
	fetched := filepath.Join(own, specArchive)
	archive, err := os.ReadFile(fetched)
	if err != nil {
		return nil, err
	}
	if !genuine(archive) {
		return nil, fmt.Errorf("what npm fetched for %s is not what was published", specPackage)
	}
	return archive, os.Rename(fetched, filepath.Join(folder, specArchive))
}

func unpack(archive []byte) ([]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(unzipped); ; {
		file, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", specFile, err)
		}
		if file.Name == specFile {
			return io.ReadAll(io.LimitReader(files, maxSpec))
		}
	}
}
