package unionpaytest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

var beijing = time.FixedZone("CST", 8*3600)

const (
	stampLayout = "20060102150405"
	maxRequest  = 64 << 10
)

// rule is what a field of a request must look like.
type rule struct {
	shape    string
	optional bool
}

type rules map[string]rule

// maxField bounds every field.
const maxField = 1024

func (r rule) obeyed(value string) bool {
	return len(value) <= maxField && regexp.MustCompile(`^(?:`+r.shape+`)$`).MatchString(value)
}

func (r rules) with(more rules) rules {
	all := rules{}
	maps.Copy(all, r)
	maps.Copy(all, more)
	return all
}

const (
	address = `https?://[^\s&]{1,248}`
	stamp14 = `20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]`
	plain   = `[^&={}\[\]"']+`
)

var (
	everyRequest = rules{
		"version": {shape: `5\.1\.0`}, "encoding": {shape: `UTF-8`}, "signMethod": {shape: `01`}, "accessType": {shape: `0`},
		"certId": {shape: `[0-9]{1,20}`}, "signature": {shape: `[A-Za-z0-9+/]{342}==`}, "merId": {shape: `[0-9A-Z]{15}`}, "txnTime": {shape: stamp14},
	}
	frontRules = everyRequest.with(rules{
		"txnType": {shape: `01`}, "txnSubType": {shape: `01`}, "bizType": {shape: `000201`}, "channelType": {shape: `07|08`},
		"orderId": {shape: `[0-9A-Za-z]{8,40}`}, "txnAmt": {shape: `[1-9][0-9]{0,11}`}, "currencyCode": {shape: `156`},
		"backUrl": {shape: address}, "frontUrl": {shape: address}, "frontFailUrl": {shape: address, optional: true},
		"payTimeout": {shape: stamp14, optional: true}, "reqReserved": {shape: plain, optional: true},
		"riskRateInfo": {shape: `\{[^{}]+\}`, optional: true}, "customerIp": {shape: `[0-9.]{7,15}`, optional: true},
	})
	refundRules = everyRequest.with(rules{
		"txnType": {shape: `04`}, "txnSubType": {shape: `00`}, "bizType": {shape: `000201`}, "channelType": {shape: `07|08`},
		"orderId": {shape: `[0-9A-Za-z]{8,40}`}, "txnAmt": {shape: `[1-9][0-9]{0,11}`}, "origQryId": {shape: `[0-9]{21}`},
		"backUrl": {shape: address}, "reqReserved": {shape: plain, optional: true},
	})
	queryRules = everyRequest.with(rules{
		"txnType": {shape: `00`}, "txnSubType": {shape: `00`}, "bizType": {shape: `000000`}, "orderId": {shape: `[0-9A-Za-z]{8,40}`},
	})
	fileRules = everyRequest.with(rules{
		"txnType": {shape: `76`}, "txnSubType": {shape: `01`}, "bizType": {shape: `000000`}, "fileType": {shape: `00`},
		"settleDate": {shape: `(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])`},
	})
)

// refusal is an answer code and its words.
type refusal struct{ code, words string }

func (r refusal) Error() string { return r.code + " " + r.words }

// received reads a request and refuses what breaks a rule or was not signed by the merchant.
func (g *Gateway) received(w http.ResponseWriter, r *http.Request, wanted rules) (map[string]string, error) {
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" || parameters["charset"] != "" && !strings.EqualFold(parameters["charset"], "utf-8") {
		return nil, refusal{"10", "Invalid request.[9100001]"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	if err := r.ParseForm(); err != nil || r.URL.RawQuery != "" {
		return nil, refusal{"10", "Invalid request.[9100002]"}
	}
	message := map[string]string{}
	for name, values := range r.PostForm {
		rule, known := wanted[name]
		if !known || len(values) != 1 {
			return nil, refusal{"10", "报文格式错误[" + name + "][5100030]"}
		}
		if !rule.obeyed(values[0]) {
			return nil, refusal{"10", "报文格式错误[" + name + "][6100030]"}
		}
		message[name] = values[0]
	}
	for name, rule := range wanted {
		if _, there := message[name]; !there && !rule.optional {
			return nil, refusal{"13", "报文交易要素缺失[" + name + "][5130030]"}
		}
	}
	if message["merId"] != g.config.Merchant {
		return nil, refusal{"31", "商户状态不正确[1310001]"}
	}
	return message, g.signedByMerchant(message)
}

func (g *Gateway) signedByMerchant(message map[string]string) error {
	signature, err := base64.StdEncoding.DecodeString(message["signature"])
	if err == nil && message["certId"] == g.merchantID {
		hashed := sha256.Sum256([]byte(hexOfText(message)))
		err = rsa.VerifyPKCS1v15(g.merchantKey, crypto.SHA256, hashed[:], signature)
	} else if err == nil {
		err = fmt.Errorf("certificate %s", message["certId"])
	}
	if err != nil {
		return refusal{"11", "验证签名失败[9100004]"}
	}
	return nil
}

// hexOfText is what a signature is made of: the SHA-256, in hexadecimal, of the sorted fields without the signature.
func hexOfText(message map[string]string) string {
	var pairs []string
	for name, value := range message {
		if name != "signature" {
			pairs = append(pairs, name+"="+value)
		}
	}
	// By name: "=" sorts before letters and digits do not matter to names of letters.
	slices.SortFunc(pairs, func(a, b string) int {
		return strings.Compare(a[:strings.IndexByte(a, '=')], b[:strings.IndexByte(b, '=')])
	})
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(pairs, "&"))))
}

// sign puts a certificate and a signature into a message of the gateway's.
func sign(message map[string]string, by *Identity) {
	message["signMethod"] = "01"
	message["version"] = "5.1.0"
	message["signPubKeyCert"] = strings.ReplaceAll(strings.TrimSuffix(string(by.PEM()), "\n"), "\n", "\r\n")
	hashed := sha256.Sum256([]byte(hexOfText(message)))
	signature, err := rsa.SignPKCS1v15(rand.Reader, by.Key, crypto.SHA256, hashed[:])
	if err != nil {
		panic(err) // a key that cannot sign is a mistake of this package
	}
	message["signature"] = base64.StdEncoding.EncodeToString(signature)
}

// spoken wraps what answers a program: signed, and not escaped.
func (g *Gateway) spoken(wanted rules, do func(map[string]string) (map[string]string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		message, err := g.received(w, r, wanted)
		answer := map[string]string{}
		if err == nil {
			g.mu.Lock()
			g.asked[message["txnType"]]++
			answer, err = do(message)
			g.mu.Unlock()
		}
		if err != nil {
			refused := err.(refusal) //nolint:errorlint,forcetypeassert // nothing else is returned
			answer = map[string]string{"respCode": refused.code, "respMsg": refused.words}
		}
		for _, name := range []string{"accessType", "bizType", "merId", "orderId", "txnTime", "txnType", "txnSubType"} {
			if _, there := answer[name]; !there && message[name] != "" {
				answer[name] = message[name]
			}
		}
		if answer["merId"] == "" {
			answer["merId"] = g.config.Merchant
		}
		answer["encoding"] = "UTF-8"
		sign(answer, g.answering())
		w.Header().Set("Content-Type", "text/html;charset=UTF-8")
		_, _ = w.Write([]byte(unescaped(answer)))
	}
}

// answering is who signs answers.
func (g *Gateway) answering() *Identity {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.faults.AnswersBy != nil {
		return g.faults.AnswersBy
	}
	return g.signer
}

// unescaped is how answers look: like a form, but nothing is escaped; certificate and signature come last.
func unescaped(message map[string]string) string {
	var names []string
	for name := range message {
		if name != "signPubKeyCert" && name != "signature" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var pairs []string
	for _, name := range append(names, "signPubKeyCert", "signature") {
		pairs = append(pairs, name+"="+message[name])
	}
	return strings.Join(pairs, "&")
}

func escaped(message map[string]string) string {
	form := url.Values{}
	for name, value := range message {
		form.Set(name, value)
	}
	return form.Encode()
}
