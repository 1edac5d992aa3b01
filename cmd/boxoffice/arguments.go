package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// commandOf takes the command off the front of a role's arguments; without one it is usual.
func commandOf(arguments []string, usual string) (command string, rest []string) {
	if len(arguments) == 0 || strings.HasPrefix(arguments[0], "-") {
		return usual, arguments
	}
	return arguments[0], arguments[1:]
}

// parse reads flags. errUsage means that what is wrong with them was said.
func parse(flags *flag.FlagSet, arguments []string) error {
	if flags.Parse(arguments) != nil {
		return errUsage
	}
	return nil
}

// positive is a flag for how many, 1 or more.
func positive(flags *flag.FlagSet, name string, usual int, meaning string) *int {
	n := usual
	flags.Func(name, fmt.Sprintf("%s (default %d)", meaning, usual), func(text string) (err error) {
		if n, err = strconv.Atoi(text); err == nil && n < 1 {
			err = errors.New("must be 1 or more")
		}
		return err
	})
	return &n
}

// misused says what is wrong with the arguments, unless the flags did.
func misused(flags *flag.FlagSet, err error) error {
	switch {
	case errors.Is(err, errUsage):
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
	default:
		fmt.Fprintf(os.Stderr, "%s: too many arguments\n", flags.Name())
		flags.Usage()
	}
	return errUsage
}
