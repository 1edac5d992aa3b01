package wording_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"
	"text/template/parse"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/ticketing"
)

var update = flag.Bool("update", false, "write the snapshots in testdata anew")

func text(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }

// facts are those of an order of two tickets; what a kind does not need is there, too.
func facts(kind ticketing.MessageKind) notify.Facts {
	yuan := func(fen int64) ticketing.Money { return ticketing.Money{Amount: fen, Currency: "CNY"} }
	f := notify.Facts{
		Kind: kind, Name: "Mei Lin", OrderID: "6FVX0W2B4R5T8Y1Q3A7C9E2G4H", OrderURL: "https://tickets.example/orders/6FVX0W2B4R5T8Y1Q3A7C9E2G4H",
		Organiser: "Ninth Hall Music", Title: text("Sea Symphonies", "大海交响曲"), Venue: text("Ninth Hall", "第九音乐厅"), City: text("Beijing", "北京"),
		Address: text("9 East Lake Street", "东湖街9号"), StartsAt: time.Date(2026, 12, 5, 11, 30, 0, 0, time.UTC), Zone: "Asia/Shanghai",
		Lines: []notify.Line{{Name: text("Stalls", "池座"), Quantity: 2, Amount: yuan(136000)}}, Total: yuan(136800), Amount: yuan(68000), Fee: yuan(3400),
		Reason: "late", PayBy: time.Date(2026, 11, 21, 4, 15, 0, 0, time.UTC),
		Tickets: []notify.Ticket{{Name: text("Stalls", "池座"), Code: "7JQK2M4N6P8R0S1T3V5W7X9Y1Z"}, {Name: text("Stalls", "池座"), Code: "8KRL3N5P7Q9S1T2V4W6X8Y0Z2A"}},
	}
	f.PrivateURL = f.OrderURL + "#token=pQ7x"
	return f
}

func words(t testing.TB) *wording.Wording {
	t.Helper()
	w, err := wording.New()
	require.NoError(t, err)
	return w
}

func each(t *testing.T, test func(t *testing.T, channel ticketing.Channel, language string, kind ticketing.MessageKind)) {
	t.Helper()
	for _, channel := range []ticketing.Channel{ticketing.ChannelMail, ticketing.ChannelSMS} {
		for _, language := range wording.Languages {
			for _, kind := range ticketing.MessageKinds {
				t.Run(fmt.Sprintf("%s/%s/%s", kind, channel, language), func(t *testing.T) { test(t, channel, language, kind) })
			}
		}
	}
}

// TestEveryMessageIsWritten: every kind, by every channel, in every language, with snapshots to read.
func TestEveryMessageIsWritten(t *testing.T) {
	w := words(t)
	each(t, func(t *testing.T, channel ticketing.Channel, language string, kind ticketing.MessageKind) {
		content, err := w.Render(channel, language, facts(kind))
		require.NoError(t, err)
		all := content.Subject + "\n" + content.Text
		require.NotContains(t, all+content.HTML, "<no value>")
		require.NotRegexp(t, `\{\{|\}\}|%!|<mj-|fonts\.googleapis`, all+content.HTML)
		require.NotContains(t, content.Subject, "\n")
		other := map[string]*unicode.RangeTable{"en": unicode.Han}[language]
		if other != nil {
			require.False(t, strings.ContainsFunc(all, func(r rune) bool { return unicode.Is(other, r) }), "no other language: %s", all)
		} else {
			require.NotRegexp(t, `\b(the|your|you|is|of|and)\b`, strings.ToLower(all))
		}
		snapshot := "Subject: " + content.Subject + "\n\n" + content.Text
		if channel == ticketing.ChannelSMS {
			require.Empty(t, content.Subject+content.HTML)
			require.LessOrEqual(t, wording.Segments(content.Text), 2, content.Text)
			snapshot = fmt.Sprintf("%d segments\n\n%s\n", wording.Segments(content.Text), content.Text)
		} else {
			require.Contains(t, content.Text, "6FVX0W2B4R5T8Y1Q3A7C9E2G4H#token=pQ7x")
			require.Contains(t, content.HTML, `lang="`+language+`"`)
			require.Contains(t, content.HTML, `href="https://tickets.example/orders/6FVX0W2B4R5T8Y1Q3A7C9E2G4H#token=pQ7x"`)
			_, err := html.Parse(strings.NewReader(content.HTML))
			require.NoError(t, err)
		}
		golden(t, fmt.Sprintf("%s.%s.%s.txt", kind, channel, language), snapshot)
	})
}

func golden(t *testing.T, name, have string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(have), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "read it, then keep it: go test ./notify/wording -update")
	require.Equal(t, string(want), have)
}

// TestBothLanguagesSayTheSame: of the same facts, text by text.
func TestBothLanguagesSayTheSame(t *testing.T) {
	// What a language may leave out, for its grammar says it otherwise.
	grammar := map[string]bool{"Tickets": true}
	used := map[string]map[string][]string{}
	for _, language := range wording.Languages {
		parsed, err := template.ParseFiles("words/" + language + ".tmpl")
		require.NoError(t, err)
		used[language] = map[string][]string{}
		for _, t := range parsed.Templates() {
			if t.Name() == language+".tmpl" {
				continue
			}
			fields := slices.DeleteFunc(fieldsOf(t.Root), func(field string) bool { return grammar[field] })
			slices.Sort(fields)
			used[language][t.Name()] = append([]string{}, slices.Compact(fields)...)
		}
	}
	require.Equal(t, used["en"], used["zh-CN"])
}

// fieldsOf are the facts that a text uses.
func fieldsOf(node parse.Node) []string {
	found := regexp.MustCompile(`\.([A-Z]\w+)`).FindAllStringSubmatch(node.String(), -1)
	var fields []string
	for _, f := range found {
		fields = append(fields, f[1])
	}
	return fields
}

func TestTimesAreThoseOfTheVenue(t *testing.T) {
	w := words(t)
	said := func(language, zone string) string {
		f := facts(ticketing.MessageReminder)
		f.Zone = zone
		content, err := w.Render(ticketing.ChannelMail, language, f)
		require.NoError(t, err)
		return content.Text
	}
	require.Contains(t, said("en", "Asia/Shanghai"), "Sat, 5 Dec 2026, 19:30 (Asia/Shanghai, UTC+8)")
	require.Contains(t, said("zh-CN", "Asia/Shanghai"), "2026年12月5日 周六 19:30（Asia/Shanghai，UTC+8）")
	require.Contains(t, said("en", "Asia/Kolkata"), "17:00 (Asia/Kolkata, UTC+5:30)")
	require.Contains(t, said("en", "America/New_York"), "06:30 (America/New_York, UTC-5)")
	require.Contains(t, said("en", "Europe/London"), "11:30 (Europe/London, UTC)")
	f := facts(ticketing.MessageReminder)
	f.Zone = "Mars/Olympus"
	_, err := w.Render(ticketing.ChannelMail, "en", f)
	require.ErrorContains(t, err, "zone")
}

func TestMoneyHasTheDigitsOfItsCurrency(t *testing.T) {
	w := words(t)
	for currency, want := range map[string][2]string{"CNY": {"CN¥680.00", "¥680.00"}, "JPY": {"¥68,000", "JP¥68,000"}, "KWD": {"KWD 68.000", "KWD 68.000"}, "EUR": {"€680.00", "€680.00"}} {
		for i, language := range wording.Languages {
			f := facts(ticketing.MessageRefunded)
			f.Amount = ticketing.Money{Amount: 68000, Currency: currency}
			content, err := w.Render(ticketing.ChannelMail, language, f)
			require.NoError(t, err)
			require.Contains(t, strings.ReplaceAll(content.Subject, "\u00a0", " "), want[i])
		}
	}
}

func TestEveryReasonIsTold(t *testing.T) {
	w := words(t)
	seen := map[string]bool{}
	for _, reason := range []ticketing.RejectReason{
		ticketing.RejectLate, ticketing.RejectDouble, ticketing.RejectAmount, ticketing.RejectStockLost, ticketing.RejectUnknownOrder,
	} {
		for _, language := range wording.Languages {
			f := facts(ticketing.MessagePaymentReturned)
			f.Reason = ticketing.RefundReason(reason)
			content, err := w.Render(ticketing.ChannelMail, language, f)
			require.NoError(t, err)
			require.False(t, seen[content.Text], "%s has words of its own", reason)
			seen[content.Text] = true
		}
	}
	f := facts(ticketing.MessageRefunded)
	f.Fee.Amount = 0
	content, err := w.Render(ticketing.ChannelMail, "en", f)
	require.NoError(t, err)
	require.NotContains(t, content.Text, "kept")
}

func TestAMailOfTicketsHasTheirCodes(t *testing.T) {
	content, err := words(t).Render(ticketing.ChannelMail, "en", facts(ticketing.MessagePaid))
	require.NoError(t, err)
	require.Len(t, content.Images, 2)
	for i, image := range content.Images {
		require.Contains(t, content.HTML, `src="cid:`+image.ID+`"`)
		require.Contains(t, content.HTML, `alt="`+image.Alt+`"`)
		require.True(t, strings.HasPrefix(string(image.PNG), "\x89PNG"))
		require.Contains(t, content.Text, facts("").Tickets[i].Code)
	}
	require.NotEqual(t, content.Images[0].PNG, content.Images[1].PNG)
	other, err := words(t).Render(ticketing.ChannelMail, "en", facts(ticketing.MessageRefunded))
	require.NoError(t, err)
	require.Empty(t, other.Images)
	require.NotContains(t, other.Text, facts("").Tickets[0].Code, "tickets that may be void are not shown")
}

func TestAMailNamesTheSeat(t *testing.T) {
	for language, want := range map[string]string{"en": "Stalls, Front, row 5, seat 12", "zh-CN": "池座，前区 5排12座"} {
		f := facts(ticketing.MessagePaid)
		f.Tickets[0].Seat = &ticketing.Seat{Section: text("Front", "前区"), Row: "5", Number: "12"}
		content, err := words(t).Render(ticketing.ChannelMail, language, f)
		require.NoError(t, err)
		require.Contains(t, content.Text, want)
		require.Contains(t, content.HTML, want)
	}
}

func TestSegments(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"", 1},
		{strings.Repeat("a", 160), 1},
		{strings.Repeat("a", 161), 2},
		{strings.Repeat("a", 306), 2},
		{strings.Repeat("a", 307), 3},
		{strings.Repeat("€", 80), 1},
		{strings.Repeat("€", 81), 2},
		{strings.Repeat("票", 70), 1},
		{strings.Repeat("票", 71), 2},
		{strings.Repeat("票", 134), 2},
		{strings.Repeat("票", 135), 3},
		{strings.Repeat("🎫", 35), 1},
		{strings.Repeat("🎫", 36), 2},
		{strings.Repeat("a", 70) + "’", 2},
	} {
		require.Equal(t, c.want, wording.Segments(c.text), c.text)
	}
}

// TestWhateverTheyAreCalled: names and titles in any script, as long as they like, with anything in them.
func TestWhateverTheyAreCalled(t *testing.T) {
	w := words(t)
	name := rapid.OneOf(rapid.String(), rapid.StringN(0, 400, -1), rapid.Just("<script>alert(1)</script>"), rapid.Just("{{.Order}}\r\nBcc: x@example.com"), rapid.Just("\u202egnp.tekcit"))
	rapid.Check(t, func(t *rapid.T) {
		f := facts(rapid.SampledFrom(ticketing.MessageKinds).Draw(t, "kind"))
		language := rapid.SampledFrom([]string{"en", "zh-CN", "fr"}).Draw(t, "language")
		f.Name, f.Organiser = name.Draw(t, "name"), name.Draw(t, "organiser")
		title := name.Draw(t, "title")
		f.Title, f.Venue = text(title, title), text(name.Draw(t, "venue"), name.Draw(t, "venue"))
		mail, err := w.Render(ticketing.ChannelMail, language, f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(mail.Subject, "\r\n\u202e") || len([]rune(mail.Subject)) > 250 {
			t.Fatalf("subject %q", mail.Subject)
		}
		if strings.Contains(mail.HTML, "<script>") {
			t.Fatal("a name is executed")
		}
		sms, err := w.Render(ticketing.ChannelSMS, language, f)
		if err != nil {
			t.Fatal(err)
		}
		if n := wording.Segments(sms.Text); n > 2 {
			t.Fatalf("%d segments: %q", n, sms.Text)
		}
		if strings.ContainsAny(sms.Text, "\r\n") || !strings.Contains(sms.Text, f.OrderURL) {
			t.Fatalf("sms %q", sms.Text)
		}
	})
}

func TestNobodyIsGreetedWithoutAName(t *testing.T) {
	f := facts(ticketing.MessagePaid)
	f.Name = " "
	content, err := words(t).Render(ticketing.ChannelMail, "en", f)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(content.Text, "Hello,\n"), content.Text)
}
