package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// minSecret is the shortest shared secret accepted, in characters.
const minSecret = 16

// Queues are the task queues there are.
var Queues = []string{"purchase", "payment", "notification"}

// mistake says what is wrong with one variable.
func mistake(name, format string, args ...any) error {
	return fmt.Errorf("%s%s: %s", Prefix, name, fmt.Sprintf(format, args...))
}

func (c Config) validate(need Need) []error {
	var mistakes []error
	add := func(name, format string, args ...any) {
		mistakes = append(mistakes, mistake(name, format, args...))
	}
	has := func(n Need) bool { return need&n != 0 }
	address := func(name, value string) {
		if !validAddress(value) {
			add(name, "must be host:port, not %q", value)
		}
	}
	origin := func(name, value string) {
		if !validOrigin(value) {
			add(name, "must be http(s)://host[:port] without a path or trailing slash, not %q", value)
		}
	}

	if has(NeedDatabase) || c.DatabaseURL.IsSet() {
		switch u, err := url.Parse(c.DatabaseURL.Reveal()); {
		case !c.DatabaseURL.IsSet():
			add("DATABASE_URL", "is required, such as postgres://user:password@host:5432/boxoffice")
		case err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql":
			// Neither the value nor the parser's error, which repeats it.
			add("DATABASE_URL", "must be a postgres:// URL")
		}
	}
	if c.DatabaseConnections < 2 || c.DatabaseConnections > 500 {
		add("DATABASE_CONNECTIONS", "must be 2 to 500, not %d", c.DatabaseConnections)
	}
	if has(NeedTemporal) && c.TemporalAddress == "" {
		add("TEMPORAL_ADDRESS", "is required, such as 127.0.0.1:7233")
	} else if c.TemporalAddress != "" {
		address("TEMPORAL_ADDRESS", c.TemporalAddress)
	}
	address("HTTP_ADDRESS", c.HTTPAddress)
	address("WORKER_ADDRESS", c.WorkerAddress)
	mistakes = append(mistakes, checkQueues(c.Queues)...)
	origin("PUBLIC_URL", c.PublicURL)
	if c.OrdersPerSecond < 0 {
		add("ORDERS_PER_SECOND", "must not be negative; 0 switches the limit off")
	}
	if c.OrdersBurst < 1 {
		add("ORDERS_BURST", "must be at least 1, not %d", c.OrdersBurst)
	}
	for name, bound := range map[string]time.Duration{
		"PAYMENT_GRACE": c.PaymentGrace, "GATEWAY_DOWN_BOUND": c.GatewayDownBound, "OUTCOME_BOUND": c.OutcomeBound,
	} {
		if bound < time.Second || bound > 24*time.Hour {
			add(name, "must be 1s to 24h, not %s", bound)
		}
	}
	if has(NeedEncryption) || c.EncryptionKeys.IsSet() {
		mistakes = append(mistakes, checkKeys(c.EncryptionKeys)...)
	}
	origin("SANDBOX_URL", c.SandboxURL)
	address("SANDBOX_ADDRESS", c.SandboxAddress)
	if has(NeedGateways) && slices.Contains(c.Gateways, "sandbox") || has(NeedSandbox) {
		if c.SandboxMerchant == "" {
			add("SANDBOX_MERCHANT", "is required")
		}
		secret := func(name string, s Secret) {
			if len(s.Reveal()) < minSecret {
				add(name, "must have at least %d characters", minSecret)
			}
		}
		secret("SANDBOX_KEY", c.SandboxKey)
		if len(c.SandboxCallbackKeys) == 0 {
			add("SANDBOX_CALLBACK_KEY", "is required")
		}
		for _, k := range c.SandboxCallbackKeys {
			secret("SANDBOX_CALLBACK_KEY", k)
		}
	}
	c.Messages.validate(add)
	address("CODEC_ADDRESS", c.CodecAddress)
	if at, err := netip.ParseAddrPort(c.PprofAddress); c.PprofAddress != "" && (err != nil || !at.Addr().IsLoopback()) {
		add("PPROF_ADDRESS", "must be a loopback IP address and a port, such as 127.0.0.1:6060, not %q", c.PprofAddress)
	}
	if has(NeedCodec) && len(c.CodecToken.Reveal()) < minSecret {
		add("CODEC_TOKEN", "must have at least %d characters", minSecret)
	}
	if strings.ContainsAny(c.CodecToken.Reveal(), "/?#% ") {
		add("CODEC_TOKEN", "is a path segment: no / ? # %% or space")
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		add("LOG_FORMAT", `must be "json" or "text", not %q`, c.LogFormat)
	}
	return mistakes
}

// checkQueues accepts queues that there are, each once.
func checkQueues(named []string) (mistakes []error) {
	for i, queue := range named {
		if !slices.Contains(Queues, queue) || slices.Contains(named[:i], queue) {
			mistakes = append(mistakes, mistake("QUEUES", "must name some of %s, each once, not %q", strings.Join(Queues, ", "), queue))
		}
	}
	return mistakes
}

// checkKeys verifies "id:base64(32 bytes)[,…]" without ever repeating a part of it.
func checkKeys(keys Secret) []error {
	const name = "ENCRYPTION_KEYS"
	if !keys.IsSet() {
		return []error{mistake(name, `is required: "id:<base64 of 32 random bytes>", several separated by commas`)}
	}
	var mistakes []error
	seen := map[string]bool{}
	for i, entry := range strings.Split(keys.Reveal(), ",") {
		id, encoded, ok := strings.Cut(strings.TrimSpace(entry), ":")
		switch raw, err := base64.StdEncoding.DecodeString(encoded); {
		case !ok || id == "":
			mistakes = append(mistakes, mistake(name, "key %d is not of the form id:base64", i+1))
		case seen[id]:
			mistakes = append(mistakes, mistake(name, "key %d has the id of an earlier key", i+1))
		case err != nil:
			mistakes = append(mistakes, mistake(name, "key %d is not valid base64", i+1))
		case len(raw) != 32:
			mistakes = append(mistakes, mistake(name, "key %d has %d bytes instead of 32", i+1, len(raw)))
		}
		seen[id] = true
	}
	return mistakes
}

func validAddress(value string) bool {
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

func validOrigin(value string) bool {
	u, err := url.Parse(value)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

func parseNetworks(value string) (any, error) {
	var networks Networks
	for entry := range strings.SplitSeq(value, ",") {
		entry = strings.TrimSpace(entry)
		if a, err := netip.ParseAddr(entry); err == nil {
			networks = append(networks, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(entry)
		if err != nil {
			return nil, errors.New("must be addresses or networks such as 10.0.0.0/8, separated by commas")
		}
		networks = append(networks, p)
	}
	return networks, nil
}

func parseLevel(value string) (any, error) {
	switch value {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return nil, errors.New("must be debug, info, warn or error")
}

// readable turns the parser's errors, which name the fields of a struct, into ones that name variables.
func readable(err error, prefix string, fields reflect.Type) []error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return []error{err}
	}
	var mistakes []error
	for _, e := range all.Errors {
		var parse env.ParseError
		if !errors.As(e, &parse) {
			mistakes = append(mistakes, e)
			continue
		}
		name := parse.Name
		if f, ok := fields.FieldByName(parse.Name); ok {
			name, _, _ = strings.Cut(f.Tag.Get("env"), ",")
		}
		reason := "cannot be read"
		if _, ok := errors.AsType[*strconv.NumError](parse.Err); ok {
			reason = "must be a number"
		} else if parse.Err != nil {
			reason = parse.Err.Error()
		}
		mistakes = append(mistakes, mistake(prefix+name, "%s", reason))
	}
	return mistakes
}
