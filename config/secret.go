package config

import "log/slog"

const hidden = "[hidden]"

// Secret is a value that must not reach a log, an error or a dump. Reveal is
// the only way to read it.
type Secret struct{ value string }

// NewSecret wraps a value.
func NewSecret(value string) Secret { return Secret{value} }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Secret) UnmarshalText(text []byte) error {
	s.value = string(text)
	return nil
}

// Reveal returns the value.
func (s Secret) Reveal() string { return s.value }

// IsSet says whether there is a value.
func (s Secret) IsSet() bool { return s.value != "" }

// String implements fmt.Stringer without the value.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return hidden
}

// GoString implements fmt.GoStringer without the value.
func (s Secret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer without the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler without the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
