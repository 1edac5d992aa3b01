package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// The markers in the document between which results are written.
const (
	beginMarker = "<!-- results: written by `go run ./bench -write docs/performance.md` -->"
	endMarker   = "<!-- end of results -->"
)

// print writes the results as Markdown.
func (r *results) print(w io.Writer) {
	model, memory := machine()
	fmt.Fprintf(w, "Measured on %s: %d × %s, %s, %s/%s; %s, %s, %s.\n", r.started.UTC().Format("2 January 2006"),
		runtime.NumCPU(), model, memory, runtime.GOOS, runtime.GOARCH, runtime.Version(), r.postgres, engineVersions())
	fmt.Fprintf(w, "%d turns of %s each after %s of settling; median (least–most). All contenders ran in one run, in turns.\n\n",
		r.options.rounds, r.options.window, r.options.settle)

	fmt.Fprintln(w, "| buyers | contender | purchases/s | hold p50 ms | hold p99 ms | CPU ms/purchase, servers | driver |")
	fmt.Fprintln(w, "|---:|---|---:|---:|---:|---:|---:|")
	for _, buyers := range r.options.buyers {
		for _, name := range r.names {
			all := r.rounds[name][buyers]
			fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %s | %s |\n", buyers, name,
				spread(all, "%.0f", round.perSecond),
				spread(all, "%.1f", func(x round) float64 { return milliseconds(x.quantile(.5)) }),
				spread(all, "%.1f", func(x round) float64 { return milliseconds(x.quantile(.99)) }),
				spread(all, "%.1f", func(x round) float64 { return milliseconds(x.servers()) }),
				spread(all, "%.1f", func(x round) float64 { return milliseconds(x.driver()) }))
		}
	}

	fmt.Fprintf(w, "\nThroughput of boxoffice as a multiple of the other's in the same turn; the bar, from %d buyers on, is ≥ %.1f × the naive saga and ≥ %.1f × the bare engine:\n\n",
		barFrom, overNaive, ofBare)
	fmt.Fprintln(w, "| buyers | × naive saga | × bare engine |\n|---:|---:|---:|")
	for _, buyers := range r.options.buyers {
		fmt.Fprintf(w, "| %d | %s | %s |\n", buyers, ratio(r.ratios((&naive{}).name(), buyers)), ratio(r.ratios((&bare{}).name(), buyers)))
	}

	fmt.Fprintln(w, "\nWhat Temporal keeps of one purchase:\n\n| contender | history events | history bytes |\n|---|---:|---:|")
	for _, name := range r.names {
		h := r.history[name]
		fmt.Fprintf(w, "| %s | %s | %s |\n", name,
			spread(h, "%.0f", func(x history) float64 { return float64(x.events) }),
			spread(h, "%.0f", func(x history) float64 { return float64(x.bytes) }))
	}

	fmt.Fprintf(w, "\nCPU ms of one purchase, by process (medians):\n\n| buyers | contender | %s | driver |\n|---:|---|%s---:|\n",
		strings.Join(serverParts, " | "), strings.Repeat("---:|", len(serverParts)))
	for _, buyers := range r.options.buyers {
		for _, name := range r.names {
			fmt.Fprintf(w, "| %d | %s |", buyers, name)
			for _, part := range append(slices.Clone(serverParts), partDriver) {
				fmt.Fprintf(w, " %.1f |", middle(r.rounds[name][buyers], func(x round) float64 { return milliseconds(x.each(x.cpu[part])) }))
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintf(w, "\nAfterwards `boxoffice audit` said: %s. Its %d orders, the naive saga's %d and the gateway's captured payments agree with what the buyers got. \"Please try again\" was the answer to %d requests.\n",
		r.audit, r.sold[(&product{}).name()], r.sold[(&naive{}).name()], r.again)
}

// write puts the results between the markers of a document.
func (r *results) write(file string) error {
	document, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(document, []byte(beginMarker))
	_, after, closed := bytes.Cut(rest, []byte(endMarker))
	if !ok || !closed {
		return fmt.Errorf("%s has no markers %q and %q", file, beginMarker, endMarker)
	}
	var out bytes.Buffer
	out.Write(before)
	out.WriteString(beginMarker + "\n\n")
	r.print(&out)
	out.WriteString("\n" + endMarker)
	out.Write(after)
	return os.WriteFile(file, out.Bytes(), 0o644)
}

// spread is "median (least–most)".
func spread[T any](all []T, format string, value func(T) float64) string {
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

func ratio(all []float64) string { return spread(all, "%.2f", func(x float64) float64 { return x }) }

// middle is the median of a value.
func middle[T any](all []T, value func(T) float64) float64 { return median(sorted(all, value)) }

func sorted[T any](all []T, value func(T) float64) []float64 {
	numbers := make([]float64, len(all))
	for i, x := range all {
		numbers[i] = value(x)
	}
	slices.Sort(numbers)
	return numbers
}

// shares lists the CPU time of each part for one purchase.
func (r round) shares() string {
	list := make([]string, len(serverParts))
	for i, part := range serverParts {
		list[i] = fmt.Sprintf("%s %.1f", part, milliseconds(r.each(r.cpu[part])))
	}
	return strings.Join(list, ", ")
}
