package api

import (
	"context"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
)

// instant is a time as the API writes it: RFC 3339 in UTC, to the millisecond, which every part
// that keeps times can hold exactly.
type instant time.Time

// MarshalText implements encoding.TextMarshaler.
func (i instant) MarshalText() ([]byte, error) {
	return time.Time(i).UTC().Truncate(time.Millisecond).AppendFormat(nil, time.RFC3339Nano), nil
}

// IsZero says whether there is a time at all.
func (i instant) IsZero() bool { return time.Time(i).IsZero() }

// sendJSON answers with v. What is sent this way is somebody's own and not for caches.
func sendJSON(c *fiber.Ctx, status int, v any) error {
	body, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	c.Status(status)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Response().SetBodyRaw(body)
	return nil
}

func pageOf(v any) (page, error) {
	body, err := json.Marshal(v, json.Deterministic(true))
	return page{body: body}, err
}

// sendPage answers a public read from the cache of rendered answers, or 304 where the caller has it.
// The rendering is shared between callers and therefore bounded by itself, not by any of them.
func (s *Server) sendPage(c *fiber.Ctx, key string, render func(context.Context) (page, error)) error {
	p, err := s.rendered.get(key, func() (page, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*loadTimeout)
		defer cancel()
		return render(ctx)
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderETag, p.etag)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderVary, fiber.HeaderAccept)
	if matches(c.Get(fiber.HeaderIfNoneMatch), p.etag) {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	c.Response().SetBodyRaw(p.body)
	return nil
}

// matches compares tags weakly, as If-None-Match does.
func matches(ifNoneMatch, etag string) bool {
	if ifNoneMatch == "" {
		return false
	}
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}
