package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/boxoffice/boxoffice/bench/figures"
)

// The markers in the document between which results are written.
const (
	beginMarker = "<!-- results: written by `go run ./bench -write docs/performance.md` -->"
	endMarker   = "<!-- end of results -->"
)

// print writes the results as Markdown.
func (r *results) print(w io.Writer) {
	fmt.Fprintf(w, "Measured on %s, %s, %s.\n", figures.Machine(r.started), r.postgres, engineVersions())
	fmt.Fprintf(w, "%d turns of %s each after %s of settling; median (least–most). All contenders ran in one run, in turns.",
		r.options.rounds, r.options.window, r.options.settle)
	if r.options.payAfter > 0 {
		fmt.Fprintf(w, " Every buyer pays %s after the tickets are held.", r.options.payAfter)
	}
	fmt.Fprint(w, "\n\n")

	fmt.Fprintln(w, "| buyers | contender | purchases/s | hold p50 ms | hold p99 ms | CPU ms/purchase, servers | later | driver |")
	fmt.Fprintln(w, "|---:|---|---:|---:|---:|---:|---:|---:|")
	for _, buyers := range r.options.buyers {
		for _, name := range r.names {
			all := r.rounds[name][buyers]
			fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %s | %s | %s |\n", buyers, name,
				figures.Spread(all, "%.0f", round.perSecond),
				figures.Spread(all, "%.1f", func(x round) float64 { return figures.Milliseconds(x.quantile(.5)) }),
				figures.Spread(all, "%.1f", func(x round) float64 { return figures.Milliseconds(x.quantile(.99)) }),
				figures.Spread(all, "%.1f", func(x round) float64 { return figures.Milliseconds(x.servers()) }),
				figures.Spread(all, "%.1f", func(x round) float64 { return figures.Milliseconds(x.later()) }),
				figures.Spread(all, "%.1f", func(x round) float64 { return figures.Milliseconds(x.driver()) }))
		}
	}

	fmt.Fprintf(w, "\nThroughput of boxoffice as a multiple of the other's in the same turn; the bar, from %d buyers on, is ≥ %.1f × the naive saga and ≥ %.1f × the bare engine:\n\n",
		barFrom, overNaive, ofBare)
	fmt.Fprintln(w, "| buyers | × naive saga | × bare engine |\n|---:|---:|---:|")
	for _, buyers := range r.options.buyers {
		fmt.Fprintf(w, "| %d | %s | %s |\n", buyers, figures.Ratio(r.ratios((&naive{}).name(), buyers)), figures.Ratio(r.ratios((&bare{}).name(), buyers)))
	}

	fmt.Fprintln(w, "\nWhat Temporal keeps of one purchase:\n\n| contender | history events | history bytes |\n|---|---:|---:|")
	for _, name := range r.names {
		h := r.history[name]
		fmt.Fprintf(w, "| %s | %s | %s |\n", name,
			figures.Spread(h, "%.0f", func(x history) float64 { return float64(x.events) }),
			figures.Spread(h, "%.0f", func(x history) float64 { return float64(x.bytes) }))
	}

	fmt.Fprintf(w, "\nCPU ms of one purchase, by process (medians):\n\n| buyers | contender | %s | driver |\n|---:|---|%s---:|\n",
		strings.Join(serverParts, " | "), strings.Repeat("---:|", len(serverParts)))
	for _, buyers := range r.options.buyers {
		for _, name := range r.names {
			fmt.Fprintf(w, "| %d | %s |", buyers, name)
			for _, part := range append(slices.Clone(serverParts), partDriver) {
				fmt.Fprintf(w, " %.1f |", figures.Median(r.rounds[name][buyers], func(x round) float64 { return figures.Milliseconds(x.each(x.cpu[part])) }))
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintf(w, "\nAfterwards `boxoffice audit` said: %s. Its %d orders, the naive saga's %d and the gateway's captured payments agree with what the buyers got. \"Please try again\" was the answer to %d requests.\n",
		r.audit, r.sold[(&product{}).name()], r.sold[(&naive{}).name()], r.again)
}

// write puts the results between the markers of a document.
func (r *results) write(file string) error {
	var out strings.Builder
	r.print(&out)
	return figures.Write(file, beginMarker, endMarker, out.String())
}

// shares lists the CPU time of each part for one purchase.
func (r round) shares() string {
	list := make([]string, len(serverParts))
	for i, part := range serverParts {
		list[i] = fmt.Sprintf("%s %.1f", part, figures.Milliseconds(r.each(r.cpu[part])))
	}
	return strings.Join(list, ", ")
}
