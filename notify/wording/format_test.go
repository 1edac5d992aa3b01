package wording_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/ticketing"
)

func TestTimesAreThoseOfTheVenue(t *testing.T) {
	w := words(t)
	for _, c := range []struct{ language, zone, want string }{
		{"en", "Asia/Shanghai", "Sat, 5 Dec 2026, 19:30 (Asia/Shanghai, UTC+8)"},
		{"zh-CN", "Asia/Shanghai", "2026年12月5日 周六 19:30（北京时间 / Asia/Shanghai）"},
		{"zh-CN", "Asia/Hong_Kong", "2026年12月5日 周六 19:30（香港时间 / Asia/Hong_Kong）"},
		{"zh-CN", "Asia/Tokyo", "2026年12月5日 周六 20:30（Asia/Tokyo，UTC+9）"},
		{"en", "Asia/Kolkata", "17:00 (Asia/Kolkata, UTC+5:30)"},
		{"en", "America/New_York", "06:30 (America/New_York, UTC-5)"},
		{"en", "America/St_Johns", "08:00 (America/St_Johns, UTC-3:30)"},
		{"en", "Europe/London", "11:30 (Europe/London, UTC)"},
		{"en", "Pacific/Kiritimati", "Sun, 6 Dec 2026, 01:30 (Pacific/Kiritimati, UTC+14)"},
		{"en", "", "Sat, 5 Dec 2026, 11:30 (UTC)"},
		{"zh-CN", "", "2026年12月5日 周六 11:30（UTC）"},
	} {
		f := facts(ticketing.MessageReminder)
		f.Zone = c.zone
		content, err := w.Render(ticketing.ChannelMail, c.language, f)
		require.NoError(t, err)
		require.Contains(t, content.Text, c.want)
	}
	summer := english(ticketing.MessageReminder)
	summer.Zone, summer.StartsAt = "Europe/London", time.Date(2027, 6, 1, 18, 0, 0, 0, time.UTC)
	require.Contains(t, render(t, ticketing.ChannelMail, "en", summer).Text, "19:00 (Europe/London, UTC+1)")
	for _, zone := range []string{"Mars/Olympus", "Local", "../../etc/passwd"} {
		f := facts(ticketing.MessageReminder)
		f.Zone = zone
		_, err := w.Render(ticketing.ChannelMail, "en", f)
		require.ErrorContains(t, err, "zone")
	}
}

// TestAHoldIsToldByItsEnd: how long that is away is not known when it is read.
func TestAHoldIsToldByItsEnd(t *testing.T) {
	for language, want := range map[string][2]string{
		"en":    {"held for you until Sat, 21 Nov 2026, 12:15 (Asia/Shanghai, UTC+8)", "Held until 12:15 (UTC+8)"},
		"zh-CN": {"留票至 2026年11月21日 周六 12:15（北京时间 / Asia/Shanghai）", "留票至12:15（北京时间）"},
	} {
		f := facts(ticketing.MessageHoldExpiring)
		require.Contains(t, render(t, ticketing.ChannelMail, language, f).Text, want[0])
		require.Contains(t, render(t, ticketing.ChannelSMS, language, f).Text, want[1])
	}
	f := facts(ticketing.MessageHoldExpiring)
	f.Zone = "Asia/Tokyo"
	require.Contains(t, render(t, ticketing.ChannelSMS, "zh-CN", f).Text, "留票至13:15（UTC+9）")
}

func TestMoneyHasTheDigitsOfItsCurrency(t *testing.T) {
	for currency, want := range map[string][2]string{
		"CNY": {"CN¥12,345.67", "¥12,345.67"}, "JPY": {"¥1,234,567", "JP¥1,234,567"}, "KWD": {"KWD 1,234.567", "KWD 1,234.567"},
		"EUR": {"€12,345.67", "€12,345.67"}, "USD": {"$12,345.67", "US$12,345.67"},
	} {
		for i, language := range []string{"en", "zh-CN"} {
			f := facts(ticketing.MessageRefunded)
			f.Amount = ticketing.Money{Amount: 1234567, Currency: currency}
			require.Contains(t, strings.ReplaceAll(render(t, ticketing.ChannelMail, language, f).Subject, "\u00a0", " "), want[i])
		}
	}
}

func TestAFeeIsToldIfOneIsKept(t *testing.T) {
	for _, kind := range []ticketing.MessageKind{ticketing.MessageRefunded, ticketing.MessageRefundRequested} {
		for language, said := range map[string]string{"en": "cancellation fee", "zh-CN": "手续费"} {
			f := factsFor(language, kind)
			require.Contains(t, strings.ToLower(render(t, ticketing.ChannelMail, language, f).Text), said)
			f.Fee.Amount = 0
			require.NotContains(t, strings.ToLower(render(t, ticketing.ChannelMail, language, f).Text), said)
		}
	}
}

func TestWhoeverReadsAnotherLanguageReadsEnglish(t *testing.T) {
	f := english(ticketing.MessagePaid)
	require.Equal(t, render(t, ticketing.ChannelMail, "en", f), render(t, ticketing.ChannelMail, "fr-CH", f))
}
