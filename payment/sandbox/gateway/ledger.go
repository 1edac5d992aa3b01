package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"go.etcd.io/bbolt"

	"github.com/boxoffice/boxoffice/payment/sandbox"
	"github.com/boxoffice/boxoffice/ticketing"
)

// Payment is a payment as the gateway's own ledger keeps it.
type Payment struct {
	sandbox.Payment
	// Order is what was asked for.
	Order sandbox.Order `json:"order"`
	// Made is when it was created, PaidAt when money was captured.
	Made   time.Time `json:"made"`
	PaidAt time.Time `json:"paid_at,omitzero"`
	// CaptureAt is when money will be captured, whatever the state is then: the payer paid late, or
	// the payment is processing.
	CaptureAt time.Time `json:"capture_at,omitzero"`
}

// Refund is a refund as the gateway's own ledger keeps it.
type Refund struct {
	sandbox.Refund
}

// delivery is a callback that was not acknowledged yet.
type delivery struct {
	EventID string `json:"event_id"`
	URL     string `json:"url"`
	Body    []byte `json:"body"`
	Sent    int    `json:"sent"`
}

var (
	paymentsBucket   = []byte("payments")
	refundsBucket    = []byte("refunds")
	deliveriesBucket = []byte("deliveries")
)

// ledger holds every record in memory and writes each change through to a
// file. It is not synchronised to the disk at every write: it survives the
// death of the process, not of the machine.
type ledger struct {
	db         *bbolt.DB
	payments   map[string]*Payment // by number
	byID       map[string]*Payment // by the gateway's own id
	refunds    map[string]*Refund  // by id
	deliveries map[string]*delivery
}

func openLedger(file string) (*ledger, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: 2 * time.Second, NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("open the ledger %s: %w", file, err)
	}
	db.MaxBatchDelay = time.Millisecond
	l := &ledger{
		db: db, payments: map[string]*Payment{}, byID: map[string]*Payment{},
		refunds: map[string]*Refund{}, deliveries: map[string]*delivery{},
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{paymentsBucket, refundsBucket, deliveriesBucket} {
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
	if err := each(tx, paymentsBucket, func(p *Payment) { l.payments[p.Number], l.byID[p.ID] = p, p }); err != nil {
		return err
	}
	if err := each(tx, refundsBucket, func(r *Refund) { l.refunds[r.ID] = r }); err != nil {
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

// put writes a record; a nil record deletes. The caller holds the gateway's lock, so the write
// joins no batch: it is a copy into the file's pages.
func (l *ledger) put(bucket []byte, key string, record any) error {
	return l.db.Update(func(tx *bbolt.Tx) error {
		if record == nil {
			return tx.Bucket(bucket).Delete([]byte(key))
		}
		value, err := json.Marshal(record)
		if err != nil {
			return err
		}
		return tx.Bucket(bucket).Put([]byte(key), value)
	})
}

func (l *ledger) putPayment(p *Payment) error {
	if err := l.put(paymentsBucket, p.Number, p); err != nil {
		return err
	}
	l.payments[p.Number], l.byID[p.ID] = p, p
	return nil
}

func (l *ledger) putRefund(r *Refund) error {
	if err := l.put(refundsBucket, r.ID, r); err != nil {
		return err
	}
	l.refunds[r.ID] = r
	return nil
}

func (l *ledger) putDelivery(d *delivery) error {
	l.deliveries[d.EventID] = d
	return l.put(deliveriesBucket, d.EventID, d)
}

func (l *ledger) dropDelivery(d *delivery) error {
	delete(l.deliveries, d.EventID)
	return l.put(deliveriesBucket, d.EventID, nil)
}

// refunded sums what has gone back or is on its way back of a payment, in minor units.
func (l *ledger) refunded(number string) int64 {
	var sum int64
	for _, r := range l.refunds {
		if r.Number == number && r.State != sandbox.RefundFailed {
			sum += r.Amount.Amount
		}
	}
	return sum
}

// movements lists what happened on a UTC day.
func (l *ledger) movements(day time.Time) []sandbox.Movement {
	on := func(at time.Time) bool { return at.UTC().Format(time.DateOnly) == day.Format(time.DateOnly) }
	movements := []sandbox.Movement{}
	for _, p := range l.payments {
		if p.Captured != nil && on(p.PaidAt) {
			movements = append(movements, sandbox.Movement{
				Kind: "payment", GatewayID: p.ID, Number: p.Number, Amount: *p.Captured, At: p.PaidAt,
			})
		}
	}
	for _, r := range l.refunds {
		if r.State == sandbox.RefundSucceeded && on(r.At) {
			movements = append(movements, sandbox.Movement{
				Kind: "refund", GatewayID: r.GatewayID, Number: r.Number, RefundID: r.ID, At: r.At,
				Amount: ticketing.Money{Amount: -r.Amount.Amount, Currency: r.Amount.Currency},
			})
		}
	}
	return movements
}

func (l *ledger) close() error {
	if err := l.db.Sync(); err != nil {
		return err
	}
	return l.db.Close()
}
