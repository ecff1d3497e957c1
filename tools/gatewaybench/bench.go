package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/pinned"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/report"
	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/rows"
)

// bench is what all visits share.
type bench struct {
	options
	dir             string // of this run
	gateway, others int    // cores
	places          rows.Places
	progress        io.Writer
	model           *pinned.Process // the upstream
	urgent          []string        // what starts the load generator while it is as urgent as they are
}

func newBench(o options, progress io.Writer) (*bench, error) {
	b := &bench{options: o, progress: progress}
	var err error
	if b.gateway, b.others, err = pinned.Cores(); err != nil {
		return nil, err
	}
	if b.places.Self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.places.Cache, err = filepath.Abs(o.cache); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp(o.out, "gatewaybench-"); err != nil {
		return nil, err
	}
	for _, port := range []*string{&b.places.Upstream, &b.places.Port, &b.places.ExtraPort} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		*port = strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
	}
	return b, nil
}

func (b *bench) close() {
	if b.out == "" {
		_ = os.RemoveAll(b.dir)
	}
}

// measure visits each row once a round, every other round from the last to the first.
func (b *bench) measure(ctx context.Context, chosen []rows.Row) (*report.Report, error) {
	rep := &report.Report{Machine: report.Machine(), Date: time.Now().UTC().Format("2006-01-02"), Rounds: b.rounds, Seconds: b.seconds}
	var installed []rows.Row
	for _, r := range chosen {
		result := &report.Result{Name: r.Name, Note: r.Note, Missing: r.Missing(b.places)}
		rep.Rows = append(rep.Rows, result)
		if result.Missing == "" {
			result.Version = r.VersionOf(b.places)
			installed = append(installed, r)
		}
	}
	for round := range b.rounds {
		for _, r := range installed {
			fmt.Fprintf(b.progress, "round %d of %d: %s\n", round+1, b.rounds, r.Name)
			v, err := b.visit(ctx, r)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			result := rep.Row(r.Name)
			if err != nil {
				fmt.Fprintf(b.progress, "  %v\n", err)
				result.Failures = append(result.Failures, err.Error())
			}
			result.Visits = append(result.Visits, v) // also a failed one, so that the rounds of all rows fit together
		}
		slices.Reverse(installed)
	}
	return rep, nil
}

// visit measures one gateway once, with a fresh upstream.
func (b *bench) visit(ctx context.Context, r rows.Row) (*report.Visit, error) {
	v := &report.Visit{}
	var err error
	if b.model, err = b.startUpstream(ctx); err != nil {
		return v, err
	}
	defer func() { b.model.Stop() }() // one probe replaces it
	gw, err := b.startGateway(ctx, r)
	if err != nil {
		return v, err
	}
	defer gw.stop()
	time.Sleep(500 * time.Millisecond) // what starting has left behind is over then
	idle, err := gw.Used()
	if err != nil {
		return v, err
	}
	v.IdleMB = float64(idle.Bytes) / 1e6
	for _, step := range []func(context.Context, *server, *report.Visit) error{b.warm, b.added, b.plain, b.paced, b.crowd, b.probes} {
		if err := step(ctx, gw, v); err != nil {
			return v, err
		}
	}
	return v, nil
}
