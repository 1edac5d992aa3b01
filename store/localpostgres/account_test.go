package localpostgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRootsClosedFolderIsReplacedByAReachableOne(t *testing.T) {
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	stranger := account{name: "nobody", uid: 65534, gid: 65534, drop: true}
	inside := filepath.Join(closed, "checkout", ".boxoffice", "postgres")
	elsewhere, err := stranger.reachable(inside)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(elsewhere, "/var/lib/boxoffice-") {
		t.Errorf("folder = %s", elsewhere)
	}
	if again, _ := stranger.reachable(inside); again != elsewhere {
		t.Errorf("%s, then %s: the data would be lost from view", elsewhere, again)
	}
	if other, _ := stranger.reachable(inside + "2"); other == elsewhere {
		t.Error("two checkouts share a folder")
	}

	if open, err := stranger.reachable("/usr/share/postgres"); err != nil || open != "/usr/share/postgres" {
		t.Errorf("reachable folder became %s, %v", open, err)
	}
	self := account{uid: os.Geteuid()}
	if same, err := self.reachable(inside); err != nil || same != inside {
		t.Errorf("without a change of user the folder became %s, %v", same, err)
	}
}

func TestBinariesOfTheClustersVersionAreChosen(t *testing.T) {
	installed := []Installation{{Folder: "/a", Major: 17}, {Folder: "/b", Major: 15}}
	for major, want := range map[int]string{0: "/a", 15: "/b", 17: "/a"} {
		if got, err := choose(installed, major, "/data"); err != nil || got.Folder != want {
			t.Errorf("version %d: %v, %v", major, got, err)
		}
	}
	if _, err := choose(installed, 14, "/data"); err == nil || !strings.Contains(err.Error(), "PostgreSQL 14") {
		t.Errorf("error = %v", err)
	}
}
