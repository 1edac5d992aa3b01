// Package supervisor runs a handful of programs as children of this process: it waits until each is ready, restarts what
// dies, and stops everything in reverse order.
//
// Each program's output goes to a log file of its own; what a person should know is said in one line. It knows nothing of
// what the programs do. It is for one machine and one person watching; production has systemd or Kubernetes.
package supervisor
