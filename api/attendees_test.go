package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// namedWorld is a world with a show that wants to know who attends until the day before.
func namedWorld(t testing.TB) *world {
	t.Helper()
	w := newWorld(t)
	event := storetest.Event("show", 20, 20)
	event.RealNames = ticketing.RealNames{Need: ticketing.RealNamesRequired, ChangeBefore: 24 * time.Hour}
	storetest.Seed(t, w.database(), event)
	eventually(t, "the show is listed", func() bool { return w.get("/api/v1/sessions/show-s1").status == http.StatusOK })
	return w
}

func someone(name, number string) map[string]any {
	return map[string]any{"name": name, "document_type": "resident_id", "document_number": number}
}

// Numbers in the form of GB 11643, with their check digits.
const (
	zhang = "11010519491231002X"
	lin   = "810000199408230021"
)

type attended struct {
	placed
	Attendees []map[string]string
	RealNames *struct {
		Need        string
		ChangeUntil time.Time `json:"change_until"`
	} `json:"real_names"`
	Tickets []struct {
		ID       string
		Attendee map[string]string
	}
}

func TestTicketsForNamedPeople(t *testing.T) {
	w := namedWorld(t)
	var page struct {
		Session struct {
			StartsAt  time.Time `json:"starts_at"`
			RealNames struct {
				Need        string
				ChangeUntil time.Time `json:"change_until"`
			} `json:"real_names"`
		}
	}
	w.get("/api/v1/sessions/show-s1").decode(t, &page)
	require.Equal(t, "required", page.Session.RealNames.Need)
	require.Equal(t, page.Session.StartsAt.Add(-24*time.Hour), page.Session.RealNames.ChangeUntil)

	body := func(attendees ...map[string]any) map[string]any {
		return showBody("show-t1", 2, withCode("attendees", attendees))
	}
	missing := w.submit(keyed(1), showBody("show-t1", 2)).problem(t, http.StatusUnprocessableEntity, ticketing.CodeAttendeesRequired)
	require.Equal(t, "/attendees/0", missing.Field)
	missing = w.submit(keyed(1), body(someone("张三", zhang))).problem(t, http.StatusUnprocessableEntity, ticketing.CodeAttendeesRequired)
	require.Equal(t, "/attendees/1", missing.Field)
	wrong := w.submit(keyed(1), body(someone("张三", zhang), someone("林", lin[:17]+"2"))).problem(t, http.StatusUnprocessableEntity, ticketing.CodeInvalid)
	require.Equal(t, "/attendees/1/document_number", wrong.Field)
	require.NotContains(t, wrong.Detail, lin[:17])
	twice := w.submit(keyed(1), body(someone("张三", zhang), someone("张三", zhang))).problem(t, http.StatusConflict, ticketing.CodeAttendeeTaken)
	require.Equal(t, "/attendees/1/document_number", twice.Field)
	require.Equal(t, "/attendees", w.submit(keyed(2), orderBody(withCode("attendees", []map[string]any{someone("张三", zhang)}))).
		problem(t, http.StatusUnprocessableEntity, ticketing.CodeAttendeesUnwanted).Field)

	first := w.submit(keyed(1), body(someone(" 张三 ", "１１０１０５ 1949 1231 002x"), someone("Lin Mei", lin)))
	require.Equal(t, http.StatusCreated, first.status, string(first.body))
	var order attended
	first.decode(t, &order)
	require.Equal(t, []map[string]string{
		{"name": "张*", "document_type": "resident_id", "document_number": "110***********002X"},
		{"name": "L** M**", "document_type": "resident_id", "document_number": "810***********0021"},
	}, order.Attendees)
	require.Equal(t, page.Session.RealNames.ChangeUntil, order.RealNames.ChangeUntil)
	// However they are written, they are the same order.
	require.Equal(t, steady(first), steady(w.submit(keyed(1), body(someone("张三", zhang), someone("Lin  Mei", lin)))))
	w.submit(keyed(1), body(someone("张三", zhang), someone("林梅", lin))).problem(t, http.StatusUnprocessableEntity, ticketing.CodeKeyReused)
	taken := w.submit(keyed(3), body(someone("Somebody", "E1"), someone("张", zhang)))
	require.Equal(t, http.StatusUnprocessableEntity, taken.status)
	told := w.submit(keyed(3), showBody("show-t2", 1, withCode("attendees", []map[string]any{someone("Other", lin)}))).
		problem(t, http.StatusConflict, ticketing.CodeAttendeeTaken)
	require.Equal(t, "/attendees/0/document_number", told.Field)
	require.NotContains(t, told.Detail, "Lin")
	for _, secret := range []string{zhang, lin, "张三", "Lin Mei"} {
		require.NotContains(t, w.log.String(), secret)
		require.NotContains(t, string(w.do(call{method: http.MethodGet, path: "/api/v1/orders/" + order.ID, token: order.Token}).body), secret)
	}
}

// boughtBy pays for a ticket of the show for somebody.
func (w *world) boughtBy(key int, attendee map[string]any) attended {
	w.t.Helper()
	a := w.submit(keyed(key), showBody("show-t1", 1, withCode("attendees", []map[string]any{attendee})))
	require.Equal(w.t, http.StatusCreated, a.status, string(a.body))
	var order attended
	a.decode(w.t, &order)
	w.paidBy(order.placed, "sandbox_card")
	order.Attendees = nil
	w.do(call{method: http.MethodGet, path: "/api/v1/orders/" + order.ID, token: order.Token, valid: true}).decode(w.t, &order)
	require.Len(w.t, order.Tickets, 1)
	return order
}

func TestAnAttendeeIsChangedOverTheAPI(t *testing.T) {
	w := namedWorld(t)
	order := w.boughtBy(1, someone("张三", zhang))
	require.Equal(t, "110***********002X", order.Tickets[0].Attendee["document_number"])
	change := func(o attended, body any) answer {
		return w.do(call{method: http.MethodPut, path: "/api/v1/orders/" + o.ID + "/tickets/" + o.Tickets[0].ID + "/attendee", token: o.Token, body: body})
	}
	var now attended
	a := change(order, someone("Lin Mei", lin))
	require.Equal(t, http.StatusOK, a.status, string(a.body))
	a.decode(t, &now)
	require.Equal(t, map[string]string{"name": "L** M**", "document_type": "resident_id", "document_number": "810***********0021"}, now.Tickets[0].Attendee)
	events := w.do(call{method: http.MethodGet, path: "/api/v1/orders/" + order.ID + "/events", token: order.Token, valid: true})
	require.Contains(t, string(events.body), `"kind":"attendee_changed"`)
	require.NotContains(t, string(events.body), lin)

	other := w.boughtBy(2, someone("张三", zhang))
	require.Equal(t, "/document_number", change(other, someone("Lin", lin)).problem(t, http.StatusConflict, ticketing.CodeAttendeeTaken).Field)
	require.Equal(t, "/document_number", change(other, someone("Lin", lin[:17]+"2")).problem(t, http.StatusUnprocessableEntity, ticketing.CodeInvalid).Field)
	require.Equal(t, "/name", change(other, someone("", lin)).problem(t, http.StatusUnprocessableEntity, ticketing.CodeInvalid).Field)
	change(other, "{").problem(t, http.StatusBadRequest, "malformed")
	w.tooLarge(call{
		method: http.MethodPut, path: "/api/v1/orders/" + other.ID + "/tickets/x/attendee", token: other.Token, body: "{}" + strings.Repeat(" ", 70_000),
	})
	w.do(call{
		method: http.MethodPut, path: "/api/v1/orders/" + other.ID + "/tickets/x/attendee", token: other.Token, body: "{}",
		header: map[string]string{"Content-Type": "text/plain"},
	}).problem(t, http.StatusUnsupportedMediaType, "unsupported_media_type")
	w.do(call{
		method: http.MethodPut, path: "/api/v1/orders/" + other.ID + "/tickets/x/attendee", token: other.Token, body: "{}",
		header: map[string]string{"Content-Encoding": "gzip"},
	}).problem(t, http.StatusUnsupportedMediaType, "encoding_refused")
	for _, ticket := range []string{order.Tickets[0].ID, "x", strings.Repeat("x", 100)} {
		w.do(call{method: http.MethodPut, path: "/api/v1/orders/" + other.ID + "/tickets/" + ticket + "/attendee", token: other.Token, body: someone("张三", zhang), valid: true}).
			problem(t, http.StatusNotFound, ticketing.CodeNotFound)
	}
	w.do(call{method: http.MethodPut, path: "/api/v1/orders/" + other.ID + "/tickets/x/attendee", token: order.Token, body: someone("张三", zhang)}).
		problem(t, http.StatusUnauthorized, "unauthorized")
	w.store.down.Store(true)
	change(other, someone("Lin", lin)).problem(t, http.StatusServiceUnavailable, "unavailable")
	w.store.down.Store(false)
	var quote refundQuote
	w.quoteRefund(other.placed).decode(t, &quote)
	require.Equal(t, http.StatusCreated, w.refund(other.placed, keyed(3), quote.Amount.Amount).status)
	change(other, someone("张三", zhang)).problem(t, http.StatusConflict, ticketing.CodeAttendeeFixed)
}

func TestAskingForPeopleOneAfterAnotherIsSlowed(t *testing.T) {
	w := namedWorld(t)
	w.boughtBy(1, someone("张三", zhang))
	order := w.boughtBy(2, someone("Lin", lin))
	change := func(number string) answer {
		return w.do(call{
			method: http.MethodPut, path: "/api/v1/orders/" + order.ID + "/tickets/" + order.Tickets[0].ID + "/attendee", token: order.Token,
			body: someone("Somebody", number), valid: true,
		})
	}
	for i := range 20 { // one's own tickets may be changed as often as one likes
		permit := map[string]any{"name": "Lin", "document_type": "taiwan_permit", "document_number": fmt.Sprintf("%08d", i)}
		require.Equal(t, http.StatusOK, w.do(call{
			method: http.MethodPut, path: "/api/v1/orders/" + order.ID + "/tickets/" + order.Tickets[0].ID + "/attendee", token: order.Token, body: permit, valid: true,
		}).status)
	}
	slowed := false
	for range 20 {
		if a := change(zhang); a.status == http.StatusTooManyRequests {
			a.problem(t, http.StatusTooManyRequests, "rate_limited")
			slowed = true
		} else {
			a.problem(t, http.StatusConflict, ticketing.CodeAttendeeTaken)
		}
	}
	require.True(t, slowed)
}
