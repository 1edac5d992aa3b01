package activities_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

// TestASlowMessageKeepsNoOtherWaiting: what came of the others that were handed over with it is stored, and more are sent.
func TestASlowMessageKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	slow, release := make(chan notify.Message, 1), make(chan struct{})
	mail := &slowPost{slow: slow, release: release}
	n := s.teller(mail, &post{})
	var orders []string
	for range 12 {
		orders = append(orders, s.paidBy(""))
	}
	sent := func() (n int) {
		for _, order := range orders {
			if slices.Equal(s.messages(order), []string{"paid mail SENT 1"}) {
				n++
			}
		}
		return n
	}
	released := false
	s.tells(n, func() bool {
		done := sent()
		if done == len(orders)-1 && !released {
			released = true
			require.Len(t, slow, 1)
			close(release)
		}
		return done == len(orders)
	})
	require.True(t, released, "the others were stored while it was under way")
}

// slowPost keeps the first message it is given until it is released.
type slowPost struct {
	post

	given   atomic.Int32
	slow    chan notify.Message
	release chan struct{}
}

func (p *slowPost) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if p.given.Add(1) == 1 {
		p.slow <- m
		<-p.release
	}
	return p.post.Send(ctx, m)
}

// TestWhatCannotBeWrittenKeepsNoOtherMessage: a person is asked about it, the others that were claimed with it leave.
func TestWhatCannotBeWrittenKeepsNoOtherMessage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	mail := &post{}
	n := s.teller(mail, &post{})
	var orders []string
	for range 3 {
		orders = append(orders, s.paidBy(""))
	}
	n.Words = wordless{orders[1]}
	report := s.tells(n, nil)
	require.Equal(t, 1, report.Undelivered)
	require.Equal(t, []string{"paid mail FAILED 0"}, s.messages(orders[1]))
	require.Equal(t, []string{"paid mail SENT 1"}, s.messages(orders[0]))
	require.Equal(t, []string{"paid mail SENT 1"}, s.messages(orders[2]))
}

// wordless has no words for an order.
type wordless struct{ order string }

func (w wordless) Render(channel ticketing.Channel, language string, f notify.Facts) (notify.Content, error) {
	if f.OrderID == w.order {
		return notify.Content{}, errors.New("no words")
	}
	return plainWords{}.Render(channel, language, f)
}
