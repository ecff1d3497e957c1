package toolparser_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/text/toolparser"
)

// record is what the parsers of vLLM 0.32 made of one text. testdata/vllm.jsonl holds texts with calls, without, cut and broken,
// each cut into random pieces.
type record struct {
	Format string   `json:"format"`
	Pieces []string `json:"pieces"`
	Deltas []*delta `json:"deltas"`
	Finish *delta   `json:"finish"`
	Whole  struct {
		Content *string `json:"content"`
		Calls   []call  `json:"calls"`
	} `json:"whole"`
}

type delta struct {
	Content string      `json:"content"`
	Calls   []callDelta `json:"calls"`
}

type callDelta struct {
	Index     int    `json:"index"`
	Begins    bool   `json:"begins"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type call struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// tools are those of the requests that the records belong to.
var tools = []toolparser.Tool{
	{Name: "get_weather", Parameters: []byte(`{"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"},
		"opt": {"type": ["string", "null"]}, "f": {"type": "number"}, "l": {"type": "array", "items": {"type": "integer"}},
		"b": {"type": "boolean"}, "o": {"type": "object", "properties": {"x": {"type": "integer"}}}}}`)},
	{Name: "ping"},
	{Name: "g.h-1", Parameters: []byte(`{"type": "object", "properties": {"any": {}}}`)},
}

// wholeOnly are formats that stream in other pieces than vLLM's.
var wholeOnly = map[string]bool{"llama3_json": true, "pythonic": true, "deepseek_v3": true}

func TestAgreesWithVLLM(t *testing.T) {
	failed := map[string]int{}
	for _, r := range records(t) {
		if failed[r.Format] > 3 {
			continue
		}
		f, ok := toolparser.Lookup(r.Format)
		if !ok {
			t.Fatalf("%s is not there", r.Format)
		}
		text := strings.Join(r.Pieces, "")
		content, calls := f.Parse(text, tools)
		if r.Format == "mistral" { // the records have none, since they are made up
			calls = withoutIDs(t, calls)
		}
		got := []call{}
		for _, c := range calls {
			got = append(got, call(c))
		}
		if diff := cmp.Diff(r.Whole.Calls, got) + cmp.Diff(r.Whole.Content, content); diff != "" {
			failed[r.Format]++
			t.Errorf("%s %q (-vLLM +got):\n%s", r.Format, text, diff)
		}
		if wholeOnly[r.Format] {
			continue
		}
		if len(text) == 0 {
			continue
		}
		s := f.Stream(tools)
		var deltas []*delta
		for _, p := range r.Pieces {
			deltas = append(deltas, converted(s.Feed(p)))
		}
		if diff := cmp.Diff(r.Deltas, deltas, cmpopts.EquateEmpty()) + cmp.Diff(r.Finish, converted(s.Finish())); diff != "" {
			failed[r.Format]++
			t.Errorf("%s %q (-vLLM +got):\n%s", r.Format, r.Pieces, diff)
		}
	}
}

func converted(d toolparser.Delta, ok bool) *delta {
	if !ok {
		return nil
	}
	out := &delta{Content: d.Content}
	for _, c := range d.Calls {
		if mistralID.MatchString(c.ID) {
			c.ID = ""
		}
		out.Calls = append(out.Calls, callDelta(c))
	}
	return out
}

func records(t testing.TB) (list []record) {
	path := os.Getenv("TOOLPARSER_RECORDS")
	if path == "" {
		path = "testdata/vllm.jsonl"
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var r record
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	if scanner.Err() != nil || len(list) == 0 {
		t.Fatal(scanner.Err(), len(list))
	}
	return list
}
