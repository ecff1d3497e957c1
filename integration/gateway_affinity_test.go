package integration

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/fluidmcp/fluidmcp/internal/fleet"
	"github.com/fluidmcp/fluidmcp/services/mockvllm"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/mockvllmtest"
)

// prefixLoad is conversations that share system prompts, as applications have them: each turn repeats what came before.
type prefixLoad struct {
	applications, conversations, turns int // conversations of each application
	parallel                           int // at a time
}

// The caches of three replicas are too small for all that is asked: round_robin keeps a part of each prompt in each of them,
// prefix_affinity a third of the prompts in one.
func TestPrefixAffinity(t *testing.T) {
	t.Parallel()
	load := prefixLoad{applications: 12, conversations: 3, turns: 2, parallel: 6}
	spread, _ := load.run(t, fleet.RoundRobin, "")
	kept, _ := load.run(t, fleet.PrefixAffinity, "")
	t.Logf("of the prompts' tokens %.3f came from a cache with round_robin, %.3f with prefix_affinity", spread, kept)
	if kept <= spread {
		t.Error("prefix_affinity is no better")
	}
}

// BenchmarkPrefixAffinity takes two minutes to print a table of what the policies are worth on a small GPU, which computes 8,000
// prompt tokens a second and takes 10 ms a step:
//
//	go test ./integration -run '^$' -bench PrefixAffinity -benchtime 1x
func BenchmarkPrefixAffinity(b *testing.B) {
	profile := filepath.Join(b.TempDir(), "profile.json")
	writeFile(b, profile, `{"prefill_tokens_per_second":8000,"step_base_us":10000,"step_per_sequence_us":200}`)
	load := prefixLoad{applications: 12, conversations: 4, turns: 4, parallel: 6}
	for b.Loop() {
		table := &strings.Builder{}
		out := tabwriter.NewWriter(table, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, "policy\trequests\tprompt tokens from a cache\tfirst token p50\tp90")
		for _, policy := range []fleet.Policy{fleet.RoundRobin, fleet.LeastLoad, fleet.PrefixAffinity} {
			hits, waits := load.run(b, policy, profile)
			slices.Sort(waits)
			at := func(part float64) time.Duration {
				return waits[int(part*float64(len(waits)-1))].Round(time.Millisecond)
			}
			fmt.Fprintf(out, "%s\t%d\t%.0f %%\t%s\t%s\n", policy, len(waits), 100*hits, at(.5), at(.9))
		}
		out.Flush()
		b.Log("\n" + table.String())
	}
}

// run sends the load to servers with a profile, or with none, and returns which part of the prompts' tokens came from a cache, and
// the waits for the first tokens.
func (l prefixLoad) run(t testing.TB, policy fleet.Policy, profile string) (hits float64, waits []time.Duration) {
	t.Helper()
	blocks := 40 * 1024 / 16 // room for some 40,000 tokens
	var replicas []*mockvllmtest.Server
	var urls []string
	for range 3 {
		mock := mockvllmtest.Start(t, mockvllmtest.Answers("random"), mockvllmtest.Config(func(c *mockvllm.Config) {
			c.Mock.Profile, c.Scheduler.BlockSize, c.Scheduler.Blocks, c.MaxModelLen = profile, new(16), &blocks, 16384
		}))
		replicas, urls = append(replicas, mock), append(urls, mock.URL)
	}
	f := newFeed(t)
	m := served("m", urls...)
	m.Routing.Policy = policy
	f.publish(t, m)
	g := startGateway(t, quickGateway, f.URL)
	f.await(t, g)
	d := newDoor(t, g, "HTTP/1.1", nil, func(p *http.Protocols) { p.SetHTTP1(true) })

	chance := rand.New(rand.NewPCG(1, 2))
	systems := make([]string, l.applications)
	for i := range systems {
		systems[i] = words(chance, 1500)
	}
	var talks [][]message // one conversation each
	for i := range l.applications * l.conversations {
		talks = append(talks, []message{{"system", systems[i%l.applications]}})
	}
	chance.Shuffle(len(talks), func(i, j int) { talks[i], talks[j] = talks[j], talks[i] })
	for range l.turns {
		for i := range talks {
			talks[i] = append(talks[i], message{"user", words(chance, 60)})
		}
		waits = append(waits, l.turn(t, d, talks)...)
	}
	var asked, found float64
	for _, mock := range replicas {
		counted := mockMetrics(t, mock)
		asked += counted.sum("vllm:prefix_cache_queries_total") + counted.sum("vllm:prefix_cache_queries")
		found += counted.sum("vllm:prefix_cache_hits_total") + counted.sum("vllm:prefix_cache_hits")
	}
	if asked == 0 || len(waits) != len(talks)*l.turns {
		t.Fatalf("%v tokens were looked for in the caches, %d of %d requests answered", asked, len(waits), len(talks)*l.turns)
	}
	return found / asked, waits
}

// turn asks the next question of each conversation, and keeps the answers.
func (l prefixLoad) turn(t testing.TB, d *door, talks [][]message) (waits []time.Duration) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	next := make(chan int)
	for range l.parallel {
		all.Go(func() {
			for i := range next {
				wait, said := d.firstToken(t, chatOfM, talks[i])
				mu.Lock()
				waits = append(waits, wait)
				mu.Unlock()
				talks[i] = append(talks[i], message{"assistant", said})
			}
		})
	}
	for i := range talks {
		next <- i
	}
	close(next)
	all.Wait()
	return waits
}

// firstToken asks for a short streamed answer and tells how long its first token took, and what it says.
func (d *door) firstToken(t testing.TB, path string, talk []message) (wait time.Duration, said string) {
	body, err := json.Marshal(map[string]any{"messages": talk, "stream": true, "max_tokens": 8, "ignore_eos": true})
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	begin := time.Now()
	resp, err := d.client.Do(d.request(t, http.MethodPost, path, strings.NewReader(string(body))))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	err = events(resp.Body, func(e event) {
		var c completion
		if json.Unmarshal([]byte(e.data), &c) != nil || len(c.Choices) == 0 || c.Choices[0].Delta.Content == "" {
			return
		}
		if said == "" {
			wait = e.at.Sub(begin)
		}
		said += c.Choices[0].Delta.Content
	})
	if err != nil || said == "" {
		t.Errorf("%d, %q, %v", resp.StatusCode, said, err)
	}
	return wait, said
}

// words is a text that no other call gives.
func words(chance *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "%c%c%c%c ", 'a'+chance.IntN(26), 'a'+chance.IntN(26), 'a'+chance.IntN(26), 'a'+chance.IntN(26))
	}
	return b.String()
}
