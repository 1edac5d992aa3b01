package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/boxoffice/boxoffice/config"
	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/ticketing"
)

// codeLength makes codes of 60 random bits, which nobody guesses and a person can type.
const codeLength = 12

// maxCodes bounds how many vouchers are made at once, in one transaction.
const maxCodes = 10_000

func newCode() string { return encryption.NewNumber()[:codeLength] }

// How codes are made, for whoever asked otherwise.
var (
	errVouchers = errors.New(`boxoffice vouchers list [ORGANISER] | create [-code CODE | -count N] FILE
the file holds the terms in JSON; a line "id,code" is printed for every voucher, and the code cannot be read again later`)
	errPresales = errors.New("boxoffice presales open [-code CODE] FROM UNTIL TYPE…\ntimes are as 2026-05-01T10:00:00+08:00")
)

// runVouchers lists vouchers, or makes them and prints their codes, which are not kept anywhere in the clear.
func runVouchers(ctx context.Context, cfg config.Config, _ *slog.Logger, arguments []string) error {
	command, arguments := commandOf(arguments, "")
	flags := flag.NewFlagSet("boxoffice vouchers "+command, flag.ContinueOnError)
	switch {
	case command == "list" && len(arguments) <= 1:
		return withStore(ctx, cfg, func(s *store.Store) error {
			vouchers, err := s.Vouchers(ctx, append(arguments, "")[0])
			if err != nil {
				return err
			}
			return printVouchers(vouchers)
		})
	case command == "create":
		code := flags.String("code", "", "the code; without one it is made")
		count := positive(flags, "count", 1, "how many vouchers are made with these terms, each with a code of its own")
		if err := parse(flags, arguments); err != nil || flags.NArg() != 1 || *count > maxCodes || *code != "" && *count > 1 {
			return misused(flags, cmp.Or(err, errVouchers))
		}
		terms, err := readTerms[ticketing.Voucher](flags.Arg(0))
		if err != nil {
			return err
		}
		vouchers, codes := series(terms, *count, *code)
		return withStore(ctx, cfg, func(s *store.Store) error {
			if err := s.PutVouchers(ctx, vouchers, codes); err != nil {
				return err
			}
			for i, v := range vouchers {
				fmt.Printf("%s,%s\n", v.ID, codes[i])
			}
			return nil
		})
	default:
		return misused(flags, errVouchers)
	}
}

// readTerms reads the terms of a voucher or of a programme. What there is no word for is a mistake.
func readTerms[T any](file string) (terms T, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return terms, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&terms); err != nil {
		return terms, fmt.Errorf("%s: %w", file, err)
	}
	return terms, nil
}

// series makes vouchers with the same terms.
func series(terms ticketing.Voucher, count int, code string) (vouchers []ticketing.Voucher, codes []string) {
	for n := range count {
		v := terms
		if count > 1 {
			v.ID += "-" + strconv.Itoa(n+1)
		}
		vouchers, codes = append(vouchers, v), append(codes, cmp.Or(code, newCode()))
	}
	return vouchers, codes
}

func printVouchers(vouchers []ticketing.Voucher) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, v := range vouchers {
		uses := strconv.Itoa(v.Uses)
		if v.MaxUses > 0 {
			uses += " of " + strconv.Itoa(v.MaxUses)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d %s\tused %s\t%s\t%s\t%s\n", v.ID, v.OrganiserID, v.Kind, v.Value, v.Currency, uses,
			v.From.Format(time.RFC3339), v.Until.Format(time.RFC3339), v.Name["en"])
	}
	return w.Flush()
}

// runPresales opens ticket types before their sale to whoever has a code, and prints the code.
func runPresales(ctx context.Context, cfg config.Config, _ *slog.Logger, arguments []string) error {
	flags := flag.NewFlagSet("boxoffice presales open", flag.ContinueOnError)
	code := flags.String("code", "", "the code; without one it is made")
	if len(arguments) == 0 || arguments[0] != "open" {
		return misused(flags, errPresales)
	}
	if err := parse(flags, arguments[1:]); err != nil || flags.NArg() < 3 {
		return misused(flags, cmp.Or(err, errPresales))
	}
	from, err := time.Parse(time.RFC3339, flags.Arg(0))
	until, err2 := time.Parse(time.RFC3339, flags.Arg(1))
	if err := cmp.Or(err, err2); err != nil {
		return misused(flags, err)
	}
	var presales []ticketing.Presale
	for _, id := range flags.Args()[2:] {
		presales = append(presales, ticketing.Presale{TicketTypeID: id, From: from, Until: until})
	}
	opened := cmp.Or(*code, newCode())
	return withStore(ctx, cfg, func(s *store.Store) error {
		if err := s.PutPresales(ctx, opened, presales...); err != nil {
			return err
		}
		fmt.Println(opened)
		return nil
	})
}
