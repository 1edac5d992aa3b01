package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/ticketing"
)

func TestMessagesAreHandedOverAndFinishedTogether(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for range 5 {
		s.paid(1)
	}
	late := must(s.ClaimMessages(t.Context(), ticketing.ChannelMail, 1, -time.Second, 0))(t)
	claimed := must(s.ClaimMessages(t.Context(), ticketing.ChannelMail, 10, lease, 0))(t)
	ids := func(messages []ticketing.Message) (all []string) {
		for _, m := range messages {
			all = append(all, m.ID)
		}
		return all
	}
	handed := must(s.HandOver(t.Context(), ids(slices.Concat(late, claimed))...))(t)
	if !slices.Equal(slices.Sorted(slices.Values(handed)), slices.Sorted(slices.Values(ids(claimed)))) || len(claimed) != 4 {
		t.Errorf("%v handed over of %v, and of %v whose claim has run out", handed, ids(claimed), ids(late))
	}
	if again := must(s.HandOver(t.Context(), ids(claimed)...))(t); len(again) != 0 {
		t.Errorf("%v handed over again", again)
	}

	// One that the carrier has long said did not arrive, and one that nobody can tell by SMS either.
	if err := s.KeepReceipt(t.Context(), ticketing.MessageReceipt{Carrier: "post", ReceiptID: "R1", Status: "lost", State: ticketing.MessageUndelivered}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if m := must(s.ClaimMessages(t.Context(), ticketing.ChannelSMS, 1, lease, 0))(t)[0]; m.OrderID == claimed[3].OrderID {
			s.finished(m, ticketing.MessageOutcome{State: ticketing.MessageFailed, Carrier: "twilio"})
		}
	}
	ended := []ticketing.EndedMessage{
		{Message: claimed[0], Outcome: ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: "post", ReceiptID: "R0"}},
		{Message: claimed[1], Outcome: ticketing.MessageOutcome{State: ticketing.MessageSent, Carrier: "post", ReceiptID: "R1"}},
		{Message: claimed[2], Outcome: ticketing.MessageOutcome{State: ticketing.MessageWaiting, NextAt: time.Now().Add(time.Hour), Problem: "451"}},
		{Message: claimed[3], Outcome: ticketing.MessageOutcome{State: ticketing.MessageFailed, Carrier: "post", Problem: "550"}},
	}
	opened := must(s.FinishMessages(t.Context(), ended...))(t)
	if !slices.Equal(opened, ids(claimed[3:])) {
		t.Errorf("cases of %v, not of %s", opened, claimed[3].ID)
	}
	for i, want := range []ticketing.MessageState{ticketing.MessageSent, ticketing.MessageUndelivered, ticketing.MessageWaiting, ticketing.MessageFailed} {
		if m := must(s.Messages(t.Context(), claimed[i].OrderID))(t)[0]; m.State != want || m.Tries != 1 {
			t.Errorf("%d is %s after %d tries, not %s", i, m.State, m.Tries, want)
		}
	}
	if opened := must(s.FinishMessages(t.Context(), ended...))(t); len(opened) != 0 {
		t.Errorf("cases opened twice: %v", opened)
	}
}

// TestWhatCannotBeReadKeepsNoOtherTelling: each is asked for and answered for itself.
func TestWhatCannotBeReadKeepsNoOtherTelling(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.paid(1)
	s.paid(2)
	claimed := must(s.ClaimMessages(t.Context(), ticketing.ChannelMail, 10, lease, 0))(t)
	asked := []ticketing.Message{claimed[1], {OrderID: encryption.NewNumber()}, claimed[0]}
	var read int
	for told, err := range s.Tellings(t.Context(), asked...) {
		m := asked[read]
		if told.Message != m {
			t.Errorf("%+v instead of %+v", told.Message, m)
		}
		switch {
		case read == 1 && ticketing.CodeOf(err) != ticketing.CodeNotFound:
			t.Errorf("of an unknown order: %v", err)
		case read != 1 && (err != nil || told.Order.ID != m.OrderID || told.Session().Venue.TimeZone != "Asia/Shanghai"):
			t.Errorf("told %+v, %v", told, err)
		}
		read++
	}
	if read != len(asked) {
		t.Errorf("%d read", read)
	}
}
