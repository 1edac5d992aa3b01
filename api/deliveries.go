package api

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// deliveryQueue bounds how much captured money waits here for its delivery.
	deliveryQueue = 4096
	// maxWaking bounds how many refunds are woken at once; the others ask by themselves.
	maxWaking = 16
	// deliverBound is how long one delivery may take.
	deliverBound = 15 * time.Second
	// markPace is how often deliveries are noted in the database, all in one statement.
	markPace = 100 * time.Millisecond
)

// maxDelivering is how many deliveries one process has under way.
var maxDelivering = max(32, 16*runtime.GOMAXPROCS(0))

// deliveries brings captured money from the inbox to its workflows, as many at once as keep Temporal
// busy: more only time out together. Nothing depends on it but speed. Money is noted as delivered once its
// workflow has acknowledged it; whatever is lost here is delivered by the sweep.
type deliveries struct {
	deliverer Deliverer
	store     Store
	metrics   *metrics
	load      *Load
	done      chan struct{}
	workers   *sync.WaitGroup
	log       *slog.Logger

	queue     chan ticketing.PaymentAttempt
	delivered chan string
	waking    chan struct{}

	mu sync.Mutex
	// running counts workers, open what was posted and has not come to its end.
	running, open    int
	marking, stopped bool
}

func newDeliveries(d Deliverer, store Store, m *metrics, load *Load, done chan struct{}, workers *sync.WaitGroup, log *slog.Logger) *deliveries {
	return &deliveries{
		deliverer: d, store: store, metrics: m, load: load, done: done, workers: workers, log: log,
		queue: make(chan ticketing.PaymentAttempt, deliveryQueue), delivered: make(chan string, deliveryQueue),
		waking: make(chan struct{}, maxWaking),
	}
}

// post takes captured money on its way without waiting.
func (d *deliveries) post(attempt ticketing.PaymentAttempt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return
	}
	select {
	case d.queue <- attempt:
	default:
		d.metrics.deliveriesFailed.Inc()
		return
	}
	d.load.begin()
	if d.open++; d.running < maxDelivering && d.running < d.open {
		d.running++
		d.workers.Go(d.work)
	}
}

// bring delivers captured money while the buyer waits for it.
func (d *deliveries) bring(attempt ticketing.PaymentAttempt) {
	d.load.begin()
	d.mu.Lock()
	d.open++
	d.mu.Unlock()
	d.deliver(attempt)
}

// wake tells the workflow of a refund that its gateway has said something, without waiting.
func (d *deliveries) wake(refund ticketing.Refund) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return
	}
	select {
	case d.waking <- struct{}{}:
	default:
		return
	}
	d.workers.Go(func() {
		defer func() { <-d.waking }()
		ctx, cancel := context.WithTimeout(context.Background(), deliverBound)
		defer cancel()
		if err := d.deliverer.WakeRefund(ctx, refund); err != nil {
			d.log.Warn("cannot wake a refund; it asks by itself", "order_id", refund.OrderID, "refund_id", refund.ID, "error", err)
		}
	})
}

// work delivers what is posted until settle. A worker does not end while nothing is: a delivery needs a deep stack,
// which a new goroutine would have to grow, copying it time and again.
func (d *deliveries) work() {
	for attempt := range d.queue {
		d.deliver(attempt)
	}
}

func (d *deliveries) deliver(attempt ticketing.PaymentAttempt) {
	ctx, cancel := context.WithTimeout(context.Background(), deliverBound)
	defer cancel()
	err := d.deliverer.DeliverPayment(ctx, attempt)
	d.load.end()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	if err != nil {
		d.metrics.deliveriesFailed.Inc()
		d.log.Warn("captured money is kept but not delivered yet", "order_id", attempt.OrderID,
			"attempt_id", attempt.ID, "provider", attempt.Provider, "error", err)
		return
	}
	select {
	case d.delivered <- attempt.ID:
	default: // the sweep delivers it once more, which changes nothing
	}
	if !d.marking {
		d.marking = true
		d.workers.Go(d.mark)
	}
}

// mark notes what was delivered until nothing is left to note.
func (d *deliveries) mark() {
	pace := time.NewTicker(markPace)
	defer pace.Stop()
	for {
		d.mu.Lock()
		var ids []string
		for len(d.delivered) > 0 {
			ids = append(ids, <-d.delivered)
		}
		if len(ids) == 0 {
			d.marking = false
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), keepBound)
		if err := d.store.MarkDelivered(ctx, ids...); err != nil {
			d.log.Warn("cannot note what was delivered; the sweep delivers it again", "payments", len(ids), "error", err)
		}
		cancel()
		select {
		case <-pace.C:
		case <-d.done: // no time to lose
		}
	}
}

// settle lets nothing begin any more; workers end with what was posted before. Call it once, after done was closed.
func (d *deliveries) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	close(d.queue)
}
