// Package child starts processes that must not outlive the one that started them.
//
// It puts each child in a process group of its own, so that a Ctrl-C in the terminal reaches only the parent, which then
// stops its children in the order it chooses. On Linux the kernel itself signals the child when the parent is gone,
// even when that was killed with SIGKILL; elsewhere a killed parent leaves its children running.
//
// It knows nothing of what the children do.
package child
