package document_test

import (
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/document"
)

// TestReader finds every fault of a file at once, in either notation.
func TestReader(t *testing.T) {
	const want = `sizes[0].names: unknown field; did you mean "name"?
sizes[0].name: expected a string, found a number
sizes[0].count: 11 is more than 10
sizes[1]: expected an object, found null
colour: unknown field; known are sizes
sizes: given twice; keep one`
	for name, text := range map[string]string{
		"a.json": "\ufeff" + `{"sizes": [{"names": 1, "name": 2, "count": 11}, null], "colour": 1, "sizes": []}`,
		"b.YML":  "sizes:\n- {names: 1, name: 2, count: 11}\n-\ncolour: 1\nsizes: []\n",
	} {
		root, err := document.Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var r document.Reader
		var label string
		var count int
		r.Object("", root, document.Fields{"sizes": func(at string, n *document.Node) {
			for i, item := range n.Items {
				r.Object(at+"["+string(rune('0'+i))+"]", item, document.Fields{"name": r.Text(&label), "count": r.Whole(&count, 0, 10)})
			}
		}})
		if err := r.Err(); err == nil || err.Error() != want || r.Faults() != 6 {
			t.Errorf("%s: %d faults: %v", name, r.Faults(), err)
		}
	}
	if _, err := document.Parse("x.yaml", []byte("\xff")); err == nil {
		t.Error("bytes that are no text were read")
	}
}
