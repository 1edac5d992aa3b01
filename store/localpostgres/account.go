package localpostgres

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the operating-system user that the server runs as. PostgreSQL refuses to run as root.
type account struct {
	name     string
	uid, gid int
	drop     bool // we are root and have to become this user
}

// serverAccount returns the user we are, or, when we are root, the owner of an existing cluster, else the user
// `postgres`, else `nobody`.
func serverAccount(clusterFolder string) (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "the current user", uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	if info, err := os.Stat(clusterFolder); err == nil {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
			return account{name: strconv.Itoa(int(owner.Uid)), uid: int(owner.Uid), gid: int(owner.Gid), drop: true}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(found.Uid)
		if err != nil {
			return account{}, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.Atoi(found.Gid)
		if err != nil {
			return account{}, fmt.Errorf("user %s: %w", name, err)
		}
		return account{name: name, uid: uid, gid: gid, drop: true}, nil
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody to run it as")
}

// attributes make a child run as this account.
func (a account) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{}
	if a.drop {
		attributes.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return attributes
}

// give hands a file or folder that we made over to the account.
func (a account) give(path string) error {
	if !a.drop {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// reachable returns the folder itself if the account can walk to it, else a folder under /var/lib that belongs to it:
// a checkout below /root cannot hold the data of a server that runs as another user.
func (a account) reachable(folder string) (string, error) {
	if !a.drop {
		return folder, nil
	}
	blocked, err := a.blockedAt(filepath.Dir(folder))
	if err != nil || blocked == "" {
		return folder, err
	}
	elsewhere := fmt.Sprintf("/var/lib/boxoffice-%x", sha256.Sum256([]byte(folder)))[:len("/var/lib/boxoffice-")+12]
	if blocked, err = a.blockedAt(filepath.Dir(elsewhere)); err != nil {
		return "", err
	} else if blocked != "" {
		return "", fmt.Errorf("the user %s, as whom PostgreSQL has to run, may enter neither the way to %s nor %s: choose another data folder",
			a.name, folder, blocked)
	}
	return elsewhere, nil
}

// blockedAt returns the first existing folder on the way down to path that the account may not enter, or "".
func (a account) blockedAt(path string) (string, error) {
	for current := path; ; current = filepath.Dir(current) {
		info, err := os.Stat(current)
		switch {
		case errors.Is(err, fs.ErrNotExist): // we shall create it, open enough
		case err != nil:
			return "", err
		case !a.mayEnter(info):
			return current, nil
		}
		if current == filepath.Dir(current) {
			return "", nil
		}
	}
}

func (a account) mayEnter(folder fs.FileInfo) bool {
	owner, ok := folder.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	switch mode := folder.Mode().Perm(); {
	case int(owner.Uid) == a.uid:
		return mode&0o100 != 0
	case int(owner.Gid) == a.gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}
