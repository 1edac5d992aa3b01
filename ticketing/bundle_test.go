package ticketing

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEveryShareOfABundleIsWholeAndTheyAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		contents := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Component {
			return Component{Quantity: rapid.IntRange(1, 5).Draw(t, "quantity"), Price: rapid.Int64Range(0, 1_000_000).Draw(t, "price")}
		}), 1, MaxComponents).Draw(t, "contents")
		amount := rapid.Int64Range(0, 100_000_000).Draw(t, "amount")
		var tickets int
		var whole int64
		for _, c := range contents {
			tickets += c.Quantity
			whole += c.Price * int64(c.Quantity)
		}
		shares := ShareBundle(amount, contents)
		if len(shares) != tickets {
			t.Fatalf("%d shares of %d tickets", len(shares), tickets)
		}
		var sum int64
		for i, share := range shares {
			if sum += share; share < 0 {
				t.Fatalf("share %d is %d", i, share)
			}
		}
		if sum != amount {
			t.Fatalf("%d shared of %d", sum, amount)
		}
		for _, c := range contents {
			if whole > 0 {
				if exact := float64(amount) * float64(c.Price) / float64(whole); float64(shares[0]) < exact-1 || float64(shares[0]) > exact+1 {
					t.Fatalf("%d instead of %f", shares[0], exact)
				}
			}
			shares = shares[c.Quantity:]
		}
	})
}

func TestWhatABundleIs(t *testing.T) {
	t.Parallel()
	part := func(session string, quantity int) Component {
		return Component{TicketTypeID: session + "-t", SessionID: session, EventID: session, Quantity: quantity}
	}
	for name, test := range map[string]struct {
		contents []Component
		category string
		ok       bool
	}{
		"none":                 {nil, "", true},
		"two nights":           {[]Component{part("one", 1), part("two", 1)}, "", true},
		"a pair":               {[]Component{part("one", 2)}, "", true},
		"a single ticket":      {[]Component{part("one", 1)}, "", false},
		"nothing of its own":   {[]Component{part("two", 2)}, "", false},
		"twice the same":       {[]Component{part("one", 1), part("one", 1)}, "", false},
		"none of something":    {[]Component{part("one", 2), part("two", 0)}, "", false},
		"more than can be had": {[]Component{part("one", MaxQuantity), part("two", 1)}, "", false},
		"seats of its own":     {[]Component{part("one", 2)}, "stalls", false},
	} {
		pass := TicketType{ID: "pass", SessionID: "one", SeatCategory: test.category, Contents: test.contents}
		if err := pass.ValidateBundle(); (err == nil) != test.ok || err != nil && CodeOf(err) != CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	pass := TicketType{Contents: []Component{part("one", 1), part("two", 2)}}
	if pass.TicketsOf("two") != 2 || pass.TicketsOf("three") != 0 || (TicketType{}).TicketsOf("one") != 1 {
		t.Error("tickets of an event")
	}
}

func TestABundleCountsAsTheTicketsInIt(t *testing.T) {
	t.Parallel()
	now := time.Now()
	pass := TicketType{
		ID: "pass", Currency: "CNY", BasePrice: 100, MaxPerOrder: 10, SaleFrom: now.Add(-1), SaleUntil: now.Add(time.Hour),
		Contents: []Component{{TicketTypeID: "a", EventID: "home", Quantity: 3}, {TicketTypeID: "b", EventID: "other", Quantity: 9}},
	}
	event := Event{ID: "home", State: EventOnSale, MaxPerOrder: 6}
	price := func(quantity int) (Quote, error) {
		return PriceOrder(event, Session{TicketTypes: []TicketType{pass}}, Basket{Lines: []Ask{{TicketTypeID: "pass", Quantity: quantity}}, At: now})
	}
	quote, err := price(2)
	if err != nil || quote.Total.Amount != 200 || len(quote.Lines[0].Contents) != 2 {
		t.Errorf("%+v, %v", quote, err)
	}
	if _, err := price(3); CodeOf(err) != CodeLimitExceeded {
		t.Errorf("%v", err)
	}
}

func TestWhichBundleThereIsNotEnoughFor(t *testing.T) {
	t.Parallel()
	pass := func(id string, quantity int, parts ...Component) PricedLine {
		return PricedLine{TicketTypeID: id, Quantity: quantity, Contents: parts}
	}
	of := func(id string, quantity int) Component { return Component{TicketTypeID: id, Quantity: quantity} }
	lines := []PricedLine{pass("a", 2), pass("pass", 2, of("a", 1), of("b", 2)), pass("pair", 1, of("b", 2))}
	for name, test := range map[string]struct {
		free  map[string]int
		code  Code
		field string
		why   string
	}{
		"enough":       {map[string]int{"a": 4, "b": 6}, "", "", ""},
		"of the first": {map[string]int{"a": 3, "b": 9}, CodeSoldOut, "/lines/1/quantity", "only 1 left"},
		"of b":         {map[string]int{"a": 9, "b": 5}, CodeSoldOut, "/lines/1/quantity", "only 1 left"},
		"none":         {map[string]int{"a": 9, "b": 0}, CodeSoldOut, "/lines/1/quantity", "sold out"},
		"closed":       {map[string]int{"a": 9}, CodeNotOnSale, "/lines/1/ticket_type_id", "something in this bundle is not on sale"},
	} {
		switch refusal := Short(lines, test.free); {
		case refusal == nil && test.code == "":
		case refusal == nil || refusal.Code != test.code || refusal.Field != test.field || refusal.Message != test.why:
			t.Errorf("%s: %+v", name, refusal)
		}
	}
}

func TestABundleIsRefundedAsAWholeAndByItsOwnTerms(t *testing.T) {
	t.Parallel()
	now := time.Now()
	terms := RefundTerms{Policy: RefundPolicy{{Before: time.Hour}}, StartsAt: now.Add(48 * time.Hour)}
	sooner := terms
	sooner.StartsAt = now.Add(2 * time.Hour)
	facts := RefundFacts{
		Order: OrderPaid, Terms: terms, Currency: "CNY", OrderFee: 300,
		Tickets: []PaidTicket{
			{ID: "1", State: TicketValid, Paid: 100},
			{ID: "2", State: TicketValid, Paid: 60, Bundle: "pass/1", Terms: &sooner},
			{ID: "3", State: TicketValid, Paid: 40, Bundle: "pass/1", Terms: &sooner},
		},
	}
	for _, some := range [][]string{{"2"}, {"1", "3"}} {
		if _, err := QuoteRefund(facts, some, now); CodeOf(err) != CodeInvalid {
			t.Errorf("%v: %v", some, err)
		}
	}
	quote, err := QuoteRefund(facts, []string{"3", "2"}, now)
	if err != nil || quote.Amount.Amount != 100 || quote.Free || !quote.Until.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v, %v", quote, err)
	}
	if quote, err = QuoteRefund(facts, nil, now); err != nil || quote.Amount.Amount != 200 || !quote.Until.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v, %v", quote, err)
	}
	sooner.Event = EventCancelled
	// Of the order's fee, what falls on the tickets of the bundle goes back too.
	if quote, err = QuoteRefund(facts, nil, now); err != nil || quote.Amount.Amount != 400 || quote.OrderFee != 200 || quote.Free || !quote.Until.Equal(now.Add(47*time.Hour)) {
		t.Errorf("%+v, %v", quote, err)
	}
	if quote, err = QuoteRefund(facts, []string{"2", "3"}, now); err != nil || !quote.Free || !quote.Until.IsZero() {
		t.Errorf("%+v, %v", quote, err)
	}
	sooner.Event, sooner.StartsAt = EventOnSale, now
	if _, err = QuoteRefund(facts, nil, now); CodeOf(err) != CodeNotRefundable {
		t.Errorf("%v", err)
	}
	if _, err = QuoteRefund(facts, []string{"1"}, now); err != nil {
		t.Error(err)
	}
}
