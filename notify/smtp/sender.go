package smtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"

	"github.com/boxoffice/boxoffice/notify"
)

// Name implements notify.Sender.
func (s *Sender) Name() string { return s.config.Name }

// Send implements notify.Sender. Every mail has a connection of its own.
func (s *Sender) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	message, err := s.compose(m)
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("%w: %w", notify.ErrRefused, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	var dialled net.Conn
	defer func() {
		if dialled != nil {
			_ = dialled.Close() // go-mail forgets the connections of dialogues that do not begin well
		}
	}()
	client, err := mail.NewClient(s.host, s.options(func(ctx context.Context, network, address string) (_ net.Conn, err error) {
		dialled, err = s.dial(ctx, network, address)
		return dialled, err
	})...)
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("%w: %w", notify.ErrTemporary, err)
	}
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		// Also what the server refuses for good here is about our account, not about this mail.
		return notify.Receipt{}, fmt.Errorf("%w: %w", notify.ErrTemporary, err)
	}
	// go-mail knows time-outs of single steps only.
	defer context.AfterFunc(ctx, func() { _ = dialled.SetDeadline(time.Unix(1, 0)) })()
	err = client.SendWithSMTPClient(connection, message)
	if message.IsDelivered() {
		_ = connection.Quit() // it has the mail, whatever it says now
		return notify.Receipt{ID: queueID(message.ServerResponse())}, nil
	}
	return notify.Receipt{}, judge(err)
}

// judge says what a hand-over that broke means.
func judge(err error) error {
	var failure *mail.SendError
	if !errors.As(err, &failure) {
		return fmt.Errorf("%w: %w", notify.ErrTemporary, err) // no mail was begun
	}
	switch code := failure.ErrorCode(); {
	case failure.Reason == mail.ErrSMTPDataClose && code == 0:
		return fmt.Errorf("%w: %w", notify.ErrUnsure, err)
	case code >= 500:
		return fmt.Errorf("%w: %w", notify.ErrRefused, err)
	case failure.Reason == mail.ErrGetSender || failure.Reason == mail.ErrGetRcpts || failure.Reason == mail.ErrNoUnencoded:
		return fmt.Errorf("%w: %w", notify.ErrRefused, err)
	default:
		return fmt.Errorf("%w: %w", notify.ErrTemporary, err)
	}
}

func (s *Sender) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if s.config.TLS == Implicit {
		return (&tls.Dialer{Config: s.tls()}).DialContext(ctx, network, address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// maxText bounds names and subjects, in characters.
const maxText = 300

// compose makes a mail of a message.
func (s *Sender) compose(m notify.Message) (*mail.Msg, error) {
	message := mail.NewMsg(mail.WithCharset(mail.CharsetUTF8), mail.WithEncoding(mail.EncodingQP))
	if err := message.FromFormat(s.from.Name, s.from.Address); err != nil {
		return nil, err
	}
	if s.replyTo != nil {
		if err := message.ReplyToFormat(s.replyTo.Name, s.replyTo.Address); err != nil {
			return nil, err
		}
	}
	if err := message.AddToFormat(oneLine(m.Name), m.To); err != nil {
		return nil, errors.New("the recipient's address cannot be written to") // without the address
	}
	if !validID.MatchString(m.ID) {
		return nil, errors.New("the message has no id")
	}
	message.Subject(oneLine(m.Subject))
	message.SetMessageIDWithValue(m.ID + "@" + s.config.Domain)
	message.SetDateWithValue(time.Now())
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetGenHeader("X-Auto-Response-Suppress", "All")
	if language.MatchString(m.Language) {
		message.SetGenHeader("Content-Language", m.Language)
	}
	message.SetUserAgent("Boxoffice")
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		message.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	}
	for _, image := range m.Images {
		if err := message.EmbedReader(image.ID+".png", bytes.NewReader(image.PNG),
			mail.WithFileContentID("<"+image.ID+">"), mail.WithFileContentType("image/png"), mail.WithFileDescription(oneLine(image.Alt))); err != nil {
			return nil, err
		}
	}
	return message, nil
}

var (
	validID  = regexp.MustCompile(`^[0-9A-Za-z]{1,64}$`)
	language = regexp.MustCompile(`^[A-Za-z0-9-]{2,20}$`)
	queued   = regexp.MustCompile(`(?i)queued as ([0-9A-Za-z._-]{1,128})|\bid[=: ]+<?([0-9A-Za-z._@-]{1,128})`)
)

// oneLine is a text that is safe in a header: nothing that ends a line or turns its direction, and not without end.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText-1]) + "…"
	}
	return strings.TrimSpace(text)
}

// queueID is the number the server gave the mail, if it says one.
func queueID(response string) string {
	found := queued.FindStringSubmatch(response)
	if found == nil {
		return ""
	}
	return found[1] + found[2]
}
