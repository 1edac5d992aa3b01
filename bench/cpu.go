package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The parts that CPU time is charged to.
const (
	partProduct   = "boxoffice"
	partBooks     = "its database" // of boxoffice, or of the naive saga
	partEngine    = "Temporal"
	partEngineDB  = "Temporal's database"
	partPostgres  = "PostgreSQL's own"
	partGateway   = "sandbox"
	partDriver    = "driver"
	ticksOneOf    = 100 // Linux counts CPU time for programs in hundredths of a second on every machine
	engineDBName  = "temporal"
	productDBName = "boxoffice_bench"
	rivalDBName   = "boxoffice_naive"
)

// serverParts are all but the driver, in the order in which they are shown.
var serverParts = []string{partProduct, partBooks, partEngine, partEngineDB, partPostgres, partGateway}

// usage is CPU time by part.
type usage map[string]time.Duration

func (u usage) since(before usage) usage {
	spent := usage{}
	for part, now := range u {
		spent[part] = now - before[part]
	}
	return spent
}

func (u usage) servers() (sum time.Duration) {
	for _, part := range serverParts {
		sum += u[part]
	}
	return sum
}

// task is one process of the machine.
type task struct {
	parent int
	used   time.Duration // also by children that have ended
	title  string
}

// readCPU reads what every part has used since it was started.
func readCPU(s *stack) usage {
	all, children := map[int]task{}, map[int][]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		pid, t, err := readTask(file)
		if err != nil {
			continue // it has ended meanwhile; its parent counts it
		}
		all[pid] = t
		children[t.parent] = append(children[t.parent], pid)
	}
	u := usage{}
	var add func(pid int, partOf func(task) string)
	add = func(pid int, partOf func(task) string) {
		u[partOf(all[pid])] += all[pid].used
		for _, child := range children[pid] {
			add(child, partOf)
		}
	}
	whole := func(part string) func(task) string { return func(task) string { return part } }
	add(s.run.pid(), whole(partProduct))
	add(s.engine.pid(), whole(partEngine))
	add(s.sandbox.pid(), whole(partGateway))
	add(s.postgres.pid(), func(t task) string {
		// A connection's process says whose it is: "postgres: <user> <database> <address> <what it does>".
		switch {
		case strings.Contains(t.title, " "+productDBName+" "), strings.Contains(t.title, " "+rivalDBName+" "):
			return partBooks
		case strings.Contains(t.title, " "+engineDBName):
			return partEngineDB
		}
		return partPostgres
	})
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil {
		u[partDriver] = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	}
	return u
}

// readTask reads /proc/<pid>/stat and the title beside it.
func readTask(file string) (pid int, t task, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, t, err
	}
	text := string(content)
	end := strings.LastIndexByte(text, ')') // the name before it may contain anything
	fields := strings.Fields(text[end+1:])
	if end < 0 || len(fields) < 15 {
		return 0, t, fmt.Errorf("%s is not as expected", file)
	}
	if pid, err = strconv.Atoi(filepath.Base(filepath.Dir(file))); err != nil {
		return 0, t, err
	}
	number := func(i int) int {
		n, e := strconv.Atoi(fields[i])
		if e != nil {
			err = e
		}
		return n
	}
	t.parent = number(1)
	// utime, stime, cutime, cstime: fields 14 to 17 of the line, counted from 1.
	t.used = time.Duration(number(11)+number(12)+number(13)+number(14)) * time.Second / ticksOneOf
	title, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
	t.title = strings.ReplaceAll(string(title), "\x00", " ")
	return pid, t, err
}
