package api

import (
	"math"
	"net/netip"
	"sync"
	"time"
)

// Limiter decides whether a client may take another step now, or how long it has to wait. One that
// many instances share can be put in the place of AddressLimiter.
type Limiter interface {
	Allow(client netip.Addr, now time.Time) (wait time.Duration, ok bool)
}

// AddressLimiter is a token bucket per client address, in process. An IPv6 client counts by its
// /64, of which it has all addresses.
type AddressLimiter struct {
	perSecond float64
	burst     float64

	mu      sync.Mutex
	buckets map[netip.Addr]bucket
	swept   time.Time
}

type bucket struct {
	tokens float64
	at     time.Time
}

// maxBuckets bounds the memory of a limiter under a flood of addresses.
const maxBuckets = 100_000

// NewAddressLimiter allows burst steps at once and perSecond in the long run, for each address.
func NewAddressLimiter(perSecond float64, burst int) *AddressLimiter {
	return &AddressLimiter{perSecond: perSecond, burst: float64(burst), buckets: map[netip.Addr]bucket{}}
}

// Allow implements Limiter.
func (l *AddressLimiter) Allow(client netip.Addr, now time.Time) (time.Duration, bool) {
	client = countedAs(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	b, known := l.buckets[client]
	if !known {
		b = bucket{tokens: l.burst, at: now}
	}
	b.tokens = math.Min(l.burst, b.tokens+now.Sub(b.at).Seconds()*l.perSecond)
	b.at = now
	ok := b.tokens >= 1
	if ok {
		b.tokens--
	}
	l.buckets[client] = b
	if ok {
		return 0, true
	}
	return time.Duration((1 - b.tokens) / l.perSecond * float64(time.Second)), false
}

// GiveBack takes a step of a client back: it is allowed another one instead.
func (l *AddressLimiter) GiveBack(client netip.Addr) {
	client = countedAs(client)
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, known := l.buckets[client]; known {
		b.tokens = math.Min(l.burst, b.tokens+1)
		l.buckets[client] = b
	}
}

// countedAs is the address a client counts by.
func countedAs(client netip.Addr) netip.Addr {
	if client.Is6() {
		if p, err := client.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return client
}

// sweep forgets clients whose bucket is full again; they would start with a full one anyway.
func (l *AddressLimiter) sweep(now time.Time) {
	if now.Sub(l.swept) < 10*time.Second && len(l.buckets) < maxBuckets {
		return
	}
	l.swept = now
	for client, b := range l.buckets {
		if b.tokens+now.Sub(b.at).Seconds()*l.perSecond >= l.burst {
			delete(l.buckets, client)
		}
	}
	if len(l.buckets) >= maxBuckets {
		clear(l.buckets)
	}
}
