package alipaytest

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// failure is how the gateway refuses.
type failure struct {
	Code    string
	SubCode string
	SubMsg  string
}

func (f *failure) Error() string { return f.Code + " " + f.SubCode + " " + f.SubMsg }

func missing(what, message string) *failure { return &failure{"40001", "isv.missing-" + what, message} }

func invalid(what, message string) *failure { return &failure{"40002", "isv.invalid-" + what, message} }

func business(code, message string) *failure {
	return &failure{"40004", code, message}
}

// messages go with the codes of answers.
var messages = map[string]string{
	"10000": "Success", "20000": "Service Currently Unavailable", "20001": "Insufficient Token Permissions", "40001": "Missing Required Arguments",
	"40002": "Invalid Arguments", "40004": "Business Failed", "40005": "Call Limited", "40006": "Insufficient Permissions",
}

// rule is what a field of biz_content has to be.
type rule struct {
	required bool
	fits     func(value string) bool
}

func shaped(pattern string) func(string) bool {
	return regexp.MustCompile("^(?:" + pattern + ")$").MatchString
}

func upTo(length int) func(string) bool {
	return func(s string) bool { return utf8.RuneCountInString(s) <= length }
}

func subject(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= 256 && !strings.ContainsAny(s, "/=&")
}

func dated(s string) bool {
	_, err := time.ParseInLocation(time.DateTime, s, beijing)
	return err == nil && len(s) == len(time.DateTime)
}

var (
	anyNumber = shaped(`[0-9A-Za-z_]{1,64}`)
	anyAmount = shaped(`(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?`)
	anyOption = shaped(`\["gmt_refund_pay"\]|\["(refund_detail_item_list|deposit_back_info|trade_settle_info|fund_bill_list)"(,"gmt_refund_pay")?\]`)
)

// rules are the methods it knows, and their fields.
var rules = map[string]map[string]rule{
	"alipay.trade.page.pay": {
		"out_trade_no": {true, anyNumber}, "total_amount": {true, anyAmount}, "subject": {true, subject},
		"product_code": {true, shaped("FAST_INSTANT_TRADE_PAY")}, "time_expire": {false, dated}, "body": {false, upTo(128)}, "qr_pay_mode": {false, shaped("[0-4]")},
	},
	"alipay.trade.precreate": {
		"out_trade_no": {true, anyNumber}, "total_amount": {true, anyAmount}, "subject": {true, subject},
		"product_code": {false, shaped("FACE_TO_FACE_PAYMENT|QR_CODE_OFFLINE")}, "time_expire": {false, dated}, "body": {false, upTo(128)},
	},
	"alipay.trade.query": {"out_trade_no": {true, anyNumber}, "query_options": {false, anyOption}},
	"alipay.trade.close": {"out_trade_no": {true, anyNumber}, "operator_id": {false, upTo(28)}},
	"alipay.trade.refund": {
		"out_trade_no": {true, anyNumber}, "refund_amount": {true, anyAmount}, "refund_reason": {false, upTo(256)}, "out_request_no": {true, anyNumber},
	},
	"alipay.trade.fastpay.refund.query": {"out_trade_no": {true, anyNumber}, "out_request_no": {true, anyNumber}, "query_options": {false, anyOption}},
	"alipay.data.dataservice.bill.downloadurl.query": {
		"bill_type": {true, shaped("trade|signcustomer")}, "bill_date": {true, shaped(`20[0-9]{2}-[0-9]{2}(-[0-9]{2})?`)},
	},
}

// question is a request that was understood.
type question struct {
	method    string
	biz       map[string]string
	notifyURL string
	returnURL string
}

// understand reads and verifies a request. Parameters may stand in the query or in the body.
func (g *Gateway) understand(r *http.Request) (question, *failure) {
	values, refused := params(r)
	if refused != nil {
		return question{}, refused
	}
	q := question{method: values["method"], notifyURL: values["notify_url"], returnURL: values["return_url"]}
	fields, known := rules[q.method]
	switch {
	case q.method == "":
		return q, missing("method", "缺少方法名参数")
	case !known:
		return q, invalid("method", "不存在的方法名")
	case values["app_id"] == "":
		return q, missing("app-id", "缺少appId参数")
	case values["app_id"] != g.config.AppID:
		return q, invalid("app-id", "无效的AppID参数")
	}
	if refused := g.admit(values); refused != nil {
		return q, refused
	}
	for name, address := range map[string]string{"notify-url": q.notifyURL, "return-url": q.returnURL} {
		if u, err := url.Parse(address); err != nil || len(address) > 256 || address != "" && (u.Host == "" || !strings.HasPrefix(u.Scheme, "http")) {
			return q, invalid(name, "无效的地址")
		}
	}
	if values["biz_content"] == "" {
		return q, missing("biz-content", "缺少业务参数")
	}
	q.biz, refused = content(values["biz_content"], fields)
	return q, refused
}

// params are the parameters of a request; none may be there twice.
func params(r *http.Request) (map[string]string, *failure) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, invalid("parameter", "参数无效")
	}
	if kind := r.Header.Get("Content-Type"); r.Method == http.MethodPost && !strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		return nil, invalid("content-type", "无效的Content-Type")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, invalid("parameter", "参数无效")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("parameter", "参数无效")
	}
	values := map[string]string{}
	for _, from := range []url.Values{query, form} {
		for name, said := range from {
			if _, twice := values[name]; twice || len(said) != 1 || !utf8.ValidString(said[0]) {
				return nil, invalid("parameter", "参数无效")
			}
			values[name] = said[0]
		}
	}
	return values, nil
}

// admit checks what all requests have in common, and the signature.
func (g *Gateway) admit(values map[string]string) *failure {
	switch {
	case values["sign_type"] == "":
		return missing("signature-type", "缺少签名类型")
	case values["sign_type"] != "RSA2":
		return invalid("signature-type", "无效签名类型")
	case values["sign"] == "":
		return missing("signature", "缺少签名参数")
	case values["timestamp"] == "":
		return missing("timestamp", "缺少时间戳参数")
	case values["version"] == "":
		return missing("version", "缺少版本参数")
	case values["version"] != "1.0":
		return invalid("version", "无效的版本")
	case values["charset"] != "utf-8":
		return invalid("charset", "字符集错误")
	case values["format"] != "" && !strings.EqualFold(values["format"], "json"):
		return invalid("format", "无效的数据格式")
	case !dated(values["timestamp"]):
		return invalid("timestamp", "非法的时间戳参数")
	}
	sent, _ := time.ParseInLocation(time.DateTime, values["timestamp"], beijing) // it was read above
	if age := time.Since(sent); age > 24*time.Hour || age < -10*time.Minute {
		return invalid("timestamp", "非法的时间戳参数")
	}
	if g.config.Certificates {
		if values["app_cert_sn"] != g.merchant.Serial() {
			return invalid("app-cert-sn", "应用公钥证书序列号错误")
		}
		if values["alipay_root_cert_sn"] != g.root.Serial() {
			return invalid("alipay-root-cert-sn", "支付宝根证书序列号错误")
		}
	}
	signature, err := base64.StdEncoding.DecodeString(values["sign"])
	if err != nil {
		return invalid("signature", "无效签名")
	}
	sum := sha256.Sum256([]byte(sorted(values, "sign")))
	if rsa.VerifyPKCS1v15(&g.merchant.Key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return invalid("signature", "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配")
	}
	return nil
}

// sorted is what is signed of parameters: their names in order, with their values, without those that are empty.
func sorted(values map[string]string, except ...string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if values[name] != "" && !slices.Contains(except, name) {
			pairs = append(pairs, name+"="+values[name])
		}
	}
	return strings.Join(pairs, "&")
}

// content reads biz_content: one JSON object of texts, and lists, which stay JSON.
func content(given string, fields map[string]rule) (map[string]string, *failure) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(given), &raw); err != nil || raw == nil {
		return nil, invalid("json", "biz_content不是合法的JSON")
	}
	biz := map[string]string{}
	for name, value := range raw {
		var text string
		var list []string
		field, known := fields[name]
		switch {
		case !known:
			return nil, business("ACQ.INVALID_PARAMETER", "参数无效："+name)
		case json.Unmarshal(value, &text) == nil:
		case json.Unmarshal(value, &list) == nil:
			var compact bytes.Buffer
			_ = json.Compact(&compact, value) // it was read above
			text = compact.String()
		default:
			return nil, business("ACQ.INVALID_PARAMETER", "参数无效："+name)
		}
		if text != "" && !field.fits(text) {
			return nil, business("ACQ.INVALID_PARAMETER", fmt.Sprintf("参数无效：%s=%s", name, text))
		}
		biz[name] = text
	}
	for name, field := range fields {
		if field.required && biz[name] == "" {
			return nil, missing("parameter", "缺少参数："+name)
		}
	}
	return biz, nil
}
