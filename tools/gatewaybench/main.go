// Command gatewaybench measures gateways side by side on one small machine: make bench-gateway.
//
//	rows/       the gateways that can be measured, as rows.json describes them
//	pinned/     a server on one core: its processor time, memory and priority
//	upstream/   the model server behind the gateways
//	load/       the load generator
//	report/     medians, ratios to nginx, tables
//	bench.go    rounds of visits; one visit to one gateway
//	server.go   starts the upstream and a gateway, and asks them
//	figures.go  what is measured in a visit, in this order
//	probes.go   what becomes of a request when the upstream dies or the client leaves
//	soak.go     one gateway for many minutes
//	roles.go    what this program is besides: upstream, load generator, reverse proxy, fleet feed
//
// The gateway has a core for itself; the upstream and the load generator share another one.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/fluidmcp/fluidmcp/tools/gatewaybench/rows"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "gatewaybench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	only, cache, out string
	rows             []string
	rounds           int
	seconds          float64
	soak             int
	streams, idle    int
	json, list       bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("gatewaybench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.only, "only", "", "measure these `rows` only, separated by commas")
	flags.Func("row", "read more rows, or others of the same name, from a `file` like rows.json (repeatable)", func(file string) error {
		o.rows = append(o.rows, file)
		return nil
	})
	flags.IntVar(&o.rounds, "rounds", 3, "visits to each row; the median counts")
	flags.Float64Var(&o.seconds, "seconds", 3, "length of each measurement; under 2 only shows that a row works")
	flags.IntVar(&o.streams, "streams", 512, "concurrent streams of the memory measurement and of --soak")
	flags.IntVar(&o.idle, "idle", 10000, "idle connections beside these streams")
	flags.IntVar(&o.soak, "soak", 0, "run the first row of --only (or ours) for so many `minutes` and print its memory, instead of measuring")
	flags.BoolVar(&o.json, "json", false, "print every number of every round as JSON instead of the tables")
	flags.BoolVar(&o.list, "list", false, "print the rows there are")
	flags.StringVar(&o.cache, "cache", ".cache/gatewaybench", "`folder` where install.sh put the peers")
	flags.StringVar(&o.out, "logs", "", "keep the logs of all processes in this `folder`")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	case o.rounds < 1 || o.rounds > 20 || o.seconds < 0.1 || o.seconds > 60:
		return o, errors.New("--rounds takes 1 to 20, --seconds 0.1 to 60")
	case o.soak < 0 || o.soak > 24*60:
		return o, errors.New("--soak takes up to 1440 minutes")
	case o.streams < 1 || o.streams > 2000 || o.idle < 0 || o.idle > 15000:
		return o, errors.New("--streams takes 1 to 2000, --idle up to 15000")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		if role, ok := roles[args[0]]; ok {
			return role(ctx, args[1:], stdout)
		}
	}
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.soak > 0 && o.only == "" {
		o.only = "ours"
	}
	chosen, err := readChosen(o.rows, o.only)
	if err != nil {
		return err
	}
	b, err := newBench(o, stderr)
	if err != nil {
		return err
	}
	defer b.close()
	if o.list {
		for _, r := range chosen {
			fmt.Fprintln(stdout, strings.TrimRight(fmt.Sprintf("%-14s %s  %s", r.Name, r.Note, r.Missing(b.places)), " "))
		}
		return nil
	}
	if o.soak > 0 {
		return b.soak(ctx, chosen[0], time.Duration(o.soak)*time.Minute, stdout)
	}
	report, err := b.measure(ctx, chosen)
	if err != nil {
		return err
	}
	if o.json {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", " ")
		return encoder.Encode(report)
	}
	_, err = io.WriteString(stdout, report.Markdown())
	return err
}

func readChosen(files []string, names string) ([]rows.Row, error) {
	all, err := rows.Read(files)
	if err != nil {
		return nil, err
	}
	return rows.Choose(all, names)
}
