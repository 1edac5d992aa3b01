package wording_test

import (
	"bytes"
	"image/png"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/ticketing"
)

// shape is the elements of a page, of which names must never become a part.
func shape(page string) []string {
	var elements []string
	tokens := html.NewTokenizer(strings.NewReader(page))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return elements
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			for _, a := range token.Attr {
				token.Data += " " + a.Key
			}
			elements = append(elements, token.Data)
		case html.CommentToken:
			elements = append(elements, "comment")
		case html.TextToken, html.EndTagToken, html.DoctypeToken:
		}
	}
}

// TestNamesAreTextAndNothingElse: whatever they are called, the page has the same elements, and the subject one line.
func TestNamesAreTextAndNothingElse(t *testing.T) {
	w := words(t)
	rapid.Check(t, func(t *rapid.T) {
		language, f := draw(t)
		mail, err := w.Render(ticketing.ChannelMail, language, f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(mail.Subject, "\r\n\x00\u202e") || len([]rune(mail.Subject)) > 400 || mail.Subject == "" {
			t.Fatalf("subject %q", mail.Subject)
		}
		if strings.ContainsFunc(mail.Text+mail.HTML, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }) {
			t.Fatal("the direction of writing is turned")
		}
		quiet := f
		quiet.Name, quiet.Organiser, quiet.Title = "Mei", "Hall", text("T", "T")
		for _, field := range []*ticketing.Text{&quiet.Venue, &quiet.City, &quiet.Address} {
			if strings.TrimFunc((*field)["en"], func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) != "" {
				*field = text("V", "V")
			}
		}
		same, err := w.Render(ticketing.ChannelMail, language, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(elements(shape(mail.HTML)), elements(shape(same.HTML))) {
			t.Fatalf("another page: %q", mail.HTML)
		}
	})
}

// elements leaves out how many rows there are, for a place may have no name.
func elements(all []string) []string { slices.Sort(all); return slices.Compact(all) }

func TestNobodyIsGreetedByAnAddress(t *testing.T) {
	for name, want := range map[string]string{
		" ": "Hello,\n", "": "Hello,\n", "\u202e\u200b": "Hello,\n",
		"Mei Lin": "Hello Mei Lin,\n", "Jean-Luc J.R. O’Neill": "Hello Jean-Luc J.R. O’Neill,\n", "林美": "Hello 林美,\n",
		"Win at https://evil.example": "Hello,\n", "win.evil.com now": "Hello,\n", "www evil": "Hello,\n", "a@b": "Hello,\n",
		"Mei\r\nBcc: x": "Hello Mei Bcc: x,\n", strings.Repeat("m", 200): "Hello " + strings.Repeat("m", 57) + "...,\n",
	} {
		f := english(ticketing.MessagePaid)
		f.Name = name
		require.True(t, strings.HasPrefix(render(t, ticketing.ChannelMail, "en", f).Text, want), "%q", name)
	}
	f := facts(ticketing.MessagePaid)
	f.Name = ""
	require.True(t, strings.HasPrefix(render(t, ticketing.ChannelMail, "zh-CN", f).Text, "您好：\n"))
}

func TestAMailOfTicketsHasTheirCodes(t *testing.T) {
	for _, kind := range ticketing.MessageKinds {
		content := render(t, ticketing.ChannelMail, "en", english(kind))
		if kind != ticketing.MessagePaid && kind != ticketing.MessageRetaken && kind != ticketing.MessageReminder {
			require.Empty(t, content.Images)
			require.NotContains(t, content.Text+content.HTML, facts(kind).Tickets[0].Code, "tickets that may be void are not shown")
			continue
		}
		require.Len(t, content.Images, 2)
		for i, image := range content.Images {
			require.Contains(t, content.HTML, `src="cid:`+image.ID+`"`)
			require.Contains(t, content.HTML, `alt="`+image.Alt+`"`)
			require.Contains(t, content.Text, facts(kind).Tickets[i].Code)
			drawn, err := png.Decode(bytes.NewReader(image.PNG))
			require.NoError(t, err)
			require.Equal(t, 264, drawn.Bounds().Dx(), "as wide as it is shown, so that every module is whole pixels")
			bitmap, err := gozxing.NewBinaryBitmapFromImage(drawn)
			require.NoError(t, err)
			scanned, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
			require.NoError(t, err)
			require.Equal(t, facts(kind).Tickets[i].Code, scanned.GetText(), "as the web encodes it: the code, and nothing else")
			require.Equal(t, "M", scanned.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL])
			red, _, _, alpha := drawn.At(8, 8).RGBA()
			require.Equal(t, []uint32{0xffff, 0xffff}, []uint32{red, alpha}, "the quiet zone is white, on dark pages, too")
		}
		require.NotEqual(t, content.Images[0].PNG, content.Images[1].PNG)
	}
	none := english(ticketing.MessagePaid)
	none.Tickets = nil
	content := render(t, ticketing.ChannelMail, "en", none)
	require.Empty(t, content.Images)
	require.NotContains(t, content.Text, "0 tickets")
}

func TestAMailNamesTheSeat(t *testing.T) {
	for language, want := range map[string]string{"en": "Front, row 5, seat 12", "zh-CN": "前区 5排12座"} {
		content := render(t, ticketing.ChannelMail, language, facts(ticketing.MessagePaid))
		require.Contains(t, content.Text, want)
		require.Contains(t, content.HTML, want)
	}
}

func TestAMailNamesWhomATicketIsFor(t *testing.T) {
	for language, want := range map[string]string{"en": "for 张* E******78", "zh-CN": "持票人 张* E******78"} {
		f := facts(ticketing.MessagePaid)
		f.Tickets = f.Tickets[:1]
		f.Tickets[0].Attendee = &ticketing.MaskedAttendee{Name: "张*", DocumentType: ticketing.DocumentPassport, DocumentNumber: "E******78"}
		withSeat := render(t, ticketing.ChannelMail, language, f)
		require.Contains(t, withSeat.Text, " · "+want)
		require.Contains(t, withSeat.HTML, want)
		f.Tickets[0].Seat = nil
		require.Contains(t, render(t, ticketing.ChannelMail, language, f).Text, "\n"+want)
	}
}

// TestThePageIsForEveryMailProgram: what Outlook is told is still there, and whoever has it read out hears it in order.
func TestThePageIsForEveryMailProgram(t *testing.T) {
	for _, language := range wording.Languages {
		for _, tickets := range []int{0, 1, 2} {
			f := factsFor(language, ticketing.MessagePaid)
			f.Tickets = f.Tickets[:tickets]
			mail := render(t, ticketing.ChannelMail, language, f)
			page := mail.HTML
			require.Contains(t, page, `<html lang="`+language+`"`)
			require.Contains(t, page, `role="article" lang="`+language+`"`)
			require.Contains(t, page, `<meta name="color-scheme" content="light dark">`)
			require.Contains(t, page, "@media (prefers-color-scheme: dark)")
			require.Contains(t, page, `href="`+private+`"`)
			require.Contains(t, readable(t, page), private, "for whom buttons do not work")
			require.NotRegexp(t, `<table(?:[^>](?:[^r>]|r[^o>])*)?>`, regexp.MustCompile(`<table[^>]*role="presentation"[^>]*>`).ReplaceAllString(page, ""), "no table is read out as one")
			require.NotRegexp(t, `(?:src|href)="http://|<script|<link`, regexp.MustCompile(`(?s)<!--.*?-->`).ReplaceAllString(page, ""))
			require.Greater(t, strings.Count(page, "<!--[if mso | IE]>"), 10)
			balanced(t, page)
			var heard int
			for _, next := range append([]string{mail.Subject, language, private}, f.OrderID) {
				at := strings.Index(page[heard:], next)
				require.GreaterOrEqual(t, at, 0, next)
				heard += at
			}
		}
	}
}

// balanced checks the tables that only Outlook sees, together with all others.
func balanced(t *testing.T, page string) {
	t.Helper()
	seen := regexp.MustCompile(`<!--\[if mso \| IE\]>|<!\[endif\]-->`).ReplaceAllString(page, "")
	depth := 0
	for _, tag := range regexp.MustCompile(`</?(?:table|tr|td)\b`).FindAllString(regexp.MustCompile(`(?s)<!--.*?-->`).ReplaceAllString(seen, ""), -1) {
		if strings.HasPrefix(tag, "</") {
			depth--
		} else {
			depth++
		}
		require.GreaterOrEqual(t, depth, 0)
	}
	require.Zero(t, depth)
}
