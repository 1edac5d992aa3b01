package smtp_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/smtp"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var tickets = notify.Message{
	ID: "01TICKETS", Kind: ticketing.MessagePaid, Language: "zh-CN", To: "mei@example.com", Name: "林美",
	Content: notify.Content{
		Subject: "您的门票", Text: "两张票\n.\n出示二维码", HTML: `<p>两张票</p><img src="cid:qr-1" alt="二维码">`,
		Images: []notify.Image{{ID: "qr-1", PNG: []byte("\x89PNG picture"), Alt: "二维码"}},
	},
}

func sender(t testing.TB, addr string, change ...func(*smtp.Config)) *smtp.Sender {
	t.Helper()
	c := smtp.Config{Address: addr, TLS: smtp.None, From: "Boxoffice <tickets@boxoffice.example>", ReplyTo: "help@boxoffice.example", Timeout: 5 * time.Second}
	for _, f := range change {
		f(&c)
	}
	s, err := smtp.New(c)
	require.NoError(t, err)
	return s
}

func TestAMailArrivesWhole(t *testing.T) {
	server := serve(t, nil)
	receipt, err := sender(t, server.addr).Send(t.Context(), tickets)
	require.NoError(t, err)
	require.Equal(t, notify.Receipt{ID: "4XYZ12"}, receipt)
	require.Len(t, server.got(), 1)
	mail, err := netmail.ReadMessage(strings.NewReader(server.got()[0]))
	require.NoError(t, err)
	words := new(mime.WordDecoder)
	subject, err := words.DecodeHeader(mail.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "您的门票", subject)
	to, err := mail.Header.AddressList("To")
	require.NoError(t, err)
	require.Equal(t, []*netmail.Address{{Name: "林美", Address: "mei@example.com"}}, to)
	require.Equal(t, "<01TICKETS@boxoffice.example>", mail.Header.Get("Message-ID"))
	require.Equal(t, "auto-generated", mail.Header.Get("Auto-Submitted"))
	require.Equal(t, "zh-CN", mail.Header.Get("Content-Language"))
	require.Equal(t, "<help@boxoffice.example>", mail.Header.Get("Reply-To"))
	require.Empty(t, mail.Header.Get("List-Unsubscribe"))

	parts := map[string]string{}
	read(t, mail.Header.Get("Content-Type"), mail.Body, parts)
	require.Contains(t, parts["text/plain"], "两张票\r\n.\r\n出示二维码", "a lone dot does not end it")
	require.Contains(t, parts["text/html"], `<img src="cid:qr-1"`)
	require.Equal(t, "\x89PNG picture", parts["image/png <qr-1>"])
}

// read collects the parts of a mail by their type, pictures with their id.
func read(t *testing.T, contentType string, body io.Reader, parts map[string]string) {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(kind, "multipart/"), kind)
	reader := multipart.NewReader(body, parameters["boundary"])
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		if strings.HasPrefix(kind, "multipart/") {
			read(t, part.Header.Get("Content-Type"), part, parts)
			continue
		}
		content, err := io.ReadAll(decoded(part))
		require.NoError(t, err)
		parts[strings.TrimSpace(kind+" "+part.Header.Get("Content-Id"))] = string(content)
	}
}

// TestHazard30EveryStepBreaksInItsOwnWay: what a broken hand-over means depends on where it broke.
func TestHazard30EveryStepBreaksInItsOwnWay(t *testing.T) {
	for name, c := range map[string]struct {
		says map[string]string
		want error
		took int // mails the server has
	}{
		"busy at the door":             {map[string]string{"GREETING": "421 too many"}, notify.ErrTemporary, 0},
		"shut for good":                {map[string]string{"GREETING": "554 go away"}, notify.ErrTemporary, 0},
		"cut at the door":              {map[string]string{"GREETING": ""}, notify.ErrTemporary, 0},
		"hangs at the door":            {map[string]string{"GREETING": silence}, notify.ErrTemporary, 0},
		"sender not now":               {map[string]string{"MAIL": "451 later"}, notify.ErrTemporary, 0},
		"sender refused":               {map[string]string{"MAIL": "550 not you"}, notify.ErrRefused, 0},
		"recipient not now":            {map[string]string{"RCPT": "450 greylisted"}, notify.ErrTemporary, 0},
		"recipient unknown":            {map[string]string{"RCPT": "550 no such user"}, notify.ErrRefused, 0},
		"cut at the recipient":         {map[string]string{"RCPT": ""}, notify.ErrTemporary, 0},
		"data not now":                 {map[string]string{"DATA": "451 later"}, notify.ErrTemporary, 0},
		"cut before the data":          {map[string]string{"DATA": ""}, notify.ErrTemporary, 0},
		"cut in the data":              {map[string]string{"CONTENT": ""}, notify.ErrUnsure, 0}, // small mails are written with their dot
		"the mail is not taken now":    {map[string]string{"DOT": "451 disk full"}, notify.ErrTemporary, 1},
		"the mail is refused":          {map[string]string{"DOT": "554 spam"}, notify.ErrRefused, 1},
		"cut after the mail":           {map[string]string{"DOT": ""}, notify.ErrUnsure, 1},
		"hangs after the mail":         {map[string]string{"DOT": silence}, notify.ErrUnsure, 1},
		"cut after it said that it is": {map[string]string{"RSET": ""}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, c.says)
			_, err := sender(t, server.addr, func(c *smtp.Config) { c.Timeout = 500 * time.Millisecond }).Send(t.Context(), tickets)
			if c.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, c.want)
			}
			if name != "cut in the data" {
				require.Len(t, server.got(), c.took)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	_, err := sender(t, "127.0.0.1:1").Send(t.Context(), tickets)
	require.ErrorIs(t, err, notify.ErrTemporary)
}

func TestTheCallersPatienceCounts(t *testing.T) {
	server := serve(t, map[string]string{"RCPT": silence})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := sender(t, server.addr, func(c *smtp.Config) { c.Timeout = time.Minute }).Send(ctx, tickets)
	require.ErrorIs(t, err, notify.ErrTemporary)
	require.Less(t, time.Since(begun), 5*time.Second)
}

func TestTheConnectionIsProtected(t *testing.T) {
	own, trust := certificate(t)
	for name, implicit := range map[smtp.TLS]bool{smtp.STARTTLS: false, smtp.Implicit: true} {
		t.Run(string(name), func(t *testing.T) {
			server := serve(t, nil, func(s *server) { s.certificate, s.implicit = own, implicit })
			account := func(c *smtp.Config) { c.TLS, c.Certificates, c.User, c.Password = name, trust, "user", "password" }
			_, err := sender(t, server.addr, account).Send(t.Context(), tickets)
			require.NoError(t, err)
			require.Len(t, server.got(), 1)
			require.Contains(t, strings.Join(server.heard, "\n"), "AUTH PLAIN")
			_, err = sender(t, server.addr, account, func(c *smtp.Config) { c.Certificates = nil }).Send(t.Context(), tickets)
			require.ErrorIs(t, err, notify.ErrTemporary, "a certificate nobody knows")
			require.Len(t, server.got(), 1)
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		server := serve(t, map[string]string{"AUTH": "535 no"}, func(s *server) { s.certificate = own })
		_, err := sender(t, server.addr, func(c *smtp.Config) { c.TLS, c.Certificates, c.User, c.Password = smtp.STARTTLS, trust, "u", "p" }).Send(t.Context(), tickets)
		require.ErrorIs(t, err, notify.ErrTemporary, "a rotated password loses no mail")
	})
	t.Run("STARTTLS is not offered", func(t *testing.T) {
		server := serve(t, nil)
		_, err := sender(t, server.addr, func(c *smtp.Config) { c.TLS = smtp.STARTTLS }).Send(t.Context(), tickets)
		require.ErrorIs(t, err, notify.ErrTemporary)
		require.Empty(t, server.got())
	})
}

// TestNothingGetsIntoAHeader: whatever a buyer calls themselves and an organiser calls an event.
func TestNothingGetsIntoAHeader(t *testing.T) {
	server := serve(t, nil)
	s := sender(t, server.addr)
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z]{0,5}(\r\n|\n|\r|\x{2028}|\x{202e}|\x00)(Bcc: x@evil\.example|X-Evil: 1|\.)(\r\n\r\nbody)?`))
	rapid.Check(t, func(t *rapid.T) {
		m := tickets
		m.Images = nil
		m.Name, m.Subject = text.Draw(t, "name"), text.Draw(t, "subject")
		before := len(server.got())
		_, err := s.Send(context.Background(), m)
		if err != nil {
			if !errors.Is(err, notify.ErrRefused) {
				t.Fatal(err)
			}
			return
		}
		mails := server.got()
		if len(mails) != before+1 {
			t.Fatalf("%d mails", len(mails)-before)
		}
		mail, err := netmail.ReadMessage(strings.NewReader(mails[before]))
		if err != nil {
			t.Fatal(err)
		}
		for name := range mail.Header {
			if name == "Bcc" || name == "X-Evil" {
				t.Fatalf("%s got into the header:\n%s", name, mails[before])
			}
		}
		if to, err := mail.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != m.To {
			t.Fatalf("to %v %v", to, err)
		}
		if strings.Count(mails[before], "Subject:") != 1 || strings.ContainsRune(mail.Header.Get("Subject"), '\u202e') {
			t.Fatalf("subject:\n%s", mails[before])
		}
	})
}

func TestAMessageThatIsNoneIsRefused(t *testing.T) {
	s := sender(t, "127.0.0.1:1")
	for name, change := range map[string]func(*notify.Message){
		"no address":       func(m *notify.Message) { m.To = "mei" },
		"two addresses":    func(m *notify.Message) { m.To = "mei@example.com, eve@example.com" },
		"an address of it": func(m *notify.Message) { m.To = "mei@example.com>\r\nBcc: eve@example.com" },
		"no id":            func(m *notify.Message) { m.ID = "" },
		"an id of it":      func(m *notify.Message) { m.ID = "1\r\nBcc: eve@example.com" },
	} {
		m := tickets
		change(&m)
		_, err := s.Send(t.Context(), m)
		require.ErrorIs(t, err, notify.ErrRefused, name)
		require.NotContains(t, err.Error(), "eve@", "%s: the address is not repeated", name)
	}
}

func TestAnAccountThatCannotWorkIsRefused(t *testing.T) {
	_, err := smtp.New(smtp.Config{Name: "The Mail", Address: "mail.example.com", User: "u", TLS: "some", From: "Boxoffice", ReplyTo: "help", Timeout: -1})
	for _, want := range []string{"The Mail", "host:port", "user and password", "TLS is", "sender", "answers", "time-out"} {
		require.ErrorContains(t, err, want)
	}
	_, err = smtp.New(smtp.Config{Address: "mail.example.com:25", From: "a@example.com", TLS: smtp.None})
	require.ErrorContains(t, err, "this machine")
	s, err := smtp.New(smtp.Config{Address: "mail.example.com:587", From: "a@example.com"})
	require.NoError(t, err)
	require.Equal(t, "smtp", s.Name())
}
