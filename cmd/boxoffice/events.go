package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
)

// runEvents lists events, shows one with its history, or moves it from draft to sale and on.
func runEvents(ctx context.Context, cfg config.Config, _ *slog.Logger, arguments []string) error {
	command, arguments := commandOf(arguments, "list")
	flags := flag.NewFlagSet("boxoffice events "+command, flag.ContinueOnError)
	switch command {
	case "list":
		state := flags.String("state", "", "only those in a state: "+stateNames())
		text := flags.String("q", "", "only those with these words in their id or a title")
		limit := positive(flags, "limit", 100, "how many at most, soonest first")
		if err := parse(flags, arguments); err != nil || flags.NArg() > 0 {
			return misused(flags, err)
		}
		filter := ticketing.EventRecordFilter{Text: *text, Limit: *limit}
		if *state != "" {
			var err error
			if filter.State, err = readState(*state); err != nil {
				return misused(flags, err)
			}
		}
		return withStore(ctx, cfg, func(s *store.Store) error { return listEvents(ctx, s, filter) })
	case "show":
		if len(arguments) != 1 {
			return misused(flags, errors.New("boxoffice events show ID"))
		}
		return withStore(ctx, cfg, func(s *store.Store) error { return showEvent(ctx, s, arguments[0]) })
	case "move":
		by := flags.String("by", "", "who moves it; whoever runs the command if empty")
		err := parse(flags, arguments)
		if err != nil || flags.NArg() < 3 {
			return misused(flags, cmp.Or(err, errors.New("boxoffice events move [-by NAME] ID STATE REASON")))
		}
		to, err := readState(flags.Arg(1))
		if err != nil {
			return misused(flags, err)
		}
		if *by == "" {
			me, err := user.Current()
			if err != nil {
				return fmt.Errorf("who are you? say so with -by: %w", err)
			}
			*by = me.Username
		}
		return withStore(ctx, cfg, func(s *store.Store) error {
			if err := s.MoveEvent(ctx, flags.Arg(0), to, *by, strings.Join(flags.Args()[2:], " ")); err != nil {
				return err
			}
			return showEvent(ctx, s, flags.Arg(0))
		})
	default:
		return misused(flags, fmt.Errorf("boxoffice events: no such command %q, only list, show and move", command))
	}
}

func stateNames() string {
	names := make([]string, len(ticketing.EventStates))
	for i, s := range ticketing.EventStates {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

// readState reads a state in any case, with a dash, a blank or an underscore between its words.
func readState(text string) (ticketing.EventState, error) {
	state := ticketing.EventState(strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToUpper(text)))
	if !slices.Contains(ticketing.EventStates, state) {
		return "", fmt.Errorf("%q is no state of an event; the states are %s", text, stateNames())
	}
	return state, nil
}

func listEvents(ctx context.Context, s *store.Store, filter ticketing.EventRecordFilter) error {
	records, err := s.EventRecords(ctx, filter)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, e := range records {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d sold, %d held, %d free\t%s\n", e.ID, e.State, e.Kind, day(e.FirstAt), e.Sold, e.Held, e.Free, e.Title["en"])
	}
	return w.Flush()
}

func day(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

// showEvent prints an event, where it may go from here, and how it came here.
func showEvent(ctx context.Context, s *store.Store, id string) error {
	records, err := s.EventRecords(ctx, ticketing.EventRecordFilter{ID: id, Limit: 1})
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return ticketing.Errorf(ticketing.CodeNotFound, "there is no event %q", id)
	}
	history, err := s.EventHistory(ctx, id)
	if err != nil {
		return err
	}
	e := records[0]
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "event\t%s\n", e.ID)
	fmt.Fprintf(w, "title\t%s | %s\n", e.Title["en"], e.Title["zh-CN"])
	fmt.Fprintf(w, "organiser\t%s\n", e.Organiser)
	fmt.Fprintf(w, "kind\t%s\n", e.Kind)
	fmt.Fprintf(w, "state\t%s\n", e.State)
	fmt.Fprintf(w, "can become\t%s\n", e.State.Next())
	fmt.Fprintf(w, "sessions\t%d, from %s to %s\n", e.Sessions, day(e.FirstAt), day(e.LastAt))
	fmt.Fprintf(w, "tickets\t%d sold, %d held, %d free\n", e.Sold, e.Held, e.Free)
	for _, m := range history {
		fmt.Fprintf(w, "%s\t%s to %s by %s: %s\n", m.At.Format(time.RFC3339), m.From, m.To, m.By, m.Reason)
	}
	return w.Flush()
}
