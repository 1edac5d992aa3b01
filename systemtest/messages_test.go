package systemtest

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify/inbox"
	"github.com/boxoffice/boxoffice/notify/twilio/twiliotest"
	"github.com/boxoffice/boxoffice/store/localpostgres/freeport"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

const mobile = "+8613800138000"

// told are the messages in the local inbox, as "kind by channel", the oldest first.
func told(t *testing.T, s *stack.Stack) (words []string, kept []inbox.Kept) {
	t.Helper()
	folder, err := inbox.Open(s.Inbox)
	require.NoError(t, err)
	newest, err := folder.Messages(100)
	require.NoError(t, err)
	for _, m := range slices.Backward(newest) {
		kept = append(kept, m)
		words = append(words, string(m.Kind)+" by "+string(m.Channel))
	}
	return words, kept
}

// messages are what the order's page shows, as "kind by channel STATE".
func messages(t *testing.T, s *stack.Stack, o stack.Order) []string {
	t.Helper()
	a, err := s.Request(t.Context(), http.MethodGet, "/api/v1/orders/"+o.ID+"/messages", o.Token, "", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Body)
	var view struct {
		Messages []struct{ Kind, Channel, To, State string }
	}
	require.NoError(t, json.Unmarshal(a.Body, &view))
	words := []string{}
	for _, m := range view.Messages {
		require.NotContains(t, m.To, "38001380", "masked")
		words = append(words, m.Kind+" by "+m.Channel+" "+m.State)
	}
	return words
}

func awaitMessages(t *testing.T, s *stack.Stack, o stack.Order, within time.Duration, want ...string) {
	t.Helper()
	var have []string
	defer func() {
		if t.Failed() {
			t.Logf("messages %v", have)
		}
	}()
	stack.Eventually(t, within, strings.Join(want, ", "), func() bool {
		have = messages(t, s, o)
		return strings.Join(have, ", ") == strings.Join(want, ", ")
	})
}

func bought1(t *testing.T, s *stack.Stack, w stack.Want) stack.Order {
	t.Helper()
	order := s.Buy(w)
	s.Pay(s.Attempt(order))
	return s.Await(order, ticketing.OrderPaid, soon)
}

func TestABuyerIsToldOfEveryTurn(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), stack.Options{})
	order := bought1(t, s, stack.Want{Name: "林美", Phone: mobile, Language: "zh-CN", Quantity: 2})
	awaitMessages(t, s, order, soon, "paid by mail SENT", "paid by sms SENT")
	_, kept := told(t, s)
	require.Len(t, kept, 2)
	for _, m := range kept {
		if m.Channel == ticketing.ChannelSMS {
			require.Equal(t, mobile, m.To)
			require.Contains(t, m.Text, "【Boxoffice】已付款")
			continue
		}
		require.Equal(t, "林美", m.Name)
		require.Len(t, m.Images, 2, "a code for each ticket")
		for _, ticket := range order.Tickets {
			require.Contains(t, m.Text, ticket.Code)
		}
		link := regexp.MustCompile(regexp.QuoteMeta(s.URL) + `/orders/(\w+)#token=(\S+)`).FindStringSubmatch(m.Text)
		require.Len(t, link, 3, m.Text)
		a, err := s.Request(t.Context(), http.MethodGet, "/api/v1/orders/"+link[1], link[2], "", nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, a.Status, "the link in the mail opens the order")
	}
	s.GiveBack(order)
	s.Await(order, ticketing.OrderRefunded, soon)
	awaitMessages(t, s, order, soon, "paid by mail SENT", "paid by sms SENT", "refund_requested by mail SENT", "refunded by mail SENT", "refunded by sms SENT")
	require.Len(t, s.History(workflows.PurchaseID(order.ID)), 14, "telling costs the purchase nothing")
}

func TestWhoeverHoldsTicketsIsToldAndWhoeverMayLoseThemWarned(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), stack.Options{
		Env: []string{"BOXOFFICE_HOLD_WARNING=10s", "BOXOFFICE_REMINDER_LEAD=1h"}, Events: []ticketing.Event{stack.Show("show", 9*time.Second, 10)},
	})
	unpaid := s.Buy(stack.Want{Phone: mobile})
	holder := bought1(t, s, stack.Want{Email: "holder@example.com"})
	awaitMessages(t, s, unpaid, soon, "hold_expiring by sms SENT")
	s.Await(unpaid, ticketing.OrderExpired, soon)
	awaitMessages(t, s, unpaid, soon, "hold_expiring by sms SENT", "expired by mail SENT", "expired by sms SENT")

	_, err := s.DB.Exec("UPDATE payment_attempts SET captured_at = now() - interval '2 hours' WHERE captured_at IS NOT NULL")
	require.NoError(t, err)
	_, err = s.DB.Exec("UPDATE sessions SET starts_at = now() + interval '50 minutes', ends_at = now() + interval '3 hours'")
	require.NoError(t, err)
	awaitMessages(t, s, holder, soon, "paid by mail SENT", "session_changed by mail SENT", "reminder by mail SENT")
	require.NoError(t, s.Store.MoveEvent(t.Context(), "show", ticketing.EventCancelled, "tester", "a test"))
	awaitMessages(t, s, holder, soon, "paid by mail SENT", "session_changed by mail SENT", "reminder by mail SENT", "event_cancelled by mail SENT")
	words, _ := told(t, s)
	require.Len(t, words, 7, "nobody else is told: %v", words)
}

// twilio opens the stand-in, checked by what Twilio publishes.
func twilio(t *testing.T) (*twiliotest.Gateway, []string) {
	t.Helper()
	spec, err := twiliotest.PublishedSpec(t.Context())
	require.NoError(t, err)
	g, err := twiliotest.Open(twiliotest.Config{Spec: spec})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.Empty(t, g.Complaints())
		require.NoError(t, g.Close())
	})
	c := g.Credentials()
	return g, []string{
		"BOXOFFICE_TWILIO_ACCOUNT_SID=" + c.AccountSID, "BOXOFFICE_TWILIO_AUTH_TOKEN=" + c.AuthToken, "BOXOFFICE_TWILIO_SENDER=" + c.MessagingService,
		"BOXOFFICE_TWILIO_URL=" + g.URL(), "BOXOFFICE_SMS_COUNTRIES=CN",
	}
}

func TestTwilioSaysWhatBecameOfAnSMS(t *testing.T) {
	t.Parallel()
	g, env := twilio(t)
	s := stack.New(t, servers(t), stack.Options{Env: env})
	order := bought1(t, s, stack.Want{Phone: mobile})
	awaitMessages(t, s, order, soon, "paid by mail SENT", "paid by sms SENT")
	taken := g.Messages()
	require.Len(t, taken, 1)
	for _, said := range []string{"delivered", "sent", "delivered"} {
		status, err := g.Tell(t.Context(), taken[0], said, "")
		require.NoError(t, err)
		require.Equal(t, http.StatusNoContent, status)
	}
	awaitMessages(t, s, order, soon, "paid by mail SENT", "paid by sms DELIVERED")
	a, err := s.Request(t.Context(), http.MethodPost, "/api/v1/receipts/twilio", "", "", map[string]string{"MessageSid": taken[0].SID})
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, a.Status)
	abroad := bought1(t, s, stack.Want{Email: "abroad@example.com", Phone: "+447400123456"})
	awaitMessages(t, s, abroad, soon, "paid by mail SENT", "paid by sms FAILED")
	require.Len(t, g.Messages(), 1, "no SMS to a country that is not named")
}

func TestHazard30AProcessKilledWhileTwilioHasTheSMSSendsItOnce(t *testing.T) {
	t.Parallel()
	g, env := twilio(t)
	s := stack.New(t, servers(t), stack.Options{Env: env})
	g.SetFaults(twiliotest.Faults{Hang: true, Executed: true})
	order := bought1(t, s, stack.Want{Phone: mobile})
	stack.Eventually(t, soon, "Twilio has it and does not say so", func() bool { return len(g.Messages()) == 1 })
	s.Run.Kill()
	g.SetFaults(twiliotest.Faults{})
	_, err := s.DB.Exec("UPDATE messages SET lease_until = now() WHERE state = 'SENDING'") // the lease lasts minutes
	require.NoError(t, err)
	s.Restart(s.Run)
	awaitMessages(t, s, order, long, "paid by mail SENT", "paid by sms SENT")
	require.Equal(t, 1, g.Calls(), "it was looked for, not sent again")
	require.Equal(t, g.Messages()[0].SID, receiptOf(t, s, order))
}

func receiptOf(t *testing.T, s *stack.Stack, o stack.Order) (id string) {
	t.Helper()
	require.NoError(t, s.DB.QueryRow("SELECT receipt_id FROM messages WHERE order_id = $1 AND channel = 'sms'", o.ID).Scan(&id))
	return id
}

// postOffice is a mail server that may fall silent once it has a mail.
type postOffice struct {
	listener net.Listener
	silent   chan struct{} // closed when it may speak

	mu    sync.Mutex
	mails int
}

func openPostOffice(t *testing.T, address string, silent bool) *postOffice {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	p := &postOffice{listener: listener, silent: make(chan struct{})}
	if !silent {
		close(p.silent)
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go p.talk(connection)
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	return p
}

func (p *postOffice) talk(connection net.Conn) {
	defer func() { _ = connection.Close() }()
	in := bufio.NewReader(connection)
	say := func(text string) { _, _ = connection.Write([]byte(text + "\r\n")) }
	say("220 post.example")
	data := false
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case data && line == ".":
			data = false
			p.mu.Lock()
			p.mails++
			p.mu.Unlock()
			<-p.silent
			say("250 ok")
		case data:
		case strings.HasPrefix(line, "DATA"):
			data = true
			say("354 go on")
		default:
			say("250 ok")
		}
	}
}

func (p *postOffice) got() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mails
}

func mailEnv(address string) []string {
	return []string{"BOXOFFICE_SMTP_ADDRESS=" + address, "BOXOFFICE_SMTP_TLS=none", "BOXOFFICE_MAIL_FROM=Boxoffice <tickets@example.com>"}
}

func TestHazard30AProcessKilledWhileTheServerHasTheMailSendsItOnce(t *testing.T) {
	t.Parallel()
	post := openPostOffice(t, "127.0.0.1:0", true)
	s := stack.New(t, servers(t), stack.Options{Env: mailEnv(post.listener.Addr().String())})
	order := bought1(t, s, stack.Want{})
	stack.Eventually(t, soon, "the server has it and does not say so", func() bool { return post.got() == 1 })
	s.Run.Kill()
	close(post.silent)
	_, err := s.DB.Exec("UPDATE messages SET lease_until = now() WHERE state = 'SENDING'")
	require.NoError(t, err)
	s.Restart(s.Run)
	awaitMessages(t, s, order, long, "paid by mail UNSURE")
	stack.Eventually(t, long, "a person is asked", func() bool { return s.Attention(workflows.MessageDispatchID) })
	var id string
	require.NoError(t, s.DB.QueryRow("SELECT id FROM messages").Scan(&id))
	require.Contains(t, s.Says("cases", "-kind", "message_undelivered"), id)
	require.Contains(t, s.Says("messages", "-state", "unsure"), order.ID)
	require.Equal(t, 1, post.got(), "never sent again by itself")
	s.Says("messages", "resend", id)
	awaitMessages(t, s, order, soon, "paid by mail SENT")
	require.Equal(t, 2, post.got(), "a person may")
}

func TestHazard30DeadCarriersDelayNoPurchase(t *testing.T) {
	t.Parallel()
	addresses, err := freeport.Addresses(1)
	require.NoError(t, err)
	g, env := twilio(t)
	g.SetFaults(twiliotest.Faults{Hang: true})
	s := stack.New(t, servers(t), stack.Options{Env: append(env, mailEnv(addresses[0])...)})
	begun := time.Now()
	orders := make([]stack.Order, 5)
	for i := range orders {
		orders[i] = bought1(t, s, stack.Want{Email: "dead-" + strconv.Itoa(i) + "@example.com", Phone: mobile})
	}
	t.Logf("five purchases took %s", time.Since(begun))
	stack.Eventually(t, soon, "an SMS hangs", func() bool { return g.Calls() > 0 })
	g.SetFaults(twiliotest.Faults{})
	post := openPostOffice(t, addresses[0], false)
	for _, order := range orders {
		awaitMessages(t, s, order, long, "paid by mail SENT", "paid by sms SENT")
	}
	require.Equal(t, len(orders), post.got())
	require.Len(t, g.Messages(), len(orders))
}

// TestTheLocalInboxIsForThisMachine: its files are the owner's alone.
func TestTheLocalInboxIsForThisMachine(t *testing.T) {
	t.Parallel()
	s := stack.New(t, servers(t), stack.Options{})
	order := bought1(t, s, stack.Want{})
	awaitMessages(t, s, order, soon, "paid by mail SENT")
	files, err := filepath.Glob(filepath.Join(s.Inbox, "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	info, err := os.Stat(files[0])
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
