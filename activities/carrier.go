package activities

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/boxoffice/boxoffice/notify"
	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	// doubtAfter is after how many failures in a row a carrier is taken to be down: one message at a time is tried then,
	// ever more rarely, at most every slowestProbe, and the others keep their tries.
	doubtAfter   = 3
	slowestProbe = 30 * time.Second
	// abandonedBatch bounds how many messages of unknown outcome are looked after at once.
	abandonedBatch = 20
)

// carrier hands the messages of one channel to its sender, during one round.
type carrier struct {
	*Notifications
	Route

	channel ticketing.Channel
	// slots has an entry for each message that is claimed, until what came of it is stored.
	slots chan struct{}
	// ended are those of which that is to be stored.
	ended   chan ticketing.EndedMessage
	sending sync.WaitGroup

	mu       sync.Mutex
	failures int // in a row
	until    time.Time
}

func newCarrier(n *Notifications, channel ticketing.Channel, route Route) *carrier {
	atOnce := max(route.Concurrency, 1)
	return &carrier{Notifications: n, Route: route, channel: channel, slots: make(chan struct{}, atOnce), ended: make(chan ticketing.EndedMessage, atOnce)}
}

// serve sends what waits until it is told to stop, then waits for what is under way.
func (c *carrier) serve(ctx context.Context, stop <-chan struct{}) {
	var storing sync.WaitGroup
	storing.Go(func() { c.store(ctx) })
	defer func() {
		c.sending.Wait()
		close(c.ended)
		storing.Wait()
	}()
	limit := rate.NewLimiter(rate.Inf, 1)
	if c.PerSecond > 0 {
		limit = rate.NewLimiter(rate.Limit(c.PerSecond), int(c.PerSecond)+1) // what tellPace leaves unused is not lost
	}
	for {
		select { // until one may be sent
		case <-stop:
			return
		case <-ctx.Done():
			return
		case c.slots <- struct{}{}:
		}
		claimed := c.claim(ctx, limit)
		if len(claimed) > 0 {
			for range claimed[1:] {
				c.slots <- struct{}{}
			}
			c.sending.Go(func() { c.tell(ctx, claimed) })
			continue
		}
		<-c.slots
		c.settleAbandoned(ctx)
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		case <-time.After(tellPace):
		}
	}
}

// store stores what came of messages: one at once, and those that end meanwhile together.
func (c *carrier) store(ctx context.Context) {
	for first := range c.ended {
		ended := []ticketing.EndedMessage{first}
		for len(c.ended) > 0 {
			ended = append(ended, <-c.ended)
		}
		c.finish(ctx, ended...)
		for range ended {
			<-c.slots
		}
	}
}

// claim takes as many messages as may be sent now, in the slot that is taken for it and those that are free; none while the carrier is given a rest, or is down and being tried.
func (c *carrier) claim(ctx context.Context, limit *rate.Limiter) []ticketing.Message {
	free := cap(c.slots) - len(c.slots) + 1
	c.mu.Lock()
	doubted, until := c.failures >= doubtAfter, c.until
	c.mu.Unlock()
	if doubted {
		if time.Now().Before(until) || len(c.slots) > 1 {
			return nil
		}
		free = 1
	}
	if limit.Limit() != rate.Inf {
		free = min(free, int(limit.Tokens()))
	}
	if free <= 0 {
		return nil
	}
	var patience time.Duration
	if c.Busy != nil && c.Busy() {
		patience = tellPatience
	}
	claimed, err := c.Outbox.ClaimMessages(ctx, c.channel, free, tellLease, patience)
	if err != nil && ctx.Err() == nil {
		c.Log.Error("claim messages", "channel", c.channel, "error", err)
	}
	limit.AllowN(time.Now(), len(claimed))
	return claimed
}

// tell sends claimed messages, those of them that still make sense. What is handed over is given to the sender at once.
func (c *carrier) tell(ctx context.Context, claimed []ticketing.Message) {
	written := map[string]notify.Message{}
	for told, err := range c.Outbox.Tellings(ctx, claimed...) {
		message, unsent := c.prepare(ctx, told, err)
		if unsent != nil {
			c.ended <- ticketing.EndedMessage{Message: told.Message, Outcome: *unsent}
			continue
		}
		written[told.ID] = message
	}
	if len(written) == 0 {
		return
	}
	handed, err := c.Outbox.HandOver(ctx, slices.Collect(maps.Keys(written))...)
	if err != nil && ctx.Err() == nil {
		c.Log.Error("hand over messages", "channel", c.channel, "error", err)
	}
	for _, m := range claimed {
		message, ok := written[m.ID]
		switch {
		case !ok:
		case slices.Contains(handed, m.ID):
			c.sending.Go(func() { c.send(ctx, m, message) })
		default:
			<-c.slots // whoever has it now, or comes later, sends it
		}
	}
}

// prepare writes a message of what was read with err, unless something ends it before it is sent.
func (c *carrier) prepare(ctx context.Context, told ticketing.Telling, err error) (message notify.Message, unsent *ticketing.MessageOutcome) {
	if err != nil {
		c.log(told.Message).Error("read what to tell", "error", err)
		return message, &ticketing.MessageOutcome{State: ticketing.MessageWaiting, NextAt: time.Now().Add(5 * time.Second)}
	}
	if why := told.Moot(time.Now()); why != "" {
		return message, &ticketing.MessageOutcome{State: ticketing.MessageDropped, Problem: why}
	}
	message, err = c.write(told)
	if err != nil {
		c.log(told.Message).Error("write the message", "error", err)
		return message, &ticketing.MessageOutcome{State: ticketing.MessageFailed, Carrier: c.Sender.Name(), Problem: "it could not be written"}
	}
	if told.Channel == ticketing.ChannelSMS {
		if ok, err := c.Outbox.CountSMS(ctx, told.OrderID, c.SMSPerDay); err == nil && !ok {
			c.log(told.Message).Warn("too many SMS to one number")
			return message, &ticketing.MessageOutcome{State: ticketing.MessageFailed, Carrier: c.Sender.Name(), Problem: "too many SMS to this number today"}
		}
	}
	return message, nil
}

// send gives a message that was handed over to the sender.
func (c *carrier) send(ctx context.Context, m ticketing.Message, message notify.Message) {
	bounded, cancel := context.WithTimeout(ctx, sendBound)
	defer cancel()
	receipt, err := c.Sender.Send(bounded, message)
	m.Tries++
	outcome := c.judge(m, receipt, err, time.Now())
	if err != nil {
		outcome.Problem = without(message.To, err)
		c.log(m).Warn("a message did not leave", "state", outcome.State, "tries", m.Tries, "problem", outcome.Problem)
	}
	c.ended <- ticketing.EndedMessage{Message: m, Outcome: outcome}
}

func (c *carrier) log(m ticketing.Message) *slog.Logger {
	return c.Log.With("order_id", m.OrderID, "message_id", m.ID, "kind", m.Kind, "channel", m.Channel)
}

// judge says what follows from what the sender said.
func (c *carrier) judge(m ticketing.Message, receipt notify.Receipt, err error, now time.Time) ticketing.MessageOutcome {
	outcome := ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: c.Sender.Name(), ReceiptID: receipt.ID, Segments: receipt.Segments}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.failures = 0
	case errors.Is(err, notify.ErrRefused):
		c.failures = 0
		outcome.State = ticketing.MessageFailed
	case errors.Is(err, notify.ErrTemporary):
		c.failures++
		if c.failures >= doubtAfter {
			c.until = now.Add(min(slowestProbe, time.Second<<min(c.failures-doubtAfter, 8)))
		}
		var ok bool
		if outcome.NextAt, ok = m.NextTry(now); ok {
			outcome.State = ticketing.MessageWaiting
		} else {
			outcome.State = ticketing.MessageFailed
		}
		if c.failures >= doubtAfter && outcome.NextAt.After(c.until) {
			outcome.NextAt = c.until // it is the carrier that is down: what is most urgent stays the first to be tried
		}
	default: // ErrUnsure, or an error that says nothing
		c.failures++
		outcome.State = ticketing.MessageUnsure
		if _, ok := c.Sender.(notify.Finder); ok {
			outcome.State, outcome.NextAt = ticketing.MessageSending, now.Add(findPause)
		}
	}
	return outcome
}

// finish stores what became of messages, also when the round has just been cut off. If it fails for all it is tried for each.
func (c *carrier) finish(ctx context.Context, ended ...ticketing.EndedMessage) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeBound)
	defer cancel()
	opened, err := c.Outbox.FinishMessages(bounded, ended...)
	if err != nil && len(ended) > 1 {
		var each sync.WaitGroup
		for _, e := range ended {
			each.Go(func() { c.finish(ctx, e) })
		}
		each.Wait()
		return
	}
	for _, e := range ended {
		if err != nil {
			c.log(e.Message).Error("store what became of a message", "state", e.Outcome.State, "error", err)
			continue
		}
		if slices.Contains(opened, e.ID) {
			c.log(e.Message).Error("a buyer could not be told by any channel", "problem", e.Outcome.Problem)
		}
		c.Metrics.told(e.Message, e.Outcome.State)
	}
}

// settleAbandoned looks after messages of which nobody said in time what became of them. One that was handed over is
// not sent again unless the carrier certainly does not have it.
func (c *carrier) settleAbandoned(ctx context.Context) {
	abandoned, err := c.Outbox.AbandonedMessages(ctx, c.channel, abandonedBatch, tellLease)
	if err != nil {
		if ctx.Err() == nil {
			c.Log.Error("look for abandoned messages", "channel", c.channel, "error", err)
		}
		return
	}
	for _, m := range abandoned {
		outcome, ok := c.whatBecame(ctx, m)
		if ok {
			c.finish(ctx, ticketing.EndedMessage{Message: m, Outcome: outcome})
		}
	}
}

// whatBecame asks the carrier about a message; ok is false if that is not known yet.
func (c *carrier) whatBecame(ctx context.Context, m ticketing.Message) (outcome ticketing.MessageOutcome, ok bool) {
	again := ticketing.MessageOutcome{State: ticketing.MessageWaiting, NextAt: time.Now()}
	if m.TriedAt == nil {
		return again, true
	}
	finder, canFind := c.Sender.(notify.Finder)
	if !canFind || time.Since(*m.TriedAt) > ticketing.MessageAge {
		return ticketing.MessageOutcome{State: ticketing.MessageUnsure, Carrier: c.Sender.Name(), Problem: "nobody knows whether it was sent"}, true
	}
	told, err := c.Outbox.Telling(ctx, m)
	if err != nil {
		return outcome, false
	}
	message, err := c.write(told)
	if err != nil {
		return outcome, false
	}
	bounded, cancel := context.WithTimeout(ctx, sendBound)
	defer cancel()
	receipt, found, err := finder.Find(bounded, message, *m.TriedAt)
	switch {
	case err != nil:
		c.Log.Warn("cannot ask whether a message was sent", "order_id", m.OrderID, "message_id", m.ID, "error", without(message.To, err))
		return outcome, false
	case found:
		return ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: c.Sender.Name(), ReceiptID: receipt.ID, Segments: receipt.Segments}, true
	default:
		return again, true
	}
}

// maxProblem bounds what is kept of a carrier's words, in bytes.
const maxProblem = 300

// without is what an error says, without the address, which is personal data.
func without(address string, err error) string {
	text := err.Error()
	for _, part := range []string{address, strings.TrimPrefix(address, "+"), strings.SplitN(address, "@", 2)[0]} {
		if len(part) > 2 {
			text = regexp.MustCompile("(?i)"+regexp.QuoteMeta(part)).ReplaceAllLiteralString(text, "…")
		}
	}
	return strings.ToValidUTF8(text[:min(len(text), maxProblem)], "")
}
