package wording_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/ticketing"
)

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
		{strings.Repeat("€", 152), 2},
		{strings.Repeat("€", 153), 3}, // 153 places hold 76 of them: none is torn apart
		{strings.Repeat("票", 70), 1},
		{strings.Repeat("票", 71), 2},
		{strings.Repeat("票", 134), 2},
		{strings.Repeat("票", 135), 3},
		{strings.Repeat("🎫", 35), 1},
		{strings.Repeat("🎫", 36), 2},
		{strings.Repeat("🎫", 66), 2},
		{strings.Repeat("🎫", 67), 3}, // 67 units hold 33 of them
		{strings.Repeat("a", 70) + "’", 2},
		{strings.Repeat("à", 160), 1},
		{strings.Repeat("á", 71), 2}, // not in the alphabet, unlike à
	} {
		require.Equal(t, c.want, wording.Segments(c.text), "%q", c.text)
	}
}

// TestAnSMSKeepsWhatIsNeededToKnowTheTitleAgain: a long one is cut where it is seen to end, and only as far as it has to be.
func TestAnSMSKeepsWhatIsNeededToKnowTheTitleAgain(t *testing.T) {
	for _, c := range []struct {
		language, title, want string
		segments              int
	}{
		{"en", "An Evening of Songs from the Northern Lakes and the Southern Rivers", "Paid: An Evening of Songs from the Northern Lakes and th..., 5 Dec", 1},
		{"en", "Don’t Look Back – Live", "Paid: Don't Look Back - Live, 5 Dec", 1},
		{"en", "Kärlek på Gröna Ön och annat som hör sommaren till, vid havet", "Paid: Kärlek på Gröna Ön och annat som hör sommaren till..., 5 Dec", 1},
		{"en", "大海交响曲", "Paid: 大海交响曲, 5 Dec", 2},
		{"zh-CN", "Don’t Look Back – Live", "“Don’t Look Back – Live”", 2},
		{"zh-CN", strings.Repeat("湖", 60), "“" + strings.Repeat("湖", 40) + "…”", 2}, // 134 in all, 93 of them for the rest
		{"en", strings.Repeat("👨‍👩‍👧", 40), "👨‍👩‍👧👨‍👩‍👧…", 2},
	} {
		f := factsFor(c.language, ticketing.MessagePaid)
		f.Title = text(c.title, c.title)
		sms := render(t, ticketing.ChannelSMS, c.language, f).Text
		require.Contains(t, sms, c.want)
		require.Equal(t, c.segments, wording.Segments(sms), sms)
	}
}

func TestMoneyInAnSMSKeepsItSmall(t *testing.T) {
	f := english(ticketing.MessageRefunded)
	f.Amount, f.Fee = ticketing.Money{Amount: 1234500, Currency: "INR"}, ticketing.Money{}
	sms := render(t, ticketing.ChannelSMS, "en", f).Text
	require.Contains(t, sms, "INR 12,345.00")
	require.Equal(t, 1, wording.Segments(sms), sms)
	require.Contains(t, render(t, ticketing.ChannelMail, "en", f).Subject, "₹12,345.00")
}

// names are those of people, events and places, in any script, as long as they like, with anything in them.
func names() *rapid.Generator[string] {
	scripts := rapid.SampledFrom([]rune("aZ é€{ß’—…ĳあ한국กำ่ำหนดהاعالعربيةশ্রীक्षि大海交响曲第九𝔘🎫👨‍👩‍👧🇨🇳́̈\u200d\u202e\r\n\t\u0000"))
	return rapid.OneOf(
		rapid.String(), rapid.StringN(0, 400, -1), rapid.StringOfN(scripts, 0, 200, -1),
		rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.SampledFrom([]string{"a\u0301\u0302\u0303\u0304\u0305\u0306", "👨‍👩‍👧‍👦‍", "क्ष", "€", "𝔘", "W"}).Draw(t, "of"), rapid.IntRange(1, 150).Draw(t, "times"))
		}),
		rapid.SampledFrom([]string{"<script>alert(1)</script>", "{{.Order}}\r\nBcc: x@example.com", "\u202egnp.tekcit", `"><img src=x onerror=alert(1)>`, "]]><!--", "--><!--[if mso]>"}),
	)
}

func draw(t *rapid.T) (language string, f notify.Facts) {
	f = facts(rapid.SampledFrom(ticketing.MessageKinds).Draw(t, "kind"))
	language = rapid.SampledFrom([]string{"en", "zh-CN", "fr", ""}).Draw(t, "language")
	name := names()
	title, venue := name.Draw(t, "title"), name.Draw(t, "venue")
	f.Name, f.Organiser, f.Title, f.Venue = name.Draw(t, "name"), name.Draw(t, "organiser"), text(title, title), text(venue, venue)
	f.City, f.Address = text(name.Draw(t, "city"), ""), text(name.Draw(t, "address"), "")
	f.Tickets[0].Name, f.Lines[0].Name = text(name.Draw(t, "ticket"), ""), text(name.Draw(t, "line"), "")
	f.Tickets = f.Tickets[:rapid.IntRange(0, 1).Draw(t, "tickets")]
	f.Amount = ticketing.Money{Amount: rapid.Int64Range(1, 1e12).Draw(t, "amount"), Currency: rapid.SampledFrom([]string{"CNY", "JPY", "KWD", "INR", "EUR"}).Draw(t, "currency")}
	f.DateUnknown = rapid.Bool().Draw(t, "date unknown")
	f.Reason = rapid.SampledFrom([]ticketing.RefundReason{"late", "double", "amount", "stock_lost", "unknown_order", "event", "requested", ""}).Draw(t, "reason")
	return language, f
}

func TestAnSMSTakesTwoSegmentsWhateverTheyAreCalled(t *testing.T) {
	w := words(t)
	rapid.Check(t, func(t *rapid.T) {
		language, f := draw(t)
		f.OrderURL = "https://" + strings.Repeat("x", rapid.IntRange(1, 200).Draw(t, "host")) + "/orders/" + orderID
		sms, err := w.Render(ticketing.ChannelSMS, language, f)
		if err != nil {
			t.Fatal(err)
		}
		if n := wording.Segments(sms.Text); n > 2 {
			t.Fatalf("%d segments: %q", n, sms.Text)
		}
		if strings.ContainsAny(sms.Text, "\r\n\x00\u202e") || !utf8.ValidString(sms.Text) {
			t.Fatalf("not on one line: %q", sms.Text)
		}
		if start := map[bool]string{true: "【Boxoffice】", false: "Boxoffice: "}[language == "zh-CN"]; !strings.HasPrefix(sms.Text, start) {
			t.Fatalf("no sender: %q", sms.Text)
		}
		roomy := language == "zh-CN" || f.Kind != ticketing.MessageRefunded // in English it says most, the fee and how long banks take
		if roomy && len(f.OrderURL) <= len(plain) && f.Amount.Amount < 1e8 && !strings.HasSuffix(sms.Text, f.OrderURL) {
			t.Fatalf("no link: %q", sms.Text)
		}
	})
}

// TestNoCharacterIsTornApart: a title is cut between what is seen as two characters.
func TestNoCharacterIsTornApart(t *testing.T) {
	w := words(t)
	rapid.Check(t, func(t *rapid.T) {
		cluster := rapid.SampledFrom([]string{"👩‍🚀", "🇨🇳", "é", "षि", "กำ", "각"}).Draw(t, "cluster")
		f := facts(ticketing.MessageTicketsRestored)
		title := strings.Repeat(cluster, rapid.IntRange(1, 100).Draw(t, "length"))
		f.Title = text(title, title)
		sms, err := w.Render(ticketing.ChannelSMS, "zh-CN", f)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(sms.Text, "“")
		shown, _, found := strings.Cut(rest, "”")
		shown = strings.TrimSuffix(strings.TrimSuffix(shown, "…"), "...")
		if !found || shown == "" || strings.ReplaceAll(shown, cluster, "") != "" {
			t.Fatalf("torn: %q", sms.Text)
		}
		if uniseg.GraphemeClusterCount(shown) > 100 {
			t.Fatalf("longer than it was: %q", sms.Text)
		}
	})
}
