package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
)

// runSeats keeps seat maps, and keeps seats back for organisers.
func runSeats(ctx context.Context, cfg config.Config, _ *slog.Logger, arguments []string) error {
	command, arguments := commandOf(arguments, "")
	flags := flag.NewFlagSet("boxoffice seats "+command, flag.ContinueOnError)
	var run func(context.Context, *store.Store) error
	switch {
	case command == "import" && len(arguments) == 1:
		text, err := os.ReadFile(arguments[0])
		if err != nil {
			return err
		}
		m, err := seating.Parse(text)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return errors.New("the seat map is not right")
		}
		run = func(ctx context.Context, s *store.Store) error { return s.ImportSeatMap(ctx, m) }
	case command == "export" && len(arguments) == 2:
		version, err := strconv.Atoi(arguments[1])
		if err != nil {
			return misused(flags, fmt.Errorf("%q is no version", arguments[1]))
		}
		run = func(ctx context.Context, s *store.Store) error {
			return exportSeatMap(ctx, s, ticketing.SeatMapRef{ID: arguments[0], Version: version})
		}
	case command == "block" && len(arguments) >= 3:
		run = func(ctx context.Context, s *store.Store) error {
			return s.BlockSeats(ctx, arguments[0], arguments[2:], arguments[1])
		}
	case command == "release" && len(arguments) >= 2:
		run = func(ctx context.Context, s *store.Store) error {
			return s.UnblockSeats(ctx, arguments[0], arguments[1:])
		}
	default:
		return misused(flags, errors.New(`boxoffice seats import FILE | export MAP VERSION | block SESSION NOTE SEAT… | release SESSION SEAT…
a seat is section/row/seat; the note says what blocked seats are for`))
	}
	return withStore(ctx, cfg, func(s *store.Store) error {
		err := run(ctx, s)
		if refused, ok := errors.AsType[*ticketing.Error](err); ok && refused.Seats != nil {
			return fmt.Errorf("%w: %v", err, refused.Seats.Taken)
		}
		return err
	})
}

func exportSeatMap(ctx context.Context, s *store.Store, ref ticketing.SeatMapRef) error {
	plan, err := s.SeatMap(ctx, ref)
	if err != nil {
		return err
	}
	document, err := plan.Map.Document()
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(document, '\n'))
	return err
}
