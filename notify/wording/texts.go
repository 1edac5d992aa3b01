package wording

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/template"

	"github.com/boxoffice/boxoffice/ticketing"
)

//go:embed words/*.tmpl
var words embed.FS

const (
	en   = "en"
	zhCN = "zh-CN"
)

// Languages are those that messages are written in; whoever reads another one gets the first.
var Languages = []string{en, zhCN}

// texts are the words of one kind of message in one language.
type texts struct {
	words *template.Template
}

var (
	// ownParts are those that every kind of message has, sharedParts those that all of a language share.
	ownParts    = []string{"subject", "status", "happened", "meaning", "now", "button", "sms", "link"}
	sharedParts = []string{
		"brand", "hello", "untitled", "show", "ticket", "seat", "attendee", "qr", "private", "footer", "colon", "label.what", "label.when", "label.was", "announced",
		"label.where", "label.order", "label.member", "label.discount", "label.ticket_fees", "label.order_fee", "label.tax", "label.total", "label.refund", "label.kept",
	}
)

// readTexts reads every file, so that a broken one refuses the start.
func readTexts(files fs.FS) (map[string]map[ticketing.MessageKind]texts, error) {
	all := map[string]map[ticketing.MessageKind]texts{}
	var errs []error
	for _, language := range Languages {
		all[language] = map[ticketing.MessageKind]texts{}
		for _, kind := range ticketing.MessageKinds {
			t, err := readText(files, kind, language)
			errs = append(errs, err)
			all[language][kind] = t
		}
	}
	return all, errors.Join(errs...)
}

func readText(files fs.FS, kind ticketing.MessageKind, language string) (texts, error) {
	common, own := "words/common."+language+".tmpl", fmt.Sprintf("words/%s.%s.tmpl", kind, language)
	t, err := template.New("").Option("missingkey=error").ParseFS(files, common, own)
	if err != nil {
		return texts{}, err
	}
	for _, part := range slices.Concat(ownParts, sharedParts) {
		if t.Lookup(part) == nil {
			return texts{}, fmt.Errorf("%s: no %s", own, part)
		}
	}
	return texts{t}, nil
}

// saying writes the parts of one message, and remembers the first that could not be written.
type saying struct {
	texts

	err error
}

func (s *saying) say(part string, facts any) string {
	var out strings.Builder
	if err := s.words.ExecuteTemplate(&out, part, facts); err != nil && s.err == nil {
		s.err = err
	}
	return strings.TrimSpace(out.String())
}
