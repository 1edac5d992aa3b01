package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// Name is the carrier's name of both senders.
const Name = "inbox"

// Kept is a message in the folder.
type Kept struct {
	notify.Message `json:"message"`

	Channel ticketing.Channel `json:"channel"`
	// At is when it was first kept, UTC.
	At time.Time `json:"at"`
}

// Folder is where messages are kept, each in a file of its own that is named after its id.
type Folder struct {
	path string
}

// Open makes the folder if it is not there, for its owner only.
func Open(path string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("the local inbox: %w", err)
	}
	return &Folder{path}, nil
}

// Sender is the folder as the carrier of a channel.
func (f *Folder) Sender(channel ticketing.Channel) *Sender { return &Sender{f, channel} }

// Sender keeps the messages of one channel. It implements notify.Finder.
type Sender struct {
	folder  *Folder
	channel ticketing.Channel
}

// Name implements notify.Sender.
func (s *Sender) Name() string { return Name }

// Send keeps a message. Kept twice it is still one.
func (s *Sender) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if receipt, ok, err := s.Find(ctx, m, time.Time{}); ok || err != nil {
		return receipt, err
	}
	if err := s.folder.keep(Kept{Message: m, Channel: s.channel, At: time.Now().UTC()}); err != nil {
		return notify.Receipt{}, fmt.Errorf("%w: %w", notify.ErrTemporary, err)
	}
	return notify.Receipt{ID: m.ID}, nil
}

// Find implements notify.Finder.
func (s *Sender) Find(_ context.Context, m notify.Message, _ time.Time) (notify.Receipt, bool, error) {
	path, err := s.folder.file(m.ID)
	if err != nil {
		return notify.Receipt{}, false, fmt.Errorf("%w: %w", notify.ErrRefused, err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return notify.Receipt{}, false, nil
	} else if err != nil {
		return notify.Receipt{}, false, fmt.Errorf("%w: %w", notify.ErrTemporary, err)
	}
	return notify.Receipt{ID: m.ID}, true, nil
}

var (
	validID  = regexp.MustCompile(`^[0-9A-Za-z]{1,64}$`)
	errNoID  = errors.New("not the id of a message")
	errNone  = errors.New("no such message")
	fileKind = ".json"
)

func (f *Folder) file(id string) (string, error) {
	if !validID.MatchString(id) {
		return "", errNoID
	}
	return filepath.Join(f.path, id+fileKind), nil
}

// keep writes the whole file or none: a reader, or a process that is killed, never leaves half of one. It does not wait for
// the disk, for a machine that loses its power tells nobody anything.
func (f *Folder) keep(k Kept) error {
	path, err := f.file(k.ID)
	if err != nil {
		return err
	}
	half, err := os.CreateTemp(f.path, ".half-")
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(half)
	encoder.SetEscapeHTML(false) // nobody shows the file as a page
	err = errors.Join(encoder.Encode(k), half.Close())
	if err == nil {
		err = os.Rename(half.Name(), path)
	}
	if err != nil {
		_ = os.Remove(half.Name())
	}
	return err
}

// Message reads a message.
func (f *Folder) Message(id string) (Kept, error) {
	var k Kept
	path, err := f.file(id)
	if err != nil {
		return k, errNone
	}
	encoded, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, errNone
	}
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal(encoded, &k)
}

// Messages reads the newest messages, newest first, at most limit.
func (f *Folder) Messages(limit int) ([]Kept, error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, err
	}
	type file struct {
		id string
		at time.Time
	}
	var files []file
	for _, entry := range entries {
		id, ok := strings.CutSuffix(entry.Name(), fileKind)
		if !ok || !validID.MatchString(id) {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // it was just deleted
		}
		files = append(files, file{id, info.ModTime()})
	}
	slices.SortFunc(files, func(a, b file) int {
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		return strings.Compare(b.id, a.id)
	})
	var kept []Kept
	for _, file := range files[:min(len(files), limit)] {
		k, err := f.Message(file.id)
		if err != nil {
			return nil, err
		}
		kept = append(kept, k)
	}
	return kept, nil
}
