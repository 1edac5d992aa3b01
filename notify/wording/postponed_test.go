package wording_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/ticketing"
)

// TestAPostponedEventHasNoDateYet: whatever a buyer is told while an event is postponed, the date that was planned is never told
// as the one to come.
func TestAPostponedEventHasNoDateYet(t *testing.T) {
	for language, said := range map[string]struct{ when, was, sms, short string }{
		"en": {
			"When: New date to be announced\n", "Was planned for: Sat, 5 Dec 2026, 19:30 (Asia/Shanghai, UTC+8)\n",
			"New date to be announced", "5 Dec",
		},
		"zh-CN": {"时间：新日期待定\n", "原定时间：2026年12月5日 周六 19:30（北京时间 / Asia/Shanghai）\n", "新日期待定", "12月5日"},
	} {
		for _, kind := range ticketing.MessageKinds {
			if kind == ticketing.MessageReminder || kind == ticketing.MessageEventCancelled {
				continue // not told of what is postponed
			}
			f := factsFor(language, kind)
			f.DateUnknown = true
			mail := render(t, ticketing.ChannelMail, language, f)
			require.Contains(t, mail.Text, said.when, kind)
			require.Contains(t, mail.Text, said.was, kind)
			sms := render(t, ticketing.ChannelSMS, language, f).Text
			require.NotContains(t, sms, said.short, kind)
			if kind == ticketing.MessageEventPostponed {
				require.Contains(t, sms, said.sms)
			}
			require.LessOrEqual(t, wording.Segments(sms), 2)
			inOneLanguage(t, language, mail.Text)
			inOneLanguage(t, language, sms)
		}
	}
}

// TestATicketOfAPostponedEventHasNoDate: the pictures of tickets, too.
func TestATicketOfAPostponedEventHasNoDate(t *testing.T) {
	f := english(ticketing.MessagePaid)
	const date = "Sat, 5 Dec 2026, 19:30"
	require.Contains(t, readable(t, render(t, ticketing.ChannelMail, "en", f).HTML), date)
	f.DateUnknown = true
	page := render(t, ticketing.ChannelMail, "en", f).HTML
	require.Regexp(t, `(?s)Was planned for</span><br ?/?>\s*`+date, page)
	require.Len(t, regexp.MustCompile(date).FindAllString(page, -1), 1, "as what was planned, and nowhere else")
	require.Len(t, regexp.MustCompile("New date to be announced").FindAllString(page, -1), len(f.Tickets)+1)
}
