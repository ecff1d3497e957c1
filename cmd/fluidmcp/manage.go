package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
)

// gatewayURL is where the management commands find a running FluidMCP.
type gatewayURL struct{ base string }

func (g *gatewayURL) addFlag(cmd *cobra.Command) {
	addURL(cmd, &g.base, "gateway to talk to")
	cmd.Long = cmd.Short + ".\n\n" + keyed
}

// keyed ends the help of commands that talk to a gateway.
const keyed = `Where the gateway has a file of API keys, the environment variable FLUIDMCP_API_KEY has to hold one with the scope admin. It is no
flag because others can read command lines. SSL_CERT_FILE names a certificate to trust, such as the gateway's own.`

// addURL adds --url, with the environment's as default. The help does not show that one: it may have a password.
func addURL(cmd *cobra.Command, url *string, usage string) {
	const local = "http://localhost:8099"
	cmd.Flags().StringVar(url, "url", cmp.Or(os.Getenv("FLUIDMCP_URL"), local), usage+" (environment: FLUIDMCP_URL)")
	cmd.Flag("url").DefValue = local
}

// call sends one management request and returns the body of its answer.
func (g *gatewayURL) call(ctx context.Context, method, path string) ([]byte, error) {
	return g.send(ctx, method, path, nil)
}

// send is call with a body for the request.
func (g *gatewayURL) send(ctx context.Context, method, path string, text []byte) ([]byte, error) {
	resp, err := g.open(ctx, method, path, nil, text)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// open sends one management request and leaves the body of its answer, which is no failure, to the caller.
func (g *gatewayURL) open(ctx context.Context, method, path string, header http.Header, text []byte) (*http.Response, error) {
	base := strings.TrimSuffix(strings.TrimSuffix(g.base, "/"), "/v1") // as the settings of OpenAI's clients have it
	req, err := http.NewRequestWithContext(ctx, method, base+"/api/llm/"+path, bytes.NewReader(text))
	if err != nil || req.URL.Host == "" || !strings.HasPrefix(req.URL.Scheme, "http") {
		return nil, fmt.Errorf("--url %q: write an address such as http://localhost:8099", g.base)
	}
	maps.Copy(req.Header, header)
	if key := os.Getenv("FLUIDMCP_API_KEY"); key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := http.DefaultClient.Do(req)
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return nil, fmt.Errorf("%w; SSL_CERT_FILE names a file with a certificate to trust", err)
	}
	if err != nil && strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") { // net/http has no type for it
		return nil, fmt.Errorf("%s does not speak HTTPS: write --url http://%s", req.URL.Host, req.URL.Host)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; is FluidMCP running there? `fluidmcp run FILE --start-server` starts it, --url names another address", err)
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return nil, failure(resp, body)
}

// failure takes the message out of an OpenAI error envelope.
func failure(resp *http.Response, body []byte) error {
	var envelope struct {
		Error struct{ Message, Code string }
	}
	if host := resp.Request.URL.Host; resp.StatusCode == http.StatusBadRequest && bytes.Contains(body, []byte("HTTP request to an HTTPS server")) { // net/http's words
		return fmt.Errorf("%s speaks HTTPS: write --url https://%s", host, host)
	}
	if json.Unmarshal(body, &envelope) != nil || envelope.Error.Message == "" {
		return fmt.Errorf("%s: %s; is that address a gateway's?", resp.Status, bytes.TrimSpace(body))
	}
	if envelope.Error.Code == "model_not_found" {
		return fmt.Errorf("%s `fluidmcp ps` lists them", envelope.Error.Message)
	}
	if resp.StatusCode == http.StatusUnauthorized || envelope.Error.Code == "insufficient_scope" {
		return fmt.Errorf("%s Set FLUIDMCP_API_KEY to a key with the scope admin", envelope.Error.Message)
	}
	return errors.New(envelope.Error.Message)
}

// model is what the commands show of a model's status.
type model struct {
	ID        string `json:"id"`
	Driver    string `json:"driver"`
	Phase     string `json:"phase"`
	Instances []struct {
		PID      int       `json:"pid"`
		URL      string    `json:"url"`
		Phase    string    `json:"phase"`
		Reason   string    `json:"reason"`
		Message  string    `json:"message"`
		Outdated string    `json:"outdated"`
		Since    time.Time `json:"since"`
		Restarts int       `json:"restarts"`
	} `json:"instances"`
}

func newPs() *cobra.Command {
	var gateway gatewayURL
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "List the models of a running FluidMCP",
		Example: `  fluidmcp ps
  fluidmcp ps --json | jq -r '.models[] | select(.phase != "ready").id'   those that are not ready`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := gateway.call(cmd.Context(), http.MethodGet, "models")
			if err != nil {
				return err
			}
			if asJSON {
				_, err := cmd.OutOrStdout().Write(body)
				return err
			}
			var list struct{ Models []model }
			if err := json.Unmarshal(body, &list); err != nil {
				return fmt.Errorf("decode the list of models: %w", err)
			}
			return printModels(cmd.OutOrStdout(), list.Models, time.Now())
		},
	}
	gateway.addFlag(cmd)
	cmd.Long += "\n\nEach server of a model has its row. RESTARTS counts its starts after the first that FluidMCP remembers, whatever they were\nfor, but for those with which FluidMCP itself was started anew."
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON for scripts")
	return cmd
}

// printModels prints a row for each server: one of two that has died is not ready because the other is.
func printModels(w io.Writer, models []model, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "MODEL\tPHASE\tSINCE\tRESTARTS\tDRIVER\tPID\tURL\tMESSAGE")
	for _, m := range models {
		for i, inst := range m.Instances {
			id, pid := m.ID, ""
			if i > 0 {
				id = ""
			}
			if inst.PID > 0 {
				pid = strconv.Itoa(inst.PID)
			}
			message := cmp.Or(why(fleet.Phase(inst.Phase), inst.Reason, inst.Message), inst.Outdated)
			if message == "" && fleet.Phase(inst.Phase) == fleet.Stopped {
				message = "`fluidmcp start " + m.ID + "` starts it"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n",
				id, inst.Phase, now.Sub(inst.Since).Round(time.Second), inst.Restarts, m.Driver, pid, inst.URL, message)
		}
	}
	return table.Flush()
}

// newLifecycle makes `start` and `stop`.
func newLifecycle(verb string) *cobra.Command {
	short := map[string]string{
		"start": "Start a model that was stopped or has failed",
		"stop":  "Let a model's requests finish, stop it, and keep it stopped",
	}[verb]
	var gateway gatewayURL
	var asJSON bool
	cmd := &cobra.Command{
		Use:   verb + " MODEL",
		Short: short,
		Example: "  fluidmcp " + verb + " mock-llm\n" +
			"  fluidmcp " + verb + " mock-llm --json | jq -r .phase",
		Args: exactly("one model, `fluidmcp ps` lists them"),

		ValidArgsFunction: gateway.models,
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := gateway.call(cmd.Context(), http.MethodPost, "models/"+url.PathEscape(args[0])+"/"+verb)
			if err != nil {
				return err
			}
			if asJSON {
				_, err := cmd.OutOrStdout().Write(body)
				return err
			}
			var m model
			if err := json.Unmarshal(body, &m); err != nil {
				return fmt.Errorf("decode the model's status: %w", err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s requested, now %s; `fluidmcp ps` shows how it goes on\n", m.ID, verb, m.Phase)
			return err
		},
	}
	gateway.addFlag(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the model's status as JSON for scripts")
	return cmd
}
