package wording_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// TestATicketOfABundleSaysWhatItAdmitsTo: whatever session the mail is about, every ticket has its own title, time and place.
func TestATicketOfABundleSaysWhatItAdmitsTo(t *testing.T) {
	for language, said := range map[string][]string{
		"en":    {"Lantern Tales", "Tue, 8 Dec 2026, 20:00 (Asia/Tokyo, UTC+9)", "Harbour Stage, Tokyo"},
		"zh-CN": {"灯笼的故事", "2026年12月8日 周二 20:00（Asia/Tokyo，UTC+9）", "东京港湾剧场"},
	} {
		f := factsFor(language, ticketing.MessagePaid)
		f.Tickets[1].Session = &notify.Session{
			Title: text(said[0], said[0]), Venue: text("Harbour Stage", "港湾剧场"), City: text("Tokyo", "东京"),
			StartsAt: time.Date(2026, 12, 8, 11, 0, 0, 0, time.UTC), Zone: "Asia/Tokyo",
		}
		mail := render(t, ticketing.ChannelMail, language, f)
		require.Contains(t, mail.Text, strings.Join(said, "\n")+"\n"+f.Tickets[1].Code)
		page := readable(t, mail.HTML)
		for _, what := range said {
			require.Equal(t, 1, strings.Count(page, what), "%s in %s", what, page)
		}
		inOneLanguage(t, language, mail.Text)

		f.Tickets[1].Session.DateUnknown = true
		mail = render(t, ticketing.ChannelMail, language, f)
		require.NotContains(t, mail.Text, said[1])
		require.Contains(t, mail.Text, map[string]string{"en": "New date to be announced", "zh-CN": "新日期待定"}[language])
	}
}

func TestATicketOfABundleInNoZoneIsAnError(t *testing.T) {
	f := facts(ticketing.MessagePaid)
	f.Tickets[1].Session = &notify.Session{StartsAt: time.Now(), Zone: "Nowhere/Nowhere"}
	_, err := words(t).Render(ticketing.ChannelMail, "en", f)
	require.ErrorContains(t, err, "zone")
}
