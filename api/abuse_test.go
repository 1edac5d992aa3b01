package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
	"github.com/boxoffice/boxoffice/ticketing"
)

// TestHazard31BadBodies sends what a careless or hostile client would.
func TestHazard31BadBodies(t *testing.T) {
	w := newWorld(t)
	const good = `{"session_id":"hamlet-1","lines":[{"ticket_type_id":"hamlet-1-stalls","quantity":1}],"buyer":{"name":"Ada","email":"ada@example.com"}`
	line := func(quantity string) string {
		return `{"session_id":"hamlet-1","lines":[{"ticket_type_id":"hamlet-1-stalls","quantity":` + quantity + `}],"buyer":{"name":"Ada","email":"ada@example.com"}}`
	}
	buyer := func(b string) string {
		return `{"session_id":"hamlet-1","lines":[{"ticket_type_id":"hamlet-1-stalls","quantity":1}],"buyer":` + b + `}`
	}
	lines := func(l string) string {
		return `{"session_id":"hamlet-1","lines":` + l + `,"buyer":{"name":"Ada","email":"ada@example.com"}}`
	}
	for name, c := range map[string]struct {
		body   string
		status int
		code   ticketing.Code
		field  string
	}{
		"nothing":             {"", 400, "malformed", ""},
		"not JSON":            {"quantity=1", 400, "malformed", ""},
		"cut off":             {good, 400, "malformed", ""},
		"trailing data":       {good + `}{}`, 400, "malformed", ""},
		"trailing letter":     {good + `}x`, 400, "malformed", ""},
		"a list":              {`[]`, 422, "invalid", ""},
		"a word":              {`"order"`, 422, "invalid", ""},
		"null":                {`null`, 422, "invalid", ""},
		"unknown field":       {good + `,"coupon":"X"}`, 422, "invalid", "/coupon"},
		"unknown inner field": {buyer(`{"name":"Ada","email":"ada@example.com","role":"admin"}`), 422, "invalid", "/buyer/role"},
		"other capitals":      {strings.Replace(good, `"session_id"`, `"Session_ID"`, 1) + `}`, 422, "invalid", "/Session_ID"},
		"duplicate key":       {good + `,"session_id":"match-1"}`, 400, "malformed", "/session_id"},
		"duplicate inner key": {buyer(`{"name":"Ada","email":"ada@example.com","name":"Bob"}`), 400, "malformed", "/buyer/name"},
		"null field":          {good + `,"expected_total":null}`, 422, "invalid", "/expected_total"},
		"null list":           {lines("null"), 422, "invalid", "/lines"},
		"not UTF-8":           {buyer("{\"name\":\"A\xff\",\"email\":\"ada@example.com\"}"), 400, "malformed", "/buyer/name"},
		"lone surrogate":      {buyer(`{"name":"\ud800","email":"ada@example.com"}`), 400, "malformed", "/buyer/name"},
		"deep":                {strings.Repeat(`[`, 5000), 400, "malformed", ""},
		"string quantity":     {line(`"2"`), 422, "invalid", "/lines/0/quantity"},
		"fraction":            {line(`1.5`), 422, "invalid", "/lines/0/quantity"},
		"negative":            {line(`-1`), 422, "invalid", "/lines/0/quantity"},
		"zero":                {line(`0`), 422, "invalid", "/lines/0/quantity"},
		"absurd":              {line(`1000000000`), 422, "invalid", "/lines/0/quantity"},
		"overflowing":         {line(`99999999999999999999999`), 422, "invalid", "/lines/0/quantity"},
		"exponent":            {line(`1e400`), 422, "invalid", "/lines/0/quantity"},
		"boolean quantity":    {line(`true`), 422, "invalid", "/lines/0/quantity"},
		"no lines":            {lines(`[]`), 422, "invalid", "/lines"},
		"lines an object":     {lines(`{}`), 422, "invalid", "/lines"},
		"too many lines":      {lines(`[` + strings.TrimSuffix(strings.Repeat(`{"ticket_type_id":"x","quantity":1},`, 21), ",") + `]`), 422, "invalid", "/lines"},
		"same type twice":     {lines(`[{"ticket_type_id":"hamlet-1-stalls","quantity":1},{"ticket_type_id":"hamlet-1-stalls","quantity":1}]`), 422, "invalid", "/lines/1/ticket_type_id"},
		"no session":          {`{"lines":[],"buyer":{"name":"Ada","email":"ada@example.com"}}`, 422, "invalid", "/session_id"},
		"long session":        {strings.Replace(good, "hamlet-1", strings.Repeat("x", 65), 1) + `}`, 422, "invalid", "/session_id"},
		"no buyer":            {`{"session_id":"hamlet-1","lines":[]}`, 422, "invalid", "/buyer/name"},
		"blank name":          {buyer(`{"name":"  ","email":"ada@example.com"}`), 422, "invalid", "/buyer/name"},
		"long name":           {buyer(`{"name":"` + strings.Repeat("字", 101) + `","email":"ada@example.com"}`), 422, "invalid", "/buyer/name"},
		"name with line feed": {buyer(`{"name":"Ada\r\nBcc: x@example.com","email":"ada@example.com"}`), 422, "invalid", "/buyer/name"},
		"name turned around":  {buyer(`{"name":"Ada\u202e","email":"ada@example.com"}`), 422, "invalid", "/buyer/name"},
		"no mail":             {buyer(`{"name":"Ada"}`), 422, "invalid", "/buyer/email"},
		"mail with a name":    {buyer(`{"name":"Ada","email":"Ada <ada@example.com>"}`), 422, "invalid", "/buyer/email"},
		"two mails":           {buyer(`{"name":"Ada","email":"a@example.com,b@example.com"}`), 422, "invalid", "/buyer/email"},
		"mail without domain": {buyer(`{"name":"Ada","email":"ada@localhost"}`), 422, "invalid", "/buyer/email"},
		"mail with a header":  {buyer(`{"name":"Ada","email":"ada@example.com\nBcc:x@example.com"}`), 422, "invalid", "/buyer/email"},
		"long mail":           {buyer(`{"name":"Ada","email":"ada@` + strings.Repeat("example.", 40) + `com"}`), 422, "invalid", "/buyer/email"},
		"bad phone":           {buyer(`{"name":"Ada","email":"ada@example.com","phone":"12"}`), 422, "invalid", "/buyer/phone"},
		"phone without code":  {buyer(`{"name":"Ada","email":"ada@example.com","phone":"13800138000"}`), 422, "invalid", "/buyer/phone"},
		"unknown language":    {good + `,"language":"fr"}`, 422, "invalid", "/language"},
		"negative total":      {good + `,"expected_total":{"amount":-1,"currency":"CNY"}}`, 422, "invalid", "/expected_total"},
		"total in no money":   {good + `,"expected_total":{"amount":1,"currency":"yuan"}}`, 422, "invalid", "/expected_total"},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.do(call{method: "POST", path: "/api/v1/orders", body: c.body, header: map[string]string{"Idempotency-Key": keyed(1)}}).problem(t, c.status, c.code)
			if c.field != "" {
				require.Equal(t, c.field, p.Field)
			}
			require.NotContains(t, p.Detail, "ada@", "personal data is not repeated")
			require.NotEmpty(t, p.Detail)
		})
	}
	require.Zero(t, w.purchases.starts.Load())
	require.Equal(t, 400, w.freeStalls())
}

// TestHazard31BadBodiesEverywhere sends the same few to every operation that reads a body.
func TestHazard31BadBodiesEverywhere(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	for _, path := range []string{"/api/v1/quotes", "/api/v1/orders", "/api/v1/orders/" + o.ID + "/payments", "/api/v1/orders/" + o.ID + "/cancel", "/api/v1/orders/" + o.ID + "/refund-quotes", "/api/v1/orders/" + o.ID + "/refunds"} {
		send := func(body any, header ...string) answer {
			h := map[string]string{"Idempotency-Key": keyed(2)}
			for i := 0; i+1 < len(header); i += 2 {
				h[header[i]] = header[i+1]
			}
			return w.do(call{method: "POST", path: path, token: o.Token, body: body, header: h})
		}
		send("{").problem(t, 400, "malformed")
		require.Equal(t, "/x", send(`{"x":1}`).problem(t, 422, ticketing.CodeInvalid).Field)
		send("{}", "Content-Type", "text/plain").problem(t, 415, "unsupported_media_type")
		send("{}", "Content-Type", "application/x-www-form-urlencoded").problem(t, 415, "unsupported_media_type")
		send("{}", "Content-Type", "application/json; charset=gbk").problem(t, 415, "unsupported_media_type")
		send("{}", "Content-Type", "multipart/form-data; boundary=x").problem(t, 415, "unsupported_media_type")
		send(bomb(t), "Content-Encoding", "gzip").problem(t, 415, "encoding_refused")
		w.tooLarge(call{method: "POST", path: path, token: o.Token, body: bytes.Repeat([]byte{' '}, 65<<10)})
	}
	require.Equal(t, "PENDING", w.read(o).State)
}

// bomb is a small body that would unpack to 64 MiB.
func bomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := io.CopyN(z, zeros{}, 64<<20)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.Less(t, out.Len(), 65<<10)
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestHazard31MemoryStaysBounded: bombs and huge bodies cost about what was sent, not what they claim.
func TestHazard31MemoryStaysBounded(t *testing.T) {
	w := newWorld(t)
	packed, huge := bomb(t), bytes.Repeat([]byte{' '}, 1<<20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 50 {
		w.do(call{method: "POST", path: "/api/v1/callbacks/sandbox", body: packed, header: map[string]string{"Content-Encoding": "gzip"}}).problem(t, 415, "encoding_refused")
		a, err := w.try(call{method: "POST", path: "/api/v1/callbacks/sandbox", body: huge})
		if err == nil { // else the server hung up while we were still sending, which is as good
			a.problem(t, 413, "body_too_large")
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(32<<20))
	// A callback may be larger than other bodies.
	w.do(call{method: "POST", path: "/api/v1/callbacks/sandbox", body: huge[:200<<10], header: map[string]string{signatureHeader: "bad"}}).problem(t, 401, "unauthorized")
	w.tooLarge(call{method: "POST", path: "/api/v1/callbacks/sandbox", body: huge[:257<<10]})
}

// tooLarge sends a body until the refusal is read: the server hangs up on what it will not read, and
// that may reach the client before the answer does.
func (w *world) tooLarge(c call) {
	w.t.Helper()
	eventually(w.t, "refused as too large", func() bool {
		a, err := w.try(c)
		if err == nil {
			a.problem(w.t, 413, "body_too_large")
		}
		return err == nil
	})
}

func TestIdempotencyKeyIsRequiredAndBounded(t *testing.T) {
	w := newWorld(t)
	w.do(call{method: "POST", path: "/api/v1/orders", body: orderBody()}).problem(t, 400, "key_required")
	for _, key := range []string{"short", strings.Repeat("k", 201), "with space", "schlüssel"} {
		w.do(call{method: "POST", path: "/api/v1/orders", body: orderBody(), header: map[string]string{"Idempotency-Key": key}}).problem(t, 422, ticketing.CodeInvalid)
	}
}

func TestMethodsAndPathsAreStrict(t *testing.T) {
	w := newWorld(t)
	for path, allow := range map[string]string{
		"/api/v1/orders": "POST", "/api/v1/events": "GET, HEAD", "/api/v1/orders/X": "GET, HEAD", "/livez": "GET, HEAD", "/anything": "GET, HEAD",
	} {
		for _, method := range []string{"DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"} {
			a := w.do(call{method: method, path: path})
			a.problem(t, 405, "method_not_allowed")
			require.Equal(t, allow, a.header.Get("Allow"))
		}
	}
	w.do(call{method: "POST", path: "/api/v1/none"}).problem(t, 404, ticketing.CodeNotFound)
	w.do(call{method: "GET", path: "/API/v1/events"}) // a page of the application, not the API
	w.do(call{method: "GET", path: "/api/v1/events?limit=" + strings.Repeat("1", 20<<10)}).problem(t, 431, "headers_too_large")
	w.do(call{method: "GET", path: "/api/v1/events", header: map[string]string{"Content-Encoding": "br"}}).problem(t, 415, "encoding_refused")
}

// TestAmbiguousRequestsAreRefused speaks raw HTTP: what two servers could read differently is answered
// with 400 and the connection is closed, so that nothing is smuggled in after it.
func TestAmbiguousRequestsAreRefused(t *testing.T) {
	w := newWorld(t)
	const smuggled = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	post := func(headers, body string) string {
		return "POST /api/v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + headers + "\r\n" + body
	}
	for name, raw := range map[string]string{
		"length and chunks":   post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+smuggled),
		"chunks and length":   post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"+smuggled),
		"two lengths":         post("Content-Length: 0\r\nContent-Length: 35\r\n", smuggled),
		"two codings":         post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"+smuggled),
		"unknown coding":      post("Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n", "{}"+smuggled),
		"identity":            post("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}"+smuggled),
		"space before colon":  post("Content-Length : 2\r\n", "{}"+smuggled),
		"odd capitals":        post("CONTENT-LENGTH: 2\r\ntransfer-ENCODING: chunked\r\n", "0\r\n\r\n"+smuggled),
		"negative length":     post("Content-Length: -1\r\n", smuggled),
		"length with plus":    post("Content-Length: +2\r\n", "{}"+smuggled),
		"length not a number": post("Content-Length: 2x\r\n", "{}"+smuggled),
		"bad chunk":           post("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"+smuggled),
		"folded header":       post("X-A: 1\r\n b\r\nContent-Length: 2\r\nTransfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"+smuggled),
		"unknown method":      "SMUGGLE / HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled,
		"two hosts":           "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + smuggled,
		"chunks in HTTP/1.0":  "POST /api/v1/quotes HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", w.server.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
			_, err = io.WriteString(conn, raw)
			require.NoError(t, err)
			in := bufio.NewReader(conn)
			response, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, 400, response.StatusCode, string(body))
			require.Contains(t, string(body), `"code":"malformed"`)
			rest, _ := io.ReadAll(in) // the other side may reset instead of closing
			require.Empty(t, rest, "nothing is answered after it")
		})
	}
}

func TestSlowRequestsEnd(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.ReadTimeout = 200 * time.Millisecond })
	conn, err := net.Dial("tcp", w.server.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /api/v1/quotes HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(25*time.Second)))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 408, response.StatusCode)
}

// TestPanicsAreProblems: the stack is for the log, the caller gets a request id.
func TestPanicsAreProblems(t *testing.T) {
	w := newWorld(t)
	o := w.order(keyed(1))
	w.store.panicked.Store(true)
	p := w.do(call{method: "GET", path: "/api/v1/orders/" + o.ID, token: o.Token}).problem(t, 500, "internal")
	w.store.panicked.Store(false)
	require.NotContains(t, p.Detail, "mind")
	require.Contains(t, w.log.String(), "the store has lost its mind")
	require.Contains(t, w.log.String(), p.RequestID)
	require.Contains(t, w.log.String(), "order.go")
	require.Equal(t, 200, w.get("/livez").status)
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/api/v1/events", "/api/v1/none", "/livez"} {
		a := w.do(call{method: "GET", path: path, header: map[string]string{"X-Request-Id": "from-the-proxy-1"}})
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
		require.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'")
		require.Equal(t, "DENY", a.header.Get("X-Frame-Options"))
		require.Equal(t, "no-referrer", a.header.Get("Referrer-Policy"))
		require.Equal(t, "from-the-proxy-1", a.header.Get("X-Request-Id"))
		require.Empty(t, a.header.Get("Server"))
		require.Empty(t, a.header.Get("Access-Control-Allow-Origin"))
	}
	a := w.do(call{method: "GET", path: "/livez", header: map[string]string{"X-Request-Id": "bad id {}"}})
	require.NotEqual(t, "bad id {}", a.header.Get("X-Request-Id"))
}

func TestPayersMayBePostedToAGatewayAndBack(t *testing.T) {
	policy := func(publicURL string) string {
		w := newWorld(t, func(c *api.Config) { c.PublicURL = publicURL })
		return w.do(call{method: "GET", path: "/"}).header.Get("Content-Security-Policy")
	}
	require.True(t, strings.HasSuffix(policy("https://tickets.example"), "form-action 'self' https:"))
	require.True(t, strings.HasSuffix(policy("http://127.0.0.1:8080"), "form-action 'self' https: http:"))

	w := newWorld(t)
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	a := w.do(call{method: "POST", path: "/orders/X?returned=1", body: []byte("respCode=00&orderId=X"), header: form})
	require.Equal(t, 303, a.status, "the page is read as ever")
	require.Equal(t, "/orders/X?returned=1", a.header.Get("Location"))
	for _, path := range []string{"/", "/orders", "/events/X", "//orders/X", "/%2Forders/X", "/anything"} {
		a := w.do(call{method: "POST", path: path, body: []byte("a=b"), header: form})
		require.Contains(t, []int{405, 303}, a.status)
		require.NotRegexp(t, "^//", a.header.Get("Location"))
	}
}

func TestProblemsSpeakTheBuyersLanguage(t *testing.T) {
	w := newWorld(t)
	for accept, title := range map[string]string{
		"": "Not found", "en": "Not found", "fr, en;q=0.5": "Not found", "en, zh;q=0.9": "Not found",
		"zh-CN": "未找到", "zh-CN,zh;q=0.9,en;q=0.8": "未找到", "zh": "未找到", "zh-;;;": "Not found",
	} {
		p := w.do(call{method: "GET", path: "/api/v1/events/none", header: map[string]string{"Accept-Language": accept}}).problem(t, 404, ticketing.CodeNotFound)
		require.Equal(t, title, p.Title, accept)
		require.Equal(t, "https://boxoffice.dev/problems/not_found", p.Type)
	}
}

// TestStringsOutliveTheirRequest: the ids of sessions stay behind in caches and watch lists. Were they
// still the request's own memory, the requests that follow would write over them.
func TestStringsOutliveTheirRequest(t *testing.T) {
	w := newWorld(t)
	sessions := []string{"hamlet-1", "concert-1", "match-1", "film-1"}
	for round := range 300 {
		require.Equal(t, 200, w.get("/api/v1/sessions/"+sessions[round%4]+"/availability").status)
		for range 3 {
			w.do(call{method: "GET", path: "/api/v1/sessions/" + strings.Repeat("z", 1+round%12) + "/availability"}).problem(t, 404, ticketing.CodeNotFound)
		}
	}
	looks := w.store.counted.Load()
	eventually(t, "more looks at what is watched", func() bool { return w.store.counted.Load() > looks+2 })
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	require.Equal(t, map[string]bool{"hamlet-1": true, "concert-1": true, "match-1": true, "film-1": true}, w.store.asked)
}
