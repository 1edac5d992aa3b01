package wording_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"text/template/parse"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/ticketing"
)

var (
	placeholder = regexp.MustCompile(`\{\{|\}\}|%!|<no value>|<nil>|<mj-|mj-raw|googleapis|ZgotmplZ|\bTODO\b`)
	// foreign are two English words in a row; what is not a word of a language is taken out before.
	foreign    = regexp.MustCompile(`[A-Za-z]{2,}[ ,.]+[A-Za-z]{2,}`)
	noLanguage = regexp.MustCompile(`https?://\S+|[0-9A-Z]{26}|Asia/Shanghai|UTC[+-]?\d*|Boxoffice`)
)

// TestEveryMessageIsWritten: every kind, by every channel, in every language, with snapshots to read.
func TestEveryMessageIsWritten(t *testing.T) {
	w := words(t)
	each(t, func(t *testing.T, channel ticketing.Channel, language string, kind ticketing.MessageKind) {
		content, err := w.Render(channel, language, factsFor(language, kind))
		require.NoError(t, err)
		require.NotRegexp(t, placeholder, content.Subject+content.Text+content.HTML)
		require.NotContains(t, content.Subject, "\n")
		for _, said := range []string{content.Subject, content.Text, readable(t, content.HTML)} {
			inOneLanguage(t, language, said)
		}
		snapshot := fmt.Sprintf("Subject: %s\n\n%s", content.Subject, content.Text)
		if channel == ticketing.ChannelSMS {
			require.Empty(t, content.Subject+content.HTML)
			require.True(t, strings.HasSuffix(content.Text, plain), content.Text)
			segments := wording.Segments(content.Text)
			snapshot = fmt.Sprintf("%d segments\n\n%s\n", segments, content.Text)
			require.LessOrEqual(t, segments, map[string]int{"en": 1, "zh-CN": 2}[language], "one where possible: %s", content.Text)
		}
		golden(t, fmt.Sprintf("%s.%s.%s.txt", kind, channel, language), snapshot)
	})
}

func inOneLanguage(t *testing.T, language, said string) {
	t.Helper()
	said = noLanguage.ReplaceAllString(said, "·")
	if language == "en" {
		require.False(t, strings.ContainsFunc(said, func(r rune) bool { return unicode.In(r, unicode.Han) || r == '，' || r == '。' }), said)
		return
	}
	require.NotRegexp(t, foreign, said)
	require.True(t, said == "" || strings.ContainsFunc(said, func(r rune) bool { return unicode.Is(unicode.Han, r) }), said)
}

// readable is what people read of a page, the alternative texts of pictures included.
func readable(t *testing.T, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var out strings.Builder
	for node := range root.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "style" && node.Parent.Data != "noscript" {
			out.WriteString(node.Data + "\n")
		}
		for _, a := range node.Attr {
			if a.Key == "alt" || a.Key == "title" || a.Key == "aria-label" {
				out.WriteString(a.Val + "\n")
			}
		}
	}
	return out.String()
}

func golden(t *testing.T, name, have string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(have), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "read it, then keep it: go test ./notify/wording -update")
	require.Equal(t, string(want), have)
}

// TestBothLanguagesTellTheSameFacts: part by part, of every kind; and there is no file that is never read.
func TestBothLanguagesTellTheSameFacts(t *testing.T) {
	used := map[string]map[string][]string{}
	names := append(slices.Clone(ticketing.MessageKinds), "common")
	for _, language := range wording.Languages {
		used[language] = map[string][]string{}
		for _, name := range names {
			file := fmt.Sprintf("words/%s.%s.tmpl", name, language)
			parsed, err := template.ParseFiles(file)
			require.NoError(t, err)
			for _, part := range parsed.Templates() {
				if part.Name() == filepath.Base(file) {
					require.Empty(t, strings.TrimSpace(part.Root.String()), "%s: text outside of its parts", file)
					continue
				}
				fields := fieldsOf(part.Root)
				slices.Sort(fields)
				used[language][string(name)+"."+part.Name()] = slices.Compact(fields)
			}
		}
	}
	require.Equal(t, used["en"], used["zh-CN"])
	files, err := os.ReadDir("words")
	require.NoError(t, err)
	require.Len(t, files, len(names)*len(wording.Languages))
}

// fieldsOf are the facts and texts that a text uses, and the words it compares facts with.
func fieldsOf(node parse.Node) []string {
	var fields []string
	add := func(nodes ...parse.Node) {
		for _, n := range nodes {
			fields = append(fields, fieldsOf(n)...)
		}
	}
	branch := func(b parse.BranchNode) {
		add(b.Pipe, b.List)
		if b.ElseList != nil {
			add(b.ElseList)
		}
	}
	switch n := node.(type) {
	case *parse.ListNode:
		add(n.Nodes...)
	case *parse.ActionNode:
		add(n.Pipe)
	case *parse.PipeNode:
		for _, command := range n.Cmds {
			add(command.Args...)
		}
	case *parse.IfNode:
		branch(n.BranchNode)
	case *parse.RangeNode:
		branch(n.BranchNode)
	case *parse.WithNode:
		branch(n.BranchNode)
	case *parse.FieldNode:
		fields = append(fields, strings.Join(n.Ident, "."))
	case *parse.StringNode:
		fields = append(fields, n.Quoted)
	case *parse.TemplateNode:
		fields = append(fields, "template "+n.Name)
	}
	return fields
}

// reasons are all that the rules know, as their source has them: a new one without words is found.
func reasons(t *testing.T) []ticketing.RefundReason {
	t.Helper()
	var found []ticketing.RefundReason
	files, err := filepath.Glob("../../ticketing/*.go")
	require.NoError(t, err)
	for _, file := range files {
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(source, func(n ast.Node) bool {
			value, ok := n.(*ast.ValueSpec)
			if !ok || value.Type == nil || len(value.Values) == 0 {
				return true
			}
			kind, isName := value.Type.(*ast.Ident)
			literal, isLiteral := value.Values[0].(*ast.BasicLit)
			if isName && isLiteral && (kind.Name == "RejectReason" || kind.Name == "RefundReason") {
				reason, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				found = append(found, ticketing.RefundReason(reason))
			}
			return true
		})
	}
	require.GreaterOrEqual(t, len(found), 7)
	return found
}

func TestEveryReasonIsTold(t *testing.T) {
	w := words(t)
	for _, kind := range []ticketing.MessageKind{ticketing.MessagePaymentReturned, ticketing.MessageRefunded} {
		for _, language := range wording.Languages {
			seen := map[string]ticketing.RefundReason{}
			for _, reason := range append(reasons(t), "") {
				if kind == ticketing.MessagePaymentReturned && reason == ticketing.RefundRequested {
					continue // that is no payment which could not be used
				}
				f := factsFor(language, kind)
				f.Reason = reason
				mail, err := w.Render(ticketing.ChannelMail, language, f)
				require.NoError(t, err)
				require.NotContains(t, seen, mail.Text, "%s has the words of %q", reason, seen[mail.Text])
				seen[mail.Text] = reason
				inOneLanguage(t, language, mail.Text)
				sms, err := w.Render(ticketing.ChannelSMS, language, f)
				require.NoError(t, err)
				require.LessOrEqual(t, wording.Segments(sms.Text), 2)
				inOneLanguage(t, language, sms.Text)
			}
		}
	}
}

func TestWhatIsNotKnownIsNotLeftOut(t *testing.T) {
	w := words(t)
	for _, c := range []struct {
		kind    ticketing.MessageKind
		forget  func(f *notify.Facts)
		missing string
	}{
		{ticketing.MessageHoldExpiring, func(f *notify.Facts) { f.PayBy = time.Time{} }, "the end of the hold"},
		{ticketing.MessageHoldExpiring, func(f *notify.Facts) { f.Total = ticketing.Money{} }, "the total"},
		{ticketing.MessageRefunded, func(f *notify.Facts) { f.Amount = ticketing.Money{} }, "the amount"},
		{ticketing.MessageReminder, func(f *notify.Facts) { f.StartsAt = time.Time{} }, "the session's beginning"},
		{"gossip", func(*notify.Facts) {}, "no such kind"},
	} {
		f := facts(c.kind)
		c.forget(&f)
		_, err := w.Render(ticketing.ChannelMail, "en", f)
		require.ErrorContains(t, err, c.missing)
	}
}
