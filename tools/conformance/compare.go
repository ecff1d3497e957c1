package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/golden"
)

// report is what a comparison found.
type report struct {
	Profile     string       `json:"profile"`
	Cases       int          `json:"cases"`
	Groups      []group      `json:"groups"`
	Differences []difference `json:"differences"`
}

type group struct {
	Name    string `json:"name"`
	Cases   int    `json:"cases"`
	Differs int    `json:"differs"`
}

type difference struct {
	Case       string `json:"case"`
	About      string `json:"about"`
	Difference string `json:"difference"`
}

func (o options) compare(ctx context.Context, server, profile string) error {
	addr, err := address(server)
	if err != nil {
		return err
	}
	cases, err := golden.ReadAll(o.dir)
	if err != nil {
		return err
	}
	r := report{Profile: profile, Groups: []group{}, Differences: []difference{}}
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.Server == profile {
			r.add(c, ask(ctx, c, addr))
		}
	}
	if r.Cases == 0 {
		return fmt.Errorf("%s has no case of a server %q", o.dir, profile)
	}
	if o.json {
		out := json.NewEncoder(o.out)
		out.SetEscapeHTML(false)
		out.SetIndent("", " ")
		err = out.Encode(r)
	} else {
		err = r.print(o.out)
	}
	if err == nil && len(r.Differences) > 0 {
		err = errDiffers
	}
	return err
}

// ask returns how a server's answer differs, "" when it does not.
func ask(ctx context.Context, c golden.Case, addr string) string {
	got, err := c.Play(ctx, addr)
	if err != nil {
		return err.Error()
	}
	if diff := c.Difference(got); diff != "" {
		return diff
	}
	if diff := c.HeadDifference(got); diff != "" {
		return "head: " + diff
	}
	return ""
}

// add expects the cases of a group one after the other.
func (r *report) add(c golden.Case, diff string) {
	if n := len(r.Groups); n == 0 || r.Groups[n-1].Name != c.Group {
		r.Groups = append(r.Groups, group{Name: c.Group})
	}
	g := &r.Groups[len(r.Groups)-1]
	r.Cases++
	g.Cases++
	if diff != "" {
		g.Differs++
		r.Differences = append(r.Differences, difference{c.ID(), c.About, diff})
	}
}

func (r *report) print(w io.Writer) error {
	for _, d := range r.Differences {
		if _, err := fmt.Fprintf(w, "%s (%s)\n%s\n\n", d.Case, d.About, d.Difference); err != nil {
			return err
		}
	}
	const row = "%-24s %6v %8v\n"
	if _, err := fmt.Fprintf(w, row, r.Profile, "cases", "differ"); err != nil {
		return err
	}
	for _, g := range r.Groups {
		if _, err := fmt.Fprintf(w, row, g.Name, g.Cases, g.Differs); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, row, "all", r.Cases, len(r.Differences))
	return err
}
