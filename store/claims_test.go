package store_test

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store/storetest"
	"github.com/boxoffice/boxoffice/ticketing"
)

// claimPlants break what is counted besides stock and seats.
var claimPlants = map[string]string{
	"what a buyer has of something limited is what their orders hold and have bought":         "UPDATE buyer_counts SET taken = taken - 1 WHERE taken > 0",
	"a voucher is used by the orders that hold or have bought with it":                        "UPDATE vouchers SET uses = uses - 1 WHERE uses > 0",
	"what is taken at the price of a phase is what orders hold and have bought at it":         "UPDATE phase_stock SET taken = taken + 1 WHERE taken < most",
	"memberships and vouchers take off exactly what the lines of their orders are cheaper by": "UPDATE order_vouchers SET discount = discount + 1",
	"the tickets of a line were paid with its charge":                                         "UPDATE tickets SET paid = paid + 1 WHERE state = 'VALID'",
}

// counted is an event on which everything is counted: four tickets per buyer, three of the first type, ten of which go for half
// the price; a fee per ticket, and a tax that is added.
func counted(id string) ticketing.Event {
	event := storetest.Event(id, 50, 50)
	event.TicketFee, event.Tax, event.MaxPerBuyer = 150, ticketing.TaxRule{BasisPoints: 600}, 4
	now := time.Now().UTC().Truncate(time.Second)
	first := &event.Sessions[0].TicketTypes[0]
	first.MaxPerBuyer = 3
	first.Phases = []ticketing.PricePhase{{
		ID: "early", Name: ticketing.Text{"en": "First ten", "zh-CN": "前十张"}, From: now.Add(-time.Hour), Until: now.Add(time.Hour), BasePrice: 5000, Limit: 10,
	}}
	return event
}

// voucher is one of the organiser of storetest.Event.
func voucher(id string, kind ticketing.VoucherKind, value int64) ticketing.Voucher {
	return ticketing.Voucher{
		ID: id, Name: ticketing.Text{"en": "Welcome", "zh-CN": "欢迎"}, Kind: kind, Value: value, Currency: "CNY", OrganiserID: "organiser",
		From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour),
	}
}

func (s *scene) putVoucher(v ticketing.Voucher, code string) {
	s.Helper()
	if err := s.PutVouchers(s.Context(), []ticketing.Voucher{v}, []string{code}); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) uses(id string) int {
	s.Helper()
	for _, v := range must(s.Vouchers(s.Context(), ""))(s) {
		if v.ID == id {
			return v.Uses
		}
	}
	s.Fatalf("no voucher %s", id)
	return 0
}

// by is the request of another buyer.
func by(r ticketing.HoldRequest, n int) ticketing.HoldRequest {
	r.OrderID = encryption.NewNumber()
	r.Buyer.Email, r.Buyer.Phone = fmt.Sprintf("buyer%d@example.com", n), ""
	return r
}

func (s *scene) wantRefused(r ticketing.HoldRequest, code ticketing.Code, field string) *ticketing.Refusal {
	s.Helper()
	result := must(s.Hold(s.Context(), r))(s)
	if result.Refusal == nil || result.Refusal.Code != code || result.Refusal.Field != field {
		s.Fatalf("%+v, want %s of %s", result, code, field)
	}
	return result.Refusal
}

// heldAs places an order that gets its stock.
func (s *scene) heldAs(r ticketing.HoldRequest) ticketing.Order {
	s.Helper()
	if result := must(s.Hold(s.Context(), r))(s); result.State != ticketing.OrderPending {
		s.Fatalf("held: %+v %+v", result, result.Refusal)
	}
	return s.order(r.OrderID)
}

// claims buys with everything that is counted, in an event of counted of that id.
func (s *scene) claims(event string) ticketing.Order {
	s.Helper()
	code := encryption.NewNumber()
	of := voucher(code, ticketing.VoucherFixed, 1000)
	of.MaxUses, of.MaxPerBuyer = 1, 1
	s.putVoucher(of, code)
	r := by(request(1), 0)
	r.Buyer.Email = code + "@example.com"
	r.EventID, r.SessionID, r.Lines[0].TicketTypeID, r.Vouchers = event, event+"-s1", event+"-t1", []string{code}
	return s.heldAs(r)
}

func TestAnOrderIsChargedAsItWasQuotedLineByLine(t *testing.T) {
	t.Parallel()
	s := newScene(t, counted("show"))
	s.putVoucher(voucher("welcome", ticketing.VoucherPercent, 1000), "WELCOME10")
	r := request(2, 1)
	r.Vouchers = []string{" welcome10 "}
	order := s.heldAs(r)
	// (50.00 + 5.00) × 2 less a tenth, and (200.00 + 5.00) less a tenth; 1.50 a ticket; 6 % added; the order's fee with its tax.
	want := []ticketing.PricedLine{
		{TicketTypeID: "show-t1", Quantity: 2, BasePrice: 5000, Surcharge: 500, Amount: 11000, Phase: "early", Discount: 1100, Fee: 300, Tax: 612},
		{TicketTypeID: "show-t2", Quantity: 1, BasePrice: 20000, Surcharge: 500, Amount: 20500, Discount: 2050, Fee: 150, Tax: 1116},
	}
	for i, line := range order.Lines {
		if !reflect.DeepEqual(line, want[i]) {
			t.Errorf("line %+v, want %+v", line, want[i])
		}
	}
	const total = 11000 - 1100 + 300 + 612 + 20500 - 2050 + 150 + 1116 + 200 + 12
	if order.Total.Amount != total || order.OrderFeeTax != 12 || len(order.Vouchers) != 1 || order.Vouchers[0].Discount != 3150 {
		t.Errorf("%+v", order.Quote)
	}
	s.pays(order)
	s.wantSound()
	s.wantLedger(map[string]int64{"gateway:sandbox": total, "fees": -212, "organiser:organiser:sales": 212 - total})

	given := s.gives(order.ID, order.ID+"-001")
	if want := int64(10812/2) - 541; given.Amount.Amount != want { // a tenth is kept
		t.Errorf("%d goes back, want %d", given.Amount.Amount, want)
	}
	s.settles(given)
	s.wantSound()
	if s.uses("welcome") != 1 {
		t.Error("a refund has given a use of the voucher back")
	}
}

func TestTheLastUseOfAVoucherGoesToOne(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 200))
	last := voucher("last", ticketing.VoucherFixed, 1000)
	last.MaxUses = 1
	s.putVoucher(last, "LAST-ONE")
	var won atomic.Int32
	inParallel(100, func(i int) {
		r := by(request(1), i)
		r.Vouchers = []string{"LAST-ONE"}
		switch result := must(s.Hold(t.Context(), r))(t); {
		case result.State == ticketing.OrderPending:
			won.Add(1)
		case result.Refusal == nil || result.Refusal.Code != ticketing.CodeVoucherInvalid || result.Refusal.Field != "/vouchers/0":
			t.Errorf("%+v %+v", result, result.Refusal)
		}
	})
	if won.Load() != 1 || s.uses("last") != 1 {
		t.Errorf("%d orders got the last use, %d counted", won.Load(), s.uses("last"))
	}
	s.wantFree(199)
	s.wantSound()
}

func TestAVoucherGoesBackWithTheHold(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 20))
	once := voucher("once", ticketing.VoucherFixed, 1000)
	once.MaxUses, once.MaxPerBuyer = 2, 1
	s.putVoucher(once, "ONCE")
	r := request(1)
	r.Vouchers = []string{"ONCE"}
	order := s.heldAs(r)
	again := r
	again.OrderID, again.Buyer.Email = encryption.NewNumber(), "somebody@example.com" // the phone is the same
	s.wantRefused(again, ticketing.CodeVoucherInvalid, "/vouchers/0")
	if held := must(s.Hold(t.Context(), r))(t); held.State != ticketing.OrderPending {
		t.Errorf("the same order again: %+v", held)
	}
	s.expired(order.ID)
	if s.uses("once") != 0 {
		t.Error("still used")
	}
	again.OrderID = encryption.NewNumber()
	s.heldAs(again)
	s.wantSound()
}

func TestCodesThatAreNoGoodAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	s := newScene(t, storetest.Event("show", 20), storetest.Event("other", 20))
	over, early, elsewhere, dear := voucher("over", ticketing.VoucherFixed, 1), voucher("early", ticketing.VoucherFixed, 1), voucher("elsewhere", ticketing.VoucherFixed, 1), voucher("dear", ticketing.VoucherFixed, 1)
	over.Until = time.Now().Add(-time.Minute)
	early.From = time.Now().Add(time.Minute)
	elsewhere.EventID = "other"
	dear.MinimumSpend = 1_000_000
	for _, v := range []ticketing.Voucher{over, early, elsewhere, dear} {
		s.putVoucher(v, v.ID)
	}
	var first *ticketing.Refusal
	for _, code := range []string{"nothing", "over", "early", "elsewhere"} {
		r := request(1)
		r.Vouchers = []string{code}
		refusal := s.wantRefused(r, ticketing.CodeVoucherInvalid, "/vouchers/0")
		if first == nil {
			first = refusal
		}
		if *refusal != *first {
			t.Errorf("%s: %+v, another code: %+v", code, refusal, first)
		}
	}
	r := request(1)
	r.Vouchers = []string{"dear"}
	s.wantRefused(r, ticketing.CodeVoucherMinimum, "/vouchers/0")
	wantCode(t, s.PutVouchers(t.Context(), []ticketing.Voucher{voucher("thief", ticketing.VoucherFixed, 1)}, []string{"OVER"}), ticketing.CodeConflict)
	wantCode(t, s.PutVouchers(t.Context(), []ticketing.Voucher{over}, []string{"another"}), ticketing.CodeConflict)
	s.wantSound()
}

func TestABuyerGetsNoMoreThanTheirShare(t *testing.T) {
	t.Parallel()
	s := newScene(t, counted("show"))
	var got atomic.Int32
	inParallel(50, func(i int) {
		r := request(0, 1)
		r.OrderID = encryption.NewNumber()
		r.Buyer.Email = []string{"mei@example.com", "MEI@example.com ", "mei+again@example.com"}[i%3]
		r.Buyer.Phone = ""
		switch result := must(s.Hold(t.Context(), r))(t); {
		case result.State == ticketing.OrderPending:
			got.Add(1)
		case result.Refusal == nil || result.Refusal.Code != ticketing.CodeLimitExceeded || result.Refusal.Field != "/lines" || *result.Refusal.Left != 0:
			t.Errorf("%+v %+v", result, result.Refusal)
		}
	})
	if got.Load() != 4 {
		t.Errorf("%d of 4", got.Load())
	}
	s.wantSound()
}

func TestLimitsCountByMailAndByPhoneAndComeBack(t *testing.T) {
	t.Parallel()
	s := newScene(t, counted("show"))
	r := request(2)
	order := s.heldAs(r)
	again := request(2)
	again.Buyer.Email = "else@example.com" // the phone is the same
	if refusal := s.wantRefused(again, ticketing.CodeLimitExceeded, "/lines/0/quantity"); *refusal.Left != 1 {
		t.Errorf("%d left", *refusal.Left)
	}
	if refusal := s.order(again.OrderID).Refusal; refusal == nil || *refusal.Left != 1 {
		t.Errorf("stored as %+v", refusal)
	}
	s.expired(order.ID)
	again.OrderID = encryption.NewNumber()
	again.Lines[0].Quantity = 3
	order = s.pays(s.heldAs(again))
	more := request(1)
	s.wantRefused(more, ticketing.CodeLimitExceeded, "/lines/0/quantity")
	s.settles(s.gives(order.ID, order.ID+"-002"))
	more.OrderID = encryption.NewNumber()
	s.heldAs(more)
	s.wantSound()
}

func TestAPhaseByQuantitySellsExactlyItsTickets(t *testing.T) {
	t.Parallel()
	event := counted("show")
	event.MaxPerBuyer, event.Sessions[0].TicketTypes[0].MaxPerBuyer = 0, 0
	s := newScene(t, event)
	var cheap, dear atomic.Int32
	inParallel(30, func(i int) {
		r := by(request(1), i)
		held := must(s.Hold(t.Context(), r))(t)
		switch held.Quote.Lines[0].BasePrice {
		case 5000:
			cheap.Add(1)
		case 10000:
			dear.Add(1)
		}
	})
	if cheap.Load() != 10 || dear.Load() != 20 {
		t.Errorf("%d early and %d at the full price", cheap.Load(), dear.Load())
	}
	s.wantSound()
}

func TestWhoHasTheCodeBuysBeforeTheSale(t *testing.T) {
	t.Parallel()
	event := storetest.Event("show", 20)
	event.Sessions[0].TicketTypes[0].SaleFrom = time.Now().Add(time.Hour)
	s := newScene(t, event)
	now := time.Now()
	if err := s.PutPresales(t.Context(), "MEMBERS", ticketing.Presale{TicketTypeID: "show-t1", From: now.Add(-time.Minute), Until: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutPresales(t.Context(), "TOMORROW", ticketing.Presale{TicketTypeID: "show-t1", From: now.Add(time.Minute), Until: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.PutPresales(t.Context(), "X", ticketing.Presale{TicketTypeID: "none", From: now, Until: now.Add(1)}), ticketing.CodeNotFound)
	for _, code := range []string{"", "guess", "tomorrow"} {
		r := request(1)
		r.AccessCode = code
		s.wantRefused(r, ticketing.CodeWindowClosed, "/lines/0/ticket_type_id")
	}
	r := request(1)
	r.AccessCode = "members"
	// Money that comes too late takes the stock again with the code it was ordered with.
	if !s.takenAgain(s.paidLate(r, func() {})) {
		t.Error("not taken again")
	}
	s.wantSound()
}

func TestLateMoneyTakesNothingThatSomebodyElseHasClaimed(t *testing.T) {
	t.Parallel()
	s := newScene(t, counted("show"))
	last := voucher("last", ticketing.VoucherFixed, 1000)
	last.MaxUses = 1
	s.putVoucher(last, "LAST")
	late := func(r ticketing.HoldRequest, meanwhile func()) bool { return s.takenAgain(s.paidLate(r, meanwhile)) }
	with := func(n int, quantities ...int) ticketing.HoldRequest {
		r := by(request(quantities...), n)
		r.Vouchers = []string{"LAST"}
		return r
	}
	if late(with(1, 1), func() { s.heldAs(with(2, 1)) }) {
		t.Error("the voucher was used twice")
	}
	if late(by(request(3), 3), func() { s.heldAs(by(request(1), 3)) }) {
		t.Error("a buyer got more than their share")
	}
	if !late(by(request(3), 4), func() {}) {
		t.Error("not taken again")
	}
	if late(by(request(3), 5), func() { // the early price is gone
		s.heldAs(by(request(3), 6))
		s.heldAs(by(request(2), 7))
	}) {
		t.Error("more than ten at the early price")
	}
	s.wantSound()
}

func TestAnOrderThatCostsNothingIsPaidAtOnce(t *testing.T) {
	t.Parallel()
	event := storetest.Event("show", 20)
	event.OrderFee = 0
	s := newScene(t, event)
	s.putVoucher(voucher("guest", ticketing.VoucherPrice, 0), "GUEST")
	r := request(2)
	paying := s.heldAs(r)
	_, err := s.ConfirmFree(t.Context(), paying.ID)
	wantCode(t, err, ticketing.CodeConflict)
	_, err = s.ConfirmFree(t.Context(), encryption.NewNumber())
	wantCode(t, err, ticketing.CodeNotFound)

	r = request(2)
	r.Vouchers = []string{"GUEST"}
	order := s.heldAs(r)
	if order.Total.Amount != 0 {
		t.Fatalf("%+v", order.Quote)
	}
	for range 2 {
		if state := must(s.ConfirmFree(t.Context(), order.ID))(t); state != ticketing.OrderPaid {
			t.Errorf("%s", state)
		}
	}
	order = s.order(order.ID)
	if len(order.Tickets) != 2 || order.State != ticketing.OrderPaid {
		t.Errorf("%+v", order)
	}
	s.wantKinds(order.ID, ticketing.EventHeld, ticketing.EventPaid)
	s.expired(paying.ID)
	s.wantFree(18)
	s.wantSound()
}
