package twiliotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// longest is how many characters Twilio takes as one message.
const longest = 1600

// senderName is what may stand for a sender instead of a number.
var senderName = regexp.MustCompile(`^[A-Za-z0-9 ]{0,10}[A-Za-z][A-Za-z0-9 ]{0,10}$`)

func (g *Gateway) create(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.calls++
	g.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	f := g.fault()
	if f.any() && !f.Executed {
		g.fail(w, r, f)
		return
	}
	status, answer := g.accept(r, body)
	if f.any() {
		g.fail(w, r, f)
		return
	}
	g.answer(w, r, status, answer)
}

// accept authenticates and checks a request as Twilio does, and keeps the message.
func (g *Gateway) accept(r *http.Request, body []byte) (int, any) {
	if status, answer := g.authenticate(r); answer != nil {
		return status, answer
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := g.spec.request(r); err != nil {
		g.complainOf(err)
		return http.StatusBadRequest, trouble(400, 20001, err.Error())
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Header.Get("Content-Type") != formType {
		return http.StatusBadRequest, trouble(400, 20001, "not a form")
	}
	if code, why := g.refusal(form); code != 0 {
		return http.StatusBadRequest, trouble(400, code, why)
	}
	m := Message{
		SID: "SM" + digits(), To: form.Get("To"), From: form.Get("From"), MessagingServiceSID: form.Get("MessagingServiceSid"), Body: form.Get("Body"),
		StatusCallback: form.Get("StatusCallback"), Status: "queued", Segments: segments(form.Get("Body")), CreatedAt: g.config.Now().UTC(),
	}
	if m.MessagingServiceSID != "" {
		m.Status = "accepted"
	}
	g.mu.Lock()
	g.messages = append(g.messages, m)
	reports := g.reports
	g.mu.Unlock()
	if m.StatusCallback != "" && len(reports.Statuses) > 0 {
		g.running.Go(func() { g.report(m, reports) })
	}
	return http.StatusCreated, g.view(m)
}

// refusal is Twilio's code for what is wrong with a message; 0 if nothing is.
func (g *Gateway) refusal(form url.Values) (code int, why string) {
	to, from, service, text := form.Get("To"), form.Get("From"), form.Get("MessagingServiceSid"), form.Get("Body")
	g.mu.Lock()
	code = g.refused[to]
	g.mu.Unlock()
	number, err := phonenumbers.Parse(to, phonenumbers.UNKNOWN_REGION)
	callback, badCallback := url.Parse(form.Get("StatusCallback"))
	switch {
	case code != 0:
		return code, "This number " + to + " is refused."
	case err != nil || !strings.HasPrefix(to, "+") || !phonenumbers.IsValidNumber(number):
		return 21211, "The 'To' number " + to + " is not a valid phone number."
	case !slices.Contains([]phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE}, phonenumbers.GetNumberType(number)):
		return 21614, "The 'To' number " + to + " is not a mobile number."
	case text == "":
		return 21602, "Message body is required."
	case utf8.RuneCountInString(text) > longest:
		return 21617, "The concatenated message body exceeds the 1600 character limit."
	case service == "" && from == "":
		return 21603, "A 'From' phone number is required."
	case service != "" && service != g.credentials.MessagingService:
		return 21701, "The Messaging Service does not exist."
	case strings.HasPrefix(from, "+") && from != g.credentials.Number:
		return 21659, "The 'From' number is not a Twilio phone number of the account."
	case from != "" && !strings.HasPrefix(from, "+") && (len(from) > 11 || !senderName.MatchString(from)):
		return 21212, "The 'From' is not a valid phone number, short code or alphanumeric sender ID."
	case from != "" && !strings.HasPrefix(from, "+") && number.GetCountryCode() == 1:
		return 21612, "The combination of 'To' and 'From' cannot be connected." // no names in North America
	case form.Has("StatusCallback") && (badCallback != nil || callback.Host == "" || callback.Scheme != "http" && callback.Scheme != "https"):
		return 21609, "The 'StatusCallback' URL is not a valid URL."
	}
	return 0, ""
}

func (g *Gateway) authenticate(r *http.Request) (int, any) {
	user, secret, ok := r.BasicAuth()
	c := g.credentials
	if !ok || (user != c.AccountSID || secret != c.AuthToken) && (user != c.APIKey || secret != c.APISecret) {
		return http.StatusUnauthorized, trouble(401, 20003, "Authenticate")
	}
	if r.PathValue("account") != c.AccountSID {
		return http.StatusNotFound, trouble(404, 20404, "The requested resource was not found")
	}
	return 0, nil
}

func (g *Gateway) list(w http.ResponseWriter, r *http.Request) {
	if f := g.fault(); f.any() {
		g.fail(w, r, f)
		return
	}
	if status, answer := g.authenticate(r); answer != nil {
		writeJSON(w, status, answer)
		return
	}
	if err := g.spec.request(r); err != nil {
		g.complainOf(err)
		writeJSON(w, http.StatusBadRequest, trouble(400, 20001, err.Error()))
		return
	}
	query := r.URL.Query()
	for name := range query {
		if !slices.Contains([]string{"To", "PageSize", "Page", "PageToken"}, name) {
			g.complainOf(fmt.Errorf("the stand-in cannot list by %s", name))
			writeJSON(w, http.StatusBadRequest, trouble(400, 20001, name))
			return
		}
	}
	size, err := strconv.Atoi(query.Get("PageSize"))
	if err != nil || size < 1 {
		size = 50
	}
	size = min(size, g.config.PageSize)
	status, answer := g.page(query, size)
	g.answer(w, r, status, answer)
}

// page lists messages, the newest first. Its token names the last message of the page before.
func (g *Gateway) page(query url.Values, size int) (int, any) {
	matching := g.Messages()
	if query.Has("To") {
		matching = g.MessagesTo(query.Get("To"))
	}
	slices.Reverse(matching)
	start := 0
	if token := query.Get("PageToken"); token != "" {
		start = 1 + slices.IndexFunc(matching, func(m Message) bool { return "PA"+m.SID == token })
		if start == 0 {
			return http.StatusBadRequest, trouble(400, 20001, "Invalid PageToken")
		}
	}
	end := min(start+size, len(matching))
	found := []any{}
	for _, m := range matching[start:end] {
		found = append(found, g.view(m))
	}
	number, _ := strconv.Atoi(query.Get("Page"))
	address := func(page int, token string) string {
		again := url.Values{"PageSize": {strconv.Itoa(size)}, "Page": {strconv.Itoa(page)}}
		if query.Has("To") {
			again.Set("To", query.Get("To"))
		}
		if token != "" {
			again.Set("PageToken", token)
		}
		return "/2010-04-01/Accounts/" + g.credentials.AccountSID + "/Messages.json?" + again.Encode()
	}
	var next any
	if end < len(matching) {
		next = address(number+1, "PA"+matching[end-1].SID)
	}
	return http.StatusOK, map[string]any{
		"messages": found, "page": number, "page_size": size, "start": start, "end": max(end-1, 0),
		"uri": address(number, query.Get("PageToken")), "first_page_uri": address(0, ""), "next_page_uri": next, "previous_page_uri": nil,
	}
}

// view is a message as the API shows it. One that a service has no sender for yet has no number of segments either.
func (g *Gateway) view(m Message) map[string]any {
	waits := m.Status == "accepted"
	count, from, sent := strconv.Itoa(m.Segments), any(g.senderOf(m)), any(nil)
	if waits {
		count, from = "0", nil
	}
	if !waits && m.Status != "queued" {
		sent = m.CreatedAt.Format(time.RFC1123Z)
	}
	var service any
	if m.MessagingServiceSID != "" {
		service = m.MessagingServiceSID
	}
	body := m.Body
	if g.config.Keeps != nil {
		body = g.config.Keeps(body)
	}
	uri := "/2010-04-01/Accounts/" + g.credentials.AccountSID + "/Messages/" + m.SID
	at := m.CreatedAt.Format(time.RFC1123Z)
	return map[string]any{
		"sid": m.SID, "account_sid": g.credentials.AccountSID, "to": m.To, "from": from, "messaging_service_sid": service,
		"body": body, "status": m.Status, "direction": "outbound-api", "num_segments": count, "num_media": "0", "date_created": at, "date_updated": at,
		"date_sent": sent, "api_version": "2010-04-01", "error_code": nil, "error_message": nil, "price": nil, "price_unit": "USD",
		"uri": uri + ".json", "subresource_uris": map[string]any{"media": uri + "/Media.json"},
	}
}

func (g *Gateway) answer(w http.ResponseWriter, r *http.Request, status int, answer any) {
	if status < http.StatusMultipleChoices {
		encoded, err := json.Marshal(answer)
		if err == nil {
			err = g.spec.response(r, status, encoded)
		}
		if err != nil {
			g.complainOf(err)
		}
	}
	writeJSON(w, status, answer)
}

func (g *Gateway) complainOf(err error) {
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

// The GSM alphabet: signs of one place, and those of two.
const (
	gsmOne = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmTwo = "\f^{}\\[~]|€"
)

// segments is how many SMS a text is: of 160 places in the GSM alphabet and 153 in each of several, else of 70 and 67 in UCS-2.
func segments(text string) int {
	places, one, several := 0, 160, 153
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmOne, r):
			places++
		case strings.ContainsRune(gsmTwo, r):
			places += 2
		default:
			one = 0
		}
	}
	if one == 0 {
		places, one, several = len(utf16.Encode([]rune(text))), 70, 67
	}
	if places <= one {
		return 1
	}
	return (places + several - 1) / several
}
