package unionpay

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// The answer codes that mean something here; the others are the many reasons why a bank declines.
const (
	codeDone       = "00"
	codeFlawed     = "A6" // done, with a flaw that is UnionPay's to mend
	codeTimedOut   = "03" // outcome unknown: ask
	codeUnclear    = "04" // outcome unknown: ask
	codeAccepted   = "05" // accepted, or a page nobody has paid on yet: ask
	codeDuplicate  = "12"
	codeNotFound   = "34"
	codeInputLate  = "69" // the payer took too long
	codeLowBalance = "90"
	codeNoFile     = "98"
)

// meaning says what an answer's code means for the caller. A refusal that is about our clock, our key or our
// contract, or about the gateway's being busy, holds until somebody mends it, not for good.
func meaning(code string) error {
	switch code {
	case codeNotFound, codeNoFile:
		return payment.ErrNotFound
	case codeLowBalance:
		return payment.ErrLowBalance
	case codeTimedOut, codeUnclear, codeAccepted, // it may have been done
		"02", "06", "37", // closed, busy, asked too often
		"11", "31", "32", "43", // signature, merchant's state, permissions
		"40", "41", "92", "93", "94", "95", "96", "99": // contract, batch, our business licence; anything
		return payment.ErrUnavailable
	}
	if n, err := strconv.Atoi(code); err != nil || len(code) != 2 || n == 0 {
		return payment.ErrUnavailable // no code of the list
	}
	return payment.ErrRejected
}

// undecided says whether a code leaves the outcome open.
func undecided(code string) bool {
	return code == codeTimedOut || code == codeUnclear || code == codeAccepted
}

// succeeded says whether a code means that money moved.
func succeeded(code string) bool { return code == codeDone || code == codeFlawed }

// currencies are ISO 4217's numbers of what a card may be charged in. We ask for yuan only; the others are known so
// that what was really captured can be told.
var currencies = map[string]string{"156": "CNY", "344": "HKD", "446": "MOP", "392": "JPY", "702": "SGD", "826": "GBP", "840": "USD", "978": "EUR"}

const yuan = "156"

// amount reads an amount in the currency's smallest unit.
func amount(minor, currency string) (ticketing.Money, error) {
	value, err := strconv.ParseInt(minor, 10, 64)
	if err != nil || value <= 0 || len(minor) > 12 || strconv.FormatInt(value, 10) != minor {
		return ticketing.Money{}, fmt.Errorf("amount %q", minor)
	}
	code, known := currencies[currency]
	if !known {
		return ticketing.Money{}, fmt.Errorf("currency %q", currency)
	}
	return ticketing.Money{Amount: value, Currency: code}, nil
}

// status translates what a message says of a payment; the code is where the message puts it.
//
// Until the payment's end nothing but success is final: the payer's page takes another card after a declined one, and an
// open page and a payment in process look the same. After the end what the gateway says stays.
func (p *Provider) status(f fields, code string, now time.Time) (payment.Status, error) {
	sent, err := parseStamp(f["txnTime"])
	if err != nil {
		return payment.Status{}, fmt.Errorf("txnTime: %w", err)
	}
	s := payment.Status{Number: f["orderId"], GatewayID: f["queryId"], State: payment.StatePaid, At: sent}
	if succeeded(code) {
		if s.At, err = parseTrace(f["traceTime"], sent); err != nil {
			return payment.Status{}, fmt.Errorf("traceTime: %w", err)
		}
		if s.GatewayID == "" {
			return payment.Status{}, errors.New("paid, but no queryId")
		}
		s.Captured, err = amount(f["txnAmt"], f["currencyCode"])
		return s, err
	}
	end, err := parseStamp(f["reqReserved"]) // where Create put it
	if err != nil {
		return payment.Status{}, fmt.Errorf("reqReserved: %w", err)
	}
	open := undecided(code)
	switch {
	case code == "":
		return payment.Status{}, errors.New("no answer code")
	case now.Before(end) && open && code != codeAccepted:
		s.State = payment.StateUnknown
	case now.Before(end):
		s.State = payment.StatePending
	case now.Before(end.Add(p.config.Settling)) && open:
		s.State = payment.StateUnknown
	case open || code == codeInputLate:
		s.State = payment.StateClosed
	default:
		s.State = payment.StateDeclined
	}
	return s, nil
}

// refundStatus translates what a message says of a refund.
func refundStatus(f fields, code, words string) (payment.RefundStatus, error) {
	sent, err := parseStamp(f["txnTime"])
	if err != nil {
		return payment.RefundStatus{}, fmt.Errorf("txnTime: %w", err)
	}
	r := payment.RefundStatus{ID: f["orderId"], GatewayID: f["queryId"], At: sent}
	if f["traceTime"] != "" {
		if r.At, err = parseTrace(f["traceTime"], sent); err != nil {
			return payment.RefundStatus{}, fmt.Errorf("traceTime: %w", err)
		}
	}
	switch {
	case code == "":
		return payment.RefundStatus{}, errors.New("no answer code")
	case succeeded(code):
		r.State = payment.RefundSucceeded
	case undecided(code):
		r.State = payment.RefundPending
	default:
		r.State, r.Reason = payment.RefundFailed, code+" "+words
	}
	return r, nil
}
