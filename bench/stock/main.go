package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/boxoffice/boxoffice/bench/figures"
)

type options struct {
	parts  string
	turns  int
	settle time.Duration
	window time.Duration
	watch  time.Duration
	write  string
	// enforce makes a bar that is missed an error.
	enforce bool
	serve   bool
}

// The markers in the document between which the results of each part are written.
const (
	beginMarker = "<!-- %[1]s: written by `go run ./bench/stock -write docs/performance.md` -->"
	endMarker   = "<!-- end of %[1]s -->"
)

// part is one of the things measured.
type part struct {
	name    string
	measure func(context.Context, *scene, options) (result, error)
}

// result is what a part has measured: as Markdown, and which bars it misses.
type result interface {
	fmt.Stringer
	missed() []string
}

var parts = []part{{"seats", measureSeats}, {"hot", measureHot}, {"locks", measureLocks}, {"streams", measureStreams}}

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "stock:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	work := run
	if o.serve {
		work = serve
	}
	if err := work(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "stock:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func parse(arguments []string) (options, error) {
	flags := flag.NewFlagSet("stock", flag.ExitOnError)
	var o options
	flags.StringVar(&o.parts, "parts", "seats,hot,locks,streams", "what to measure, a list")
	flags.IntVar(&o.turns, "turns", 4, "how often each has its turn; even, so that both orders are played equally often")
	flags.DurationVar(&o.settle, "settle", 500*time.Millisecond, "how long buyers buy before it counts")
	flags.DurationVar(&o.window, "window", 2*time.Second, "how long it counts")
	flags.DurationVar(&o.watch, "watch", 10*time.Second, "how long viewers watch")
	flags.StringVar(&o.write, "write", "", "document to write the results into, between their markers")
	flags.BoolVar(&o.enforce, "enforce", false, "fail when a bar is missed")
	flags.BoolVar(&o.serve, "serve", false, "be the server of the streams; for the benchmark itself")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if o.turns < 1 || o.window <= 0 || o.settle < 0 || o.watch <= 0 {
		return o, errors.New("-turns, -window and -watch must be positive")
	}
	return o, nil
}

func run(ctx context.Context, o options) error {
	s, err := open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	var missed []string
	for _, part := range parts {
		if !strings.Contains(","+o.parts+",", ","+part.name+",") {
			continue
		}
		begun := time.Now()
		result, err := part.measure(ctx, s, o)
		if err == nil {
			err = s.check(ctx)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		text := fmt.Sprintf("Measured on %s, %s.\n%s", figures.Machine(begun), s.version, result)
		fmt.Println(text)
		missed = append(missed, result.missed()...)
		if o.write == "" {
			continue
		}
		if err := figures.Write(o.write, fmt.Sprintf(beginMarker, part.name), fmt.Sprintf(endMarker, part.name), text); err != nil {
			return err
		}
	}
	if o.enforce && missed != nil {
		return errors.New(strings.Join(missed, "; "))
	}
	return nil
}
