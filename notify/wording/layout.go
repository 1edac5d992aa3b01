package wording

import (
	_ "embed"
	"fmt"
	html "html/template"
	"io"
	"regexp"
	"strings"
	"text/template/parse"

	"github.com/preslavrachev/gomjml/mjml"
)

//go:embed layout.mjml
var layout string

var (
	conditional = regexp.MustCompile(`(?s)<!--.*?-->`)
	action      = regexp.MustCompile(`\{\{[^{}]*\}\}`)
)

const (
	outlookOnly    = "<!--[if mso | IE]>"
	outlookOnlyEnd = "<![endif]-->"
)

// readLayout compiles the layout of mails. A template of html/template loses its comments, and those of a mail are what
// Outlook lays it out by: they are kept from it while it makes the rest safe.
func readLayout(mjmlText string) (*html.Template, error) {
	compiled, err := mjml.Render(mjmlText)
	if err != nil {
		return nil, fmt.Errorf("the layout of mails: %w", err)
	}
	var comments []html.HTML
	constant := func(comment string) string {
		comments = append(comments, html.HTML(comment)) //nolint:gosec // a part of the layout, without facts
		return fmt.Sprintf("{{outlook %d}}", len(comments)-1)
	}
	compiled = conditional.ReplaceAllStringFunc(compiled, func(comment string) string {
		inner, ok := strings.CutPrefix(comment, outlookOnly)
		if !ok || !action.MatchString(comment) {
			return constant(comment)
		}
		// What the template does between two sections is done for every mail program, not for Outlook alone.
		var out strings.Builder
		inner = strings.TrimSuffix(inner, outlookOnlyEnd)
		from := 0
		for _, at := range action.FindAllStringIndex(inner, -1) {
			out.WriteString(constant(outlookOnly+inner[from:at[0]]+outlookOnlyEnd) + inner[at[0]:at[1]])
			from = at[1]
		}
		out.WriteString(constant(outlookOnly + inner[from:] + outlookOnlyEnd))
		return out.String()
	})
	mail, err := html.New("layout.mjml").Option("missingkey=error").Funcs(html.FuncMap{"outlook": func(n int) html.HTML { return comments[n] }}).Parse(compiled)
	if err == nil {
		err = mail.Execute(io.Discard, page{}) // which makes it safe, once
	}
	if err != nil {
		return nil, fmt.Errorf("the layout of mails: %w", err)
	}
	putBack(mail.Tree.Root, comments)
	return mail, nil
}

// putBack makes plain text of the calls that stand for comments: there are dozens in every mail.
func putBack(list *parse.ListNode, comments []html.HTML) {
	if list == nil {
		return
	}
	for i, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.IfNode:
			putBack(node.List, comments)
			putBack(node.ElseList, comments)
		case *parse.RangeNode:
			putBack(node.List, comments)
		case *parse.ActionNode:
			call := node.Pipe.Cmds[0].Args
			if n, ok := call[len(call)-1].(*parse.NumberNode); ok && call[0].String() == "outlook" {
				list.Nodes[i] = &parse.TextNode{NodeType: parse.NodeText, Pos: node.Pos, Text: []byte(comments[n.Int64])}
			}
		}
	}
}
