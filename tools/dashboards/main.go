// Dashboards writes the Grafana dashboards of deploy/grafana/dashboards.
//
//	go run ./tools/dashboards deploy/grafana/dashboards
//
// fleet.go and model.go say what is on them, panel.go and table.go how each kind of panel looks. The types are Grafana's own
// (grafana-foundation-sdk), so that a misspelt option does not compile.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: dashboards FOLDER")
		os.Exit(64)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	for name, b := range boards() {
		content, err := b.json()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil { //nolint:gosec // Grafana runs as another user
			return fmt.Errorf("write dashboard: %w", err)
		}
	}
	return nil
}

// boards are the dashboards by file name.
func boards() map[string]board {
	return map[string]board{"fleet.json": fleet(), "model.json": model()}
}
