package folderlock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestOneHolderAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Take(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Take(path)
	if taken, ok := errors.AsType[*TakenError](err); !ok || taken.PID != os.Getpid() {
		t.Errorf("error = %v", err)
	}
	first.Release()
	first.Release()
	second, err := Take(path)
	if err != nil {
		t.Fatal(err)
	}
	second.Release()
}
