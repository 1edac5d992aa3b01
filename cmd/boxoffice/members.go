package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
)

// runMembers lists organisers' programmes and their levels, or sets the terms of one.
func runMembers(ctx context.Context, cfg config.Config, _ *slog.Logger, arguments []string) error {
	command, arguments := commandOf(arguments, "")
	switch {
	case command == "list" && len(arguments) == 0:
		return withStore(ctx, cfg, func(s *store.Store) error {
			programmes, err := s.Programmes(ctx)
			if err != nil {
				return err
			}
			return printProgrammes(programmes)
		})
	case command == "put" && len(arguments) == 1:
		programme, err := readTerms[ticketing.Programme](arguments[0])
		if err != nil {
			return err
		}
		return withStore(ctx, cfg, func(s *store.Store) error { return s.PutProgramme(ctx, programme) })
	default:
		return misused(flag.NewFlagSet("boxoffice members "+command, flag.ContinueOnError), errors.New(`boxoffice members list | put FILE
the file holds an organiser's programme in JSON; points that were made before stay as they are`))
	}
}

func printProgrammes(programmes []ticketing.ProgrammeCount) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, p := range programmes {
		fmt.Fprintf(w, "%s\t%s\t%s\ta point for %d %s\t%d members\t%d points\n", p.ID, p.OrganiserID, p.Name["en"], p.SpendPerPoint, p.Currency, p.Members, p.Points)
		for _, l := range p.Levels {
			fmt.Fprintf(w, "  from %d points\t%s\t\t%d basis points off\t%d hours earlier\t%d tickets more\n",
				l.Points, l.Name["en"], l.DiscountBasisPoints, l.LeadHours, l.ExtraTickets)
		}
	}
	return w.Flush()
}
