package toolparser

import (
	"regexp"
	"slices"
	"strings"

	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
)

// tags is how a format writes arguments: name and value of each. What is no string is written as JSON.
type tags struct {
	done, open *regexp.Regexp // arguments that have ended, and one that has not: submatches name and value
	lines      bool           // a line break after and before a value belongs to the markup
	trim       bool           // of names
}

// json reads arguments from tags; all values are strings.
func (t tags) json(raw string, partial bool) (string, bool) {
	o := &pyjson.Object{}
	set := func(name, value string) {
		if t.trim {
			name = strings.TrimFunc(name, isSpace)
		}
		if t.lines {
			value = strings.TrimSuffix(strings.TrimPrefix(value, "\n"), "\n")
		}
		o.Set(name, value)
	}
	rest, last := "", 0
	for last < len(raw) {
		m := t.done.FindStringSubmatchIndex(raw[last:])
		if m == nil {
			break
		}
		set(raw[last+m[2]:last+m[3]], raw[last+m[4]:last+m[5]])
		rest += raw[last : last+m[0]]
		last += slices.Max(m[6:]) // a tag that lacks its end ends where the next begins
	}
	if rest += raw[last:]; partial {
		if m := t.open.FindStringSubmatch(rest); m != nil && m[1] != "" {
			set(m[1], m[2])
		}
	}
	return pyjson.DumpsUnicode(o), true
}

// each calls f with name and text of every argument of a call.
func each(c Call, f func(name, value string)) {
	v, _ := pyjson.DecodeString(c.Arguments)
	o, _ := v.(*pyjson.Object)
	for name, value := range o.All() {
		text, ok := value.(string)
		if !ok {
			text = pyjson.DumpsUnicode(value)
		}
		f(name, text)
	}
}

// The submatches behind the value are empty, at the end of what belongs to an argument.
var (
	qwenTags = tags{
		done:  regexp.MustCompile(`(?s)<\s*parameter\s*=\s*([^>]*)>(.*?)(?:<\s*/\s*parameter\s*>()|()<\s*parameter\s*=)`),
		open:  regexp.MustCompile(`(?s)<\s*parameter\s*=\s*([^>]+)>(.*)$`),
		lines: true,
	}
	glmTags = tags{
		done: regexp.MustCompile(`(?s)<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>()`),
		open: regexp.MustCompile(`(?s)<arg_key>(.*?)</arg_key>\s*<arg_value>(.*)$`),
		trim: true,
	}
	minimaxTags = tags{
		done: regexp.MustCompile(`(?s)<\s*parameter\s+name\s*=\s*["']?([^"'>]*)["']?\s*>(.*?)(?:<\s*/\s*parameter\s*>()|()<\s*parameter\s+name\s*=)`),
		open: regexp.MustCompile(`(?s)<\s*parameter\s+name\s*=\s*["']?([^"'>]+)["']?\s*>(.*)$`),
		trim: true,
	}
)

var (
	qwen3   = qwen("<tool_call>", "</tool_call>", think, thinkEnd)
	seedOSS = qwen("<seed:tool_call>", "</seed:tool_call>", "<seed:think>", "</seed:think>")
)

// qwen is open, <function=f>, <parameter=x>, value, </parameter>, </function>, end, each on a line.
func qwen(open, end, think, thinkEnd string) Format {
	const function, functionEnd, parameter, parameterEnd, angle = "<function=", "</function>", "<parameter=", "</parameter>", ">"
	return (&syntax{
		marks: []string{open, end, function, functionEnd, parameter, parameterEnd, angle, think, thinkEnd},
		moves: map[state]map[string]move{
			inWords:     {open: {inPreamble, begins}, function: {inName, begins}},
			inPreamble:  {end: {inWords, ends}, function: {to: inName}},
			inName:      {angle: {to: inArguments}, functionEnd: {inBetween, ends}},
			inArguments: {functionEnd: {inBetween, ends}, parameter: {inArguments, arguments}, parameterEnd: {inArguments, arguments}},
			inBetween:   {end: {to: inWords}, open: {inPreamble, begins}, function: {inName, begins}},
		},
		convert: qwenTags.json,
	}).format(func(calls []Call) string {
		blocks := make([]string, len(calls))
		for i, c := range calls {
			text := open + "\n" + function + c.Name + ">\n"
			each(c, func(name, value string) { text += parameter + name + ">\n" + value + "\n" + parameterEnd + "\n" })
			blocks[i] = text + functionEnd + "\n" + end
		}
		return strings.Join(blocks, "\n")
	})
}

// glm is <tool_call>f<arg_key>x</arg_key><arg_value>1</arg_value></tool_call>.
var glm = (&syntax{
	marks: []string{"<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", think, thinkEnd},
	moves: map[state]map[string]move{
		inWords: {"<tool_call>": {inName, begins}},
		inName:  {"<arg_key>": {inArguments, arguments}, "</tool_call>": {inWords, ends}},
		inArguments: {
			"</tool_call>": {inWords, ends}, "<arg_key>": {inArguments, arguments}, "</arg_key>": {inArguments, arguments},
			"<arg_value>": {inArguments, arguments}, "</arg_value>": {inArguments, arguments},
		},
	},
	convert: glmTags.json,
	header: func(text string) (id, name string, ok bool) {
		name = strings.TrimFunc(text, isSpace)
		return "", name, name != ""
	},
	checkNames: true,
}).format(func(calls []Call) string {
	blocks := make([]string, len(calls))
	for i, c := range calls {
		text := "<tool_call>" + c.Name + "\n"
		each(c, func(name, value string) {
			text += "<arg_key>" + name + "</arg_key>\n<arg_value>" + value + "</arg_value>\n"
		})
		blocks[i] = text + "</tool_call>"
	}
	return strings.Join(blocks, "\n")
})

// minimaxM2 is <minimax:tool_call>, <invoke name="f">, <parameter name="x">1</parameter>, </invoke>, </minimax:tool_call>.
var minimaxM2 = func() Format {
	const open, end, invokeEnd, parameter, parameterEnd = "<minimax:tool_call>", "</minimax:tool_call>", "</invoke>", "<parameter name=", "</parameter>"
	invoke := map[string]move{}
	for _, m := range []string{`<invoke name="`, `<invoke name='`, `<invoke name=`} {
		invoke[m] = move{inName, begins}
	}
	with := func(moves map[string]move) map[string]move {
		for m, to := range invoke {
			moves[m] = to
		}
		return moves
	}
	return (&syntax{
		marks: []string{
			open, end, `<invoke name="`, `<invoke name='`, `<invoke name=`, invokeEnd, parameter, parameterEnd, `">`, `'>`, `>`, think, thinkEnd,
		},
		moves: map[state]map[string]move{
			inWords:     with(map[string]move{open: {to: inPreamble}, end: {to: inWords}}),
			inPreamble:  with(map[string]move{end: {to: inWords}}),
			inName:      {`">`: {to: inArguments}, `'>`: {to: inArguments}, `>`: {to: inArguments}},
			inArguments: {invokeEnd: {inBetween, ends}, parameter: {inArguments, arguments}, parameterEnd: {inArguments, arguments}},
			inBetween:   with(map[string]move{end: {to: inWords}}),
		},
		convert: minimaxTags.json, checkNames: true,
	}).format(func(calls []Call) string {
		text := open + "\n"
		for _, c := range calls {
			text += `<invoke name="` + c.Name + "\">\n"
			each(c, func(name, value string) { text += parameter + `"` + name + `">` + value + parameterEnd + "\n" })
			text += invokeEnd + "\n"
		}
		return text + end
	})
}()
