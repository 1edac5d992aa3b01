package wording

import (
	"errors"
	"fmt"
	html "html/template"
	"io/fs"
	"slices"
	"strings"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// mailSize is about how long the HTML of a mail with a ticket is, in bytes.
const mailSize = 24 << 10

// Wording writes messages. It is safe for concurrent use.
type Wording struct {
	texts  map[string]map[ticketing.MessageKind]texts // by language
	layout *html.Template
}

// New reads every text and writes every message once; what cannot be used is an error now, not when a buyer waits for it.
func New() (*Wording, error) { return read(words, layout) }

func read(files fs.FS, mjmlText string) (*Wording, error) {
	all, err := readTexts(files)
	if err != nil {
		return nil, fmt.Errorf("the words of messages: %w", err)
	}
	page, err := readLayout(mjmlText)
	if err != nil {
		return nil, err
	}
	w := &Wording{all, page}
	if err := w.rehearse(); err != nil {
		return nil, fmt.Errorf("the words of messages: %w", err)
	}
	return w, nil
}

var errNoSuchKind = errors.New("no such kind of message")

// Render writes a message. language is a BCP 47 tag. The same facts make the same message. It is an error when a fact is missing
// that the message cannot do without, or when the zone is not one.
func (w *Wording) Render(channel ticketing.Channel, language string, f notify.Facts) (notify.Content, error) {
	if !slices.Contains(Languages, language) {
		language = Languages[0]
	}
	content, err := w.write(channel, language, f)
	if err != nil {
		return notify.Content{}, fmt.Errorf("write %s in %s: %w", f.Kind, language, err)
	}
	return content, nil
}

func (w *Wording) write(channel ticketing.Channel, language string, f notify.Facts) (notify.Content, error) {
	texts, ok := w.texts[language][f.Kind]
	if !ok {
		return notify.Content{}, errNoSuchKind
	}
	sms := channel == ticketing.ChannelSMS
	v, err := newView(language, f, sms)
	if err != nil {
		return notify.Content{}, err
	}
	s := &saying{texts: texts}
	if v.Title == "" {
		v.Title = s.say("untitled", v)
	}
	if sms {
		return notify.Content{Text: s.short(v)}, s.err
	}
	p, images := s.page(v, f)
	var out strings.Builder
	out.Grow(mailSize)
	if err := w.layout.Execute(&out, p); err != nil && s.err == nil {
		s.err = err
	}
	colon := s.say("colon", v)
	if language == en {
		colon += " "
	}
	return notify.Content{Subject: p.Subject, Text: p.plain(colon), HTML: out.String(), Images: images}, s.err
}
