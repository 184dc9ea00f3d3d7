package providers

import (
	"context"
	"time"
)

// exitGrace is how long the end of a process is waited for when its output or
// connection ended, so that the reason names the end of the process.
const exitGrace = 100 * time.Millisecond

// supervise keeps one process running until the provider is stopped. It alone
// starts and ends processes.
func (p *Provider) supervise() {
	defer close(p.done)
	options := p.registry.options
	var wish *restart // the operator who waits for the next start
	for failures := 0; p.ctx.Err() == nil; {
		began := time.Now()
		run, err := p.start()
		if err == nil {
			p.setUp(run)
		} else {
			p.setDown(StatusDown, err.Error())
		}
		wish = p.answer(wish, err)
		if err == nil {
			wish, err = p.watch(run)
			if wish == nil && p.ctx.Err() == nil {
				p.setDown(StatusDown, err.Error())
			}
			run.end()
			if time.Since(began) > options.stableAfter {
				failures = 0
			}
		}
		if wish == nil {
			wish = p.pause(options.backoff[min(failures, len(options.backoff)-1)])
			failures++
		}
		if wish != nil { // a person looked at it: start afresh, from the executable as it is
			failures = 0
			p.forgetExecutable()
		}
	}
}

// answer tells whoever waits how a start ended.
func (p *Provider) answer(wish *restart, err error) *restart {
	if wish != nil {
		wish.done <- err
	}
	select {
	case <-p.tried:
	default:
		close(p.tried)
	}
	return nil
}

// start launches a process from the executable that was seen first.
func (p *Provider) start() (*process, error) {
	if err := p.checkExecutable(); err != nil {
		return nil, err
	}
	return launch(p.ctx, p)
}

// watch returns when the process has to end: because it died or hangs (the
// error says so), an operator wishes a restart, or the provider is stopped.
func (p *Provider) watch(run *process) (*restart, error) {
	ctx, cancel := context.WithCancel(p.ctx)
	sick := make(chan error, 1)
	go func() { sick <- run.health(ctx, p.registry.options.healthEvery) }()
	checking := true
	defer func() {
		cancel()
		if checking {
			<-sick
		}
	}()
	select {
	case <-run.runner.exited:
		return nil, run.runner.cause()
	case err := <-sick:
		checking = false
		select {
		case <-run.runner.exited:
			return nil, run.runner.cause()
		case <-time.After(exitGrace):
		}
		run.runner.kill()
		return nil, err
	case wish := <-p.restart:
		p.setDown(StatusStarting, "restarted by an operator")
		run.calls.drain(wish.ctx)
		return &wish, nil
	case <-p.ctx.Done():
		return nil, errStopping
	}
}

// pause waits before the next start; an operator ends it.
func (p *Provider) pause(d time.Duration) *restart {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case wish := <-p.restart:
		p.setDown(StatusStarting, "restarted by an operator")
		return &wish
	case <-timer.C:
	case <-p.ctx.Done():
	}
	return nil
}
