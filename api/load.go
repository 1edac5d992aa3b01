package api

import (
	"runtime"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
)

// busyFrom is how much must be waited for at once for a process to be busy: more than its processors can be at work on.
var busyFrom = int64(2 * runtime.GOMAXPROCS(0))

// Load counts what is waited for in this process: orders being placed, payments being begun, callbacks being kept, and captured
// money on its way to its purchase. What can be done a moment later gives way while it is busy.
type Load struct{ waited atomic.Int64 }

// Busy says whether buyers keep the process busy.
func (l *Load) Busy() bool { return l.waited.Load() >= busyFrom }

func (l *Load) begin() { l.waited.Add(1) }
func (l *Load) end()   { l.waited.Add(-1) }

// counted makes a handler one whose answer is waited for.
func (l *Load) counted(handler fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		l.begin()
		defer l.end()
		return handler(c)
	}
}
