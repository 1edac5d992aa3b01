package api_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/api"
)

func TestLimiterRefillsByAddress(t *testing.T) {
	l := api.NewAddressLimiter(2, 3)
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	allow := func(client netip.Addr, now time.Time) bool { _, ok := l.Allow(client, now); return ok }
	for range 3 {
		require.True(t, allow(a, at))
	}
	wait, ok := l.Allow(a, at)
	require.False(t, ok)
	require.Equal(t, 500*time.Millisecond, wait)
	require.True(t, allow(b, at), "everybody for themselves")
	require.True(t, allow(a, at.Add(500*time.Millisecond)))
	require.False(t, allow(a, at.Add(500*time.Millisecond)))
	for range 3 {
		require.True(t, allow(a, at.Add(time.Hour)), "never more than the burst")
	}
	require.False(t, allow(a, at.Add(time.Hour)))
}

func TestLimiterCountsIPv6ByNetwork(t *testing.T) {
	l := api.NewAddressLimiter(1, 1)
	at := time.Now()
	_, ok := l.Allow(netip.MustParseAddr("2001:db8::1"), at)
	require.True(t, ok)
	_, ok = l.Allow(netip.MustParseAddr("2001:db8::ffff"), at)
	require.False(t, ok)
	_, ok = l.Allow(netip.MustParseAddr("2001:db8:0:1::1"), at)
	require.True(t, ok)
}

// TestForwardedAddressesAreBelievedFromProxiesOnly: a client cannot choose whom it counts as.
func TestForwardedAddressesAreBelievedFromProxiesOnly(t *testing.T) {
	submit := func(w *world, n int, forwarded string) int {
		return w.do(call{method: "POST", path: "/api/v1/orders", body: orderBody(), header: map[string]string{"Idempotency-Key": keyed(n), "X-Forwarded-For": forwarded}}).status
	}
	direct := newWorld(t, func(c *api.Config) { c.Limiter = api.NewAddressLimiter(0.001, 1) })
	require.Equal(t, 201, submit(direct, 1, "198.51.100.1"))
	require.Equal(t, 429, submit(direct, 2, "198.51.100.2"), "both come from the same place")

	behind := newWorld(t, func(c *api.Config) {
		c.Limiter = api.NewAddressLimiter(0.001, 1)
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	require.Equal(t, 201, submit(behind, 1, "198.51.100.1"))
	require.Equal(t, 201, submit(behind, 2, "198.51.100.2"))
	require.Equal(t, 429, submit(behind, 3, "203.0.113.9, 198.51.100.1, 10.0.0.7"), "what stands before the last stranger is hearsay")
}
