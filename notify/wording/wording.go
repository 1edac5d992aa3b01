package wording

import (
	"embed"
	"fmt"
	html "html/template"
	"slices"
	"strings"
	"text/template"
	"unicode/utf16"

	"github.com/preslavrachev/gomjml/mjml"
	"github.com/skip2/go-qrcode"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

//go:embed words/*.tmpl
var words embed.FS

//go:embed layout.mjml
var layout string

// Languages are those that messages are written in; whoever reads another one gets the first.
var Languages = []string{"en", "zh-CN"}

const (
	// maxSegments bounds an SMS.
	maxSegments = 2
	// qrSize is the width of a ticket's picture in pixels: twice what is shown, for sharp screens.
	qrSize = 400
)

// Wording writes messages. It is safe for concurrent use.
type Wording struct {
	texts map[string]*template.Template // by language
	page  *html.Template
}

// New reads every text; one that cannot be used is an error now, not when a buyer waits for it.
func New() (*Wording, error) {
	w := &Wording{texts: map[string]*template.Template{}}
	for _, language := range Languages {
		text, err := template.New(language).Option("missingkey=error").ParseFS(words, "words/"+language+".tmpl")
		if err != nil {
			return nil, fmt.Errorf("the words in %s: %w", language, err)
		}
		for _, kind := range ticketing.MessageKinds {
			for _, part := range []string{"subject", "lead", "next", "sms"} {
				if text.Lookup(string(kind)+"."+part) == nil {
					return nil, fmt.Errorf("the words in %s: no %s.%s", language, kind, part)
				}
			}
		}
		w.texts[language] = text
	}
	compiled, err := mjml.Render(layout)
	if err != nil {
		return nil, fmt.Errorf("the layout of mails: %w", err)
	}
	w.page, err = html.New("mail").Option("missingkey=error").Parse(compiled)
	return w, err
}

// Render writes a message. language is a BCP 47 tag.
func (w *Wording) Render(channel ticketing.Channel, language string, f notify.Facts) (notify.Content, error) {
	if !slices.Contains(Languages, language) {
		language = Languages[0]
	}
	said := &saying{text: w.texts[language], kind: f.Kind}
	v, err := newView(language, f)
	if err != nil {
		return notify.Content{}, err
	}
	var content notify.Content
	if channel == ticketing.ChannelSMS {
		content.Text = said.short(v)
	} else {
		content = w.mail(said, language, v, f)
	}
	if said.err != nil {
		return notify.Content{}, fmt.Errorf("write %s in %s: %w", f.Kind, language, said.err)
	}
	return content, nil
}

// saying writes the texts of one message, and remembers the first that could not be written.
type saying struct {
	text *template.Template
	kind ticketing.MessageKind
	err  error
}

func (s *saying) say(name string, v any) string {
	var out strings.Builder
	if err := s.text.ExecuteTemplate(&out, name, v); err != nil && s.err == nil {
		s.err = err
	}
	return strings.TrimSpace(out.String())
}

func (s *saying) part(part string, v view) string { return s.say(string(s.kind)+"."+part, v) }

// short is the SMS: names are cut until it is not longer than maxSegments. Where a sign in a name makes all of it one of the
// larger alphabet and cutting is not enough, the names go without such signs.
func (s *saying) short(v view) string {
	brand := strings.TrimLeft(s.say("brand", v), " ")
	if !strings.HasSuffix(brand, "】") {
		brand += " "
	}
	simple := strings.NewReplacer("\u00a0", " ", "‘", "'", "’", "'", "“", `"`, "”", `"`, "–", "-", "—", "-", "…", "...")
	var text string
	for _, plain := range []bool{false, true} {
		for title := 60; title > 4; title -= 4 {
			short := v
			short.Title, short.ShortVenue = v.Title, v.ShortVenue
			if plain {
				short.Title, short.ShortVenue = onlyGSM(v.Title), onlyGSM(v.ShortVenue)
			}
			short.Title, short.ShortVenue = cut(simple.Replace(short.Title), title), cut(simple.Replace(short.ShortVenue), max(title/2, 8))
			if text = simple.Replace(brand + s.part("sms", short)); Segments(text) <= maxSegments {
				return text
			}
		}
	}
	return text
}

func onlyGSM(text string) string {
	return line(strings.Map(func(r rune) rune {
		if strings.ContainsRune(gsm, r) {
			return r
		}
		return -1
	}, text))
}

// page is what layout.mjml shows.
type page struct {
	Language, Subject, Hello, Lead, Next, Button, URL, Private, Footer string
	Rows                                                               []row
	Lines                                                              []row
	Tickets                                                            []picture
}

type row struct{ Label, Value string }

// seat is a numbered seat in the reader's language.
type seat struct{ Section, Row, Number string }

type picture struct{ ID, Alt, Title, Name, Code string }

func (w *Wording) mail(s *saying, language string, v view, f notify.Facts) notify.Content {
	p := page{
		Language: language, Subject: s.part("subject", v), Hello: s.say("hello", v), Lead: s.part("lead", v), Next: s.part("next", v),
		Button: s.say("button", v), URL: v.PrivateURL, Private: s.say("private", v), Footer: s.say("footer", v),
	}
	for _, r := range []row{{"what", v.Title}, {"when", v.Start}, {"where", v.Place}, {"order", v.Order}} {
		if r.Value != "" {
			p.Rows = append(p.Rows, row{s.say("label."+r.Label, v), r.Value})
		}
	}
	content := notify.Content{Subject: p.Subject}
	if f.Kind == ticketing.MessagePaid || f.Kind == ticketing.MessageRetaken {
		p.Lines = slices.Concat(v.Lines, []row{{s.say("label.total", v), v.Total}})
		for i, ticket := range f.Tickets {
			of := struct{ Number, Of int }{i + 1, len(f.Tickets)}
			code, err := qrcode.Encode(ticket.Code, qrcode.Medium, qrSize)
			if err != nil && s.err == nil {
				s.err = err
			}
			id := fmt.Sprintf("ticket-%d", of.Number)
			name := line(ticket.Name.In(language))
			if ticket.Seat != nil {
				name += s.say("seat", seat{line(ticket.Seat.Section.In(language)), line(ticket.Seat.Row), line(ticket.Seat.Number)})
			}
			p.Tickets = append(p.Tickets, picture{ID: id, Alt: s.say("qr", of), Title: s.say("ticket", of), Name: cut(name, maxTitle), Code: ticket.Code})
			content.Images = append(content.Images, notify.Image{ID: id, PNG: code, Alt: s.say("qr", of)})
		}
	}
	var out strings.Builder
	if err := w.page.Execute(&out, p); err != nil && s.err == nil {
		s.err = err
	}
	content.HTML = out.String()
	content.Text = p.plain(s.say("label.colon", v))
	return content
}

// plain is the page as text.
func (p page) plain(colon string) string {
	if !strings.HasSuffix(colon, "：") {
		colon += " "
	}
	var out strings.Builder
	paragraph := func(text string) {
		if text != "" {
			out.WriteString(text + "\n\n")
		}
	}
	list := func(rows []row) {
		for _, r := range rows {
			out.WriteString(r.Label + colon + r.Value + "\n")
		}
		if len(rows) > 0 {
			out.WriteString("\n")
		}
	}
	paragraph(p.Hello)
	paragraph(p.Lead)
	paragraph(p.Next)
	list(p.Rows)
	list(p.Lines)
	for _, t := range p.Tickets {
		out.WriteString(t.Title + colon + t.Name + "\n" + t.Code + "\n\n")
	}
	paragraph(p.Button + colon + p.URL)
	paragraph(p.Private)
	out.WriteString("-- \n" + p.Footer + "\n")
	return out.String()
}

// gsm is the alphabet of SMS of seven bits (3GPP TS 23.038), gsmExtension what counts twice in it.
const (
	gsm          = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// Segments is how many SMS a text is billed as: 160 characters of the GSM alphabet in one and 153 in each of several; with any other
// character 70 and 67, those outside the basic plane counted twice.
func Segments(text string) int {
	septets := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsm, r):
			septets++
		case strings.ContainsRune(gsmExtension, r):
			septets += 2
		default:
			return parts(len(utf16.Encode([]rune(text))), 70, 67)
		}
	}
	return parts(septets, 160, 153)
}

func parts(n, one, each int) int {
	if n <= one {
		return 1
	}
	return (n + each - 1) / each
}
