package alipaytest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// fields are the content of an answer.
type fields = map[string]any

// called answers a program.
func (g *Gateway) called(w http.ResponseWriter, r *http.Request) {
	q, refused := g.understand(r)
	g.mu.Lock()
	defer g.mu.Unlock()
	var content fields
	f := g.faults
	if refused == nil {
		g.asked[q.method]++
		if f.Code != "" {
			refused = &failure{f.Code, f.SubCode, "faults"}
		} else {
			content, refused = g.do(q)
		}
	}
	if content == nil {
		content = fields{}
	}
	if refused == nil {
		content["code"], content["msg"] = "10000", "Success"
	} else {
		content["code"], content["msg"], content["sub_code"], content["sub_msg"] = refused.Code, messages[refused.Code], refused.SubCode, refused.SubMsg
	}
	w.Header().Set("Content-Type", "text/html;charset=utf-8") // as the real one says
	if f.Answer != "" {
		_, _ = io.WriteString(w, f.Answer)
		return
	}
	_, _ = io.WriteString(w, g.answer(q.method, refused, content))
}

func (g *Gateway) do(q question) (fields, *failure) {
	switch q.method {
	case "alipay.trade.precreate":
		o, refused := g.offered(q)
		if refused != nil {
			return nil, refused
		}
		return fields{"out_trade_no": o.Number, "qr_code": g.url + "/cashier/" + o.token}, nil
	case "alipay.trade.query":
		return g.query(q)
	case "alipay.trade.close":
		return g.closed(q)
	case "alipay.trade.refund":
		return g.refund(q)
	case "alipay.trade.fastpay.refund.query":
		return g.refundQuery(q)
	case "alipay.data.dataservice.bill.downloadurl.query":
		return g.billURL(q)
	}
	return nil, invalid("method", "该接口只支持页面跳转") // a page is not for programs
}

// answer is the text of an answer. Its signature is over the very text of the object inside. Who is not known to the gateway gets no signature.
func (g *Gateway) answer(method string, refused *failure, content fields) string {
	text := encoded(content)
	name := strings.ReplaceAll(method, ".", "_") + "_response"
	if _, known := rules[method]; !known {
		name = "error_response"
	}
	stranger := refused != nil && (refused.SubCode == "isv.invalid-app-id" || strings.HasPrefix(refused.SubCode, "isv.missing-") || name == "error_response")
	by := g.signer
	if g.faults.AnswersBy != nil {
		by = g.faults.AnswersBy
	}
	signature := by.sign([]byte(text))
	if g.faults.Tamper {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "WAIT_BUYER_PAY", "TRADE_SUCCESS"), `"msg":"`, `"msg":"!`)
	}
	if stranger || g.faults.Unsigned {
		return `{"` + name + `":` + text + `}`
	}
	certificate := ""
	if by.Certificate != nil {
		certificate = `"alipay_cert_sn":"` + by.Serial() + `",`
	}
	return `{"` + name + `":` + text + `,` + certificate + `"sign":"` + signature + `"}`
}

// encoded is JSON as the real one writes it: with slashes escaped and nothing else that needs not be.
func encoded(content fields) string {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(content); err != nil {
		return "" // it has texts only, and always can
	}
	return strings.ReplaceAll(strings.TrimSpace(text.String()), "/", `\/`)
}
