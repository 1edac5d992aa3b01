package store

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// However holds come, leave and are taken up: each goes once, in the order they came, no more at once than are allowed,
// and somebody sees to the queue as long as there is one.
func TestHoldsQueueInOrder(t *testing.T) {
	t.Parallel()
	gone, leave := context.WithCancel(t.Context())
	leave()
	rapid.Check(t, func(t *rapid.T) {
		g := &holdGroups{size: 4}
		var waiting []*groupedHold
		running := 0
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				h := &groupedHold{ctx: rapid.SampledFrom([]context.Context{t.Context(), gone}).Draw(t, "caller")}
				run, ok := g.join("a", h)
				if !ok || run != (running < groupsAtOnce) {
					t.Fatalf("run %v, joined %v, with %d running", run, ok, running)
				}
				if run {
					running++
				}
				waiting = append(waiting, h)
			},
			"next": func(t *rapid.T) {
				if running == 0 {
					t.Skip("nobody asks")
				}
				var want []*groupedHold
				for len(waiting) > 0 && len(want) < 4 {
					if waiting[0].ctx.Err() == nil {
						want = append(want, waiting[0])
					}
					waiting = waiting[1:]
				}
				if want == nil {
					running--
				}
				if group := g.next("a"); !slices.Equal(group, want) {
					t.Fatalf("%v goes next, want %v", group, want)
				}
			},
			"": func(t *rapid.T) {
				if (running == 0) != (g.queues["a"] == nil) || running == 0 && len(waiting) > 0 {
					t.Fatalf("%d wait, %d run", len(waiting), running)
				}
			},
		})
	})
}

func TestAFullQueueTakesNoMoreHolds(t *testing.T) {
	t.Parallel()
	g := &holdGroups{size: groupSize}
	for range groupQueue {
		if _, ok := g.join("a", &groupedHold{ctx: t.Context()}); !ok {
			t.Fatal("full too early")
		}
	}
	if _, ok := g.join("a", &groupedHold{ctx: t.Context()}); ok {
		t.Error("one more was let in")
	}
	if _, ok := g.join("b", &groupedHold{ctx: t.Context()}); !ok {
		t.Error("another queue is full, too")
	}
}
