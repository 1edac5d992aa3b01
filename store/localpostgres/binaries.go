package localpostgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// OldestSupported is the lowest major version of PostgreSQL that we run on.
const OldestSupported = 14

// ErrNotInstalled says that no usable PostgreSQL server was found; its text says what to do.
var ErrNotInstalled = errors.New("no PostgreSQL server, version 14 or newer, was found: run scripts/install-postgres.sh, " +
	"install PostgreSQL from your system's packages, or set BOXOFFICE_POSTGRES_BIN to the folder with initdb and postgres")

// Installation is one installed version of PostgreSQL.
type Installation struct {
	// Folder holds initdb and postgres.
	Folder string
	// Major version, such as 15.
	Major int
}

// Where the packages of Debian, Homebrew, the EnterpriseDB installer and Red Hat put their binaries.
var usualFolders = []string{
	"/usr/lib/postgresql/*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/Library/PostgreSQL/*/bin",
	"/usr/pgsql-*/bin",
}

// Find lists the installed servers, version 14 or newer, in the order of preference: the folder in
// BOXOFFICE_POSTGRES_BIN and nothing else if that is set, else the one on PATH, else the newest first. It returns
// ErrNotInstalled when there is none.
func Find() ([]Installation, error) {
	if folder := os.Getenv("BOXOFFICE_POSTGRES_BIN"); folder != "" {
		installation, err := inspect(folder)
		if err != nil {
			return nil, fmt.Errorf("BOXOFFICE_POSTGRES_BIN: %w", err)
		}
		return []Installation{installation}, nil
	}

	var found []Installation
	for _, pattern := range usualFolders {
		folders, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, folder := range folders {
			if installation, err := inspect(folder); err == nil {
				found = append(found, installation)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Installation) int { return b.Major - a.Major })

	// initdb looks for postgres beside itself, so what counts is the folder behind a symbolic link on PATH.
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			if installation, err := inspect(filepath.Dir(path)); err == nil {
				found = slices.DeleteFunc(found, func(other Installation) bool { return other == installation })
				found = slices.Insert(found, 0, installation)
			}
		}
	}
	if len(found) == 0 {
		return nil, ErrNotInstalled
	}
	return found, nil
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func inspect(folder string) (Installation, error) {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(folder, name)); err != nil {
			return Installation{}, fmt.Errorf("%s holds no PostgreSQL server: %w", folder, err)
		}
	}
	output, err := exec.Command(filepath.Join(folder, "postgres"), "--version").Output()
	if err != nil {
		return Installation{}, fmt.Errorf("%s/postgres --version: %w", folder, err)
	}
	match := versionPattern.FindSubmatch(output)
	if match == nil {
		return Installation{}, fmt.Errorf("%s/postgres does not say its version: %q", folder, output)
	}
	major, err := strconv.Atoi(string(match[1]))
	if err != nil {
		return Installation{}, err
	}
	if major < OldestSupported {
		return Installation{}, fmt.Errorf("PostgreSQL %d in %s is too old: %d or newer is needed", major, folder, OldestSupported)
	}
	return Installation{Folder: folder, Major: major}, nil
}

// choose returns the preferred installation for a new cluster, or the one that can read an existing cluster of the
// given major version.
func choose(installed []Installation, clusterMajor int, clusterFolder string) (Installation, error) {
	if clusterMajor == 0 {
		return installed[0], nil
	}
	for _, installation := range installed {
		if installation.Major == clusterMajor {
			return installation, nil
		}
	}
	return Installation{}, fmt.Errorf("the data in %s was written by PostgreSQL %d, but PostgreSQL %d is installed: "+
		"install version %d, or move that folder away to start with an empty database (nothing was changed)",
		clusterFolder, clusterMajor, installed[0].Major, clusterMajor)
}
