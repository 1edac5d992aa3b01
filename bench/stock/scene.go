package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/demo"
	"github.com/boxoffice/boxoffice/store/localpostgres"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// plenty is more tickets than any run sells.
const plenty = 100_000_000

// databaseName is that of the database all parts use.
const databaseName = "boxoffice_stock"

// scene is a durable PostgreSQL with the product's tables, and a store on it as the product has it.
type scene struct {
	*store.Store
	// alone lets each hold have its own transaction.
	alone   *store.Store
	keyring string
	ring    *encryption.Keyring
	server  *localpostgres.Server
	folder  string
	version string
	events  int
}

// open starts everything in a folder of its own.
func open(ctx context.Context) (_ *scene, err error) {
	s := &scene{keyring: encryption.NewKey("bench")}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.ring, err = encryption.ParseKeyring(s.keyring); err != nil {
		return nil, err
	}
	if s.folder, err = localpostgres.TemporaryFolder(); err != nil {
		return nil, err
	}
	if s.server, err = localpostgres.Start(ctx, localpostgres.Options{DataFolder: filepath.Join(s.folder, "data")}); err != nil {
		return nil, err
	}
	if err = s.server.CreateDatabase(ctx, databaseName); err != nil {
		return nil, err
	}
	if s.Store, err = s.store(ctx, store.Config{}); err != nil {
		return nil, err
	}
	if s.alone, err = s.store(ctx, store.Config{HoldGroup: 1}); err != nil {
		return nil, err
	}
	if err = s.Migrate(ctx); err != nil {
		return nil, err
	}
	if err = s.ImportSeatMap(ctx, arenaMap()); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, s.server.URL(databaseName))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	return s, conn.QueryRow(ctx, "SELECT 'PostgreSQL ' || current_setting('server_version')").Scan(&s.version)
}

// store opens a store on the database.
func (s *scene) store(ctx context.Context, config store.Config) (*store.Store, error) {
	config.URL, config.Keyring = s.server.URL(databaseName), s.ring
	return store.Open(ctx, config)
}

func (s *scene) close() {
	for _, db := range []*store.Store{s.Store, s.alone} {
		if db != nil {
			db.Close()
		}
	}
	if s.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_ = s.server.Stop(ctx)
	}
	_ = os.RemoveAll(s.folder)
}

// check audits the database.
func (s *scene) check(ctx context.Context) error {
	violations, err := s.Audit(ctx)
	for _, v := range violations {
		err = errors.Join(err, fmt.Errorf("audit: %+v", v))
	}
	return err
}

// arenaMap is the largest of the demonstration's seat maps, of some 20,000 seats.
func arenaMap() seating.Map {
	maps := demo.SeatMaps()
	return maps[len(maps)-1]
}

// tickets are sold of one ticket type of one session.
type tickets struct {
	event, session, kind string
}

// sell puts another event on sale: a match in the arena with seats of a category, or a concert without seats.
func (s *scene) sell(ctx context.Context, category string) (tickets, error) {
	s.events++
	t := tickets{event: fmt.Sprintf("event-%d", s.events)}
	t.session, t.kind = t.event+"-1", t.event+"-1-a"
	now := time.Now().UTC().Truncate(time.Second)
	text := func(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }
	kind := ticketing.TicketType{
		ID: t.kind, SessionID: t.session, Name: text("Ticket", "门票"), Currency: "CNY", BasePrice: 10000, MaxPerOrder: 10,
		SaleFrom: now.Add(-time.Hour), SaleUntil: now.Add(48 * time.Hour), Phases: []ticketing.PricePhase{}, Capacity: plenty, SeatCategory: category,
	}
	session := ticketing.Session{
		ID: t.session, EventID: t.event, StartsAt: now.Add(72 * time.Hour), EndsAt: now.Add(75 * time.Hour), TicketTypes: []ticketing.TicketType{kind},
		Venue: ticketing.Venue{
			ID: "harbour-stadium", Name: text("Harbour Stadium", "海港体育场"), City: text("Shanghai", "上海"),
			Address: text("1 Quay Road", "码头路1号"), TimeZone: "Asia/Shanghai",
		},
	}
	if category != "" {
		hall := arenaMap()
		session.SeatMap = ticketing.SeatMapRef{ID: hall.ID, Version: hall.Version}
		session.TicketTypes[0].Capacity = 0 // as many as there are seats
	}
	return t, s.SeedCatalogue(ctx, ticketing.Event{
		ID: t.event, OrganiserID: "quay", Organiser: "Quay Concerts", Kind: ticketing.KindConcert,
		Title: text("Evening Concert", "傍晚音乐会"), Summary: text("Strings and piano.", "弦乐与钢琴。"), State: ticketing.EventOnSale,
		HoldFor: 15 * time.Minute, MaxPerOrder: 10, Sessions: []ticketing.Session{session},
	})
}

// ask asks for so many of the tickets, or for the seats that are named.
func (t tickets) ask(quantity int, seats ...string) ticketing.HoldRequest {
	now := time.Now()
	return ticketing.HoldRequest{
		OrderID: encryption.NewNumber(), EventID: t.event, SessionID: t.session, Fingerprint: "bench",
		Buyer: ticketing.Buyer{Name: "Ada Lovelace", Email: "ada@example.com", Phone: "+8613800138000", Language: "en"},
		Lines: []ticketing.Ask{{TicketTypeID: t.kind, Quantity: quantity, SeatIDs: seats}},
		At:    now, PayBy: now.Add(15 * time.Minute),
	}
}

// one asks for one ticket.
func (t tickets) one() ticketing.HoldRequest { return t.ask(1) }

// passwordless cuts the password out of a database's URL, for what shows in the list of processes.
func passwordless(address string) (without, password string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", err
	}
	password, _ = u.User.Password()
	u.User = url.User(u.User.Username())
	return u.String(), password, nil
}
