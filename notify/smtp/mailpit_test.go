package smtp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/smtp"
	"github.com/boxoffice/boxoffice/notify/wording"
	"github.com/boxoffice/boxoffice/store/localpostgres/freeport"
	"github.com/boxoffice/boxoffice/ticketing"
)

// mailpit is a real mail server with faults to order, and an API that shows what it has.
type mailpit struct {
	t         *testing.T
	smtp, api string
	client    *http.Client
}

func openMailpit(t *testing.T) *mailpit {
	t.Helper()
	program := os.Getenv("BOXOFFICE_MAILPIT")
	if program == "" {
		t.Skip("BOXOFFICE_MAILPIT names no Mailpit: `make test` builds one")
	}
	addresses, err := freeport.Addresses(2)
	require.NoError(t, err)
	m := &mailpit{t: t, smtp: addresses[0], api: addresses[1], client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
	server := exec.Command(program, "--smtp", m.smtp, "--listen", m.api, "--database", filepath.Join(t.TempDir(), "mail.db"), "--enable-chaos", "--disable-version-check", "--quiet")
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	require.Eventually(t, func() bool {
		response, err := m.client.Get("http://" + m.api + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond)
	return m
}

func (m *mailpit) call(method, path string, body, into any) {
	m.t.Helper()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		require.NoError(m.t, err)
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(m.t.Context(), method, "http://"+m.api+path, content)
	require.NoError(m.t, err)
	response, err := m.client.Do(request)
	require.NoError(m.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(m.t, err)
	require.Equal(m.t, http.StatusOK, response.StatusCode, "%s", answer)
	if into != nil {
		require.NoError(m.t, json.Unmarshal(answer, into), string(answer))
	}
}

// chaos lets a step be refused with a code; 0 lets it pass.
func (m *mailpit) chaos(step string, code int) {
	m.t.Helper()
	triggers := map[string]any{}
	for _, name := range []string{"Sender", "Recipient", "Authentication"} {
		triggers[name] = map[string]int{"ErrorCode": 451, "Probability": 0}
	}
	if code != 0 {
		triggers[step] = map[string]int{"ErrorCode": code, "Probability": 100}
	}
	m.call(http.MethodPut, "/api/v1/chaos", triggers, nil)
}

type listed struct {
	Messages []struct {
		ID        string
		MessageID string
		Subject   string
	} `json:"messages"`
}

func TestHazard30AMailServerWithFaults(t *testing.T) {
	m := openMailpit(t)
	s := sender(t, m.smtp)
	send := func(id string) error {
		message := tickets
		message.ID = id
		_, err := s.Send(t.Context(), message)
		return err
	}
	for i, c := range []struct {
		step string
		code int
		want error
	}{{"Sender", 451, notify.ErrTemporary}, {"Sender", 550, notify.ErrRefused}, {"Recipient", 451, notify.ErrTemporary}, {"Recipient", 550, notify.ErrRefused}} {
		m.chaos(c.step, c.code)
		require.ErrorIs(t, send(fmt.Sprintf("FAULT%d", i)), c.want, "%s %d", c.step, c.code)
	}
	m.chaos("", 0)
	require.NoError(t, send("AFTER"))
	var all listed
	m.call(http.MethodGet, "/api/v1/messages", nil, &all)
	require.Len(t, all.Messages, 1)
	require.Equal(t, "AFTER@boxoffice.example", all.Messages[0].MessageID)
}

// TestMailsAsAMailProgramSeesThem: what is written by the words arrives whole, with its pictures, and mail programs can show it.
func TestMailsAsAMailProgramSeesThem(t *testing.T) {
	m := openMailpit(t)
	s := sender(t, m.smtp)
	words, err := wording.New()
	require.NoError(t, err)
	text := func(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }
	for _, language := range wording.Languages {
		content, err := words.Render(ticketing.ChannelMail, language, notify.Facts{
			Kind: ticketing.MessagePaid, Name: "林美", OrderID: "6FVX0W2B4R5T8Y1Q3A7C9E2G4H", Title: text("Sea Symphonies", "大海交响曲"),
			OrderURL: "https://tickets.example/orders/1", PrivateURL: "https://tickets.example/orders/1#token=x", StartsAt: time.Now(), Zone: "Asia/Shanghai",
			Total: ticketing.Money{Amount: 68000, Currency: "CNY"}, Tickets: []notify.Ticket{{Name: text("Stalls", "池座"), Code: "7JQK2M4N6P8R0S1T3V5W7X9Y1Z"}},
		})
		require.NoError(t, err)
		_, err = s.Send(t.Context(), notify.Message{ID: "MAIL" + language[:2], Language: language, To: "mei@example.com", Name: "林美", Content: content})
		require.NoError(t, err)
		var all listed
		m.call(http.MethodGet, "/api/v1/messages?limit=1", nil, &all)
		require.Equal(t, content.Subject, all.Messages[0].Subject)
		var mail struct {
			Text, HTML string
			Inline     []struct{ ContentID, ContentType string }
		}
		m.call(http.MethodGet, "/api/v1/message/"+all.Messages[0].ID, nil, &mail)
		require.Contains(t, mail.Text, "7JQK2M4N6P8R0S1T3V5W7X9Y1Z")
		require.Contains(t, mail.HTML, "cid:ticket-1")
		require.Len(t, mail.Inline, 1)
		require.Equal(t, "ticket-1", mail.Inline[0].ContentID)
		require.Equal(t, "image/png", mail.Inline[0].ContentType)
		var check struct {
			Total struct{ Supported float64 }
		}
		m.call(http.MethodGet, "/api/v1/message/"+all.Messages[0].ID+"/html-check", nil, &check)
		t.Logf("%s: %.0f %% of what it uses is supported by mail programs", language, check.Total.Supported)
		require.Greater(t, check.Total.Supported, 80.0)
	}
}

func TestMailpitTakesAPassword(t *testing.T) {
	m := openMailpit(t)
	m.chaos("Authentication", 535)
	_, err := sender(t, m.smtp, func(c *smtp.Config) { c.User, c.Password = "user", "password" }).Send(t.Context(), tickets)
	require.ErrorIs(t, err, notify.ErrTemporary, "a rotated password loses no mail")
}
