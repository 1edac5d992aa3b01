package child

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a started child.
type Process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
}

// Start starts cmd in a process group of its own. onParentDeath is the signal the kernel sends to the child when this
// process ends before it (Linux only). Fields of cmd.SysProcAttr that are already set, such as Credential, are kept.
func Start(cmd *exec.Cmd, onParentDeath syscall.Signal) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	signalOnParentDeath(cmd.SysProcAttr, onParentDeath)

	process := &Process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel means the parent *thread*: it must live as long as the child, or the child is signalled when the
		// Go runtime retires an idle thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		process.err = cmd.Wait()
		close(process.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return process, nil
}

// PID is the process id of the child.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the child has ended and its output has been read to the end.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Err is nil while the child runs and when it ended with exit code 0; otherwise it is an *exec.ExitError or what went
// wrong while waiting for the child.
func (p *Process) Err() error {
	select {
	case <-p.exited:
		return p.err
	default:
		return nil
	}
}

// Signal sends a signal to the child alone. A child that has ended already is no error.
func (p *Process) Signal(signal os.Signal) {
	_ = p.cmd.Process.Signal(signal) // fails only for a child that has ended
}

// Stop sends the signal and waits until the child has ended. When ctx ends first, the child and what it started in its
// process group are killed; then Stop returns ctx's error.
func (p *Process) Stop(ctx context.Context, signal os.Signal) error {
	p.Signal(signal)
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
		p.Kill()
		<-p.exited
		return ctx.Err()
	}
}

// Kill sends SIGKILL to the child and everything in its process group.
func (p *Process) Kill() {
	select {
	case <-p.exited: // its number may belong to somebody else by now
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
}
