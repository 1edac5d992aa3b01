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
	specPackage   = "@twilio/cli-core@8.3.2"
	specArchive   = "twilio-cli-core-8.3.2.tgz"
	specFile      = "package/src/services/twilio-api/twilio_api_v2010.json"
	specIntegrity = "qRTAZS15i/nseKHu2zZIb1BD78WFRVOWM65iC9JqjZdNpz5KQaiEI1klsLcWDi1pwXH9JG6pbFXJrIiYRJw/dw==" // SHA-512 of the archive
)

// PublishedSpec fetches the document that Twilio publishes, with npm, and keeps it for the next time outside of the source.
func PublishedSpec(ctx context.Context) ([]byte, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(cache, "boxoffice", "twilio")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	archive, err := os.ReadFile(filepath.Join(folder, specArchive))
	if errors.Is(err, os.ErrNotExist) {
		fetch := exec.CommandContext(ctx, "npm", "pack", specPackage, "--silent", "--pack-destination", folder)
		fetch.Dir = folder
		if said, err := fetch.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("npm pack %s: %w: %s", specPackage, err, said)
		}
		archive, err = os.ReadFile(filepath.Join(folder, specArchive))
	}
	if err != nil {
		return nil, err
	}
	if sum := sha512.Sum512(archive); base64.StdEncoding.EncodeToString(sum[:]) != specIntegrity {
		return nil, fmt.Errorf("%s in %s is not the one that was published", specArchive, folder)
	}
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
			return io.ReadAll(files)
		}
	}
}
