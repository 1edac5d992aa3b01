package wechatpaytest

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

var beijing = time.FixedZone("CST", 8*3600)

// failure is a refusal with WeChat Pay's code and words.
type failure struct {
	status  int
	code    string
	message string
}

func (f *failure) Error() string { return f.code + " " + f.message }

var (
	authorizationShape = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 ((?:[a-z_]+="[^"]+",){4}[a-z_]+="[^"]+")$`)
	partShape          = regexp.MustCompile(`([a-z_]+)="([^"]+)"`)
	nonceShape         = regexp.MustCompile(`^[0-9A-Za-z]{16,32}$`)
	stampShape         = regexp.MustCompile(`^\d{10}$`)
)

// authorization reads the header by the names of its parts, which come in any order.
func authorization(header string) (map[string]string, bool) {
	listed := authorizationShape.FindStringSubmatch(header)
	if listed == nil {
		return nil, false
	}
	parts := map[string]string{}
	for _, part := range partShape.FindAllStringSubmatch(listed[1], -1) {
		parts[part[1]] = part[2]
	}
	for _, name := range []string{"mchid", "nonce_str", "timestamp", "serial_no", "signature"} {
		if parts[name] == "" {
			return nil, false
		}
	}
	return parts, nonceShape.MatchString(parts["nonce_str"]) && stampShape.MatchString(parts["timestamp"])
}

// admit verifies a request's signature.
func (g *Gateway) admit(r *http.Request, body []byte) *failure {
	refuse := func(why string) *failure { return &failure{http.StatusUnauthorized, "SIGN_ERROR", why} }
	if r.Header.Get("User-Agent") == "" || r.Header.Get("Accept") == "" {
		return &failure{http.StatusNotAcceptable, "PARAM_ERROR", "User-Agent and Accept are required"}
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); len(body) > 0 && (err != nil || kind != "application/json") {
		return &failure{http.StatusUnsupportedMediaType, "PARAM_ERROR", "not JSON"}
	}
	parts, ok := authorization(r.Header.Get("Authorization"))
	if !ok {
		return refuse("Authorization")
	}
	merchant, nonce, stamp, serial := parts["mchid"], parts["nonce_str"], parts["timestamp"], parts["serial_no"]
	seconds, _ := strconv.ParseInt(stamp, 10, 64) // ten digits
	if age := g.config.Now().Sub(time.Unix(seconds, 0)).Abs(); age > 5*time.Minute {
		return refuse("timestamp")
	}
	if merchant != g.config.Merchant || serial != g.credentials.Serial {
		return refuse("mchid or serial_no")
	}
	signature, err := base64.StdEncoding.DecodeString(parts["signature"])
	if err != nil {
		return refuse("base64")
	}
	var signed bytes.Buffer
	fmt.Fprintf(&signed, "%s\n%s\n%s\n%s\n%s\n", r.Method, r.URL.RequestURI(), stamp, nonce, body)
	digest := sha256.Sum256(signed.Bytes())
	if rsa.VerifyPKCS1v15(g.merchantKey, crypto.SHA256, digest[:], signature) != nil {
		return refuse("signature")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.nonces[nonce] {
		return refuse("nonce used before")
	}
	g.nonces[nonce] = true
	return nil
}

// seal are the headers that sign a message.
func seal(by *Identity, body []byte, at time.Time) http.Header {
	stamp, nonce := strconv.FormatInt(at.Unix(), 10), hexText(32)
	digest := sha256.Sum256(append([]byte(stamp+"\n"+nonce+"\n"), append(bytes.Clone(body), '\n')...))
	signature, _ := rsa.SignPKCS1v15(rand.Reader, by.Key, crypto.SHA256, digest[:]) // fails with keys that are too short only
	h := http.Header{}
	h.Set("Wechatpay-Serial", by.ID)
	h.Set("Wechatpay-Timestamp", stamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
	return h
}

// spoken verifies a request, lets it be answered and signs the answer; no answer is 204. Who has not signed is not answered with a
// signature.
func (g *Gateway) spoken(answer func(r *http.Request, body []byte) (any, *failure)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var said any
		refused := g.admit(r, body)
		stranger := refused != nil
		g.mu.Lock()
		f, by := g.faults, g.signer
		if refused == nil && f.Code != "" {
			refused = &failure{f.CodeStatus, f.Code, "fault"}
		}
		if refused == nil {
			said, refused = answer(r, body)
		}
		g.mu.Unlock()
		status := http.StatusOK
		var content []byte
		switch {
		case refused != nil:
			status = refused.status
			content, _ = json.Marshal(map[string]string{"code": refused.code, "message": refused.message})
		case said == nil:
			status = http.StatusNoContent
		default:
			content, _ = json.Marshal(said)
		}
		if f.AnswersBy != nil {
			by = f.AnswersBy
		}
		if !f.Unsigned && !stranger {
			maps.Copy(w.Header(), seal(by, content, g.config.Now()))
		}
		if f.Tamper {
			content = bytes.Replace(content, []byte(`"`), []byte(` "`), 1)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write(content)
	}
}

// strictly reads JSON without fields that are unknown.
func strictly(body []byte, into any) *failure {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return &failure{http.StatusBadRequest, "PARAM_ERROR", err.Error()}
	}
	return nil
}
