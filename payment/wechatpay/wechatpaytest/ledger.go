package wechatpaytest

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"
	"unicode/utf8"
)

// terms are what a merchant asks the gateway to collect.
type terms struct {
	AppID       string `json:"appid"`
	Merchant    string `json:"mchid"`
	Description string `json:"description"`
	Number      string `json:"out_trade_no"`
	Expire      string `json:"time_expire"`
	NotifyURL   string `json:"notify_url"`
	Amount      struct {
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
	Scene *struct {
		IP string `json:"payer_client_ip"`
		H5 *struct {
			Type    string `json:"type"`
			AppName string `json:"app_name"`
		} `json:"h5_info"`
	} `json:"scene_info"`
}

// Payment is an order at the gateway.
type Payment struct {
	Number, Kind, Token, NotifyURL string
	State, TransactionID           string
	Amount, Captured               int64
	Currency                       string
	Expire, Paid                   time.Time
	eventID, description           string
	back                           int64 // refunded, or about to be
}

// Refund is a refund at the gateway, in fen.
type Refund struct {
	ID, Number, RefundID, State, Reason string
	Amount                              int64
	Created, Done                       time.Time
	notifyURL, eventID                  string
}

// movement is a line of a bill.
type movement struct {
	payment Payment
	refund  *Refund
	at      time.Time
}

var numberShape = regexp.MustCompile(`^[0-9A-Za-z_\-|*]{6,32}$`)

func badly(what string) *failure { return &failure{http.StatusBadRequest, "PARAM_ERROR", what} }

func callable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.RawQuery == "" && len(address) <= 255
}

func (g *Gateway) order(kind string) func(*http.Request, []byte) (any, *failure) {
	return func(_ *http.Request, body []byte) (any, *failure) {
		var t terms
		if refused := strictly(body, &t); refused != nil {
			return nil, refused
		}
		expire, err := time.Parse(time.RFC3339, t.Expire)
		switch {
		case t.Merchant != g.config.Merchant || t.AppID != g.config.AppID:
			return nil, &failure{http.StatusBadRequest, "APPID_MCHID_NOT_MATCH", "appid and mchid"}
		case !numberShape.MatchString(t.Number):
			return nil, badly("out_trade_no")
		case t.Description == "" || len(t.Description) > 127 || !utf8.ValidString(t.Description):
			return nil, badly("description")
		case err != nil || !expire.After(g.config.Now()):
			return nil, badly("time_expire")
		case !callable(t.NotifyURL):
			return nil, badly("notify_url")
		case t.Amount.Total <= 0 || t.Amount.Currency != "CNY":
			return nil, badly("amount")
		case t.Scene != nil && net.ParseIP(t.Scene.IP) == nil:
			return nil, badly("payer_client_ip")
		case kind == "h5" && (t.Scene == nil || t.Scene.H5 == nil || t.Scene.H5.Type == ""):
			return nil, badly("scene_info")
		}
		p := g.payments[t.Number]
		switch {
		case p == nil:
			p = &Payment{
				Number: t.Number, Kind: kind, Token: hexText(20), NotifyURL: t.NotifyURL, State: "NOTPAY",
				Amount: t.Amount.Total, Currency: "CNY", Expire: expire, description: t.Description,
			}
			g.payments[p.Number], g.cashiers[p.Token] = p, p
		case p.State == "SUCCESS" || p.State == "REFUND":
			return nil, &failure{http.StatusBadRequest, "ORDER_PAID", "该订单已支付"}
		case p.State == "CLOSED":
			return nil, &failure{http.StatusBadRequest, "ORDER_CLOSED", "订单已关闭"}
		case p.Amount != t.Amount.Total || p.Kind != kind || p.NotifyURL != t.NotifyURL || p.description != t.Description || !p.Expire.Equal(expire):
			return nil, &failure{http.StatusBadRequest, "INVALID_REQUEST", "201 商户订单号重复"}
		}
		if kind == "h5" {
			return map[string]string{"h5_url": g.url + "/cashier/" + p.Token + "?package=1037687096"}, nil
		}
		return map[string]string{"code_url": "weixin://wxpay/bizpayurl?pr=" + p.Token}, nil
	}
}

func (g *Gateway) query(r *http.Request, _ []byte) (any, *failure) {
	if r.URL.Query().Get("mchid") != g.config.Merchant {
		return nil, badly("mchid")
	}
	p := g.payments[r.PathValue("number")]
	if p == nil {
		return nil, &failure{http.StatusNotFound, "ORDER_NOT_EXIST", "订单不存在"}
	}
	return g.told(p), nil
}

// told is what the gateway says of a payment.
func (g *Gateway) told(p *Payment) map[string]any {
	said := map[string]any{
		"appid": g.config.AppID, "mchid": g.config.Merchant, "out_trade_no": p.Number, "trade_state": p.State,
		"trade_state_desc": p.State, "amount": map[string]any{"total": p.Amount, "currency": p.Currency},
	}
	if p.TransactionID != "" {
		said["transaction_id"] = p.TransactionID
		said["trade_type"] = map[string]string{"native": "NATIVE", "h5": "MWEB"}[p.Kind]
		said["bank_type"], said["attach"] = "OTHERS", ""
		said["success_time"] = p.Paid.In(beijing).Format(time.RFC3339)
		said["payer"] = map[string]string{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}
		said["amount"] = map[string]any{"total": p.Captured, "payer_total": p.Captured, "currency": p.Currency, "payer_currency": p.Currency}
	}
	return said
}

func (g *Gateway) close(r *http.Request, body []byte) (any, *failure) {
	var asked struct {
		Merchant string `json:"mchid"`
	}
	if refused := strictly(body, &asked); refused != nil {
		return nil, refused
	}
	p := g.payments[r.PathValue("number")]
	switch {
	case asked.Merchant != g.config.Merchant:
		return nil, badly("mchid")
	case p == nil:
		return nil, &failure{http.StatusNotFound, "ORDER_NOT_EXIST", "订单不存在"}
	case p.State == "SUCCESS" || p.State == "REFUND":
		return nil, &failure{http.StatusBadRequest, "ORDER_PAID", "订单已支付"}
	case p.State == "CLOSED":
		return nil, &failure{http.StatusBadRequest, "ORDER_CLOSED", "订单已关闭"}
	case p.State != "NOTPAY":
		return nil, &failure{http.StatusForbidden, "TRADE_ERROR", "交易错误"}
	}
	p.State = "CLOSED"
	return nil, nil
}

func (g *Gateway) refund(_ *http.Request, body []byte) (any, *failure) {
	var asked struct {
		Number    string `json:"out_trade_no"`
		ID        string `json:"out_refund_no"`
		Reason    string `json:"reason"`
		NotifyURL string `json:"notify_url"`
		Amount    struct {
			Refund   int64  `json:"refund"`
			Total    int64  `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
	}
	if refused := strictly(body, &asked); refused != nil {
		return nil, refused
	}
	invalid := func(why string) (any, *failure) {
		return nil, &failure{http.StatusBadRequest, "INVALID_REQUEST", why}
	}
	if !numberShape.MatchString(asked.ID) || len(asked.Reason) > 80 || asked.Amount.Refund <= 0 || asked.Amount.Currency != "CNY" ||
		asked.NotifyURL != "" && !callable(asked.NotifyURL) {
		return nil, badly("out_refund_no, reason, notify_url or amount")
	}
	if known := g.refunds[asked.ID]; known != nil {
		if known.Number != asked.Number || known.Amount != asked.Amount.Refund {
			return invalid("订单金额或退款金额与之前请求不一致")
		}
		return g.refundTold(known), nil
	}
	p := g.payments[asked.Number]
	switch {
	case p == nil:
		return nil, &failure{http.StatusNotFound, "RESOURCE_NOT_EXISTS", "订单不存在"}
	case p.State != "SUCCESS" && p.State != "REFUND":
		return invalid("订单状态错误")
	case asked.Amount.Total != p.Captured:
		return invalid("订单金额不一致")
	case p.back+asked.Amount.Refund > p.Captured:
		return invalid("订单已全额退款")
	case g.faults.LowBalance:
		return nil, &failure{http.StatusForbidden, "NOT_ENOUGH", "基本账户余额不足"}
	}
	now := g.config.Now()
	r := &Refund{
		ID: asked.ID, Number: p.Number, RefundID: g.newID("503", now), State: "SUCCESS", Reason: asked.Reason,
		Amount: asked.Amount.Refund, Created: now, Done: now, notifyURL: asked.NotifyURL, eventID: eventID(),
	}
	if g.faults.RefundEnds != "" {
		r.State = g.faults.RefundEnds
	}
	g.refunds[r.ID] = r
	accepted := g.refundTold(r)
	accepted["status"] = "PROCESSING" // it always says so at first
	delete(accepted, "success_time")
	if r.State == "SUCCESS" || r.State == "PROCESSING" {
		p.State = "REFUND"
		p.back += r.Amount
	}
	if r.State == "SUCCESS" {
		g.moved = append(g.moved, movement{payment: *p, refund: r, at: now})
	}
	if r.State != "PROCESSING" && r.notifyURL != "" {
		g.deliver(r.notifyURL, g.event("REFUND."+r.State, r.eventID, "refund", g.refundNotice(r)))
	}
	return accepted, nil
}

func (g *Gateway) queryRefund(r *http.Request, _ []byte) (any, *failure) {
	known := g.refunds[r.PathValue("id")]
	if known == nil {
		return nil, &failure{http.StatusNotFound, "RESOURCE_NOT_EXISTS", "退款单不存在"}
	}
	return g.refundTold(known), nil
}

func (g *Gateway) refundTold(r *Refund) map[string]any {
	p := g.payments[r.Number]
	said := map[string]any{
		"refund_id": r.RefundID, "out_refund_no": r.ID, "transaction_id": p.TransactionID, "out_trade_no": r.Number,
		"channel": "ORIGINAL", "user_received_account": "支付用户零钱", "create_time": r.Created.In(beijing).Format(time.RFC3339),
		"status": r.State, "funds_account": "AVAILABLE",
		"amount": map[string]any{
			"total": p.Captured, "refund": r.Amount, "payer_total": p.Captured, "payer_refund": r.Amount,
			"settlement_refund": r.Amount, "settlement_total": p.Captured, "discount_refund": 0, "currency": "CNY",
		},
	}
	if r.State == "SUCCESS" {
		said["success_time"] = r.Done.In(beijing).Format(time.RFC3339)
	}
	return said
}

// refundNotice is what a callback says of a refund.
func (g *Gateway) refundNotice(r *Refund) map[string]any {
	p := g.payments[r.Number]
	said := map[string]any{
		"mchid": g.config.Merchant, "out_trade_no": r.Number, "transaction_id": p.TransactionID, "out_refund_no": r.ID,
		"refund_id": r.RefundID, "refund_status": r.State, "user_received_account": "支付用户零钱",
		"amount": map[string]any{"total": p.Captured, "refund": r.Amount, "payer_total": p.Captured, "payer_refund": r.Amount},
	}
	if r.State == "SUCCESS" {
		said["success_time"] = r.Done.In(beijing).Format(time.RFC3339)
	}
	return said
}

// Refunds are those of a refund id: none or one.
func (g *Gateway) Refunds(id string) []Refund {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.refunds[id]; r != nil {
		return []Refund{*r}
	}
	return nil
}
