package config

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Prefix starts the name of every variable.
const Prefix = "BOXOFFICE_"

// Need names a part a role cannot do without.
type Need int

// The parts. A variable is only required, and only checked strictly, where its part is needed.
const (
	NeedDatabase   Need = 1 << iota // the product's database
	NeedTemporal                    // the Temporal server
	NeedEncryption                  // keys for personal data, order tokens and payloads
	NeedGateways                    // credentials to call gateways and to verify their callbacks
	NeedSandbox                     // what the sandbox gateway itself needs to run
	NeedCodec                       // the token of the codec server
)

// Networks is a comma separated list of networks and single addresses.
type Networks []netip.Prefix

// Config is everything a process can be told.
type Config struct {
	// DatabaseURL is the postgres:// URL of the product's database.
	DatabaseURL Secret `env:"DATABASE_URL"`
	// DatabaseConnections bounds the pool. Default 16: more connections make a hot row slower.
	DatabaseConnections int `env:"DATABASE_CONNECTIONS" envDefault:"16"`

	// TemporalAddress is host:port of the Temporal frontend.
	TemporalAddress string `env:"TEMPORAL_ADDRESS"`
	// TemporalNamespace defaults to "default".
	TemporalNamespace string `env:"TEMPORAL_NAMESPACE" envDefault:"default"`

	// HTTPAddress is where API and web listen.
	HTTPAddress string `env:"HTTP_ADDRESS" envDefault:"127.0.0.1:8080"`
	// WorkerAddress is where a worker without an API answers probes and shows its metrics.
	WorkerAddress string `env:"WORKER_ADDRESS" envDefault:"127.0.0.1:8081"`
	// Queues are the task queues that a process with workers serves. Default every one.
	Queues []string `env:"QUEUES"`
	// PublicURL is how gateways and buyers' browsers reach us; no path, no trailing slash.
	PublicURL string `env:"PUBLIC_URL" envDefault:"http://127.0.0.1:8080"`
	// TrustedProxies are the networks whose X-Forwarded-For is believed. Default none.
	TrustedProxies Networks `env:"TRUSTED_PROXIES"`
	// OrdersPerSecond is how many orders one client address may submit per second in the long
	// run. Default 20; 0 switches the limit off.
	OrdersPerSecond float64 `env:"ORDERS_PER_SECOND" envDefault:"20"`
	// OrdersBurst is how many it may submit at once after a pause. Default 200.
	OrdersBurst int `env:"ORDERS_BURST" envDefault:"200"`

	// PaymentGrace is how long a purchase lingers after its end before its last look at the gateways.
	PaymentGrace time.Duration `env:"PAYMENT_GRACE" envDefault:"2m"`
	// GatewayDownBound is how long after its deadline an unpaid order keeps its stock because a
	// gateway cannot be reached, OutcomeBound because a gateway says that it does not know yet.
	GatewayDownBound time.Duration `env:"GATEWAY_DOWN_BOUND" envDefault:"1m"`
	OutcomeBound     time.Duration `env:"OUTCOME_BOUND" envDefault:"30m"`

	// GatewayFees is what was agreed with gateways, "provider:basis points[:tolerance],…": bills that keep
	// something else are a case. Of a gateway that is not named, any fee is taken as right.
	GatewayFees Fees `env:"GATEWAY_FEES" envDefault:"sandbox:60"`

	// EncryptionKeys is "id:base64(32 bytes)[,id2:base64…]"; the first seals, all open.
	EncryptionKeys Secret `env:"ENCRYPTION_KEYS"`

	// Gateways names the accounts at payment gateways: a kind, or kind-account for another one there.
	Gateways []string `env:"GATEWAYS" envDefault:"sandbox"`
	// Merchants are those accounts, read from variables of their own.
	Merchants []Merchant `env:"-"`

	// Messages is how buyers are told what happened.
	Messages

	// SandboxURL is where the sandbox gateway is called.
	SandboxURL string `env:"SANDBOX_URL" envDefault:"http://127.0.0.1:8090"`
	// SandboxMerchant is the merchant id at the sandbox gateway.
	SandboxMerchant string `env:"SANDBOX_MERCHANT"`
	// SandboxKey signs requests to the sandbox gateway.
	SandboxKey Secret `env:"SANDBOX_KEY"`
	// SandboxCallbackKeys verify its callbacks; several during a rotation, all accepted, the
	// gateway itself signs with the first.
	SandboxCallbackKeys []Secret `env:"SANDBOX_CALLBACK_KEY"`
	// SandboxAddress is where the sandbox gateway listens.
	SandboxAddress string `env:"SANDBOX_ADDRESS" envDefault:"127.0.0.1:8090"`
	// SandboxData is the file of the sandbox gateway's own ledger.
	SandboxData string `env:"SANDBOX_DATA" envDefault:".boxoffice/sandbox.db"`

	// CodecAddress is where the codec server for the Temporal UI listens.
	CodecAddress string `env:"CODEC_ADDRESS" envDefault:"127.0.0.1:8234"`
	// CodecToken is the unguessable first path segment of the codec server.
	CodecToken Secret `env:"CODEC_TOKEN"`

	// PprofAddress is where Go's profiles are served, a loopback IP address and port. Default: nowhere.
	PprofAddress string `env:"PPROF_ADDRESS"`

	// LogLevel is debug, info, warn or error.
	LogLevel slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	// LogFormat is "json" or "text".
	LogFormat string `env:"LOG_FORMAT" envDefault:"json"`
}

// Load reads the process's environment for a role that needs the given parts.
// The error joins every mistake, one line each.
func Load(needs ...Need) (Config, error) {
	return From(env.ToMap(os.Environ()), needs...)
}

// From is Load for a given environment.
func From(environment map[string]string, needs ...Need) (Config, error) {
	var (
		c        Config
		mistakes []error
	)
	err := env.ParseWithOptions(&c, env.Options{
		Prefix:      Prefix,
		Environment: trimmed(environment),
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[Networks]():   parseNetworks,
			reflect.TypeFor[Fees]():       parseFees,
			reflect.TypeFor[slog.Level](): parseLevel,
		},
	})
	if err != nil {
		mistakes = append(mistakes, readable(err, "", reflect.TypeFor[Config]())...)
	}
	var need Need
	for _, n := range needs {
		need |= n
	}
	if need&NeedGateways != 0 {
		accounts, wrong := merchants(c.Gateways, trimmed(environment))
		c.Merchants = accounts
		mistakes = append(mistakes, wrong...)
	}
	mistakes = append(mistakes, c.validate(need)...)
	return c, errors.Join(mistakes...)
}

// trimmed drops white space around values, which no variable of ours means, and treats an empty
// variable as one that is not set.
func trimmed(environment map[string]string) map[string]string {
	out := make(map[string]string, len(environment))
	for k, v := range environment {
		if v = strings.TrimSpace(v); v != "" && strings.HasPrefix(k, Prefix) {
			out[k] = v
		}
	}
	return out
}
