package main

import (
	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/fields"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the models file, for editors and scripts",
		Long: `Print the JSON Schema (draft 2020-12) of the models file. An editor that has it completes and explains the fields and marks
mistakes as you type. Name it in the file: "$schema": "./models.schema.json" in JSON, or as a first line in YAML
# yaml-language-server: $schema=models.schema.json`,
		Example: "  fluidmcp schema > models.schema.json",
		Args:    cli.AtMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := fields.Schema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
