package api

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"net"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// streamWrite bounds the sending of one message; a client that takes longer is dropped.
	streamWrite = 10 * time.Second
	// streamLife is when a stream is ended so that the client comes again, perhaps to another instance.
	streamLife = 30 * time.Minute
)

// eventStream is one client's open stream of server-sent events.
type eventStream struct {
	conn      net.Conn
	out       *bufio.Writer
	done      <-chan struct{}
	heartbeat time.Duration
	end       <-chan time.Time
}

// stream answers with server-sent events that run produces until the client leaves, run returns,
// or the server stops. Run must not touch the request.
func (s *Server) stream(c *fiber.Ctx, kind string, run func(*eventStream)) error {
	if s.streams.Add(1) > int64(s.MaxStreams) || s.stopped() {
		s.streams.Add(-1)
		return &fault{domainError: ticketing.Errorf(codeUnavailable, "too many open streams"), retryAfter: 5}
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no") // proxies must pass events on as they come
	conn := c.Context().Conn()
	open := s.metrics.streams.WithLabelValues(kind)
	open.Inc()
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer func() {
			open.Dec()
			s.streams.Add(-1)
			if p := recover(); p != nil {
				s.metrics.panics.Inc()
				s.Log.Error("stream panicked", "kind", kind, "panic", p, "stack", string(debug.Stack()))
			}
		}()
		life := time.NewTimer(streamLife + rand.N(streamLife/4))
		defer life.Stop()
		e := &eventStream{conn: conn, out: w, done: s.done, heartbeat: s.Heartbeat, end: life.C}
		// Something at once: the client knows that it is connected, a proxy that bytes will come.
		if _, err := w.WriteString("retry: 1000\n\n"); err == nil && e.flush() {
			run(e)
		}
		// Whatever kept the client from taking events must not hold up its end.
		_ = conn.SetWriteDeadline(time.Now().Add(streamWrite))
	})
	return nil
}

// send writes one event; false means the client is gone.
func (e *eventStream) send(event, id string, data []byte) bool {
	if id != "" {
		e.line("id", id)
	}
	e.line("event", event)
	for line := range bytes.SplitSeq(data, []byte{'\n'}) {
		e.line("data", string(line))
	}
	_ = e.out.WriteByte('\n')
	return e.flush()
}

// line buffers one field; errors stay with the writer until flush.
func (e *eventStream) line(name, value string) {
	_, _ = e.out.WriteString(name + ": " + value + "\n")
}

func (e *eventStream) flush() bool {
	if e.conn.SetWriteDeadline(time.Now().Add(streamWrite)) != nil {
		return false
	}
	return e.out.Flush() == nil
}

// wait returns true when woken, and false when the stream is over. Meanwhile it sends heartbeats,
// by which alone a vanished client is noticed.
func (e *eventStream) wait(wake <-chan struct{}) bool {
	beat := time.NewTicker(e.heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-wake:
			return true
		case <-e.done:
			return false
		case <-e.end:
			return false
		case <-beat.C:
			if _, err := e.out.WriteString(": still here\n\n"); err != nil || !e.flush() {
				return false
			}
		}
	}
}
