package inbox

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
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

// Folder is where messages are kept: line by line in one file, for making a file for each costs more than writing the message.
type Folder struct {
	path string

	mu   sync.Mutex
	end  int64 // of what was looked through, in bytes
	kept []line
	byID map[string]line
}

// line is where the file has a message.
type line struct{ at, size int64 }

// fileName is that of the file in the folder. Its lines are the JSON of Kept.
const fileName = "messages.jsonl"

// Open makes the folder if it is not there, for its owner only.
func Open(path string) (*Folder, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("the local inbox: %w", err)
	}
	return &Folder{path: filepath.Join(path, fileName), byID: map[string]line{}}, nil
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

// Send keeps a message. Kept twice it is still one, for the first is the one that is read.
func (s *Sender) Send(_ context.Context, m notify.Message) (notify.Receipt, error) {
	if !validID.MatchString(m.ID) {
		return notify.Receipt{}, fmt.Errorf("%w: %w", notify.ErrRefused, errNoID)
	}
	if err := s.folder.keep(Kept{Message: m, Channel: s.channel, At: time.Now().UTC()}); err != nil {
		return notify.Receipt{}, fmt.Errorf("%w: %w", notify.ErrTemporary, err)
	}
	return notify.Receipt{ID: m.ID}, nil
}

// Find implements notify.Finder.
func (s *Sender) Find(_ context.Context, m notify.Message, _ time.Time) (notify.Receipt, bool, error) {
	_, err := s.folder.Message(m.ID)
	switch {
	case errors.Is(err, errNone):
		return notify.Receipt{}, false, nil
	case err != nil:
		return notify.Receipt{}, false, fmt.Errorf("%w: %w", notify.ErrTemporary, err)
	}
	return notify.Receipt{ID: m.ID}, true, nil
}

var (
	validID = regexp.MustCompile(`^[0-9A-Za-z]{1,64}$`)
	errNoID = errors.New("not the id of a message")
	errNone = errors.New("no such message")
)

// keep adds a message to the file, in one go, so that several processes may. What is left half by one that is killed, or has no room,
// ends where the next message begins, and is not read. It does not wait for the disk, for a machine that loses its power tells nobody
// anything.
func (f *Folder) keep(k Kept) error {
	text := bytes.NewBufferString("\n")
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false) // nobody shows the file as a page
	if err := encoder.Encode(k); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text.Bytes())
	return errors.Join(err, file.Close())
}

// Message reads a message.
func (f *Folder) Message(id string) (Kept, error) {
	var k Kept
	err := f.read(func(file *os.File) error {
		at, ok := f.byID[id]
		if !ok {
			return errNone
		}
		return at.read(file, &k)
	})
	return k, err
}

// Messages reads the newest messages, newest first, at most limit.
func (f *Folder) Messages(limit int) ([]Kept, error) {
	var kept []Kept
	err := f.read(func(file *os.File) error {
		for _, at := range slices.Backward(f.kept[max(len(f.kept)-limit, 0):]) {
			var k Kept
			if err := at.read(file, &k); err != nil {
				return err
			}
			kept = append(kept, k)
		}
		return nil
	})
	if errors.Is(err, errNone) {
		return nil, nil
	}
	return kept, err
}

// read reads messages, after it has found those that were kept since the last time. Error: errNone as long as nothing was.
func (f *Folder) read(messages func(*os.File) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return errNone
	}
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewReader(io.NewSectionReader(file, f.end, math.MaxInt64-f.end))
	for {
		text, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return messages(file) // what has no end is being written, or never will be
		}
		if err != nil {
			return err
		}
		f.found(text)
	}
}

// found takes note of the next line of the file.
func (f *Folder) found(text []byte) {
	at := line{f.end, int64(len(text))}
	f.end += at.size
	var k struct {
		Message struct {
			ID string `json:"id"`
		} `json:"message"`
	}
	if json.Unmarshal(text, &k) != nil {
		return
	}
	if _, known := f.byID[k.Message.ID]; !known {
		f.kept, f.byID[k.Message.ID] = append(f.kept, at), at
	}
}

func (l line) read(file *os.File, k *Kept) error {
	return json.NewDecoder(io.NewSectionReader(file, l.at, l.size)).Decode(k)
}
