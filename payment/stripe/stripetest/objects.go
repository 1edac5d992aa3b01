package stripetest

import (
	"slices"
	"strings"
)

// object is one as Stripe shows it.
type object map[string]any

// null is an id that there is none of.
func null(id string) any {
	if id == "" {
		return nil
	}
	return id
}

// below are the expansions of a member, without its name; ok says whether the member itself is to be shown whole.
func below(expand []string, member string) (rest []string, ok bool) {
	for _, path := range expand {
		if path == member {
			ok = true
		} else if after, found := strings.CutPrefix(path, member+"."); found {
			ok = true
			rest = append(rest, after)
		}
	}
	return rest, ok
}

func copied(metadata map[string]string) object {
	o := object{}
	for name, value := range metadata {
		o[name] = value
	}
	return o
}

func (g *Gateway) showSession(s *session, expand []string) object {
	o := object{
		"id": s.ID, "object": "checkout.session", "livemode": g.live, "mode": "payment", "created": s.Created, "expires_at": s.ExpiresAt,
		"client_reference_id": null(s.Reference), "metadata": copied(s.Metadata), "status": s.Status, "payment_status": s.PaymentStatus,
		"amount_subtotal": s.Total, "amount_total": s.Total, "currency": s.Currency, "success_url": s.SuccessURL, "cancel_url": null(s.CancelURL),
		"locale": null(s.Locale), "payment_method_types": s.Methods, "payment_method_options": object{}, "payment_intent": nil, "url": nil,
		"ui_mode": "hosted_page", "adaptive_pricing": object{"enabled": s.AdaptivePricing},
		"automatic_tax": object{"enabled": false, "liability": nil, "provider": nil, "status": nil},
		"total_details": object{"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
		"custom_fields": []any{},
		"custom_text":   object{"after_submit": nil, "shipping_address": nil, "submit": nil, "terms_of_service_acceptance": nil},
		"invoice_creation": object{"enabled": false, "invoice_data": object{
			"account_tax_ids": nil, "custom_fields": nil, "description": nil, "footer": nil, "issuer": nil, "metadata": object{}, "rendering_options": nil,
		}},
		"phone_number_collection": object{"enabled": false}, "shipping_options": []any{}, "payment_method_collection": "if_required",
		"customer_creation": "if_required",
	}
	for _, empty := range []string{
		"after_expiration", "allow_promotion_codes", "billing_address_collection", "client_secret", "collected_information", "consent",
		"consent_collection", "currency_conversion", "customer", "customer_account", "customer_details", "customer_email", "discounts", "invoice",
		"origin_context", "payment_link", "payment_method_configuration_details", "permissions", "recovered_from", "saved_payment_method_options",
		"setup_intent", "shipping_address_collection", "shipping_cost", "submit_type", "subscription", "wallet_options",
	} {
		o[empty] = nil
	}
	if s.Status == "open" {
		o["url"] = g.url + "/c/pay/" + s.ID
	}
	if s.PaymentStatus == "paid" {
		o["customer_details"] = object{
			"email": "payer@example.com", "name": "Pat Payer", "phone": nil, "tax_exempt": "none", "tax_ids": []any{}, "business_name": nil, "individual_name": nil,
			"address": object{"city": nil, "country": "US", "line1": nil, "line2": nil, "postal_code": nil, "state": nil},
		}
	}
	if s.Intent != nil {
		o["payment_intent"] = s.Intent.ID
		if rest, ok := below(expand, "payment_intent"); ok {
			o["payment_intent"] = g.showIntent(s.Intent, rest)
		}
	}
	return o
}

func (g *Gateway) showIntent(i *intent, expand []string) object {
	o := object{
		"id": i.ID, "object": "payment_intent", "livemode": g.live, "created": i.Created, "amount": i.Amount, "amount_received": i.Received,
		"amount_capturable": 0, "amount_details": object{"tip": object{}}, "currency": i.Currency, "status": i.Status, "metadata": copied(i.Metadata),
		"description": null(i.Description), "capture_method": "automatic_async", "confirmation_method": "automatic", "payment_method_types": i.Session.Methods,
		"payment_method_options": object{}, "client_secret": i.ID + "_secret_" + i.ID[3:], "latest_charge": nil,
	}
	for _, empty := range []string{
		"application", "application_fee_amount", "automatic_payment_methods", "canceled_at", "cancellation_reason", "customer", "customer_account",
		"excluded_payment_method_types", "last_payment_error", "next_action", "on_behalf_of", "payment_method", "payment_method_configuration_details",
		"processing", "receipt_email", "review", "setup_future_usage", "shipping", "source", "statement_descriptor", "statement_descriptor_suffix",
		"transfer_data", "transfer_group",
	} {
		o[empty] = nil
	}
	if i.LastError != "" {
		o["last_payment_error"] = object{"type": "card_error", "code": "card_declined", "decline_code": i.LastError, "message": "Your card was declined."}
	}
	if i.Charge != nil {
		o["latest_charge"] = i.Charge.ID
		if rest, ok := below(expand, "latest_charge"); ok {
			o["latest_charge"] = g.showCharge(i.Charge, rest)
		}
	}
	return o
}

func (g *Gateway) showCharge(c *charge, expand []string) object {
	o := object{
		"id": c.ID, "object": "charge", "livemode": g.live, "created": c.Created, "amount": c.Amount, "amount_captured": c.Amount,
		"amount_refunded": c.Refunded, "captured": true, "paid": true, "refunded": c.Refunded == c.Amount, "disputed": c.Disputed, "currency": c.Currency,
		"status": c.Status, "metadata": copied(c.Intent.Metadata), "description": null(c.Intent.Description), "payment_intent": c.Intent.ID,
		"balance_transaction": nil, "billing_details": object{
			"address": object{"city": nil, "country": "US", "line1": nil, "line2": nil, "postal_code": nil, "state": nil},
			"email":   "payer@example.com", "name": "Pat Payer", "phone": nil, "tax_id": nil,
		},
		"fraud_details": object{}, "calculated_statement_descriptor": "BOXOFFICE", "payment_method": "pm_" + c.ID[3:],
		"payment_method_details": object{"type": "card"},
	}
	for _, empty := range []string{
		"application", "application_fee", "application_fee_amount", "customer", "failure_balance_transaction", "failure_code", "failure_message",
		"on_behalf_of", "outcome", "receipt_email", "receipt_number", "receipt_url", "review", "shipping", "source", "source_transfer",
		"statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group",
	} {
		o[empty] = nil
	}
	if c.Movement != nil {
		o["balance_transaction"] = c.Movement.ID
		if rest, ok := below(expand, "balance_transaction"); ok {
			o["balance_transaction"] = g.showMovement(c.Movement, rest)
		}
	}
	if _, ok := below(expand, "payment_intent"); ok {
		o["payment_intent"] = g.showIntent(c.Intent, nil)
	}
	return o
}

func (g *Gateway) showRefund(r *refund, expand []string) object {
	o := object{
		"id": r.ID, "object": "refund", "created": r.Created, "amount": r.Amount, "currency": r.Charge.Currency, "status": r.Status,
		"reason": null(r.Reason), "metadata": copied(r.Metadata), "charge": r.Charge.ID, "payment_intent": r.Charge.Intent.ID,
		"balance_transaction": nil, "receipt_number": nil, "source_transfer_reversal": nil, "transfer_reversal": nil, "customer": nil,
		"customer_account": nil, "payment_method": nil,
		"destination_details": object{"type": "card", "card": object{"type": "refund", "reference_status": "pending", "reference_type": "acquirer_reference_number"}},
	}
	if r.Pending != "" {
		o["pending_reason"] = r.Pending
	}
	if r.Failed != "" {
		o["failure_reason"] = r.Failed
	}
	if r.Back != nil {
		o["failure_balance_transaction"] = r.Back.ID
	}
	if r.Movement != nil {
		o["balance_transaction"] = r.Movement.ID
	}
	if rest, ok := below(expand, "payment_intent"); ok {
		o["payment_intent"] = g.showIntent(r.Charge.Intent, rest)
	}
	if rest, ok := below(expand, "charge"); ok {
		o["charge"] = g.showCharge(r.Charge, rest)
	}
	return o
}

func (g *Gateway) showDispute(d *dispute) object {
	moves := []any{}
	for _, m := range d.Movements {
		moves = append(moves, g.showMovement(m, nil))
	}
	evidence := object{"enhanced_evidence": object{}}
	for empty := range strings.FieldsSeq(`access_activity_log billing_address cancellation_policy cancellation_policy_disclosure
		cancellation_rebuttal customer_communication customer_email_address customer_name customer_purchase_ip customer_signature
		duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy
		refund_policy_disclosure refund_refusal_explanation service_date service_documentation shipping_address shipping_carrier
		shipping_date shipping_documentation shipping_tracking_number uncategorized_file uncategorized_text`) {
		evidence[empty] = nil
	}
	return object{
		"id": d.ID, "object": "dispute", "livemode": g.live, "created": d.Created, "amount": d.Amount, "currency": d.Charge.Currency, "status": d.Status,
		"reason": d.Reason, "metadata": object{}, "charge": d.Charge.ID, "payment_intent": d.Charge.Intent.ID, "balance_transactions": moves,
		"is_charge_refundable": false, "enhanced_eligibility_types": []any{}, "evidence": evidence,
		"evidence_details": object{
			"due_by": d.Created + 7*24*60*60, "has_evidence": false, "past_due": false, "submission_count": 0, "enhanced_eligibility": object{},
		},
	}
}

func sourceID(source any) string {
	switch s := source.(type) {
	case *charge:
		return s.ID
	case *refund:
		return s.ID
	case *dispute:
		return s.ID
	}
	return ""
}

func (g *Gateway) showMovement(m *movement, expand []string) object {
	o := object{
		"id": m.ID, "object": "balance_transaction", "created": m.Created, "available_on": m.Created + 2*24*60*60, "amount": m.Amount, "fee": m.Fee,
		"net": m.Amount - m.Fee, "currency": m.Currency, "exchange_rate": nil, "type": m.Type, "reporting_category": m.Category, "status": "pending",
		"balance_type": "payments", "description": null(m.Description), "source": null(sourceID(m.Source)), "fee_details": []any{},
	}
	if m.Rate != 0 {
		o["exchange_rate"] = m.Rate
	}
	if m.Fee != 0 {
		o["fee_details"] = []any{object{"amount": m.Fee, "application": nil, "currency": m.Currency, "description": "Stripe processing fees", "type": "stripe_fee"}}
	}
	if slices.Contains(expand, "source") {
		switch s := m.Source.(type) {
		case *charge:
			o["source"] = g.showCharge(s, nil)
		case *refund:
			o["source"] = g.showRefund(s, nil)
		case *dispute:
			o["source"] = g.showDispute(s)
		}
	}
	return o
}
