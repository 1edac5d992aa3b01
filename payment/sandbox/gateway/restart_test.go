package gateway_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/ticketing"
)

// childFile names the ledger of a gateway that this test binary is asked to be.
const childFile = "SANDBOX_TEST_CHILD_FILE"

// serveChild makes this process a gateway until it is killed.
func serveChild() bool {
	file := os.Getenv(childFile)
	if file == "" {
		return false
	}
	g, err := gateway.Open(gateway.Config{
		Address: "127.0.0.1:0", Merchant: merchant, Key: key, CallbackKeys: []string{"callback-key"}, File: file,
		Retry: []time.Duration{5 * time.Millisecond}, Deliveries: 10_000, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println("error", err)
		return true
	}
	fmt.Println(g.URL())
	select {} // until killed
}

// child starts a gateway as a process of its own.
func child(t *testing.T, file string) (url string, kill func()) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childFile+"="+file)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	kill = func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	line = strings.TrimSpace(line)
	require.True(t, strings.HasPrefix(line, "http://"), line)
	return line, kill
}

func TestWhatWasPromisedSurvivesKill9(t *testing.T) {
	config, at := settings(t), newShop(t)
	at.answer.Store(func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) })
	url, kill := child(t, config.File)
	control := gateway.NewControl(url, merchant, key)
	defer control.Close()
	s := &sandboxed{clock: &clock{}, t: t, url: url, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}

	paid, late := s.order(), s.order()
	paid.NotifyURL, late.NotifyURL = at.server.URL, at.server.URL
	s.created(paid)
	s.created(late)
	require.NoError(t, control.Pay(t.Context(), paid.Number))
	require.NoError(t, control.PayLate(t.Context(), late.Number, time.Second))
	s.refund(sandbox.RefundOrder{ID: number(), Number: paid.Number, Amount: ticketing.Money{Amount: 100, Currency: "CNY"}})
	eventually(t, func() bool { return len(at.notices()) > 2 })
	before, err := control.Books(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, before.Undelivered)
	kill()

	at.answer.Store(received)
	again := open(t, config)
	again.eventually(func() bool { return again.books().Undelivered == 0 && again.payment(late.Number).State == sandbox.Paid })
	after := again.books()
	require.Equal(t, before.Entries, after.Entries[:len(before.Entries)])
	require.Len(t, after.Entries, 3, "the late one was captured once")
	require.Equal(t, before.Refunds, after.Refunds)
	require.Equal(t, sandbox.Paid, again.payment(paid.Number).State)
	told := map[string]bool{}
	for _, notice := range at.notices() {
		told[notice.EventID] = true
	}
	require.Len(t, told, 3, "an event keeps its id over the restart")
	require.NoError(t, again.Close())
}

func TestWhatWasAcknowledgedIsNotSentAgainAfterAStop(t *testing.T) {
	config, at := settings(t), newShop(t)
	s := open(t, config)
	s.paid(at)
	s.eventually(func() bool { return s.books().Undelivered == 0 })
	require.NoError(t, s.Close())
	again := open(t, config)
	require.Zero(t, again.books().Undelivered)
	again.paid(at)
	again.eventually(func() bool { return again.books().Undelivered == 0 })
	require.NoError(t, again.Close())
	require.Len(t, at.notices(), 2, "one of each payment")
}

func TestTwoGatewaysCannotShareALedger(t *testing.T) {
	config := settings(t)
	open(t, config)
	_, err := gateway.Open(config)
	require.ErrorContains(t, err, "ledger")
}

func TestABusyPortIsSaidAtOnce(t *testing.T) {
	first := open(t, settings(t))
	config := settings(t)
	config.Address = first.Addr()
	_, err := gateway.Open(config)
	require.ErrorContains(t, err, "address already in use")
}

func TestAGatewayNeedsItsSecrets(t *testing.T) {
	for _, take := range []func(*gateway.Config){
		func(c *gateway.Config) { c.Merchant = "" }, func(c *gateway.Config) { c.Key = "" },
		func(c *gateway.Config) { c.CallbackKeys = nil }, func(c *gateway.Config) { c.File = "" },
	} {
		config := settings(t)
		take(&config)
		_, err := gateway.Open(config)
		require.ErrorContains(t, err, "required")
	}
}
