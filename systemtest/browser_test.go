package systemtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/store/demo"
	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
)

// shop is a browser that looks at the shop.
type shop struct {
	t      testing.TB
	s      *stack.Stack
	ctx    context.Context
	folder string
	shots  int
	// faults are what the pages complained about in the console.
	mu     sync.Mutex
	faults []string
}

// browse opens a fresh browser of a width, in a language.
func browse(t testing.TB, s *stack.Stack, language string, width int64) *shop {
	t.Helper()
	temporary, err := os.MkdirTemp("", "browser") // a short path, for it has sockets there, which it leaves behind
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(temporary) })
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("accept-lang", language), chromedp.Flag("lang", language),
		chromedp.UserDataDir(t.TempDir()), chromedp.Env("TMPDIR="+temporary),
	)
	if path := os.Getenv("BOXOFFICE_CHROMIUM"); path != "" {
		options = append(options, chromedp.ExecPath(path))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &shop{t: t, s: s, ctx: ctx, folder: filepath.Join(stack.Root(t), "artefacts", "screenshots", strings.ReplaceAll(t.Name(), "/", "-"))}
	require.NoError(t, os.RemoveAll(b.folder))
	require.NoError(t, os.MkdirAll(b.folder, 0o755))
	require.NoError(t, chromedp.Do(ctx)) // starts the browser
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		if thrown, ok := event.(*runtime.EventExceptionThrown); ok {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.faults = append(b.faults, fmt.Sprintf("%+v", *thrown.ExceptionDetails))
		}
	}))
	var mobile []chromedp.EmulateViewportOption
	if width < 600 {
		mobile = append(mobile, chromedp.EmulateMobile)
	}
	b.do(chromedp.EmulateViewport(width, 860, mobile...))
	return b
}

func (b *shop) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.shoot("failed")
		b.t.Fatalf("%v (see %s)", err, b.folder)
	}
}

// ask runs an action that returns something.
func ask[R any](b *shop, action chromedp.Action[R]) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		b.shoot("failed")
		b.t.Fatalf("%v (see %s)", err, b.folder)
	}
	return result
}

func id(name string) string { return `[data-testid="` + name + `"]` }

func (b *shop) open(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.s.URL + path)) }

func (b *shop) see(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(selector))); err != nil {
		b.shoot("failed")
		b.t.Fatalf("not seen: %s: %v (see %s)", selector, err, b.folder)
	}
}

func (b *shop) click(selector string) {
	b.t.Helper()
	b.see(selector)
	b.do(chromedp.WaitEnabled(chromedp.CSS(selector)), chromedp.ScrollIntoView(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

func (b *shop) fill(name, text string) {
	b.t.Helper()
	b.see(id(name))
	b.do(chromedp.SendKeys(chromedp.CSS(id(name)), text))
}

func (b *shop) text(selector string) string {
	b.t.Helper()
	return ask(b, chromedp.Text(chromedp.CSS(selector)))
}

func (b *shop) attribute(selector, name string) string {
	b.t.Helper()
	return ask(b, chromedp.AttributeValue(chromedp.CSS(selector), name)).Value
}

// state waits until the order's page shows a state.
func (b *shop) state(state ticketing.OrderState) {
	b.t.Helper()
	b.see(id("order-state") + `[data-state="` + string(state) + `"]`)
}

// shows is state for a page the browser kept while it was away, whose nodes have new ids, and for a second
// tab: the page itself is asked.
func (b *shop) shows(document string, state ticketing.OrderState) {
	b.t.Helper()
	script := fmt.Sprintf(`%s.querySelector(%q) !== null`, document, id("order-state")+`[data-state="`+string(state)+`"]`)
	stack.Eventually(b.t, 2*soon, "the page shows "+string(state), func() bool {
		ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
		defer cancel()
		shown, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script))
		return err == nil && shown
	})
}

// shoot keeps a picture of the whole page and fails when it is wider than the screen.
func (b *shop) shoot(name string) {
	b.t.Helper()
	b.shots++
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
	if err != nil {
		b.t.Logf("no screenshot %s: %v", name, err)
		return
	}
	file := filepath.Join(b.folder, fmt.Sprintf("%02d-%s.jpeg", b.shots, name))
	require.NoError(b.t, os.WriteFile(file, picture, 0o600))
	overflow, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > window.innerWidth + 1`))
	if err == nil && overflow {
		b.t.Errorf("%s: the page is wider than the screen", file)
	}
}

// done ends a visit: no page may have thrown.
func (b *shop) done() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(b.t, b.faults)
}

func demoStack(t testing.TB) *stack.Stack {
	events := demo.Catalogue(time.Now().UTC())
	s := stack.New(t, servers(t), stack.Options{SeatMaps: demo.SeatMaps(), Events: events})
	vouchers, codes := demo.Vouchers(events)
	require.NoError(t, s.Store.PutVouchers(t.Context(), vouchers, codes))
	code, presales := demo.Presales(events)
	require.NoError(t, s.Store.PutPresales(t.Context(), code, presales...))
	for _, programme := range demo.Programmes() {
		require.NoError(t, s.Store.PutProgramme(t.Context(), programme))
	}
	return s
}

// toCheckout goes from the listing to the checkout of a film.
func (b *shop) toCheckout() {
	b.t.Helper()
	b.open("/")
	b.see(id("event-card"))
	b.shoot("listing")
	b.click(id("event-card") + `[data-kind="cinema"] ` + id("event-link"))
	b.see(id("event-title"))
	b.click(id("ticket-type") + `[data-on-sale="true"] ` + id("qty-plus"))
	b.click(id("ticket-type") + `[data-on-sale="true"] ` + id("qty-plus"))
	b.see(id("buy") + ":enabled")
	b.shoot("event")
	b.click(id("buy"))
	b.see(id("buyer-name"))
}

func (b *shop) order() {
	b.t.Helper()
	b.fill("buyer-name", "Ada Lovelace")
	b.fill("buyer-email", "ada@example.com")
	b.see(id("submit-order") + ":enabled")
	b.shoot("checkout")
	b.click(id("submit-order"))
	b.state(ticketing.OrderPending)
	b.see(id("countdown"))
}

func TestABrowserBuysATicketInBothLanguagesAndSizes(t *testing.T) {
	s := demoStack(t)
	for _, language := range []string{"en", "zh-CN"} {
		for _, width := range []int64{390, 1280} {
			t.Run(fmt.Sprintf("%s-%d", language, width), func(t *testing.T) {
				b := browse(t, s, language, width)
				b.toCheckout()
				b.order()
				b.shoot("order-pending")
				b.click(id("method-sandbox_wallet"))
				b.see(id("gw-pay"))
				b.shoot("gateway")
				b.click(id("gw-pay"))
				b.state(ticketing.OrderPaid)
				b.see(id("ticket-qr"))
				b.shoot("tickets")
				tickets := ask(b, chromedp.Evaluate[int](`document.querySelectorAll('[data-testid="ticket"]').length`))
				require.Equal(t, 2, tickets)
				require.Equal(t, language, b.attribute("html", "lang"))
				b.done()
			})
		}
	}
	require.Equal(t, 4, s.Int("SELECT count(*) FROM orders WHERE state = 'PAID'"))
	settledAll(t, s)
}

func TestABrowserSurvivesReloadBackAndASecondTab(t *testing.T) {
	s := demoStack(t)
	b := browse(t, s, "en", 1280)
	b.toCheckout()
	b.order()
	address := ask(b, chromedp.Location())
	b.do(chromedp.Evaluate[chromedp.Void](`window.stale = true; setTimeout(() => location.reload(), 0)`))
	stack.Eventually(t, soon, "the page was loaded again", func() bool {
		fresh, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`window.stale === undefined && document.readyState === "complete"`))
		return err == nil && fresh
	})
	b.state(ticketing.OrderPending)
	b.click(id("method-sandbox_card"))
	b.see(id("gw-pay"))
	b.do(chromedp.Evaluate[chromedp.Void](`setTimeout(() => history.back(), 0)`))
	b.shows("document", ticketing.OrderPending)
	b.shoot("back-from-the-gateway")
	// A second tab of the same browser sees the same order; when it is paid, both hear of it.
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`window.secondTab = window.open(%q); undefined`, address)))
	b.shows("window.secondTab.document", ticketing.OrderPending)
	var number string
	require.NoError(t, s.DB.QueryRow("SELECT id FROM payment_attempts").Scan(&number))
	s.Pay(number)
	b.shows("window.secondTab.document", ticketing.OrderPaid)
	b.shows("document", ticketing.OrderPaid)
	require.Equal(t, 1, s.Int("SELECT count(*) FROM orders"))
	b.done()
	settledAll(t, s)
}

func TestABrowserTellsAnExpiredHoldInPlainWords(t *testing.T) {
	events := demo.Catalogue(time.Now().UTC())
	for i := range events {
		events[i].HoldFor = 5 * time.Second
	}
	s := stack.New(t, servers(t), stack.Options{SeatMaps: demo.SeatMaps(), Events: events})
	b := browse(t, s, "zh-CN", 390)
	b.toCheckout()
	b.order()
	b.state(ticketing.OrderExpired)
	b.shoot("expired")
	require.NotEmpty(t, b.text(id("order-state")))
	b.done()
	settledAll(t, s)
}

func TestABrowserShowsAGatewayThatIsDownAndGoesOnWhenItIsBack(t *testing.T) {
	s := demoStack(t)
	b := browse(t, s, "en", 390)
	b.toCheckout()
	b.order()
	faults(t, s, gateway.Faults{Down: []string{"create"}})
	b.click(id("method-sandbox_wallet"))
	b.see(id("problem"))
	b.shoot("gateway-down")
	require.Equal(t, "method_unavailable", b.attribute(id("problem"), "data-code"))
	faults(t, s, gateway.Faults{})
	b.click(id("method-sandbox_qr"))
	b.see(id("pay-qr"))
	b.shoot("qr")
	b.do(chromedp.Navigate(b.attribute(id("pay-qr"), "data-content"))) // the phone that scans it
	b.click(id("gw-pay"))
	b.state(ticketing.OrderPaid)
	b.done()
	settledAll(t, s)
}

func TestABuyerWithAKeyboardOnlyGetsATicket(t *testing.T) {
	s := demoStack(t)
	b := browse(t, s, "en", 1280)
	b.open("/")
	b.see(id("event-card"))
	b.tabTo(id("event-card")+`[data-kind="cinema"] `+id("event-link"), kb.Enter)
	b.see(id("event-title"))
	b.tabTo(id("ticket-type")+`[data-on-sale="true"] `+id("qty-plus"), kb.Enter)
	b.see(id("buy") + ":enabled")
	b.tabTo(id("buy"), kb.Enter)
	b.see(id("buyer-name"))
	b.tabTo(id("buyer-name"), "Ada Lovelace")
	b.tabTo(id("buyer-email"), "ada@example.com")
	b.see(id("submit-order") + ":enabled")
	b.shoot("keyboard-checkout")
	b.tabTo(id("submit-order"), kb.Enter)
	b.state(ticketing.OrderPending)
	b.tabTo(id("method-sandbox_wallet"), kb.Enter)
	b.see(id("gw-pay"))
	b.tabTo(id("gw-pay"), kb.Enter)
	b.state(ticketing.OrderPaid)
	b.done()
	settledAll(t, s)
}

// tabTo presses Tab until an element has the focus, then types.
func (b *shop) tabTo(selector, keys string) {
	b.t.Helper()
	b.see(selector)
	for range 80 {
		if ask(b, chromedp.Evaluate[bool](fmt.Sprintf(`document.activeElement === document.querySelector(%q)`, selector))) {
			b.do(chromedp.KeyEvent(keys))
			return
		}
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.shoot("no-focus")
	b.t.Fatalf("Tab does not reach %s", selector)
}

// settledAll waits until every purchase has ended.
func settledAll(t *testing.T, s *stack.Stack) {
	t.Helper()
	rows, err := s.DB.Query("SELECT id FROM orders")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var order string
		require.NoError(t, rows.Scan(&order))
		s.Ended(order, soon)
	}
	require.NoError(t, rows.Err())
}
