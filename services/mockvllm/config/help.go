package config

import "github.com/fluidmcp/fluidmcp/services/mockvllm/cli"

// Help is what --help=WORD prints.
func Help(word string) string {
	return cli.ServeTable(ownOptions).Help(word, func(name string) string {
		if setters[name] == nil && name != "--config" {
			return "accepted without effect"
		}
		return ""
	})
}
