package ticketing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/boxoffice/boxoffice/ticketing"
)

func TestEveryMessageTellsOfOneKindOfEntryAndHasAnUrgencyOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[ticketing.OrderEventKind]bool{}
	for i, kind := range ticketing.MessageKinds {
		entry := kind.Tells()
		require.NotEmpty(t, entry, kind)
		require.False(t, seen[entry], entry)
		seen[entry] = true
		back, ok := entry.Message()
		require.True(t, ok)
		require.Equal(t, kind, back)
		require.Equal(t, i, kind.Urgency())
	}
	_, ok := ticketing.EventPaymentReceived.Message()
	require.False(t, ok, "what the next entry says better is not told")
}

func TestChannelsOfAMessage(t *testing.T) {
	t.Parallel()
	mail, sms := ticketing.ChannelMail, ticketing.ChannelSMS
	require.Equal(t, sms, mail.Other())
	require.Equal(t, mail, sms.Other())
	for _, kind := range ticketing.MessageKinds {
		require.Equal(t, []ticketing.Channel{mail}, kind.Channels(false), kind)
	}
	require.Equal(t, []ticketing.Channel{mail, sms}, ticketing.MessagePaid.Channels(true))
	require.Equal(t, []ticketing.Channel{sms}, ticketing.MessageHoldExpiring.Channels(true))
	require.Equal(t, []ticketing.Channel{mail}, ticketing.MessageRefundRequested.Channels(true))
}

func TestAMessageIsTriedEverMoreRarelyAndNotForEver(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	m := ticketing.Message{CreatedAt: begun}
	now, last := begun, time.Duration(0)
	for tries := 1; ; tries++ {
		require.Less(t, tries, 200)
		m.Tries = tries
		at, ok := m.NextTry(now)
		if !ok {
			break
		}
		pause := at.Sub(now)
		require.GreaterOrEqual(t, pause, last)
		require.LessOrEqual(t, pause, 15*time.Minute)
		now, last = at, pause
	}
	require.WithinDuration(t, begun.Add(ticketing.MessageAge), now, 15*time.Minute)
	first, ok := ticketing.Message{CreatedAt: begun, Tries: 1}.NextTry(begun)
	require.True(t, ok)
	require.Equal(t, begun.Add(5*time.Second), first)

	soon := begun.Add(time.Minute)
	m = ticketing.Message{CreatedAt: begun, ExpiresAt: &soon, Tries: 5}
	_, ok = m.NextTry(begun)
	require.False(t, ok, "the next try would be too late")
}

func TestWhatIsNotTrueAnyMoreIsNotTold(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	starts, past := now.Add(20*time.Hour), now.Add(-time.Second)
	telling := func(kind ticketing.MessageKind, change func(*ticketing.Telling)) ticketing.Telling {
		told := ticketing.Telling{
			Message: ticketing.Message{Kind: kind}, NoticeOf: starts,
			Order: ticketing.Order{State: ticketing.OrderPaid, Tickets: []ticketing.Ticket{{State: ticketing.TicketVoid}, {State: ticketing.TicketValid}}},
			Event: ticketing.Event{State: ticketing.EventOnSale, Sessions: []ticketing.Session{{StartsAt: starts}}},
		}
		if change != nil {
			change(&told)
		}
		return told
	}
	unpaid := func(told *ticketing.Telling) { told.Order.State = ticketing.OrderPending }
	gaveBack := func(told *ticketing.Telling) { told.Order.Tickets = told.Order.Tickets[:1] }
	for _, c := range []struct {
		name   string
		told   ticketing.Telling
		untold bool
	}{
		{"a hold that ends", telling(ticketing.MessageHoldExpiring, unpaid), false},
		{"a hold that was paid", telling(ticketing.MessageHoldExpiring, nil), true},
		{"a reminder", telling(ticketing.MessageReminder, nil), false},
		{"a reminder too late", telling(ticketing.MessageReminder, func(told *ticketing.Telling) { told.ExpiresAt = &past }), true},
		{"a reminder of tickets given back", telling(ticketing.MessageReminder, gaveBack), true},
		{"a reminder of a cancelled event", telling(ticketing.MessageReminder, func(told *ticketing.Telling) { told.Event.State = ticketing.EventCancelled }), true},
		{"a reminder of a session that moved", telling(ticketing.MessageReminder, func(told *ticketing.Telling) { told.NoticeOf = past }), true},
		{"a change", telling(ticketing.MessageSessionChanged, nil), false},
		{"a change for somebody without tickets", telling(ticketing.MessageSessionChanged, gaveBack), true},
		{"a cancellation of an event", telling(ticketing.MessageEventCancelled, func(told *ticketing.Telling) { told.Event.State = ticketing.EventCancelled }), false},
		{"a postponement", telling(ticketing.MessageEventPostponed, func(told *ticketing.Telling) { told.PostponedFrom = starts }), false},
		{"a postponement to a date that is known by now", telling(ticketing.MessageEventPostponed, func(told *ticketing.Telling) { told.PostponedFrom = past }), true},
		{"a postponement that was taken back", telling(ticketing.MessageEventPostponed, nil), true},
		{"tickets", telling(ticketing.MessagePaid, nil), false},
	} {
		require.Equal(t, c.untold, c.told.Moot(now) != "", c.name)
	}
	require.Zero(t, ticketing.Telling{}.Session())
}
