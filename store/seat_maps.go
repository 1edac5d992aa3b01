package store

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// ImportSeatMap keeps a version of a seat map. Repeated with the same map it changes nothing. Errors: seating.MapErrors
// for a map that is not sound, CodeConflict when this version of it is there and differs.
func (s *Store) ImportSeatMap(ctx context.Context, m seating.Map) error {
	if err := m.Validate(); err != nil {
		return err
	}
	document, err := m.Document()
	if err != nil {
		return err
	}
	return s.retry(ctx, "import a seat map", func(ctx context.Context) error {
		var same bool
		batch := &pgx.Batch{}
		batch.Queue("INSERT INTO seat_maps (id, version, document, seats) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			m.ID, m.Version, document, seating.NewPlan(m).Counts())
		batch.Queue("SELECT document = $3::jsonb FROM seat_maps WHERE id = $1 AND version = $2", m.ID, m.Version, document).
			QueryRow(func(row pgx.Row) error { return row.Scan(&same) })
		if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		if !same {
			return ticketing.Errorf(ticketing.CodeConflict, "version %d of seat map %s is there and differs; a new version has a new number", m.Version, m.ID)
		}
		return nil
	})
}

// SeatMap returns a version of a seat map, ready for giving seats away. Error: CodeNotFound.
func (s *Store) SeatMap(ctx context.Context, ref ticketing.SeatMapRef) (*seating.Plan, error) {
	if plan, ok := s.plans.get(ref); ok {
		return plan, nil
	}
	var document []byte
	err := s.retry(ctx, "read a seat map", func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, "SELECT document FROM seat_maps WHERE id = $1 AND version = $2", ref.ID, ref.Version).Scan(&document)
	})
	if err != nil {
		return nil, err
	}
	m, err := seating.Parse(document)
	if err != nil {
		return nil, err
	}
	plan := seating.NewPlan(m)
	s.plans.put(ref, plan)
	return plan, nil
}

// maxPlans bounds the cache; the largest map takes some 20 MB.
const maxPlans = 50

// plans remembers seat maps, which never change.
type plans struct {
	mutex sync.RWMutex
	byRef map[ticketing.SeatMapRef]*seating.Plan
}

func (c *plans) get(ref ticketing.SeatMapRef) (*seating.Plan, bool) {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	plan, ok := c.byRef[ref]
	return plan, ok
}

func (c *plans) put(ref ticketing.SeatMapRef, plan *seating.Plan) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.byRef == nil || len(c.byRef) >= maxPlans {
		c.byRef = map[ticketing.SeatMapRef]*seating.Plan{}
	}
	c.byRef[ref] = plan
}
