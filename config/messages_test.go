package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/config"
)

func TestWithoutCarriersTheLocalInboxKeepsMessages(t *testing.T) {
	c, err := config.From(full(), everything...)
	require.NoError(t, err)
	require.False(t, c.SendsMail())
	require.False(t, c.SendsSMS())
	require.Equal(t, ".boxoffice/inbox", c.InboxFolder)
	require.Equal(t, 5*time.Minute, c.HoldWarning)
	require.Equal(t, 24*time.Hour, c.ReminderLead)
}

func TestCarriersAreRead(t *testing.T) {
	c, err := config.From(with(map[string]string{
		"BOXOFFICE_SMTP_ADDRESS": "mail.example.com:587", "BOXOFFICE_SMTP_USER": "u", "BOXOFFICE_SMTP_PASSWORD": "hunter2",
		"BOXOFFICE_MAIL_FROM": "Quay Hall <tickets@example.com>", "BOXOFFICE_TWILIO_ACCOUNT_SID": "AC1", "BOXOFFICE_TWILIO_AUTH_TOKEN": "new,old",
		"BOXOFFICE_TWILIO_SENDER": "MG1", "BOXOFFICE_TWILIO_SENDERS": "US:+15005550006, GB:Quay", "BOXOFFICE_SMS_COUNTRIES": "CN,US,GB",
		"BOXOFFICE_REMINDER_LEAD": "0",
	}), everything...)
	require.NoError(t, err)
	require.True(t, c.SendsMail())
	require.True(t, c.SendsSMS())
	require.Len(t, c.TwilioAuthTokens, 2)
	require.Equal(t, config.Countries{"US": "+15005550006", "GB": "Quay"}, c.TwilioSenders)
	require.Zero(t, c.ReminderLead)
}

func TestHalfACarrierIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		want []string
	}{
		"mail without a sender":      {map[string]string{"SMTP_ADDRESS": "mail.example.com:587"}, []string{"MAIL_FROM"}},
		"a user without a password":  {map[string]string{"SMTP_ADDRESS": "mail.example.com:587", "MAIL_FROM": "a@example.com", "SMTP_USER": "u"}, []string{"SMTP_USER"}},
		"no encryption to elsewhere": {map[string]string{"SMTP_ADDRESS": "mail.example.com:25", "MAIL_FROM": "a@example.com", "SMTP_TLS": "none"}, []string{"SMTP_TLS"}},
		"an address that is none":    {map[string]string{"MAIL_FROM": "Boxoffice", "SMTP_ADDRESS": "nowhere"}, []string{"MAIL_FROM", "SMTP_ADDRESS"}},
		"only an account":            {map[string]string{"TWILIO_ACCOUNT_SID": "AC1"}, []string{"TWILIO_AUTH_TOKEN", "TWILIO_SENDER", "SMS_COUNTRIES"}},
		"all but an account": {
			map[string]string{"TWILIO_AUTH_TOKEN": "x", "TWILIO_SENDER": "MG1", "TWILIO_API_KEY": "SK1"},
			[]string{"TWILIO_AUTH_TOKEN", "TWILIO_SENDER", "TWILIO_API_KEY"},
		},
		"countries that are none":   {map[string]string{"SMS_COUNTRIES": "China", "TWILIO_SENDERS": "China:x"}, []string{"SMS_COUNTRIES", "TWILIO_SENDERS"}},
		"numbers out of bounds":     {map[string]string{"MAIL_CONCURRENCY": "0", "SMS_PER_SECOND": "0", "SMS_PER_DAY": "-1"}, []string{"MAIL_CONCURRENCY", "SMS_PER_SECOND", "SMS_PER_DAY"}},
		"an inbox nowhere":          {map[string]string{"INBOX_ADDRESS": "8025"}, []string{"INBOX_ADDRESS"}},
		"a reminder of last year's": {map[string]string{"REMINDER_LEAD": "-1h", "HOLD_WARNING": "9000h"}, []string{"REMINDER_LEAD", "HOLD_WARNING"}},
	} {
		t.Run(name, func(t *testing.T) {
			set := map[string]string{}
			for key, value := range c.set {
				set["BOXOFFICE_"+key] = value
			}
			_, err := config.From(with(set), everything...)
			require.Error(t, err)
			require.Len(t, strings.Split(err.Error(), "\n"), len(c.want), err)
			for _, variable := range c.want {
				require.ErrorContains(t, err, "BOXOFFICE_"+variable+":")
			}
		})
	}
}
