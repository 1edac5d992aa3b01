package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"go.etcd.io/bbolt"

	"github.com/boxoffice/boxoffice/payment/sandbox"
)

// Payment is a payment as the gateway's own ledger keeps it.
type Payment struct {
	sandbox.Payment
	// Order is what was asked for.
	Order sandbox.Order `json:"order"`
	// Made is when it was created, PaidAt when money was captured.
	Made   time.Time `json:"made"`
	PaidAt time.Time `json:"paid_at,omitzero"`
	// CaptureAt is when money will be captured, even if the payment is closed by then: the payer
	// paid late, or the payment is processing.
	CaptureAt time.Time `json:"capture_at,omitzero"`
}

// Refund is a refund as the gateway's own ledger keeps it.
type Refund struct {
	sandbox.Refund
	// SettleAt is when a pending refund will end.
	SettleAt time.Time `json:"settle_at,omitzero"`
}

// Dispute is a dispute as the gateway's own ledger keeps it.
type Dispute struct {
	sandbox.Dispute
}

// Entry is one movement of money: the amount leaves one account and arrives
// at the other, so that all accounts together always hold nothing.
type Entry struct {
	Sequence uint64 `json:"sequence"`
	// From and To are "payer/<number>" and "merchant/<id>".
	From string `json:"from"`
	To   string `json:"to"`
	// Movement is the line of the bill; its amount is negative for a refund.
	sandbox.Movement
}

// delivery is a callback that was not acknowledged yet.
type delivery struct {
	EventID string `json:"event_id"`
	URL     string `json:"url"`
	Body    []byte `json:"body"`
	// sent counts within this process: after a restart the courier has its full patience again.
	sent int
}

var (
	paymentsBucket   = []byte("payments")
	refundsBucket    = []byte("refunds")
	disputesBucket   = []byte("disputes")
	entriesBucket    = []byte("entries")
	deliveriesBucket = []byte("deliveries")
)

// ledger holds every record in memory and writes each change through to a
// file. It is not synchronised to the disk at every write: it survives the
// death of the process, not of the machine. Records are never changed in
// place: a change is a new record, which counts once it is in the file.
type ledger struct {
	db         *bbolt.DB
	payments   map[string]*Payment // by number
	byID       map[string]*Payment // by the gateway's own id
	refunds    map[string]*Refund  // by id
	refundsOf  map[string][]string // ids by number
	disputes   map[string]*Dispute // by number
	entries    []Entry
	deliveries map[string]*delivery // by event id
	forgotten  []string             // event ids whose deliveries leave the file with the next change
}

func openLedger(file string) (*ledger, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: 2 * time.Second, NoSync: true, NoGrowSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("open the ledger %s: %w", file, err)
	}
	l := &ledger{
		db: db, payments: map[string]*Payment{}, byID: map[string]*Payment{}, refunds: map[string]*Refund{}, disputes: map[string]*Dispute{},
		refundsOf: map[string][]string{}, deliveries: map[string]*delivery{},
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{paymentsBucket, refundsBucket, disputesBucket, entriesBucket, deliveriesBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return l.load(tx)
	})
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("read the ledger %s: %w", file, err)
	}
	return l, nil
}

func (l *ledger) load(tx *bbolt.Tx) error {
	if err := each(tx, paymentsBucket, l.keepPayment); err != nil {
		return err
	}
	if err := each(tx, refundsBucket, l.keepRefund); err != nil {
		return err
	}
	if err := each(tx, disputesBucket, func(d *Dispute) { l.disputes[d.Number] = d }); err != nil {
		return err
	}
	if err := each(tx, entriesBucket, func(e *Entry) { l.entries = append(l.entries, *e) }); err != nil {
		return err
	}
	return each(tx, deliveriesBucket, func(d *delivery) { l.deliveries[d.EventID] = d })
}

func each[R any](tx *bbolt.Tx, bucket []byte, keep func(*R)) error {
	return tx.Bucket(bucket).ForEach(func(_, value []byte) error {
		record := new(R)
		if err := json.Unmarshal(value, record); err != nil {
			return err
		}
		keep(record)
		return nil
	})
}

func (l *ledger) keepPayment(p *Payment) { l.payments[p.Number], l.byID[p.ID] = p, p }

func (l *ledger) keepRefund(r *Refund) {
	if _, known := l.refunds[r.ID]; !known {
		l.refundsOf[r.Number] = append(l.refundsOf[r.Number], r.ID)
	}
	l.refunds[r.ID] = r
}

// change is what one step does to the ledger, all of it or nothing.
type change struct {
	payment  *Payment
	refund   *Refund
	dispute  *Dispute
	movement *sandbox.Movement
	delivery *delivery
}

// commit writes a change. It returns the error of the file, and then nothing has changed.
func (l *ledger) commit(c change) error {
	type record struct {
		bucket, key, value []byte
	}
	var records []record
	add := func(bucket, key []byte, value any) error {
		encoded, err := json.Marshal(value)
		records = append(records, record{bucket, key, encoded})
		return err
	}
	var entry Entry
	var err error
	if c.payment != nil {
		err = add(paymentsBucket, []byte(c.payment.Number), c.payment)
	}
	if c.refund != nil && err == nil {
		err = add(refundsBucket, []byte(c.refund.ID), c.refund)
	}
	if c.dispute != nil && err == nil {
		err = add(disputesBucket, []byte(c.dispute.Number), c.dispute)
	}
	if c.movement != nil && err == nil {
		entry = l.entry(*c.movement)
		err = add(entriesBucket, binary.BigEndian.AppendUint64(nil, entry.Sequence), entry)
	}
	if c.delivery != nil && err == nil {
		err = add(deliveriesBucket, []byte(c.delivery.EventID), c.delivery)
	}
	if err != nil {
		return err
	}
	err = l.db.Update(func(tx *bbolt.Tx) error {
		for _, r := range records {
			if err := tx.Bucket(r.bucket).Put(r.key, r.value); err != nil {
				return err
			}
		}
		for _, id := range l.forgotten {
			if err := tx.Bucket(deliveriesBucket).Delete([]byte(id)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.forgotten = l.forgotten[:0]
	if c.payment != nil {
		l.keepPayment(c.payment)
	}
	if c.refund != nil {
		l.keepRefund(c.refund)
	}
	if c.dispute != nil {
		l.disputes[c.dispute.Number] = c.dispute
	}
	if c.movement != nil {
		l.entries = append(l.entries, entry)
	}
	if c.delivery != nil {
		l.deliveries[c.delivery.EventID] = c.delivery
	}
	return nil
}

func (l *ledger) entry(m sandbox.Movement) Entry {
	e := Entry{Sequence: uint64(len(l.entries)) + 1, From: "payer/" + m.Number, To: "merchant/" + m.Merchant, Movement: m}
	if m.Amount.Amount < 0 {
		e.From, e.To = e.To, e.From
	}
	return e
}

// forget drops a callback that needs no more deliveries. The file learns of it with the next change,
// which spares a write for each payment; if the process dies before, the callback is sent once more.
func (l *ledger) forget(d *delivery) {
	delete(l.deliveries, d.EventID)
	l.forgotten = append(l.forgotten, d.EventID)
}

// refunded sums what has gone back or is on its way back of a payment, in minor units.
func (l *ledger) refunded(number string) int64 {
	var sum int64
	for _, id := range l.refundsOf[number] {
		if r := l.refunds[id]; r.State != sandbox.RefundFailed {
			sum += r.Amount.Amount
		}
	}
	return sum
}

func (l *ledger) close() error {
	return errors.Join(l.commit(change{}), l.db.Sync(), l.db.Close())
}
