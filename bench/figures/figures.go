package figures

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Machine says when and where something is measured: "20 November 2026: 2 × Some Processor, 16.0 GiB, linux/amd64; go1.26".
func Machine(at time.Time) string {
	model, memory := hardware()
	return fmt.Sprintf("%s: %d × %s, %s, %s/%s; %s", at.UTC().Format("2 January 2006"),
		runtime.NumCPU(), model, memory, runtime.GOOS, runtime.GOARCH, runtime.Version())
}

func hardware() (model, memory string) {
	model, memory = "unknown processor", "unknown memory"
	if content, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(content)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
			}
		}
	}
	if content, err := os.ReadFile("/proc/meminfo"); err == nil {
		if fields := strings.Fields(string(content)); len(fields) > 1 {
			var kilobytes float64
			if _, err := fmt.Sscan(fields[1], &kilobytes); err == nil {
				memory = fmt.Sprintf("%.1f GiB", kilobytes/(1<<20))
			}
		}
	}
	return model, memory
}

// Write puts content between the markers of a document, in place of what was there.
func Write(file, begin, end, content string) error {
	document, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(document, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return fmt.Errorf("%s has no markers %q and %q", file, begin, end)
	}
	return os.WriteFile(file, slices.Concat(before, []byte(begin+"\n\n"+content+"\n"+end), after), 0o644)
}

// Spread is "median (least–most)" of a value, in a format for one number.
func Spread[T any](all []T, format string, value func(T) float64) string {
	numbers := sorted(all, value)
	if len(numbers) == 0 {
		return "–"
	}
	middle, least, most := fmt.Sprintf(format, median(numbers)), fmt.Sprintf(format, numbers[0]), fmt.Sprintf(format, numbers[len(numbers)-1])
	if least == most {
		return middle
	}
	return fmt.Sprintf("%s (%s–%s)", middle, least, most)
}

// Ratio is the Spread of ratios.
func Ratio(all []float64) string { return Spread(all, "%.2f", func(x float64) float64 { return x }) }

// Median of a value; 0 of nothing.
func Median[T any](all []T, value func(T) float64) float64 { return median(sorted(all, value)) }

func sorted[T any](all []T, value func(T) float64) []float64 {
	numbers := make([]float64, len(all))
	for i, x := range all {
		numbers[i] = value(x)
	}
	slices.Sort(numbers)
	return numbers
}

func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Milliseconds of a duration.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Quantile of sorted durations, q in [0,1]; 0 of nothing.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
