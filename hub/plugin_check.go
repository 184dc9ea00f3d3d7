package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/superpayhub/superpay/hub/internal/process"
	"github.com/superpayhub/superpay/sdk/plugintest"
)

// sandboxStart bounds how long a stand-in may take to say where it is.
const sandboxStart = 30 * time.Second

// checkOptions are the flags of `hub plugin check`.
type checkOptions struct {
	exam, sandbox, sandboxURL string
	rules                     []string
}

func pluginCheckCommand() *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check PATH",
		Short: "Give a built plugin the exam, at its provider's stand-in",
		Long: `Give a built plugin the exam, at its provider's stand-in.

The stand-in is one that runs (--sandbox-url; it must be the exam's alone), or a
program (--sandbox) that is started as exam.json's sandbox says and prints
{"url": "http://127.0.0.1:..."} as its first line.`,
		Example: "  hub plugin check bin/plugins/stripe --exam plugins/stripe/exam.json --sandbox bin/sandbox",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return checkPlugin(c.Context(), args[0], o, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&o.exam, "exam", "exam.json", "the plugin's exam.json")
	c.Flags().StringVar(&o.sandbox, "sandbox", "", "the stand-in's program")
	c.Flags().StringVar(&o.sandboxURL, "sandbox-url", "", "address of a running stand-in")
	c.Flags().StringSliceVar(&o.rules, "rule", nil, "ask this rule only; may be repeated")
	c.MarkFlagsMutuallyExclusive("sandbox", "sandbox-url")
	c.MarkFlagsOneRequired("sandbox", "sandbox-url")
	return c
}

func checkPlugin(ctx context.Context, path string, o checkOptions, out io.Writer) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no such plugin: %w", err)
	}
	if o.sandbox != "" {
		url, run, err := startSandbox(ctx, o.sandbox, o.exam)
		if err != nil {
			return err
		}
		defer run.Kill()
		o.sandboxURL = url
	}
	kept, broken := 0, 0
	report := plugintest.NewReport(ctx, func(r *plugintest.Report) {
		if len(r.Parts) > 0 {
			return // its parts were told of
		}
		if r.Failed() {
			broken++
		} else {
			kept++
		}
		tell(out, r)
	})
	report.Run("", func(r *plugintest.Report) {
		plugintest.Run(r, plugintest.Options{Plugin: path, Exam: o.exam, SandboxURL: o.sandboxURL, Only: o.rules})
	})
	if whole := report.Parts[0]; len(whole.Findings) > 0 {
		return errors.New(strings.Join(whole.Findings, "; "))
	}
	fmt.Fprintf(out, "\n%d kept, %d broken\n", kept, broken)
	if broken > 0 || kept == 0 {
		return errors.New("the plugin has not passed")
	}
	return nil
}

// tell prints one rule's result.
func tell(out io.Writer, r *plugintest.Report) {
	result := "ok    "
	if r.Failed() {
		result = "FAILED"
	}
	fmt.Fprintf(out, "%s  %s\n", result, r.Name)
	for _, line := range r.Findings {
		fmt.Fprintln(out, "        "+strings.ReplaceAll(line, "\n", "\n        "))
	}
	for _, line := range r.Notes {
		fmt.Fprintln(out, "        note: "+line)
	}
}

// startSandbox runs the stand-in's program and returns where it is. The context ends it.
func startSandbox(ctx context.Context, program, exam string) (url string, run *process.Process, err error) {
	paper, err := plugintest.ReadPaper(exam)
	if err != nil {
		return "", nil, err
	}
	args, env, err := paper.Start()
	if err != nil {
		return "", nil, err
	}
	if program, err = filepath.Abs(program); err != nil {
		return "", nil, err
	}
	read, write := io.Pipe()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = write, os.Stderr, append(os.Environ(), env...)
	run, err = process.Start(cmd)
	if err != nil {
		return "", nil, fmt.Errorf("start the stand-in: %w", err)
	}
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(read).ReadString('\n')
		said <- line
		_, _ = io.Copy(io.Discard, read)
	}()
	var where struct{ URL string }
	select {
	case line := <-said:
		if json.Unmarshal([]byte(line), &where) == nil && where.URL != "" {
			return strings.TrimSuffix(where.URL, "/") + paper.Sandbox.Path, run, nil
		}
		err = fmt.Errorf("the stand-in's first line is not {\"url\": ...}: %q", line)
	case <-run.Done():
		err = fmt.Errorf("the stand-in ended at once: %w", run.Err())
	case <-time.After(sandboxStart):
		err = errors.New("the stand-in does not say where it is")
	}
	run.Kill()
	return "", nil, err
}
