package stripetest

import (
	"net/http"
)

var refundRules = rules{
	"payment_intent": {check: upTo(5000)}, "charge": {check: upTo(5000)}, "amount": {check: integer(1, maxAmount)},
	"reason": {check: oneOf("duplicate", "fraudulent", "requested_by_customer")}, "metadata[*]": {}, "expand[]": {},
}

func (g *Gateway) createRefund(p params, _ string) (any, *refusal) {
	if (p["payment_intent"] == "") == (p["charge"] == "") {
		return nil, invalid("", "One of the following params should be provided for this request: payment_intent or charge.")
	}
	c, refused := g.chargeOf(p)
	if refused != nil {
		return nil, refused
	}
	left := c.Amount - c.Refunded
	amount := left
	if p["amount"] != "" {
		amount = p.number("amount")
	}
	switch {
	case left == 0:
		return nil, &refusal{
			Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "charge_already_refunded",
			Message: "Charge " + c.ID + " has already been refunded.",
		}
	case amount > left:
		return nil, invalid("amount", "Refund amount (%d) is greater than unrefunded amount on charge (%d)", amount, left)
	case c.Disputed:
		return nil, &refusal{
			Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "charge_disputed", Message: "Charge " + c.ID + " has been charged back; cannot issue a refund.",
		}
	case (c.Currency == "kwd" || c.Currency == "bhd") && amount%10 != 0:
		return nil, invalid("amount", "Invalid amount: the amount in %s must be evenly divisible by 10.", c.Currency)
	case g.faults.LowBalance:
		return nil, &refusal{
			Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "balance_insufficient",
			Message: "Insufficient funds in your Stripe balance to refund this amount.",
		}
	}
	r := &refund{
		ID: g.newID("re"), Amount: amount, Status: "succeeded", Reason: p["reason"], Metadata: p.metadata("metadata"), Created: g.now(), Charge: c,
	}
	c.Refunded += amount
	g.refunds = append(g.refunds, r)
	if g.faults.WaitForBalance {
		r.Status, r.Pending = "pending", "insufficient_funds"
	} else {
		r.Movement = g.move("refund", "refund", -amount, 0, c.Currency, r)
	}
	g.happened("refund.created", g.showRefund(r, nil))
	g.happened("charge.refunded", g.showCharge(c, nil))
	g.refundUpdated(r)
	return g.showRefund(r, p.list("expand")), nil
}

// refundUpdated tells of a refund twice, as Stripe does.
func (g *Gateway) refundUpdated(r *refund) {
	g.happened("charge.refund.updated", g.showRefund(r, nil))
	g.happened("refund.updated", g.showRefund(r, nil))
}

// chargeOf is the charge that is to be refunded.
func (g *Gateway) chargeOf(p params) (*charge, *refusal) {
	for _, s := range g.sessions {
		if s.Intent == nil {
			continue
		}
		if s.Intent.ID == p["payment_intent"] && s.Intent.Charge == nil {
			return nil, &refusal{
				Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "payment_intent_unexpected_state",
				Message: "This PaymentIntent (" + s.Intent.ID + ") does not have a successful charge to refund.",
			}
		}
		if s.Intent.ID == p["payment_intent"] || s.Intent.Charge != nil && s.Intent.Charge.ID == p["charge"] {
			return s.Intent.Charge, nil
		}
	}
	if p["charge"] != "" {
		return nil, missing("charge", p["charge"])
	}
	return nil, missing("payment_intent", p["payment_intent"])
}

func (g *Gateway) refundByID(id string) (*refund, *refusal) {
	for _, r := range g.refunds {
		if r.ID == id {
			return r, nil
		}
	}
	return nil, missing("refund", id)
}

func (g *Gateway) retrieveRefund(p params, id string) (any, *refusal) {
	r, refused := g.refundByID(id)
	if refused != nil {
		return nil, refused
	}
	return g.showRefund(r, p.list("expand")), nil
}

func (g *Gateway) listRefunds(p params, _ string) (any, *refusal) {
	return list(p, "/v1/refunds", g.refunds,
		func(r *refund) (string, int64) { return r.ID, r.Created },
		func(r *refund) bool {
			return (p["payment_intent"] == "" || p["payment_intent"] == r.Charge.Intent.ID) && (p["charge"] == "" || p["charge"] == r.Charge.ID)
		},
		func(r *refund, expand []string) object { return g.showRefund(r, expand) })
}
