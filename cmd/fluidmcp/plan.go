package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/fluidmcp/fluidmcp/services/supervisor/spec"
)

// printPlan shows what a valid models file would start, and the flag that does.
func printPlan(w io.Writer, path string, file *spec.File, start string, asJSON bool) error {
	if asJSON {
		return planJSON(w, file)
	}
	fmt.Fprintf(w, "%s is valid. It would run:\n\n", path)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  MODEL\tDRIVER\tADDRESS\tCOMMAND")
	for _, m := range file.Models {
		for _, inst := range m.Instances {
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", m.ID, m.Driver, inst.URL, inst.CommandLine())
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	gap := "\n"
	for _, m := range file.Models {
		if m.Demand.Start {
			if _, err := fmt.Fprintf(w, "%s%s is started by the first request for it%s.\n", gap, m.ID, retires(m.Demand)); err != nil {
				return err
			}
			gap = ""
		}
	}
	for _, warning := range file.Warnings {
		if _, err := fmt.Fprintf(w, "\n%s\n", warning); err != nil {
			return err
		}
	}
	for _, m := range file.Models {
		if m.Driver == spec.Kubernetes {
			_, err := fmt.Fprintf(w, "\nIt cannot be started yet: this build has no driver %s for model %q.\n", m.Driver, m.ID)
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nStart it with: fluidmcp run %s %s\n", path, start)
	return err
}

// retires says when a model on demand stops again.
func retires(d spec.Demand) string {
	how, text := "stopped", ""
	if d.Sleep {
		how = "put to sleep"
	}
	if d.IdleTimeout > 0 {
		text = fmt.Sprintf(", and %s when there was none for %s", how, d.IdleTimeout)
	}
	if d.SwapGroup != "" {
		text += fmt.Sprintf("; it shares the GPUs of swap group %s", d.SwapGroup)
	}
	return text
}

func planJSON(w io.Writer, file *spec.File) error {
	type instance struct {
		ID      string `json:"id"`
		URL     string `json:"url"`
		Command string `json:"command,omitempty"`
	}
	type model struct {
		ID         string      `json:"id"`
		Aliases    []string    `json:"aliases,omitempty"`
		ServedName string      `json:"served_name,omitempty"`
		Driver     spec.Driver `json:"driver"`
		Instances  []instance  `json:"instances"`
	}
	models := make([]model, len(file.Models))
	for i, m := range file.Models {
		models[i] = model{ID: m.ID, Aliases: m.Aliases, ServedName: m.ServedName, Driver: m.Driver}
		for _, inst := range m.Instances {
			models[i].Instances = append(models[i].Instances, instance{inst.ID, inst.URL, inst.CommandLine()})
		}
	}
	return printJSON(w, map[string]any{"models": models})
}
