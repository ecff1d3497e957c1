package plan

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest"
)

// Print shows what a valid models file would start, and the flag that does.
func Print(w io.Writer, path string, file *manifest.File, start string, asJSON bool) error {
	if asJSON {
		return planJSON(w, file)
	}
	fmt.Fprintf(w, "%s is valid. It would run:\n\n", path)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	gpus := slices.ContainsFunc(file.Models, func(m manifest.Model) bool {
		return slices.ContainsFunc(m.Instances, func(i manifest.Instance) bool { return devices(i) != nil })
	})
	row := func(model, driver, address, device, command string) {
		if gpus {
			address += "\t" + device
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", model, driver, address, command)
	}
	row("MODEL", "DRIVER", "ADDRESS", "GPUS", "COMMAND")
	for _, m := range file.Models {
		for _, inst := range m.Instances {
			row(m.ID, string(m.Driver), inst.URL, strings.Join(devices(inst), ","), inst.CommandLine())
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
		if m.Driver == manifest.Kubernetes {
			_, err := fmt.Fprintf(w, "\nIt cannot be started yet: this build has no driver %s for model %q.\n", m.Driver, m.ID)
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nStart it with: fluidmcp run %s %s\n", path, start)
	return err
}

// devices are the GPUs that a server is told to take, nil when nobody says which.
func devices(i manifest.Instance) []string {
	if i.GPU == nil {
		return nil
	}
	return i.GPU.Devices
}

// retires says when a model on demand stops again.
func retires(d manifest.Demand) string {
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

func planJSON(w io.Writer, file *manifest.File) error {
	type instance struct {
		ID      string   `json:"id"`
		URL     string   `json:"url"`
		Devices []string `json:"devices,omitempty"`
		Command string   `json:"command,omitempty"`
	}
	type model struct {
		ID         string          `json:"id"`
		Aliases    []string        `json:"aliases,omitempty"`
		ServedName string          `json:"served_name,omitempty"`
		Driver     manifest.Driver `json:"driver"`
		Instances  []instance      `json:"instances"`
	}
	models := make([]model, len(file.Models))
	for i, m := range file.Models {
		models[i] = model{ID: m.ID, Aliases: m.Aliases, ServedName: m.ServedName, Driver: m.Driver}
		for _, inst := range m.Instances {
			models[i].Instances = append(models[i].Instances, instance{inst.ID, inst.URL, devices(inst), inst.CommandLine()})
		}
	}
	return cli.JSON(w, map[string]any{"models": models, "warnings": append([]string{}, file.Warnings...)})
}
