package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"github.com/boxoffice/boxoffice/payment"
	"github.com/boxoffice/boxoffice/workflows"
)

const (
	maxBody         = 64 << 10
	maxCallbackBody = 256 << 10
	maxHeader       = 16 << 10
	writeTimeout    = 30 * time.Second
	idleTimeout     = 75 * time.Second
)

// Config is what a Server is made of. Fields without a stated default are required.
type Config struct {
	// Address is where to listen, host:port; port 0 takes a free one.
	Address string
	// PublicURL is how gateways and browsers reach this server, without a trailing slash.
	PublicURL string

	Store     Store
	Payments  *payment.Registry
	Purchases Purchases
	Refunds   Refunds
	Deliverer Deliverer
	Identity  Identity
	// Carriers are those of messages who say later what became of them. Default none.
	Carriers []Carrier

	// Web is the built storefront. Nil serves none.
	Web fs.FS
	// Log receives the access log and every fault. Default slog.Default().
	Log *slog.Logger
	// Registry is where metrics are registered and what /metrics shows. Default a new one.
	Registry *prometheus.Registry

	// Policy is how long purchases wait for what; HoldFor is the event's where it has one.
	Policy workflows.PurchasePolicy
	// Load counts what buyers wait for. Default a new one, which nobody asks.
	Load *Load
	// Limiter decides which client address may submit another order. Nil allows all.
	Limiter Limiter
	// TrustedProxies are the networks whose X-Forwarded-For is believed. Default none.
	TrustedProxies []netip.Prefix
	// MaxStreams bounds the open event streams. Default 20,000.
	MaxStreams int
	// ReadTimeout bounds the arrival of a whole request. Default 15 s.
	ReadTimeout time.Duration
	// Heartbeat is how often an idle stream sends a comment. Default 15 s.
	Heartbeat time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Server answers HTTP. Make one with New, start it with Open, end it with Shutdown.
type Server struct {
	Config
	app        *fiber.App
	routes     []route
	catalogue  *catalogueCache
	stock      *stockCache
	seats      *seatCache
	rendered   *renderCache
	orders     *watcher
	submits    submits
	admission  *admission
	guesses    *guesses
	deliveries *deliveries
	site       *site
	metrics    *metrics
	readiness  readiness

	listener net.Listener
	served   chan error
	// done is closed when the server stops: streams and pollers end with it.
	done     chan struct{}
	stopping sync.Once
	streams  atomic.Int64
	pollers  sync.WaitGroup
}

// New makes a server that does not listen yet.
func New(c Config) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.Load == nil {
		c.Load = &Load{}
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = 20_000
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = 15 * time.Second
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = 15 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	s := &Server{Config: c, done: make(chan struct{}), served: make(chan error, 1)}
	s.metrics = newMetrics(c.Registry, c.Store)
	s.catalogue = newCatalogueCache(c.Store)
	s.stock = newStockCache(c.Store, s.catalogue, s.done, &s.pollers, c.Log)
	s.seats = newSeatCache(c.Store, s.catalogue, s.done, &s.pollers, c.Log)
	s.admission = newAdmission(s.stock)
	s.guesses = newGuesses()
	s.orders = newWatcher(orderPace, s.orderRevisions(), s.done, &s.pollers, c.Log)
	s.rendered = newRenderCache()
	s.deliveries = newDeliveries(c.Deliverer, c.Store, s.metrics, c.Load, s.done, &s.pollers, c.Log)
	var err error
	if s.site, err = newSite(c.Web); err != nil {
		return nil, fmt.Errorf("read the web application: %w", err)
	}
	s.app = s.newApp()
	return s, nil
}

// newApp configures Fiber and registers every route.
func (s *Server) newApp() *fiber.App {
	app := fiber.New(fiber.Config{
		// Strings from the context outlive their handler here: in caches, streams and logs.
		Immutable:             true,
		StrictRouting:         true,
		CaseSensitive:         true,
		DisableStartupMessage: true,
		BodyLimit:             maxBody,
		ReadBufferSize:        maxHeader,
		ReadTimeout:           s.ReadTimeout,
		IdleTimeout:           idleTimeout,
		// A multipart body would be unpacked into files before any handler could refuse it.
		DisablePreParseMultipartForm: true,
		ErrorHandler:                 s.parserFault,
	})
	app.Use(s.observe)
	s.register(app)
	app.Use(s.unrouted)

	// Limits that differ by route are set as soon as the header is known. Streams get no write
	// time-out here: they set one for each message.
	server := app.Server()
	server.HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		limits := fasthttp.RequestConfig{WriteTimeout: writeTimeout, MaxRequestBodySize: maxBody}
		if strings.HasPrefix(string(h.RequestURI()), CallbackPath) {
			limits.MaxRequestBodySize = maxCallbackBody
		}
		return limits
	}
	routed := app.Handler()
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		if err := wellFramed(&ctx.Request.Header); err != nil {
			c := app.AcquireCtx(ctx)
			defer app.ReleaseCtx(c)
			ctx.SetConnectionClose()
			_ = s.parserFault(c, err)
			return
		}
		routed(ctx)
	}
	return app
}

// route is one operation of the API, as the contract names it.
type route struct{ method, pattern string }

// Routes lists every operation as "GET /path/{parameter}", the way the contract names it.
func (s *Server) Routes() []string {
	named := make([]string, len(s.routes))
	for i, r := range s.routes {
		segments := strings.Split(r.pattern, "/")
		for j, segment := range segments {
			if strings.HasPrefix(segment, ":") {
				segments[j] = "{" + segment[1:] + "}"
			}
		}
		named[i] = r.method + " " + strings.Join(segments, "/")
	}
	return named
}

// CallbackPath starts the paths of gateway callbacks; a provider's name follows.
const CallbackPath = "/api/v1/callbacks/"

// ReceiptPath starts the paths of what carriers of messages say later; a carrier's name follows.
const ReceiptPath = "/api/v1/receipts/"

func (s *Server) register(app *fiber.App) {
	on := func(method, pattern string, handler fiber.Handler) {
		s.routes = append(s.routes, route{method, pattern})
		if method == http.MethodGet {
			app.Get(pattern, handler) // also answers HEAD
			return
		}
		app.Add(method, pattern, handler)
	}
	on(http.MethodGet, "/livez", s.live)
	on(http.MethodGet, "/readyz", s.ready)
	on(http.MethodGet, "/metrics", s.metrics.serve)
	on(http.MethodGet, "/api/openapi.yaml", s.contract)
	on(http.MethodGet, "/api/v1/events", s.listEvents)
	on(http.MethodGet, "/api/v1/events/:event_id", s.getEvent)
	on(http.MethodGet, "/api/v1/cities", s.listCities)
	on(http.MethodGet, "/api/v1/sessions/:session_id", s.getSession)
	on(http.MethodGet, "/api/v1/sessions/:session_id/availability", s.getAvailability)
	on(http.MethodGet, "/api/v1/sessions/:session_id/seat-map", s.getSeatMap)
	on(http.MethodGet, "/api/v1/sessions/:session_id/seats", s.getSeats)
	on(http.MethodPost, "/api/v1/quotes", s.quote)
	on(http.MethodPost, "/api/v1/orders", s.Load.counted(s.submitOrder))
	on(http.MethodGet, "/api/v1/orders/:order_id", s.getOrder)
	on(http.MethodGet, "/api/v1/orders/:order_id/events", s.getOrderEvents)
	on(http.MethodPost, "/api/v1/orders/:order_id/payments", s.Load.counted(s.startPayment))
	on(http.MethodPost, "/api/v1/orders/:order_id/cancel", s.cancelOrder)
	on(http.MethodPost, "/api/v1/orders/:order_id/refund-quotes", s.quoteRefund)
	on(http.MethodPost, "/api/v1/orders/:order_id/refunds", s.requestRefund)
	on(http.MethodPut, "/api/v1/orders/:order_id/tickets/:ticket_id/attendee", s.changeAttendee)
	on(http.MethodGet, "/api/v1/orders/:order_id/messages", s.getMessages)
	on(http.MethodPost, CallbackPath+":provider", s.Load.counted(s.callback))
	on(http.MethodPost, ReceiptPath+":carrier", s.receipt)
}

// unrouted answers what no route took: 405 where another method would do, the web application for
// pages, 404 for the rest.
func (s *Server) unrouted(c *fiber.Ctx) error {
	var allowed []string
	for _, r := range s.routes {
		if fiber.RoutePatternMatch(c.Path(), r.pattern, fiber.Config{StrictRouting: true, CaseSensitive: true}) {
			allowed = append(allowed, r.method)
			if r.method == http.MethodGet {
				allowed = append(allowed, http.MethodHead)
			}
		}
	}
	path := c.Path()
	page := path != "/api" && !strings.HasPrefix(path, "/api/")
	if len(allowed) == 0 && page {
		if c.Method() == http.MethodPost && strings.HasPrefix(path, orderPages) {
			return s.returned(c)
		}
		if c.Method() == http.MethodGet || c.Method() == http.MethodHead {
			return s.site.serve(c)
		}
		allowed = []string{http.MethodGet, http.MethodHead}
	}
	if len(allowed) > 0 {
		c.Set(fiber.HeaderAllow, strings.Join(allowed, ", "))
		return fiber.ErrMethodNotAllowed
	}
	return fiber.ErrNotFound
}

// orderPages starts the paths of the pages to which gateways send payers back.
const orderPages = "/orders/"

// returned answers a gateway that sends the payer's browser back by a form: the page is read as ever, and what
// the form says is believed by nobody.
func (s *Server) returned(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Redirect(string(c.Request().URI().RequestURI()), fiber.StatusSeeOther)
}

// Open listens, so that a busy port is an error here and now, and then serves in the background.
func (s *Server) Open() error {
	listener, err := net.Listen("tcp", s.Address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.Address, err)
	}
	s.listener = listener
	go func() {
		err := s.app.Listener(listener)
		if s.stopped() {
			err = nil
		}
		s.served <- err
	}()
	return nil
}

// Addr is the address the server listens on; only after Open.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Err delivers the error, or nil, with which serving ended.
func (s *Server) Err() <-chan error { return s.served }

// Shutdown stops taking connections, ends every stream, and waits for the requests under way until
// ctx is done. It may be called more than once, and before Open.
func (s *Server) Shutdown(ctx context.Context) error {
	var err error
	s.stopping.Do(func() {
		close(s.done)
		s.stock.watch.settle()
		s.seats.watch.settle()
		s.orders.settle()
		s.deliveries.settle()
		if s.listener != nil {
			err = s.app.ShutdownWithContext(ctx)
			// Should serving not have begun yet, it finds nothing to serve.
			_ = s.listener.Close()
		}
	})
	idle := make(chan struct{})
	go func() { s.pollers.Wait(); close(idle) }()
	select {
	case <-idle:
		return err
	case <-ctx.Done():
		return errors.Join(err, ctx.Err())
	}
}

// stopped says whether Shutdown has been called.
func (s *Server) stopped() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}
