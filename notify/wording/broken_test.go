package wording

import (
	"html"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"text/template/parse"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/ticketing"
)

// TestWhatIsBrokenRefusesTheStart: a text that is missing, or cannot be read, is found before a buyer waits for it.
func TestWhatIsBrokenRefusesTheStart(t *testing.T) {
	for _, c := range []struct {
		name, file, want string
		change           func(words string) string
	}{
		{"a file that is missing", "words/paid.zh-CN.tmpl", "paid.zh-CN.tmpl", nil},
		{"a part that is missing", "words/refunded.en.tmpl", "words/refunded.en.tmpl: no now", func(words string) string {
			return strings.Replace(words, `{{define "now"}}`, `{{define "then"}}`, 1)
		}},
		{"a part of all that is missing", "words/common.en.tmpl", "no label.total", func(words string) string {
			return strings.Replace(words, `{{define "label.total"}}`, `{{define "label.sum"}}`, 1)
		}},
		{"a text that cannot be read", "words/reminder.en.tmpl", "reminder.en.tmpl:", func(words string) string { return words + "{{if .Title}}" }},
		{"a fact that there is not", "words/cancelled.zh-CN.tmpl", "cancelled.zh-CN.tmpl:", func(words string) string {
			return strings.Replace(words, "{{.Title}}", "{{.Titel}}", 1)
		}},
		{"a fact that there is not, in a text for few", "words/refunded.en.tmpl", "refunded.en.tmpl:", func(words string) string {
			return strings.Replace(words, "The payment of {{.Amount}} that we could not match", "The payment of {{.Money}} that we could not match", 1)
		}},
		{"a fact that there is not, in an SMS", "words/paid.en.tmpl", "paid.en.tmpl:", func(words string) string {
			return strings.Replace(words, "{{.Tickets}} tickets{{end}}.", "{{.Places}} tickets{{end}}.", 1)
		}},
		{"a comparison that cannot be made", "words/reminder.zh-CN.tmpl", "reminder.zh-CN.tmpl:", func(words string) string {
			return strings.Replace(words, "eq .Tickets 0", `eq .Tickets "0"`, 1)
		}},
		{"a text of all with a fact that there is not", "words/common.zh-CN.tmpl", "common.zh-CN.tmpl:", func(words string) string {
			return strings.Replace(words, "{{.Section}}", "{{.Block}}", 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := fstest.MapFS{}
			require.NoError(t, fs.WalkDir(words, ".", func(path string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				content, err := words.ReadFile(path)
				files[path] = &fstest.MapFile{Data: content}
				return err
			}))
			_, err := read(files, layout)
			require.NoError(t, err)
			if c.change == nil {
				delete(files, c.file)
			} else {
				files[c.file].Data = []byte(c.change(string(files[c.file].Data)))
			}
			_, err = read(files, layout)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := readLayout("<mjml><mj-body><mj-nonsense></mj-body></mjml>")
	require.ErrorContains(t, err, "the layout of mails")
	_, err = readLayout("<mjml><mj-body><mj-section><mj-column><mj-text>{{if}}</mj-text></mj-column></mj-section></mj-body></mjml>")
	require.ErrorContains(t, err, "the layout of mails")
	for _, c := range [][2]string{{"{{.Status}}", "{{.State}}"}, {"{{if .Seat}}", "{{if .Chair}}"}, {"{{if .Last}}", "{{if .First}}"}} {
		require.Contains(t, layout, c[0])
		_, err = read(words, strings.Replace(layout, c[0], c[1], 1))
		require.ErrorContains(t, err, "layout.mjml:")
	}
}

// TestARehearsalSaysEveryWord: there is no branch of a text that it does not write.
func TestARehearsalSaysEveryWord(t *testing.T) {
	w, err := New()
	require.NoError(t, err)
	for _, language := range Languages {
		for _, kind := range ticketing.MessageKinds {
			var said strings.Builder
			for _, f := range rehearsed() {
				f.Kind = kind
				for _, channel := range []ticketing.Channel{ticketing.ChannelMail, ticketing.ChannelSMS} {
					content, err := w.Render(channel, language, f)
					require.NoError(t, err)
					said.WriteString(content.Subject + "\n" + content.Text + "\n" + content.HTML + "\n")
				}
			}
			all := plainSigns.Replace(html.UnescapeString(said.String()))
			for _, part := range w.texts[language][kind].words.Templates() {
				if strings.HasSuffix(part.Name(), ".tmpl") || part.Tree == nil || onlyForSome(part.Name(), kind) {
					continue
				}
				for _, word := range wordsOf(part.Root) {
					if !strings.Contains(all, plainSigns.Replace(word)) {
						t.Errorf("%s of %s in %s: %s", part.Name(), kind, language, word)
					}
				}
			}
		}
	}
}

// onlyForSome says whether a part is written for other kinds than this one.
func onlyForSome(part string, kind ticketing.MessageKind) bool {
	switch part {
	case "show", "ticket", "seat", "attendee", "qr":
		return !showsTickets(kind)
	case "label.discount", "label.ticket_fees", "label.order_fee", "label.tax", "label.total":
		return kind != ticketing.MessagePaid
	case "label.member":
		return !tellsMembership(kind)
	case "label.refund", "label.kept":
		return kind != ticketing.MessageRefunded
	case "label.when":
		return kind == ticketing.MessageEventCancelled
	}
	return false
}

// wordsOf are the literal texts below a node.
func wordsOf(node parse.Node) []string {
	var words []string
	branch := func(b *parse.BranchNode) {
		words = append(words, wordsOf(b.List)...)
		if b.ElseList != nil {
			words = append(words, wordsOf(b.ElseList)...)
		}
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			words = append(words, wordsOf(child)...)
		}
	case *parse.TextNode:
		words = append(words, strings.TrimSpace(string(n.Text)))
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	}
	return words
}
