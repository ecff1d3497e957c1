package keyfile

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/cmd/fluidmcp/cli"
	"github.com/fluidmcp/fluidmcp/internal/atomicfile"
	"github.com/fluidmcp/fluidmcp/services/gateway/keys"
)

// Command is `fluidmcp keys`.
func Command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make, check and revoke API keys for the gateway",
		Long: `Make, check and revoke API keys for the gateway. The key file has only hashes of secrets, so nobody can use what is in it.
It is YAML when its name ends in .yaml or .yml, and JSON with comments otherwise.`,
		Example: `  fluidmcp keys new --id ops --scope admin --file keys.yaml
  fluidmcp keys check keys.yaml
  fluidmcp keys revoke ops --file keys.yaml
  fluidmcp run models.yaml --start-server --keys keys.yaml   who uses it`,
		Args: cli.Subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysNew(), newKeysCheck(), newKeysRevoke())
	return cmd
}

func newKeysNew() *cobra.Command {
	var k keys.Key
	var scopes []string
	var file, expires string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a secret and its entry for the key file",
		Long: `Make a secret of 256 random bits and its entry for the key file. The secret is printed this once and kept nowhere.
With --file the entry goes into that file, which is made when it does not exist, and standard output has the secret alone.`,
		Example: `  fluidmcp keys new --id team-search --rpm 600 --tpm 100000 --file keys.yaml
  fluidmcp keys new --id ops --scope admin --expires 90d              print the entry instead
  API_KEY=$(fluidmcp keys new --id ci --model mock-llm --file keys.yaml)`,
		Args: cli.AtMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			k.ID = cmp.Or(k.ID, "key-"+strings.ToLower(rand.Text()[:8]))
			for _, s := range scopes {
				k.Scopes = append(k.Scopes, keys.Scope(s))
			}
			var err error
			if k.Expires, err = parseExpiry(expires, time.Now()); err != nil {
				return err
			}
			secret, hash := keys.New()
			made := newKey{secret, keys.NewEntry(&k, hash)}
			if err := made.Key.Check(); err != nil { // what is wrong with it is wrong whatever the file
				return err
			}
			if file != "" {
				return made.addTo(file, cmd, asJSON)
			}
			return made.print(cmd, asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&k.ID, "id", "", "name of the key in logs; a random one without it")
	flags.StringSliceVar(&scopes, "scope", []string{string(keys.Inference)}, "inference, admin, or both")
	flags.StringSliceVar(&k.Models, "model", nil, "id or alias of a model that it is for, may be repeated; all without it")
	flags.IntVar(&k.Priority, "priority", 0, "-1000 to 1000; requests of higher ones wait less")
	flags.IntVar(&k.RequestsPerMinute, "rpm", 0, "requests per minute; 0 is no limit")
	flags.IntVar(&k.TokensPerMinute, "tpm", 0, "tokens per minute; 0 is no limit")
	flags.IntVar(&k.ConcurrentRequests, "concurrent", 0, "requests at once; 0 is no limit")
	flags.BoolVar(&k.KeepAlive, "keep-alive", false, "streams hear comments while they wait")
	flags.StringVar(&expires, "expires", "", "when it ends: 90d, 12h, or 2027-01-31T00:00:00Z; never without it")
	flags.StringVar(&file, "file", "", "key file to add it to")
	flags.BoolVar(&asJSON, "json", false, "print JSON for scripts")
	return cmd
}

// parseExpiry reads days, a duration or a time (RFC 3339); "" is the zero time.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		at = now.AddDate(0, 0, min(n, 100_000))
	} else if d, notSpan := time.ParseDuration(text); notSpan == nil {
		at, err = now.Add(d), nil
	}
	switch {
	case err != nil:
		return at, fmt.Errorf("--expires %q: write 90d, 12h, or a time such as 2027-01-31T00:00:00Z", text)
	case !at.After(now):
		return at, fmt.Errorf("--expires %q: that is over already", text)
	}
	return at.UTC().Truncate(time.Second), nil
}

// newKey is what is told of a key that was just made.
type newKey struct {
	Secret string     `json:"secret"`
	Key    keys.Entry `json:"key"`
}

const shownOnce = "The secret is shown this once; the key file has only its hash.\n"

func (n newKey) print(cmd *cobra.Command, asJSON bool) error {
	text, err := keys.Add("keys.yaml", nil, n.Key)
	if err != nil {
		return err
	}
	if asJSON {
		return cli.JSON(cmd.OutOrStdout(), n)
	}
	fmt.Fprint(cmd.ErrOrStderr(), shownOnce)
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n%s", n.Secret, text)
	return err
}

func (n newKey) addTo(file string, cmd *cobra.Command, asJSON bool) error {
	text, err := keys.Read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if text, err = keys.Add(file, text, n.Key); err != nil {
		return err
	}
	if err := atomicfile.Write(file, text); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	if asJSON {
		return cli.JSON(cmd.OutOrStdout(), n)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Added %s to %s. %s", n.Key.ID, file, shownOnce)
	_, err = fmt.Fprintln(cmd.OutOrStdout(), n.Secret)
	return err
}

func newKeysCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "check FILE",
		Short:   "Check a key file and list its keys, without hashes",
		Example: "  fluidmcp keys check keys.yaml",
		Args:    cli.Exactly("one key file"),

		ValidArgsFunction: cli.Files,
		RunE: func(cmd *cobra.Command, args []string) error {
			ring, err := keys.Load(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return cli.JSON(cmd.OutOrStdout(), map[string]any{"keys": append([]*keys.Key{}, ring.Keys()...)})
			}
			return printKeys(cmd.OutOrStdout(), args[0], ring.Keys(), time.Now())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON for scripts")
	return cmd
}

func printKeys(w io.Writer, path string, list []*keys.Key, now time.Time) error {
	fmt.Fprintf(w, "%s is valid.\n\n", path)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  ID\tSTATE\tSCOPES\tMODELS\tPRIORITY\tRPM\tTPM\tCONCURRENT\tEXPIRES")
	for _, k := range list {
		state := "valid"
		switch err := k.Check(now); {
		case errors.Is(err, keys.ErrDisabled):
			state = "disabled"
		case errors.Is(err, keys.ErrExpired):
			state = "expired"
		}
		expires := "never"
		if !k.Expires.IsZero() {
			expires = k.Expires.Format(time.RFC3339)
		}
		scopes := make([]string, len(k.Scopes))
		for i, s := range k.Scopes {
			scopes[i] = string(s)
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", k.ID, state, strings.Join(scopes, ","), cmp.Or(strings.Join(k.Models, ","), "all"),
			k.Priority, orNone(k.RequestsPerMinute), orNone(k.TokensPerMinute), orNone(k.ConcurrentRequests), expires)
	}
	return table.Flush()
}

func orNone(limit int) string {
	if limit == 0 {
		return "-"
	}
	return strconv.Itoa(limit)
}

func newKeysRevoke() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "revoke ID --file FILE",
		Short:   "Take a key out of a key file",
		Example: "  fluidmcp keys revoke team-search --file keys.yaml",
		Args:    cli.Exactly("one key, `fluidmcp keys check FILE` lists them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := keys.Read(file)
			if err != nil {
				return err
			}
			if text, err = keys.Remove(file, text, args[0]); err != nil {
				return err
			}
			if err := atomicfile.Write(file, text); err != nil {
				return fmt.Errorf("write key file: %w", err)
			}
			if asJSON {
				return cli.JSON(cmd.OutOrStdout(), map[string]string{"revoked": args[0], "file": file})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is no longer in %s.\n", args[0], file)
			return err
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "key file to take it out of")
	_ = cmd.MarkFlagRequired("file") // it exists
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON for scripts")
	return cmd
}
