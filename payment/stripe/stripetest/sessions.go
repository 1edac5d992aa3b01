package stripetest

import (
	"net/http"
	"slices"
	"strings"
)

// locales are the languages the payment page speaks.
var locales = strings.Fields(`auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl
	pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW`)

// currencies are those of the test account; minimal is the least a card is charged, where the documents name it.
var (
	currencies = strings.Fields("usd eur gbp cny hkd jpy krw kwd bhd isk ugx mga chf aud cad sgd")
	minimal    = map[string]int64{"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "hkd": 400, "chf": 50, "cad": 50, "aud": 50, "sgd": 50}
)

const maxAmount = 99_999_999

var sessionRules = rules{
	"mode":                                                {required: true, check: oneOf("payment")},
	"client_reference_id":                                 {check: upTo(200)},
	"metadata[*]":                                         {},
	"line_items[][quantity]":                              {required: true, check: integer(1, 999_999)},
	"line_items[][price_data][currency]":                  {required: true, check: oneOf(currencies...)},
	"line_items[][price_data][unit_amount]":               {required: true, check: integer(0, maxAmount)},
	"line_items[][price_data][product_data][name]":        {required: true, check: upTo(250)},
	"line_items[][price_data][product_data][description]": {check: upTo(5000)},
	"payment_intent_data[description]":                    {check: upTo(1000)},
	"payment_intent_data[metadata][*]":                    {},
	"payment_method_types[]":                              {check: oneOf("card", "link", "alipay", "wechat_pay", "sepa_debit", "us_bank_account", "klarna")},
	"payment_method_options[wechat_pay][client]":          {check: oneOf("web")},
	"adaptive_pricing[enabled]":                           {check: boolean},
	"locale":                                              {check: oneOf(locales...)},
	"success_url":                                         {required: true, check: httpURL},
	"cancel_url":                                          {check: httpURL},
	"customer_email":                                      {check: upTo(800)},
	"expires_at":                                          {check: integer(1, 1<<40)},
	"expand[]":                                            {},
}

func (g *Gateway) createSession(p params, _ string) (any, *refusal) {
	now := g.now()
	const item = "line_items[0][price_data]"
	currency := p[item+"[currency]"]
	amount := p.number(item+"[unit_amount]") * p.number("line_items[0][quantity]")
	expires := now + 24*60*60
	if p["expires_at"] != "" {
		expires = p.number("expires_at")
	}
	methods := p.list("payment_method_types")
	switch {
	case p["line_items[1][quantity]"] != "":
		return nil, invalid("line_items", "The stand-in sells one thing at a time.")
	case amount < minimal[currency]:
		return nil, &refusal{
			Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "amount_too_small",
			Message: "The Checkout Session's total amount due must add up to at least the minimum charge of the currency.",
		}
	case amount > maxAmount:
		return nil, &refusal{Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "amount_too_large", Message: "Amount must be no more than " + currency + " 999,999.99"}
	case (currency == "kwd" || currency == "bhd") && amount%10 != 0:
		return nil, invalid("amount", "Invalid amount: the amount in %s must be evenly divisible by 10.", currency)
	case (currency == "isk" || currency == "ugx") && amount%100 != 0:
		return nil, invalid("amount", "Invalid amount: the amount in %s must be evenly divisible by 100.", currency)
	case expires < now+30*60:
		return nil, invalid("expires_at", "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
	case expires > now+24*60*60:
		return nil, invalid("expires_at", "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")
	case slices.Contains(methods, "wechat_pay") && p["payment_method_options[wechat_pay][client]"] == "":
		return nil, invalid("payment_method_options[wechat_pay][client]", "You must provide `payment_method_options[wechat_pay][client]` when accepting WeChat Pay.")
	case g.live && (!strings.HasPrefix(p["success_url"], "https:") || p["cancel_url"] != "" && !strings.HasPrefix(p["cancel_url"], "https:")):
		return nil, &refusal{Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "url_invalid", Message: "Livemode requests must always be redirected via HTTPS."}
	}
	s := &session{
		ID: g.newSessionID(), Reference: p["client_reference_id"], Metadata: p.metadata("metadata"), Amount: amount, Total: amount, Currency: currency,
		Description: p[item+"[product_data][name]"], Status: "open", PaymentStatus: "unpaid", Created: now, ExpiresAt: expires,
		SuccessURL: p["success_url"], CancelURL: p["cancel_url"], Locale: p["locale"], Methods: methods,
		IntentMetadata: p.metadata("payment_intent_data[metadata]"), IntentDescription: p["payment_intent_data[description]"],
		AdaptivePricing: p["adaptive_pricing[enabled]"] != "false",
	}
	if amount == 0 {
		s.PaymentStatus = "no_payment_required"
	}
	if len(s.Methods) == 0 {
		s.Methods = []string{"card"}
	}
	g.sessions = append(g.sessions, s)
	return g.showSession(s, p.list("expand")), nil
}

func (g *Gateway) sessionByID(id string) (*session, *refusal) {
	for _, s := range g.sessions {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, missing("checkout.session", id)
}

func (g *Gateway) retrieveSession(p params, id string) (any, *refusal) {
	s, refused := g.sessionByID(id)
	if refused != nil {
		return nil, refused
	}
	return g.showSession(s, p.list("expand")), nil
}

func (g *Gateway) expireSession(p params, id string) (any, *refusal) {
	s, refused := g.sessionByID(id)
	if refused != nil {
		return nil, refused
	}
	if s.Status != "open" {
		return nil, invalid("", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of %s.", s.Status)
	}
	g.expire(s)
	return g.showSession(s, p.list("expand")), nil
}

func (g *Gateway) listSessions(p params, _ string) (any, *refusal) {
	return list(p, "/v1/checkout/sessions", g.sessions,
		func(s *session) (string, int64) { return s.ID, s.Created },
		func(s *session) bool {
			return (p["status"] == "" || p["status"] == s.Status) &&
				(p["payment_intent"] == "" || s.Intent != nil && s.Intent.ID == p["payment_intent"])
		},
		func(s *session, expand []string) object { return g.showSession(s, expand) })
}

func (g *Gateway) intentByID(id string) (*intent, *refusal) {
	for _, s := range g.sessions {
		if s.Intent != nil && s.Intent.ID == id {
			return s.Intent, nil
		}
	}
	return nil, missing("payment_intent", id)
}

func (g *Gateway) retrieveIntent(p params, id string) (any, *refusal) {
	i, refused := g.intentByID(id)
	if refused != nil {
		return nil, refused
	}
	return g.showIntent(i, p.list("expand")), nil
}

func (g *Gateway) retrieveCharge(p params, id string) (any, *refusal) {
	for _, s := range g.sessions {
		if s.Intent != nil && s.Intent.Charge != nil && s.Intent.Charge.ID == id {
			return g.showCharge(s.Intent.Charge, p.list("expand")), nil
		}
	}
	return nil, missing("charge", id)
}
