package stack

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver for assertions in SQL
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/boxoffice/boxoffice/encryption"
	"github.com/boxoffice/boxoffice/payment/sandbox/gateway"
	"github.com/boxoffice/boxoffice/store"
	"github.com/boxoffice/boxoffice/store/localpostgres/freeport"
	"github.com/boxoffice/boxoffice/ticketing"
	"github.com/boxoffice/boxoffice/ticketing/seating"
	"github.com/boxoffice/boxoffice/worker"
	"github.com/boxoffice/boxoffice/workflows"
)

// Options say what a stack is made of.
type Options struct {
	// Split runs api and worker as processes of their own; otherwise `run` is both.
	Split bool
	// PerQueue runs api, and a worker for each task queue, as processes of their own.
	PerQueue bool
	// Env is added to the environment of every process, such as "BOXOFFICE_PAYMENT_GRACE=2s".
	Env []string
	// Events are what it sells. Default Show("show", time.Minute, 100).
	Events []ticketing.Event
	// SeatMaps are those of the events.
	SeatMaps []seating.Map
}

// Stack is one running product.
type Stack struct {
	T       testing.TB
	Servers *Servers
	// URL is the product's origin, Codec the codec server's with its token.
	URL   string
	Codec string
	// Folder holds the logs.
	Folder string

	Gateway *gateway.Control
	DB      *sql.DB
	Store   *store.Store
	Engine  client.Client
	Keyring *encryption.Keyring

	// Run is api and worker in one; or API and Worker are, when split.
	Run, API, Worker, Sandbox *Process
	// Workers are those of each task queue, when there is one for each.
	Workers map[string]*Process

	Namespace   string
	DatabaseURL string
	// Inbox is the folder of the local inbox.
	Inbox     string
	env       []string
	http      *http.Client
	restarts  map[*Process]string // where to ask whether it is ready
	skipAudit bool
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9]+`)

// New starts a product on the servers. It ends with the test, after an audit.
func New(t testing.TB, servers *Servers, o Options) *Stack {
	t.Helper()
	name := strings.ToLower(unfit.ReplaceAllString(t.Name(), "-"))
	s := &Stack{
		T: t, Servers: servers, Folder: filepath.Join(Root(t), "artefacts", "logs", name),
		restarts: map[*Process]string{},
		http:     &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 512, MaxConnsPerHost: 512}},
	}
	require.NoError(t, os.RemoveAll(s.Folder))
	require.NoError(t, os.MkdirAll(s.Folder, 0o700))
	namespace, err := servers.namespace()
	require.NoError(t, err)
	s.Namespace = namespace
	s.createDatabase()
	s.configure(o)
	s.once("migrate")
	s.Keyring, err = encryption.ParseKeyring(s.setting("BOXOFFICE_ENCRYPTION_KEYS"))
	require.NoError(t, err)
	s.Store, err = store.Open(t.Context(), store.Config{URL: s.DatabaseURL, Keyring: s.Keyring, MaxConnections: 4})
	require.NoError(t, err)
	t.Cleanup(s.Store.Close)
	if len(o.Events) == 0 {
		o.Events = []ticketing.Event{Show("show", time.Minute, 100)}
	}
	for _, m := range o.SeatMaps {
		require.NoError(t, s.Store.ImportSeatMap(t.Context(), m))
	}
	require.NoError(t, s.Store.SeedCatalogue(t.Context(), o.Events...))
	s.dial()

	s.Sandbox = s.process("sandbox", s.setting("BOXOFFICE_SANDBOX_URL")+"/livez")
	switch {
	case o.PerQueue:
		s.Workers = map[string]*Process{}
		for _, queue := range worker.Queues {
			free, err := freeport.Addresses(1)
			require.NoError(t, err)
			s.Workers[queue] = s.process("worker", "http://"+free[0]+"/readyz", "BOXOFFICE_WORKER_ADDRESS="+free[0], "BOXOFFICE_QUEUES="+queue)
		}
		s.API = s.process("api", s.URL+"/readyz")
	case o.Split:
		s.Worker = s.process("worker", "http://"+s.setting("BOXOFFICE_WORKER_ADDRESS")+"/readyz")
		s.API = s.process("api", s.URL+"/readyz")
	default:
		s.Run = s.process("run", s.URL+"/readyz")
	}
	t.Cleanup(s.finish)
	return s
}

// Show is an event with one session in three days and one ticket type of 100.00 CNY for each capacity. A ticket that goes back
// two days before or earlier costs a tenth of its price.
func Show(id string, hold time.Duration, capacities ...int) ticketing.Event {
	now := time.Now().UTC().Truncate(time.Second)
	text := func(en, zh string) ticketing.Text { return ticketing.Text{"en": en, "zh-CN": zh} }
	session := ticketing.Session{
		ID: id + "-1", EventID: id, StartsAt: now.Add(72 * time.Hour), EndsAt: now.Add(75 * time.Hour),
		Venue: ticketing.Venue{
			ID: "harbour-hall", Name: text("Harbour Hall", "海港音乐厅"), City: text("Shanghai", "上海"),
			Address: text("1 Quay Road", "码头路1号"), TimeZone: "Asia/Shanghai",
		},
	}
	for i, capacity := range capacities {
		session.TicketTypes = append(session.TicketTypes, ticketing.TicketType{
			ID: fmt.Sprintf("%s-1-%d", id, i+1), SessionID: session.ID, Name: text(fmt.Sprintf("Category %d", i+1), fmt.Sprintf("%d类", i+1)),
			Currency: "CNY", BasePrice: 10000, MaxPerOrder: 10, Capacity: capacity,
			SaleFrom: now.Add(-time.Hour), SaleUntil: now.Add(48 * time.Hour), Phases: []ticketing.PricePhase{},
		})
	}
	return ticketing.Event{
		ID: id, OrganiserID: "quay", Organiser: "Quay Concerts", Kind: ticketing.KindConcert,
		Title: text("Evening Concert", "傍晚音乐会"), Summary: text("Strings and piano.", "弦乐与钢琴。"), State: ticketing.EventOnSale,
		HoldFor: hold, MaxPerOrder: 10,
		Refunds:  ticketing.RefundPolicy{{Before: 48 * time.Hour, FeeBasisPoints: 1000}, {Before: 24 * time.Hour, FeeBasisPoints: 5000}},
		Sessions: []ticketing.Session{session},
	}
}

func (s *Stack) createDatabase() {
	name := "boxoffice_" + strings.ReplaceAll(s.Namespace, "-", "_")
	admin, err := sql.Open("pgx", s.Servers.DatabaseURL)
	require.NoError(s.T, err)
	defer admin.Close()
	_, err = admin.Exec("CREATE DATABASE " + name)
	require.NoError(s.T, err)
	address, err := url.Parse(s.Servers.DatabaseURL)
	require.NoError(s.T, err)
	address.Path = "/" + name
	s.DatabaseURL = address.String()
	s.DB, err = sql.Open("pgx", s.DatabaseURL)
	require.NoError(s.T, err)
	s.T.Cleanup(func() { _ = s.DB.Close() })
}

// configure chooses free ports and fresh secrets.
func (s *Stack) configure(o Options) {
	addresses, err := freeport.Addresses(4)
	require.NoError(s.T, err)
	web, codec, bank, probes, token := addresses[0], addresses[1], addresses[2], addresses[3], rand.Text()
	s.Inbox = filepath.Join(s.T.TempDir(), "inbox")
	s.URL, s.Codec = "http://"+web, "http://"+codec+"/"+token
	merchant, key := "M"+rand.Text()[:10], rand.Text()
	s.env = append([]string{
		"BOXOFFICE_DATABASE_URL=" + s.DatabaseURL,
		"BOXOFFICE_TEMPORAL_ADDRESS=" + s.Servers.Temporal,
		"BOXOFFICE_TEMPORAL_NAMESPACE=" + s.Namespace,
		"BOXOFFICE_HTTP_ADDRESS=" + web,
		"BOXOFFICE_PUBLIC_URL=" + s.URL,
		"BOXOFFICE_WORKER_ADDRESS=" + probes,
		"BOXOFFICE_ORDERS_PER_SECOND=0",
		"BOXOFFICE_ENCRYPTION_KEYS=" + encryption.NewKey("test"),
		"BOXOFFICE_SANDBOX_URL=http://" + bank,
		"BOXOFFICE_SANDBOX_ADDRESS=" + bank,
		"BOXOFFICE_SANDBOX_MERCHANT=" + merchant,
		"BOXOFFICE_SANDBOX_KEY=" + key,
		"BOXOFFICE_SANDBOX_CALLBACK_KEY=" + rand.Text(),
		"BOXOFFICE_SANDBOX_DATA=" + filepath.Join(s.T.TempDir(), "sandbox.db"),
		"BOXOFFICE_CODEC_ADDRESS=" + codec,
		"BOXOFFICE_CODEC_TOKEN=" + token,
		"BOXOFFICE_INBOX_FOLDER=" + s.Inbox,
		"BOXOFFICE_HOLD_WARNING=0",
		"BOXOFFICE_REMINDER_LEAD=0",
		"BOXOFFICE_PAYMENT_GRACE=2s",
		"BOXOFFICE_GATEWAY_DOWN_BOUND=2s",
	}, o.Env...)
	s.Gateway = gateway.NewControl("http://"+bank, merchant, key)
}

// Setting is the value of a variable in the environment of every process.
func (s *Stack) Setting(name string) string { return s.setting(name) }

func (s *Stack) setting(name string) string {
	for _, v := range slices.Backward(s.env) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// once runs a role that ends by itself.
func (s *Stack) once(role string) {
	s.T.Helper()
	out, err := s.command(role).CombinedOutput()
	require.NoError(s.T, err, "boxoffice %s: %s", role, out)
}

// Says runs a role that ends by itself and returns what it prints.
func (s *Stack) Says(role string, arguments ...string) string {
	s.T.Helper()
	command := s.command(role, arguments...)
	var logged strings.Builder
	command.Stderr = &logged
	out, err := command.Output()
	require.NoError(s.T, err, "boxoffice %s %v: %s", role, arguments, logged.String())
	return string(out)
}

func (s *Stack) command(role string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(Binary(s.T, "boxoffice"), append([]string{role}, arguments...)...)
	cmd.Env = append(os.Environ(), s.env...)
	return cmd
}

// process starts a role and waits until it says that it is ready. What is added to its environment names its log, too.
func (s *Stack) process(role, ready string, more ...string) *Process {
	s.T.Helper()
	name := strings.Join(append([]string{role}, more...), " ")
	p := &Process{
		Name: name, program: Binary(s.T, "boxoffice"), args: []string{role}, env: append(slices.Clone(s.env), more...),
		log: filepath.Join(s.Folder, strings.ToLower(unfit.ReplaceAllString(name, "-"))+".log"),
	}
	s.restarts[p] = ready
	s.T.Cleanup(p.Stop)
	s.Restart(p)
	return p
}

// Restart starts a process again after it was killed, and waits until it is ready.
func (s *Stack) Restart(p *Process) {
	s.T.Helper()
	_, err := p.Start(false)
	require.NoError(s.T, err)
	ready := s.restarts[p]
	Eventually(s.T, 30*time.Second, p.Name+" is ready, see "+p.log, func() bool {
		response, err := s.http.Get(ready)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

func (s *Stack) dial() {
	codec := workflows.NewCodec(s.Keyring)
	var err error
	s.Engine, err = client.NewLazyClient(client.Options{
		HostPort: s.Servers.Temporal, Namespace: s.Namespace, Logger: quiet{},
		DataConverter: codec.DataConverter(), FailureConverter: codec.FailureConverter(),
	})
	require.NoError(s.T, err)
	s.T.Cleanup(s.Engine.Close)
}

// quiet drops the SDK's log lines: assertions say what went wrong.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// finish audits what the test left behind.
func (s *Stack) finish() {
	if s.skipAudit {
		return
	}
	s.Audit()
}

// Audit runs `boxoffice audit` and compares the gateway's own ledger with ours.
func (s *Stack) Audit() {
	s.T.Helper()
	out, err := s.command("audit").CombinedOutput()
	if err != nil {
		s.T.Errorf("boxoffice audit: %v\n%s", err, out)
	}
	s.atRest()
	s.compareBooks(context.Background())
}

// atRest is the audit without patience: a test is over, so nothing may be under way any more.
func (s *Stack) atRest() {
	s.T.Helper()
	violations, err := s.Store.AuditAfter(context.Background(), 0)
	if err != nil {
		s.T.Errorf("audit: %v", err)
	}
	for _, v := range violations {
		s.T.Errorf("audit at rest: %s", v)
	}
}
