package twilio_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/notify/twilio"
	"github.com/boxoffice/boxoffice/notify/twilio/twiliotest"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	status                     = "https://tickets.example/api/v1/receipts/twilio"
	chinese, american, british = "+8613800138000", "+14155552671", "+447400123456"
)

var sms = notify.Message{ID: "01SMS", Kind: ticketing.MessagePaid, Language: "zh-CN", To: chinese, Content: notify.Content{Text: "【Boxoffice】已付款：《大海交响曲》2张"}}

// world is the stand-in, held to what Twilio publishes, and a sender that uses it.
type world struct {
	*twiliotest.Gateway
	sender *twilio.Sender
}

var published struct {
	sync.Mutex

	spec []byte
}

func spec(t *testing.T) []byte {
	t.Helper()
	published.Lock()
	defer published.Unlock()
	if published.spec == nil {
		var err error
		published.spec, err = twiliotest.PublishedSpec(t.Context())
		require.NoError(t, err)
	}
	return published.spec
}

// later is a clock by which everything that is under way has come to rest.
func later() time.Time { return time.Now().Add(time.Hour) }

func newWorld(t *testing.T, change ...func(*twilio.Config)) *world {
	t.Helper()
	return openWorld(t, twiliotest.Config{}, change...)
}

func openWorld(t *testing.T, standIn twiliotest.Config, change ...func(*twilio.Config)) *world {
	t.Helper()
	standIn.Spec = spec(t)
	g, err := twiliotest.Open(standIn)
	require.NoError(t, err)
	transport := &http.Transport{}
	t.Cleanup(func() {
		require.NoError(t, g.Close())
		transport.CloseIdleConnections()
		require.Empty(t, g.Complaints(), "requests and answers keep the published document")
	})
	c := g.Credentials()
	config := twilio.Config{
		AccountSID: c.AccountSID, AuthTokens: []string{c.AuthToken}, Sender: c.MessagingService, Countries: []string{"CN", "US", "GB"},
		StatusURL: status, URL: g.URL(), Timeout: 500 * time.Millisecond, Transport: transport, Now: later,
	}
	for _, f := range change {
		f(&config)
	}
	sender, err := twilio.New(config)
	require.NoError(t, err)
	return &world{g, sender}
}

func to(number string) notify.Message {
	m := sms
	m.To = number
	return m
}
