package api

import (
	"context"
	_ "embed"
	"errors"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

//go:embed openapi.yaml
var openapi []byte

// Contract returns openapi.yaml.
func Contract() []byte { return openapi }

// contract answers GET /api/openapi.yaml.
func (s *Server) contract(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/yaml")
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Response().SetBodyRaw(openapi)
	return nil
}

type healthView struct {
	Status   string `json:"status"`
	Database string `json:"database,omitzero"`
	Temporal string `json:"temporal,omitzero"`
}

// live answers GET /livez: the process serves.
func (s *Server) live(c *fiber.Ctx) error {
	return sendJSON(c, fiber.StatusOK, healthView{Status: "ok"})
}

// readiness remembers the last look, so that asking often costs nothing.
type readiness struct {
	mu       sync.Mutex
	at       time.Time
	database error
	temporal error
	// begun says that Temporal has answered once.
	begun bool
}

// readyFresh is how long one look counts.
const readyFresh = 500 * time.Millisecond

var errStopping = errors.New("the server is stopping")

// ready answers GET /readyz: the process should be sent requests. That needs the database. Temporal
// has to answer once; when it is lost later, callbacks must still come here to be kept.
func (s *Server) ready(c *fiber.Ctx) error {
	if s.stopped() {
		return unavailable(errStopping)
	}
	r := &s.readiness
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.at) > readyFresh {
		ctx, cancel := context.WithTimeout(context.Background(), loadTimeout)
		defer cancel()
		r.database = s.Store.Ping(ctx)
		r.temporal = s.Purchases.Ready(ctx)
		r.begun = r.begun || r.temporal == nil
		r.at = time.Now()
	}
	if r.database != nil || !r.begun {
		return unavailable(errors.Join(r.database, r.temporal))
	}
	v := healthView{Status: "ready", Database: "ok", Temporal: "ok"}
	if r.temporal != nil {
		v.Temporal = "unavailable"
	}
	return sendJSON(c, fiber.StatusOK, v)
}
