package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/workflows"
)

// runReconcile compares gateways' bills of a day with our books now, and prints what came of it.
func runReconcile(ctx context.Context, cfg config.Config, log *slog.Logger, arguments []string) error {
	flags := flag.NewFlagSet("boxoffice reconcile", flag.ContinueOnError)
	provider := flags.String("provider", "", "whose bill; every gateway's if it is not given")
	date := flags.String("day", "", "which day of the gateway's calendar, YYYY-MM-DD; the day before today if it is not given")
	wait := flags.Duration("wait", 0, "how long to wait for a bill that is not there yet")
	if err := parse(flags, arguments); err != nil || flags.NArg() > 0 {
		return misused(flags, err)
	}
	if _, err := ticketing.NewBillDay(*date, time.UTC); err != nil && *date != "" {
		return misused(flags, fmt.Errorf("-day: %w", err))
	}
	c, err := connect(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer c.close()
	calendars := c.calendars()
	providers := slices.Sorted(maps.Keys(calendars))
	if *provider != "" {
		if _, known := calendars[*provider]; !known {
			return misused(flags, fmt.Errorf("-provider: no gateway %q is configured, only %s", *provider, strings.Join(providers, ", ")))
		}
		providers = []string{*provider}
	}
	for _, name := range providers {
		day := *date
		if day == "" {
			day = ticketing.DayOf(time.Now(), calendars[name]).Previous().Date
		}
		if err := c.reconcile(ctx, workflows.ReconciliationInput{Provider: name, Day: day, Patience: *wait}); err != nil {
			return err
		}
	}
	return nil
}

// reconcile compares one day of one gateway and prints a line about it, and one for each open case.
func (c *connections) reconcile(ctx context.Context, in workflows.ReconciliationInput) error {
	run, err := workflows.StartReconciliation(ctx, c.temporal, in)
	if err != nil {
		return err
	}
	var result workflows.ReconciliationResult
	if err := run.Get(ctx, &result); err != nil {
		return err
	}
	fmt.Printf("%s %s: bill %s, %d of %d lines agree, %d payments recorded, %d open cases\n", in.Provider, in.Day,
		strings.ToLower(string(result.State)), result.Report.Matched, result.Report.Lines, result.Recorded, result.Report.OpenCases)
	cases, err := c.store.Cases(ctx, ticketing.CaseFilter{Provider: in.Provider, Day: in.Day})
	if err != nil {
		return err
	}
	return printCases(cases)
}

// runCases lists what waits for a person, or notes that somebody has settled it.
func runCases(ctx context.Context, cfg config.Config, _ *slog.Logger, arguments []string) error {
	command, arguments := commandOf(arguments, "list")
	flags := flag.NewFlagSet("boxoffice cases "+command, flag.ContinueOnError)
	switch command {
	case "list":
		all := flags.Bool("all", false, "also those that are resolved")
		kind := flags.String("kind", "", "only of this kind, such as bill_short, refund_failed, dispute")
		provider := flags.String("provider", "", "only of this gateway")
		limit := positive(flags, "limit", 100, "how many at most, newest first")
		if err := parse(flags, arguments); err != nil || flags.NArg() > 0 {
			return misused(flags, err)
		}
		return withStore(ctx, cfg, func(s *store.Store) error {
			cases, err := s.Cases(ctx, ticketing.CaseFilter{
				Resolved: *all, Kind: ticketing.CaseKind(*kind), Provider: *provider, Limit: *limit,
			})
			if err != nil {
				return err
			}
			return printCases(cases)
		})
	case "resolve":
		if len(arguments) < 2 {
			return misused(flags, errors.New("boxoffice cases resolve ID NOTE: the note says how it was settled"))
		}
		return withStore(ctx, cfg, func(s *store.Store) error {
			resolved, err := s.ResolveCase(ctx, arguments[0], strings.Join(arguments[1:], " "))
			if err != nil {
				return err
			}
			return printCases([]ticketing.Case{resolved})
		})
	default:
		return misused(flags, fmt.Errorf("boxoffice cases: no such command %q, only list and resolve", command))
	}
}

func printCases(cases []ticketing.Case) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, c := range cases {
		detail, err := json.Marshal(c.Detail)
		if err != nil {
			return err
		}
		state := string(c.State)
		if c.State == ticketing.CaseResolved {
			state = fmt.Sprintf("%s (%s) %s", c.State, c.Resolution, c.Note)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, c.OpenedAt.Format(time.RFC3339), c.Kind, c.Provider, c.Day, c.Reference, detail, state)
	}
	return w.Flush()
}
