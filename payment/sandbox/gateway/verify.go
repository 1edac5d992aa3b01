package gateway

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime"
	"net/http"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

// verified reads a request of the merchant and refuses what it did not sign now.
func (g *Gateway) verified(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, refuse(http.StatusRequestEntityTooLarge, "too_large", "a request has at most %d bytes", maxRequest)
	}
	unsigned := func(why string) ([]byte, error) {
		return nil, refuse(http.StatusUnauthorized, sandbox.CodeUnsigned, "%s", why)
	}
	timestamp, nonce := r.Header.Get(sandbox.HeaderTimestamp), r.Header.Get(sandbox.HeaderNonce)
	expected := sandbox.RequestSignature(g.config.Key, r.Method, r.URL.RequestURI(), timestamp, nonce, body)
	switch {
	case r.Header.Get(sandbox.HeaderMerchant) != g.config.Merchant:
		return unsigned("unknown merchant")
	case !sandbox.Equal(r.Header.Get(sandbox.HeaderSignature), expected):
		return unsigned("wrong signature")
	case !sandbox.Fresh(timestamp, g.now()):
		return unsigned("timestamp is not now")
	case len(nonce) < 16 || len(nonce) > 64:
		return unsigned("nonce must have 16 to 64 characters")
	case !g.firstUse(nonce):
		return unsigned("nonce was used before")
	}
	if len(body) > 0 {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			return nil, refuse(http.StatusUnsupportedMediaType, "unsupported", "a body must be application/json")
		}
		if r.Header.Get("Content-Encoding") != "" {
			return nil, refuse(http.StatusUnsupportedMediaType, "unsupported", "a body must not be compressed")
		}
	}
	return body, nil
}

// firstUse remembers a nonce for as long as its timestamp could pass again: a timestamp may be
// Freshness in the future, so twice that.
func (g *Gateway) firstUse(nonce string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := g.now(); now.Sub(g.turnedAt) > 2*sandbox.Freshness {
		g.before, g.nonces, g.turnedAt = g.nonces, map[string]struct{}{}, now
	}
	_, used := g.nonces[nonce]
	if !used {
		_, used = g.before[nonce]
	}
	g.nonces[nonce] = struct{}{}
	return !used
}

// formCookie binds the pages' forms to the browser that loaded them.
const formCookie = "sandbox_form"

// formToken is what a form about a subject must carry; it makes the browser's cookie where there is none.
func (g *Gateway) formToken(w http.ResponseWriter, r *http.Request, subject string) string {
	cookie, err := r.Cookie(formCookie)
	if err != nil || cookie.Value == "" {
		cookie = &http.Cookie{Name: formCookie, Value: rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
		http.SetCookie(w, cookie)
	}
	return g.formSeal(cookie.Value, subject)
}

// ownForm says whether a form was loaded from here by this very browser.
func (g *Gateway) ownForm(r *http.Request, subject string) bool {
	cookie, err := r.Cookie(formCookie)
	return err == nil && cookie.Value != "" && sandbox.Equal(r.PostFormValue("token"), g.formSeal(cookie.Value, subject))
}

func (g *Gateway) formSeal(browser, subject string) string {
	mac := hmac.New(sha256.New, []byte(g.config.Key))
	mac.Write([]byte("form\n" + browser + "\n" + subject))
	return hex.EncodeToString(mac.Sum(nil))
}
