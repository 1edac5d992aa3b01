package api_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/ticketing"
)

type listing struct {
	Events []struct {
		ID        string
		Available int
		PriceFrom ticketing.Money `json:"price_from"`
	}
	NextCursor string `json:"next_cursor"`
}

func (w *world) list(query string) []string {
	w.t.Helper()
	a := w.get("/api/v1/events" + query)
	require.Equal(w.t, http.StatusOK, a.status, string(a.body))
	var l listing
	a.decode(w.t, &l)
	ids := []string{}
	for _, e := range l.Events {
		ids = append(ids, e.ID)
	}
	return ids
}

func TestListingIsFilteredSortedAndPaged(t *testing.T) {
	w := newWorld(t)
	day := programme()[0].Sessions[0].StartsAt.Format("2006-01-02")
	for query, want := range map[string][]string{
		"":                               {"film", "hamlet", "concert", "match"},
		"?city=shanghai":                 {"film", "hamlet"},
		"?city=" + url.QueryEscape("北京"): {"concert", "match"},
		"?venue=v1":                      {"film", "hamlet"},
		"?venue=house+BEIJING":           {"concert", "match"},
		"?venue=v1&city=beijing":         {},
		"?kind=theatre":                  {"hamlet"},
		"?q=final+beijing":               {"match"},
		"?q=HAML":                        {"hamlet"},
		"?q=" + url.QueryEscape("哈姆"):    {"hamlet"},
		"?q=city+stage&kind=sport":       {"match"},
		"?q=nothing":                     {},
		"?from=" + day + "&to=" + day:    {"hamlet"},
		"?from=2100-01-01T00:00:00Z":     {},
		"?limit=1":                       {"film"},
	} {
		require.Equal(t, want, w.list(query), query)
	}
	var seen []string
	query := "?limit=3"
	for range 2 {
		var l listing
		w.get("/api/v1/events"+query).decode(t, &l)
		for _, e := range l.Events {
			seen = append(seen, e.ID)
		}
		query = "?limit=3&cursor=" + l.NextCursor
	}
	require.Equal(t, []string{"film", "hamlet", "concert", "match"}, seen)
}

func TestCitiesAreThoseOfWhatIsListed(t *testing.T) {
	w := newWorld(t)
	var l struct{ Cities []ticketing.Text }
	w.get("/api/v1/cities").decode(t, &l)
	require.Equal(t, []ticketing.Text{{"en": "Beijing", "zh-CN": "北京"}, {"en": "Shanghai", "zh-CN": "上海"}}, l.Cities)
	tag := w.get("/api/v1/cities").header.Get("ETag")
	require.NotEmpty(t, tag)
	require.Equal(t, http.StatusNotModified, w.do(call{method: http.MethodGet, path: "/api/v1/cities", header: map[string]string{"If-None-Match": tag}}).status)
}

func TestListingRefusesWhatItCannotRead(t *testing.T) {
	w := newWorld(t)
	for _, query := range []string{
		"from=yesterday", "to=1", "kind=opera", "limit=0", "limit=1000", "limit=x", "cursor=%21", "cursor=YWJj",
		"q=%00", "q=%ff", "venue=" + strings.Repeat("x", 101),
		"cursor=" + base64.RawURLEncoding.EncodeToString([]byte("9223372036854775807|0|film")), "cursor=" + base64.RawURLEncoding.EncodeToString([]byte("0|0|\x00")),
	} {
		w.do(call{method: http.MethodGet, path: "/api/v1/events?" + query}).problem(t, 422, ticketing.CodeInvalid)
	}
}

func TestEventShowsPricesNowAndWhatIsFree(t *testing.T) {
	w := newWorld(t)
	a := w.get("/api/v1/events/hamlet")
	require.Equal(t, 200, a.status)
	var e struct {
		HoldSeconds int             `json:"hold_seconds"`
		OrderFee    ticketing.Money `json:"order_fee"`
		Sessions    []struct {
			TicketTypes []struct {
				ID        string
				Price     ticketing.Money
				BasePrice ticketing.Money `json:"base_price"`
				OnSale    bool            `json:"on_sale"`
				Available int
				Phase     *struct{ Name ticketing.Text }
			} `json:"ticket_types"`
		}
	}
	a.decode(t, &e)
	require.Equal(t, 900, e.HoldSeconds)
	require.Equal(t, int64(300), e.OrderFee.Amount)
	stalls := e.Sessions[0].TicketTypes[0]
	require.Equal(t, ticketing.Money{Amount: 30500, Currency: "CNY"}, stalls.Price)
	require.Equal(t, "早鸟", stalls.Phase.Name["zh-CN"])
	require.True(t, stalls.OnSale)
	require.Equal(t, 400, stalls.Available)

	require.Equal(t, 200, w.get("/api/v1/sessions/hamlet-1").status)
	require.Equal(t, 200, w.get("/api/v1/sessions/hamlet-1/availability").status)
}

func TestUnknownPlacesAreNotFound(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/api/v1/events/none", "/api/v1/sessions/none", "/api/v1/sessions/none/availability", "/api/v1/nothing", "/api", "/api/v1/events/"} {
		w.do(call{method: http.MethodGet, path: path}).problem(t, 404, ticketing.CodeNotFound)
	}
	w.do(call{method: http.MethodGet, path: "/api/v1/sessions/none/availability", header: map[string]string{"Accept": "text/event-stream"}}).problem(t, 404, ticketing.CodeNotFound)
}

func TestHotReadsAreTagged(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/api/v1/events", "/api/v1/cities", "/api/v1/events/hamlet", "/api/v1/sessions/hamlet-1", "/api/v1/sessions/hamlet-1/availability"} {
		first := w.get(path)
		tag := first.header.Get("ETag")
		require.NotEmpty(t, tag)
		again := w.do(call{method: http.MethodGet, path: path, header: map[string]string{"If-None-Match": tag}, valid: true})
		require.Equal(t, http.StatusNotModified, again.status)
		require.Empty(t, again.body)
		head := w.do(call{method: http.MethodHead, path: path})
		require.Equal(t, 200, head.status)
		require.Empty(t, head.body)
	}
}

func TestQuoteBreaksThePriceDown(t *testing.T) {
	w := newWorld(t)
	quote := func(body any) answer {
		return w.do(call{method: http.MethodPost, path: "/api/v1/quotes", body: body})
	}
	ask := func(session, ticketType string, n int) map[string]any {
		return map[string]any{"session_id": session, "lines": []any{map[string]any{"ticket_type_id": ticketType, "quantity": n}}}
	}
	a := w.do(call{method: http.MethodPost, path: "/api/v1/quotes", body: ask("hamlet-1", "hamlet-1-stalls", 2), valid: true})
	require.Equal(t, 200, a.status)
	var q struct {
		Total ticketing.Money
		Lines []struct{ Amount ticketing.Money }
	}
	a.decode(t, &q)
	require.Equal(t, int64(61300), q.Total.Amount)
	require.Equal(t, int64(61000), q.Lines[0].Amount.Amount)
	quote(ask("none", "x", 1)).problem(t, 404, ticketing.CodeNotFound)
	quote(ask("concert-1", "concert-1-floor", 1)).problem(t, 409, ticketing.CodeNotOnSale)
	quote(ask("match-1", "match-1-stand", 1)).problem(t, 422, ticketing.CodeWindowClosed)
	quote(ask("hamlet-1", "hamlet-1-stalls", 5)).problem(t, 422, ticketing.CodeLimitExceeded)
	require.Equal(t, "/lines/0/ticket_type_id", quote(ask("hamlet-1", "other", 1)).problem(t, 422, ticketing.CodeInvalid).Field)
}
