package api

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// interest is how long a single question keeps a key watched.
const interest = 3 * time.Second

// watcher looks at keys somebody is interested in, all in one question every pace, and wakes the
// subscribers of those that changed. Nobody interested, it does not run.
type watcher struct {
	pace    time.Duration
	look    func(ctx context.Context, keys []string) (changed []string, err error)
	done    chan struct{}
	log     *slog.Logger
	pollers *sync.WaitGroup

	mu          sync.Mutex
	subscribers map[string]map[*subscription]struct{}
	asked       map[string]time.Time
	running     bool
}

// subscription wakes its owner when its key changed. Several changes wake it once: the owner reads
// the newest state, so that a slow one never queues anything.
type subscription struct {
	key  string
	wake chan struct{}
}

func newWatcher(pace time.Duration, look func(context.Context, []string) ([]string, error),
	done chan struct{}, pollers *sync.WaitGroup, log *slog.Logger,
) *watcher {
	return &watcher{
		pace: pace, look: look, done: done, log: log, pollers: pollers,
		subscribers: map[string]map[*subscription]struct{}{},
		asked:       map[string]time.Time{},
	}
}

// touch keeps a key watched for a while.
func (w *watcher) touch(key string) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[key] = now.Add(interest)
	w.start()
}

// subscribe watches a key until cancel is called.
func (w *watcher) subscribe(key string) (sub *subscription, cancel func()) {
	sub = &subscription{key: key, wake: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.subscribers[key] == nil {
		w.subscribers[key] = map[*subscription]struct{}{}
	}
	w.subscribers[key][sub] = struct{}{}
	w.start()
	return sub, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.subscribers[key], sub)
		if len(w.subscribers[key]) == 0 {
			delete(w.subscribers, key)
		}
	}
}

// settle returns when no poller can start any more; call it after done was closed.
func (w *watcher) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
}

// start runs the poller unless it runs; the caller holds the lock.
func (w *watcher) start() {
	select {
	case <-w.done:
		return
	default:
	}
	if w.running {
		return
	}
	w.running = true
	w.pollers.Go(w.run)
}

func (w *watcher) run() {
	ticks := time.NewTicker(w.pace)
	defer ticks.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-w.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	failing := false
	for {
		select {
		case <-w.done:
			return
		case <-ticks.C:
		}
		keys := w.keys()
		if keys == nil {
			return
		}
		once, stop := context.WithTimeout(ctx, loadTimeout)
		changed, err := w.look(once, keys)
		stop()
		if err != nil && !failing && ctx.Err() == nil {
			w.log.Error("cannot look for changes; streams stand still until it works again", "error", err)
		}
		failing = err != nil
		w.wake(changed)
	}
}

// keys lists what is watched, or nil, and then the poller has ended.
func (w *watcher) keys() []string {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	var keys []string
	for key, until := range w.asked {
		if now.After(until) {
			delete(w.asked, key)
		} else if w.subscribers[key] == nil {
			keys = append(keys, key)
		}
	}
	for key := range w.subscribers {
		keys = append(keys, key)
	}
	if keys == nil {
		w.running = false
	}
	return keys
}

func (w *watcher) wake(keys []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		for sub := range w.subscribers[key] {
			select {
			case sub.wake <- struct{}{}:
			default:
			}
		}
	}
}
