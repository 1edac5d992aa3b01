package supervisor

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	shortestPause = 500 * time.Millisecond
	longestPause  = 10 * time.Second
	// A program that lived this long counts as healthy: the pauses start from the shortest again.
	healthyLife = 30 * time.Second
)

// Supervisor runs programs. Its methods must not be called from several goroutines at a time.
type Supervisor struct {
	notice func(line string)
	kept   []*keeper
}

// New returns a supervisor that tells notice, from any goroutine, what happens to programs after their start.
func New(notice func(line string)) *Supervisor {
	return &Supervisor{notice: notice}
}

// Run runs a program to its end. It fails with an [*EndedError] unless the exit code is 0. When ctx ends the program
// is stopped.
func (s *Supervisor) Run(ctx context.Context, program Program) error {
	life, err := launch(program)
	if err != nil {
		return err
	}
	select {
	case <-life.process.Exited():
		if life.process.Err() != nil {
			return life.ended()
		}
		return nil
	case <-ctx.Done():
		life.stop(context.WithoutCancel(ctx))
		return ctx.Err()
	}
}

// Start starts a program and waits until it is ready; from then on it is started again whenever it ends, until StopAll.
// It fails with an [*EndedError] if the program ended instead, and leaves nothing running on an error.
func (s *Supervisor) Start(ctx context.Context, program Program) error {
	life, err := launch(program)
	if err != nil {
		return err
	}
	if err := life.awaitReady(ctx); err != nil {
		life.stop(context.WithoutCancel(ctx))
		return err
	}
	keeper := &keeper{program: program, notice: s.notice, done: make(chan struct{})}
	keeper.ctx, keeper.cancel = context.WithCancel(context.Background())
	go keeper.keep(life)
	s.kept = append(s.kept, keeper)
	return nil
}

// StopAll stops the programs, the last one started first. When ctx ends they are killed.
func (s *Supervisor) StopAll(ctx context.Context) {
	for _, keeper := range slices.Backward(s.kept) {
		keeper.stop(ctx)
	}
	s.kept = nil
}

// keeper keeps one program running.
type keeper struct {
	program Program
	notice  func(string)
	ctx     context.Context // ends when the program shall not be started again
	cancel  context.CancelFunc
	done    chan struct{} // closed when last is final
	last    *launched     // the life that StopAll has to end, nil if there is none
}

func (k *keeper) stop(ctx context.Context) {
	k.cancel()
	<-k.done
	if k.last != nil {
		k.last.stop(ctx)
	}
}

func (k *keeper) keep(life *launched) {
	defer close(k.done)
	pause := shortestPause
	for born := time.Now(); ; born = time.Now() {
		select {
		case <-k.ctx.Done():
			k.last = life
			return
		case <-life.process.Exited():
		}
		if time.Since(born) > healthyLife {
			pause = shortestPause
		}
		for {
			k.notice(fmt.Sprintf("%v; starting it again in %v", life.ended(), pause))
			select {
			case <-k.ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, longestPause)
			next, err := k.revive()
			if err == nil {
				life = next
				break
			}
			k.notice(err.Error())
		}
	}
}

// revive starts the program again and says so when it is ready.
func (k *keeper) revive() (*launched, error) {
	life, err := launch(k.program)
	if err != nil {
		return nil, err
	}
	go func() {
		if life.awaitReady(k.ctx) == nil {
			k.notice(k.program.Name + " runs again")
		}
	}()
	return life, nil
}
