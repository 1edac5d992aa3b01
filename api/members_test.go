package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// clubWorld is a world with a show whose organiser has a programme: a yuan is a point, friends have 5 % off from 200 points on, patrons
// 10 % from 900 and buy a day before everybody else. Its second ticket type is on sale in ten hours.
func clubWorld(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	event := storetest.Event("show", 40, 40)
	event.Sessions[0].TicketTypes[1].SaleFrom = time.Now().Add(10 * time.Hour)
	storetest.Seed(t, w.database(), event)
	name := func(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }
	require.NoError(t, w.database().PutProgramme(t.Context(), ticketing.Programme{
		ID: "club", OrganiserID: "organiser", Name: name("Club", "会员"), Currency: "CNY", SpendPerPoint: 100,
		Levels: []ticketing.Level{
			{Name: name("Friend", "朋友"), Points: 200, DiscountBasisPoints: 500},
			{Name: name("Patron", "赞助人"), Points: 900, DiscountBasisPoints: 1000, LeadHours: 24, ExtraTickets: 2},
		},
	}))
	eventually(t, "the show is listed", func() bool {
		return strings.Contains(string(w.get("/api/v1/sessions/show-s1").body), `"membership"`)
	})
	return w
}

type level struct {
	Name   ticketing.Text
	Points int64
}

type clubOrder struct {
	priced
	Member *struct {
		Programme, Level ticketing.Text
		Discount         ticketing.Money
		ExtraTickets     int `json:"extra_tickets"`
	}
	Membership *struct {
		ProgrammeID string `json:"programme_id"`
		Programme   ticketing.Text
		Earned      int64
		Code        string
		Points      *int64
		Level, Next *level
	}
}

func (w *world) club(o placed) clubOrder {
	w.t.Helper()
	var now clubOrder
	w.do(call{method: http.MethodGet, path: "/api/v1/orders/" + o.ID, token: o.Token, valid: true}).decode(w.t, &now)
	return now
}

// bought submits an order and pays it.
func (w *world) clubBuys(key string, body any) (placed, clubOrder) {
	w.t.Helper()
	a := w.submit(key, body)
	require.Equal(w.t, http.StatusCreated, a.status, string(a.body))
	var o placed
	a.decode(w.t, &o)
	w.paidBy(o, "sandbox_card")
	return o, w.club(o)
}

func TestAMemberJoinsEarnsAndPaysLess(t *testing.T) {
	w := clubWorld(t)
	var page struct {
		Event struct {
			Membership struct {
				ID            string
				Name          ticketing.Text
				SpendPerPoint ticketing.Money `json:"spend_per_point"`
				Levels        []ticketing.Level
			}
		}
		Session struct {
			TicketTypes []struct {
				MembersFrom *time.Time `json:"members_from"`
				SaleFrom    time.Time  `json:"sale_from"`
			} `json:"ticket_types"`
		}
	}
	w.get("/api/v1/sessions/show-s1").decode(t, &page)
	club := page.Event.Membership
	require.Equal(t, "会员", club.Name["zh-CN"])
	require.Equal(t, yuan(100), club.SpendPerPoint)
	require.Equal(t, 24, club.Levels[1].LeadHours)
	types := page.Session.TicketTypes
	require.Nil(t, types[0].MembersFrom)
	require.Equal(t, types[1].SaleFrom.Add(-24*time.Hour), *types[1].MembersFrom)

	held := w.submit(keyed(1), showBody("show-t1", 2, withCode("join", true)))
	require.NotContains(t, string(held.body), `"membership"`, "nobody is a member before paying")
	w.submit(keyed(1), showBody("show-t1", 2)).problem(t, http.StatusUnprocessableEntity, ticketing.CodeKeyReused)
	first, joined := w.clubBuys(keyed(1), showBody("show-t1", 2, withCode("join", true)))
	m := joined.Membership
	require.Equal(t, "Club", m.Programme["en"])
	require.Equal(t, club.ID, m.ProgrammeID)
	require.Equal(t, int64(210), m.Earned)
	require.Equal(t, int64(210), *m.Points)
	require.Equal(t, level{ticketing.Text{"en": "Friend", "zh-CN": "朋友"}, 200}, *m.Level)
	require.Equal(t, int64(900), m.Next.Points)

	body := func() map[string]any {
		return showBody("show-t1", 7, withCode("member_code", strings.ToLower(m.Code)))
	}
	var quote clubOrder
	w.quoted(body()).decode(t, &quote)
	require.Equal(t, "Friend", quote.Member.Level["en"])
	require.Equal(t, yuan(3675), quote.Member.Discount)
	require.Equal(t, yuan(3675), quote.Lines[0].Discount)
	order := body()
	order["expected_total"] = quote.Total
	placedAs := w.submit(keyed(2), order)
	_, second := w.clubBuys(keyed(2), order)
	require.Equal(t, quote.Total, second.Total)
	require.Equal(t, quote.Member, second.Member)
	require.Equal(t, m.Code, second.Membership.Code)
	// 698.25 more: a patron.
	require.Equal(t, int64(210+698), *second.Membership.Points)
	require.Equal(t, "Patron", second.Membership.Level.Name["en"])
	require.Nil(t, second.Membership.Next)
	require.NotContains(t, string(placedAs.body), `"membership"`)
	require.NotContains(t, strings.ToLower(w.log.String()), strings.ToLower(m.Code))

	// Without the code only what the order made is told.
	_, third := w.clubBuys(keyed(3), showBody("show-t1", 1, withCode("join", true)))
	require.Equal(t, int64(105), third.Membership.Earned)
	require.Empty(t, third.Membership.Code)
	require.Nil(t, third.Membership.Points)
	require.Nil(t, third.Membership.Level)

	// Half of the first order goes back, and its points do.
	require.Equal(t, http.StatusCreated, w.refund(first, keyed(9), 9450, first.ID+"-001").status)
	require.Equal(t, int64(105), w.club(first).Membership.Earned)
}

func TestAMemberBuysBeforeTheSale(t *testing.T) {
	w := clubWorld(t)
	early := func(code string) map[string]any { return showBody("show-t2", 1, withCode("member_code", code)) }
	w.quoted(showBody("show-t2", 1)).problem(t, http.StatusUnprocessableEntity, ticketing.CodeWindowClosed)
	_, friend := w.clubBuys(keyed(1), showBody("show-t1", 4, withCode("join", true)))
	code := friend.Membership.Code
	w.submit(keyed(2), early(code)).problem(t, http.StatusUnprocessableEntity, ticketing.CodeWindowClosed)
	for range 30 { // to look whether the sale has begun is no guess
		w.quoted(early(code)).problem(t, http.StatusUnprocessableEntity, ticketing.CodeWindowClosed)
	}
	w.clubBuys(keyed(3), showBody("show-t1", 5, withCode("member_code", code)))
	var quote clubOrder
	w.quoted(early(code)).decode(t, &quote)
	require.Equal(t, 2, quote.Member.ExtraTickets)
	require.Equal(t, http.StatusCreated, w.submit(keyed(4), early(code)).status)
}

func TestAMemberCodeThatIsNoGoodIsAnsweredLikeAVoucher(t *testing.T) {
	w := clubWorld(t)
	_, joined := w.clubBuys(keyed(1), showBody("show-t1", 2, withCode("join", true)))
	code := joined.Membership.Code
	with := func(code string) func(map[string]any) { return withCode("member_code", code) }
	unknown := w.quoted(showBody("show-t1", 1, with("GUESS"))).problem(t, http.StatusUnprocessableEntity, ticketing.CodeVoucherInvalid)
	require.Equal(t, "/member_code", unknown.Field)
	other := showBody("show-t1", 1, with(code), withCode("buyer", map[string]any{"name": "Eve", "email": "eve@example.com"}))
	stolen := w.submit(keyed(2), other).problem(t, http.StatusUnprocessableEntity, ticketing.CodeVoucherInvalid)
	foreign := w.quoted(orderBody(with(code))).problem(t, http.StatusUnprocessableEntity, ticketing.CodeVoucherInvalid)
	require.Equal(t, unknown.Detail, stolen.Detail)
	require.Equal(t, unknown.Detail, foreign.Detail)
	w.do(call{method: http.MethodPost, path: "/api/v1/orders", header: map[string]string{"Idempotency-Key": keyed(3)}, body: showBody("show-t1", 1, with(strings.Repeat("X", 65)))}).
		problem(t, http.StatusUnprocessableEntity, ticketing.CodeInvalid)
	slowed := 0
	for range 15 {
		if w.quoted(showBody("show-t1", 1, with("GUESS"))).status == http.StatusTooManyRequests {
			slowed++
		}
	}
	require.GreaterOrEqual(t, slowed, 4)
}
