package unionpay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxFields bounds the fields of a message; the gateway's have about thirty.
const maxFields = 100

// fields are the names and values of a message.
type fields map[string]string

// text is what a signature covers: every field but the signature itself, sorted by name.
func (f fields) text() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if name == "signature" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name + "=" + f[name])
	}
	return b.String()
}

// digest is what is signed with signMethod 01: the SHA-256 of the text in small hexadecimal letters, hashed again.
func (f fields) digest() [sha256.Size]byte {
	inner := sha256.Sum256([]byte(f.text()))
	return sha256.Sum256([]byte(hex.EncodeToString(inner[:])))
}

// add puts a field that was read into f. It returns an error for the second of a name.
func (f fields) add(name, value string) error {
	if _, twice := f[name]; twice || name == "" {
		return fmt.Errorf("field %q is there twice or has no name", name)
	}
	if len(f) == maxFields {
		return errors.New("too many fields")
	}
	if !utf8.ValidString(name) || !utf8.ValidString(value) {
		return fmt.Errorf("field %q is not UTF-8", name)
	}
	f[name] = value
	return nil
}

// parseForm reads a callback: an ordinary form.
func parseForm(body string) (fields, error) {
	f := fields{}
	for pair := range strings.SplitSeq(body, "&") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, errors.New("not a form")
		}
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, err
		}
		if err := f.add(name, value); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// parseAnswer reads an answer, which looks like a form but is not escaped: a value may hold "=", and "&" between braces.
func parseAnswer(body string) (fields, error) {
	f := fields{}
	depth, begin := 0, 0
	for i := 0; i <= len(body); i++ {
		if i < len(body) {
			switch body[i] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if body[i] != '&' || depth > 0 {
				continue
			}
		}
		name, value, ok := strings.Cut(body[begin:i], "=")
		if !ok {
			return nil, errors.New("not an answer of the gateway")
		}
		if err := f.add(name, value); err != nil {
			return nil, err
		}
		begin = i + 1
	}
	return f, nil
}

// sign puts our certificate's id and our signature into a request.
func (p *Provider) sign(f fields) error {
	f["certId"] = p.key.id
	digest := f.digest()
	signature, err := rsa.SignPKCS1v15(rand.Reader, p.key.private, crypto.SHA256, digest[:])
	if err != nil {
		return fmt.Errorf("unionpay: %w", err)
	}
	f["signature"] = base64.StdEncoding.EncodeToString(signature)
	return nil
}

// verify says whether the gateway signed a message, with a certificate that is valid now.
func (p *Provider) verify(f fields, now time.Time) error {
	if f["version"] != version || f["signMethod"] != signMethod {
		return fmt.Errorf("version %q signed by method %q", f["version"], f["signMethod"])
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(f["signature"])
	if err != nil || strings.ContainsAny(f["signature"], "\r\n") { // which the decoder skips
		return errors.New("no signature")
	}
	signer, err := p.trust.signer(f["signPubKeyCert"], now)
	if err != nil {
		return err
	}
	digest := f.digest()
	return rsa.VerifyPKCS1v15(signer, crypto.SHA256, digest[:], signature)
}
