package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of the protocol.
const (
	HeaderMerchant  = "Sandbox-Merchant"
	HeaderTimestamp = "Sandbox-Timestamp"
	HeaderNonce     = "Sandbox-Nonce"
	HeaderSignature = "Sandbox-Signature"
)

// Freshness is how far a timestamp may be from the reader's clock.
const Freshness = 5 * time.Minute

// Received is the exact body that answers a callback.
const Received = `{"received":true}`

// SignRequest signs a merchant's request in place. The body is what will be sent.
func SignRequest(r *http.Request, merchant, key string, body []byte, now time.Time) {
	timestamp, nonce := strconv.FormatInt(now.Unix(), 10), rand.Text()
	r.Header.Set(HeaderMerchant, merchant)
	r.Header.Set(HeaderTimestamp, timestamp)
	r.Header.Set(HeaderNonce, nonce)
	r.Header.Set(HeaderSignature, RequestSignature(key, r.Method, r.URL.RequestURI(), timestamp, nonce, body))
}

// RequestSignature is the signature of a merchant's request.
func RequestSignature(key, method, requestURI, timestamp, nonce string, body []byte) string {
	digest := sha256.Sum256(body)
	return seal(key, strings.Join([]string{method, requestURI, timestamp, nonce, hex.EncodeToString(digest[:])}, "\n"))
}

// CallbackSignature is the signature of a callback, without its "v1=".
func CallbackSignature(key, timestamp string, body []byte) string {
	return seal(key, timestamp+"."+string(body))
}

// Fresh says whether a timestamp header is within Freshness of now.
func Fresh(timestamp string, now time.Time) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return false
	}
	off := now.Sub(time.Unix(seconds, 0))
	return off <= Freshness && off >= -Freshness
}

// Equal compares two signatures in constant time.
func Equal(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

func seal(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}
