package systemtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
)

// halls are the demo's sessions with a map.
var halls = []struct{ name, event string }{{"cinema", "lighthouse-map"}, {"theatre", "teahouse-at-midnight"}, {"stadium", "harbour-cup"}}

// hall opens the first session of an event and waits until its map is drawn.
func (b *shop) hall(event string) {
	b.t.Helper()
	b.open("/events/" + event + "?session=" + event + "-1")
	b.see(id("seat-map") + "[data-view]")
}

// tick chooses seats of a row in the list beside the map.
func (b *shop) tick(section, row string, seats ...string) {
	b.t.Helper()
	for _, closed := range []string{id("seat-list"), fmt.Sprintf(`%s[data-section=%q]`, id("seat-section"), section), fmt.Sprintf(`%s[data-section=%q] %s[data-row=%q]`, id("seat-section"), section, id("seat-row"), row)} {
		b.see(closed + " > summary")
		if ask(b, chromedp.Evaluate[bool](fmt.Sprintf(`!document.querySelector(%q).open`, closed))) {
			b.click(closed + " > summary")
		}
	}
	for _, seat := range seats {
		b.click(fmt.Sprintf(`%s[data-seat="%s/%s/%s"]`, id("seat-option"), section, row, seat))
	}
}

func (b *shop) has(seats ...string) {
	b.t.Helper()
	for _, seat := range seats {
		b.see(fmt.Sprintf(`%s[data-seat=%q]`, id("chosen-seat"), seat))
	}
	require.Equal(b.t, len(seats), b.count(id("chosen-seat")))
}

func TestABrowserDrawsEveryHall(t *testing.T) {
	s := demoStack(t)
	for _, visit := range []struct {
		language string
		width    int64
	}{{"en", 1280}, {"zh-CN", 390}} {
		t.Run(fmt.Sprintf("%s-%d", visit.language, visit.width), func(t *testing.T) {
			b := browse(t, s, visit.language, visit.width)
			for _, h := range halls {
				b.hall(h.event)
				b.do(chromedp.ScrollIntoView(chromedp.CSS(id("seat-panel"))))
				b.shoot(h.name)
				b.click(id("best-for-me"))
				b.see(id("chosen-seat"))
				require.Equal(t, 2, b.count(id("chosen-seat")))
				b.shoot(h.name + "-best")
			}
			b.done()
		})
	}
}

func TestABrowserChoosesTwoSeatsTogetherAndPaysForThem(t *testing.T) {
	s := demoStack(t)
	for i, visit := range []struct {
		language string
		width    int64
	}{{"zh-CN", 1280}, {"en", 390}} {
		t.Run(fmt.Sprintf("%s-%d", visit.language, visit.width), func(t *testing.T) {
			b := browse(t, s, visit.language, visit.width)
			b.hall("lighthouse-map")
			row := []string{"D", "E"}[i]
			b.tick("hall", row, "7", "8")
			chosen := []string{"hall/" + row + "/7", "hall/" + row + "/8"}
			b.has(chosen...)
			b.see(id("buy") + ":enabled")
			b.shoot("chosen")
			b.click(id("buy"))
			b.order()
			b.click(id("method-sandbox_wallet"))
			b.click(id("gw-pay"))
			b.state(ticketing.OrderPaid)
			b.see(id("ticket-qr"))
			b.shoot("tickets")
			var seats []string
			for _, ticket := range b.shown().Tickets {
				seats = append(seats, ticket.Seat.ID)
			}
			require.ElementsMatch(t, chosen, seats)
			b.done()
		})
	}
	settledAll(t, s)
}

// TestABrowserTellsWhoLosesASeatWhichAndWhatIsNearest: two look at the same seats; one is faster.
func TestABrowserTellsWhoLosesASeatWhichAndWhatIsNearest(t *testing.T) {
	s := demoStack(t)
	b := browse(t, s, "en", 1280)
	b.hall("lighthouse-map")
	b.tick("hall", "F", "7", "8")
	b.has("hall/F/7", "hall/F/8")
	// On the event's page: the map is live.
	rival := s.Buy(stack.Want{Session: "lighthouse-map-1", Type: "lighthouse-map-1-standard", Quantity: 1, Seats: []string{"hall/F/8"}, Email: "rival@example.com"})
	b.see(id("seat-lost") + `[data-seats="hall/F/8"]`)
	b.see(id("seat-option") + "[data-seat=\"hall/F/8\"]:disabled")
	b.shoot("lost-on-the-map")
	offered := strings.Split(b.attribute(id("take-alternative"), "data-seats"), ",")
	require.Len(t, offered, 2)
	require.NotContains(t, offered, "hall/F/8")
	b.click(id("take-alternative"))
	b.has(offered...)
	b.see(id("buy") + ":enabled")
	b.click(id("buy"))
	// At the checkout: the answer to the order says it.
	b.fill("buyer-name", "Ada Lovelace")
	b.fill("buyer-email", "ada@example.com")
	b.see(id("submit-order") + ":enabled")
	faster := s.Buy(stack.Want{Session: "lighthouse-map-1", Type: "lighthouse-map-1-standard", Quantity: 1, Seats: offered[:1], Email: "faster@example.com"})
	b.click(id("submit-order"))
	b.see(id("problem") + `[data-code="seat_taken"]`)
	b.see(id("take-alternative"))
	b.shoot("lost-at-the-checkout")
	again := strings.Split(b.attribute(id("take-alternative"), "data-seats"), ",")
	require.Len(t, again, 2)
	require.NotContains(t, again, offered[0])
	b.click(id("take-alternative"))
	b.see(id("submit-order") + ":enabled")
	b.click(id("submit-order"))
	b.state(ticketing.OrderPending)
	var mine []string
	for _, seat := range b.shown().Seats {
		mine = append(mine, seat.ID)
	}
	require.ElementsMatch(t, again, mine)
	b.click(id("cancel-order"))
	b.click(id("confirm-cancel"))
	b.state(ticketing.OrderCancelled)
	// A seat that comes back is free on the map again.
	s.Cancel(faster)
	s.Cancel(rival)
	b.hall("lighthouse-map")
	b.tick("hall", "F")
	b.see(id("seat-option") + "[data-seat=\"hall/F/8\"]:enabled")
	b.done()
	settledAll(t, s)
}

func TestABuyerWithAKeyboardOnlyChoosesSeatsOnTheMap(t *testing.T) {
	s := demoStack(t)
	b := browse(t, s, "en", 1280)
	b.hall("lighthouse-map")
	b.tabTo(id("seat-map"), kb.ArrowRight)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.see(id("chosen-seat"))
	first := b.attribute(id("chosen-seat"), "data-seat")
	b.do(chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(" "))
	b.see(id("chosen-seat") + " + " + id("chosen-seat"))
	require.Equal(t, 2, b.count(id("chosen-seat")))
	b.do(chromedp.KeyEvent(" "))
	b.has(first)
	b.shoot("keyboard")
	b.done()
}

// moving zooms or pans the map a little in every frame, or waits; it counts the frames of two seconds, those in which the map had moved, and
// the milliseconds of the longest.
const moving = `(async how => {
	const map = document.querySelector('[data-testid="seat-map"]'), box = map.getBoundingClientRect()
	const [x, y] = [box.width / 2, box.height / 2]
	const send = (target, kind, type, dx, dy, more) => target.dispatchEvent(new kind(type,
		{bubbles: true, cancelable: true, view: window, clientX: box.left + x + dx, clientY: box.top + y + dy, ...more}))
	if (how === 'pan') send(map, MouseEvent, 'mousedown', 0, 0)
	let frames = 0, longest = 0, moved = 0, seen = map.dataset.view
	const begun = performance.now()
	for (let last = begun; last - begun < 2000;) {
		const now = await new Promise(requestAnimationFrame)
		frames++
		longest = Math.max(longest, now - last)
		last = now
		if (map.dataset.view !== seen) moved++
		seen = map.dataset.view
		if (how === 'pan') send(window, MouseEvent, 'mousemove', 120 * Math.sin(frames / 20), 90 * Math.cos(frames / 25))
		if (how === 'zoom') send(map, WheelEvent, 'wheel', 40, 30, {deltaY: frames % 80 < 40 ? -8 : 8})
	}
	if (how === 'pan') send(window, MouseEvent, 'mouseup', 0, 0)
	return [frames, moved, longest]
})`

// BenchmarkABrowserMovesAStadium compares the frames in which a browser moves 20,000 seats with those it has while nothing happens: while all seats
// are zoomed in and out, and while single ones are panned.
func BenchmarkABrowserMovesAStadium(b *testing.B) {
	s := demoStack(b)
	page := browse(b, s, "en", 1280)
	page.hall("harbour-cup")
	page.do(chromedp.ScrollIntoView(chromedp.CSS(id("seat-map"))))
	measure := func(how string) []float64 {
		return ask(page, chromedp.Evaluate[[]float64](fmt.Sprintf("%s(%q)", moving, how), chromedp.EvalAwaitPromise))
	}
	for b.Loop() {
		still, whole := measure(""), measure("zoom")
		require.Zero(b, still[1])
		b.ReportMetric(still[0], "still-frames")
		b.ReportMetric(whole[1]/still[0], "zoomed/still")
		b.ReportMetric(whole[2], "zoomed-longest-ms")
		page.click(id("best-for-me"))
		page.see(id("chosen-seat"))
		near := measure("pan")
		b.ReportMetric(near[1]/still[0], "panned/still")
		b.ReportMetric(near[2], "panned-longest-ms")
	}
}
