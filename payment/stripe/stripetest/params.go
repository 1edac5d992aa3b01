package stripetest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// refusal is an error as Stripe answers it.
type refusal struct {
	Status                     int
	Type, Code, Param, Message string
}

func (r *refusal) Error() string { return r.Message }

func invalid(param, format string, args ...any) *refusal {
	return &refusal{Status: http.StatusBadRequest, Type: "invalid_request_error", Param: param, Message: fmt.Sprintf(format, args...)}
}

func missing(kind, id string) *refusal {
	return &refusal{
		Status: http.StatusNotFound, Type: "invalid_request_error", Code: "resource_missing", Param: "id",
		Message: fmt.Sprintf("No such %s: '%s'", kind, id),
	}
}

// params are what a request says, by their names in brackets.
type params map[string]string

// rules say of every parameter an endpoint knows what it must look like. Numbers in brackets are written [], names of
// metadata metadata[*].
type rules map[string]rule

type rule struct {
	required bool
	check    func(value string) string
}

var (
	index    = regexp.MustCompile(`\[\d+\]`)
	metadata = regexp.MustCompile(`^(.*metadata\]?)\[([^\[\]]+)\]$`)
)

// read parses parameters and holds them against the rules.
func (r rules) read(values url.Values) (params, *refusal) {
	p := params{}
	for name, all := range values {
		if len(all) == 1 {
			p[name] = all[0]
			continue
		}
		if !strings.HasSuffix(name, "[]") {
			return nil, invalid(name, "Invalid array: %s", name)
		}
		for i, value := range all {
			p[strings.TrimSuffix(name, "[]")+"["+strconv.Itoa(i)+"]"] = value
		}
	}
	seen := map[string]bool{}
	for _, name := range sortedNames(p) {
		shape := index.ReplaceAllString(name, "[]")
		shape = metadata.ReplaceAllString(shape, "$1[*]")
		rule, known := r[shape]
		if !known {
			return nil, &refusal{
				Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "parameter_unknown", Param: name,
				Message: "Received unknown parameter: " + name,
			}
		}
		seen[shape] = true
		if p[name] == "" {
			return nil, &refusal{
				Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "parameter_invalid_empty", Param: name,
				Message: "You passed an empty string for '" + name + "'.",
			}
		}
		if rule.check != nil {
			if complaint := rule.check(p[name]); complaint != "" {
				return nil, invalid(name, "%s: %s", complaint, p[name])
			}
		}
	}
	for shape, rule := range r {
		if rule.required && !seen[shape] {
			return nil, &refusal{
				Status: http.StatusBadRequest, Type: "invalid_request_error", Code: "parameter_missing", Param: shape,
				Message: "Missing required param: " + shape + ".",
			}
		}
	}
	return p, checkMetadata(p)
}

func sortedNames(p params) []string {
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// checkMetadata holds the limits of metadata: 50 names of 40 characters with 500 each.
func checkMetadata(p params) *refusal {
	count := map[string]int{}
	for name, value := range p {
		parts := metadata.FindStringSubmatch(name)
		if parts == nil {
			continue
		}
		if count[parts[1]]++; count[parts[1]] > 50 || len(parts[2]) > 40 || len([]rune(value)) > 500 {
			return invalid(name, "Metadata can have up to 50 keys, with key names up to 40 characters long and values up to 500 characters long.")
		}
	}
	return nil
}

// metadata are the pairs below a prefix.
func (p params) metadata(prefix string) map[string]string {
	found := map[string]string{}
	for name, value := range p {
		if key, ok := strings.CutPrefix(name, prefix+"["); ok {
			found[strings.TrimSuffix(key, "]")] = value
		}
	}
	return found
}

// list are the values of an array.
func (p params) list(name string) []string {
	var all []string
	for i := range len(p) {
		value, ok := p[name+"["+strconv.Itoa(i)+"]"]
		if !ok {
			break
		}
		all = append(all, value)
	}
	if value, ok := p[name+"[]"]; ok {
		all = append(all, value)
	}
	return all
}

func (p params) number(name string) int64 {
	n, _ := strconv.ParseInt(p[name], 10, 64)
	return n
}

// What parameters must look like.

func upTo(most int) func(string) string {
	return func(value string) string {
		if len([]rune(value)) > most {
			return fmt.Sprintf("Invalid string: must be at most %d characters", most)
		}
		return ""
	}
}

func integer(least, most int64) func(string) string {
	return func(value string) string {
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil || strconv.FormatInt(n, 10) != value:
			return "Invalid integer"
		case n < least:
			return fmt.Sprintf("This value must be greater than or equal to %d", least)
		case n > most:
			return fmt.Sprintf("This value must be less than or equal to %d", most)
		}
		return ""
	}
}

func oneOf(words ...string) func(string) string {
	return func(value string) string {
		if !slices.Contains(words, value) {
			return "Invalid value: must be one of " + strings.Join(words, ", ")
		}
		return ""
	}
}

func boolean(value string) string { return oneOf("true", "false")(value) }

func httpURL(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(value) > 5000 {
		return "Not a valid URL"
	}
	return ""
}
