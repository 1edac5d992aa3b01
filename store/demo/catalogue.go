package demo

import (
	"fmt"
	"time"

	"github.com/boxoffice/boxoffice/ticketing"
)

// Catalogue describes the demo events. Their sessions take place in the days after now; ids do not
// depend on it, so that seeding again updates the same events.
func Catalogue(now time.Time) []ticketing.Event {
	c := calendar{now: now}
	return []ticketing.Event{film(c), concert(c), play(c), match(c), coach(c)}
}

// None of the zones has summer time, so that the program needs no zone data.
var (
	china = time.FixedZone("Asia/Shanghai", 8*60*60)
	japan = time.FixedZone("Asia/Tokyo", 9*60*60)
)

const day = 24 * time.Hour

// calendar makes the dates of the catalogue.
type calendar struct{ now time.Time }

// on is a time of day in so many days.
func (c calendar) on(days int, zone *time.Location, hour, minute int) time.Time {
	today := c.now.In(zone)
	return time.Date(today.Year(), today.Month(), today.Day()+days, hour, minute, 0, 0, zone).UTC()
}

func text(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }

// offer is a ticket type before it belongs to a session.
type offer struct {
	id               string
	name             ticketing.Text
	price, surcharge int64
	seats            string        // the category of the hall it sells; empty without a map
	capacity, most   int           // capacity is that of the seats where it sells any
	opensIn          time.Duration // after now; 0 means that the sale is open
	earlyPrice       int64         // 0 means none
	earlyFor         time.Duration
}

// show is a session and its offers.
type show struct {
	starts   time.Time
	length   time.Duration
	venue    ticketing.Venue
	hall     ticketing.SeatMapRef
	currency string
	offers   []offer
}

// add appends a session to an event.
func (c calendar) add(e *ticketing.Event, s show) {
	session := ticketing.Session{
		ID: fmt.Sprintf("%s-%d", e.ID, len(e.Sessions)+1), EventID: e.ID, Venue: s.venue, StartsAt: s.starts, EndsAt: s.starts.Add(s.length), SeatMap: s.hall,
	}
	opened := c.on(-14, china, 10, 0)
	for _, o := range s.offers {
		t := ticketing.TicketType{
			ID: session.ID + "-" + o.id, SessionID: session.ID, Name: o.name, Currency: s.currency, BasePrice: o.price, Surcharge: o.surcharge,
			MaxPerOrder: o.most, SaleFrom: opened, SaleUntil: s.starts.Add(-30 * time.Minute), Capacity: o.capacity, SeatCategory: o.seats,
		}
		if o.opensIn > 0 {
			t.SaleFrom = c.now.Add(o.opensIn).UTC().Truncate(time.Hour)
		}
		if o.earlyPrice > 0 {
			t.Phases = []ticketing.PricePhase{{
				Name: text("Early bird", "早鸟票"), From: opened, Until: c.now.Add(o.earlyFor).UTC().Truncate(time.Hour), BasePrice: o.earlyPrice,
			}}
		}
		session.TicketTypes = append(session.TicketTypes, t)
	}
	e.Sessions = append(e.Sessions, session)
}

func film(c calendar) ticketing.Event {
	e := ticketing.Event{
		ID: "lighthouse-map", OrganiserID: "lantern", Organiser: "Lantern Pictures", Kind: ticketing.KindCinema,
		Title: text("The Lighthouse Keeper's Map", "守灯人的地图"),
		Summary: text(
			"A retired lighthouse keeper finds a chart of an island that should not exist. Original language with English and Chinese subtitles.",
			"退休的守灯人发现了一张海图，图上的岛屿本不该存在。原声放映，中英文字幕。"),
		State: ticketing.EventOnSale, HoldFor: 10 * time.Minute, OrderFee: 0, MaxPerOrder: 8,
		Refunds: ticketing.RefundPolicy{{Before: 2 * time.Hour}, {Before: 30 * time.Minute, FeeBasisPoints: 3000}},
	}
	venue := ticketing.Venue{
		ID: "lantern-cinema", Name: text("Lantern Cinema, Hall 2", "灯笼影城 2 号厅"), City: text("Shanghai", "上海"),
		Address: text("128 Wutong Road, Xuhui District", "徐汇区梧桐路128号"), TimeZone: "Asia/Shanghai",
	}
	hall := refOf(cinema())
	offers := []offer{
		{id: "standard", name: text("Standard", "普通座"), price: 4800, surcharge: 300, seats: "standard", most: 6},
		{id: "lounge", name: text("Lounge chair", "躺椅"), price: 8800, surcharge: 300, seats: "lounge", most: 4},
	}
	for _, in := range []int{1, 2, 3} {
		c.add(&e, show{c.on(in, china, 19, 30), 128 * time.Minute, venue, hall, "CNY", offers})
	}
	c.add(&e, show{c.on(3, china, 22, 15), 128 * time.Minute, venue, hall, "CNY", offers[:1]})
	return e
}

func concert(c calendar) ticketing.Event {
	e := ticketing.Event{
		ID: "northern-light", OrganiserID: "ninth-hall", Organiser: "Ninth Hall Music", Kind: ticketing.KindConcert,
		Title: text("Northern Light Orchestra: Sea Symphonies", "北光交响乐团：大海交响曲"),
		Summary: text(
			"Ninety musicians, one choir, and the sea from calm to storm. Two evenings only.",
			"九十位乐手与合唱团，奏响从平静到风暴的大海。仅演两晚。"),
		State: ticketing.EventOnSale, HoldFor: 15 * time.Minute, OrderFee: 800, MaxPerOrder: 6,
		RealNames: ticketing.RealNames{Need: ticketing.RealNamesOptional, ChangeBefore: 2 * day},
		Refunds:   ticketing.RefundPolicy{{Before: 7 * day, FeeBasisPoints: 500}, {Before: 3 * day, FeeBasisPoints: 2000}, {Before: day, FeeBasisPoints: 5000}},
	}
	venue := ticketing.Venue{
		ID: "ninth-hall", Name: text("Ninth Hall", "第九音乐厅"), City: text("Beijing", "北京"),
		Address: text("9 East Lake Street, Chaoyang District", "朝阳区东湖街9号"), TimeZone: "Asia/Shanghai",
	}
	for _, in := range []int{9, 10} {
		c.add(&e, show{c.on(in, china, 19, 30), 130 * time.Minute, venue, ticketing.SeatMapRef{}, "CNY", []offer{
			{id: "stalls", name: text("Stalls", "池座"), price: 68000, surcharge: 2000, capacity: 600, most: 6, earlyPrice: 54000, earlyFor: 5 * day},
			{id: "balcony", name: text("Balcony", "楼座"), price: 38000, surcharge: 2000, capacity: 400, most: 6, earlyPrice: 30000, earlyFor: 5 * day},
			{id: "box", name: text("Box, last seats", "包厢余票"), price: 128000, surcharge: 5000, capacity: 3, most: 2},
		}})
	}
	bothEvenings(&e)
	return e
}

// bothEvenings adds a bundle to the first session of an event: one ticket of its first type for each session.
func bothEvenings(e *ticketing.Event) {
	first := &e.Sessions[0]
	bundle := ticketing.TicketType{
		ID: first.ID + "-both", SessionID: first.ID, Name: text("Both evenings, stalls", "两晚联票（池座）"), Currency: "CNY", BasePrice: 98000, Surcharge: 3000,
		MaxPerOrder: 3, SaleFrom: first.TicketTypes[0].SaleFrom, SaleUntil: first.TicketTypes[0].SaleUntil, Capacity: 100,
	}
	for _, session := range e.Sessions {
		bundle.Contents = append(bundle.Contents, ticketing.Component{TicketTypeID: session.TicketTypes[0].ID, SessionID: session.ID, Quantity: 1})
	}
	first.TicketTypes = append(first.TicketTypes, bundle)
}

func play(c calendar) ticketing.Event {
	e := ticketing.Event{
		ID: "teahouse-at-midnight", OrganiserID: "westlake-stage", Organiser: "Westlake Stage", Kind: ticketing.KindTheatre,
		Title: text("Teahouse at Midnight", "午夜茶馆"),
		Summary: text(
			"A comedy of three generations and one pot of tea. In Mandarin with English surtitles.",
			"三代人与一壶茶的喜剧。普通话演出，配英文字幕。"),
		State: ticketing.EventOnSale, HoldFor: 15 * time.Minute, OrderFee: 500, MaxPerOrder: 6,
		Refunds: ticketing.RefundPolicy{{Before: 3 * day}, {Before: day, FeeBasisPoints: 2000}},
	}
	venue := ticketing.Venue{
		ID: "westlake-playhouse", Name: text("Westlake Playhouse", "西湖小剧场"), City: text("Hangzhou", "杭州"),
		Address: text("66 Willow Bank", "柳岸66号"), TimeZone: "Asia/Shanghai",
	}
	for _, in := range []int{5, 6} {
		c.add(&e, show{c.on(in, china, 19, 0), 150 * time.Minute, venue, refOf(theatre()), "CNY", []offer{
			{id: "front", name: text("Front rows", "前排"), price: 42000, surcharge: 1500, seats: "front", most: 4},
			{id: "rear", name: text("Rear rows", "后排"), price: 22000, surcharge: 1500, seats: "rear", most: 6},
			{id: "balcony", name: text("Balconies", "楼座"), price: 14000, surcharge: 1500, seats: "balcony", most: 6},
			{id: "day", name: text("Standing, day tickets", "当日站票"), price: 9900, seats: "standing", capacity: 20, most: 2, opensIn: 3 * day},
		}})
	}
	return e
}

func match(c calendar) ticketing.Event {
	e := ticketing.Event{
		ID: "harbour-cup", OrganiserID: "harbour-fc", Organiser: "Harbour FC", Kind: ticketing.KindSport,
		Title: text("Harbour Cup: Harbour FC v Red Cedar", "海港杯：海港队对红杉队"),
		Summary: text(
			"The last match of the season decides the cup. Gates open two hours before kick-off.",
			"赛季收官之战决定奖杯归属。开球前两小时开放入场。"),
		State: ticketing.EventOnSale, HoldFor: 8 * time.Minute, OrderFee: 110, MaxPerOrder: 10, Tax: ticketing.TaxRule{BasisPoints: 1000, Included: true},
		// The final is not refundable.
	}
	venue := ticketing.Venue{
		ID: "harbour-stadium", Name: text("Harbour Stadium", "海港体育场"), City: text("Tokyo", "东京"),
		Address: text("2-7 Shiokaze, Koto", "江东区潮风2-7"), TimeZone: "Asia/Tokyo",
	}
	c.add(&e, show{c.on(7, japan, 15, 0), 2 * time.Hour, venue, refOf(arena()), "JPY", []offer{
		{id: "main", name: text("Main stand", "主看台"), price: 7800, surcharge: 330, seats: "main", most: 6},
		{id: "home", name: text("Home end", "主队看台"), price: 3900, surcharge: 330, seats: "home", most: 10},
		{id: "away", name: text("Away end", "客队看台"), price: 3900, surcharge: 330, seats: "away", most: 10},
		{id: "upper", name: text("Upper tier", "上层看台"), price: 2900, surcharge: 330, seats: "upper", most: 10},
		{id: "terrace", name: text("Terrace, standing", "站席"), price: 2200, surcharge: 330, seats: "terrace", capacity: 800, most: 10},
	}})
	return e
}

func coach(c calendar) ticketing.Event {
	e := ticketing.Event{
		ID: "valley-coach", OrganiserID: "green-mountain", Organiser: "Green Mountain Coaches", Kind: ticketing.KindJourney,
		Title: text("Coach: Chengdu to Nine Lakes Valley", "大巴：成都至九湖谷"),
		Summary: text(
			"Eight hours through the mountains with two stops. Luggage up to 20 kg included.",
			"八小时穿越群山，途中停靠两次。含20公斤行李。"),
		State: ticketing.EventOnSale, HoldFor: 15 * time.Minute, OrderFee: 200, MaxPerOrder: 5,
		// Passengers show the document at the gate.
		RealNames: ticketing.RealNames{Need: ticketing.RealNamesRequired, ChangeBefore: 2 * time.Hour},
		Refunds: ticketing.RefundPolicy{
			{Before: 2 * day, FeeBasisPoints: 500}, {Before: day, FeeBasisPoints: 1000}, {Before: 2 * time.Hour, FeeBasisPoints: 2000},
		},
	}
	venue := ticketing.Venue{
		ID: "chengdu-east", Name: text("Chengdu East Coach Station", "成都东客运站"), City: text("Chengdu", "成都"),
		Address: text("1 Station East Road, Gate 12", "东站路1号12号检票口"), TimeZone: "Asia/Shanghai",
	}
	for _, in := range []int{1, 2, 4} {
		c.add(&e, show{c.on(in, china, 7, 40), 8 * time.Hour, venue, ticketing.SeatMapRef{}, "CNY", []offer{
			{id: "adult", name: text("Adult", "成人票"), price: 16800, surcharge: 100, capacity: 45, most: 5},
			{id: "child", name: text("Child under 1.5 m", "儿童票（1.5 米以下）"), price: 8400, surcharge: 100, capacity: 10, most: 3},
		}})
	}
	return e
}
