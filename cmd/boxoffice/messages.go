package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
)

// runMessages lists what buyers were told, or has a message sent again.
func runMessages(ctx context.Context, cfg config.Config, _ *slog.Logger, arguments []string) error {
	command, arguments := commandOf(arguments, "list")
	flags := flag.NewFlagSet("boxoffice messages "+command, flag.ContinueOnError)
	switch command {
	case "list":
		order := flags.String("order", "", "only those of an order")
		state := flags.String("state", "", "only those in a state: WAITING, SENDING, SENT, DELIVERED, UNDELIVERED, FAILED, UNSURE or DROPPED")
		limit := positive(flags, "limit", 100, "how many at most, newest first")
		if err := parse(flags, arguments); err != nil || flags.NArg() > 0 {
			return misused(flags, err)
		}
		return withStore(ctx, cfg, func(s *store.Store) error {
			messages, err := s.FindMessages(ctx, ticketing.MessageFilter{OrderID: *order, State: ticketing.MessageState(strings.ToUpper(*state)), Limit: *limit})
			if err != nil {
				return err
			}
			return printMessages(messages)
		})
	case "resend":
		if len(arguments) != 1 {
			return misused(flags, errors.New("boxoffice messages resend ID"))
		}
		return withStore(ctx, cfg, func(s *store.Store) error {
			if err := s.ResendMessage(ctx, arguments[0]); err != nil {
				return err
			}
			fmt.Printf("%s is sent again\n", arguments[0])
			return nil
		})
	default:
		return misused(flags, fmt.Errorf("boxoffice messages: no such command %q, only list and resend", command))
	}
}

func printMessages(messages []ticketing.Message) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, m := range messages {
		sent := "-"
		if m.SentAt != nil {
			sent = m.SentAt.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d tries\t%s\t%s\t%s\n", m.ID, m.CreatedAt.Format(time.RFC3339), m.OrderID, m.Kind, m.Channel, m.State,
			m.Tries, sent, m.Carrier, m.Problem)
	}
	return w.Flush()
}
