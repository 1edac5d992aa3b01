package stripetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"time"
)

const (
	maxRequest = 1 << 20
	// keptFor is how long an answer is repeated to its idempotency key.
	keptFor = 24 * time.Hour
)

// call is one endpoint of the API.
type call struct {
	rules rules
	run   func(p params, id string) (any, *refusal)
}

func (g *Gateway) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, c := range map[string]call{
		"POST /v1/checkout/sessions":             {sessionRules, g.createSession},
		"GET /v1/checkout/sessions":              {listRules("created", "payment_intent", "status"), g.listSessions},
		"GET /v1/checkout/sessions/{id}":         {rules{"expand[]": {}}, g.retrieveSession},
		"POST /v1/checkout/sessions/{id}/expire": {rules{"expand[]": {}}, g.expireSession},
		"GET /v1/payment_intents/{id}":           {rules{"expand[]": {}}, g.retrieveIntent},
		"GET /v1/charges/{id}":                   {rules{"expand[]": {}}, g.retrieveCharge},
		"POST /v1/refunds":                       {refundRules, g.createRefund},
		"GET /v1/refunds":                        {listRules("created", "payment_intent", "charge"), g.listRefunds},
		"GET /v1/refunds/{id}":                   {rules{"expand[]": {}}, g.retrieveRefund},
		"GET /v1/disputes/{id}":                  {rules{"expand[]": {}}, g.retrieveDispute},
		"GET /v1/balance_transactions":           {listRules("created", "type", "source", "currency"), g.listMovements},
		"POST /v1/webhook_endpoints":             {endpointRules, g.createEndpoint},
	} {
		mux.HandleFunc(pattern, g.spoken(pattern, c))
	}
	mux.HandleFunc("/v1/", g.spoken("", call{run: nil}))
	mux.HandleFunc("GET /c/pay/{id}", g.page)
	mux.HandleFunc("POST /c/pay/{id}/{step}", g.press)
	return g.troubled(mux)
}

// spoken answers a program: it knows the key, wants parameters it knows, and does the same for the same idempotency key once.
func (g *Gateway) spoken(pattern string, c call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
		if err != nil {
			return
		}
		w.Header().Set("Request-Id", "req_"+random())
		if version := r.Header.Get("Stripe-Version"); version != "" {
			w.Header().Set("Stripe-Version", version)
		}
		p, refused := g.understood(r, body, c)
		if refused != nil {
			answer(w, refused.Status, refused)
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.asked[pattern]++
		g.lapse()
		id := r.PathValue("id")
		if refused := g.busyNow(); refused != nil {
			answer(w, refused.Status, refused)
			return
		}
		if r.Method == http.MethodGet {
			status, said := g.run(c, p, id)
			write(w, status, said)
			return
		}
		g.once(w, r, p, func() (int, []byte) { return g.run(c, p, id) })
	}
}

// run does what an endpoint does, and writes its answer.
func (g *Gateway) run(c call, p params, id string) (int, []byte) {
	said, refused := c.run(p, id)
	if refused != nil {
		return refused.Status, encode(refused)
	}
	return http.StatusOK, encode(said)
}

// understood checks who asks, and what.
func (g *Gateway) understood(r *http.Request, body []byte, c call) (params, *refusal) {
	key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		key, _, _ = r.BasicAuth()
	}
	switch {
	case key == "":
		return nil, &refusal{Status: http.StatusUnauthorized, Type: "invalid_request_error", Message: "You did not provide an API key."}
	case key != g.config.SecretKey:
		return nil, &refusal{Status: http.StatusUnauthorized, Type: "invalid_request_error", Message: "Invalid API Key provided: " + key[:min(len(key), 8)] + "********"}
	case r.Header.Get("Stripe-Account") != g.config.Account:
		return nil, &refusal{
			Status: http.StatusForbidden, Type: "invalid_request_error", Code: "account_invalid",
			Message: "The provided key does not have access to account '" + r.Header.Get("Stripe-Account") + "' (or that account does not exist).",
		}
	case c.run == nil:
		return nil, &refusal{Status: http.StatusNotFound, Type: "invalid_request_error", Message: "Unrecognized request URL (" + r.Method + ": " + r.URL.Path + ")."}
	}
	if version := r.Header.Get("Stripe-Version"); version != "" && !versionShape.MatchString(version) {
		return nil, invalid("", "Invalid Stripe API version: %s", version)
	}
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		if len(body) > 0 && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			return nil, invalid("", "Invalid request: the content type must be application/x-www-form-urlencoded")
		}
		var err error
		if values, err = url.ParseQuery(string(body)); err != nil {
			return nil, invalid("", "Invalid request body")
		}
	}
	if g.config.Check != nil {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		if err := g.config.Check(again, body); err != nil {
			return nil, invalid("", "%s", err)
		}
	}
	return c.rules.read(values)
}

var versionShape = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$`)

// kept is an answer that is repeated to its idempotency key.
type kept struct {
	asked, request string
	status         int
	body           []byte
	until          time.Time
}

// once repeats the answer to an idempotency key, also that something failed, or runs and keeps it.
func (g *Gateway) once(w http.ResponseWriter, r *http.Request, p params, run func() (int, []byte)) {
	key := r.Header.Get("Idempotency-Key")
	asked := r.Method + " " + r.URL.Path + "?" + form(p)
	if len(key) > 255 {
		answer(w, http.StatusBadRequest, invalid("", "Idempotency keys must be at most 255 characters long"))
		return
	}
	w.Header().Set("Idempotency-Key", key)
	if k := g.answers[key]; key != "" && k != nil && g.config.Now().Before(k.until) {
		if k.asked != asked {
			answer(w, http.StatusBadRequest, &refusal{
				Type:    "idempotency_error",
				Message: "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '" + key + "' if you meant to execute a different request.",
			})
			return
		}
		w.Header().Set("Idempotent-Replayed", "true")
		w.Header().Set("Original-Request", k.request)
		write(w, k.status, k.body)
		return
	}
	status, body := g.failing(run)
	if key != "" {
		g.answers[key] = &kept{asked: asked, request: w.Header().Get("Request-Id"), status: status, body: body, until: g.config.Now().Add(keptFor)}
		w.Header().Set("Original-Request", w.Header().Get("Request-Id"))
	}
	write(w, status, body)
}

// failing runs an endpoint unless Stripe itself fails, which it does before or after the work.
func (g *Gateway) failing(run func() (int, []byte)) (int, []byte) {
	if g.faults.Failures == 0 {
		return run()
	}
	g.faults.Failures--
	if g.faults.FailAfter {
		run()
	}
	return http.StatusInternalServerError, encode(&refusal{
		Status: http.StatusInternalServerError, Type: "api_error",
		Message: "An unknown error occurred. If this persists, please contact support at https://support.stripe.com.",
	})
}

func form(p params) string {
	values := url.Values{}
	for name, value := range p {
		values.Set(name, value)
	}
	return values.Encode()
}

func encode(said any) []byte {
	if r, refused := said.(*refusal); refused {
		e := object{"type": r.Type, "message": r.Message}
		if r.Code != "" {
			e["code"], e["doc_url"] = r.Code, "https://stripe.com/docs/error-codes/"+strings.ReplaceAll(r.Code, "_", "-")
		}
		if r.Param != "" {
			e["param"] = r.Param
		}
		said = object{"error": e}
	}
	body, err := json.MarshalIndent(said, "", "  ")
	if err != nil {
		panic(err) // maps and numbers
	}
	return append(body, '\n')
}

func answer(w http.ResponseWriter, status int, said any) { write(w, status, encode(said)) }

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON, and said to be
}

// troubled puts the faults of the network in front of everything.
func (g *Gateway) troubled(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		g.mu.Lock()
		f, restored := g.faults, g.restored
		g.mu.Unlock()
		switch {
		case f.Down:
			panic(http.ErrAbortHandler)
		case f.Hang:
			select {
			case <-r.Context().Done():
			case <-restored:
			case <-g.stopped.Done():
			}
			panic(http.ErrAbortHandler)
		case f.Cut:
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case f.Status != 0:
			w.Header().Set("Content-Type", "text/html;charset=UTF-8")
			w.WriteHeader(f.Status)
			_, _ = io.WriteString(w, "<html><body><h1>"+http.StatusText(f.Status)+"</h1></body></html>")
		default:
			next.ServeHTTP(w, r)
		}
	})
}
