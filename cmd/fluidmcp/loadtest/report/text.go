package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Text writes the report for a person at a terminal.
func (r *Report) Text(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%s\n\n", r.Run.Target, r.Run.Sentence())
	if r.Interrupted {
		fmt.Fprintf(&b, "Ended early: %d requests in flight were cut and are not in the figures.\n\n", r.Requests.Cut)
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "Requests\t%d ok, %d failed (%s) in %.1f s; ", r.Requests.OK, r.Requests.Failed, percent(r.ErrorRate), r.Seconds)
	if r.Run.Loop == "open" { // in a closed loop the server decides
		fmt.Fprintf(table, "%s sent/s, ", number(r.SentPerSecond))
	}
	fmt.Fprintf(table, "%s ok/s\n", number(r.RequestsPerSecond))
	fmt.Fprintf(table, "Tokens\t%d in, %d out; %s out/s\n", r.Tokens.Input, r.Tokens.Output, number(r.TokensPerSecond))
	fmt.Fprintf(table, "Client\t%s\n", r.Client.cost())
	fmt.Fprintf(table, "Delays\t%s\n", r.Client.delays())
	_ = table.Flush() // to memory
	r.latencyTable(&b)
	if len(r.Failures) > 0 {
		fmt.Fprintf(&b, "\nFailures\n")
		for _, f := range r.Failures {
			fmt.Fprintf(&b, "  %6d  %-12s  %s\n", f.Count, f.Kind, f.Example)
		}
	}
	for _, text := range r.Warnings {
		fmt.Fprintf(&b, "\nWarning: %s.\n", text)
	}
	r.verdicts(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// Sentence tells what was asked for.
func (r Run) Sentence() string {
	parts := []string{r.Model}
	if r.Loop == "open" {
		parts = append(parts, fmt.Sprintf("%g requests/s, %s arrivals", r.Rate, r.Arrivals))
		if r.Concurrency > 0 {
			parts = append(parts, fmt.Sprintf("at most %d at a time", r.Concurrency))
		}
	} else {
		parts = append(parts, fmt.Sprintf("%d at a time", r.Concurrency))
	}
	if r.Requests > 0 {
		parts = append(parts, fmt.Sprintf("%d requests", r.Requests))
	} else {
		parts = append(parts, r.Duration)
	}
	if r.Warmup != "" {
		parts = append(parts, "warm-up "+r.Warmup)
	}
	if r.Stream {
		parts = append(parts, "streamed")
	}
	if r.Input != "" {
		parts = append(parts, r.Input+" tokens in")
	} else {
		parts = append(parts, "prompts of "+r.Prompts)
	}
	if r.Output != "0" {
		parts = append(parts, r.Output+" out")
	}
	return strings.Join(parts, ", ")
}

func (c Client) cost() string {
	text := number(c.CPUMicrosPerRequest) + " µs of CPU per request"
	if c.CPUMicrosPerChunk > 0 {
		text += fmt.Sprintf(", %s per chunk", number(c.CPUMicrosPerChunk))
	}
	return text
}

func (c Client) delays() string {
	text := fmt.Sprintf("woke up %s ms late", number(c.Delay))
	if c.SendLag != nil {
		text += fmt.Sprintf(", sent %s ms late", number(c.SendLag.P99))
	}
	return text + " (p99)"
}

func (r *Report) latencyTable(b *bytes.Buffer) {
	rows := r.rows()
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n")
	table := tabwriter.NewWriter(b, 8, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "ms\t")
	for _, c := range columns {
		if !c.Wide {
			fmt.Fprint(table, c.Name+"\t")
		}
	}
	for _, row := range rows {
		fmt.Fprint(table, "\n"+row.Title+"\t")
		for i, cell := range row.Cells {
			if !columns[i].Wide {
				fmt.Fprint(table, cell+"\t")
			}
		}
	}
	fmt.Fprintln(table)
	_ = table.Flush() // to memory
}

func (r *Report) verdicts(b *bytes.Buffer) {
	if len(r.Conditions) > 0 {
		b.WriteString("\n")
	}
	for _, v := range r.judged() {
		word := "passed"
		if v.Failed {
			word = "FAILED"
		}
		fmt.Fprintf(b, "%s  --fail-if '%s'  (%s)\n", word, v.Condition, v.Measured)
	}
}
