package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/boxoffice/boxoffice/activities"
	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/inbox"
	"github.com/boxoffice/boxoffice/notify/smtp"
	"github.com/boxoffice/boxoffice/notify/twilio"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/ticketing"
)

// notifications is the step that tells buyers, by the carriers that are configured; what has none goes to the local inbox. While this
// process is busy they are told a little later.
func (c *connections) notifications(cfg config.Config, busy func() bool, metrics *activities.Metrics) (*activities.Notifications, error) {
	words, err := wording.New()
	if err != nil {
		return nil, err
	}
	mail, sms, err := c.carriers(cfg)
	if err != nil {
		return nil, err
	}
	return &activities.Notifications{
		Outbox: c.store, Words: words, Busy: busy, Metrics: metrics, Log: c.log,
		Routes: map[ticketing.Channel]activities.Route{
			ticketing.ChannelMail: {Sender: mail, Concurrency: cfg.MailConcurrency, PerSecond: cfg.MailPerSecond},
			ticketing.ChannelSMS:  {Sender: sms, Concurrency: cfg.SMSConcurrency, PerSecond: cfg.SMSPerSecond},
		},
		OrderURLs: func(orderID string) (plain, private string) {
			plain = cfg.PublicURL + "/orders/" + orderID
			return plain, plain + "#token=" + c.ring.OrderToken(orderID)
		},
		HoldWarning: cfg.HoldWarning, ReminderLead: cfg.ReminderLead, SMSPerDay: cfg.SMSPerDay,
	}, nil
}

func (c *connections) carriers(cfg config.Config) (mail, sms notify.Sender, err error) {
	var folder *inbox.Folder
	if !cfg.SendsMail() || !cfg.SendsSMS() {
		if folder, err = inbox.Open(cfg.InboxFolder); err != nil {
			return nil, nil, err
		}
	}
	if cfg.SendsMail() {
		mail, err = smtp.New(smtp.Config{
			Address: cfg.SMTPAddress, User: cfg.SMTPUser, Password: cfg.SMTPPassword.Reveal(), TLS: smtp.TLS(cfg.SMTPTLS),
			From: cfg.MailFrom, ReplyTo: cfg.MailReplyTo,
		})
		if err != nil {
			return nil, nil, err
		}
	} else {
		c.log.Warn("no mail server is configured: the local inbox keeps what buyers would be told", "folder", cfg.InboxFolder)
		mail = folder.Sender(ticketing.ChannelMail)
	}
	if cfg.SendsSMS() {
		sms, err = openTwilio(cfg)
		return mail, sms, err
	}
	c.log.Warn("no account for SMS is configured: the local inbox keeps them", "folder", cfg.InboxFolder)
	return mail, folder.Sender(ticketing.ChannelSMS), nil
}

// openTwilio opens the account for SMS.
func openTwilio(cfg config.Config) (*twilio.Sender, error) {
	tokens := make([]string, len(cfg.TwilioAuthTokens))
	for i, token := range cfg.TwilioAuthTokens {
		tokens[i] = token.Reveal()
	}
	return twilio.New(twilio.Config{
		AccountSID: cfg.TwilioAccountSID, AuthTokens: tokens, APIKey: cfg.TwilioAPIKey, APISecret: cfg.TwilioAPISecret.Reveal(),
		Sender: cfg.TwilioSender, Senders: cfg.TwilioSenders, Countries: cfg.SMSCountries,
		StatusURL: cfg.PublicURL + api.ReceiptPath + twilio.Name, URL: cfg.TwilioURL,
	})
}

// reporting are the carriers that say later what became of a message.
func reporting(cfg config.Config) ([]api.Carrier, error) {
	if !cfg.SendsSMS() {
		return nil, nil
	}
	sms, err := openTwilio(cfg)
	return []api.Carrier{sms}, err
}

// runInbox serves the pages of the local inbox.
func runInbox(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	folder, err := inbox.Open(cfg.InboxFolder)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.InboxAddress)
	if err != nil {
		return fmt.Errorf("BOXOFFICE_INBOX_ADDRESS: %w", err)
	}
	server := &http.Server{Handler: folder.Handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	log.Info("the local inbox listens", "address", listener.Addr().String(), "folder", cfg.InboxFolder)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
