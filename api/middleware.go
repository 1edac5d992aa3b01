package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/boxoffice/boxoffice/ticketing"
)

const (
	headerRequestID = "X-Request-Id"
	localRequestID  = "request_id"
	localOrderID    = "order_id"
)

// contentPolicy allows the web application its own files and nothing else. Element Plus sets
// inline styles; QR codes are drawn as data: images. Forms go to gateways, too: browsers hold a form to this
// wherever it is redirected, and through which hosts a gateway sends its payers is known to nobody but itself.
const contentPolicy = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; " +
	"object-src 'none'; base-uri 'self'; frame-ancestors 'none'; form-action 'self' https:"

// observe surrounds every handler: request id, security headers, faults to problems, panics to 500,
// access log and duration.
func (s *Server) observe(c *fiber.Ctx) (err error) {
	begun := time.Now()
	requestID := requestIDOf(c)
	c.Locals(localRequestID, requestID)
	s.secure(c, requestID)
	defer func() {
		if p := recover(); p != nil {
			s.metrics.panics.Inc()
			s.Log.Error("handler panicked", "request_id", requestID, "route", routeOf(c),
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			sendProblem(c, faultOf(fmt.Errorf("panic: %v", p)), requestID)
			err = nil
		}
		s.account(c, routeOf(c), begun)
	}()
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && encoding != "identity" {
		err = ticketing.Errorf(codeEncodingRefused, "send the body as it is, without Content-Encoding")
	} else {
		err = c.Next()
	}
	if err != nil {
		s.fail(c, err, requestID)
	}
	return nil
}

// fail answers err and logs what is our fault.
func (s *Server) fail(c *fiber.Ctx, err error, requestID string) {
	f := faultOf(err)
	if status := f.statusOf(); status >= 500 {
		s.Log.Error("request failed", "request_id", requestID, "route", routeOf(c), "status", status,
			"code", f.Code, "order_id", orderOf(c), "error", f.cause)
	}
	sendProblem(c, f, requestID)
}

// parserFault answers requests that never reached a handler: badly formed, too large, too slow.
func (s *Server) parserFault(c *fiber.Ctx, err error) error {
	begun := time.Now()
	requestID := requestIDOf(c)
	s.secure(c, requestID)
	s.fail(c, err, requestID)
	s.account(c, otherRoute, begun)
	return nil
}

// secure sets the headers every answer has.
func (s *Server) secure(c *fiber.Ctx, requestID string) {
	c.Set(headerRequestID, requestID)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	policy := contentPolicy
	if strings.HasPrefix(s.PublicURL, "http://") {
		policy += " http:" // a developer's machine, and so is the gateway's
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	// An order's page has its token in the fragment; its address is nobody else's business either.
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	if strings.HasPrefix(s.PublicURL, "https://") {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000; includeSubDomains")
	}
}

// account writes the access log and the duration. The path is logged as its pattern: what is in it
// is either the order's id, named apart, or of no interest.
func (s *Server) account(c *fiber.Ctx, route string, begun time.Time) {
	took := time.Since(begun)
	status := c.Response().StatusCode()
	method := c.Method()
	if methodUnknown([]byte(method)) {
		method = "?"
	}
	s.metrics.duration.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
	level := slog.LevelInfo
	if route == "/livez" || route == "/readyz" || route == "/metrics" {
		level = slog.LevelDebug
	}
	if !s.Log.Enabled(context.Background(), level) {
		return
	}
	attributes := []slog.Attr{
		slog.String("method", method), slog.String("route", route), slog.Int("status", status),
		slog.Duration("took", took), slog.String("request_id", string(c.Response().Header.Peek(headerRequestID))),
	}
	if id := orderOf(c); id != "" {
		attributes = append(attributes, slog.String("order_id", id))
	}
	s.Log.LogAttrs(context.Background(), level, "request", attributes...)
}

// otherRoute stands for every path that is no operation of the API.
const otherRoute = "other"

// routeOf is the pattern a request matched: from a small fixed set, so that it can be a label.
func routeOf(c *fiber.Ctx) string {
	if r := c.Route(); r != nil && r.Path != "" && r.Path != "/" {
		return r.Path
	}
	return otherRoute
}

// aboutOrder notes the order a request is about, for the log.
func aboutOrder(c *fiber.Ctx, orderID string) { c.Locals(localOrderID, orderID) }

func orderOf(c *fiber.Ctx) string {
	id, _ := c.Locals(localOrderID).(string)
	return id
}

// requestIDOf takes over a well-formed id from the caller, else makes one.
func requestIDOf(c *fiber.Ctx) string {
	id := c.Get(headerRequestID)
	if len(id) < 8 || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	}) {
		return rand.Text()
	}
	return id
}

// wellFramed refuses requests about whose end two servers could disagree, the raw material of
// request smuggling: both a length and chunks, or a transfer coding other than chunked. The parser
// below tolerates these.
func wellFramed(h *fasthttp.RequestHeader) error {
	if methodUnknown(h.Method()) {
		return fiber.NewError(fiber.StatusBadRequest, "unknown method")
	}
	raw := h.RawHeaders()
	coding, chunked := headerLine(raw, "transfer-encoding")
	if !coding {
		return nil
	}
	if length, _ := headerLine(raw, "content-length"); length || !strings.EqualFold(chunked, "chunked") {
		return fiber.NewError(fiber.StatusBadRequest, "ambiguous length")
	}
	return nil
}

// headerLine finds a header by its lower-case name in raw header bytes.
func headerLine(raw []byte, name string) (found bool, value string) {
	for line := range bytes.Lines(raw) {
		if len(line) > len(name) && line[len(name)] == ':' && strings.EqualFold(string(line[:len(name)]), name) {
			return true, string(bytes.TrimSpace(line[len(name)+1:]))
		}
	}
	return false, ""
}

func methodUnknown(method []byte) bool {
	switch string(method) {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodPost, fiber.MethodPut, fiber.MethodDelete,
		fiber.MethodConnect, fiber.MethodOptions, fiber.MethodTrace, fiber.MethodPatch:
		return false
	}
	return true
}

// clientAddress is whom a request comes from. A proxy is believed only where it was named: then
// the last address in X-Forwarded-For that no trusted proxy has.
func (s *Server) clientAddress(c *fiber.Ctx) netip.Addr {
	remote, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	remote = remote.Unmap()
	if !s.trusted(remote) {
		return remote
	}
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for _, hop := range slices.Backward(hops) {
		hop, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		remote = hop.Unmap()
		if !s.trusted(remote) {
			break
		}
	}
	return remote
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
