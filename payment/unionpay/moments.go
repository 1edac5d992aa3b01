package unionpay

import (
	"fmt"
	"strconv"
	"time"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/ticketing"
)

// beijing is the zone of every time in a message. China has had no summer time since 1991.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// settlement is the zone in which a settlement day begins at midnight: UnionPay's begins at 23:00 in
// Beijing, and what happens later belongs to the next day's bill.
var settlement = time.FixedZone("UTC+9", 9*60*60)

const (
	moment   = "20060102150405" // txnTime, payTimeout
	noYear   = "0102150405"     // traceTime
	monthDay = "0102"           // settleDate
)

// Calendar implements payment.Calendar: a bill's day ends at 23:00 in Beijing.
func (p *Provider) Calendar() *time.Location { return settlement }

// stamp writes a moment as messages do.
func stamp(at time.Time) string { return at.In(beijing).Format(moment) }

// parseStamp reads a moment.
func parseStamp(text string) (time.Time, error) {
	at, err := time.ParseInLocation(moment, text, beijing)
	return at.UTC(), err
}

// parseTrace reads the moment at which the gateway did what was asked for. It has no year: it is the first such moment
// from a day before the transaction was sent.
func parseTrace(text string, sent time.Time) (time.Time, error) {
	for year := range 5 { // 29 February may be four years away
		at, err := time.ParseInLocation("2006"+noYear, strconv.Itoa(sent.In(beijing).Year()-1+year)+text, beijing)
		if err == nil && at.After(sent.Add(-24*time.Hour)) {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("no moment: %q", text)
}

// txnTime is the time a number was, or will be, sent with: the gateway knows a transaction by its number and this
// time only, so it must be the same in every message about it. The number tells it.
func txnTime(number string, now time.Time) (time.Time, error) {
	const (
		ahead  = 5 * time.Minute          // what the clock that made the number may be ahead of ours
		oldest = 5 * 365 * 24 * time.Hour // older is no number of ours, but looks like one
	)
	at, ok := ticketing.NumberTime(number)
	if !ok || at.After(now.Add(ahead)) || at.Before(now.Add(-oldest)) {
		return time.Time{}, fmt.Errorf("unionpay: %q does not tell when it was made: %w", number, payment.ErrRejected)
	}
	return at, nil
}
