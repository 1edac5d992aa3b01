package twiliotest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // X-Twilio-Signature is HMAC-SHA1
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Config is what a Gateway is made of.
type Config struct {
	// Spec is Twilio's OpenAPI document (twilio_api_v2010.json); nil validates nothing against it.
	Spec []byte
}

// Credentials are those of an account.
type Credentials struct {
	AccountSID, AuthToken, MessagingService string
}

// Message is one that the gateway took.
type Message struct {
	SID, To, From, MessagingServiceSID, Body, StatusCallback, Status string
	CreatedAt                                                        time.Time
}

// Faults are what goes wrong; the zero value is nothing.
type Faults struct {
	// Status answers with this status instead: 429 and 4xx with Twilio's JSON and Code, 5xx with a page of HTML.
	Status, Code int
	// Executed lets what Status or Hang is about happen all the same: the message is taken, and nobody is told.
	Executed bool
	// Hang never answers; Cut closes the connection instead of answering.
	Hang, Cut bool
	// Times is how many requests it concerns; 0 means all.
	Times int
}

// Gateway is the stand-in. Open one, Close it.
type Gateway struct {
	credentials Credentials
	spec        *spec
	server      *http.Server
	listener    net.Listener
	stopped     chan struct{}

	mu       sync.Mutex
	messages []Message
	calls    int
	faults   Faults
	complain []string
}

// Open starts it on a free port of 127.0.0.1.
func Open(c Config) (*Gateway, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		credentials: Credentials{AccountSID: "AC" + hexadecimal(), AuthToken: hexadecimal(), MessagingService: "MG" + hexadecimal()},
		listener:    listener, stopped: make(chan struct{}),
	}
	if c.Spec != nil {
		if g.spec, err = readSpec(c.Spec, g.URL()); err != nil {
			_ = listener.Close()
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", g.create)
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}/Messages.json", g.list)
	g.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = g.server.Serve(listener) }()
	return g, nil
}

// Close stops it.
func (g *Gateway) Close() error {
	close(g.stopped)
	return g.server.Close()
}

// URL is the API's origin.
func (g *Gateway) URL() string { return "http://" + g.listener.Addr().String() }

// Credentials are those of its one account.
func (g *Gateway) Credentials() Credentials { return g.credentials }

// SetFaults lets things go wrong from now on.
func (g *Gateway) SetFaults(f Faults) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = f
}

// Messages are those it took, the oldest first; MessagesTo those to a number.
func (g *Gateway) Messages() []Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.messages)
}

// MessagesTo is Messages for one number.
func (g *Gateway) MessagesTo(number string) []Message {
	return slices.DeleteFunc(g.Messages(), func(m Message) bool { return m.To != number })
}

// Calls counts the requests to create a message.
func (g *Gateway) Calls() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

// Complaints are what of requests and answers does not keep Twilio's OpenAPI document.
func (g *Gateway) Complaints() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.complain)
}

// fault takes the fault that concerns this request, if one does.
func (g *Gateway) fault() Faults {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.faults
	if f.Times == 1 {
		g.faults = Faults{}
	} else if f.Times > 1 {
		g.faults.Times--
	}
	return f
}

func (g *Gateway) create(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.calls++
	g.mu.Unlock()
	f := g.fault()
	wrong := f.Status != 0 || f.Hang || f.Cut
	if wrong && !f.Executed {
		g.fail(w, f)
		return
	}
	status, answer := g.accept(r)
	if wrong {
		g.fail(w, f)
		return
	}
	g.answer(w, r, status, answer)
}

// fail answers as the fault says.
func (g *Gateway) fail(w http.ResponseWriter, f Faults) {
	switch {
	case f.Hang:
		<-g.stopped
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.Status >= 500:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, "<html><body><h1>Bad gateway</h1></body></html>")
	default:
		if f.Status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "1")
		}
		writeJSON(w, f.Status, trouble(f.Status, f.Code, "as the test wants it"))
	}
}

// accept authenticates and checks a request as Twilio does, and keeps the message.
func (g *Gateway) accept(r *http.Request) (int, any) {
	if status, answer := g.authenticate(r); answer != nil {
		return status, answer
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return http.StatusBadRequest, trouble(400, 20001, "unreadable")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	g.check(g.spec.request(r))
	form, err := url.ParseQuery(string(body))
	switch {
	case err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		return http.StatusBadRequest, trouble(400, 20001, "not a form")
	case !strings.HasPrefix(form.Get("To"), "+"):
		return http.StatusBadRequest, trouble(400, 21211, "The 'To' number is not a valid phone number.")
	case form.Get("Body") == "" || utf8.RuneCountInString(form.Get("Body")) > 1600:
		return http.StatusBadRequest, trouble(400, 21602, "Message body is required.")
	case form.Get("From") == "" && form.Get("MessagingServiceSid") != g.credentials.MessagingService:
		return http.StatusBadRequest, trouble(400, 21603, "A 'From' phone number or a messaging service of the account is required.")
	}
	m := Message{
		SID: "SM" + hexadecimal(), To: form.Get("To"), From: form.Get("From"), MessagingServiceSID: form.Get("MessagingServiceSid"), Body: form.Get("Body"),
		StatusCallback: form.Get("StatusCallback"), Status: "queued", CreatedAt: time.Now().UTC(),
	}
	if m.MessagingServiceSID != "" {
		m.Status = "accepted"
	}
	g.mu.Lock()
	g.messages = append(g.messages, m)
	g.mu.Unlock()
	return http.StatusCreated, g.view(m)
}

func (g *Gateway) authenticate(r *http.Request) (int, any) {
	user, secret, ok := r.BasicAuth()
	if !ok || user != g.credentials.AccountSID || secret != g.credentials.AuthToken {
		return http.StatusUnauthorized, trouble(401, 20003, "Authenticate")
	}
	if r.PathValue("account") != g.credentials.AccountSID {
		return http.StatusNotFound, trouble(404, 20404, "The requested resource was not found")
	}
	return 0, nil
}

func (g *Gateway) list(w http.ResponseWriter, r *http.Request) {
	if f := g.fault(); f.Status != 0 || f.Hang || f.Cut {
		g.fail(w, f)
		return
	}
	if status, answer := g.authenticate(r); answer != nil {
		writeJSON(w, status, answer)
		return
	}
	g.check(g.spec.request(r))
	size, err := strconv.Atoi(r.URL.Query().Get("PageSize"))
	if err != nil || size < 1 || size > 1000 {
		size = 50
	}
	found := []any{}
	for _, m := range slices.Backward(g.MessagesTo(r.URL.Query().Get("To"))) {
		if len(found) < size {
			found = append(found, g.view(m))
		}
	}
	uri := r.URL.RequestURI()
	g.answer(w, r, http.StatusOK, map[string]any{
		"messages": found, "page": 0, "page_size": size, "start": 0, "end": max(len(found)-1, 0), "uri": uri, "first_page_uri": uri,
		"next_page_uri": nil, "previous_page_uri": nil,
	})
}

// view is a message as the API shows it.
func (g *Gateway) view(m Message) map[string]any {
	at := m.CreatedAt.Format(time.RFC1123Z)
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return map[string]any{
		"sid": m.SID, "account_sid": g.credentials.AccountSID, "to": m.To, "from": orNull(m.From), "messaging_service_sid": orNull(m.MessagingServiceSID),
		"body": m.Body, "status": m.Status, "direction": "outbound-api", "num_segments": "1", "num_media": "0", "date_created": at, "date_updated": at,
		"date_sent": nil, "api_version": "2010-04-01", "error_code": nil, "error_message": nil, "price": nil, "price_unit": "USD",
		"uri":              "/2010-04-01/Accounts/" + g.credentials.AccountSID + "/Messages/" + m.SID + ".json",
		"subresource_uris": map[string]any{"media": "/2010-04-01/Accounts/" + g.credentials.AccountSID + "/Messages/" + m.SID + "/Media.json"},
	}
}

func (g *Gateway) answer(w http.ResponseWriter, r *http.Request, status int, answer any) {
	encoded, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if status < 300 {
		g.check(g.spec.response(r, status, encoded))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
}

func (g *Gateway) check(err error) {
	if err == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.complain = append(g.complain, err.Error())
}

func writeJSON(w http.ResponseWriter, status int, answer any) {
	encoded, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
}

func trouble(status, code int, message string) any {
	return map[string]any{"status": status, "code": code, "message": message, "more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code)}
}

func hexadecimal() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}

// Tell says by a callback what became of a message, and returns the answer's status; errorCode may be empty.
func (g *Gateway) Tell(ctx context.Context, m Message, status, errorCode string) (int, error) {
	form := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "MessageStatus": {status}, "SmsStatus": {status}, "To": {m.To}, "From": {m.From},
		"AccountSid": {g.credentials.AccountSID}, "ApiVersion": {"2010-04-01"},
	}
	if errorCode != "" {
		form.Set("ErrorCode", errorCode)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.StatusCallback, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	request.Header.Set("X-Twilio-Signature", Sign(g.credentials.AuthToken, m.StatusCallback, form))
	response, err := (&http.Client{Timeout: 15 * time.Second}).Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode, nil
}

// Sign is X-Twilio-Signature: HMAC-SHA1 over the address and the form's sorted names and values.
func Sign(token, address string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, address)
	for _, name := range names {
		_, _ = io.WriteString(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
