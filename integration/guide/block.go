package guide

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// Block is one fenced block of a guide that a reader acts on.
type Block struct {
	Line     int // of its first line in the document
	Text     string
	Kind     Kind
	Terminal string   // where it runs, or whose output it is; "" is the reader's shell
	File     string   // where it is saved, for File
	Needs    []string // what it cannot run without
	End      string   // the terminal that gets a Ctrl-C before
}

// Kind is what a reader does with a block.
type Kind int

// The kinds.
const (
	Shell  Kind = iota // type it
	Output             // see it
	File               // save it
)

// known are the words for Block.Needs.
var known = []string{"docker", "internet", "python", "node", "gpu", "time"}

// first is the terminal of a background block without a name.
const first = "first"

// Parse returns the blocks of a Markdown document in order, without its pictures.
func Parse(source []byte) ([]Block, error) {
	var blocks []Block
	document := goldmark.DefaultParser().Parse(text.NewReader(source))
	err := ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		fence, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering || fence.Info == nil {
			return ast.WalkContinue, nil
		}
		info := fence.Info.Segment
		line := 2 + bytes.Count(source[:info.Start], []byte("\n"))
		b, err := parseInfo(strings.Fields(string(info.Value(source))))
		if err != nil {
			return ast.WalkStop, fmt.Errorf("line %d: %w", line-1, err)
		}
		b.Line, b.Text = line, string(fence.Lines().Value(source))
		blocks = append(blocks, b)
		return ast.WalkContinue, nil
	})
	if err != nil {
		return nil, err
	}
	return blocks, checkOrder(blocks)
}

// parseInfo reads what stands behind the opening fence.
func parseInfo(words []string) (Block, error) {
	var b Block
	language := words[0]
	switch language {
	case "sh":
		b.Kind = Shell
	case "text":
		b.Kind = Output
	default:
		b.Kind = -1
	}
	for _, word := range words[1:] {
		name, value, given := strings.Cut(word, "=")
		if !given {
			value = first
		}
		switch {
		case name == "background" && b.Kind != File:
			b.Terminal = value
		case name == "ctrl-c" && b.Kind == Shell:
			b.End = value
		case name == "needs" && given && b.Kind == Shell:
			b.Needs = strings.Split(value, ",")
		case name == "file" && given && filepath.IsLocal(value):
			b.Kind, b.File = File, value
		case word == "output" && b.Kind != Shell:
			b.Kind = Output
		default:
			return b, fmt.Errorf("%q does not go with a block of %s; see the package integration/guide", word, language)
		}
	}
	if b.Kind < 0 {
		return b, fmt.Errorf("a block of %s needs file=NAME or output; commands are sh, pictures have no language", language)
	}
	for _, need := range b.Needs {
		if !slices.Contains(known, need) {
			return b, fmt.Errorf("needs=%s: known are %s", need, strings.Join(known, ", "))
		}
	}
	return b, nil
}

// checkOrder finds blocks that lack the one before or after them.
func checkOrder(blocks []Block) error {
	for i, b := range blocks {
		switch {
		case b.Kind == Shell && b.Terminal != "" && (i+1 == len(blocks) || blocks[i+1].Kind != Output || blocks[i+1].Terminal != ""):
			return fmt.Errorf("line %d: a background block needs a text block after it, to tell when the program is ready", b.Line)
		case b.Kind == Output && b.Terminal == "" && (i == 0 || blocks[i-1].Kind != Shell):
			return fmt.Errorf("line %d: an output without a command before it; a picture has no language", b.Line)
		}
	}
	return nil
}
