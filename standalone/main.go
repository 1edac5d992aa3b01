package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

const usage = `usage: boxoffice-standalone <command> [flags]

  up        start everything: PostgreSQL, Temporal with its UI, the sandbox gateway, boxoffice
  temporal  start only a Temporal server and its UI on a given PostgreSQL server
  postgres  start only a PostgreSQL server

boxoffice-standalone <command> -h lists the flags; each has an environment variable.
`

// Temporal's caches are full of pointers: with Go's own settings, a tenth to a fifth of its time goes into collecting garbage. Here the
// heap may grow to four times what is alive before that, but not beyond a laptop's share of memory: then it is collected as often as
// it takes. GOGC and GOMEMLIMIT say otherwise.
const (
	gcPercent   = 300
	memoryLimit = 768 << 20
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	commands := map[string]func(stop, kill context.Context, arguments []string) error{
		"up": upCommand, "temporal": temporalCommand, "postgres": postgresCommand,
	}
	command, known := commands[os.Args[1]]
	if !known {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}

	stop, kill := signals()
	err := command(stop, kill, os.Args[2:])
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case stop.Err() != nil && errors.Is(err, context.Canceled): // stopped before it was ready
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "boxoffice: "+strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

// afterKill is how long the second signal leaves for killing the children.
const afterKill = 2 * time.Second

// signals returns two contexts: the first SIGINT, SIGTERM or SIGHUP ends stop, the second one ends kill and soon after
// that the process.
func signals() (stop, kill context.Context) {
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	stop, endStop := context.WithCancel(context.Background())
	kill, endKill := context.WithCancel(context.Background())
	go func() {
		<-received
		endStop()
		<-received
		endKill()
		time.Sleep(afterKill)
		os.Exit(130)
	}()
	return stop, kill
}

// setting registers a flag whose default is the environment variable, or the fallback where that is empty.
func setting(flags *flag.FlagSet, name, variable, fallback, meaning string) *string {
	value := os.Getenv(variable)
	if value == "" {
		value = fallback
	}
	return flags.String(name, value, fmt.Sprintf("%s (%s)", meaning, variable))
}

func parse(flags *flag.FlagSet, arguments []string) error {
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%s takes no arguments: %q", flags.Name(), flags.Args())
	}
	return nil
}
