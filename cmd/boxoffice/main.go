// Command boxoffice is every role of the product in one binary; see usage.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"text/tabwriter"

	"github.com/boxoffice/boxoffice/config"
)

// role is what the binary can be told to be.
type role struct {
	name    string
	summary string
	needs   []config.Need
	run     func(ctx context.Context, cfg config.Config, log *slog.Logger) error
	// with is run for a role that takes arguments.
	with func(ctx context.Context, cfg config.Config, log *slog.Logger, arguments []string) error
}

var roles = []role{
	{"run", "API, web, workers and codec server in one process, after migrating", allNeeds, runAll, nil},
	{"api", "API and web; purchases run on workers elsewhere", serviceNeeds, runAPI, nil},
	{"worker", "workers only", serviceNeeds, runWorker, nil},
	{"codec", "codec server for the Temporal UI", []config.Need{config.NeedEncryption, config.NeedCodec}, runCodec, nil},
	{"sandbox", "sandbox payment gateway", []config.Need{config.NeedSandbox}, runSandbox, nil},
	{"inbox", "the local inbox: mails and SMS that would have been sent", nil, runInbox, nil},
	{"migrate", "bring the database's schema and Temporal's search attributes up to date", storeNeeds, runMigrate, nil},
	{"seed", "load the demo catalogue; what is already there stays", storeNeeds, runSeed, nil},
	{"audit", "check every invariant of stock and money; exit 1 with a line for each that is violated", storeNeeds, runAudit, nil},
	{"reconcile", "compare a gateway's bill with our books now: [-provider NAME] [-day YYYY-MM-DD] [-wait DURATION]", serviceNeeds, nil, runReconcile},
	{"cases", "what waits for a person: [list [-all] [-kind KIND] [-provider NAME]], or resolve ID NOTE", storeNeeds, nil, runCases},
	{"messages", "what buyers were told: [list [-order ID] [-state STATE]], or resend ID", storeNeeds, nil, runMessages},
	{"events", "what is sold: [list [-state STATE] [-q TEXT]], show ID, or move [-by NAME] ID STATE REASON", storeNeeds, nil, runEvents},
	{"seats", "seat maps and seats kept back: import FILE, export MAP VERSION, block SESSION NOTE SEAT…, release SESSION SEAT…", storeNeeds, nil, runSeats},
	{"vouchers", "voucher codes: list [ORGANISER], create [-code CODE | -count N] FILE", storeNeeds, nil, runVouchers},
	{"presales", "ticket types sold early to who has a code: open [-code CODE] FROM UNTIL TYPE…", storeNeeds, nil, runPresales},
	{"members", "organisers' memberships: list, put FILE", storeNeeds, nil, runMembers},
	{"version", "print the version", nil, runVersion, nil},
}

var (
	storeNeeds   = []config.Need{config.NeedDatabase, config.NeedEncryption}
	serviceNeeds = []config.Need{config.NeedDatabase, config.NeedTemporal, config.NeedEncryption, config.NeedGateways}
	allNeeds     = append(slices.Clip(serviceNeeds), config.NeedCodec)
)

// gcPercent lets the heap grow to four times what is alive before it is collected, which is tens of megabytes here.
// Go's own 100 would collect several times a second under load. GOGC says otherwise.
const gcPercent = 300

// errUsage makes a role end as one that was called wrongly; what is wrong was said.
var errUsage = errors.New("usage")

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if len(os.Args) < 2 {
		usage()
	}
	for _, r := range roles {
		if r.name == os.Args[1] && (r.with != nil || len(os.Args) == 2) {
			os.Exit(start(r, os.Args[2:]))
		}
	}
	usage()
}

// start runs a role until it ends or the process is told to stop, and returns the exit code.
func start(r role, arguments []string) int {
	cfg, err := config.Load(r.needs...)
	if err != nil {
		fmt.Fprintf(os.Stderr, "boxoffice %s: the environment is not right:\n%v\n", r.name, err)
		return 2
	}
	log := newLogger(cfg).With("role", r.name)
	slog.SetDefault(log)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := serveProfiles(ctx, cfg.PprofAddress, log); err != nil {
		log.Error("cannot serve profiles", "error", err)
		return 1
	}
	run := r.run
	if r.with != nil {
		run = func(ctx context.Context, cfg config.Config, log *slog.Logger) error {
			return r.with(ctx, cfg, log, arguments)
		}
	}
	err = run(ctx, cfg, log)
	if errors.Is(err, errUsage) {
		return 2
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error("stopped", "error", err)
		return 1
	}
	return 0
}

func newLogger(cfg config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, options))
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: boxoffice ROLE    (settings come from BOXOFFICE_… variables, see docs/operations.md)")
	w := tabwriter.NewWriter(os.Stderr, 0, 0, 2, ' ', 0)
	for _, r := range roles {
		fmt.Fprintf(w, "  %s\t%s\n", r.name, r.summary)
	}
	_ = w.Flush()
	os.Exit(2)
}
