package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/golden"
)

// record fills files of cases with a server's answers. A case that could not be asked stays as it was.
func (o options) record(ctx context.Context, server, profile string, files []string) error {
	addr, err := address(server)
	if err != nil {
		return err
	}
	failed := 0
	for _, file := range files {
		cases, err := golden.Read(file)
		if err != nil {
			return err
		}
		for i := range cases {
			c := &cases[i]
			if c.Server != profile || c.Answer != nil && !o.again || ctx.Err() != nil {
				continue
			}
			complete(&c.Request)
			for _, steps := range [][]golden.Request{c.Before, c.After} {
				for j := range steps {
					complete(&steps[j])
				}
			}
			answer, err := c.Play(ctx, addr)
			if err != nil {
				failed++
				_, _ = fmt.Fprintf(o.log, "%s: %v\n", c.ID(), err)
				continue
			}
			c.Answer = &answer
			_, _ = fmt.Fprintf(o.out, "%s: %s\n", c.ID(), answer.StatusLine)
		}
		if err := golden.Write(file, cases); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d cases were not recorded", failed)
	}
	return nil
}

// complete adds the headers that every request of the set has, but for those that it says itself. A request with a Host is
// complete: that is how one without a Content-Type is written.
func complete(r *golden.Request) {
	has := func(name string) bool {
		return slices.ContainsFunc(r.Headers, func(h golden.Header) bool { return strings.EqualFold(h[0], name) })
	}
	if has("Host") {
		return
	}
	all := []golden.Header{{"Host", "vllm.test:8000"}, {"Accept", "*/*"}, {"User-Agent", "capture"}}
	if n := max(len(r.Body), len(r.Binary)); n > 0 {
		all = append(all, golden.Header{"Content-Type", "application/json"}, golden.Header{"Content-Length", strconv.Itoa(n)})
	}
	all = slices.DeleteFunc(all, func(h golden.Header) bool { return has(h[0]) })
	r.Headers = append(all, r.Headers...)
}
