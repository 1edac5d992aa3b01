package systemtest

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/systemtest/stack"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

// giveaway makes every ticket of the show free, so many times in all.
func giveaway(t *testing.T, s *stack.Stack, uses int) {
	organiser := stack.Show("show", time.Minute, 1).OrganiserID
	v := ticketing.Voucher{
		ID: "giveaway", Name: ticketing.Text{"en": "On the house", "zh-CN": "免费"}, Kind: ticketing.VoucherPrice, Currency: "CNY", OrganiserID: organiser,
		From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), MaxUses: uses,
	}
	require.NoError(t, s.Store.PutVouchers(t.Context(), []ticketing.Voucher{v}, []string{"HOUSE"}))
}

func TestAnOrderThatCostsNothingHasItsTicketsAtOnce(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{})
	giveaway(t, s, 1)
	order := s.Buy(stack.Want{Quantity: 2, Vouchers: []string{"house"}})
	require.Zero(t, order.Total.Amount)
	free := s.Await(order, ticketing.OrderPaid, soon)
	require.Len(t, free.Tickets, 2)
	require.Empty(t, free.Attempts)
	require.Equal(t, []ticketing.OrderEventKind{ticketing.EventHeld, ticketing.EventPaid}, s.Timeline(order))
	require.Equal(t, stack.Stock{Capacity: 100, Free: 98, Sold: 2}, s.Stock("show-1-1"))
	s.Ended(order.ID, soon)
	s.Record("purchase-free", workflows.PurchaseID(order.ID))
	require.LessOrEqual(t, len(s.History(workflows.PurchaseID(order.ID))), 16)

	_, answer := s.TryPay(order, "sandbox_wallet")
	require.Equal(t, ticketing.CodeAlreadyPaid, answer.Problem.Code)
	refused, err := s.Request(t.Context(), http.MethodPost, "/api/v1/orders/"+order.ID+"/refund-quotes", order.Token, "",
		map[string]any{"ticket_ids": []string{free.Tickets[0].ID}})
	require.NoError(t, err)
	require.Equal(t, ticketing.CodeNotRefundable, refused.Problem.Code, "there is nothing to give back")
}

func TestTheLastUseOfAVoucherIsOneBuyersAndComesBackWithTheHold(t *testing.T) {
	s := stack.New(t, servers(t), stack.Options{Events: []ticketing.Event{show(3 * time.Second)}})
	giveaway(t, s, 1)
	var (
		wait   sync.WaitGroup
		lock   sync.Mutex
		orders []stack.Order
	)
	for i := range 20 {
		wait.Go(func() {
			answer, err := s.Submit(t.Context(), stack.Want{Email: fmt.Sprintf("buyer%d@example.com", i), Vouchers: []string{"HOUSE"}})
			lock.Lock()
			defer lock.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case answer.Status == http.StatusCreated:
				orders = append(orders, s.Decode(answer))
			case answer.Problem.Code != ticketing.CodeVoucherInvalid && answer.Problem.Code != "rate_limited":
				t.Errorf("%d %s", answer.Status, answer.Body)
			}
		})
	}
	wait.Wait()
	require.Len(t, orders, 1)
	require.Equal(t, int64(800), orders[0].Total.Amount, "an order's fee is no ticket")
	require.Equal(t, 1, s.Int("SELECT uses FROM vouchers"))
	s.Await(orders[0], ticketing.OrderExpired, soon)
	require.Zero(t, s.Int("SELECT uses FROM vouchers"))
	s.Ended(orders[0].ID, soon)
}

// show is one with an order fee, so that an order with a giveaway waits for its payment.
func show(holdFor time.Duration) ticketing.Event {
	e := stack.Show("show", holdFor, 100)
	e.OrderFee = 800
	return e
}

// use types a code and waits until it was tried.
func (b *shop) use(field, code string) {
	b.t.Helper()
	b.see(id(field))
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector('[data-testid=%q]').select()`, field)),
		chromedp.SendKeys(chromedp.CSS(id(field)), code+kb.Enter))
}

func (b *shop) total() int {
	b.t.Helper()
	amount, err := strconv.Atoi(b.attribute(id("total"), "data-amount"))
	require.NoError(b.t, err)
	return amount
}

// costs waits until the price is so much.
func (b *shop) costs(amount int) {
	b.t.Helper()
	b.see(fmt.Sprintf(`%s[data-amount="%d"]`, id("total"), amount))
}

func TestABrowserUsesVouchersUntilNothingIsLeftToPay(t *testing.T) {
	s := demoStack(t)
	for _, visit := range []struct {
		language string
		width    int64
	}{{"en", 1280}, {"zh-CN", 390}} {
		t.Run(visit.language, func(t *testing.T) {
			b := browse(t, s, visit.language, visit.width)
			b.toCheckout()
			b.see(id("total"))
			whole := b.total()
			b.use("voucher-code", "NOSUCHCODE")
			b.see(id("voucher-code-fault") + ":not(:empty)")
			b.shoot("no-such-voucher")
			require.Equal(t, whole, b.total())
			b.use("voucher-code", "lantern10")
			b.costs(whole - whole/10)
			b.see(fmt.Sprintf(`%s[data-amount="%d"]`, id("discount"), whole/10))
			b.shoot("ten-per-cent-off")
			b.click(id("voucher") + " button")
			b.costs(whole)
			b.use("voucher-code", "FIRSTNIGHT")
			b.costs(0)
			b.fill("buyer-name", "Ada Lovelace")
			b.fill("buyer-email", visit.language+"@example.com")
			b.shoot("free")
			b.click(id("submit-order"))
			b.state(ticketing.OrderPaid)
			b.see(id("ticket-qr"))
			b.shoot("tickets")
			b.done()
		})
	}
	require.Equal(t, 2, s.Int("SELECT uses FROM vouchers WHERE id = 'lantern-first-night'"))
	settledAll(t, s)
}

func TestABrowserBuysBeforeTheSaleWithACode(t *testing.T) {
	s := demoStack(t)
	b := browse(t, s, "en", 1280)
	b.open("/events/teahouse-at-midnight?session=teahouse-at-midnight-1")
	early := id("ticket-type") + `[data-ticket-type-id="teahouse-at-midnight-1-day"]`
	b.see(early + `[data-on-sale="false"]`)
	b.use("access-code", "LAPSANG")
	b.see(id("access-code-fault") + ":not(:empty)")
	b.shoot("wrong-code")
	b.use("access-code", "Oolong")
	b.see(early + `[data-on-sale="true"]`)
	b.click(early + " " + id("qty-plus"))
	b.see(id("buy") + ":enabled")
	b.shoot("presale")
	b.click(id("buy"))
	b.order()
	b.click(id("method-sandbox_wallet"))
	b.click(id("gw-pay"))
	b.state(ticketing.OrderPaid)
	b.done()
	settledAll(t, s)
}
