package plugintest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// Report is a T for programs. Make the first with NewReport.
type Report struct {
	Name     string
	Findings []string // what is wrong, and what to do
	Notes    []string
	Parts    []*Report

	ctx    context.Context
	mu     sync.Mutex
	failed bool
	done   func(*Report)
}

var _ Subtests[*Report] = (*Report)(nil)

// NewReport begins a report. done is called as each part ends, and may be nil.
func NewReport(ctx context.Context, done func(*Report)) *Report {
	return &Report{ctx: ctx, done: done}
}

// Run implements Subtests. A part that fails at once ends its goroutine, as
// package testing's do.
func (r *Report) Run(name string, part func(*Report)) bool {
	p := &Report{Name: strings.TrimPrefix(r.Name+"/"+name, "/"), ctx: r.ctx, done: r.done}
	r.mu.Lock()
	r.Parts = append(r.Parts, p)
	r.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if cause := recover(); cause != nil {
				p.Errorf("the exam itself broke: %v", cause)
			}
		}()
		part(p)
	}()
	<-ended
	if p.done != nil {
		p.done(p)
	}
	return !p.Failed()
}

// Helper implements T.
func (r *Report) Helper() {}

// Context implements T.
func (r *Report) Context() context.Context { return r.ctx }

// Logf implements T.
func (r *Report) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// Errorf implements T.
func (r *Report) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
}

// FailNow implements T.
func (r *Report) FailNow() {
	r.mu.Lock()
	r.failed = true
	r.mu.Unlock()
	runtime.Goexit()
}

// Failed implements T: of this part and of those in it.
func (r *Report) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.Parts {
		if p.Failed() {
			return true
		}
	}
	return r.failed
}
