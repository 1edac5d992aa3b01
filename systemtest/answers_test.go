package systemtest

import (
	"regexp"
	"slices"
	"strings"
)

var serverTime = regexp.MustCompile(`"server_time":"[^"]*",?`)

// stripped removes the only part of an answer that differs from one moment to the next.
func stripped(body []byte) []byte { return serverTime.ReplaceAll(body, nil) }

func containsLine(text, line string) bool {
	return slices.Contains(strings.Split(text, "\n"), line)
}
