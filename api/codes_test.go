package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// pricedWorld is a world with a show that has a tax, fees per ticket, a bound per buyer, a price for the first three, a presale
// of its second ticket type, and vouchers.
func pricedWorld(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	now := time.Now().UTC().Truncate(time.Second)
	event := storetest.Event("show", 20, 20)
	event.TicketFee, event.Tax, event.MaxPerBuyer = 100, ticketing.TaxRule{BasisPoints: 1000}, 4
	types := event.Sessions[0].TicketTypes
	types[0].MaxPerBuyer = 3
	types[0].Phases = []ticketing.PricePhase{{
		ID: "early", Name: ticketing.Text{"en": "First three", "zh-CN": "前三张"}, From: now.Add(-time.Hour), Until: now.Add(time.Hour), BasePrice: 5000, Limit: 3,
	}}
	types[1].SaleFrom = now.Add(time.Hour)
	storetest.Seed(t, w.database(), event)
	require.NoError(t, w.database().PutPresales(t.Context(), "MEMBERS", ticketing.Presale{TicketTypeID: "show-t2", From: now.Add(-time.Hour), Until: now.Add(time.Hour)}))
	voucher := func(id string, minimum int64) ticketing.Voucher {
		return ticketing.Voucher{
			ID: id, Name: ticketing.Text{"en": "Welcome", "zh-CN": "欢迎"}, Kind: ticketing.VoucherPercent, Value: 1000, Currency: "CNY", OrganiserID: "organiser",
			From: now.Add(-time.Hour), Until: now.Add(time.Hour), MinimumSpend: minimum, MaxUses: 1,
		}
	}
	require.NoError(t, w.database().PutVouchers(t.Context(), []ticketing.Voucher{voucher("ten", 0), voucher("much", 1_000_000)}, []string{"WELCOME10", "MUCH"}))
	eventually(t, "the show is listed", func() bool { return w.get("/api/v1/sessions/show-s1").status == http.StatusOK })
	return w
}

// showBody is a basket of one ticket type of the show, as an order.
func showBody(ticketType string, quantity int, change ...func(map[string]any)) map[string]any {
	return orderBody(append([]func(map[string]any){func(body map[string]any) {
		body["session_id"], body["lines"] = "show-s1", []map[string]any{{"ticket_type_id": ticketType, "quantity": quantity}}
	}}, change...)...)
}

func withCode(name string, value any) func(map[string]any) {
	return func(body map[string]any) { body[name] = value }
}

func (w *world) quoted(body map[string]any) answer {
	w.t.Helper()
	delete(body, "buyer")
	return w.do(call{method: http.MethodPost, path: "/api/v1/quotes", body: body, valid: true})
}

type priced struct {
	placed
	Lines []struct {
		Amount, Discount, Fee ticketing.Money
	}
	Tax *struct {
		BasisPoints int64 `json:"basis_points"`
		Included    bool
		Amount      ticketing.Money
	}
	Vouchers []struct {
		ID       string
		Discount ticketing.Money
	}
}

func TestAQuoteIsWhatTheOrderIsCharged(t *testing.T) {
	w := pricedWorld(t)
	body := func() map[string]any { return showBody("show-t1", 2, withCode("vouchers", []string{"welcome10"})) }
	a := w.quoted(body())
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	var quote priced
	a.decode(t, &quote)
	cny := func(amount int64) ticketing.Money { return ticketing.Money{Amount: amount, Currency: "CNY"} }
	require.Len(t, quote.Lines, 1)
	require.Equal(t, cny(11000), quote.Lines[0].Amount)
	require.Equal(t, cny(1100), quote.Lines[0].Discount)
	require.Equal(t, cny(200), quote.Lines[0].Fee)
	require.Equal(t, int64(1000), quote.Tax.BasisPoints)
	require.False(t, quote.Tax.Included)
	require.Equal(t, cny(1010+20), quote.Tax.Amount)
	require.Equal(t, cny(1100), quote.Vouchers[0].Discount)
	require.Equal(t, cny(11000-1100+200+1010+200+20), quote.Total)

	order := w.submit(keyed(1), showBody("show-t1", 2, withCode("vouchers", []string{"welcome10"}), withCode("expected_total", quote.Total)))
	require.Equal(t, http.StatusCreated, order.status, string(order.body))
	var placed, read priced
	order.decode(t, &placed)
	require.Equal(t, quote.Lines, placed.Lines)
	require.Equal(t, quote.Total, placed.Total)
	w.do(call{method: http.MethodGet, path: "/api/v1/orders/" + placed.ID, token: placed.Token, valid: true}).decode(t, &read)
	require.Equal(t, quote.Lines, read.Lines)
	require.Equal(t, quote.Vouchers, read.Vouchers)
	require.Equal(t, quote.Tax, read.Tax)
	require.NotContains(t, w.log.String(), "welcome10")

	w.quoted(body()).problem(t, http.StatusUnprocessableEntity, ticketing.CodeVoucherInvalid)
	again := w.submit(keyed(1), showBody("show-t1", 2, withCode("vouchers", []string{"welcome10"}), withCode("expected_total", quote.Total)))
	require.Equal(t, steady(order), steady(again), "the same order, though its voucher is used up")
	w.submit(keyed(1), showBody("show-t1", 2, withCode("expected_total", quote.Total))).
		problem(t, http.StatusUnprocessableEntity, ticketing.CodeKeyReused)
}

func TestThePageTellsWhatIsLeftOfAPrice(t *testing.T) {
	w := pricedWorld(t)
	type shown struct {
		Session struct {
			TicketTypes []struct {
				Price   ticketing.Money
				OnSale  bool       `json:"on_sale"`
				Presale *time.Time `json:"presale_until"`
				Phase   *struct{ Left *int }
			} `json:"ticket_types"`
		}
	}
	read := func() (s shown) {
		w.get("/api/v1/sessions/show-s1").decode(t, &s)
		return s
	}
	types := read().Session.TicketTypes
	require.Equal(t, 3, *types[0].Phase.Left)
	require.Equal(t, int64(5500), types[0].Price.Amount)
	require.Nil(t, types[0].Presale)
	require.False(t, types[1].OnSale)
	require.NotNil(t, types[1].Presale)
	require.Equal(t, http.StatusCreated, w.submit(keyed(1), showBody("show-t1", 3)).status)
	eventually(t, "the page shows the full price", func() bool {
		now := read().Session.TicketTypes[0]
		return now.Phase == nil && now.Price.Amount == 10500
	})
	left := w.submit(keyed(2), showBody("show-t1", 1)).problem(t, http.StatusUnprocessableEntity, ticketing.CodeLimitExceeded)
	require.Equal(t, "/lines/0/quantity", left.Field)
	require.NotNil(t, left.Left)
	require.Zero(t, *left.Left)
}

func TestAPresaleIsForThoseWhoHaveTheCode(t *testing.T) {
	w := pricedWorld(t)
	w.quoted(showBody("show-t2", 1)).problem(t, http.StatusUnprocessableEntity, ticketing.CodeWindowClosed)
	w.submit(keyed(1), showBody("show-t2", 1, withCode("access_code", "guess"))).problem(t, http.StatusUnprocessableEntity, ticketing.CodeWindowClosed)
	require.Equal(t, http.StatusOK, w.quoted(showBody("show-t2", 1, withCode("access_code", "members"))).status)
	require.Equal(t, http.StatusCreated, w.submit(keyed(2), showBody("show-t2", 1, withCode("access_code", "members"))).status)
}

// Before the sale many look again and again whether it has begun, with the code they have.
func TestAGoodCodeForSomethingElseIsNoGuess(t *testing.T) {
	w := pricedWorld(t)
	later := storetest.Event("later", 20, 20)
	for i := range later.Sessions[0].TicketTypes {
		later.Sessions[0].TicketTypes[i].SaleFrom = time.Now().Add(time.Hour)
	}
	storetest.Seed(t, w.database(), later)
	require.NoError(t, w.database().PutPresales(t.Context(), "SECOND",
		ticketing.Presale{TicketTypeID: "later-t2", From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}))
	eventually(t, "it is listed", func() bool { return w.get("/api/v1/sessions/later-s1").status == http.StatusOK })
	first := func(code string) answer {
		return w.quoted(showBody("later-t1", 1, withCode("session_id", "later-s1"), withCode("access_code", code)))
	}
	for range 30 {
		first("second").problem(t, http.StatusUnprocessableEntity, ticketing.CodeWindowClosed)
	}
	slowed := 0
	for range 15 {
		if first("guess").status == http.StatusTooManyRequests {
			slowed++
		}
	}
	require.GreaterOrEqual(t, slowed, 4)
}

func TestGuessingCodesIsSlowedAndAnsweredAlike(t *testing.T) {
	w := pricedWorld(t)
	code := func(code string) map[string]any { return showBody("show-t1", 1, withCode("vouchers", []string{code})) }
	w.quoted(code("MUCH")).problem(t, http.StatusUnprocessableEntity, ticketing.CodeVoucherMinimum)
	w.submit(keyed(3), code("MUCH")).problem(t, http.StatusUnprocessableEntity, ticketing.CodeVoucherMinimum)
	w.submit(keyed(4), code("guess")).problem(t, http.StatusUnprocessableEntity, ticketing.CodeVoucherInvalid)
	for range 30 { // a good one costs nothing, however often it is asked for
		require.Equal(t, http.StatusOK, w.quoted(code("WELCOME10")).status)
	}
	slowed := 0
	for range 15 {
		a := w.quoted(code("guess"))
		if a.status == http.StatusTooManyRequests {
			a.problem(t, http.StatusTooManyRequests, "rate_limited")
			require.NotEmpty(t, a.header.Get("Retry-After"))
			slowed++
			continue
		}
		a.problem(t, http.StatusUnprocessableEntity, ticketing.CodeVoucherInvalid)
	}
	require.GreaterOrEqual(t, slowed, 4)
	w.quoted(code("WELCOME10")).problem(t, http.StatusTooManyRequests, "rate_limited")
	w.submit(keyed(1), code("guess")).problem(t, http.StatusTooManyRequests, "rate_limited")
	require.Equal(t, http.StatusCreated, w.submit(keyed(2), showBody("show-t1", 1)).status, "buying without codes goes on")
	for _, bad := range []any{[]string{""}, []string{"1", "2", "3", "4", "5", "6"}} {
		body := showBody("show-t1", 1, withCode("vouchers", bad))
		delete(body, "buyer")
		w.do(call{method: http.MethodPost, path: "/api/v1/quotes", body: body}).problem(t, http.StatusUnprocessableEntity, ticketing.CodeInvalid)
	}
}
