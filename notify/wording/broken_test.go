package wording

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
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
			_, err := readTexts(files)
			require.NoError(t, err)
			if c.change == nil {
				delete(files, c.file)
			} else {
				files[c.file].Data = []byte(c.change(string(files[c.file].Data)))
			}
			_, err = readTexts(files)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := readLayout("<mjml><mj-body><mj-nonsense></mj-body></mjml>")
	require.ErrorContains(t, err, "the layout of mails")
	_, err = readLayout("<mjml><mj-body><mj-section><mj-column><mj-text>{{if}}</mj-text></mj-column></mj-section></mj-body></mjml>")
	require.ErrorContains(t, err, "the layout of mails")
}
