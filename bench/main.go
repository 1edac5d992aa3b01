package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"github.com/boxoffice/boxoffice/store/localpostgres"
)

type options struct {
	bin      string
	buyers   []int
	rounds   int
	settle   time.Duration
	window   time.Duration
	payAfter time.Duration
	write    string
	logs     string
	env      []string
	enforce  bool
	contains string
}

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func parse(arguments []string) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	var o options
	flags.StringVar(&o.bin, "bin", "bin", "folder of the binaries that `make build` makes")
	buyers := flags.String("buyers", "1,16,64,256", "how many buyers at a time, a list")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each contender has its turn with each number of buyers")
	flags.DurationVar(&o.settle, "settle", 2*time.Second, "how long buyers buy before it counts")
	flags.DurationVar(&o.window, "window", 8*time.Second, "how long it counts")
	flags.DurationVar(&o.payAfter, "pay-after", 0, "how long every buyer, also a rival's, takes to pay once the tickets are held")
	flags.StringVar(&o.write, "write", "", "document to write the results into, between its markers")
	flags.StringVar(&o.logs, "logs", "", "folder that keeps data and logs of the run; default: a temporary one")
	flags.StringVar(&o.contains, "only", "", "only contenders whose name contains this")
	flags.BoolVar(&o.enforce, "enforce", false, "fail when the bar is missed")
	flags.Func("env", "NAME=VALUE for the product, such as BOXOFFICE_PPROF_ADDRESS=127.0.0.1:6060; may be repeated", func(v string) error {
		o.env = append(o.env, v)
		return nil
	})
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	for text := range strings.SplitSeq(*buyers, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return o, fmt.Errorf("-buyers: %q is no number of buyers", text)
		}
		o.buyers = append(o.buyers, n)
	}
	if o.rounds < 1 || o.window <= 0 || o.settle < 0 || o.payAfter < 0 {
		return o, errors.New("-rounds and -window must be positive, -settle and -pay-after not negative")
	}
	return o, nil
}

func run(ctx context.Context, o options) error {
	folder := o.logs
	if folder == "" {
		temporary, err := localpostgres.TemporaryFolder()
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		folder = temporary
	} else if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	} else if os.Geteuid() == 0 { // PostgreSQL runs as another user then, below this folder
		if err := os.Chmod(folder, 0o755); err != nil {
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "starting PostgreSQL, Temporal, the sandbox gateway and boxoffice …")
	s, err := startStack(ctx, o.bin, folder, catalogue(), o.env)
	if err != nil {
		return err
	}
	defer s.stop()

	product, err := newProduct(ctx, s, o.payAfter)
	if err != nil {
		return err
	}
	defer product.close()
	rivals, err := dial(s, rivalNamespace)
	if err != nil {
		return err
	}
	defer rivals.Close()
	engine, err := newBare(rivals, o.payAfter)
	if err != nil {
		return err
	}
	defer engine.close()
	saga, err := newNaive(ctx, rivals, s, o.payAfter)
	if err != nil {
		return err
	}
	defer saga.close()

	results := &results{options: o, started: time.Now()}
	if err := product.db.QueryRow(ctx, "SELECT 'PostgreSQL ' || current_setting('server_version')").Scan(&results.postgres); err != nil {
		return err
	}
	if err := results.play(ctx, s, []contender{product, engine, saga}); err != nil {
		return err
	}
	if err := results.check(ctx, s); err != nil {
		return err
	}
	results.again = product.again.Load()
	results.print(os.Stdout)
	if o.write != "" {
		if err := results.write(o.write); err != nil {
			return err
		}
	}
	if o.enforce {
		return results.bar()
	}
	return nil
}

// dial connects to Temporal without encryption; to look at histories, nothing has to be read.
func dial(s *stack, namespace string) (client.Client, error) {
	return client.NewLazyClient(client.Options{
		HostPort: s.temporal, Namespace: namespace,
		ConnectionOptions: client.ConnectionOptions{GrpcCompression: &client.GrpcCompressionNone{}}, // as the product
		Logger:            log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
}
